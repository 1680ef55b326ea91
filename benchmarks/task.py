"""What a task of the benchmark is: a distribution to draw from, and its information in nats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Sample = Callable[[int, np.random.Generator], tuple[np.ndarray, ...]]

TRUTH_DRAWS = 200_000
ATOMS = ("R", "U1", "U2", "S")


class Truth(NamedTuple):
    """A true value in nats, and its standard error where it was integrated by Monte Carlo."""

    value: float
    error: float = 0.0


def fixed(name: str) -> np.random.Generator:
    """Return the source of a task's parameters, which never change: loadings, means, weights."""
    return np.random.default_rng(crc32(name.encode()))


@dataclass(frozen=True)
class _Drawn:
    """A named distribution.

    Parameters
    ----------
    name
        Unique within the benchmark.
    family
        The kind of distribution, for the tables.
    sample
        (n, rng) -> arrays of n rows: (x, y), (x1, x2) or (x1, x2, y).
    """

    name: str
    family: str
    sample: Sample

    def draw(self, n: int, seed: int) -> tuple[np.ndarray, ...]:
        """Return n samples; equal seeds give equal data, and tasks do not share theirs."""
        return self.sample(n, np.random.default_rng([seed, crc32(self.name.encode())]))


@dataclass(frozen=True)
class Task(_Drawn):
    """Two variables with known mutual information.

    Parameters
    ----------
    derive
        Function that gives the information; it runs once per process.
    independent
        Whether the variables are independent.
    copula_gaussian
        Whether monotone maps of each column make both views jointly Gaussian.
    blind_spot
        Whether the estimators are known to fail here.
    """

    derive: Callable[[], Truth]
    independent: bool = False
    copula_gaussian: bool = False
    blind_spot: bool = False

    @cached_property
    def known(self) -> Truth:
        """The information with its standard error; nats."""
        return self.derive()

    @property
    def truth(self) -> float:
        """The information; nats."""
        return self.known.value

    def truth_of(self, quantity: str) -> float:
        """Return the true value of what an estimator reports: always the information."""
        return self.truth


@dataclass(frozen=True)
class Gate(_Drawn):
    """Two variables and a label with known redundant, unique and synergistic information.

    Parameters
    ----------
    table
        p(x1, x2, y) of the bits behind the features; (a, b, c).
    derive
        Function that gives R, U1, U2 and S of the table in nats; it runs once per process.
    """

    table: np.ndarray
    derive: Callable[[], dict[str, float]]

    @cached_property
    def truth(self) -> dict[str, float]:
        """R, U1, U2 and S; nats."""
        return self.derive()

    def truth_of(self, quantity: str) -> float:
        """Return the true value of an atom."""
        return self.truth[quantity]


def monte_carlo(values: np.ndarray) -> Truth:
    """Return the mean of independent draws and its standard error."""
    return Truth(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def information_of_posteriors(posteriors: np.ndarray) -> Truth:
    """Return H(mean p) - mean H(p) of draws of p(y|x), which is I(X; Y); nats.

    Parameters
    ----------
    posteriors
        p(y|x) at independent draws of x; (draws, classes).

    Notes
    -----
    It equals the mean divergence of p from its mean. Small changes of that mean do not change it
    to first order, so the spread of the divergences gives the standard error.
    """
    floor = np.finfo(float).tiny
    ratio = np.log(np.maximum(posteriors, floor) / np.maximum(posteriors.mean(axis=0), floor))
    return monte_carlo((posteriors * ratio).sum(axis=1))
