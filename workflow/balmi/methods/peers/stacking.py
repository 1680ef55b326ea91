"""Stacked logistic regression: one upon the out-of-fold predictions of the modalities' own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.methods.peers.logistic import fit_logistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.methods.peers.side import FittedBase, TrainingSide
    from balmi.preprocess.fitted import Samples

SMALLEST_PROBABILITY = 1e-6


def meta_features(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the log-probabilities of all modalities side by side.

    Parameters
    ----------
    probabilities
        (n, classes) per modality.

    Returns
    -------
    numpy.ndarray
        (n, modalities * classes).
    """
    return np.log(np.maximum(np.hstack(probabilities), SMALLEST_PROBABILITY))


@dataclass(frozen=True)
class FittedStack:
    """Stacked logistic regression that has learned.

    Parameters
    ----------
    bases
        The modalities' regressions.
    upper
        The regression on their log-probabilities.
    """

    bases: tuple[FittedBase, ...]
    upper: FittedLogistic

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return self.upper.predict(meta_features([base.predict(samples) for base in self.bases]))


def fit_stack(side: TrainingSide, *, balanced: bool = False) -> FittedStack:
    """Fit stacked logistic regression.

    Parameters
    ----------
    side
        The training side; the upper regression learns from its inner folds.
    balanced
        Whether samples weigh inversely to the frequency of their class in the upper regression.
    """
    learn = meta_features([side.held_out(name) for name in side.modalities])
    upper = fit_logistic(learn, side.labels, side.classes, balanced=balanced)
    return FittedStack(side.bases(), upper)


def stack_out_of_fold(side: TrainingSide, inner: np.ndarray) -> tuple[np.ndarray, FittedStack]:
    """Fit stacked logistic regression on given inner folds, and say what it says of its samples.

    The base regressions of a sample have not seen its inner fold, and neither has the upper one.
    What the upper one learns from, though, are predictions of base regressions that have: without
    any signal that makes the training side look about .05 nats better than it is, at 60 samples.

    Parameters
    ----------
    side
        The training side.
    inner
        Inner fold of every sample; (n,).

    Returns
    -------
    tuple of numpy.ndarray and FittedStack
        Probabilities of the training samples, each by a stack that has not learned from it,
        (n, classes); the stack that has learned from all.
    """
    labels, classes = side.labels, side.classes
    parts = [inner == number for number in np.unique(inner)]
    folds = [(np.flatnonzero(~here), np.flatnonzero(here)) for here in parts]
    learn = meta_features([side.held_out(name, folds) for name in side.modalities])
    held_out = np.empty((len(labels), classes))
    for here in parts:
        held_out[here] = fit_logistic(learn[~here], labels[~here], classes).predict(learn[here])
    return held_out, FittedStack(side.bases(), fit_logistic(learn, labels, classes))
