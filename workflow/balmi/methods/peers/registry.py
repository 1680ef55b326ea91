"""The peers by name. Each learns from a training side, and predicts samples whatever they lack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from balmi.config.settings import Method
from balmi.methods.deciding import Said
from balmi.methods.peers.absence import fit_absence, needs_absence
from balmi.methods.peers.early import EARLY
from balmi.methods.peers.late import fit_late, fit_unimodal, fit_vcdn
from balmi.methods.peers.similarity import fit_similarity
from balmi.methods.peers.stacking import fit_stack
from balmi.methods.pooled.least_squares import fit_least_squares
from balmi.methods.pooled.method import fit_pooled, fit_unimodal_pooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples


class FittedPeer(Protocol):
    """A peer that has learned from the training side of one fold."""

    def predict(self, samples: Samples) -> np.ndarray | Said | dict[str, np.ndarray | Said]:
        """Return probabilities, (n, classes), or those of several methods by name.

        Where it is not the most probable class that is decided on, the rule comes with them.
        """


@dataclass(frozen=True)
class Majority:
    """The class frequencies of the training side, the same for every sample."""

    prior: np.ndarray

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return np.tile(self.prior, (len(samples), 1))


def fit_majority(side: TrainingSide) -> Majority:
    """Count the classes."""
    return Majority(side.prior)


PEERS: dict[Method, Callable[[TrainingSide], FittedPeer]] = {
    Method.POOLED: fit_pooled,
    Method.UNIMODAL_POOLED: fit_unimodal_pooled,
    Method.MAJORITY: fit_majority,
    Method.ABSENCE_LR: fit_absence,
    **EARLY,
    Method.STACKED_LR: fit_stack,
    Method.STACKED_LR_BALANCED: partial(fit_stack, balanced=True),
    Method.NNLS_STACK: fit_least_squares,
    Method.UNIMODAL_LR: fit_unimodal,
    Method.LATE_FUSION: fit_late,
    Method.VCDN: fit_vcdn,
    Method.SNF: fit_similarity,
}

# What a peer asks of the availability mask of a cohort, where it cannot run on every cohort.
NEEDS: dict[Method, Callable[[np.ndarray], None]] = {Method.ABSENCE_LR: needs_absence}


def predicted(method: Method, fitted: FittedPeer, samples: Samples) -> dict[str, Said]:
    """Return what is said by the name of the method, or of each part of it."""
    told = fitted.predict(samples)
    parts = told if isinstance(told, dict) else {str(method): told}
    return {name: each if isinstance(each, Said) else Said(each) for name, each in parts.items()}
