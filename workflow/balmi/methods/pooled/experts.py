"""The experts of the pool: what each sees, what it learns, and what it says out of fold.

A regression for what is linear, and a forest, a kernel machine and a regression on products of
components for what is not: of every modality, and of all of them together for what only their
combination shows. What sees all has a twin that sees each modality, so that a gain of the former is
due to the combination.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Protocol

import numpy as np

from balmi.methods.peers.early import side_by_side
from balmi.methods.peers.logistic import fit_logistic
from balmi.methods.peers.priors import class_weights, weighed
from balmi.methods.peers.stacking import meta_features
from balmi.methods.pooled.imputing import Donors, filled_to_learn
from balmi.methods.pooled.learners import forest, kernel, products, regression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples

    Said = Callable[[np.ndarray], np.ndarray]
    Learner = Callable[..., tuple[np.ndarray, Said]]
    # The lowest level that has it, what learns, and the table that it learns from.
    OnAll = tuple["Access", Learner, Callable[[Samples], np.ndarray]]


FEWEST_HAVING = 5  # of a class, for a modality to tell of it


class FittedExpert(Protocol):
    """An expert that has learned."""

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""


class Access(IntEnum):
    """What an expert's evidence is a function of, each level with those before it.

    LINEAR is a sum of linear functions of modalities, on the scale of log-odds; ADDITIVE a sum of
    any functions of a modality each; JOINT any function of them all.
    """

    LINEAR = auto()
    ADDITIVE = auto()
    JOINT = auto()


@dataclass(frozen=True)
class Expert:
    """An expert, and what it says of the samples that it learned from.

    Parameters
    ----------
    name
        Its name, ``<kind>/<modality>`` where it sees one modality.
    modality
        The modality that it sees, None for all.
    access
        The lowest level that has it.
    fitted
        What it has learned from all training samples.
    held_out
        Probabilities of the training samples, each by what has not learned from it; (n, classes).
        NaN where there is none, or where it has learned from nobody of the sample's class.
    """

    name: str
    modality: str | None
    access: Access
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
    do, it would say so of everyone who has the modality, whatever was measured: weights with which
    it says out of fold, on average, that classes are as frequent as among all take that back.

    Of a class that some samples lack the modality of, and fewer than `FEWEST_HAVING` have it,
    nothing is known but its frequency: whatever was measured, it is said to be that frequent.

    Parameters
    ----------
    modality
        Its name.
    fitted
        What has learned from those who have it.
    weights
        One per class, 0 for the classes of which too little is known; (classes,).
    prior
        Class frequencies among all; (classes,).
    """

    modality: str
    fitted: FittedExpert
    weights: np.ndarray
    prior: np.ndarray

    @classmethod
    def of(
        cls, side: TrainingSide, modality: str, fitted: FittedExpert, said: np.ndarray
    ) -> AtPrior:
        """Weigh what has learned from those who have a modality.

        Parameters
        ----------
        side
            The training side.
        modality
            Its name.
        fitted
            What has learned.
        said
            Its probabilities of the training side out of fold; (n, classes).
        """
        has = side.samples.has(modality)
        if has.all():
            return cls(modality, fitted, np.ones(side.classes), side.prior)
        everyone, having = (
            np.bincount(labels, minlength=side.classes)
            for labels in (side.labels, side.labels[has])
        )
        unknown = (having < FEWEST_HAVING) & (having < everyone)
        told = has & ~not_learned(side, has) & ~np.isnan(said).any(axis=1)
        weights, known = np.zeros(side.classes), ~unknown
        if known.any() and told.any():
            share = side.prior[known] / side.prior[known].sum()
            weights[known] = class_weights(
                weighed(said[told][:, known], np.ones(known.sum())), share
            )
        return cls(modality, fitted, weights, side.prior)

    @property
    def unknown(self) -> np.ndarray:
        """The classes of which too little is known; (classes,), bool."""
        return self.weights == 0

    def at(self, said: np.ndarray, samples: Samples) -> np.ndarray:
        """Return probabilities so weighed; those of samples without the modality stay."""
        result, has = said.copy(), samples.has(self.modality)
        if self.unknown.all():
            result[has] = self.prior
            return result
        left = 1 - self.prior[self.unknown].sum()
        result[has] = left * weighed(said[has], self.weights)
        result[np.ix_(has, self.unknown)] = self.prior[self.unknown]
        return result

    def held_out(self, said: np.ndarray, side: TrainingSide) -> np.ndarray:
        """Return out-of-fold probabilities so weighed, NaN where their class was not learned."""
        result = self.at(said, side.samples)
        unlearned = not_learned(side, side.samples.has(self.modality))
        result[unlearned & ~self.unknown[side.labels]] = np.nan
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


def _stacked(side: TrainingSide) -> Iterator[Expert]:
    """Yield stacked logistic regression, on the inner folds of the modalities' regressions."""
    bases = [
        AtPrior.of(side, name, side.base(name), side.base(name).held_out) for name in telling(side)
    ]
    if not bases:
        return
    said = [base.held_out(side.base(base.modality).held_out, side) for base in bases]
    told = ~np.isnan(said).any(axis=(0, 2))
    learn, held_out = meta_features(said), np.full((len(side), side.classes), np.nan)
    for rest, here in side.base_folds:
        rest, here = rest[told[rest]], here[told[here]]
        if here.size and len(np.unique(side.labels[rest])) > 1:
            upper = fit_logistic(learn[rest], side.labels[rest], side.classes)
            held_out[here] = upper.predict(learn[here])
    if not _lost(side, ~told):
        upper = fit_logistic(learn[told], side.labels[told], side.classes)
        yield Expert("stacked", None, Access.LINEAR, Stack(tuple(bases), upper), held_out)


def not_learned(side: TrainingSide, has: np.ndarray) -> np.ndarray:
    """Return the samples of whose class an inner fold leaves nobody to learn from; (n,), bool.

    What has learned from nobody of a class says that there is none of it. That is true of its
    lesson and not of the samples that come, and one such word would count for more than all others.

    Parameters
    ----------
    side
        The training side.
    has
        The samples that are learned from and asked about; (n,), bool.
    """
    result = np.zeros(len(side), dtype=bool)
    for rest, here in side.base_folds:
        seen = np.unique(side.labels[rest[has[rest]]])
        result[here] = has[here] & ((len(seen) < 2) | ~np.isin(side.labels[here], seen))
    return result


def _lost(side: TrainingSide, unlearned: np.ndarray) -> bool:
    """Return whether none is left of a class that there is, for what learns from inner folds."""
    return len(np.unique(side.labels[~unlearned])) < len(np.unique(side.labels))


def telling(side: TrainingSide) -> list[str]:
    """Return the modalities that have features, in samples of two classes at least."""
    return [
        name
        for name, values in side.samples.features.items()
        if values.shape[1] and len(np.unique(side.labels[side.samples.has(name)])) > 1
    ]


def equal_blocks(samples: Samples) -> np.ndarray:
    """Return all features, every modality's divided by the root of their number; (n, features).

    So modalities weigh alike in distances, however many features they have.
    """
    blocks = [values / np.sqrt(max(1, values.shape[1])) for values in samples.features.values()]
    return np.hstack(blocks)


# What learns from each modality beside the regression that all peers share; from all together: what
# learns, and the table that it learns from.
ONE: dict[str, Learner] = {"forest": forest, "svm": kernel, "products": products}
# What is calibrated on inner folds, and cannot be where these lose a class.
CALIBRATED = frozenset({kernel})
ALL: dict[str, OnAll] = {
    "concat-lr": (Access.LINEAR, regression, side_by_side),
    "concat-forest": (Access.JOINT, forest, side_by_side),
    "concat-svm": (Access.JOINT, kernel, equal_blocks),
    "concat-products": (Access.JOINT, products, equal_blocks),
}
# Sums of functions of each modality that are learned together: what they miss of the former two is
# how modalities interact, and not that their parts were learned apart.
SUMS: dict[str, OnAll] = {
    "sum-svm": (Access.ADDITIVE, kernel, equal_blocks),
    "sum-products": (Access.ADDITIVE, products, equal_blocks),
}


def experts_of_modality(side: TrainingSide, modality: str) -> Iterator[Expert]:
    """Yield the experts that see one modality: its regression, and `ONE`.

    Parameters
    ----------
    side
        The training side; it has inner folds.
    modality
        Its name. One that says nothing, or is there in samples of one class alone, has none.
    """
    if modality not in telling(side):
        return
    has, base = side.samples.has(modality), side.base(modality)

    def expert(kind: str, access: Access, fitted: FittedExpert, held_out: np.ndarray) -> Expert:
        own = AtPrior.of(side, modality, fitted, held_out)
        name = f"{kind}/{modality}"
        return Expert(name, modality, access, own, own.held_out(held_out, side))

    yield expert("linear", Access.LINEAR, base, base.held_out)
    lost = _lost(side, not_learned(side, has) & has)
    for kind, learn in ONE.items():
        if lost and learn in CALIBRATED:
            continue
        held_out, said = side.lesson(learn, modality)
        yield expert(kind, Access.ADDITIVE, OfModality(modality, side.prior, said), held_out)


def experts_of_all(side: TrainingSide) -> Iterator[Expert]:
    """Yield the experts that see all modalities.

    Parameters
    ----------
    side
        The training side; it has inner folds and classes to choose from.
    """
    yield from _stacked(side)
    donors, filled = Donors.of(side), filled_to_learn(side)
    everyone = np.ones(len(side), dtype=bool)
    unlearned = not_learned(side, everyone)
    lost = _lost(side, unlearned)
    blocks = _blocks(side.samples)
    wanted = [(*each, {}) for each in ALL.items()] if blocks else []
    if len(blocks) > 1:
        wanted += [(*each, {"blocks": blocks}) for each in SUMS.items()]
    tables = {table: table(filled) for table in (side_by_side, equal_blocks)}
    for name, (access, learn, table), within in wanted:
        if not (lost and learn in CALIBRATED):
            held_out, said = learn(side, tables[table], everyone, **within)
            held_out[unlearned] = np.nan
            yield Expert(name, None, access, OfAll(donors, table, said), held_out)


def _blocks(samples: Samples) -> list[slice]:
    """Return the places of every modality's features, side by side; of those that have any."""
    ends = np.cumsum([values.shape[1] for values in samples.features.values()])
    starts = [0, *ends[:-1]]
    return [slice(start, end) for start, end in zip(starts, ends, strict=True) if end > start]
