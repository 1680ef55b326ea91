"""Pair tasks: two views with I(X1; X2) known.

The low-dimensional families and their parameters are those of the benchmark of Czyz et al.,
Beyond Normal (NeurIPS 2023, arXiv:2306.11078): maps that can be undone change no information.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, gammaln
from scipy.stats import norm

from task import Task, Truth, fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Map = Callable[[np.ndarray], np.ndarray]
    Maps = tuple[Map, Map]

CORRELATION = 0.75
PAIR_CORRELATION = 0.8
DENSE_CORRELATION = 0.5


def gaussian_information(covariance: np.ndarray, left: int) -> Truth:
    """Return 1/2 log(det S11 det S22 / det S); nats.

    Parameters
    ----------
    covariance
        Covariance of both views; (p + q, p + q).
    left
        p, the dimension of the first view.
    """
    parts = (covariance[:left, :left], covariance[left:, left:], covariance)
    first, second, both = (np.linalg.slogdet(part)[1] for part in parts)
    return Truth(0.5 * float(first + second - both))


def student_correction(freedom: float, left: int, right: int) -> float:
    """Return what a common Student-t scale adds to the Gaussian information; nats.

    c(v, m, n) = f(v) + f(v + m + n) - f(v + m) - f(v + n) with
    f(x) = log Gamma(x/2) - x/2 digamma(x/2) (Arellano-Valle et al. 2013).
    """

    def f(x: float) -> float:
        return float(gammaln(x / 2) - x / 2 * digamma(x / 2))

    return f(freedom) + f(freedom + left + right) - f(freedom + left) - f(freedom + right)


def paired_covariance(size: int, correlations: Sequence[float]) -> np.ndarray:
    """Return unit covariance but for correlations of the first columns of both views."""
    covariance = np.eye(2 * size)
    for column, rho in enumerate(correlations):
        covariance[[column, size + column], [size + column, column]] = rho
    return covariance


def dense_covariance(size: int) -> np.ndarray:
    """Return correlation 1/2 between any two columns of both views."""
    return DENSE_CORRELATION + (1 - DENSE_CORRELATION) * np.eye(2 * size)


def normal_task(name: str, family: str, covariance: np.ndarray) -> Task:
    """Return two halves of a multivariate normal vector."""
    size = len(covariance) // 2
    root = np.linalg.cholesky(covariance)

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values = rng.normal(size=(n, 2 * size)) @ root.T
        return values[:, :size], values[:, size:]

    truth = partial(gaussian_information, covariance, size)
    return Task(name, family, sample, truth, copula_gaussian=True)


def mapped_task(name: str, family: str, base: Task, maps: Maps, **changes: bool) -> Task:
    """Return a task with its views mapped by functions that can be undone."""

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        left, right = base.sample(n, rng)
        return maps[0](left), maps[1](right)

    return replace(base, name=name, family=family, sample=sample, **changes)


def student_task(name: str, size: int, freedom: int, covariance: np.ndarray | None = None) -> Task:
    """Return two halves of a multivariate Student-t vector.

    Parameters
    ----------
    name
        As in `Task`.
    size
        Dimension of each view.
    freedom
        Degrees of freedom.
    covariance
        Dispersion, or None for the identity, where only the common scale is shared.
    """
    covariance = np.eye(2 * size) if covariance is None else covariance
    root = np.linalg.cholesky(covariance)

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        scale = np.sqrt(freedom / rng.chisquare(freedom, n))[:, None]
        values = scale * (rng.normal(size=(n, 2 * size)) @ root.T)
        return values[:, :size], values[:, size:]

    def truth() -> Truth:
        gaussian = gaussian_information(covariance, size).value
        return Truth(gaussian + student_correction(freedom, size, size))

    return Task(name, "Student-t", sample, truth)


def factor_task(name: str, features: int, correlations: Sequence[float]) -> Task:
    """Return two views of many features behind correlated factors; truth by determinants.

    Each view measures one factor per correlation and two more of its own, with noise of variance 1.

    Parameters
    ----------
    name
        As in `Task`.
    features
        Features per view.
    correlations
        Correlations of the factors of one view with those of the other.
    """
    shared = len(correlations)
    factors = shared + 2
    rng = fixed(name)
    loadings = [rng.normal(size=(factors, features)) for _ in range(2)]
    latent = paired_covariance(factors, correlations)
    root = np.linalg.cholesky(latent)

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values = rng.normal(size=(n, 2 * factors)) @ root.T
        left, right = values[:, :factors] @ loadings[0], values[:, factors:] @ loadings[1]
        return left + rng.normal(size=left.shape), right + rng.normal(size=right.shape)

    def truth() -> Truth:
        mixing = np.zeros((2 * factors, 2 * features))
        mixing[:factors, :features], mixing[factors:, features:] = loadings
        covariance = mixing.T @ latent @ mixing + np.eye(2 * features)
        return gaussian_information(covariance, features)

    family = "factor model" if shared else "independent"
    return Task(name, family, sample, truth, independent=not shared, copula_gaussian=True)


def cross_information(rho: float) -> Truth:
    """Return the information of (u, v) with v = s rho u + sqrt(1 - rho^2) e and a random sign s.

    Both margins are standard normal, so that with r the mean of the two density ratios the
    information is the integral of r log r over independent standard normals, here on a grid.
    """
    axis, step = np.linspace(-8, 8, 2001, retstep=True)
    u, v = axis[:, None], axis[None, :]
    conditional = [norm.logpdf(v, sign * rho * u, np.sqrt(1 - rho**2)) for sign in (-1, 1)]
    ratio = np.logaddexp(*conditional) - np.log(2) - norm.logpdf(v)
    weight = np.exp(norm.logpdf(u) + norm.logpdf(v) + ratio)
    return Truth(float((weight * ratio).sum() * step**2))


def x_shape_task(size: int = 10, rho: float = 0.9) -> Task:
    """Return ten measurements each of two variables that form an X, as their sign is common.

    Features are u + N(0, 1/4) in one view and s u' + N(0, 1/4) in the other. Means over features
    are sufficient, with reliability a = 1 / (1 + 1 / (4 size)); the correlation of u and u' is
    rho / a, so that the means have correlation rho or -rho.
    """
    reliability = 1 / (1 + 0.25 / size)
    latent = rho / reliability

    def sample(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        u = rng.normal(size=n)
        sign = rng.choice([-1.0, 1.0], n)
        v = sign * (latent * u + np.sqrt(1 - latent**2) * rng.normal(size=n))
        noise = rng.normal(size=(2, n, size)) / 2
        return u[:, None] + noise[0], v[:, None] + noise[1]

    return Task("x-shape-10x10", "X shape", sample, partial(cross_information, rho))


def independent_task(name: str, size: int, maps: Maps) -> Task:
    """Return two views of independent columns, mapped."""
    base = normal_task(name, "independent", np.eye(2 * size))
    return mapped_task(name, "independent", base, maps, independent=True)


def _same(values: np.ndarray) -> np.ndarray:
    return values


def half_cube(values: np.ndarray) -> np.ndarray:
    """Return x |x|^(1/2)."""
    return values * np.sqrt(np.abs(values))


def wiggly_left(x: np.ndarray) -> np.ndarray:
    """Return a wavy map with a slope above 0."""
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def wiggly_right(x: np.ndarray) -> np.ndarray:
    """Return another wavy map with a slope above 0."""
    return x - 0.4 * np.sin(0.4 * x) + 0.17 * np.sin(1.3 * x + 3.5) + 0.02 * np.sin(4.3 * x - 2.5)


def bimodal(share: float, low: float, high: float) -> Map:
    """Return the map of N(0, 1) to share N(low, 1) + (1 - share) N(high, 1)."""
    grid = np.linspace(low - 9, high + 9, 20_001)
    mass = share * norm.cdf(grid - low) + (1 - share) * norm.cdf(grid - high)

    return lambda values: np.interp(norm.cdf(values), mass, grid)


def swiss_roll(values: np.ndarray) -> np.ndarray:
    """Return the roll t (cos t, sin t) / 21 with t = 3 pi/2 (1 + 2 Phi(x)); (n, 1) to (n, 2)."""
    t = 1.5 * np.pi * (1 + 2 * norm.cdf(values[:, 0]))
    return np.column_stack([t * np.cos(t), t * np.sin(t)]) / 21


def spiral(first: int, second: int, speed: float) -> Map:
    """Return a rotation in the plane of two columns by speed times the squared norm."""

    def turn(values: np.ndarray) -> np.ndarray:
        angle = speed * (values**2).sum(axis=1)
        turned = values.copy()
        turned[:, first] = np.cos(angle) * values[:, first] - np.sin(angle) * values[:, second]
        turned[:, second] = np.sin(angle) * values[:, first] + np.cos(angle) * values[:, second]
        return turned

    return turn


def _gaussian_tasks() -> list[Task]:
    """Return the fourteen tasks that are Gaussian but for monotone maps of columns."""
    two = (PAIR_CORRELATION, PAIR_CORRELATION)
    single = normal_task("normal-1x1", "multinormal", paired_covariance(1, (CORRELATION,)))
    dense = [
        normal_task(f"normal-{k}x{k}-dense", "multinormal", dense_covariance(k))
        for k in (2, 3, 5, 25)
    ]
    sparse = {
        k: normal_task(f"normal-{k}x{k}-sparse", "multinormal", paired_covariance(k, two))
        for k in (2, 3, 5, 25)
    }
    modes = (bimodal(0.3, 0, 5), bimodal(0.5, -1, 3))
    return [
        *(single, *dense, *sparse.values()),
        mapped_task("bimodal-1x1", "bimodal", single, modes),
        mapped_task("wiggly-1x1", "wiggly", single, (wiggly_left, wiggly_right)),
        mapped_task("half-cube-25x25", "half-cube", sparse[25], (half_cube, half_cube)),
        factor_task("factors-100x100", 100, (0.8, 0.6, 0.4)),
        factor_task("factors-500x500", 500, (0.9, 0.8, 0.7, 0.6, 0.5)),
    ]


def _curved_tasks() -> list[Task]:
    """Return the eight tasks beyond a Gaussian copula."""
    single = normal_task("", "", paired_covariance(1, (CORRELATION,)))
    three = normal_task("", "", paired_covariance(3, (PAIR_CORRELATION, PAIR_CORRELATION)))
    asinh = (np.arcsinh, np.arcsinh)
    spirals = (spiral(0, 1, 1 / 3), spiral(1, 2, 1 / 3))
    beyond = {"copula_gaussian": False}
    return [
        student_task("student-1x1", 1, 1),
        student_task("student-2x2", 2, 1),
        student_task("student-3x3", 3, 2),
        student_task("student-5x5", 5, 2),
        mapped_task("asinh-student-3x3", "asinh", student_task("", 3, 2), asinh),
        mapped_task("swiss-roll-2x1", "swiss roll", single, (swiss_roll, _same), **beyond),
        mapped_task("spiral-3x3", "spiral", three, spirals, **beyond, blind_spot=True),
        x_shape_task(),
    ]


def pair_tasks() -> list[Task]:
    """Return the 22 dependent pair tasks and four independent ones."""
    return [
        *_gaussian_tasks(),
        *_curved_tasks(),
        independent_task("independent-5x5", 5, (_same, _same)),
        independent_task("independent-lognormal-20x20", 20, (np.exp, np.exp)),
        factor_task("independent-factors-100x100", 100, ()),
        factor_task("independent-factors-500x500", 500, ()),
    ]
