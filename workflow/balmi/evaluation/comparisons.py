"""Corrected paired differences of the methods."""

from __future__ import annotations

import logging
from dataclasses import asdict

import numpy as np
import pandas as pd

from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval, correlated_t_test, holm

logger = logging.getLogger("balmi")

COLUMNS = (
    *("method", "reference", "metric", "difference", "lower", "upper", "p", "p_holm"),
    *("worse", "equivalent", "better", "folds"),
)


def comparison_table(performance: pd.DataFrame, split_ratio: float) -> pd.DataFrame:
    """Return the corrected paired difference of every ordered pair of methods.

    Parameters
    ----------
    performance
        As `performance_table` gives it.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.

    Returns
    -------
    pandas.DataFrame
        Columns as in `COLUMNS`. A difference is method minus reference, in nats for log_loss;
        worse, equivalent and better follow the direction of the metric. Folds that leave a metric
        undefined, as a single class leaves the AUROC, do not count, and fewer than two others make
        no row.

    Raises
    ------
    ValueError
        Where a method lacks a fold, so that nothing can be paired.
    """
    every = len(performance.drop_duplicates([*FOLD, "metric"]))
    if (performance.groupby("method").size() != every).any():
        raise ValueError("methods were evaluated on different folds")
    rows = []
    for metric, part in performance.groupby("metric", sort=False):
        scores = part.pivot(index=FOLD, columns="method", values="value")
        scores = scores[part["method"].unique()]
        undefined = int(scores.isna().any(axis=1).sum())
        if undefined:
            logger.warning("%s: undefined in %d of %d folds", metric, undefined, len(scores))
        for method in part["method"].unique():
            found = scores.rsub(scores[method], axis=0).drop(columns=method)
            rows += _comparisons(method, metric, found, split_ratio)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _comparisons(
    method: str, metric: str, differences: pd.DataFrame, split_ratio: float
) -> list[dict[str, object]]:
    """Return the rows of a method and metric, with p-values adjusted for their number.

    `differences` has folds in rows and references in columns.
    """
    sign = 1 if METRICS[metric].more_is_better else -1
    rows = []
    for reference, series in differences.items():
        values = series[np.isfinite(series)].to_numpy()
        if values.size < 2:
            continue
        interval = corrected_interval(values, split_ratio)
        rows.append(
            {
                "method": method,
                "reference": reference,
                "metric": metric,
                "difference": interval.mean,
                "lower": interval.lower,
                "upper": interval.upper,
                "p": interval.p,
                "folds": values.size,
                **asdict(correlated_t_test(sign * values, split_ratio)),
            }
        )
    adjusted = holm([row["p"] for row in rows])
    return [row | {"p_holm": p} for row, p in zip(rows, adjusted, strict=True)]
