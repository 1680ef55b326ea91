"""The base models that peers share: one logistic regression per modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.methods.peers.logistic import FittedLogistic, fit_logistic, in_axes, principal_axes

if TYPE_CHECKING:
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples


@dataclass(frozen=True)
class FittedBase:
    """The regression of one modality, and what it says of the samples that it learned from.

    Parameters
    ----------
    modality
        Its name.
    prior
        Class frequencies of the training side, for samples that lack the modality; (classes,).
    regression
        On the modality's features. Where nothing could be learned, every sample gets the prior.
    held_out
        Probabilities of the training side, each sample by a regression that has not learned from
        its inner fold (`balmi.methods.peers.side.TrainingSide.base_folds`); (n, classes). The
        prior where a sample lacks the modality, or where there are no inner folds.
    """

    modality: str
    prior: np.ndarray
    regression: FittedLogistic
    held_out: np.ndarray

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        result = np.tile(self.prior, (len(samples), 1))
        has = samples.has(self.modality)
        if has.any():
            result[has] = self.regression.predict(samples.features[self.modality][has])
        return result


def fit_base(side: TrainingSide, modality: str) -> FittedBase:
    """Fit a modality's regression on all training samples that have it, and on inner folds.

    Principal axes are coordinates and shape no prediction, so that inner folds may share them.

    Parameters
    ----------
    side
        The training side.
    modality
        Its name.
    """
    features, has = side.samples.features[modality], side.samples.has(modality)
    axes = principal_axes(features[has])
    values = in_axes(features, axes)

    def learned_from(rows: np.ndarray) -> FittedLogistic:
        rows = rows[has[rows]]
        labels = side.labels[rows]
        if not values.shape[1] or len(np.unique(labels)) < 2:
            return FittedLogistic.of_shares(side.prior)
        return fit_logistic(values[rows], labels, side.classes)

    held_out = np.tile(side.prior, (len(side), 1))
    for learn, rest in side.base_folds:
        rows = rest[has[rest]]
        if rows.size:
            held_out[rows] = learned_from(learn).predict(values[rows])
    regression = learned_from(np.arange(len(side))).upon(axes)
    return FittedBase(modality, side.prior, regression, held_out)
