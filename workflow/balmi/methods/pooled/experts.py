"""The experts of the pool: what each sees, what it learns, and what it says out of fold.

Linear ones for signals that add up, forests for what is nonlinear within a modality, and three that
see all modalities at once for what only their combination shows: a forest, a kernel machine and a
regression on products of components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from balmi.data.subsample import subsample
from balmi.methods.peers.early import fit_machine, side_by_side
from balmi.methods.peers.logistic import fit_logistic
from balmi.methods.peers.priors import weighed
from balmi.methods.peers.stacking import meta_features
from balmi.methods.pooled.imputing import Donors, filled_to_learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sklearn.ensemble import RandomForestClassifier

    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples

    Said = Callable[[np.ndarray], np.ndarray]
    Learn = Callable[[np.ndarray, np.ndarray], Said]

# About a third of the trees say something of a training sample that they have not learned from. On
# TCGA-BRCA at seed 200, twice as many take twice the time for .011 nats out of bag, .001 on tests.
TREES = 100
# Training samples that an expert learns from at most, beside the regressions that all peers share;
# a kernel compares every two of them.
MANY_SAMPLES = 5000
MOST_PER_TREE = 2000  # training samples that a tree draws at most
COST = 10.0  # of the kernel machine
LANDMARKS = 300  # of a kernel that compares too many samples
COMPONENTS = 20  # whose products are looked at
# There are some 230 products, more than any real cohort needs of them.
PRODUCTS_INVERSE_PENALTY = 0.01
SCORES_INVERSE_PENALTY = 1.0


class FittedExpert(Protocol):
    """An expert that has learned."""

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""


@dataclass(frozen=True)
class Expert:
    """An expert, and what it says of the samples that it learned from.

    Parameters
    ----------
    name
        Its name, ``<kind>/<modality>`` where it sees one modality.
    modality
        The modality that it sees, None for all.
    fitted
        What it has learned from all training samples.
    held_out
        Probabilities of the training samples, each by what has not learned from it, NaN where
        there is none; (n, classes).
    """

    name: str
    modality: str | None
    fitted: FittedExpert
    held_out: np.ndarray


@dataclass(frozen=True)
class OfModality:
    """An expert on the features of one modality; of samples that lack it, it says the prior."""

    modality: str
    prior: np.ndarray
    said: Said

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        result = np.tile(self.prior, (len(samples), 1))
        has = samples.has(self.modality)
        if has.any():
            result[has] = self.said(samples.features[self.modality][has])
        return result


@dataclass(frozen=True)
class OfAll:
    """An expert on all features side by side; gaps are filled by donors."""

    donors: Donors
    table: Callable[[Samples], np.ndarray]
    said: Said

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return self.donors.predict(lambda filled: self.said(self.table(filled)), samples)


@dataclass(frozen=True)
class AtPrior:
    """What sees one modality, its classes weighed to the frequencies of all training samples.

    It has learned from samples that have the modality. Where these hold more of a class than others
    do, it would say so of everyone who has the modality, whatever was measured: the adjustment to
    new priors of Saerens et al. (2002), Neural Computation 14:21-41, takes that back.

    Parameters
    ----------
    modality
        Its name.
    fitted
        What has learned from those who have it.
    weights
        One per class: its frequency among all over that among those; (classes,).
    """

    modality: str
    fitted: FittedExpert
    weights: np.ndarray

    @classmethod
    def of(cls, side: TrainingSide, modality: str, fitted: FittedExpert) -> AtPrior:
        """Return what has learned from those who have a modality, so weighed."""
        everyone, having = (
            np.bincount(labels, minlength=side.classes) + 0.5
            for labels in (side.labels, side.labels[side.samples.has(modality)])
        )
        return cls(modality, fitted, everyone / having)

    def at(self, said: np.ndarray, samples: Samples) -> np.ndarray:
        """Return probabilities so weighed; those of samples without the modality stay."""
        result, has = said.copy(), samples.has(self.modality)
        result[has] = weighed(said[has], self.weights)
        return result

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return self.at(self.fitted.predict(samples), samples)


@dataclass(frozen=True)
class Stack:
    """A regression on the log-probabilities of the modalities' own, each at the prior.

    Parameters
    ----------
    bases
        The modalities' regressions.
    upper
        The regression on what they say.
    """

    bases: tuple[AtPrior, ...]
    upper: FittedLogistic

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return self.upper.predict(meta_features([base.predict(samples) for base in self.bases]))


def _stacked(side: TrainingSide) -> Expert:
    """Return stacked logistic regression, on the inner folds of the modalities' regressions."""
    bases = [AtPrior.of(side, name, side.base(name)) for name in side.modalities]
    said = [base.at(side.base(base.modality).held_out, side.samples) for base in bases]
    learn, held_out = meta_features(said), np.empty((len(side), side.classes))
    for rest, here in side.base_folds:
        upper = fit_logistic(learn[rest], side.labels[rest], side.classes)
        held_out[here] = upper.predict(learn[here])
    upper = fit_logistic(learn, side.labels, side.classes)
    return Expert("stacked", None, Stack(tuple(bases), upper), held_out)


def equal_blocks(samples: Samples) -> np.ndarray:
    """Return all features, every modality's divided by the root of their number; (n, features).

    So modalities weigh alike in distances, however many features they have.
    """
    blocks = [values / np.sqrt(max(1, values.shape[1])) for values in samples.features.values()]
    return np.hstack(blocks)


def taught(
    side: TrainingSide, values: np.ndarray, has: np.ndarray, learn: Learn
) -> tuple[np.ndarray, Said]:
    """Return what is said of samples by what has not learned from them, and what learned from all.

    Every inner fold is told of by what has learned from the others. Of more than `MANY_SAMPLES` one
    lesson is enough: it takes `MANY_SAMPLES` of them at most, drawn evenly from all inner folds but
    the first, and is judged on that one.

    Parameters
    ----------
    side
        The training side.
    values
        Features of its samples; (n, features).
    has
        The samples that are learned from and asked about; (n,), bool.
    learn
        Given features and labels, returns what gives probabilities of other samples.

    Returns
    -------
    tuple of numpy.ndarray and callable
        Probabilities, (n, classes): class frequencies of samples outside `has`, NaN where nothing
        was held out; and what gives probabilities of other samples.
    """
    many = len(side) > MANY_SAMPLES
    held_out = np.tile(side.prior, (len(side), 1))
    held_out[has] = np.nan if many else side.prior
    for rest, here in side.base_folds:
        rest, here = rest[has[rest]], here[has[here]]
        if many:
            rest = _drawn(side, rest)
        if here.size and len(np.unique(side.labels[rest])) > 1:
            said = learn(values[rest], side.labels[rest])
            held_out[here] = said(values[here])
            if many:
                return held_out, said
    return held_out, learn(values[has], side.labels[has])


def _drawn(side: TrainingSide, rows: np.ndarray) -> np.ndarray:
    """Return `MANY_SAMPLES` of the rows at most, an even draw from classes and groups."""
    groups = None if side.groups is None else side.groups[rows]
    rng = np.random.default_rng([side.seed, 2])
    available = side.samples.available[rows]
    return rows[subsample(side.labels[rows], available, groups, MANY_SAMPLES, rng)]


def _forest(side: TrainingSide, values: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, Said]:
    """Return what a forest says out of its bags, or of inner folds where groups go together."""
    from sklearn import ensemble

    def grown(values: np.ndarray, labels: np.ndarray, *, bags: bool = False) -> Votes:
        draw = MOST_PER_TREE if len(labels) > MOST_PER_TREE else None
        forest = ensemble.RandomForestClassifier(
            TREES, max_samples=draw, oob_score=bags, random_state=side.seed, n_jobs=1
        )
        return Votes(forest.fit(values, labels), side.prior)

    values = values.astype(np.float32, copy=False)
    if side.groups is not None or len(side) > MANY_SAMPLES:
        return taught(side, values, has, grown)
    held_out = np.tile(side.prior, (len(side), 1))
    whole = grown(values[has], side.labels[has], bags=True)
    held_out[has] = whole.out_of_bag()
    return held_out, whole


@dataclass(frozen=True)
class Votes:
    """The votes of a forest, and one more of class frequencies, so that none has probability 0."""

    forest: RandomForestClassifier
    prior: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities of other samples; (m, classes)."""
        trees = len(self.forest.estimators_)
        return self._with_prior(self.forest.predict_proba(values), trees)

    def out_of_bag(self) -> np.ndarray:
        """Return probabilities of the samples learned from, by trees that have not drawn them."""
        said = self.forest.oob_decision_function_
        count = len(said)
        drawn = self.forest.max_samples or count
        trees = len(self.forest.estimators_) * (1 - 1 / count) ** drawn
        return self._with_prior(np.nan_to_num(said), trees)

    def _with_prior(self, votes: np.ndarray, trees: float) -> np.ndarray:
        total = np.zeros((len(votes), len(self.prior)))
        total[:, self.forest.classes_] = votes
        result = trees * total + self.prior
        return result / result.sum(axis=1, keepdims=True)


def _machine(side: TrainingSide, values: np.ndarray) -> tuple[np.ndarray, Said]:
    """Return what a calibrated kernel machine says out of fold, and the machine."""
    labels, classes, folds = side.labels, side.classes, side.base_folds

    def calibrated(scores: np.ndarray, labels: np.ndarray) -> Said:
        penalty = SCORES_INVERSE_PENALTY
        return fit_logistic(scores, labels, classes, inverse_penalty=penalty).predict

    scores = np.empty((len(side), classes))
    for rest, here in folds:
        machine = fit_machine(values[rest], labels[rest], classes, cost=COST)
        scores[here] = machine.scores(values[here])
    held_out = np.empty((len(side), classes))
    for rest, here in folds:
        held_out[here] = calibrated(scores[rest], labels[rest])(scores[here])
    machine = fit_machine(values, labels, classes, cost=COST)
    probabilities = calibrated(scores, labels)
    return held_out, lambda others: probabilities(machine.scores(others))


def _landmarks(side: TrainingSide, values: np.ndarray) -> tuple[np.ndarray, Said]:
    """Return what a regression on similarities to some samples says, in the machine's place."""
    from sklearn.kernel_approximation import Nystroem

    def learn(values: np.ndarray, labels: np.ndarray) -> Said:
        gamma = 1 / (values.shape[1] * values.var())  # as of the machine
        count = min(LANDMARKS, len(values))
        kernel = Nystroem(gamma=gamma, n_components=count, random_state=side.seed)
        similarities = kernel.fit_transform(values)
        penalty = SCORES_INVERSE_PENALTY
        fitted = fit_logistic(similarities, labels, side.classes, inverse_penalty=penalty)
        return lambda others: fitted.predict(kernel.transform(others))

    return taught(side, values, _everyone(side), learn)


def _everyone(side: TrainingSide) -> np.ndarray:
    return np.ones(len(side), dtype=bool)


def _products(side: TrainingSide, values: np.ndarray) -> tuple[np.ndarray, Said]:
    """Return what a regression on products of principal components says out of fold, and it."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    def learn(values: np.ndarray, labels: np.ndarray) -> Said:
        count = min(COMPONENTS, len(values) - 1, values.shape[1])
        products = make_pipeline(
            PCA(count, whiten=True, random_state=side.seed),
            PolynomialFeatures(2, include_bias=False),
            StandardScaler(),
        )
        learned = products.fit_transform(values)
        penalty = PRODUCTS_INVERSE_PENALTY
        fitted = fit_logistic(learned, labels, side.classes, inverse_penalty=penalty)
        return lambda others: fitted.predict(products.transform(others))

    return taught(side, values, _everyone(side), learn)


def _regression(side: TrainingSide, values: np.ndarray) -> tuple[np.ndarray, Said]:
    """Return what a logistic regression on all features says out of fold, and it."""

    def learn(values: np.ndarray, labels: np.ndarray) -> Said:
        return fit_logistic(values, labels, side.classes).predict

    return taught(side, values, _everyone(side), learn)


def _kernel(side: TrainingSide, values: np.ndarray) -> tuple[np.ndarray, Said]:
    """Return the machine, or what stands in for it where samples are many."""
    return (_machine if len(side) <= MANY_SAMPLES else _landmarks)(side, values)


# Of all features: what learns, and the table that it learns from.
ALL: dict[str, tuple[Callable[..., tuple[np.ndarray, Said]], Callable[[Samples], np.ndarray]]] = {
    "concat-lr": (_regression, side_by_side),
    "concat-forest": (lambda side, values: _forest(side, values, _everyone(side)), side_by_side),
    "concat-svm": (_kernel, equal_blocks),
    "products": (_products, equal_blocks),
}


def experts_of_modality(side: TrainingSide, modality: str) -> Iterator[Expert]:
    """Yield the experts that see one modality: its regression and a forest.

    Parameters
    ----------
    side
        The training side; it has inner folds.
    modality
        Its name. One that says nothing, or is there in samples of one class alone, has none.
    """
    values, has = side.samples.features[modality], side.samples.has(modality)
    if not values.shape[1] or len(np.unique(side.labels[has])) < 2:
        return
    base, (held_out, said) = side.base(modality), _forest(side, values, has)
    forest = OfModality(modality, side.prior, said)
    for kind, fitted, inside in (
        ("linear", base, base.held_out),
        ("forest", forest, held_out),
    ):
        own = AtPrior.of(side, modality, fitted)
        yield Expert(f"{kind}/{modality}", modality, own, own.at(inside, side.samples))


def experts_of_all(side: TrainingSide) -> Iterator[Expert]:
    """Yield the experts that see all modalities.

    Parameters
    ----------
    side
        The training side; it has inner folds and classes to choose from.
    """
    yield _stacked(side)
    donors, filled = Donors.of(side), filled_to_learn(side)
    for name, (learn, table) in ALL.items():
        values = table(filled)
        if values.shape[1]:
            held_out, said = learn(side, values)
            yield Expert(name, None, OfAll(donors, table, said), held_out)
