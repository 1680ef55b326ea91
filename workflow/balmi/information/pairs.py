"""Information between two modalities or representations, in the Gaussian model of their ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.special import digamma
from scipy.stats import norm, rankdata
from sklearn.decomposition import PCA

from balmi.information.estimates import Estimate, Null, permuted_rows

if TYPE_CHECKING:
    from collections.abc import Callable

Values = TypeVar("Values", float, np.ndarray)

JACKKNIFE_GROUPS = 20
SAMPLES_PER_COMPONENT = 10
LARGEST_CORRELATION = 1 - 1e-10
SMALLEST_RATIO = 1e-12


def rank_normalise(values: np.ndarray) -> np.ndarray:
    """Replace every column by the normal scores of its ranks; shape kept."""
    ranks = rankdata(values, axis=0)
    return norm.ppf((ranks - 0.5) / len(values))


def principal_scores(values: np.ndarray, components: int) -> np.ndarray:
    """Return scores on the first components, at most n/10 of them and the rank of `values`."""
    count = min(components, len(values) // SAMPLES_PER_COMPONENT, values.shape[1])
    if count == 0:
        return values[:, :0]
    pca = PCA(count, svd_solver="covariance_eigh").fit(values)
    kept = pca.explained_variance_ > 1e-10 * pca.explained_variance_.max(initial=1e-300)
    return pca.transform(values)[:, kept]


def wishart_bias(n: int, left: int, right: int) -> float:
    """Return the expected plug-in Gaussian information of independent views; nats.

    From E log|S| = log|Sigma| + sum_i digamma((v - i + 1)/2) + p log(2/v) of a Wishart matrix with
    v = n - 1 degrees of freedom and dimension p, taken for both views and their union.

    Parameters
    ----------
    n
        Number of samples.
    left, right
        Dimensions of the two views.
    """

    def expected(dimension: int) -> float:
        return float(digamma((n - 1 - np.arange(dimension)) / 2).sum())

    return 0.5 * (expected(left) + expected(right) - expected(left + right))


def orthonormal(values: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the centred columns; (n, rank)."""
    centred = values - values.mean(axis=0)
    basis, singular, _ = np.linalg.svd(centred, full_matrices=False)
    return basis[:, singular > 1e-9 * singular.max(initial=1e-300)]


def correlation_information(cross: np.ndarray) -> np.ndarray:
    """Return -1/2 sum log(1 - rho^2) of canonical correlations rho of cross blocks (..., p, q)."""
    correlations = np.linalg.svd(cross, compute_uv=False)
    return -0.5 * np.log1p(-(np.minimum(correlations, LARGEST_CORRELATION) ** 2)).sum(axis=-1)


def gaussian_value(left: np.ndarray, right: np.ndarray) -> float:
    """Return the Gaussian information of two views with the Wishart bias taken off; nats.

    Parameters
    ----------
    left, right
        (n, p) and (n, q) with p + q < n - 1.

    Raises
    ------
    ValueError
        Where there are too few samples for the dimensions.
    """
    a, b = orthonormal(left), orthonormal(right)
    if a.shape[1] + b.shape[1] >= len(left) - 1:
        raise ValueError(f"{len(left)} samples are too few for {a.shape[1]} + {b.shape[1]} columns")
    return float(correlation_information(a.T @ b)) - wishart_bias(len(left), a.shape[1], b.shape[1])


def jackknife_interval(
    statistic: Callable[[np.ndarray], Values],
    n: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
) -> tuple[Values, Values, Values]:
    """Return a statistic and the limits of its grouped jackknife interval of 95 %.

    Parameters
    ----------
    statistic
        A function of the rows that it may use: a number, or an array of several.
    n
        Number of rows.
    rng
        Deals the rows to 20 parts, each left out once.
    groups
        Group of each row, which is kept together, or None. Where one holds more than a quarter of
        the rows, too little would be left without it, and rows are dealt one by one.
    """
    rows = np.arange(n)
    member = rows if groups is None else np.unique(groups, return_inverse=True)[1]
    if np.bincount(member).max() > n / 4:
        member = rows
    units = member.max() + 1
    count = min(JACKKNIFE_GROUPS, units)
    parts = np.array_split(rng.permutation(units), count)
    without = np.array([statistic(rows[~np.isin(member, part)]) for part in parts])
    spread = (count - 1) / count * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    value, half = statistic(rows), norm.ppf(0.975) * np.sqrt(spread)
    return value, value - half, value + half


def gaussian_estimate(
    left: np.ndarray,
    right: np.ndarray,
    permutations: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Return the Gaussian information of two views, with a jackknife interval and a null.

    Parameters
    ----------
    left, right
        The same n samples in both; (n, p) and (n, q).
    permutations
        Number of permutations of the samples of one view; 0 for no null.
    rng
        Source of randomness.
    groups
        Group of each sample, or None; the interval and the null keep groups together.
    """
    n = len(left)
    interval = jackknife_interval(
        lambda rows: gaussian_value(left[rows], right[rows]), n, rng, groups
    )
    components = max(left.shape[1], right.shape[1])
    if not permutations:
        return Estimate(*interval, None, n, components)
    a, b = orthonormal(left), orthonormal(right)
    crosses = np.stack([a.T @ b[permuted_rows(n, groups, rng)] for _ in range(permutations)])
    permuted = correlation_information(crosses) - wishart_bias(n, a.shape[1], b.shape[1])
    return Estimate(*interval, Null(interval[0], permuted), n, components)


def representation(posteriors: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Turn held-out posteriors into coordinates that can be compared between modalities.

    Centred log-ratios without the last class; centred within each fold of the cross-fitting, since
    an offset that differs between folds would be shared by both views.

    Parameters
    ----------
    posteriors
        Held-out posteriors; (n, classes).
    fold
        Fold in which each sample was held out; (n,).

    Returns
    -------
    numpy.ndarray
        (n, classes - 1).
    """
    logs = np.log(posteriors)
    ratios = (logs - logs.mean(axis=1, keepdims=True))[:, :-1]
    for number in np.unique(fold):
        rows = fold == number
        ratios[rows] -= ratios[rows].mean(axis=0)
    # Posteriors that do not vary leave rounding errors, and their ranks would tell the folds apart.
    ratios[np.abs(ratios) < SMALLEST_RATIO] = 0
    return rank_normalise(ratios)
