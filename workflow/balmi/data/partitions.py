"""Partitions of groups into test folds: which can be learned from, how even, how many there are.

scikit-learn's StratifiedGroupKFold shuffles groups and then sorts them by the spread of their
classes, so that groups of distinct sizes are dealt alike whatever the seed. A partition that was
dealt before is no further evidence. Others are found here: all of them where groups are few, else
by dealing in many random orders. They depend on classes and groups alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FEW_GROUPS = (
    8  # up to which all partitions are listed: at most 1,701, of eight groups in four folds
)
DRAWS = 200  # orders in which more groups are dealt
REPAIRS = 100  # groups moved at most, until a partition leaves every class in training
POOL_SEED = 0  # what can be dealt is a fact about the groups; the seed of a repeat chooses among it

# A further partition may be half as uneven again as the best that is known, or add a tenth of the
# share of a class that a fold holds on average, whichever is more.
TOLERANCE, SLACK = 1.5, 0.1

Tests = frozenset[tuple[int, ...]]


def sets_of(partition: np.ndarray) -> Tests:
    """Return the test sets of a partition: its groups by fold, whatever the folds' numbers.

    Parameters
    ----------
    partition
        Fold of every group; (groups,).
    """
    return frozenset(
        tuple(np.flatnonzero(partition == fold).tolist()) for fold in np.unique(partition)
    )


@dataclass(frozen=True)
class Structure:
    """What is dealt.

    Parameters
    ----------
    counts
        Samples of every class in every group; (groups, classes), every class with some.
    folds
        Number of test folds, at least 2.
    """

    counts: np.ndarray
    folds: int

    @classmethod
    def of(cls, labels: np.ndarray, groups: np.ndarray, folds: int) -> Structure:
        """Count classes in groups.

        Parameters
        ----------
        labels, groups
            Class and group of every sample; (n,).
        folds
            Number of test folds.
        """
        classes, label = np.unique(labels, return_inverse=True)
        names, group = np.unique(groups, return_inverse=True)
        counts = np.zeros((len(names), len(classes)), dtype=int)
        np.add.at(counts, (group, label), 1)
        return cls(counts, folds)

    def held(self, partition: np.ndarray) -> np.ndarray:
        """Return the samples of every class in every fold; (folds, classes)."""
        held = np.zeros((self.folds, self.counts.shape[1]), dtype=int)
        np.add.at(held, partition, self.counts)
        return held

    def learnable(self, partition: np.ndarray) -> bool:
        """Return whether no fold is empty, or holds all samples of a class."""
        held = self.held(partition)
        return bool(held.sum(axis=1).all() and (held < held.sum(axis=0)).all())

    def unevenness(self, partition: np.ndarray) -> float:
        """Return the standard deviation over folds of their share of a class, mean over classes.

        It is what StratifiedGroupKFold makes small, group by group.
        """
        held = self.held(partition)
        return float((held / held.sum(axis=0)).std(axis=0).mean())

    def partitions(self) -> Iterator[np.ndarray]:
        """Yield distinct partitions that leave every class in training; all, or those found."""
        source = self._all() if len(self.counts) <= FEW_GROUPS else self._drawn()
        known = set()
        for partition in source:
            if self.learnable(partition) and (tests := sets_of(partition)) not in known:
                known.add(tests)
                yield partition

    def _all(self) -> Iterator[np.ndarray]:
        """Yield every partition once: a group joins a fold in use, or opens the next one."""
        partials = [[0]]
        for _ in range(len(self.counts) - 1):
            partials = [
                [*own, fold] for own in partials for fold in range(min(max(own) + 2, self.folds))
            ]
        for partial in partials:
            yield np.array(partial)

    def _drawn(self) -> Iterator[np.ndarray]:
        """Yield partitions of groups in random orders, large ones rather first, repaired."""
        rng = np.random.default_rng(POOL_SEED)
        sizes = self.counts.sum(axis=1)
        for _ in range(DRAWS):
            order = np.argsort(-sizes * rng.uniform(0.5, 1.5, len(sizes)))
            yield self._repaired(self._dealt(order, rng), rng)

    def _dealt(self, order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Deal groups in an order, each to the fold that makes folds most even."""
        shares = self.counts / self.counts.sum(axis=0)
        held = np.zeros((self.folds, shares.shape[1]))
        partition = np.empty(len(order), dtype=int)
        for group in order:
            # Of all folds the sum of squares grows least where that of products is smallest.
            cost = np.round(held @ shares[group], 12)
            fold = rng.choice(np.flatnonzero(cost == cost.min()))
            held[fold] += shares[group]
            partition[group] = fold
        return partition

    def _repaired(self, partition: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Move groups into empty folds, and a group of a class that is in one fold elsewhere."""
        for _ in range(REPAIRS):
            held = self.held(partition)
            empty = np.flatnonzero(held.sum(axis=1) == 0)
            lost = np.flatnonzero((held == held.sum(axis=0)).any(axis=0))
            if len(empty):
                crowded = np.bincount(partition, minlength=self.folds) > 1
                movable, target = np.flatnonzero(crowded[partition]), empty[0]
            elif len(lost):
                movable = np.flatnonzero(self.counts[:, rng.choice(lost)])
                target = rng.choice(np.setdiff1d(np.arange(self.folds), partition[movable]))
            else:
                break
            partition[rng.choice(movable)] = target
        return partition


def further(
    structure: Structure,
    dealt: Collection[Tests],
    drawn: np.ndarray,
    pool: Collection[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray | None:
    """Return a partition that was not dealt yet and is about as even as the best; None without one.

    Parameters
    ----------
    structure
        What is dealt.
    dealt
        The test sets of every repeat so far.
    drawn
        A partition that cannot be taken, but says how even one can be if all classes are learned.
    pool
        Partitions that leave every class in training.
    rng
        Chooses among those that share the fewest test sets with what was dealt.
    """
    known = [*pool, *[drawn] * structure.learnable(drawn)]
    if not known:
        return None
    best = min(map(structure.unevenness, known))
    limit = max(TOLERANCE * best, best + SLACK / structure.folds)
    tested = set().union(*dealt)
    fits = [
        (len(tests & tested), place)
        for place, partition in enumerate(pool)
        if (tests := sets_of(partition)) not in dealt and structure.unevenness(partition) <= limit
    ]
    if not fits:
        return None
    fewest = min(fits)[0]
    return list(pool)[rng.choice([place for shared, place in fits if shared == fewest])]
