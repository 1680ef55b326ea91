"""Means over folds with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.metrics import CLASS_METRICS, METRICS
from balmi.evaluation.statistics import mean_over_folds
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    import numpy as np
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
    rows: list[tuple[str, str | None, str, float, float, float, int]] = []
    for (method, metric), values in _groups(performance, ["method", "metric"]):
        over_folds = mean_over_folds(values, split_ratio, *METRICS[metric].bounds)
        rows.append((method, None, metric, *over_folds))
    for (method, name, metric), values in _groups(class_performance, ["method", "class", "metric"]):
        over_folds = mean_over_folds(values, split_ratio, *CLASS_METRICS[metric].bounds)
        rows.append((method, name, metric, *over_folds))
    return TABLES["summary"].of(rows)


def _groups(table: pd.DataFrame, by: list[str]) -> list[tuple[tuple[str, ...], np.ndarray]]:
    return [(key, part.to_numpy()) for key, part in table.groupby(by, sort=False)["value"]]
