"""Metrics of predicted probabilities, one registry for all.

Every metric takes true class codes and probabilities, so that all can be recomputed from
``predictions.parquet`` without training again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn import metrics as sk

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST_PROBABILITY = 1e-15
CALIBRATION_BINS = 10


def macro_f1(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean F1 over classes; a class neither present nor predicted is left out."""
    return float(
        sk.f1_score(labels, probabilities.argmax(axis=1), average="macro", zero_division=0)
    )


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of samples whose most probable class is the true one."""
    return float(np.mean(labels == probabilities.argmax(axis=1)))


def balanced_accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean recall over the classes that are present."""
    predicted = probabilities.argmax(axis=1)
    return float(np.mean([np.mean(predicted[labels == k] == k) for k in np.unique(labels)]))


def macro_auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean one-vs-rest AUROC over the classes that are present but not alone."""
    present = [k for k in np.unique(labels) if (labels != k).any()]
    return float(np.mean([sk.roc_auc_score(labels == k, probabilities[:, k]) for k in present]))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean negative log-probability of the true class, in nats."""
    true = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(true, SMALLEST_PROBABILITY)).mean())


def ece(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error of the top class, ten bins of equal width.

    Guo et al. (2017), ICML: the mean over samples of |accuracy - confidence| of their bin.
    """
    confidence = probabilities.max(axis=1)
    correct = labels == probabilities.argmax(axis=1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gap = np.bincount(bins, correct - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(labels))


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "macro_f1": macro_f1,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_auroc": macro_auroc,
    "log_loss": log_loss,
    "ece": ece,
}
