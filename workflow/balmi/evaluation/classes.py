"""Scores of single classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.held_out import FOLD, held_out
from balmi.evaluation.metrics import CLASS_METRICS, by_class
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from balmi.data.cohort import Roster


def class_performance_table(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return how well every method tells every class from the rest, in every fold.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.

    Returns
    -------
    pandas.DataFrame
        Columns method, repeat, fold, class, metric, value; a value is NaN where a class is absent
        from the fold, or for AUROC and AUPRC alone in it.
    """
    rows = [
        {**head, "class": name, "metric": metric, "value": value}
        for head, part in held_out(predictions, cohort, ["method", *FOLD])
        for metric in CLASS_METRICS
        for name, value in zip(
            cohort.classes,
            by_class(metric, part.labels, part.probabilities, part.predicted),
            strict=True,
        )
    ]
    return TABLES["class_performance"].of(rows)
