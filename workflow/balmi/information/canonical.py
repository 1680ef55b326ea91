"""Information of two modalities along canonical components of all their directions.

The Gaussian estimate and its companions see the principal components of each modality. What two
modalities share in directions of little variance, or one of many alike, is not there. Here ridge
canonical correlation analysis (Vinod 1976, Journal of Econometrics 4) sees all directions; where
features outnumber samples, samples span them. Components are learned without the samples that they
are read on, and so is the strength of the ridge, on inner folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.linalg import svds

from balmi.information.pairs import gaussian_value, rank_normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

# Ridges in units of the mean variance of a direction.
RIDGES = (0.01, 0.1, 1.0, 10.0)
# Strength of the ridge where there are too few folds to choose it, and of the test.
MIDDLE = 1.0
MOST_FOLDS = 5
# Components are read on parts of a fold, lest what is learned from four fifths of the samples is
# taken for what all of them tell: as many as leave so many samples, or groups, in each.
MOST_PARTS = 4
FEWEST_PER_PART = 25
SMALLEST_SHARE = 1e-9
SMALL = 100  # directions up to which all components are computed


@dataclass(frozen=True)
class Directions:
    """All directions of one modality, white but for a ridge.

    Parameters
    ----------
    coordinates
        Scores on all principal axes, of unit variance; (n, directions).
    variances
        Variance along each; (directions,).
    """

    coordinates: np.ndarray
    variances: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Directions:
        """Return the directions of a table; (n, features)."""
        centred, n = values - values.mean(axis=0), len(values)
        if centred.shape[1] <= n:
            variances, axes = np.linalg.eigh(centred.T @ centred / n)
            kept = variances > SMALLEST_SHARE * variances.max(initial=1e-300)
            return cls(centred @ axes[:, kept] / np.sqrt(variances[kept]), variances[kept])
        variances, axes = np.linalg.eigh(centred @ centred.T / n)
        kept = variances > SMALLEST_SHARE * variances.max(initial=1e-300)
        return cls(axes[:, kept] * np.sqrt(n), variances[kept])

    def damped(self, ridge: float) -> np.ndarray:
        """Return the coordinates as white as a ridge lets them be; (n, directions)."""
        if not self.variances.size:
            return self.coordinates
        mean = self.variances.mean()
        return self.coordinates * np.sqrt(self.variances / (self.variances + ridge * mean))

    @cached_property
    def alike(self) -> np.ndarray:
        """Inner products of the samples at the middle ridge; (n, n)."""
        values = self.damped(MIDDLE)
        return values @ values.T


def dependence(left: Directions, right: Directions, rows: np.ndarray) -> float:
    """Return the squared cross-covariances of all directions, summed, with samples re-paired.

    Parameters
    ----------
    left, right
        The modalities; n samples each.
    rows
        The sample of the right one that is paired with each of the left one; (n,).
    """
    return float(np.vdot(left.alike, right.alike[np.ix_(rows, rows)]))


def _leading(cross: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading singular vectors of a matrix, (p, count) and (q, count)."""
    if min(cross.shape) <= max(SMALL, 2 * count):
        left, _, right = np.linalg.svd(cross, full_matrices=False)
        return left[:, :count], right[:count].T
    start = np.ones(min(cross.shape))
    left, sizes, right = svds(cross, count, v0=start, solver="arpack")
    order = np.argsort(-sizes, kind="stable")
    return left[:, order], right[order].T


def _standard(scores: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 and variance 1; 0 where they do not vary."""
    centred = scores - scores.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)


class _Ridge:
    """Canonical components at one ridge, and what they score outside their training part."""

    def __init__(self, left: Directions, right: Directions, ridge: float) -> None:
        self.sides = left.damped(ridge), right.damped(ridge)
        self.total = self.sides[0].T @ self.sides[1]

    def scores(self, left_out: Sequence[np.ndarray], count: int) -> list[tuple[np.ndarray, ...]]:
        """Return standardised scores, both views', of each set of rows that the fit leaves out."""
        left, right = self.sides
        cross = self.total - sum(left[rows].T @ right[rows] for rows in left_out)
        axes = _leading(cross, count)
        return [
            tuple(_standard(side[rows] @ each) for side, each in zip(self.sides, axes, strict=True))
            for rows in left_out
        ]


def _exceeding(u: np.ndarray, v: np.ndarray, bar: float) -> np.ndarray:
    """Return the correlations of the leading columns, as far as they exceed a bar."""
    found = (u * v).mean(axis=0)
    return found[: int(np.argmin(np.append(found > bar, False)))]


def _best_ridges(
    ridges: Sequence[_Ridge], folds: Sequence[np.ndarray], count: int, bar: float
) -> list[_Ridge]:
    """Return the ridge of every fold: the one whose components hold most in the other folds.

    Components that leave two folds out tell of each what suits the other.
    """
    if len(folds) < 3:
        return [ridges[RIDGES.index(MIDDLE)]] * len(folds)
    gains = np.zeros((len(ridges), len(folds)))
    for gain, ridge in zip(gains, ridges, strict=True):
        told: list[list[tuple[np.ndarray, ...]]] = [[] for _ in folds]
        for one, two in combinations(range(len(folds)), 2):
            first, second = ridge.scores((folds[one], folds[two]), count)
            told[one].append(second)
            told[two].append(first)
        for fold, seen in enumerate(told):
            u, v = (np.concatenate(side) for side in zip(*seen, strict=True))
            found = _exceeding(u, v, bar)
            first = max(0.0, float((u[:, 0] * v[:, 0]).mean()))
            # Where no component exceeds the bar, the first one decides.
            gain[fold] = -0.5 * np.log1p(-(np.minimum(found, 1 - 1e-9) ** 2)).sum() + 1e-3 * first
    return [ridges[best] for best in gains.argmax(axis=0)]


def held_out_components(
    left: Directions,
    right: Directions,
    folds: Sequence[np.ndarray],
    most: int,
    bar: float,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return held-out canonical scores as far as their correlations exceed a bar.

    Parameters
    ----------
    left, right
        Directions of both modalities; n samples each.
    folds
        Rows of each fold. The others are inner folds that choose its ridge.
    most
        Components at most.
    bar
        Correlation over all held-out samples that a component must exceed.
    groups
        Group of each sample, or None; groups lie within folds, and are not divided.

    Returns
    -------
    tuple of numpy.ndarray
        Scores of both, standardised within each part of a fold; (n, components) each.
    """
    n = len(left.coordinates)
    if len(folds) > MOST_FOLDS:
        folds = [np.concatenate(folds[start::MOST_FOLDS]) for start in range(MOST_FOLDS)]
    count = min(most, len(left.variances), len(right.variances))
    if not count:
        return left.coordinates[:, :0], right.coordinates[:, :0]
    ridges = [_Ridge(left, right, strength) for strength in RIDGES]
    scores = np.empty((2, n, count))
    for rows, ridge in zip(folds, _best_ridges(ridges, folds, count, bar), strict=True):
        unit = rows if groups is None else groups[rows]
        _, member = np.unique(unit, return_inverse=True)
        parts = int(np.clip((member.max() + 1) // FEWEST_PER_PART, 1, MOST_PARTS))
        for part in range(parts):
            here = rows[member % parts == part]
            scores[:, here] = ridge.scores((here,), count)[0]
    kept = len(_exceeding(*scores, bar))
    return scores[0][:, :kept], scores[1][:, :kept]


def component_information(u: np.ndarray, v: np.ndarray) -> float:
    """Return the Gaussian information of held-out scores; NaN where there are none.

    Parameters
    ----------
    u, v
        What `held_out_components` gave; (n, components) each.
    """
    if not u.shape[1] or 2 * u.shape[1] >= len(u) - 1:
        return np.nan
    return gaussian_value(rank_normalise(u), rank_normalise(v))
