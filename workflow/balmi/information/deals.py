"""How samples are dealt to folds where what they say of the label is learned and held out.

Every fold gets its share of every class, as in the evaluation of methods. Where labels have no part
in the deal, folds of few samples lack classes or hold most of one: what learns is then tested on
class frequencies that it did not learn, and inner folds make all look less sure than it is. Of 58
samples of eight classes, one modality read .70 nats so, and 1.06 with shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.splits import stratified_folds
from balmi.information.crossfit import fold_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.data.splits import Split

# With three, what suits two thirds of the training samples would be taken for all of them.
INNER_FOLDS = 5
# Of many samples two thirds teach what four fifths do.
FEW_INNER_FOLDS, MANY_SAMPLES = 3, 2000
# Of more that have every modality, one inner fold of a training part is enough to weigh ten members
# by: it holds some 900 of them, or 600 where half of the samples train.
JUDGED_ONCE = 4000
# Samples of a class that are judged on, or all that there are: what nobody is judged on would be
# thought impossible.
FEWEST_JUDGED = 10
# Of fewer groups, those of one fold could be arranged in too few ways for a null within folds.
GROUPS_PER_FOLD = 6
# The first number of an inner fold that is learned from alone; the others are below it.
LEARNED = -2


def is_shared_out(groups: np.ndarray | None, folds: int) -> bool:
    """Return whether folds get their shares of classes: not where groups are few."""
    return groups is None or len(np.unique(groups)) >= GROUPS_PER_FOLD * folds


def shared_out(labels: np.ndarray, groups: np.ndarray | None, folds: int, seed: int) -> np.ndarray:
    """Deal samples to folds, of every class a share to each.

    Parameters
    ----------
    labels
        Class codes; (n,).
    groups
        Group of each sample, which is kept together, or None; (n,).
    folds
        Number of folds, at most; no more than members of the commonest class, or than groups.
    seed
        Seed of the shuffle.

    Returns
    -------
    numpy.ndarray
        Fold of each sample; (n,). Of few groups (`GROUPS_PER_FOLD`) it is that of `fold_numbers`.
    """
    if not is_shared_out(groups, folds):
        return fold_numbers(len(labels), groups, folds, seed)
    folds = min(folds, int(np.bincount(labels).max()))
    if folds < 2:
        return fold_numbers(len(labels), groups, folds, seed)
    number = np.empty(len(labels), dtype=int)
    for fold, (_, test) in enumerate(stratified_folds(labels, groups, folds, seed)):
        number[test] = fold
    return number


def inner_numbers(labels: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the inner fold of every training sample; (n,).

    Parameters
    ----------
    labels
        Their class codes; (n,).
    groups
        Group of each, which is kept together, or None; (n,).
    """
    folds = INNER_FOLDS if len(labels) <= MANY_SAMPLES else FEW_INNER_FOLDS
    return shared_out(labels, groups, folds, seed=0)


@dataclass(frozen=True)
class Deal:
    """A deal of samples to folds, and of those that each fold trains on to inner ones.

    Inner folds are the same for every set of modalities, so that what one says of the training
    samples can be a member of another's pool.

    Parameters
    ----------
    fold
        Fold in which each sample is held out; (n,).
    inner
        Number of a fold -> inner folds of the samples that it trains on, -1 for those that it holds
        out; (n,). In those below -1 nothing is judged.
    within
        The folds within which labels are permuted for a null, (n,); None where permutations may
        cross folds, since labels had no part in the deal.
    """

    fold: np.ndarray
    inner: dict[int, np.ndarray]
    within: np.ndarray | None

    @classmethod
    def of(
        cls,
        labels: np.ndarray,
        groups: np.ndarray | None,
        folds: int,
        seed: int,
        complete: np.ndarray | None = None,
    ) -> Deal:
        """Deal samples.

        Parameters
        ----------
        labels, groups, folds, seed
            As `shared_out` takes them.
        complete
            As in `around`.
        """
        fold = shared_out(labels, groups, folds, seed)
        shared = is_shared_out(groups, folds)
        return cls.around(fold, labels, groups, complete, shared=shared)

    @classmethod
    def around(
        cls,
        fold: np.ndarray,
        labels: np.ndarray,
        groups: np.ndarray | None,
        complete: np.ndarray | None = None,
        *,
        shared: bool,
    ) -> Deal:
        """Deal those that each fold trains on, where folds are known.

        Parameters
        ----------
        fold
            Fold in which each sample is held out; (n,).
        labels, groups
            As `shared_out` takes them.
        complete
            Which samples have every modality, where they are so many that the inner fold with most
            of them, and others until every class is met, are enough to judge on, (n,), bool; None
            where all inner folds are judged on.
        shared
            Whether folds have their shares of classes.
        """
        inner = {}
        for number in np.unique(fold).tolist():
            train = np.flatnonzero(fold != number)
            inner[number] = np.full(len(labels), -1)
            if train.size:
                grouped = None if groups is None else groups[train]
                dealt = inner_numbers(labels[train], grouped)
                if complete is not None:
                    judged = _judged(dealt, labels[train], complete[train])
                    dealt = np.where(np.isin(dealt, judged), dealt, LEARNED - dealt)
                inner[number][train] = dealt
        return cls(fold, inner, fold if shared else None)


def _judged(inner: np.ndarray, labels: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Return the inner folds that are judged on: that with most complete samples, and others.

    All of them are where a training part holds no complete sample.
    """
    numbers = np.argsort(-np.bincount(inner[complete], minlength=inner.max() + 1), kind="stable")
    if not complete.any():
        return numbers
    parts = [inner == number for number in numbers]
    classes = labels.max() + 1
    met = [
        np.append(
            np.bincount(labels[part], minlength=classes),
            np.bincount(labels[part & complete], minlength=classes),
        )
        for part in parts
    ]
    counts = np.cumsum(met, axis=0)
    enough = (counts >= np.minimum(counts[-1], FEWEST_JUDGED)).all(axis=1)
    return numbers[: 1 + int(enough.argmax())]


def evaluated_folds(splits: Sequence[Split], samples: int) -> tuple[np.ndarray, ...]:
    """Return the fold in which the evaluation tests every sample, repeat by repeat; (n,) each.

    Parameters
    ----------
    splits
        Those of the evaluation.
    samples
        n, the number of samples of the cohort.

    Returns
    -------
    tuple of numpy.ndarray
        Repeats that do not test every sample once are left out.
    """
    tested: dict[int, np.ndarray] = {}
    for split in splits:
        fold = tested.setdefault(split.repeat, np.full(samples, -1))
        fold[split.test] = split.fold
    return tuple(fold for fold in tested.values() if (fold >= 0).all())
