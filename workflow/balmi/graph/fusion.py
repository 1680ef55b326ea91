"""Similarity networks of samples, fused over modalities of which samples may lack some.

A network is fused over the core: the training and validation samples of a split, and the test
samples as well where that is asked for. All other samples are attached to it by edges that lead
into the core only, so that nothing of them shapes the network. A core of moderate size is fused
exactly, by similarity network fusion (SNF; Wang et al. 2014, Nature Methods 11:333); a large one on
the modalities' nearest neighbours (`balmi.graph.neighbours`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array, vstack
from sklearn.metrics import pairwise_distances

from balmi.errors import Problem, UserError
from balmi.graph.kernels import SMALLEST, Modality, scaled_kernel
from balmi.graph.neighbours import neighbour_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Graph
    from balmi.data.splits import Split
    from balmi.preprocess.features import Features

logger = logging.getLogger("balmi")

# Neighbours are found by comparing all pairs, block by block: of more core samples, with 2,000
# features, that takes an hour or more in ten folds.
MOST_SAMPLES = 50_000
BLOCK_PAIRS = 2**22  # similarities per modality that are held at once while samples are attached


def _mean_neighbour_distance(distances: np.ndarray, neighbours: int, skip: int) -> np.ndarray:
    """Return each row's mean distance to its nearest columns, the first `skip` left out."""
    count = min(neighbours + skip, distances.shape[1])
    return np.partition(distances, count - 1, axis=1)[:, :count].sum(axis=1) / max(count - skip, 1)


def _full(kernel: np.ndarray) -> np.ndarray:
    """Row-normalise with one half on the diagonal, as SNF does against self-dominance."""
    off = kernel.copy()
    np.fill_diagonal(off, 0)
    off /= np.maximum(2 * off.sum(axis=1, keepdims=True), SMALLEST)
    np.fill_diagonal(off, 0.5)
    return off


def _keep_nearest(kernel: np.ndarray, count: int) -> csr_array:
    """Keep the largest `count` entries of every row, of those that are not 0."""
    count = min(count, kernel.shape[1])
    columns = np.argpartition(-kernel, count - 1, axis=1)[:, :count]
    rows = np.repeat(np.arange(len(kernel)), count)
    kept = csr_array((kernel[rows, columns.ravel()], (rows, columns.ravel())), shape=kernel.shape)
    kept.eliminate_zeros()
    return kept


def _row_stochastic(network: csr_array) -> csr_array:
    return csr_array(diags_array(1 / np.maximum(network.sum(axis=1), SMALLEST)) @ network)


def _symmetric(network: csr_array) -> csr_array:
    """Join a network with its transpose and normalise it: D^-1/2 W D^-1/2."""
    joined = network.maximum(network.T)
    scale = diags_array(1 / np.sqrt(np.maximum(joined.sum(axis=1), SMALLEST)))
    return csr_array(scale @ joined @ scale)


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


def _observed_mean(kernels: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean similarity over the modalities that see a pair, 0 where none does.

    The average of NEMO (Rappoport and Shamir 2019, Bioinformatics 35:3348).
    """
    total, seen = np.zeros_like(kernels[0]), np.zeros_like(kernels[0])
    for kernel in kernels:
        known = ~np.isnan(kernel)
        np.add(total, kernel, out=total, where=known)
        seen += known
    return total / np.maximum(seen, 1)


def _inner_kernel(
    modality: Modality, core: np.ndarray, neighbours: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return similarities within the core, (core, core), and scales, (core,); NaN where unseen."""
    kernel = np.full((len(core), len(core)), np.nan)
    scale = np.full(len(core), np.nan)
    own = np.flatnonzero(modality.has[core])
    distances = pairwise_distances(modality.values[core[own]])
    scale[own] = _mean_neighbour_distance(distances, neighbours, skip=1)
    kernel[np.ix_(own, own)] = scaled_kernel(distances, scale[own, None], scale[own])
    return kernel, scale


def _outer_kernel(
    modality: Modality, rows: np.ndarray, core: np.ndarray, scale: np.ndarray, neighbours: int
) -> np.ndarray:
    """Return similarities of rows with the core, NaN where unseen; (rows, core)."""
    kernel = np.full((len(rows), len(core)), np.nan)
    has, own = np.flatnonzero(modality.has[rows]), np.flatnonzero(modality.has[core])
    if has.size:
        distances = pairwise_distances(modality.values[rows[has]], modality.values[core[own]])
        far = _mean_neighbour_distance(distances, neighbours, skip=0)
        kernel[np.ix_(has, own)] = scaled_kernel(distances, far[:, None], scale[own])
    return kernel


def exact_edges(
    modalities: Sequence[Modality], core: np.ndarray, others: np.ndarray, settings: Graph
) -> tuple[csr_array, csr_array]:
    """Return the best edges of the exact fusion of the core, and from the other rows to it.

    Parameters
    ----------
    modalities
        The modalities; at least one core sample has each.
    core, others
        The rows that edges lead to, and the rest.
    settings
        Neighbours, kept neighbours, iterations.

    Returns
    -------
    tuple of scipy.sparse.csr_array
        Similarities, (n, n) each: `kept` per row at most, neither symmetric nor normalised.
    """
    inner = [_inner_kernel(modality, core, settings.neighbours) for modality in modalities]
    kernels, scales = (list(each) for each in zip(*inner, strict=True))
    mean = _observed_mean(kernels)
    for kernel in kernels:
        np.copyto(kernel, mean, where=np.isnan(kernel))
    fused = fuse_kernels(kernels, settings.neighbours, settings.iterations)
    np.fill_diagonal(fused, 0)
    size = max(1, BLOCK_PAIRS // len(core))
    attached = [csr_array((0, len(core)))]
    for start in range(0, len(others), size):
        rows = others[start : start + size]
        outer = [
            _outer_kernel(modality, rows, core, scale, settings.neighbours)
            for modality, scale in zip(modalities, scales, strict=True)
        ]
        attached.append(_keep_nearest(_observed_mean(outer), settings.kept))
    n = len(core) + len(others)
    return (
        _placed(_keep_nearest(fused, settings.kept), core, core, n),
        _placed(vstack(attached), others, core, n),
    )


def _placed(block: csr_array, rows: np.ndarray, columns: np.ndarray, n: int) -> csr_array:
    """Return the network of all samples that holds the block in these rows and columns; (n, n)."""
    edges = block.tocoo()
    ends = (rows[edges.coords[0]], columns[edges.coords[1]])
    return csr_array((edges.data, ends), shape=(n, n))


def fuse_network(
    features: dict[str, np.ndarray], available: np.ndarray, core: np.ndarray, settings: Graph
) -> csr_array:
    """Fuse the modalities of one split into a network that encoders pass messages on.

    Parameters
    ----------
    features
        Modality -> preprocessed features, fitted on the split's training side; (n, features).
    available
        Availability mask; (n, modalities).
    core
        Sorted rows that the network is fused over: the only rows that edges lead to.
    settings
        Neighbours, kept neighbours, iterations, and the largest core that is fused exactly.

    Returns
    -------
    scipy.sparse.csr_array
        (n, n). The core's block is symmetrically normalised, D^-1/2 W D^-1/2; every other row
        holds edges to core samples that sum to 1. A row without any similarity is empty.
    """
    n = len(available)
    modalities = [
        Modality(values, has)
        for values, has in zip(features.values(), available.T, strict=True)
        if values.shape[1] and has[core].any()
    ]
    if not modalities:
        return csr_array((n, n))
    edges = exact_edges if len(core) <= settings.largest else neighbour_edges
    inside, attached = edges(modalities, core, np.setdiff1d(np.arange(n), core), settings)
    return csr_array(_symmetric(inside) + _row_stochastic(attached))


def core_rows(split: Split, transductive: bool) -> np.ndarray:
    """Return the rows that a split's network is fused over; the same for all members of a fold."""
    return np.sort(np.concatenate([split.fit, split.test])) if transductive else split.fit


def fuse_splits(features: Features, splits: Sequence[Split], settings: Graph) -> list[csr_array]:
    """Fuse one network per split, from features fitted on its training side; (n, n) each.

    Raises
    ------
    UserError
        Where a split has more than `MOST_SAMPLES` samples to fuse over, before anything is fused.
    """
    most = max((len(core_rows(split, settings.transductive)) for split in splits), default=0)
    if most > MOST_SAMPLES:
        found = f"above 0, with {most:,} samples in a training part, every two of them compared"
        allowed = (
            f"0, or at most {MOST_SAMPLES:,} samples in a training part: see"
            " advanced.evaluation.training_share"
        )
        raise UserError([Problem("model.graph_weight", found, allowed)])
    networks = []
    for number, split in enumerate(splits, start=1):
        prepared = features.split(split.fit)
        core = core_rows(split, settings.transductive)
        networks.append(fuse_network(prepared, features.available, core, settings))
        logger.info(
            "network %d of %d: %d samples, %s; fused %s advanced.graph.largest (%d)",
            *(number, len(splits), len(core)),
            "test samples among them" if settings.transductive else "no test sample among them",
            "exactly, at most" if len(core) <= settings.largest else "on nearest neighbours, above",
            settings.largest,
        )
    return networks
