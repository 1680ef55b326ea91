"""Corrected paired differences of the methods."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.primary import METRIC, primary
from balmi.evaluation.statistics import corrected_interval, correlated_t_test, holm

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

logger = logging.getLogger("balmi")

ALL, COMPLETE = "all", "complete"
COLUMNS = (
    *("method", "reference", "metric", "samples", "difference", "lower", "upper", "p", "p_holm"),
    *("worse", "equivalent", "better", "folds", "dealt"),
)
Row = dict[str, object]


def comparison_table(
    performance: pd.DataFrame,
    split_ratio: float,
    *,
    samples: str = ALL,
    dealt: int | None = None,
    methods: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the corrected paired difference of every ordered pair of methods.

    Parameters
    ----------
    performance
        As `balmi.evaluation.evaluate.performance_table` gives it, each test set counted once.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.
    samples
        On which test samples the methods were scored: all, or complete.
    dealt
        Test folds that were dealt in all; as many as there are in `performance` where None.
    methods
        The methods that have predictions, which name the primary comparison; those of `performance`
        where None.

    Returns
    -------
    pandas.DataFrame
        Columns as in `COLUMNS`. A difference is method minus reference, in nats for log_loss;
        worse, equivalent and better follow the direction of the metric. Folds that leave a metric
        undefined, as a single class leaves the AUROC, do not count, and fewer than two others make
        no row. p_holm is adjusted over the references of a method and metric: references with the
        same score in every fold count once, and the primary comparison is a family of its own.

    Raises
    ------
    ValueError
        Where a method lacks a fold, so that nothing can be paired.
    """
    folds = len(performance.drop_duplicates(FOLD))
    every = len(performance.drop_duplicates([*FOLD, "metric"]))
    if (performance.groupby("method").size() != every).any():
        raise ValueError("methods were evaluated on different folds")
    named = set(performance["method"]) if methods is None else methods
    head = {"samples": samples, "dealt": folds if dealt is None else dealt}
    rows = []
    for metric, part in performance.groupby("metric", sort=False):
        scores = part.pivot(index=FOLD, columns="method", values="value")
        scores = scores[part["method"].unique()]
        undefined = int(scores.isna().any(axis=1).sum())
        if undefined:
            logger.warning("%s: undefined in %d of %d folds", metric, undefined, len(scores))
        for method in part["method"].unique():
            found = scores.rsub(scores[method], axis=0).drop(columns=method)
            pair = primary(named) if metric == METRIC else None
            alone = pair[1] if pair is not None and pair[0] == method else None
            made = _comparisons(metric, found, split_ratio, alone)
            rows += [{"method": method, "metric": metric} | head | row for row in made]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _comparisons(
    metric: str, differences: pd.DataFrame, split_ratio: float, alone: str | None
) -> list[Row]:
    """Return the rows of a method and metric, with p-values adjusted for their number.

    `differences` has folds in rows and references in columns; `alone` is the reference of the
    primary comparison, if it is among them.
    """
    sign = 1 if METRICS[metric].more_is_better else -1
    rows, twins = [], []
    for reference, series in differences.items():
        values = series[np.isfinite(series)].to_numpy()
        if values.size < 2:
            continue
        interval = corrected_interval(values, split_ratio)
        rows.append(
            {
                "reference": reference,
                "difference": interval.mean,
                "lower": interval.lower,
                "upper": interval.upper,
                "p": interval.p,
                "folds": values.size,
                **asdict(correlated_t_test(sign * values, split_ratio)),
            }
        )
        twins.append(series.to_numpy().tobytes())
    main = next(
        (twin for row, twin in zip(rows, twins, strict=True) if row["reference"] == alone), None
    )
    adjusted = _adjusted([row["p"] for row in rows], twins, main)
    return [row | {"p_holm": p} for row, p in zip(rows, adjusted, strict=True)]


def _adjusted(p_values: Sequence[float], twins: Sequence[bytes], main: bytes | None) -> list[float]:
    """Return p-values adjusted by Holm, each set of twins counted once, and the primary's as it is.

    Twins have the same differences in every fold, and so are one hypothesis.
    """
    once = {twin: p for twin, p in zip(twins, p_values, strict=True) if twin != main}
    found = dict(zip(once, map(float, holm(list(once.values()))), strict=True))
    return [found.get(twin, p) for twin, p in zip(twins, p_values, strict=True)]
