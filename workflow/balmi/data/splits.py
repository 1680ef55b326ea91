"""Splits of a cohort, written once and read by every later stage.

A split is a table with columns ``repeat, fold, held_out, sample, part, inner``, where part is
``train``, ``validation``, ``test`` or ``unused``. Validation samples belong to the training side:
networks use them to decide when to stop, and everything else trains on both. They are one of the
inner folds, whose numbers ``inner`` holds. Samples are unused where only a share of the training
side is asked for. ``held_out`` is for people: the fold's name where the dataset brings folds, the
group's where groups are left out, and otherwise empty.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Scheme
from balmi.data.files import read_table
from balmi.data.folds import in_order
from balmi.data.partitions import Structure, further, sets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from balmi.config.settings import Evaluation
    from balmi.data.cohort import Roster

PARTS = ("train", "validation", "test")
UNUSED = "unused"
FEWEST_GROUPS = 2  # of a class, in any share of the training side: one to train, one to validate


@dataclass(frozen=True)
class Split:
    """One replica: a repeat and fold with its three disjoint sets of rows.

    Parameters
    ----------
    repeat, fold
        Numbers from 0.
    train, validation, test
        Sorted rows of the cohort.
    inner
        The inner fold of every row of `fit`, in the same order; -1 for all where there are no inner
        folds. None stands for that.
    usable
        The inner folds that leave every class in training, ascending: those that can be the
        validation part of a member. The first is `validation`.
    member
        Number from 0 among the members of one ensemble, which share repeat, fold and test rows.
    """

    repeat: int
    fold: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    inner: np.ndarray | None = None
    usable: tuple[int, ...] = ()
    member: int = 0

    def __post_init__(self) -> None:
        if self.inner is None:
            nowhere = np.full(len(self.train) + len(self.validation), -1, dtype=np.int32)
            object.__setattr__(self, "inner", nowhere)

    @property
    def fit(self) -> np.ndarray:
        """Training and validation rows: all that may be learned from."""
        return np.sort(np.concatenate([self.train, self.validation]))

    def members(self, count: int) -> list[Split]:
        """Return splits of the same rows whose validation parts are different inner folds.

        Parameters
        ----------
        count
            How many are wanted; there are fewer where fewer inner folds can be held out.

        Returns
        -------
        list of Split
            The split itself, then the others; their validation parts are disjoint.
        """
        fit = self.fit
        others = [
            replace(
                self,
                train=fit[self.inner != number],
                validation=fit[self.inner == number],
                member=place,
            )
            for place, number in enumerate(self.usable[1:count], start=1)
        ]
        return [self, *others]


def distinct_tests(splits: Iterable[Split]) -> list[Split]:
    """Return the first split of every set of test rows: the others test nothing further.

    Parameters
    ----------
    splits
        Splits of one cohort.
    """
    first: dict[tuple[int, ...], Split] = {}
    for split in splits:
        first.setdefault(tuple(split.test.tolist()), split)
    return list(first.values())


def _folds(
    labels: np.ndarray, groups: np.ndarray | None, count: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    # Who reads splits makes none, and scikit-learn takes more than a second to load.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rows = np.arange(len(labels))
    if groups is None:
        return StratifiedKFold(count, shuffle=True, random_state=seed).split(rows, labels)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return splitter.split(rows, labels, groups)


def stratified_folds(
    labels: np.ndarray, groups: np.ndarray | None, count: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return a shuffled stratified k-fold, groups together: positions to learn from and held out.

    A class of fewer members than there are folds is in as many of them as it can be.

    Parameters
    ----------
    labels
        Class codes; (n,).
    groups
        Group of each sample, or None; (n,).
    count
        Number of folds, at least 2.
    seed
        Seed of the shuffle.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(_folds(labels, groups, count, seed))


def _groups_of(cohort: Roster, rows: np.ndarray) -> np.ndarray:
    """Return the group of every row as a code; without groups every row is one of its own."""
    if cohort.groups is None:
        return np.arange(len(rows))
    return np.unique(cohort.groups[rows], return_inverse=True)[1]


def _ranks(labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the place of every group in one random order, the needed groups before the others.

    Needed are the first `FEWEST_GROUPS` groups of every class.
    """
    rank = rng.permutation(groups.max() + 1)
    needed = set()
    for label in np.unique(labels):
        own = np.unique(groups[labels == label])
        needed.update(own[np.argsort(rank[own])][:FEWEST_GROUPS].tolist())
    rank[sorted(needed)] -= len(rank)
    return rank


def _share(fit: np.ndarray, cohort: Roster, share: float, seed: tuple[int, int]) -> np.ndarray:
    """Take about `share` of the rows, as whole groups and stratified by class.

    Every group belongs to its commonest class, and of each class the first groups of one order are
    taken until they hold the share of its samples; so a smaller share lies within a larger one.
    """
    labels, groups = cohort.labels[fit], _groups_of(cohort, fit)
    rank = _ranks(labels, groups, np.random.default_rng(seed))
    members = np.zeros((groups.max() + 1, len(cohort.classes)), dtype=int)
    np.add.at(members, (groups, labels), 1)
    sizes, homes = members.sum(axis=1), members.argmax(axis=1)
    taken = rank < 0
    for home in np.unique(homes):
        own = np.flatnonzero(homes == home)
        own = own[np.argsort(rank[own])]
        before = np.cumsum(sizes[own]) - sizes[own]
        taken[own[before < np.rint(share * sizes[own].sum())]] = True
    return fit[taken[groups]]


def _inner_folds(fit: np.ndarray, cohort: Roster, share: float, seed: int) -> np.ndarray:
    """Return the inner (group) fold of every row, about 1 / `share` of them; -1 without folds."""
    labels = cohort.labels[fit]
    groups = None if cohort.groups is None else cohort.groups[fit]
    commonest = int(np.bincount(labels).max())
    units = len(fit) if groups is None else len(np.unique(groups))
    count = min(round(1 / share), commonest, units)
    inner = np.full(len(fit), -1, dtype=np.int32)
    if count < 2:
        return inner
    for number, (_, held_out) in enumerate(stratified_folds(labels, groups, count, seed)):
        inner[held_out] = number
    return inner if usable_folds(labels, inner) else np.full_like(inner, -1)


def usable_folds(labels: np.ndarray, inner: np.ndarray) -> tuple[int, ...]:
    """Return the inner folds that leave every class in training, ascending.

    A class with fewer members than inner folds may lie in training alone.

    Parameters
    ----------
    labels, inner
        Class code and inner fold (-1 for none) of the rows of a training side.
    """
    present = len(np.unique(labels))
    return tuple(
        int(number)
        for number in np.unique(inner[inner >= 0])
        if len(np.unique(labels[inner != number])) == present
    )


Tests = list[tuple[str, np.ndarray]]  # of one repeat: every fold's name and test rows


def _named(names: np.ndarray) -> Tests:
    return [(name, np.flatnonzero(names == name)) for name in in_order(names)]


def _brought(cohort: Roster, _: Evaluation) -> Iterator[Tests]:
    """Yield the folds that the dataset brings."""
    if cohort.folds is None:
        raise ValueError("a cohort without folds of its own has to be dealt")
    yield from map(_named, cohort.folds)


def _groups_out(cohort: Roster, _: Evaluation) -> Iterator[Tests]:
    """Yield every group as a fold, in one repeat."""
    if cohort.groups is None:
        raise ValueError("a cohort without groups cannot leave one out")
    yield _named(cohort.groups)


def _k_folds(cohort: Roster, evaluation: Evaluation) -> Iterator[Tests]:
    """Yield distinct repeated stratified (group) k-folds; repeat r shuffles with seed + r.

    A partition that was dealt before, or leaves a class without training samples, gives way to
    another one. Where there is none, there are no more repeats.
    """
    groups = _groups_of(cohort, np.arange(len(cohort.labels)))
    structure = Structure.of(cohort.labels, groups, evaluation.folds)
    pool: list[np.ndarray] | None = None
    dealt: list[frozenset[tuple[int, ...]]] = []
    for repeat in range(evaluation.repeats_for(len(cohort.labels))):
        seed = evaluation.seed + repeat
        partition = np.empty(len(structure.counts), dtype=int)
        folds = _folds(cohort.labels, cohort.groups, evaluation.folds, seed)
        for fold, (_, test) in enumerate(folds):
            partition[groups[test]] = fold
        if sets_of(partition) in dealt or not structure.learnable(partition):
            pool = list(structure.partitions()) if pool is None else pool
            other = further(structure, dealt, partition, pool, np.random.default_rng(seed))
            if other is None:
                break
            partition = other
        dealt.append(sets_of(partition))
        yield [("", np.flatnonzero(partition[groups] == f)) for f in range(evaluation.folds)]
    if not dealt:
        raise ValueError("no folds were found that leave every class in training")


SCHEMES: dict[Scheme, Callable[[Roster, Evaluation], Iterator[Tests]]] = {
    Scheme.K_FOLD: _k_folds,
    Scheme.LEAVE_ONE_GROUP_OUT: _groups_out,
}


def whole_split(fit: np.ndarray, cohort: Roster, evaluation: Evaluation) -> Split:
    """Return a replica without test rows: what learns from everyone, with the usual inner folds.

    Parameters
    ----------
    fit
        Sorted rows that may be learned from.
    cohort
        The cohort.
    evaluation
        Validation share and seed, as of the first repeat.
    """
    inner = _inner_folds(fit, cohort, evaluation.validation, evaluation.seed)
    usable = usable_folds(cohort.labels[fit], inner)
    held_out = np.isin(inner, usable[:1])
    none = np.zeros(0, dtype=fit.dtype)
    return Split(0, 0, fit[~held_out], fit[held_out], none, inner=inner, usable=usable)


def _parts(
    test: np.ndarray, cohort: Roster, evaluation: Evaluation, seed: int, fold: int
) -> dict[str, np.ndarray]:
    """Return part and inner fold of every sample of the cohort, given the test rows."""
    count = len(cohort.samples)
    part = np.full(count, UNUSED, dtype=object)
    inner = np.full(count, -1, dtype=np.int32)
    part[test] = "test"
    fit = np.setdiff1d(np.arange(count), test)
    used = _share(fit, cohort, evaluation.training_share, (seed, fold))
    inner[used] = _inner_folds(used, cohort, evaluation.validation, seed)
    part[used] = "train"
    first = usable_folds(cohort.labels[used], inner[used])[:1]
    part[used[np.isin(inner[used], first)]] = "validation"
    return {"part": part, "inner": inner}


def make_splits(cohort: Roster, evaluation: Evaluation) -> pd.DataFrame:
    """Split the cohort by its own folds where it brings any, and else by the scheme.

    Parameters
    ----------
    cohort
        The cohort; its samples are sorted, so that a split depends on ids and seed alone. Its own
        folds, and groups that are left out, are numbered in the order of their names
        (`balmi.data.folds.in_order`).
    evaluation
        Scheme, repeats, folds, seed, validation share and the share of the training side that is
        used. Inner folds and shares of repeat r are drawn with seed + r.

    Returns
    -------
    pandas.DataFrame
        Columns repeat, fold, held_out, sample, part and inner; every sample in every repeat and
        fold. inner is the number of the inner fold on the training side, and -1 elsewhere; held_out
        is the name of the fold or group, and empty where it has none.

    Raises
    ------
    ValueError
        Where a group is to be left out and there are none, or where no folds leave every class in
        training.
    """
    deal = SCHEMES[evaluation.scheme] if cohort.folds is None else _brought
    tables = []
    for repeat, tests in enumerate(deal(cohort, evaluation)):
        seed = evaluation.seed + repeat
        for fold, (name, test) in enumerate(tests):
            head = {"repeat": repeat, "fold": fold, "held_out": name, "sample": cohort.samples}
            tables.append(pd.DataFrame(head | _parts(test, cohort, evaluation, seed, fold)))
    table = pd.concat(tables, ignore_index=True)
    return table.astype({"part": pd.CategoricalDtype((*PARTS, UNUSED)), "sample": "category"})


def read_splits(path: Path, cohort: Roster) -> list[Split]:
    """Read the splits as rows of the cohort, by repeat and fold; unused rows are in none."""
    return as_splits(read_table(path, "splits"), cohort)


def as_splits(table: pd.DataFrame, cohort: Roster) -> list[Split]:
    """Return what `make_splits` gave as rows of the cohort, by repeat and fold.

    Parameters
    ----------
    table
        As `make_splits` gives it; rows that are unused are in no split.
    cohort
        The cohort.
    """
    splits = []
    for (repeat, fold), rows in table.groupby(["repeat", "fold"], sort=True):
        positions = cohort.positions(rows["sample"].astype(str))
        part, inner = (rows[key].to_numpy()[np.argsort(positions)] for key in ("part", "inner"))
        places = np.sort(positions)
        parts = {name: places[part == name] for name in PARTS}
        fits = np.isin(part, ("train", "validation"))
        usable = usable_folds(cohort.labels[places[fits]], inner[fits])
        splits.append(Split(int(repeat), int(fold), **parts, inner=inner[fits], usable=usable))
    return splits
