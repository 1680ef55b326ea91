"""Samples that are near-copies of each other: without a group column, a sign that some repeat.

A copy on both sides of a split is a test sample that was trained on. Measurements repeated on one
patient are rarely this alike, so that finding none does not show that samples are independent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.measurements import single_valued
from balmi.preprocess.features import Features

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split

CORRELATION = 0.999  # above it two samples differ by less than a thirtieth of their spread
FEATURES = 1000  # of largest variance: enough to tell samples apart, and quick
FEWEST_FEATURES = 20  # with fewer, samples correlate that much by chance
NEIGHBOURS = 5
JOIN = " + "
# A feature whose values most samples share tells few apart: many are alike in all such by chance.
FEWEST_DISTINCT = 0.25  # of the samples
UNLIKELY = 0.01  # pairs that chance is to make, for it to explain one


@dataclass(frozen=True)
class Copies:
    """Two samples that are near-copies in a modality, or in several small ones together.

    Parameters
    ----------
    modality
        Its name, or several joined by ``+``.
    first, second
        Rows, ascending.
    """

    modality: str
    first: int
    second: int


def near_copies(cohort: Cohort) -> list[Copies]:
    """Return the pairs of samples whose standardised profiles correlate above `CORRELATION`.

    Every sample is compared with its `NEIGHBOURS` nearest in each modality that has at least
    `FEWEST_FEATURES` features that vary. The modalities that have fewer are taken together, over
    the samples that have them all and by the features that tell samples apart. For centred profiles
    of length 1 the squared distance is 2 - 2r, so that the nearest neighbours are those of largest
    correlation r.

    A sample with one value in all features of a modality, as without any mutation or any count, is
    nobody's copy there. Where few features of a modality tell samples apart, as of mutations,
    unrelated samples may be alike by chance: a pair that chance explains (`by_chance`) counts
    unless another modality tells the two apart.

    Parameters
    ----------
    cohort
        The cohort; features are standardised over all samples, since nothing is learned here.
    """
    features = Features(cohort, FEATURES)
    found: list[Copies] = []
    doubtful: set[Copies] = set()
    small: list[str] = []
    telling: list[str] = []
    for name in cohort.modalities:
        rows, profiles = _profiles(cohort, features, (name,))
        if profiles.shape[1] < FEWEST_FEATURES:
            small.append(name)
        else:
            flat = single_valued(cohort.values[name].of(rows))
            pairs = [pair for pair in _pairs(profiles) if not flat[list(pair)].any()]
            found += _copies(name, rows, pairs)
            if _telling(profiles).sum() >= FEWEST_FEATURES:
                telling.append(name)
            else:
                rare = rarity(profiles)
                by_luck = [pair for pair in pairs if by_chance(profiles, rare, *pair)]
                doubtful.update(_copies(name, rows, by_luck))
    if len(small) > 1:
        rows, profiles = _profiles(cohort, features, small)
        profiles = profiles[:, _telling(profiles)]
        if profiles.shape[1] >= FEWEST_FEATURES:
            found += _copies(JOIN.join(small), rows, _pairs(profiles))
            telling.append(JOIN.join(small))
    alike: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for pair in found:
        alike[pair.first, pair.second].add(pair.modality)
    others = set(telling)
    return [
        pair
        for pair in found
        if pair not in doubtful or not _share(pair, others - alike[pair.first, pair.second], cohort)
    ]


def rarity(profiles: np.ndarray) -> np.ndarray:
    """Return the log frequency of every value in its feature, 0 for the commonest; (n, features).

    Parameters
    ----------
    profiles
        Features that have few distinct values each; (n, features).
    """
    result = np.zeros(profiles.shape)
    for column, values in zip(result.T, profiles.T, strict=True):
        _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        logs = np.where(counts == counts.max(), 0.0, np.log(counts / len(values)))
        column[:] = logs[place]
    return result


def by_chance(profiles: np.ndarray, rare: np.ndarray, first: int, second: int) -> bool:
    """Return whether two samples may well be alike by chance.

    Features count at which both have the same value, and not the commonest one: were samples and
    features independent, so many pairs of all would have these values in common as there are pairs
    times the product of the squared frequencies. Chance explains more than `UNLIKELY` of a pair.

    Parameters
    ----------
    profiles
        Features that have few distinct values each; (n, features).
    rare
        Their `rarity`.
    first, second
        Rows.
    """
    shared = profiles[first] == profiles[second]
    pairs = len(profiles) ** 2 / 2
    return bool(np.log(pairs) + 2 * rare[first, shared].sum() > np.log(UNLIKELY))


def _share(pair: Copies, modalities: Iterable[str], cohort: Cohort) -> bool:
    """Return whether both samples have one of the modalities, or of those joined by ``+``."""
    rows = [pair.first, pair.second]
    return any(
        cohort.available[np.ix_(rows, [cohort.modalities.index(n) for n in name.split(JOIN)])].all()
        for name in modalities
    )


def _profiles(
    cohort: Cohort, features: Features, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that have some modalities, and their standardised features side by side."""
    has = [cohort.modalities.index(name) for name in names]
    rows = np.flatnonzero(cohort.available[:, has].all(axis=1))
    if len(rows) < 2:
        return rows, np.empty((len(rows), 0))
    profiles = features.apply(features.fit(rows, names), rows)
    return rows, np.hstack(list(profiles.features.values()))


def _copies(modality: str, rows: np.ndarray, pairs: Iterable[tuple[int, int]]) -> list[Copies]:
    return [Copies(modality, *map(int, rows[list(pair)])) for pair in pairs]


def _telling(profiles: np.ndarray) -> np.ndarray:
    """Return which features have many distinct values; (features,), bool."""
    distinct = [len(np.unique(column)) for column in profiles.T]
    return np.array(distinct) >= max(2, FEWEST_DISTINCT * len(profiles))


def _pairs(profiles: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of rows whose profiles correlate above `CORRELATION`, each once."""
    from sklearn.neighbors import NearestNeighbors

    centred = profiles - profiles.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    told = np.flatnonzero(lengths[:, 0] > 0)
    if len(told) < 2:
        return []
    units = centred[told] / lengths[told]
    count = min(NEIGHBOURS, len(told) - 1)
    distances, neighbours = NearestNeighbors(n_neighbors=count).fit(units).kneighbors()
    close, place = np.nonzero(1 - distances**2 / 2 > CORRELATION)
    pairs = np.sort(np.column_stack([told[close], told[neighbours[close, place]]]), axis=1)
    return sorted(set(map(tuple, pairs.tolist())))


def divided(copies: Iterable[Copies], splits: Sequence[Split]) -> list[Copies]:
    """Return the copies of which a split tests one and learns from the other."""
    return [
        pair
        for pair in copies
        if any(
            np.isin((pair.first, pair.second), split.test).any()
            and np.isin((pair.first, pair.second), split.fit).any()
            for split in splits
        )
    ]
