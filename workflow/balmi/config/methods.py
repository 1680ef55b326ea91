"""The registry of methods: what each is, network or peer, and which settings its results depend on.

The driver reads it, so that a key on which a method does not depend never runs it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.config.balancing import Balancing
from balmi.config.settings import Expert, Method, PrimaryMetric

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from balmi.config.settings import Model, Settings, Training

# The pools of experts that are sums of linear, or of any, functions of each modality.
LINEAR_SUMS, ANY_SUMS = f"{Method.POOLED}/linear", f"{Method.POOLED}/additive"
RULE = frozenset(
    {"balancing", "balancing_temperature", "balancing_smoothing", "balancing_strength"}
)


@dataclass(frozen=True)
class PeerMethod:
    """A simple method, fitted fold by fold.

    Parameters
    ----------
    meaning
        What it is, in words.
    on_bases
        Whether it rests on the regressions of single modalities that several methods share.
    """

    meaning: str
    on_bases: bool = False

    def reads_bases(self, model: Model) -> bool:
        """Whether it rests on the modalities' regressions, whatever the networks' settings."""
        return self.on_bases

    def depends(self, settings: Settings) -> dict[str, dict[str, Any]]:
        """Return the keys that its predictions depend on, by section."""
        return {"preprocessing": settings.preprocessing.deciding()}


@dataclass(frozen=True)
class NetworkMethod:
    """A method that trains networks, and how it differs from the others.

    Parameters
    ----------
    meaning
        What it is, in words.
    pretrained
        Whether it is guided by what the training parts say, and may start from pretraining.
    balancing
        The rule, or None for the configured one.
    experts
        What its prediction is made of, or None for the configured experts.
    several
        Whether each fold has the configured number of members, or one.
    concatenated
        Whether all features go into one encoder, which passes no messages.
    """

    meaning: str
    pretrained: bool = False
    balancing: Balancing | None = Balancing.UNIFORM
    experts: tuple[Expert, ...] | None = (Expert.MEAN,)
    several: bool = False
    concatenated: bool = False

    def passes_messages(self, model: Model) -> bool:
        """Whether its encoders pass messages on similarity networks."""
        return model.graph_weight > 0 and not self.concatenated

    def reads_bases(self, model: Model) -> bool:
        """Whether one of its experts rests on the modalities' regressions."""
        return Expert.LINEAR in (model.experts if self.experts is None else self.experts)

    def members(self, training: Training, samples: int) -> int:
        """Return its networks per fold, at most, given the samples of the cohort."""
        return training.members_for(samples) if self.several else 1

    def depends(self, settings: Settings) -> dict[str, dict[str, Any]]:
        """Return the keys that its training and its predictions depend on, by section."""
        unread: dict[str, set[str]] = {"training": set(), "model": set()}
        if self.balancing is not None:
            unread["training"] |= RULE
        if not self.several:
            unread["training"].add("members")
        if self.experts is not None:
            unread["model"].add("experts")
        if self.concatenated:
            unread["model"].add("graph_weight")
        graph = ["graph"] if self.passes_messages(settings.model) else []
        return {
            name: _without(getattr(settings, name).deciding(), unread.get(name, ()))
            for name in ("preprocessing", "model", "training", *graph)
        }


def _without(keys: dict[str, Any], unread: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if key not in unread}


METHODS: dict[Method, NetworkMethod | PeerMethod] = {
    Method.POOLED: PeerMethod(
        "experts of different kinds (regressions, forests, kernel machines, products of "
        "components), weighed by what they say out of fold; `pooled/linear` and "
        "`pooled/additive` are those that see sums of functions of each modality",
        on_bases=True,
    ),
    Method.UNIMODAL_POOLED: PeerMethod(
        "the same kinds of one modality: of those that a sample has, the one that inner "
        "cross-validation finds best; each is also listed as `unimodal-pooled/<modality>`",
        on_bases=True,
    ),
    Method.BALANCED: NetworkMethod(
        "several networks per fold, with one encoder per modality, pretrained with "
        "distillation and balanced by information, pooled with stacked logistic regression; "
        "see below",
        pretrained=True,
        balancing=None,
        experts=None,
        several=True,
    ),
    Method.UNIFORM: NetworkMethod(
        "the same network from scratch, all losses weighing alike",
    ),
    Method.ENSEMBLE: NetworkMethod(
        "`training.members` networks like `uniform` per fold; only where `methods` names it",
        several=True,
    ),
    Method.CONCAT_MLP: NetworkMethod(
        "one network on all features side by side",
        concatenated=True,
    ),
    Method.CONCAT_LR: PeerMethod(
        "logistic regression on all features side by side",
    ),
    Method.STACKED_LR: PeerMethod(
        "logistic regression on out-of-fold log-probabilities of one regression per modality",
        on_bases=True,
    ),
    Method.ABSENCE_LR: PeerMethod(
        "a regression on who has which modality alone: what absence tells of the class. It "
        "always runs",
    ),
    Method.UNIMODAL_LR: PeerMethod(
        "the regression of one modality: of those that a sample has, the one that inner "
        "cross-validation finds best; each is also listed as `unimodal-lr/<modality>`",
        on_bases=True,
    ),
    Method.LATE_FUSION: PeerMethod(
        "mean probability of the modalities' regressions",
        on_bases=True,
    ),
    Method.MAJORITY: PeerMethod(
        "class frequencies of the training samples, for every sample",
    ),
    Method.CONCAT_LR_BALANCED: PeerMethod(
        "`concat-lr`, classes weighing alike",
    ),
    Method.CONCAT_SVM: PeerMethod(
        "support vector machine (radial kernel) on all features, calibrated by inner "
        "cross-validation",
    ),
    Method.CONCAT_FOREST: PeerMethod(
        "random forest on all features",
    ),
    Method.CONCAT_BOOSTING: PeerMethod(
        "LightGBM on all features; the slowest of these, about 5 s per fold of 600 samples",
    ),
    Method.NNLS_STACK: PeerMethod(
        "mean of a regression and a forest of every modality, weighed by non-negative least "
        "squares out of fold (super learner)",
        on_bases=True,
    ),
    Method.STACKED_LR_BALANCED: PeerMethod(
        "`stacked-lr`, classes weighing alike in the upper regression",
        on_bases=True,
    ),
    Method.SNF: PeerMethod(
        "classes of the 20 nearest training samples in the fused similarity network; test "
        "samples do not shape it",
    ),
    Method.VCDN: PeerMethod(
        "small network on the outer product of the modalities' probabilities, after MOGONET "
        "(Wang et al. 2021); not for more than 4096 combinations of classes",
        on_bases=True,
    ),
}
NETWORKS: dict[Method, NetworkMethod] = {
    name: method for name, method in METHODS.items() if isinstance(method, NetworkMethod)
}
# Peers that rest on what the same experts learn of single modalities, each on what those before it
# have learned: one job fits them all.
SHARING = (Method.NNLS_STACK, Method.UNIMODAL_POOLED, Method.POOLED)
# Peers that do not simply call the most probable class (`balmi.methods.deciding`).
RULED = (Method.UNIMODAL_POOLED, Method.POOLED)
# Metrics that have a rule of their own, where verdicts follow them (`balmi.evaluation.held_out`).
CALLED_FOR = (PrimaryMetric.ACCURACY, PrimaryMetric.BALANCED_ACCURACY)

# Networks of single modalities, which no rule balances: those that `balanced` starts from, in every
# member, and those by which gains of distillation are observed.
PRETRAINING = NetworkMethod("every modality alone, and taught by others", several=True)
GAINS = NetworkMethod("every modality alone, and taught by each other one")


def depends(methods: Iterable[str], settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the keys that the results of some methods depend on, by section.

    What guides a network counts too: unlike in `NetworkMethod.depends`, nothing comes from files
    that tell of it.

    Parameters
    ----------
    methods
        Their names.
    settings
        The configuration.
    """
    found: dict[str, dict[str, Any]] = {"preprocessing": settings.preprocessing.deciding()}
    for method in (METHODS[Method(name)] for name in methods):
        guided = isinstance(method, NetworkMethod) and method.pretrained
        guiding = ("information", "distillation") if guided else ()
        sections = {name: getattr(settings, name).deciding() for name in guiding}
        for section, keys in (method.depends(settings) | sections).items():
            found[section] = found.get(section, {}) | keys
    return found
