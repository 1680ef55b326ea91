"""Whether the methods are at chance where there is nothing to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

METRIC = "macro_auroc"
STRICT = 0.99  # coverage of the interval by which a control fails
# Every fold of this control draws its noise anew, in training and test samples: scores of folds are
# independent, and their interval needs no correction for training samples in common.
INDEPENDENT = frozenset({"leak"})


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
    return TABLES["controls"].of(rows)


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
