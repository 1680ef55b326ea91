"""Means over folds with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.evaluation.metrics import CLASS_METRICS, METRICS, Metric
from balmi.evaluation.statistics import corrected_interval
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    import pandas as pd


def summary_table(
    performance: pd.DataFrame, class_performance: pd.DataFrame, split_ratio: float
) -> pd.DataFrame:
    """Return the mean of every metric over the folds that have a value.

    Parameters
    ----------
    performance, class_performance
        As in ``performance.csv`` and ``class_performance.csv``.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.

    Returns
    -------
    pandas.DataFrame
        Columns method, class, metric, mean, lower, upper, folds. The class of a metric over all
        classes is None. Intervals are cut at the bounds of their metric, and need two folds.
    """
    rows = []
    for (method, metric), values in _groups(performance, ["method", "metric"]):
        rows.append((method, None, metric, *_mean(values, METRICS[metric], split_ratio)))
    for (method, name, metric), values in _groups(class_performance, ["method", "class", "metric"]):
        rows.append((method, name, metric, *_mean(values, CLASS_METRICS[metric], split_ratio)))
    return TABLES["summary"].of(rows)


def _groups(table: pd.DataFrame, by: list[str]) -> list[tuple[tuple[str, ...], np.ndarray]]:
    return [(key, part.to_numpy()) for key, part in table.groupby(by, sort=False)["value"]]


def _mean(
    values: np.ndarray, metric: Metric, split_ratio: float
) -> tuple[float, float, float, int]:
    """Return mean, limits and number of the values that are known."""
    known = values[np.isfinite(values)]
    if known.size < 2:
        return float(known[0]) if known.size else np.nan, np.nan, np.nan, known.size
    interval = corrected_interval(known, split_ratio)
    lower, upper = np.clip([interval.lower, interval.upper], metric.lowest, metric.highest)
    return interval.mean, float(lower), float(upper), known.size
