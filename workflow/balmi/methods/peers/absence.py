"""The peer that measures nothing: it sees only who has which modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.errors import MethodNotApplicable
from balmi.methods.peers.logistic import fit_logistic

if TYPE_CHECKING:
    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples

EVERYTHING = "every sample has every modality"
INVERSE_PENALTY = 1.0  # scikit-learn's own: a few columns of zeros and ones need little penalty


def needs_absence(available: np.ndarray) -> None:
    """Refuse a cohort in which nothing is absent.

    Parameters
    ----------
    available
        Availability mask of all samples; (n, modalities), bool.

    Raises
    ------
    MethodNotApplicable
        Where every sample has every modality.
    """
    if available.all():
        raise MethodNotApplicable(EVERYTHING)


@dataclass(frozen=True)
class FittedAbsence:
    """A regression on who has what.

    Parameters
    ----------
    patterns
        The patterns of availability that were learned from; (patterns, modalities), bool.
    regression
        On the mask, and on which pattern it is.
    """

    patterns: np.ndarray
    regression: FittedLogistic

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return self.regression.predict(_mask_features(samples.available, self.patterns))


def _mask_features(available: np.ndarray, patterns: np.ndarray) -> np.ndarray:
    """Return who has what, and which whole pattern of the learned ones; (n, columns).

    A pattern that nobody learned from is told by its modalities alone.
    """
    same = (available[:, None, :] == patterns[None, :, :]).all(axis=2)
    return np.hstack([available, same]).astype(float)


def fit_absence(side: TrainingSide) -> FittedAbsence:
    """Fit a logistic regression to the availability mask and its patterns, and to nothing else."""
    available = side.samples.available
    patterns = np.unique(available, axis=0)
    values = _mask_features(available, patterns)
    regression = fit_logistic(values, side.labels, side.classes, inverse_penalty=INVERSE_PENALTY)
    return FittedAbsence(patterns, regression)
