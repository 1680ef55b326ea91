"""Stacking by non-negative least squares, as super learners do it.

A mean of the probabilities of a regression and a forest of every modality, with weights of at least
0 that bring its out-of-fold probabilities nearest to the labels, in squares (Breiman 1996, Machine
Learning 24:49; van der Laan et al. 2007, Stat. Appl. Genet. Mol. Biol. 6:25). Nothing is shrunk,
and nothing sees two modalities at once: a simple method to hold the pool against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from balmi.errors import MethodNotApplicable
from balmi.methods.pooled.experts import OfModality, telling
from balmi.methods.pooled.learners import forest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.methods.peers.side import TrainingSide
    from balmi.methods.pooled.experts import FittedExpert
    from balmi.preprocess.fitted import Samples


def least_squares_weights(held_out: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Return weights of at least 0, summing to 1; (members,).

    Parameters
    ----------
    held_out
        Out-of-fold probabilities by every member; (n, classes) each, NaN where there are none.
    labels
        Class codes; (n,).

    Returns
    -------
    numpy.ndarray
        Equal ones where least squares gives none a weight.
    """
    said = np.array(held_out)
    judged = ~np.isnan(said).any(axis=(0, 2))
    truth = np.eye(said.shape[2])[labels[judged]]
    weights, _ = nnls(said[:, judged].reshape(len(said), -1).T, truth.ravel())
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(said), 1 / len(said))


@dataclass(frozen=True)
class Mean:
    """A weighted mean of what members say; of samples that lack its modality, one says the prior.

    Parameters
    ----------
    members
        What has learned.
    weights
        One per member, summing to 1.
    prior
        Class frequencies of the training side, said where there is no member.
    """

    members: tuple[FittedExpert, ...]
    weights: np.ndarray
    prior: np.ndarray

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        if not self.members:
            return np.tile(self.prior, (len(samples), 1))
        said = np.array([member.predict(samples) for member in self.members])
        return np.tensordot(self.weights, said, axes=1)


def fit_least_squares(side: TrainingSide) -> Mean:
    """Fit a regression and a forest per modality, and their weights.

    Raises
    ------
    MethodNotApplicable
        Where nothing can be held out.
    """
    if not side.base_folds:
        raise MethodNotApplicable("there is only one group in a training part")
    members: list[FittedExpert] = []
    held_out = []
    for name in telling(side):
        base = side.base(name)
        out_of_bag, said = side.lesson(forest, name)
        members += [base, OfModality(name, side.prior, said)]
        held_out += [base.held_out, out_of_bag]
    weights = least_squares_weights(held_out, side.labels) if members else np.zeros(0)
    return Mean(tuple(members), weights, side.prior)
