"""Non-linear companions of the Gaussian information of two modalities, and the largest of all.

The Gaussian estimate G reads 0 on dependence without correlation. Two companions project both
modalities on canonical components that were learned on other samples, and read their information
by nearest neighbours in two dimensions: K sums over linear components, N takes the first component
of kernel features alone, since a second one is often a function of the first. These three see the
leading principal components; a fourth value, R, is read along canonical components of all
directions (`balmi.information.canonical`). The composite is the largest of the four.

What is learned from one modality alone (principal axes, kernel features, scales) uses all samples;
what is learned from both uses the training part of a fold. How the held-out samples are paired is
thus unknown to the components that score them, and a permutation redoes the cross-covariances only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh
from scipy.spatial import cKDTree
from scipy.special import digamma

from balmi.information.canonical import (
    Directions,
    component_information,
    dependence,
    held_out_components,
)
from balmi.information.estimates import NULL_LEVEL, Null, combined_p_value, permuted_rows
from balmi.information.pairs import (
    correlation_information,
    orthonormal,
    rank_normalise,
    wishart_bias,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Axes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

NEIGHBOURS = 3
FEWEST_PER_FOLD = NEIGHBOURS + 2
LINEAR_RIDGE = 0.1
# Curves in a few dimensions need a weak ridge, a common scale of many columns a strong one.
KERNEL_RIDGES = (0.1, 1.0)
LEADING_COMPONENTS = 5
KERNEL_COMPONENTS = 80
SAMPLES_PER_KERNEL_COMPONENT = 4
LANDMARKS = 300
# A component counts where its held-out correlation exceeds this many standard errors 1/sqrt(n).
# Training parts overlap and candidates compete: up to a quarter of independent data sets reach two
# by chance, about one of twenty reaches three.
STANDARD_ERRORS = 3.0
SMALLEST_SHARE = 1e-9


def ksg(x: np.ndarray, y: np.ndarray, neighbours: int = NEIGHBOURS) -> float:
    """Return the information of two one-dimensional samples by nearest neighbours; nats.

    Estimator 1 of Kraskov, Stoegbauer and Grassberger (Phys. Rev. E 69, 066138, 2004), equation 8:
    digamma(k) + digamma(n) - <digamma(n_x + 1) + digamma(n_y + 1)>, where n_x and n_y count the
    samples nearer in x, or in y, than the k-th neighbour in the larger of both distances. Samples
    whose k-th neighbour coincides with them follow Gao et al. (NeurIPS 2017): k, n_x and n_y count
    all that coincide. So ties need no noise, and the order of samples does not matter.

    Parameters
    ----------
    x, y
        Paired samples, of about equal scale; (n,) each.
    neighbours
        Neighbours k; few give little bias, many little variance.

    Raises
    ------
    ValueError
        Where there are no more samples than neighbours.
    """
    n = len(x)
    if n <= neighbours:
        raise ValueError(f"{n} samples are too few for {neighbours} neighbours")
    points = np.column_stack([x, y])
    tree = cKDTree(points)
    distance = tree.query(points, k=neighbours + 1, p=np.inf)[0][:, -1]
    same = distance == 0
    # Rounding must not put the k-th neighbour itself inside the open interval.
    radius = distance * (1 - 1e-10)
    counts = np.full(n, float(neighbours))
    if same.any():
        counts[same] = tree.query_ball_point(points[same], 0, p=np.inf, return_length=True) - 1
    marginal = np.zeros(n)
    for values in (x, y):
        ordered = np.sort(values)
        upper = np.searchsorted(ordered, values + radius, side="right")
        inside = upper - np.searchsorted(ordered, values - radius, side="left")
        marginal += digamma(inside)
    return float(digamma(n) + (digamma(counts) - marginal).mean())


def _principal(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return principal coordinates of unit variance, (n, at most count), and their variances."""
    centred = values - values.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(values))
    variances, axes = variances[::-1][:count], axes[:, ::-1][:, :count]
    kept = variances > SMALLEST_SHARE * variances.max(initial=1e-300)
    return centred @ axes[:, kept] / np.sqrt(variances[kept]), variances[kept]


def _damped(coordinates: np.ndarray, variances: np.ndarray, ridge: float) -> np.ndarray:
    """Return the coordinates as white as a ridge, in units of the mean variance, lets them be."""
    if not len(variances):
        return coordinates
    return coordinates * np.sqrt(variances / (variances + ridge * variances.mean()))


def _kernel_features(scores: np.ndarray) -> np.ndarray:
    """Return radial functions of the scores by the Nystroem method; (n, at most 300).

    Landmarks lie at even steps of the samples' distance from the centre. They are a matter of one
    modality alone: landmarks at the same rows of both would be samples alike in both, hence shared
    information.
    """
    centred = scores - scores.mean(axis=0)
    spread = (centred**2).sum() / len(centred)
    if spread == 0:
        return centred[:, :0]
    # Two samples of average distance are exp(-1) alike, whatever the number of components.
    centred = centred / np.sqrt(2 * spread)
    radii = (centred**2).sum(axis=1)
    order = np.argsort(np.round(radii, 9), kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(LANDMARKS, len(order))).round().astype(int)]
    similarity = np.exp(
        -np.maximum(radii[:, None] + radii[chosen] - 2 * centred @ centred[chosen].T, 0)
    )
    size, axes = np.linalg.eigh(similarity[chosen])
    kept = size > SMALLEST_SHARE * size.max()
    return similarity @ (axes[:, kept] / np.sqrt(size[kept]))


@dataclass(frozen=True)
class _View:
    """What one modality brings to every pairing of the samples; n rows in every array.

    Parameters
    ----------
    white
        Orthonormal basis of the scores; for G.
    linear
        Damped principal coordinates; for K.
    kernels
        Damped principal coordinates of kernel features, one array per candidate; for N.
    """

    white: np.ndarray
    linear: np.ndarray
    kernels: tuple[np.ndarray, ...]

    def permuted(self, rows: np.ndarray) -> _View:
        """Return the samples in another order."""
        return _View(self.white[rows], self.linear[rows], tuple(k[rows] for k in self.kernels))


def _view(scores: np.ndarray, widths: tuple[int, ...]) -> _View:
    """Return a modality's view with kernel features of as many leading components as `widths`."""
    coordinates, variances = _principal(scores, scores.shape[1])
    turned = coordinates * np.sqrt(variances)
    count = min(KERNEL_COMPONENTS, len(scores) // SAMPLES_PER_KERNEL_COMPONENT)
    kernels = []
    for width in widths:
        features = _principal(_kernel_features(turned[:, :width]), count)
        kernels += [_damped(*features, ridge) for ridge in KERNEL_RIDGES]
    return _View(orthonormal(scores), _damped(coordinates, variances, LINEAR_RIDGE), tuple(kernels))


def _all_axes(crosses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all singular vectors of matrices; (folds, p, k) and (folds, q, k)."""
    axes, _, other = np.linalg.svd(crosses, full_matrices=False)
    return axes, other.swapaxes(1, 2)


def _first_axes(crosses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first singular vectors of matrices, a third of the work; (folds, p or q, 1)."""
    if crosses.shape[1] < crosses.shape[2]:
        return _first_axes(crosses.swapaxes(1, 2))[::-1]
    last = [crosses.shape[2] - 1] * 2
    other = np.stack([eigh(each.T @ each, subset_by_index=last)[1] for each in crosses])
    axes = crosses @ other
    sizes = np.linalg.norm(axes, axis=1, keepdims=True)
    return axes / np.where(sizes > 0, sizes, 1), other


def _held_out(
    left: np.ndarray, right: np.ndarray, parts: list[np.ndarray], axes_of: Axes = _all_axes
) -> tuple[np.ndarray, np.ndarray]:
    """Return cross-fitted canonical scores, centred within each fold; (n, components) each.

    Parameters
    ----------
    left, right
        Coordinates that are centred over all samples; (n, p) and (n, q).
    parts
        Rows of each fold.
    axes_of
        Given the cross-products of what each fold trains on, (folds, p, q), returns the axes of the
        components that are wanted.
    """
    if not min(left.shape[1], right.shape[1]):
        return np.empty((len(left), 0)), np.empty((len(left), 0))
    crosses = np.stack([left[rows].T @ right[rows] for rows in parts])
    axes, other = axes_of(crosses.sum(axis=0) - crosses)
    scores = np.empty((2, len(left), axes.shape[2]))
    for rows, u, v in zip(parts, axes, other, strict=True):
        scores[0][rows] = left[rows] @ u
        scores[1][rows] = right[rows] @ v
        scores[:, rows] -= scores[:, rows].mean(axis=1, keepdims=True)
    return scores[0], scores[1]


def _correlations(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the correlation of every pair of centred columns, 0 where one is constant."""
    scale = np.sqrt((u**2).sum(axis=0) * (v**2).sum(axis=0))
    return np.divide((u * v).sum(axis=0), scale, out=np.zeros(len(scale)), where=scale > 0)


def _linear_value(
    left: np.ndarray, right: np.ndarray, parts: list[np.ndarray], bar: float
) -> float:
    """Return K: the sum over leading linear components whose held-out correlation exceeds `bar`.

    Canonical components of one fold resemble those of another, and share a scale, so the folds are
    read together. NaN where not even the first component exceeds the bar.
    """
    u, v = _held_out(left, right, parts)
    exceeds = np.append(_correlations(u, v) > bar, False)
    count = int(np.argmin(exceeds))
    if not count:
        return np.nan
    u, v = rank_normalise(u[:, :count]), rank_normalise(v[:, :count])
    return sum(ksg(u[:, j], v[:, j]) for j in range(count))


def _kernel_value(left: _View, right: _View, parts: list[np.ndarray], bar: float) -> float:
    """Return N: the mean over folds of what the first component of kernel features holds.

    Of the candidates the one with the largest held-out correlation is taken. NaN where that does
    not exceed `bar`. The components of two folds are different functions: read together, a fold
    would show in both modalities and count as shared information.
    """
    best, chosen = bar, None
    for pair in zip(left.kernels, right.kernels, strict=True):
        u, v = _held_out(*pair, parts, _first_axes)
        correlation = _correlations(u, v).max(initial=0.0)
        if correlation > best:
            best, chosen = correlation, (u, v)
    if chosen is None:
        return np.nan
    total = 0.0
    for rows in parts:
        u, v = (rank_normalise(scores[rows])[:, 0] for scores in chosen)
        total += len(rows) * ksg(u, v)
    return total / len(left.white)


def _three(
    left: _View, right: _View, parts: list[np.ndarray], bar: float
) -> tuple[float, float, float]:
    """Return G, K and N of two views."""
    bias = wishart_bias(len(left.white), left.white.shape[1], right.white.shape[1])
    return (
        float(correlation_information(left.white.T @ right.white)) - bias,
        _linear_value(left.linear, right.linear, parts, bar),
        _kernel_value(left, right, parts, bar),
    )


@dataclass(frozen=True)
class Composite:
    """The Gaussian information of two modalities, its companions, and the largest; nats.

    Parameters
    ----------
    gaussian
        G, as `gaussian_value` gives it.
    linear
        K: sum over significant linear canonical components; NaN where none is significant.
    nonlinear
        N: the first canonical component of kernel features; NaN where it is not significant.
    value
        The largest of those that are not NaN; may be negative where there is little to find.
    null
        The null of the largest of G, K and N, and the p-value of a test that looks at all
        directions besides; None without permutations.
    wide
        R: what canonical components of all directions hold, Gaussian or by nearest neighbours; NaN
        where none is significant, or all directions were not given.
    """

    gaussian: float
    linear: float
    nonlinear: float
    value: float
    null: Null | None
    wide: float = np.nan


def _parts(fold: np.ndarray) -> list[np.ndarray]:
    """Return the rows of every fold, or refuse folds that are too few or too small."""
    numbers, sizes = np.unique(fold, return_counts=True)
    if len(numbers) < 2:
        raise ValueError(f"{len(numbers)} fold is too few: components need a training part")
    if sizes.min() < FEWEST_PER_FOLD:
        raise ValueError(
            f"fold {numbers[sizes.argmin()]} has {sizes.min()} samples, needed are at least "
            f"{FEWEST_PER_FOLD}: take fewer folds or more samples"
        )
    return [np.flatnonzero(fold == number) for number in numbers]


@dataclass(frozen=True)
class Wide:
    """All directions of two modalities, and how many shared ones are looked for at most."""

    left: Directions
    right: Directions
    most: int

    def value(self, parts: list[np.ndarray], bar: float, groups: np.ndarray | None) -> float:
        """Return R: what is read along held-out components, Gaussian or by nearest neighbours."""
        u, v = held_out_components(self.left, self.right, parts, self.most, bar, groups)
        if not u.shape[1]:
            return np.nan
        ranks = rank_normalise(u), rank_normalise(v)
        curved = sum(ksg(one, two) for one, two in zip(*(each.T for each in ranks), strict=True))
        return max(component_information(u, v), curved)


def composite_estimate(
    left: np.ndarray,
    right: np.ndarray,
    fold: np.ndarray,
    permutations: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
    wide: Wide | None = None,
) -> Composite:
    """Return the largest of the Gaussian information and its non-linear companions, with a null.

    Rounding apart, the value is the same where the modalities trade places and where columns change
    order or sign. It falls short where dependence is spread over many pairs of functions without
    correlation: a spiral of 3 + 3 columns with 1.02 nats reads about .4, and one random sign common
    to ten weakly correlated columns, .44 nats, reads about 0.

    Parameters
    ----------
    left, right
        The same n samples in both; (n, p) and (n, q) principal component scores, not whitened,
        with p + q < n - 1.
    fold
        Fold in which each sample is held out; (n,). Groups lie within folds.
    permutations
        Permutations of the samples of the right modality. Each refits all components and takes
        the largest anew, with the folds as they are.
    rng
        Source of the permutations.
    groups
        Group of each sample, or None; permutations keep groups together, and there are no more
        independent samples than groups behind the significance of a component.
    wide
        All directions of the same samples, or None. What they show counts where a test of all
        cross-covariances finds dependence too; that test is a part of the null.

    Raises
    ------
    ValueError
        Where there are fewer than two folds, fewer than five samples in one, or too few samples
        for the columns.
    """
    n = len(left)
    if left.shape[1] + right.shape[1] >= n - 1:
        raise ValueError(f"{n} samples are too few for {left.shape[1]} + {right.shape[1]} columns")
    parts = _parts(fold)
    widest = max(left.shape[1], right.shape[1])
    widths = tuple(sorted({widest, min(widest, LEADING_COMPONENTS)}))
    views = _view(left, widths), _view(right, widths)
    bar = STANDARD_ERRORS / np.sqrt(n if groups is None else len(np.unique(groups)))
    gaussian, linear, nonlinear = _three(*views, parts, bar)
    value = float(np.nanmax([gaussian, linear, nonlinear]))
    statistics = np.empty((1 + permutations, 1 if wide is None else 2))
    orders = [np.arange(n), *(permuted_rows(n, groups, rng) for _ in range(permutations))]
    for row, order in zip(statistics, orders, strict=True):
        right_view = views[1].permuted(order)
        row[0] = (
            value if order is orders[0] else np.nanmax(_three(views[0], right_view, parts, bar))
        )
        if wide is not None:
            row[1] = dependence(wide.left, wide.right, order)
    null, seen = None, True
    if permutations:
        combined = None if wide is None else combined_p_value(statistics)
        null = Null(value, statistics[1:, 0], combined)
        seen = wide is None or Null(statistics[0, 1], statistics[1:, 1]).p_value <= NULL_LEVEL
    along = np.nan if wide is None or not seen else wide.value(parts, bar, groups)
    return Composite(gaussian, linear, nonlinear, float(np.nanmax([value, along])), null, along)
