"""The pooled predictor, and its restriction to one modality, in one fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.methods.peers.choice import best_of
from balmi.methods.pooled.experts import experts_of_all, experts_of_modality
from balmi.methods.pooled.mixing import evidence, fit_weights, pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.methods.peers.side import TrainingSide
    from balmi.methods.pooled.experts import Expert
    from balmi.preprocess.fitted import Samples


@dataclass(frozen=True)
class Pool:
    """Experts that have learned, and their weights.

    Parameters
    ----------
    experts
        The experts.
    weights
        One per expert.
    prior
        Smoothed class frequencies of the training side.
    held_out
        What the pool says of the training side by experts that have not learned from a sample, with
        weights that have; (n, classes).
    """

    experts: tuple[Expert, ...]
    weights: np.ndarray
    prior: np.ndarray
    held_out: np.ndarray

    @classmethod
    def of(cls, experts: Sequence[Expert], side: TrainingSide) -> Pool:
        """Weigh experts by what they say out of fold.

        Parameters
        ----------
        experts
            The experts; with none the pool says the class frequencies.
        side
            The training side that they learned from.
        """
        counts = np.bincount(side.labels, minlength=side.classes) + 0.5
        prior = counts / counts.sum()
        if not experts:
            return cls((), np.zeros(0), prior, np.tile(prior, (len(side), 1)))
        said = [each.held_out for each in experts]
        judged = ~np.isnan(said).any(axis=(0, 2))
        beyond = np.nan_to_num(_beyond(experts, said, side.samples, prior))
        weights = fit_weights(beyond[:, judged], side.labels[judged], prior)
        return cls(tuple(experts), weights, prior, pooled(beyond, weights, prior))

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        if not self.experts:
            return np.tile(self.prior, (len(samples), 1))
        said = [each.fitted.predict(samples) for each in self.experts]
        return pooled(_beyond(self.experts, said, samples, self.prior), self.weights, self.prior)


def _beyond(
    experts: Sequence[Expert], said: Sequence[np.ndarray], samples: Samples, prior: np.ndarray
) -> np.ndarray:
    """Return the evidence of experts, none of those that cannot see a sample."""
    beyond = evidence(said, prior)
    for own, expert in zip(beyond, experts, strict=True):
        if expert.modality is not None:
            own[~samples.has(expert.modality)] = 0
    return beyond


def _check(side: TrainingSide) -> None:
    if not side.base_folds:
        raise MethodNotApplicable("there is only one group in a training part")


def fit_pooled(side: TrainingSide) -> Pool:
    """Fit all experts and pool them.

    Raises
    ------
    MethodNotApplicable
        Where nothing can be held out.
    """
    _check(side)
    single = [each for name in side.modalities for each in experts_of_modality(side, name)]
    return Pool.of([*single, *experts_of_all(side)], side)


@dataclass(frozen=True)
class OnePool:
    """A pool per modality, and which of them is the best.

    Parameters
    ----------
    pools
        Modality -> the pool of the experts that see nothing else.
    best
        The modality that inner folds find best.
    """

    pools: dict[str, Pool]
    best: str

    def predict(self, samples: Samples) -> dict[str, np.ndarray]:
        """Return probabilities by the best modality, and by each of them; (n, classes) each."""
        said = {name: pool.predict(samples) for name, pool in self.pools.items()}
        named = {f"{Method.UNIMODAL_POOLED}/{name}": p for name, p in said.items()}
        return {str(Method.UNIMODAL_POOLED): said[self.best], **named}


def fit_unimodal_pooled(side: TrainingSide) -> OnePool:
    """Fit the pool of every modality, and choose the one that inner folds find best.

    Raises
    ------
    MethodNotApplicable
        As `fit_pooled` does.
    """
    _check(side)
    pools = {name: Pool.of(list(experts_of_modality(side, name)), side) for name in side.modalities}
    return OnePool(pools, best_of(side, {name: pool.held_out for name, pool in pools.items()}))
