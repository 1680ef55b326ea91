"""Splits of a cohort, written once and read by every later stage.

A split is a table with columns ``repeat, fold, sample, part``, where part is ``train``,
``validation`` or ``test``. Validation samples belong to the training side: networks use them to
decide when to stop, and everything else trains on both.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from balmi.config.settings import Evaluation
    from balmi.data.cohort import Cohort

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One replica: a repeat and fold with its three disjoint sets of rows.

    Parameters
    ----------
    repeat, fold
        Numbers from 0.
    train, validation, test
        Sorted rows of the cohort.
    """

    repeat: int
    fold: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def fit(self) -> np.ndarray:
        """Training and validation rows: all that may be learned from."""
        return np.sort(np.concatenate([self.train, self.validation]))


def _folds(
    labels: np.ndarray, groups: np.ndarray | None, count: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows = np.arange(len(labels))
    if groups is None:
        return StratifiedKFold(count, shuffle=True, random_state=seed).split(rows, labels)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return splitter.split(rows, labels, groups)


def _validation(fit: np.ndarray, cohort: Cohort, share: float, seed: int) -> np.ndarray:
    """Take about `share` of the rows: one fold of an inner (group) k-fold.

    The fold must leave every class in training; the first that does is taken, and nothing where
    none does. A class with fewer members than inner folds may lie in training alone.
    """
    labels = cohort.labels[fit]
    groups = None if cohort.groups is None else cohort.groups[fit]
    commonest = int(np.bincount(labels).max())
    units = len(fit) if groups is None else len(np.unique(groups))
    count = min(round(1 / share), commonest, units)
    present = len(np.unique(labels))
    if count < 2:
        return fit[:0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for learn, held_out in _folds(labels, groups, count, seed):
            if len(held_out) and len(np.unique(labels[learn])) == present:
                return fit[held_out]
    return fit[:0]


def make_splits(cohort: Cohort, evaluation: Evaluation) -> pd.DataFrame:
    """Split the cohort by repeated stratified (group) k-fold.

    Parameters
    ----------
    cohort
        The cohort; its samples are sorted, so that a split depends on ids and seed alone.
    evaluation
        Repeats, folds, seed and validation share. Repeat r shuffles with seed + r.

    Returns
    -------
    pandas.DataFrame
        Columns repeat, fold, sample, part; every sample in every repeat and fold.
    """
    tables = []
    for repeat in range(evaluation.repeats):
        seed = evaluation.seed + repeat
        folds = _folds(cohort.labels, cohort.groups, evaluation.folds, seed)
        for fold, (fit, test) in enumerate(folds):
            part = np.full(len(cohort.samples), "train", dtype=object)
            part[test] = "test"
            part[_validation(fit, cohort, evaluation.validation, seed)] = "validation"
            columns = {"repeat": repeat, "fold": fold, "sample": cohort.samples, "part": part}
            tables.append(pd.DataFrame(columns))
    table = pd.concat(tables, ignore_index=True)
    return table.astype({"part": pd.CategoricalDtype(PARTS), "sample": "category"})


def read_splits(path: Path, cohort: Cohort) -> list[Split]:
    """Read the splits as rows of the cohort, ordered by repeat and fold."""
    table = pd.read_parquet(path)
    splits = []
    for (repeat, fold), rows in table.groupby(["repeat", "fold"], sort=True):
        parts = {
            part: np.sort(cohort.positions(rows.loc[rows["part"] == part, "sample"].astype(str)))
            for part in PARTS
        }
        splits.append(Split(int(repeat), int(fold), **parts))
    return splits
