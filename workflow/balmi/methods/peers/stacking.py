"""Stacked logistic regression with out-of-fold predictions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.methods.peers.logistic import logistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.methods.peers.task import FoldTask

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


def stacked_out_of_fold(task: FoldTask, inner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what stacked logistic regression says of its training side and of test samples.

    The base regressions of a sample have not seen its inner fold, and neither has the upper one.
    What the upper one learns from, though, are predictions of base regressions that have: without
    any signal that makes the training side look about .05 nats better than it is, at 60 samples.

    Parameters
    ----------
    task
        The fold.
    inner
        Inner fold of every row of `task.fit`; (fit,).

    Returns
    -------
    tuple of numpy.ndarray
        Probabilities; (fit, classes), (test, classes).
    """
    labels = task.labels[task.fit]
    parts = [inner == number for number in np.unique(inner)]
    folds = [(task.fit[~here], task.fit[here]) for here in parts]
    learn = meta_features([task.held_out(name, folds) for name in task.features])
    outer = [task.probabilities(name, task.fit, task.test) for name in task.features]
    result = np.empty((len(labels), task.classes))
    for here in parts:
        result[here] = logistic(learn[~here], labels[~here], learn[here], task.classes)
    return result, logistic(learn, labels, meta_features(outer), task.classes)
