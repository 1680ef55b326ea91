"""The peer that measures nothing: it sees only who has which modality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.methods.peers.logistic import logistic

if TYPE_CHECKING:
    from balmi.methods.peers.task import FoldTask

EVERYTHING = "every sample has every modality"
INVERSE_PENALTY = 1.0  # scikit-learn's own: a few columns of zeros and ones need little penalty


def _mask_features(available: np.ndarray, learn: np.ndarray) -> np.ndarray:
    """Return who has what, and which whole pattern of the learned rows; (n, columns).

    A pattern that no learned row has is told by its modalities alone.
    """
    patterns = np.unique(available[learn], axis=0)
    same = (available[:, None, :] == patterns[None, :, :]).all(axis=2)
    return np.hstack([available, same]).astype(float)


def absence_lr(task: FoldTask) -> dict[str, np.ndarray]:
    """Logistic regression on the availability mask and its patterns, and on nothing else.

    Raises
    ------
    MethodNotApplicable
        Where every sample has every modality.
    """
    if task.available.all():
        raise MethodNotApplicable(EVERYTHING)
    values = _mask_features(task.available, task.fit)
    labels = task.labels[task.fit]
    found = logistic(
        values[task.fit], labels, values[task.test], task.classes, inverse_penalty=INVERSE_PENALTY
    )
    return {Method.ABSENCE_LR: found}
