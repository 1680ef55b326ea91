"""Intervals and tests for scores over the folds of a repeated cross-validation.

Folds share training samples, so their scores are correlated and the plain t-test is far too sure.
Nadeau and Bengio (2003), Machine Learning 52:239-281, correct the variance of the mean over J folds
to (1/J + n_test/n_train) s^2. Validation samples count as training here: every method learns from
them, networks by when they stop.

The Bayesian correlated t-test rests on the same correction, and says how probable it is that two
methods are equivalent in practice, which no p-value does.

Differences of several cohorts are averaged as if the cohorts were independent, and p-values of many
comparisons are adjusted by Holm (1979), Scandinavian Journal of Statistics 6:65-70.

The distributions come from scipy.special: scipy.stats has the same, and takes a second to load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from balmi.evaluation.held_out import FOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


REGION = 0.01  # of practical equivalence, in the unit of the score: nats for log_loss


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


class MeanOverFolds(NamedTuple):
    """A mean over folds as tables have it.

    Parameters
    ----------
    mean
        Mean over the folds that have a value; NaN where none has.
    lower, upper
        Limits of its corrected interval; NaN where fewer than two have.
    folds
        Number of those folds.
    """

    mean: float
    lower: float
    upper: float
    folds: int


@dataclass(frozen=True)
class Posterior:
    """What folds say of a mean difference, as probabilities that sum to 1.

    Parameters
    ----------
    worse, better
        That it lies below or above the region of practical equivalence.
    equivalent
        That it lies within.
    """

    worse: float
    equivalent: float
    better: float


def split_ratio(splits: pd.DataFrame, share: float = 1.0) -> float:
    """Return the mean over folds of test samples over training samples.

    Parameters
    ----------
    splits
        As in ``splits.parquet``.
    share
        Share of the training samples that was learned from.
    """
    parts = splits[[*FOLD, "part"]]
    tested = parts[parts["part"] == "test"].groupby(FOLD).size()
    learned = parts[parts["part"].isin(["train", "validation"])].groupby(FOLD).size()
    return float((tested / (share * learned)).mean())


def held_out_ratio(predictions: pd.DataFrame, samples: int) -> float:
    """Return the mean over folds of test samples over all others.

    Parameters
    ----------
    predictions
        Columns repeat, fold and sample; every method was tested on the same samples.
    samples
        Number of samples that test or train.
    """
    tested = predictions[[*FOLD, "sample"]].drop_duplicates()
    counts = tested.groupby(FOLD).size()
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
    return combined_interval([values], [split_ratio], level)


def mean_over_folds(
    values: np.ndarray,
    split_ratio: float,
    lowest: float = -np.inf,
    highest: float = np.inf,
    level: float = 0.95,
) -> MeanOverFolds:
    """Return the mean over the folds that have a value, with its corrected limits.

    Parameters
    ----------
    values
        One per fold, NaN where it is undefined; (folds,).
    split_ratio
        As `corrected_interval` takes it.
    lowest, highest
        Bounds of the quantity, at which limits are cut.
    level
        Coverage.
    """
    known = values[np.isfinite(values)]
    if known.size < 2:
        mean = float(known[0]) if known.size else np.nan
        return MeanOverFolds(mean, np.nan, np.nan, known.size)
    interval = corrected_interval(known, split_ratio, level)
    lower, upper = np.clip([interval.lower, interval.upper], lowest, highest)
    return MeanOverFolds(interval.mean, float(lower), float(upper), known.size)


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
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Interval(mean, mean - half, mean + half, p)


def correlated_t_test(values: np.ndarray, split_ratio: float, region: float = REGION) -> Posterior:
    """Return the posterior of a mean difference over folds, by the Bayesian correlated t-test.

    Corani and Benavoli (2015), Machine Learning 100:285-304; Benavoli et al. (2017), Journal of
    Machine Learning Research 18(77). Under a vague prior it is Student's with J - 1 degrees of
    freedom around the mean of the folds, of squared scale (1/J + rho / (1 - rho)) s^2. Folds
    correlate by rho = n_test / (n_test + n_train), so that rho / (1 - rho) is the split ratio.

    Parameters
    ----------
    values
        One paired difference per fold over all repeats, where larger is better; shape (J,).
    split_ratio
        Test samples over training samples of a fold, as `split_ratio` gives it.
    region
        Largest difference that is equivalent in practice, in the unit of the values.

    Returns
    -------
    Posterior
        Without any spread the mean itself is certain.

    Raises
    ------
    ValueError
        Where there are fewer than two values, or one is not finite.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2 or not np.isfinite(values).all():
        raise ValueError("a posterior needs at least two folds with finite values")
    mean = float(values.mean())
    scale = float(np.sqrt((1 / values.size + split_ratio) * values.var(ddof=1)))
    if scale == 0:
        worse, better = float(mean < -region), float(mean > region)
    else:
        worse = float(stdtr(values.size - 1, (-region - mean) / scale))
        better = float(stdtr(values.size - 1, (mean - region) / scale))
    return Posterior(worse, max(0.0, 1 - worse - better), better)


def wilson_interval(share: float, count: float, level: float = 0.95) -> tuple[float, float]:
    """Return the limits of a share by Wilson (1927), JASA 22:209-212.

    In closed form, since a mean count over repeats need not be whole.

    Parameters
    ----------
    share
        The observed share, between 0 and 1.
    count
        Number of samples, above 0.
    level
        Coverage.
    """
    z = float(ndtri(0.5 + level / 2))
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) / (1 + z**2 / count)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


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
