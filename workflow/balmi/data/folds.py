"""Test folds that a dataset brings, and groups as test folds: their names and what is wrong."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.names import name_of
from balmi.data.partitions import Structure
from balmi.errors import Problem, listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

FOLD = "fold_{}"  # column of a repeat's folds
MOST_FOLDS = 100
SHOWN_FOLDS = 3
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def fold_name(cell: object) -> str | float:
    """Return the name of a fold as text, as `balmi.data.names.name_of`; NaN for an empty cell."""
    return name_of(cell) or np.nan


def in_order(names: Iterable[str]) -> list[str]:
    """Return the names, each once: numbers by value, then texts by alphabet.

    Parameters
    ----------
    names
        Names of folds.
    """

    def place(name: str) -> tuple[bool, float, str]:
        number = NUMBER.fullmatch(name)
        return (not number, float(name) if number else 0.0, name)

    return sorted(set(map(str, names)), key=place)


def lost_classes(labels: ArrayLike, folds: ArrayLike) -> dict[str, list[str]]:
    """Return the folds that hold all samples of a class, and so leave none of it in training.

    Parameters
    ----------
    labels, folds
        Class and fold of every sample; (n,).

    Returns
    -------
    dict of str to list of str
        Fold -> its classes, in order.
    """
    table = pd.DataFrame({"label": np.asarray(labels), "fold": np.asarray(folds)})
    homes = table.groupby("label", sort=True)["fold"].unique()
    alone = [(homes_of[0], label) for label, homes_of in homes.items() if len(homes_of) == 1]
    return {
        fold: [str(label) for home, label in alone if home == fold]
        for fold in in_order(home for home, _ in alone)
    }


def _told(lost: dict[str, list[str]]) -> str:
    return listing(f"{shown(fold)} ({listing(map(shown, own))})" for fold, own in lost.items())


def check_learnable(
    labels: ArrayLike, folds: ArrayLike, where: str, what: str, allowed: str
) -> list[Problem]:
    """Return which folds leave a class without a training sample, as one problem or none.

    Parameters
    ----------
    labels, folds
        Class and fold of every sample; (n,).
    where
        The key of the problem.
    what
        What a fold is: ``folds`` or ``groups``.
    allowed
        What to do.
    """
    lost = lost_classes(labels, folds)
    if not lost:
        return []
    return [
        Problem(where, f"{what} that hold all samples of a class: {_told(lost)}", allowed),
    ]


def _check_number(names: pd.Series, where: str, what: str) -> list[Problem]:
    count = names.nunique()
    if count < 2:
        found = f"{listing(map(shown, names.unique()))} for all samples"
        return [Problem(where, found, f"at least 2 {what}: one to test on, the others to train on")]
    if count > MOST_FOLDS:
        allowed = f"at most {MOST_FOLDS}, since all methods are trained once for each"
        return [Problem(where, f"{count} {what}", allowed)]
    return []


def check_groups_out(samples: pd.DataFrame, where: str) -> list[Problem]:
    """Return what keeps every group from being the test fold once.

    Parameters
    ----------
    samples
        Columns label and group, without empty cells.
    where
        The key of the groups.
    """
    allowed = "classes with samples in 2 groups or more, or evaluation.scheme k-fold"
    return _check_number(samples["group"], where, "groups") or check_learnable(
        samples["label"], samples["group"], where, "groups", allowed
    )


def check_dealt(
    labels: ArrayLike, groups: ArrayLike, folds: int, where: str, allowed: str
) -> list[Problem]:
    """Return that no test folds of whole groups leave every class in training, or nothing.

    Parameters
    ----------
    labels, groups
        Class and group of every sample; (n,).
    folds
        Number of test folds.
    where
        The key of the groups.
    allowed
        What to do.
    """
    structure = Structure.of(np.asarray(labels), np.asarray(groups), folds)
    if next(structure.partitions(), None) is not None:
        return []
    found = (
        f"{counted(len(structure.counts), 'group')}; no way was found to deal them to {folds} test"
        " folds so that every class keeps samples to train on"
    )
    return [Problem(where, found, allowed)]


def _some(folds: Iterable[str]) -> str:
    names = in_order(folds)
    told = [*map(shown, names[:SHOWN_FOLDS]), *["others"] * (len(names) > SHOWN_FOLDS)]
    return " and ".join(told)


def _check_straddling(samples: pd.DataFrame, column: str, where: str) -> list[Problem]:
    homes = samples.groupby("group", sort=True)[column].unique()
    several = homes[homes.map(len) > 1]
    if several.empty:
        return []
    told = listing(f"{shown(group)} in {_some(folds)}" for group, folds in several.items())
    allowed = "all samples of a group in one fold"
    return [Problem(where, f"groups in several folds: {told}", allowed)]


def _check_repeat(samples: pd.DataFrame, column: str, where: str) -> list[Problem]:
    """Return what is wrong with the folds of one repeat."""
    unknown = samples.index[samples[column].isna()]
    if len(unknown):
        found = f"{counted(len(unknown), 'sample')} without a fold: {listing(map(repr, unknown))}"
        return [Problem(where, found, "a fold for every labelled sample")]
    problems = _check_number(samples[column], where, "folds")
    if not problems:
        allowed = "folds that leave at least one sample of every class to train on"
        labels = samples["label"]
        problems = check_learnable(labels, samples[column], where, "folds", allowed)
    if "group" in samples and not samples["group"].isna().any():
        problems += _check_straddling(samples, column, where)
    return problems


def check_own_folds(samples: pd.DataFrame, columns: Sequence[str], key: str) -> list[Problem]:
    """Return what is wrong with the folds that a dataset brings.

    Parameters
    ----------
    samples
        Columns label, fold_0 and so on, one per repeat, and group where there are groups.
    columns
        How the table of samples names the columns of folds.
    key
        The key that lists them.
    """
    problems, deals = [], {}
    for repeat, column in enumerate(columns):
        own = FOLD.format(repeat)
        problems += _check_repeat(samples, own, f"{key}: {column}")
        deals[repeat] = pd.factorize(samples[own])[0]
    for one, other in combinations(deals, 2):
        if np.array_equal(deals[one], deals[other]):
            found = f"{columns[one]!r} and {columns[other]!r}, which deal samples out alike"
            problems.append(Problem(key, found, "every deal once: a copy is no further evidence"))
    return problems
