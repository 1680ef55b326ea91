"""Put the methods side by side: scores per fold, and every table that follows from predictions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from balmi import logs
from balmi.data.files import read_table
from balmi.evaluation.access import access_table
from balmi.evaluation.calibration import reliability_table
from balmi.evaluation.classes import class_performance_table
from balmi.evaluation.complete import comparisons_of
from balmi.evaluation.curves import curves_table
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.patterns import patterns_table
from balmi.evaluation.samples import samples_table
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.summary import summary_table
from balmi.methods.outcome import read_status
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster


def evaluation_tables(
    predictions: pd.DataFrame, cohort: Roster, ratio: float, followed: PrimaryMetric
) -> dict[str, pd.DataFrame]:
    """Return all tables that predictions alone decide: name in ``tables/`` -> table.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.
    ratio
        Test samples over training samples of a fold, as `balmi.evaluation.statistics.split_ratio`
        gives it.
    followed
        The metric that verdicts follow, ``primary_metric`` of the configuration.
    """
    from sklearn import config_context

    # Thousands of small calls: to check what is known to be finite takes as long as to count.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return _tables(predictions, cohort, ratio, followed)


def _tables(
    predictions: pd.DataFrame, cohort: Roster, ratio: float, followed: PrimaryMetric
) -> dict[str, pd.DataFrame]:
    performance = performance_table(predictions, cohort)
    classes = class_performance_table(predictions, cohort)
    alike = first_alike(predictions)
    once = counted_once(performance, alike, ["method", "metric"], ["value"])
    classes_once = counted_once(classes, alike, ["method", "class", "metric"], ["value"])
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "comparisons": lambda: comparisons_of(predictions, cohort, once, ratio, followed),
        "access": lambda: access_table(predictions, cohort, ratio, followed),
        "summary": lambda: summary_table(once, classes_once, ratio),
        "reliability": lambda: reliability_table(predictions, cohort),
        "curves": lambda: curves_table(predictions, cohort, ratio),
        "per_sample": lambda: samples_table(predictions, cohort),
        "patterns": lambda: patterns_table(predictions, cohort, ratio, followed),
    }
    made = {name: makers[name]() for name in logs.followed(list(makers), "evaluation", "table")}
    return {"performance": performance, "class_performance": classes, **made}


def status_table(files: Sequence[Path]) -> pd.DataFrame:
    """Return how the methods ended; columns as in ``tables/methods.csv``."""
    return TABLES["methods"].of(asdict(read_status(file)) for file in files)


def joined(files: Sequence[Path], name: str) -> pd.DataFrame:
    """Return the rows of several tables of one name in the contract; empty ones add none."""
    tables = [read_table(file, name) for file in files]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
