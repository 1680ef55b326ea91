"""Peers that fuse features: one classifier on all modalities side by side."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.methods.peers.logistic import logistic

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.methods.peers.task import FoldTask

    Posterior = Callable[[FoldTask, np.ndarray], np.ndarray]

TREES = 500
# Margins are small numbers and calibration has few coefficients: under the usual penalty, rare
# classes are never predicted (macro-F1 .511 on TCGA-BRCA with seeds 10 and 11; .698 with this one).
CALIBRATION_INVERSE_PENALTY = 10.0
# With 63 bins instead of 255, TCGA-BRCA takes 40 % of the time and scores move by .003 at most.
BOOSTING = {
    **{"max_bin": 63, "n_jobs": 1, "verbosity": -1},
    **{"deterministic": True, "force_row_wise": True},
}


def side_by_side(task: FoldTask) -> np.ndarray:
    """Return all features of all rows, 0 (the mean) where a modality is absent; (n, features)."""
    return np.hstack(list(task.features.values()))


def _concatenated(task: FoldTask, method: Method, posterior: Posterior) -> dict[str, np.ndarray]:
    """Return what a classifier on all features says; class frequencies where it has no choice."""
    values = side_by_side(task)
    if not values.shape[1] or len(np.unique(task.labels[task.fit])) < 2:
        return {method: np.tile(task.prior, (len(task.test), 1))}
    return {method: posterior(task, values)}


def _regression(task: FoldTask, values: np.ndarray, *, balanced: bool) -> np.ndarray:
    learn, rows = values[task.fit], values[task.test]
    return logistic(learn, task.labels[task.fit], rows, task.classes, balanced=balanced)


def machine_scores(
    values: np.ndarray, labels: np.ndarray, rows: np.ndarray, classes: int
) -> np.ndarray:
    """Fit a support vector machine and return every class's mean margin over the other classes.

    Parameters
    ----------
    values, labels
        What is learned from; (n, features) and (n,).
    rows
        Features of what is predicted; (m, features).
    classes
        Number of classes.

    Returns
    -------
    numpy.ndarray
        (m, classes). A class that `labels` lacks has the lowest score of the row; where there is
        one class alone, all scores are 0.
    """
    seen = np.unique(labels)
    if len(seen) < 2:
        return np.zeros((len(rows), classes))
    machine = SVC(decision_function_shape="ovo").fit(values, labels)
    margins = machine.decision_function(rows)
    if len(seen) == 2:
        margins = -margins[:, None]  # of two classes alone, margins are positive for the second
    total = np.zeros((len(rows), classes))
    for (first, second), margin in zip(combinations(seen, 2), margins.T, strict=True):
        total[:, first] += margin
        total[:, second] -= margin
    total[:, seen] /= len(seen) - 1
    total[:, np.setdiff1d(np.arange(classes), seen)] = total[:, seen].min(axis=1, keepdims=True)
    return total


def _machine(task: FoldTask, values: np.ndarray) -> np.ndarray:
    """Return calibrated scores: Platt scaling of all classes, learned from inner folds."""
    inner = np.empty((len(task.fit), task.classes))
    for learn, rows in task.inner_folds():
        inner[np.searchsorted(task.fit, rows)] = machine_scores(
            values[learn], task.labels[learn], values[rows], task.classes
        )
    labels = task.labels[task.fit]
    outer = machine_scores(values[task.fit], labels, values[task.test], task.classes)
    penalty = CALIBRATION_INVERSE_PENALTY
    return logistic(inner, labels, outer, task.classes, inverse_penalty=penalty)


def _forest(task: FoldTask, values: np.ndarray) -> np.ndarray:
    """Return mean votes of the trees, and of one more that knows class frequencies alone.

    Without it a class that no tree votes for would have probability 0.
    """
    forest = RandomForestClassifier(TREES, random_state=task.seed, n_jobs=1)
    forest.fit(values[task.fit], task.labels[task.fit])
    votes = np.zeros((len(task.test), task.classes))
    votes[:, forest.classes_] = forest.predict_proba(values[task.test])
    return (TREES * votes + task.prior) / (TREES + 1)


def _boosting(task: FoldTask, values: np.ndarray) -> np.ndarray:
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError: its OpenMP library is not there
        raise MethodNotApplicable(f"lightgbm cannot be imported: {error}") from error
    labels = task.labels[task.fit]
    trees = lightgbm.LGBMClassifier(random_state=task.seed, **BOOSTING)
    trees.fit(values[task.fit], labels)
    result = np.zeros((len(task.test), task.classes))
    result[:, np.unique(labels)] = trees.predict_proba(values[task.test])
    return result


EARLY: dict[Method, Callable[[FoldTask], dict[str, np.ndarray]]] = {
    method: partial(_concatenated, method=method, posterior=posterior)
    for method, posterior in {
        Method.CONCAT_LR: partial(_regression, balanced=False),
        Method.CONCAT_LR_BALANCED: partial(_regression, balanced=True),
        Method.CONCAT_SVM: _machine,
        Method.CONCAT_FOREST: _forest,
        Method.CONCAT_BOOSTING: _boosting,
    }.items()
}
