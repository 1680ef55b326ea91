"""The record of an estimate, and the permutation null that stands beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

FEWEST_ARRANGEMENTS = 100  # with fewer, no p-value below .01 can be reached


def permuted_rows(count: int, groups: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Permute rows; with groups, whole groups among groups of the same size.

    Samples of one patient are alike, so moving them one by one would make a null too narrow. The
    members of a group come in random order. A group without another of its size stays in place,
    which makes a test conservative.

    Parameters
    ----------
    count
        Number of rows.
    groups
        Group of each row, or None.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        A permutation of the rows; (count,).
    """
    shuffled = rng.permutation(count)
    if groups is None:
        return shuffled
    _, member = np.unique(groups, return_inverse=True)
    target = np.argsort(member, kind="stable")
    source = shuffled[np.argsort(member[shuffled], kind="stable")]
    sizes = np.bincount(member)
    starts = np.cumsum(sizes) - sizes
    rows = np.empty(count, dtype=int)
    for size in np.unique(sizes):
        slots = starts[sizes == size][:, None] + np.arange(size)
        rows[target[slots]] = source[rng.permutation(slots)]
    return rows


def exchangeable(member: np.ndarray, contents: np.ndarray | None = None) -> bool:
    """Return whether swaps among groups of one size move enough for a null.

    They must allow `FEWEST_ARRANGEMENTS` arrangements, and be open to at least half of the rows.

    Parameters
    ----------
    member
        Code of each row's group, from 0; (n,).
    contents
        What a group holds, (groups, columns): swapping groups that hold the same changes nothing.
        None where no two are alike.
    """
    sizes = np.bincount(member)
    held = np.arange(len(sizes))[:, None] if contents is None else contents
    arrangements = 0.0  # logarithm of a product of multinomial coefficients
    for size in np.unique(sizes):
        _, alike = np.unique(held[sizes == size], axis=0, return_counts=True)
        arrangements += gammaln(alike.sum() + 1) - gammaln(alike + 1).sum()
    partners = np.bincount(sizes)[sizes[member]] > 1
    return bool(arrangements >= np.log(FEWEST_ARRANGEMENTS) and partners.mean() >= 0.5)


# A statistic exceeds its null where permutations reach it in at most this share of cases.
NULL_LEVEL = 0.05


SAME = 1e-12  # statistics that differ by less are ties


@dataclass(frozen=True)
class Null:
    """Values of a statistic where there is nothing to find.

    Parameters
    ----------
    observed
        The statistic on the data as they are.
    permuted
        The statistic refitted on permuted data; shape (permutations,).
    combined
        The p-value where the test looks at more than this statistic; None where it does not.
    """

    observed: float
    permuted: np.ndarray
    combined: float | None = None

    @property
    def null95(self) -> float:
        """95th percentile of the permuted statistics."""
        return float(np.quantile(self.permuted, 0.95))

    @property
    def p_value(self) -> float:
        """Share of statistics, the observed one included, at least as large as the observed."""
        if self.combined is not None:
            return self.combined
        return float((1 + (self.permuted >= self.observed).sum()) / (1 + len(self.permuted)))


def combined_p_value(statistics: np.ndarray) -> float:
    """Return the p-value of the largest of several statistics, from one permutation null.

    Each is standardised over all rows, the observed one included, so that rows are exchangeable
    where there is nothing to find; the largest of a row so pays for the choice (Westfall and Young
    1993, Resampling-Based Multiple Testing). Ranks instead would leave no p-value below 2 over the
    number of rows, since every statistic has a row in which it is the largest.

    Parameters
    ----------
    statistics
        The observed values in the first row, those of each permutation below;
        (1 + permutations, statistics). Large values speak against independence.
    """
    spread = statistics.std(axis=0)
    centred = statistics - statistics.mean(axis=0)
    largest = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0).max(axis=1)
    return float((largest >= largest[0] - SAME).mean())


class NotApplicable(Exception):
    """An estimate that the data do not allow.

    Parameters
    ----------
    reason
        Why, in words for users.
    n
        Number of samples that there were for it.
    """

    def __init__(self, reason: str, n: int) -> None:
        self.reason, self.n = reason, n
        super().__init__(reason)


@dataclass(frozen=True)
class Estimate:
    """An estimate of information with what is needed to judge it; nats.

    Parameters
    ----------
    value
        The estimate; may be negative where there is little to find.
    lower, upper
        Limits of its 95 % interval, or None for a point value.
    null
        The permutation null, or None.
    n
        Number of samples.
    components
        Principal components per modality, or None.
    seen_from
        Samples from which on a pair of directions that two modalities share would be seen, or None.
    """

    value: float
    lower: float | None
    upper: float | None
    null: Null | None
    n: int
    components: int | None = None
    seen_from: int | None = None
