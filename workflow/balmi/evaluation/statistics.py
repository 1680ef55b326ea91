"""Intervals and tests for scores over the folds of a repeated cross-validation.

Folds share training samples, so their scores are correlated and the plain t-test is far too sure.
Nadeau and Bengio (2003), Machine Learning 52:239-281, correct the variance of the mean over J folds
to (1/J + n_test/n_train) s^2. Validation samples count as training here: every method learns from
them, networks by when they stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Interval:
    """A mean over folds with its corrected interval.

    Parameters
    ----------
    mean
        Mean over folds.
    lower, upper
        Limits of the interval.
    p
        Two-sided p-value of the hypothesis that the mean is 0.
    """

    mean: float
    lower: float
    upper: float
    p: float


def split_ratio(predictions: pd.DataFrame, samples: int) -> float:
    """Return the mean over folds of test samples over training samples.

    Parameters
    ----------
    predictions
        Columns repeat, fold and sample; every method was tested on the same samples.
    samples
        Number of samples of the cohort.
    """
    tested = predictions[["repeat", "fold", "sample"]].drop_duplicates()
    counts = tested.groupby(["repeat", "fold"]).size()
    return float((counts / (samples - counts)).mean())


def corrected_interval(values: np.ndarray, split_ratio: float, level: float = 0.95) -> Interval:
    """Return the corrected resampled t-interval of a mean over folds.

    Parameters
    ----------
    values
        One score, or paired difference of scores, per fold over all repeats; shape (J,).
    split_ratio
        Test samples over training samples of a fold, as `split_ratio` gives it.
    level
        Coverage.

    Returns
    -------
    Interval
        Without any spread the interval is the mean itself, with p = 1 at a mean of 0, else p = 0.

    Raises
    ------
    ValueError
        Where there are fewer than two values, or one is not finite.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2 or not np.isfinite(values).all():
        raise ValueError("an interval needs at least two folds with finite values")
    mean = float(values.mean())
    error = float(np.sqrt((1 / values.size + split_ratio) * values.var(ddof=1)))
    if error == 0:
        return Interval(mean, mean, mean, float(mean == 0))
    freedom = values.size - 1
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Interval(mean, mean - half, mean + half, p)
