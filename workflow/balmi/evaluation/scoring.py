"""Score every method in every fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.held_out import FOLD, held_out
from balmi.evaluation.metrics import METRICS
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from balmi.data.cohort import Roster


def performance_table(
    predictions: pd.DataFrame, cohort: Roster, metrics: Collection[str] = tuple(METRICS)
) -> pd.DataFrame:
    """Return every metric of every method and fold.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.
    metrics
        Names of the metrics; all where not given.

    Returns
    -------
    pandas.DataFrame
        Columns method, repeat, fold, metric, value.
    """
    rows = [
        {
            **head,
            "metric": name,
            "value": METRICS[name](part.labels, part.probabilities, part.predicted),
        }
        for head, part in held_out(predictions, cohort, ["method", *FOLD])
        for name in metrics
    ]
    return TABLES["performance"].of(rows)
