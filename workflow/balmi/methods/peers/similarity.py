"""Peer on similarity networks: what the nearest training samples in the fused network are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Graph, Method
from balmi.graph.fusion import fuse_network

if TYPE_CHECKING:
    from balmi.methods.peers.task import FoldTask

NEIGHBOURS = 20
NETWORK = Graph(neighbours=NEIGHBOURS, kept=NEIGHBOURS)


def nearest_shares(similarities: np.ndarray) -> np.ndarray:
    """Keep the 20 largest similarities of every row, as shares of their sum.

    Parameters
    ----------
    similarities
        (rows, columns), none below 0.

    Returns
    -------
    numpy.ndarray
        (rows, columns); rows sum to 1, and a row without any similarity is 0.
    """
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, :NEIGHBOURS]
    kept = np.zeros_like(similarities)
    np.put_along_axis(kept, nearest, np.take_along_axis(similarities, nearest, axis=1), axis=1)
    total = kept.sum(axis=1, keepdims=True)
    return np.divide(kept, total, out=kept, where=total > 0)


def snf(task: FoldTask) -> dict[str, np.ndarray]:
    """Class shares of the 20 nearest training samples in the fused network.

    Similarity network fusion (Wang et al. 2014, Nature Methods 11:333) of the training samples, to
    which a test sample is attached by edges of its own. What is near to it are the ends of these
    edges and, through the fused network, their neighbours. Neighbours weigh by similarity, and one
    more is added to every class (Laplace), so that none has probability 0. Where nothing is near,
    class frequencies remain.
    """
    network = fuse_network(task.features, task.available, task.fit, NETWORK)
    attached = network[task.test][:, task.fit]
    near = nearest_shares((attached + attached @ network[task.fit][:, task.fit]).toarray())
    shares = near @ np.eye(task.classes)[task.labels[task.fit]]
    smoothed = (NEIGHBOURS * shares + 1) / (NEIGHBOURS + task.classes)
    return {Method.SNF: np.where(near.any(axis=1)[:, None], smoothed, task.prior)}
