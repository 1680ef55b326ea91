"""Intervals and tests for scores over the folds of a repeated cross-validation.

Folds share training samples, so their scores are correlated and the plain t-test is far too sure.
Nadeau and Bengio (2003), Machine Learning 52:239-281, correct the variance of the mean over J folds
to (1/J + n_test/n_train) s^2. Validation samples count as training here: every method learns from
them, networks by when they stop.

Differences of several cohorts are averaged as if the cohorts were independent, and p-values of many
comparisons are adjusted by Holm (1979), Scandinavian Journal of Statistics 6:65-70.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def split_ratio(predictions: pd.DataFrame, samples: int, training_share: float = 1.0) -> float:
    """Return the mean over folds of test samples over training samples.

    Parameters
    ----------
    predictions
        Columns repeat, fold and sample; every method was tested on the same samples.
    samples
        Number of samples of the cohort.
    training_share
        Share of the others that was learned from.
    """
    tested = predictions[["repeat", "fold", "sample"]].drop_duplicates()
    counts = tested.groupby(["repeat", "fold"]).size()
    return float((counts / (training_share * (samples - counts))).mean())


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
    return combined_interval([values], [split_ratio], level)


def combined_interval(
    cohorts: Sequence[np.ndarray], split_ratios: Sequence[float], level: float = 0.95
) -> Interval:
    """Return the t-interval of the mean over cohorts of their means over folds.

    The cohorts are taken for independent: their corrected squared errors add up, and degrees of
    freedom are those of Welch (1947, Biometrika 34:28-35) and Satterthwaite.

    Parameters
    ----------
    cohorts
        Of every cohort one score, or paired difference of scores, per fold; shapes (J,).
    split_ratios
        Of every cohort, as `split_ratio` gives it.
    level
        Coverage.

    Raises
    ------
    ValueError
        Where there is no cohort, or a cohort has fewer than two values, or one is not finite.
    """
    arrays = [np.asarray(values, dtype=float) for values in cohorts]
    if not arrays or any(each.size < 2 or not np.isfinite(each).all() for each in arrays):
        raise ValueError("an interval needs at least two folds with finite values")
    mean = float(np.mean([each.mean() for each in arrays]))
    squares = [
        (1 / each.size + ratio) * each.var(ddof=1)
        for each, ratio in zip(arrays, split_ratios, strict=True)
    ]
    error = float(np.sqrt(np.sum(squares))) / len(arrays)
    if error == 0:
        return Interval(mean, mean, mean, float(mean == 0))
    terms = [square**2 / (each.size - 1) for each, square in zip(arrays, squares, strict=True)]
    freedom = float(np.sum(squares) ** 2 / np.sum(terms))
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Interval(mean, mean - half, mean + half, p)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return p-values adjusted for their number by Holm's step-down procedure; shape (m,).

    Parameters
    ----------
    p_values
        Of the comparisons that are made together.

    Returns
    -------
    numpy.ndarray
        In the order given. The k-th smallest of m is multiplied by m - k + 1, is at least the one
        before it, and at most 1.
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return adjusted
