"""Experts of a network method, pooled by weights that out-of-fold predictions decide.

The members of a fold hold out different inner folds of its training side, so that together they say
something of every training sample that none of them has learned from. On those samples each expert
gets its temperature and its weight in a linear pool. One of the experts may be stacked logistic
regression: the pool then contains the linear model, and leaves it only as far as held-out
likelihood asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from balmi.config.settings import Expert
from balmi.errors import MethodNotApplicable
from balmi.information.pool import best_temperature, pool_weights, tempered
from balmi.methods.peers.logistic import FittedLogistic, fit_logistic
from balmi.methods.peers.stacking import FittedStack, meta_features, stack_out_of_fold
from balmi.preprocess.fitted import Samples, precision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from balmi.data.splits import Split
    from balmi.methods.peers.side import TrainingSide
    from balmi.networks.data import ReplicaData


@dataclass(frozen=True)
class HeldOut:
    """What all heads of a network say of the samples of one fold.

    Parameters
    ----------
    inner
        Probabilities of the training side, each by a network that has not learned from the sample;
        NaN where there is none; (fit, heads, classes).
    test
        Probabilities of the test samples; (test, heads, classes).
    """

    inner: np.ndarray
    test: np.ndarray


def join_members(members: Sequence[Split], probabilities: np.ndarray) -> HeldOut:
    """Put together what the members of a fold say: held-out where it can be, the mean on tests.

    Parameters
    ----------
    members
        The members of one fold.
    probabilities
        Of all samples of the cohort, by every member; (members, n, ..., classes).

    Returns
    -------
    HeldOut
        With the axes between samples and classes kept.
    """
    fit, test = members[0].fit, members[0].test
    inner = held_out_by_members(members, probabilities[:, fit])
    return HeldOut(inner, probabilities[:, test].mean(axis=0))


def held_out_by_members(members: Sequence[Split], probabilities: np.ndarray) -> np.ndarray:
    """Return what is said of a training side, each sample by the member that held it out.

    Parameters
    ----------
    members
        The members of one fold.
    probabilities
        Of its training side, by every member; (members, fit, ..., classes).

    Returns
    -------
    numpy.ndarray
        (fit, ..., classes), NaN where no member held a sample out.
    """
    result = np.full(probabilities.shape[1:], np.nan)
    for split, predicted in zip(members, probabilities, strict=True):
        rows = np.searchsorted(split.fit, split.validation)
        result[rows] = predicted[rows]
    return result


class FittedExpert(Protocol):
    """An expert that has learned from the training side of one fold."""

    def predict(self, heads: np.ndarray, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes).

        Parameters
        ----------
        heads
            What all heads of the network say of the samples; (n, heads, classes).
        samples
            The samples.
        """


@dataclass(frozen=True)
class Candidate:
    """An expert, and what the pool judges it by.

    Parameters
    ----------
    expert
        The expert.
    inner
        What it says of the training side, each sample by a model that has not learned from it; NaN
        where there is none; (fit, classes).
    """

    expert: FittedExpert
    inner: np.ndarray


@dataclass(frozen=True)
class Head:
    """A joint head of the network, by its place from the end of all heads."""

    place: int

    def predict(self, heads: np.ndarray, samples: Samples) -> np.ndarray:
        """Return what the head says."""
        return heads[:, self.place]


@dataclass(frozen=True)
class Linear:
    """Stacked logistic regression."""

    stack: FittedStack

    @property
    def upper(self) -> FittedLogistic:
        """What it has learned besides the modalities' regressions."""
        return self.stack.upper

    def predict(self, heads: np.ndarray, samples: Samples) -> np.ndarray:
        """Return what the stack says."""
        return self.stack.predict(samples)


@dataclass(frozen=True)
class Learned:
    """A logistic regression on the modalities' heads; it reads `prior` of absent modalities."""

    upper: FittedLogistic
    prior: np.ndarray

    def predict(self, heads: np.ndarray, samples: Samples) -> np.ndarray:
        """Return what the regression says."""
        return self.upper.predict(_of_modalities(heads, samples, self.prior))


def _of_modalities(heads: np.ndarray, samples: Samples, prior: np.ndarray) -> np.ndarray:
    """Return log-probabilities by the modalities' heads; (n, modalities * classes)."""
    has = samples.available
    probabilities = np.where(has[..., None], heads[:, : has.shape[1]], prior)
    return meta_features(list(np.moveaxis(probabilities, 1, 0)))


def fit_linear(heads: np.ndarray, side: TrainingSide, inner: np.ndarray) -> Candidate:
    """Fit stacked logistic regression, on the inner folds that the peers have.

    Parameters
    ----------
    heads, inner
        Not read: whom members held out says nothing of regressions.
    side
        The training side.

    Raises
    ------
    MethodNotApplicable
        As `balmi.methods.peers.stacking.stack_out_of_fold` does.
    """
    held_out, stack = stack_out_of_fold(side)
    return Candidate(Linear(stack), held_out)


def fit_learned(heads: np.ndarray, side: TrainingSide, inner: np.ndarray) -> Candidate:
    """Fit a logistic regression to what the modalities' heads say.

    Parameters
    ----------
    heads
        What the heads say of the training side, as `HeldOut.inner`; (fit, heads, classes).
    side
        The training side.
    inner
        Inner fold of every sample of it; (fit,).

    Raises
    ------
    MethodNotApplicable
        Where there is one member alone: it says nothing of its own stack.
    """
    labels, classes = side.labels, side.classes
    learn = _of_modalities(heads, side.samples, side.prior)
    usable = ~np.isnan(learn).any(axis=1)
    upper = fit_logistic(learn[usable], labels[usable], classes)
    held_out = np.full((len(labels), classes), np.nan)
    for number in np.unique(inner[usable]):
        here, rest = usable & (inner == number), usable & (inner != number)
        if not rest.any():
            raise MethodNotApplicable(
                "the expert 'learned' needs two members per fold, with an inner fold each"
            )
        held_out[here] = fit_logistic(learn[rest], labels[rest], classes).predict(learn[here])
    return Candidate(Learned(upper, side.prior), held_out)


@dataclass(frozen=True)
class Regression:
    """An expert that is a regression.

    Parameters
    ----------
    fit
        Given what all heads say of the training side, this side, and the inner fold of each of its
        samples, returns the expert.
    restore
        Given what it had learned and the training side, returns the expert as it was.
    """

    fit: Callable[[np.ndarray, TrainingSide, np.ndarray], Candidate]
    restore: Callable[[FittedLogistic, TrainingSide], FittedExpert]


REGRESSIONS: dict[Expert, Regression] = {
    Expert.LINEAR: Regression(
        fit_linear, lambda upper, side: Linear(FittedStack(side.bases(), upper))
    ),
    Expert.LEARNED: Regression(fit_learned, lambda upper, side: Learned(upper, side.prior)),
}


def samples_of_replica(data: ReplicaData, replica: int, rows: np.ndarray) -> Samples:
    """Return samples of a replica's data as peers see them.

    Parameters
    ----------
    data
        The replicas' data.
    replica
        Any member of the fold.
    rows
        Rows of the data.
    """
    found = data.standardised(int(data.folds[replica]), rows)
    features = {
        name: values[:, : widths[replica]].cpu().numpy().astype(precision(values.numel()))
        for name, values, widths in zip(data.modalities, found, data.widths, strict=True)
    }
    return Samples(features, data.available[replica].cpu().numpy()[rows])


def fit_experts(
    experts: Sequence[Expert], heads: np.ndarray, side: TrainingSide, inner: np.ndarray
) -> list[Candidate]:
    """Fit the experts of a fold.

    Parameters
    ----------
    experts
        The experts.
    heads
        What all heads of the network say of the training side, the joint ones last and in the
        experts' order; NaN where nobody has spoken; (fit, heads, classes).
    side
        The training side.
    inner
        Inner fold of every sample of it; (fit,).
    """
    place = places_of_heads(experts)
    return [
        Candidate(Head(place[expert]), heads[:, place[expert]])
        if expert in place
        else REGRESSIONS[expert].fit(heads, side, inner)
        for expert in experts
    ]


def places_of_heads(experts: Sequence[Expert]) -> dict[Expert, int]:
    """Return the place of every joint head from the end of all heads, where they stand."""
    joint = [expert for expert in experts if expert.is_head]
    return {expert: at - len(joint) for at, expert in enumerate(joint)}


def arrays_of_experts(
    split: Split, names: Sequence[Expert], experts: Sequence[FittedExpert]
) -> dict[str, np.ndarray]:
    """Return what a fold's experts that are regressions learned.

    Parameters
    ----------
    split
        The fold.
    names, experts
        The experts.

    Returns
    -------
    dict of str to numpy.ndarray
        ``<repeat>/<fold>/<expert>/<part>`` -> a part of
        `balmi.methods.peers.logistic.FittedLogistic`.
    """
    return {
        f"{split.repeat}/{split.fold}/{name}/{part}": value
        for name, expert in zip(names, experts, strict=True)
        if name in REGRESSIONS
        for part, value in expert.upper.arrays.items()
    }


def restored_experts(
    split: Split,
    names: Sequence[Expert],
    arrays: Mapping[str, np.ndarray],
    side: TrainingSide,
) -> list[FittedExpert]:
    """Return the experts of a fold as they had learned.

    Parameters
    ----------
    split
        The fold.
    names
        The experts.
    arrays
        What `arrays_of_experts` gave.
    side
        The training side.
    """
    place = places_of_heads(names)

    def restored(name: Expert) -> FittedExpert:
        if name in place:
            return Head(place[name])
        start = f"{split.repeat}/{split.fold}/{name}/"
        upper = FittedLogistic(*(arrays[start + part] for part in FittedLogistic.PARTS))
        return REGRESSIONS[name].restore(upper, side)

    return [restored(name) for name in names]


@dataclass(frozen=True)
class Pool:
    """The experts of one fold, pooled.

    Parameters
    ----------
    experts
        The experts.
    temperatures, weights
        One per expert.
    """

    experts: Sequence[FittedExpert]
    temperatures: np.ndarray
    weights: np.ndarray

    def predict(self, heads: np.ndarray, samples: Samples) -> np.ndarray:
        """Return what the experts say together; (n, classes).

        Parameters
        ----------
        heads, samples
            As every expert takes them.
        """
        predictions = [
            tempered(expert.predict(heads, samples), temperature)
            for expert, temperature in zip(self.experts, self.temperatures, strict=True)
        ]
        total = np.tensordot(self.weights, np.array(predictions), axes=1)
        return total / total.sum(axis=1, keepdims=True)


def pool_experts(candidates: Sequence[Candidate], labels: np.ndarray) -> Pool:
    """Temper every expert and pool them, by their likelihood on held-out training samples.

    Parameters
    ----------
    candidates
        At least one.
    labels
        Class codes of the training side; (fit,).
    """
    usable = ~np.any([np.isnan(each.inner).any(axis=1) for each in candidates], axis=0)
    seen, rows = labels[usable], np.arange(usable.sum())
    temperatures = np.array([best_temperature(each.inner[usable], seen) for each in candidates])
    inner = [
        tempered(each.inner[usable], temperature)
        for each, temperature in zip(candidates, temperatures, strict=True)
    ]
    weights = pool_weights(np.column_stack([p[rows, seen] for p in inner]))
    return Pool([each.expert for each in candidates], temperatures, weights)


def expert_rows(method: str, split: Split, names: Sequence[Expert], pool: Pool) -> pd.DataFrame:
    """Return a fold's rows of ``tables/experts.csv``."""
    return pd.DataFrame(
        {
            "method": str(method),
            "repeat": split.repeat,
            "fold": split.fold,
            "expert": [str(name) for name in names],
            "temperature": pool.temperatures,
            "weight": pool.weights,
        }
    )
