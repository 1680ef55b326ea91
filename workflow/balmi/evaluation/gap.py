"""How far probabilities miss the frequencies, beside what perfect ones would miss by chance.

The expected calibration error is above 0 even for perfect probabilities, the more so the fewer
samples there are. Vaicenavicius et al. (2019), AISTATS, therefore compare it with its distribution
under calibration: outcomes are drawn from the predicted probabilities themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.evaluation.held_out import held_out
from balmi.evaluation.metrics import CALIBRATION_BINS, calibration_bins

if TYPE_CHECKING:
    import pandas as pd

    from balmi.data.cohort import Roster

DRAWS = 1000
SEED = 0


@dataclass(frozen=True)
class Gap:
    """The expected calibration error of all held-out samples of a repeat, mean over repeats.

    Parameters
    ----------
    error
        The error.
    expected, null95
        Mean and 95th percentile of the error of perfectly calibrated probabilities.
    """

    error: float
    expected: float
    null95: float


@dataclass(frozen=True)
class _Repeat:
    """The predictions of a repeat: row of the cohort, confidence, and whether they are right."""

    rows: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray

    def error(self, correct: np.ndarray) -> float:
        """Return the calibration error were these right."""
        bins = calibration_bins(self.confidence)
        gaps = np.bincount(bins, correct - self.confidence, minlength=CALIBRATION_BINS)
        return float(np.abs(gaps).sum() / len(correct))


def calibration_gap(predictions: pd.DataFrame, cohort: Roster) -> Gap:
    """Return the calibration error of a method beside its null.

    Repeats test the same samples, so that a draw gives a sample one uniform number that decides by
    each repeat's confidence whether its prediction is right. There is no interval: errors of
    resampled samples are larger than that of the samples themselves.

    Parameters
    ----------
    predictions
        Those of one method, as in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.
    """
    repeats = [
        _Repeat(
            cohort.positions(predictions.loc[predictions["repeat"] == head["repeat"], "sample"]),
            part.confidence,
            part.correct,
        )
        for head, part in held_out(predictions, cohort, ["repeat"])
    ]
    rng = np.random.default_rng(SEED)
    null = [_error(repeats, rng.random(len(cohort.samples))) for _ in range(DRAWS)]
    return Gap(
        error=_error(repeats),
        expected=float(np.mean(null)),
        null95=float(np.quantile(null, 0.95)),
    )


def _error(repeats: list[_Repeat], uniform: np.ndarray | None = None) -> float:
    """Return the mean over repeats of the error.

    With `uniform`, one number per row of the cohort, a prediction is right where the sample's
    number is below its confidence.
    """
    errors = [
        each.error(each.correct if uniform is None else uniform[each.rows] < each.confidence)
        for each in repeats
    ]
    return float(np.mean(errors))
