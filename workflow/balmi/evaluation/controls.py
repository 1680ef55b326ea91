"""Whether the methods are at chance where there is nothing to learn."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.files import read_json
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval
from balmi.outcome import PROBABILITY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

METRIC = "macro_auroc"
STRICT = 0.99  # coverage of the interval by which a control fails
CHANCE = 0.5  # macro AUROC of who knows nothing
# An interval this wide that holds chance may reach .6, as the score of a weak but true marker does,
# or of a method that sees a little of what it is tested on: it does not tell the two apart.
WIDEST = 0.2
COLUMNS = ("control", "method", "metric", "value", "lower", "upper", "lower99", "folds")
# Every fold of this control draws its noise anew, in training and test samples: scores of folds are
# independent, and their interval needs no correction for training samples in common.
INDEPENDENT = frozenset({"leak"})
STATUS_COLUMNS = ("kind", "level", "method", "status", "reason")


class Reading(StrEnum):
    """What the score of a method says where nothing can be learned, the worst first."""

    LEAKS = "above chance"
    DOUBTFUL = "above chance by the 95 % limit alone"
    WIDE = "too wide to tell"
    CHANCE = "not above chance"
    UNKNOWN = "not judged"


def read_control(lower: float, upper: float, lower99: float) -> Reading:
    """Name what an interval of macro AUROC says: the only place that judges a control.

    Parameters
    ----------
    lower, upper
        Limits of the 95 % interval; NaN where there is none.
    lower99
        Lower limit of the 99 % interval.
    """
    if not all(map(math.isfinite, (lower, upper, lower99))):
        return Reading.UNKNOWN
    if lower99 > CHANCE:
        return Reading.LEAKS
    if lower > CHANCE:
        return Reading.DOUBTFUL
    wide = upper >= CHANCE and upper - lower > WIDEST
    return Reading.WIDE if wide else Reading.CHANCE


def control_table(
    controls: Sequence[pd.DataFrame], classes: Sequence[str], split_ratio: float
) -> pd.DataFrame:
    """Return the macro AUROC of every method in every control.

    Parameters
    ----------
    controls
        What each control gave, in any number: columns as in ``predictions.parquet``, control and
        truth.
    classes
        Class names, in the order of the class codes.
    split_ratio
        Test samples over training samples of a fold.

    Returns
    -------
    pandas.DataFrame
        ``tables/controls.csv``. Limits are cut at the metric's bounds. Folds without a value, as
        those of a single class are, are left out; the limits are empty where fewer than two folds
        are left.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    rows = []
    for predictions in controls:
        for (control, method), part in predictions.groupby(["control", "method"], sort=False):
            folds = [fold for _, fold in part.groupby(["repeat", "fold"])]
            values = np.array([_score(fold, columns, classes) for fold in folds])
            ratio = 0.0 if control in INDEPENDENT else split_ratio
            rows.append((control, method, METRIC, *_limits(values, ratio)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _score(fold: pd.DataFrame, columns: list[str], classes: Sequence[str]) -> float:
    labels = pd.Index(classes).get_indexer(fold["truth"])
    return METRICS[METRIC](labels, fold[columns].to_numpy())


def _limits(values: np.ndarray, split_ratio: float) -> tuple[float, float, float, float, int]:
    """Return mean, 95 % limits, lower 99 % limit, and the number of folds that have a value."""
    known = values[np.isfinite(values)]
    if known.size < 2:
        mean = float(known[0]) if known.size else np.nan
        return mean, np.nan, np.nan, np.nan, known.size
    usual = corrected_interval(known, split_ratio)
    strict = corrected_interval(known, split_ratio, STRICT)
    bounds = METRICS[METRIC].lowest, METRICS[METRIC].highest
    lower, upper, lower99 = np.clip((usual.lower, usual.upper, strict.lower), *bounds)
    return usual.mean, float(lower), float(upper), float(lower99), known.size


def run_status_table(files: Sequence[Path]) -> pd.DataFrame:
    """Return how the methods ended in training shares and controls.

    Parameters
    ----------
    files
        As `balmi.training.pipeline.Outcomes` writes them.

    Returns
    -------
    pandas.DataFrame
        ``tables/robustness_status.csv``.
    """
    rows = [row for file in files for row in read_json(file)]
    return pd.DataFrame(rows, columns=list(STATUS_COLUMNS))
