"""Similarity network fusion (Wang et al. 2014, Nature Methods 11:333) with absent modalities.

A network is fused over the training samples of a split. Validation and test samples are attached
to it by edges towards training samples only, so that nothing of them shapes the network.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Graph
    from balmi.data.splits import Split
    from balmi.preprocess.pipeline import Features

logger = logging.getLogger("balmi")

KERNEL_WIDTH = 0.5
SMALLEST = 1e-12


def _mean_neighbour_distance(distances: np.ndarray, neighbours: int, skip: int) -> np.ndarray:
    """Return each row's mean distance to its nearest columns, the first `skip` left out."""
    count = min(neighbours + skip, distances.shape[1])
    return np.partition(distances, count - 1, axis=1)[:, :count].sum(axis=1) / max(count - skip, 1)


def scaled_kernel(
    distances: np.ndarray, row_scale: np.ndarray, column_scale: np.ndarray
) -> np.ndarray:
    """Return exp(-d^2 / (mu eps^2)) with eps the mean of both scales and the distance.

    The paper prints eps without the square, which gives a number with a unit: with a thousand
    standardised features no similarity is above 1e-12, and modalities cannot be averaged. With the
    square and mu = .5 this is the kernel of the authors' own SNFtool up to its factor.

    Parameters
    ----------
    distances
        (rows, columns).
    row_scale, column_scale
        Mean distance of every row and column to its nearest neighbours.
    """
    width = (row_scale[:, None] + column_scale[None, :] + distances) / 3
    return np.exp(-(distances**2) / np.maximum(KERNEL_WIDTH * width**2, SMALLEST))


def _full(kernel: np.ndarray) -> np.ndarray:
    """Row-normalise with one half on the diagonal, as SNF does against self-dominance."""
    off = kernel.copy()
    np.fill_diagonal(off, 0)
    off /= np.maximum(2 * off.sum(axis=1, keepdims=True), SMALLEST)
    np.fill_diagonal(off, 0.5)
    return off


def _keep_nearest(kernel: np.ndarray, count: int) -> np.ndarray:
    """Zero all but the largest `count` entries of every row."""
    count = min(count, kernel.shape[1])
    kept = np.argpartition(-kernel, count - 1, axis=1)[:, :count]
    pruned = np.zeros_like(kernel)
    rows = np.arange(len(kernel))[:, None]
    pruned[rows, kept] = kernel[rows, kept]
    return pruned


def _row_stochastic(kernel: np.ndarray) -> np.ndarray:
    return kernel / np.maximum(kernel.sum(axis=1, keepdims=True), SMALLEST)


def fuse_kernels(kernels: Sequence[np.ndarray], neighbours: int, iterations: int) -> np.ndarray:
    """Fuse kernels of the same samples by cross-diffusion.

    Parameters
    ----------
    kernels
        Symmetric similarities, (n, n) each.
    neighbours
        Neighbours in the local kernels.
    iterations
        Rounds of diffusion; three give the same neighbours as twenty.

    Returns
    -------
    numpy.ndarray
        Symmetric fused similarity; (n, n).
    """
    status = [_full(kernel) for kernel in kernels]
    local = [_row_stochastic(_keep_nearest(kernel, neighbours)) for kernel in kernels]
    for _ in range(iterations if len(kernels) > 1 else 0):
        total = np.sum(status, axis=0)
        spread = [
            near @ ((total - own) / (len(kernels) - 1)) @ near.T
            for near, own in zip(local, status, strict=True)
        ]
        status = [_full((new + new.T) / 2) for new in spread]
    fused = np.mean(status, axis=0)
    return (fused + fused.T) / 2


def _observed_mean(kernels: np.ndarray) -> np.ndarray:
    """Return the mean similarity over the modalities that see a pair, 0 where none does.

    The average of NEMO (Rappoport and Shamir 2019, Bioinformatics 35:3348).
    """
    seen = ~np.isnan(kernels)
    return np.where(seen, kernels, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)


def fuse_network(
    features: dict[str, np.ndarray], available: np.ndarray, train: np.ndarray, settings: Graph
) -> csr_array:
    """Fuse the modalities of one split into a network that encoders pass messages on.

    Parameters
    ----------
    features
        Modality -> preprocessed features, fitted on the split's training side; (n, features).
    available
        Availability mask; (n, modalities).
    train
        Training rows: the only rows that edges lead to.
    settings
        Neighbours, kept neighbours, iterations.

    Returns
    -------
    scipy.sparse.csr_array
        (n, n). The training block is symmetrically normalised, D^-1/2 W D^-1/2; every other row
        holds edges to training samples that sum to 1. A row without any similarity is empty.
    """
    n = len(available)
    others = np.setdiff1d(np.arange(n), train)
    inner = np.full((len(features), len(train), len(train)), np.nan)
    outer = np.full((len(features), len(others), len(train)), np.nan)
    for index, values in enumerate(features.values()):
        has_train = np.flatnonzero(available[train, index])
        if not values.shape[1] or not has_train.size:
            continue
        has_other = np.flatnonzero(available[others, index])
        near = pairwise_distances(values[train[has_train]])
        scale = _mean_neighbour_distance(near, settings.neighbours, skip=1)
        inner[index][np.ix_(has_train, has_train)] = scaled_kernel(near, scale, scale)
        if has_other.size:
            far = pairwise_distances(values[others[has_other]], values[train[has_train]])
            far_scale = _mean_neighbour_distance(far, settings.neighbours, skip=0)
            outer[index][np.ix_(has_other, has_train)] = scaled_kernel(far, far_scale, scale)
    complete = np.where(np.isnan(inner), _observed_mean(inner), inner)
    fused = fuse_kernels(list(complete), settings.neighbours, settings.iterations)
    np.fill_diagonal(fused, 0)
    pruned = _keep_nearest(fused, settings.kept)
    pruned = np.maximum(pruned, pruned.T)
    degree = np.sqrt(np.maximum(pruned.sum(axis=1), SMALLEST))
    attached = _row_stochastic(_keep_nearest(_observed_mean(outer), settings.kept))
    network = np.zeros((n, n), dtype=np.float64)
    network[np.ix_(train, train)] = pruned / degree[:, None] / degree[None, :]
    network[np.ix_(others, train)] = attached
    return csr_array(network)


def fuse_splits(features: Features, splits: Sequence[Split], settings: Graph) -> list[csr_array]:
    """Fuse one network per split, from features fitted on its training side; (n, n) each."""
    networks = []
    for number, split in enumerate(splits, start=1):
        prepared = features.split(split.fit)
        networks.append(fuse_network(prepared, features.available, split.train, settings))
        logger.info("network %d of %d", number, len(splits))
    return networks
