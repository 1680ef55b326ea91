"""Whether predicted probabilities are the frequencies that they claim to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.held_out import held_out
from balmi.evaluation.metrics import CALIBRATION_BINS, calibration_bins
from balmi.evaluation.statistics import wilson_interval
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from balmi.data.cohort import Roster


def reliability_table(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return the accuracy of predictions of similar confidence.

    Repeats are pooled, and test the same samples again, so that the interval takes the mean count
    of a repeat for the number of samples.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.

    Returns
    -------
    pandas.DataFrame
        Columns method, bin, confidence, accuracy, lower, upper, samples; a bin without any
        prediction has no row.
    """
    repeats = predictions.groupby("method")["repeat"].nunique()
    rows = []
    for head, part in held_out(predictions, cohort, ["method"]):
        bins = calibration_bins(part.confidence)
        for number in range(CALIBRATION_BINS):
            inside = bins == number
            if not inside.any():
                continue
            samples = inside.sum() / repeats[head["method"]]
            accuracy = float(part.correct[inside].mean())
            limits = wilson_interval(accuracy, samples)
            confidence = float(part.confidence[inside].mean())
            rows.append((head["method"], number, confidence, accuracy, *limits, samples))
    return TABLES["reliability"].of(rows)
