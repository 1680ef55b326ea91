"""Classifiers on all directions of a table, whatever their variance.

A principal component is chosen by its variance, which says nothing of the label: what lies in
directions of little variance would not exist. Here every direction is kept, under penalties from
weak to strong. Where features outnumber samples, inner products of samples stand for features (dual
form), so that what is solved is never larger than the smaller of both numbers; one decomposition
serves all penalties and all labellings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from collections.abc import Callable

    # Learned and other samples, (n, columns) and (m, columns), and what is solved for them.
    Prepare = Callable[[np.ndarray, np.ndarray], "System"]

# Penalties in units of the total variance, from one that leaves nearly all directions as they are
# to one under which classes are told apart by the distance to their means.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
SMALLEST_TOTAL = 1e-9
# Learned samples, or directions if they are fewer, above which a draw of samples is learned from:
# time grows as their cube. Refits on permuted labels make do with fewer.
MOST_SOLVED = 1500
MOST_REFITTED = 1000


@dataclass(frozen=True)
class System:
    """What linear discriminant analysis solves; k is the smaller number of samples or directions.

    Parameters
    ----------
    matrix
        Covariance over all classes (k directions), or inner products over n (k = n samples).
    rows
        Other samples: their directions, or inner products with the learned ones; (m, k).
    lift
        Learned samples, centred, where directions are solved for, (n, k); None for samples.
    count
        n, the number of learned samples.
    """

    matrix: np.ndarray
    rows: np.ndarray
    lift: np.ndarray | None
    count: int

    @property
    def total(self) -> float:
        """Total variance of the learned samples, the sum over all directions."""
        return float(np.trace(self.matrix))

    @property
    def weight(self) -> int:
        """What inner products are divided by in `matrix`."""
        return 1 if self.lift is not None else self.count

    def sides(self, member: np.ndarray) -> np.ndarray:
        """Return class means for directions, membership itself for samples; (k, columns)."""
        return member if self.lift is None else self.lift.T @ member


def linear_system(learn: np.ndarray, other: np.ndarray) -> System:
    """Return the system of all directions of a table."""
    mean = learn.mean(axis=0)
    learn, other, count = learn - mean, other - mean, len(learn)
    if learn.shape[1] <= count:
        return System(learn.T @ learn / count, other, learn, count)
    return System(learn @ learn.T / count, other @ learn.T, None, count)


def radial_system(learn: np.ndarray, other: np.ndarray) -> System:
    """Return the system of radial functions of all directions.

    Two samples at the average distance are exp(-1) alike.
    """
    mean = learn.mean(axis=0)
    learn, other = learn - mean, other - mean
    sizes, others = ((side**2).sum(axis=1) for side in (learn, other))
    spread = max(2 * float(sizes.mean()), SMALLEST_TOTAL)
    alike = np.exp(-np.maximum(sizes[:, None] + sizes - 2 * learn @ learn.T, 0) / spread)
    rows = np.exp(-np.maximum(others[:, None] + sizes - 2 * other @ learn.T, 0) / spread)
    columns = alike.mean(axis=0)
    rows = rows - columns - rows.mean(axis=1, keepdims=True) + columns.mean()
    alike = alike - columns - columns[:, None] + columns.mean()
    return System(alike / len(learn), rows, None, len(learn))


def _indicators(labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return membership over class size, class frequencies and smoothed ones, of every labelling.

    Parameters
    ----------
    labels
        Class codes; (labellings, n).
    classes
        Number of classes.
    """
    member = np.eye(classes)[labels]
    sizes = member.sum(axis=1)
    count = labels.shape[1]
    prior = (sizes + 0.5) / (count + 0.5 * classes)
    return member / np.maximum(sizes, 1)[:, None, :], sizes / count, prior


def _posteriors(
    within: np.ndarray, said: np.ndarray, shares: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """Return posteriors of Gaussian classes with one covariance.

    With the total covariance T, class means M (one column each, about a mean of 0), frequencies D
    on a diagonal and a penalty l, the covariance within classes is W = T - M D M', and
    (W + l)^-1 M = (T + l)^-1 M (1 - D A)^-1 with A = M' (T + l)^-1 M, by Woodbury's identity.

    Parameters
    ----------
    within
        A; (..., classes, classes).
    said
        x' (T + l)^-1 M of every sample x; (..., m, classes).
    shares
        D; (..., classes).
    prior
        Smoothed class frequencies; (..., classes).
    """
    turn = np.linalg.inv(np.eye(shares.shape[-1]) - shares[..., :, None] * within)
    own = np.einsum("...cd,...dc->...c", within, turn)
    logits = said @ turn + (np.log(prior) - 0.5 * own)[..., None, :]
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def drawn(learn: np.ndarray, most: int, *, kernel: bool) -> np.ndarray:
    """Return the rows that are learned from: all, or a draw that looks at nothing."""
    size = len(learn) if kernel else min(learn.shape)
    if size <= most:
        return np.arange(len(learn))
    return np.sort(np.random.default_rng(0).permutation(len(learn))[:most])


def wide_posteriors(
    prepare: Prepare, learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
) -> np.ndarray:
    """Posteriors of linear discriminant analysis on all directions, one per penalty.

    Penalised discriminant analysis (Hastie, Buja and Tibshirani 1995, Annals of Statistics 23). In
    dual form, with inner products K of n learned samples and a penalty l, (T + l)^-1 between
    samples is (K / n + l)^-1.

    Parameters
    ----------
    prepare
        `linear_system` or `radial_system`.
    learn
        Learned samples; (n, columns). Above `MOST_SOLVED`, a draw of them is learned from.
    labels
        Their class codes; (n,).
    other
        Other samples; (m, columns).
    classes
        Number of classes; a class that is not among the labels gets the smoothed prior's mass.

    Returns
    -------
    numpy.ndarray
        Posteriors of the other samples; (penalties, m, classes).
    """
    rows = drawn(learn, MOST_SOLVED, kernel=prepare is radial_system)
    system, labels = prepare(learn[rows], other), labels[rows]
    member, shares, prior = (each[0] for each in _indicators(labels[None], classes))
    if system.total < SMALLEST_TOTAL:
        return np.tile(prior, (len(STRENGTHS), len(other), 1))
    sides, found = system.sides(member), []
    left = system.matrix @ sides * system.weight if system.lift is None else sides
    for strength in STRENGTHS:
        penalised = system.matrix + strength * system.total * np.eye(len(system.matrix))
        factor = cho_factor(penalised, lower=True, overwrite_a=True, check_finite=False)
        slopes = cho_solve(factor, sides, check_finite=False)
        found.append(_posteriors(left.T @ slopes, system.rows @ slopes, shares, prior))
    return np.array(found)


def many_wide_posteriors(
    prepare: Prepare, learn: np.ndarray, labels: np.ndarray, other: np.ndarray, classes: int
) -> np.ndarray:
    """Return `wide_posteriors` for many labellings at once, from one decomposition.

    Parameters
    ----------
    prepare, learn, other, classes
        As in `wide_posteriors`; learned from are `MOST_REFITTED` samples at most.
    labels
        Class codes, one row per labelling; (labellings, n).

    Returns
    -------
    numpy.ndarray
        Posteriors; (penalties, labellings, m, classes).
    """
    rows = drawn(learn, MOST_REFITTED, kernel=prepare is radial_system)
    system, labels = prepare(learn[rows], other), labels[:, rows]
    member, shares, prior = _indicators(labels, classes)
    if system.total < SMALLEST_TOTAL:
        shape = len(STRENGTHS), len(labels), len(other), classes
        return np.broadcast_to(prior[:, None, :], shape)
    sizes, axes = np.linalg.eigh(system.matrix)
    sizes = np.maximum(sizes, 0)
    flat = system.sides(member.transpose(1, 0, 2).reshape(len(rows), -1))
    turned = (axes.T @ flat).reshape(len(axes), len(labels), classes).transpose(1, 0, 2)
    seen, found = system.rows @ axes, []
    own = system.weight * sizes if system.lift is None else np.ones_like(sizes)
    for strength in STRENGTHS:
        damped = 1 / (sizes + strength * system.total)
        within = turned.transpose(0, 2, 1) @ (turned * (damped * own)[:, None])
        found.append(_posteriors(within, (seen * damped) @ turned, shares, prior))
    return np.array(found)
