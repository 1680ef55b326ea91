"""Score every method in every fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from balmi.evaluation.held_out import FOLD, held_out
from balmi.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from balmi.data.cohort import Cohort


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
    rows = [
        {**head, "metric": name, "value": metric(part.labels, part.probabilities)}
        for head, part in held_out(predictions, cohort, ["method", *FOLD])
        for name, metric in METRICS.items()
    ]
    return pd.DataFrame(rows, columns=["method", *FOLD, "metric", "value"])
