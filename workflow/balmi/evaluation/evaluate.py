"""Put the methods side by side: scores per fold, and corrected paired differences."""

from __future__ import annotations

import logging
from dataclasses import asdict, fields
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.files import read_table
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval
from balmi.outcome import PROBABILITY_PREFIX, Status, read_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from balmi.data.cohort import Cohort

logger = logging.getLogger("balmi")


def performance_table(predictions: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Return every metric of every method and fold.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.

    Returns
    -------
    pandas.DataFrame
        Columns method, repeat, fold, metric, value.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    rows = []
    for (method, repeat, fold), part in predictions.groupby(
        ["method", "repeat", "fold"], sort=False
    ):
        labels = cohort.labels[cohort.positions(part["sample"])]
        probabilities = part[columns].to_numpy()
        head = {"method": method, "repeat": repeat, "fold": fold}
        rows += [
            {**head, "metric": name, "value": metric(labels, probabilities)}
            for name, metric in METRICS.items()
        ]
    return pd.DataFrame(rows, columns=["method", "repeat", "fold", "metric", "value"])


def comparison_table(performance: pd.DataFrame, fraction: float) -> pd.DataFrame:
    """Return the corrected paired difference of every ordered pair of methods.

    Parameters
    ----------
    performance
        As `performance_table` gives it.
    fraction
        Test samples over training samples of a fold.

    Returns
    -------
    pandas.DataFrame
        Columns method, reference, metric, difference, lower, upper, p. A difference is method
        minus reference; for log_loss and ece smaller is better. A metric that a fold leaves
        undefined, as the AUROC of a single class is, has no row.

    Raises
    ------
    ValueError
        Where a method lacks a fold, so that nothing can be paired.
    """
    if performance.groupby("method").size().nunique() > 1:
        raise ValueError("methods were evaluated on different folds")
    rows = []
    for metric, part in performance.groupby("metric", sort=False):
        scores = part.pivot(index=["repeat", "fold"], columns="method", values="value")
        scores = scores[part["method"].unique()]
        for method, reference in permutations(scores.columns, 2):
            difference = (scores[method] - scores[reference]).to_numpy()
            if not np.isfinite(difference).all():
                logger.warning("%s of %s and %s: a fold has no value", metric, method, reference)
                continue
            interval = corrected_interval(difference, fraction)
            rows.append(
                {
                    "method": method,
                    "reference": reference,
                    "metric": metric,
                    "difference": interval.mean,
                    "lower": interval.lower,
                    "upper": interval.upper,
                    "p": interval.p,
                }
            )
    columns = ["method", "reference", "metric", "difference", "lower", "upper", "p"]
    return pd.DataFrame(rows, columns=columns)


def status_table(files: Sequence[Path]) -> pd.DataFrame:
    """Return how the methods ended; columns as in ``tables/methods.csv``."""
    columns = [field.name for field in fields(Status)]
    return pd.DataFrame([asdict(read_status(file)) for file in files], columns=columns)


def joined(files: Sequence[Path]) -> pd.DataFrame:
    """Return the rows of several tables, in the order of the files; empty ones add none."""
    tables = [read_table(file) for file in files]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
