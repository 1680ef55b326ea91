"""Networks of many samples, on pairs alone that are near each other in some modality.

The candidate edges are the union of the modalities' lists of nearest neighbours. A candidate weighs
the mean similarity over the modalities that both samples have, as in NEMO (Rappoport and Shamir
2019, Bioinformatics 35:3348). There is no diffusion, and no matrix of all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from sklearn.neighbors import NearestNeighbors

from balmi.graph.kernels import scaled_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Graph
    from balmi.graph.kernels import Modality

BLOCK_VALUES = 2**22  # features of pairs that are held at once: 32 MB


@dataclass(frozen=True)
class Nearest:
    """The nearest core samples of every sample in one modality.

    Parameters
    ----------
    scale
        Mean distance of a sample to its nearest core samples, 0 where there are none; (n,).
    inside, outside
        Pairs of a sample and a core sample near it, where the sample lies in the core and where
        not; (pairs, 2).
    """

    scale: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def nearest_core(
    modality: Modality, core: np.ndarray, others: np.ndarray, settings: Graph
) -> Nearest:
    """Find the nearest core samples of all samples that have a modality.

    Parameters
    ----------
    modality
        The modality; at least one core sample has it.
    core, others
        The rows that edges lead to, and the rest.
    settings
        Neighbours, and neighbours kept where these are more.
    """
    near, far = (rows[modality.has[rows]] for rows in (core, others))
    search = NearestNeighbors().fit(modality.values[near])
    scale = np.zeros(len(modality.has))
    pairs = []
    queries = ((near, None, len(near) - 1), (far, modality.values[far], len(near)))
    for rows, values, most in queries:
        count = min(max(settings.neighbours, settings.kept), most)
        if not rows.size or not count:
            pairs.append(np.empty((0, 2), dtype=np.int64))
            continue
        distances, places = search.kneighbors(values, count)
        scale[rows] = distances[:, : settings.neighbours].mean(axis=1)
        pairs.append(np.column_stack([np.repeat(rows, count), near[places].ravel()]))
    return Nearest(scale, *pairs)


def _union(pairs: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Return every pair once, sorted; (pairs, 2)."""
    keys = np.unique(np.concatenate([each[:, 0] * n + each[:, 1] for each in pairs]))
    return np.column_stack([keys // n, keys % n])


def mean_similarity(
    pairs: np.ndarray, modalities: Sequence[Modality], scales: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the mean similarity of pairs over the modalities that both samples have.

    Parameters
    ----------
    pairs
        Rows of both samples, which share a modality; (pairs, 2).
    modalities
        The modalities.
    scales
        Mean distance of every sample to its nearest core samples, per modality; (n,) each.
    """
    total, seen = np.zeros(len(pairs)), np.zeros(len(pairs), dtype=np.int64)
    for modality, scale in zip(modalities, scales, strict=True):
        shared = np.flatnonzero(modality.has[pairs].all(axis=1))
        size = max(1, BLOCK_VALUES // modality.values.shape[1])
        for start in range(0, len(shared), size):
            block = shared[start : start + size]
            left, right = pairs[block].T
            distances = np.linalg.norm(modality.values[left] - modality.values[right], axis=1)
            total[block] += scaled_kernel(distances, scale[left], scale[right])
        seen[shared] += 1
    return total / seen


def keep_best(pairs: np.ndarray, weights: np.ndarray, count: int, n: int) -> csr_array:
    """Keep the `count` heaviest pairs of every first sample, of equals the first; (n, n)."""
    order = np.lexsort((pairs[:, 1], -weights, pairs[:, 0]))
    rows = pairs[order, 0]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = order[rank < count]
    return csr_array((weights[kept], tuple(pairs[kept].T)), shape=(n, n))


def neighbour_edges(
    modalities: Sequence[Modality], core: np.ndarray, others: np.ndarray, settings: Graph
) -> tuple[csr_array, csr_array]:
    """Return the best candidate edges within the core, and from the other rows to it.

    Parameters
    ----------
    modalities
        The modalities; at least one core sample has each.
    core, others
        The rows that edges lead to, and the rest.
    settings
        Neighbours and kept neighbours.

    Returns
    -------
    tuple of scipy.sparse.csr_array
        Similarities, (n, n) each: `kept` per row at most, neither symmetric nor normalised.
    """
    n = len(core) + len(others)
    near = [nearest_core(modality, core, others, settings) for modality in modalities]
    scales = [each.scale for each in near]
    # A pair is looked at from both ends where it is near from one, and measured once.
    inside = _union([np.sort(each.inside, axis=1) for each in near], n)
    weights = mean_similarity(inside, modalities, scales)
    both = np.concatenate([inside, inside[:, ::-1]])
    outside = _union([each.outside for each in near], n)
    return (
        keep_best(both, np.tile(weights, 2), settings.kept, n),
        keep_best(outside, mean_similarity(outside, modalities, scales), settings.kept, n),
    )
