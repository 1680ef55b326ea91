"""Corrected paired differences of the methods."""

from __future__ import annotations

import logging
from dataclasses import asdict
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.primary import primary
from balmi.evaluation.statistics import corrected_interval, correlated_t_test, holm
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from balmi.config.settings import PrimaryMetric

logger = logging.getLogger("balmi")

ALL, COMPLETE = "all", "complete"
TWIN = "twin"
Row = dict[str, Any]


def paired(performance: pd.DataFrame, split_ratio: float, samples: str, dealt: int) -> list[Row]:
    """Return the corrected paired difference of every ordered pair of methods, p not adjusted.

    Parameters
    ----------
    performance
        As `balmi.evaluation.scoring.performance_table` gives it, each test set counted once.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.
    samples
        On which test samples the methods were scored: all, or complete.
    dealt
        Test folds that were dealt in all.

    Returns
    -------
    list of dict
        As in ``tables/comparisons.csv`` without p_holm, with the differences of all folds as
        bytes under `TWIN`: rows that share them are one hypothesis.

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
        table = part.pivot(index=FOLD, columns="method", values="value")
        undefined = int(table.isna().any(axis=1).sum())
        if undefined:
            logger.warning("%s: undefined in %d of %d folds", metric, undefined, len(table))
        head = {"metric": metric, "samples": samples, "dealt": dealt}
        scores = {name: table[name].to_numpy() for name in part["method"].unique()}
        for method, reference in permutations(scores, 2):
            differences = scores[method] - scores[reference]
            if np.isfinite(differences).sum() > 1:
                found = _difference(metric, differences, split_ratio)
                rows.append({"method": method, "reference": reference} | head | found)
    return rows


def _difference(metric: str, differences: np.ndarray, split_ratio: float) -> Row:
    """Return what the differences of two methods over folds show; (folds,)."""
    sign = 1 if METRICS[metric].more_is_better else -1
    values = differences[np.isfinite(differences)]
    interval = corrected_interval(values, split_ratio)
    return {
        "difference": interval.mean,
        "lower": interval.lower,
        "upper": interval.upper,
        "p": interval.p,
        "folds": values.size,
        TWIN: differences.tobytes(),
        **asdict(correlated_t_test(sign * values, split_ratio)),
    }


def adjusted(
    rows: Sequence[Row], methods: Collection[str], followed: PrimaryMetric
) -> pd.DataFrame:
    """Return a table of paired differences with p-values adjusted by Holm.

    Adjusted are those of a method and metric on the same kind of samples together. References with
    the same difference in every fold count once, and the primary comparison is a family of its own.

    Parameters
    ----------
    rows
        As `paired` gives them.
    methods
        The methods that have predictions, which name the primary comparison.
    followed
        The metric of the primary comparison.

    Returns
    -------
    pandas.DataFrame
        ``tables/comparisons.csv``.
    """
    method, reference = primary(methods) or (None, None)
    families: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        families.setdefault((row["method"], row["metric"], row["samples"]), []).append(row)
    found: dict[tuple[object, ...], dict[bytes, float]] = {}
    for family, members in families.items():
        alone = family[:2] == (method, followed)
        main = {row[TWIN] for row in members if alone and row["reference"] == reference}
        once = {row[TWIN]: row["p"] for row in members if row[TWIN] not in main}
        found[family] = dict(zip(once, map(float, holm(list(once.values()))), strict=True))
    told = [
        row
        | {"p_holm": found[row["method"], row["metric"], row["samples"]].get(row[TWIN], row["p"])}
        for row in rows
    ]
    return TABLES["comparisons"].of(told)


def comparison_table(
    performance: pd.DataFrame, split_ratio: float, followed: PrimaryMetric
) -> pd.DataFrame:
    """Return the corrected paired difference of every ordered pair of methods on all samples.

    Parameters
    ----------
    performance, split_ratio
        As `paired` takes them.
    followed
        The metric of the primary comparison.

    Returns
    -------
    pandas.DataFrame
        ``tables/comparisons.csv``. A difference is method minus reference, in nats for log_loss;
        worse, equivalent and better follow the direction of the metric. Folds that leave a metric
        undefined, as a single class leaves the AUROC, do not count, and fewer than two others make
        no row.
    """
    dealt = len(performance.drop_duplicates(FOLD))
    rows = paired(performance, split_ratio, ALL, dealt)
    return adjusted(rows, set(performance["method"]), followed)
