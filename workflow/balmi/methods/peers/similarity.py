"""Peer on similarity networks: what the nearest training samples in the fused network are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Graph
from balmi.data.measurements import row_blocks
from balmi.errors import MethodNotApplicable
from balmi.graph.fusion import MOST_SAMPLES, fuse_network

if TYPE_CHECKING:
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples

NEIGHBOURS = 20
BLOCK_PAIRS = 2**22  # similarities of samples with training samples that are held at once: 32 MB
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


@dataclass(frozen=True)
class FittedSimilarity:
    """The training samples, to which others are attached.

    Parameters
    ----------
    side
        The training side.
    """

    side: TrainingSide

    def predict(self, samples: Samples) -> np.ndarray:
        """Return class shares of the 20 nearest training samples; (n, classes).

        A sample is attached to the fused network of the training samples by edges of its own. What
        is near to it are the ends of these edges and, through the fused network, their neighbours.
        Neighbours weigh by similarity, and one more is added to every class (Laplace), so that none
        has probability 0. Where nothing is near, class frequencies remain.
        """
        side, both = self.side, self.side.samples.followed_by(samples)
        core = np.arange(len(side))
        network = fuse_network(both.features, both.available, core, NETWORK)
        inside, attached = (
            network[: len(side)][:, : len(side)],
            network[len(side) :][:, : len(side)],
        )
        reached, member = attached + attached @ inside, np.eye(side.classes)[side.labels]
        shares = np.empty((len(samples), side.classes))
        for rows in row_blocks(reached, BLOCK_PAIRS):
            shares[rows] = nearest_shares(reached[rows].toarray()) @ member
        smoothed = (NEIGHBOURS * shares + 1) / (NEIGHBOURS + side.classes)
        return np.where(shares.any(axis=1)[:, None], smoothed, side.prior)


def fit_similarity(side: TrainingSide) -> FittedSimilarity:
    """Keep the training samples, whose networks are fused when others are attached.

    Similarity network fusion (Wang et al. 2014, Nature Methods 11:333).

    Raises
    ------
    MethodNotApplicable
        Where there are more than `balmi.graph.fusion.MOST_SAMPLES` training samples.
    """
    if len(side) > MOST_SAMPLES:
        raise MethodNotApplicable(
            f"the network compares every two of {len(side):,} training samples, and would take"
            f" hours with more than {MOST_SAMPLES:,}; advanced.evaluation.training_share makes"
            " samples fewer"
        )
    return FittedSimilarity(side)
