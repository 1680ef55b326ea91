"""The registry of methods: what each is, and which settings its results depend on.

The driver reads it, so that a key on which a method does not depend never runs it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.config.settings import Balancing, Expert, Method

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from balmi.config.settings import Model, Settings, Training

RULE = frozenset(
    {"balancing", "balancing_temperature", "balancing_smoothing", "balancing_strength"}
)


@dataclass(frozen=True)
class NetworkMethod:
    """How a network method differs from the others.

    Parameters
    ----------
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

    pretrained: bool = False
    balancing: Balancing | None = Balancing.UNIFORM
    experts: tuple[Expert, ...] | None = (Expert.MEAN,)
    several: bool = False
    concatenated: bool = False

    def passes_messages(self, model: Model) -> bool:
        """Whether its encoders pass messages on similarity networks."""
        return model.graph_weight > 0 and not self.concatenated

    def members(self, training: Training) -> int:
        """Return its networks per fold, at most."""
        return training.members if self.several else 1

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


NETWORKS: dict[Method, NetworkMethod] = {
    Method.BALANCED: NetworkMethod(pretrained=True, balancing=None, experts=None, several=True),
    Method.ENSEMBLE: NetworkMethod(several=True),
    Method.UNIFORM: NetworkMethod(),
    Method.CONCAT_MLP: NetworkMethod(concatenated=True),
}


# Networks of single modalities, which no rule balances: those that `balanced` starts from, in every
# member, and those by which gains of distillation are observed.
PRETRAINING, GAINS = NetworkMethod(several=True), NetworkMethod()


def depends(methods: Iterable[str], settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the keys that the results of some methods depend on, by section.

    Parameters
    ----------
    methods
        Their names; what is no network is a peer, which reads how features are preprocessed.
    settings
        The configuration.
    """
    found: dict[str, dict[str, Any]] = {"preprocessing": settings.preprocessing.deciding()}
    for network in filter(None, (NETWORKS.get(Method(name)) for name in methods)):
        guiding = ("information", "distillation") if network.pretrained else ()
        sections = {name: getattr(settings, name).deciding() for name in guiding}
        for section, keys in (network.depends(settings) | sections).items():
            found[section] = found.get(section, {}) | keys
    return found
