"""Peers from scikit-learn. Each predicts every test sample of a fold, whatever it lacks.

The peers share their base models: one logistic regression per modality, fitted on the training
samples that have it. A sample without the modality gets the class frequencies of the training part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INNER_FOLDS = 5
MAX_ITERATIONS = 1000
# Chosen for the strongest peer, stacked LR, on TCGA-BRCA with seeds 10 and 11, which the shipped
# configuration does not report: .782 macro-F1 and .376 log-loss there, against .747 and .499 at 1.
INVERSE_PENALTY = 0.1
SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class FoldTask:
    """What a peer may see of one fold.

    Parameters
    ----------
    features
        Modality -> preprocessed features, fitted on the rows `fit`; (n, features).
    available
        Availability mask; (n, modalities).
    labels
        Class codes; those of `test` rows are not read by any peer; (n,).
    groups
        Group of every row, or None.
    classes
        Number of classes.
    fit, test
        Rows to learn from and rows to predict.
    seed
        Seed of inner folds.
    """

    features: dict[str, np.ndarray]
    available: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None
    classes: int
    fit: np.ndarray
    test: np.ndarray
    seed: int

    @cached_property
    def prior(self) -> np.ndarray:
        """Class frequencies of the training part; (classes,)."""
        counts = np.bincount(self.labels[self.fit], minlength=self.classes)
        return counts / counts.sum()

    def inner_folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (learn, hold out) rows of an inner stratified (group) k-fold of `fit`.

        Raises
        ------
        MethodNotApplicable
            Where the training part has fewer than two groups, or members of the rarest class.
        """
        labels = self.labels[self.fit]
        groups = None if self.groups is None else self.groups[self.fit]
        units = len(labels) if groups is None else len(np.unique(groups))
        rarest = int(np.bincount(labels, minlength=self.classes).min())
        count = min(INNER_FOLDS, rarest, units)
        if count < 2:
            what = "a class has fewer than 2 members" if rarest < 2 else "there is only one group"
            raise MethodNotApplicable(f"{what} in a training part")
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        splitter = kind(count, shuffle=True, random_state=self.seed)
        for learn, held_out in splitter.split(self.fit, labels, groups):
            yield self.fit[learn], self.fit[held_out]

    def probabilities(self, modality: str, learn: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Fit the modality's logistic regression on `learn` and predict `rows`.

        Returns
        -------
        numpy.ndarray
            Probabilities; (len(rows), classes). Rows without the modality hold the prior.
        """
        has = self.available[:, list(self.features).index(modality)]
        values, learn = self.features[modality], learn[has[learn]]
        result = np.tile(self.prior, (len(rows), 1))
        if len(np.unique(self.labels[learn])) < 2 or not values.shape[1]:
            return result
        here = has[rows]
        if here.any():
            result[here] = logistic(values[learn], self.labels[learn], values[rows[here]], self)
        return result

    def held_out(self, modality: str) -> np.ndarray:
        """Return out-of-fold probabilities of the rows `fit`; (len(fit), classes)."""
        result = np.empty((len(self.fit), self.classes))
        for learn, rows in self.inner_folds():
            result[np.searchsorted(self.fit, rows)] = self.probabilities(modality, learn, rows)
        return result


def logistic(
    values: np.ndarray, labels: np.ndarray, rows: np.ndarray, task: FoldTask
) -> np.ndarray:
    """Fit an L2 logistic regression (C = 0.1) and return probabilities of all classes.

    Parameters
    ----------
    values, labels
        What is learned from; (n, features) and (n,).
    rows
        Features of what is predicted; (m, features).
    task
        The fold, for the number of classes.

    Returns
    -------
    numpy.ndarray
        (m, classes); a class that `labels` lacks has probability 0.
    """
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS).fit(values, labels)
    result = np.zeros((len(rows), task.classes))
    result[:, model.classes_] = model.predict_proba(rows)
    return result


def concat_lr(task: FoldTask) -> dict[str, np.ndarray]:
    """Logistic regression on all features side by side; absent modalities are 0, the mean."""
    values = np.hstack(list(task.features.values()))
    return {
        Method.CONCAT_LR: logistic(values[task.fit], task.labels[task.fit], values[task.test], task)
    }


def stacked_lr(task: FoldTask) -> dict[str, np.ndarray]:
    """Logistic regression on the out-of-fold log-probabilities of the modalities' regressions."""

    def logs(probabilities: list[np.ndarray]) -> np.ndarray:
        return np.log(np.maximum(np.hstack(probabilities), SMALLEST_PROBABILITY))

    inner = logs([task.held_out(name) for name in task.features])
    outer = logs([task.probabilities(name, task.fit, task.test) for name in task.features])
    return {Method.STACKED_LR: logistic(inner, task.labels[task.fit], outer, task)}


def unimodal_lr(task: FoldTask) -> dict[str, np.ndarray]:
    """One logistic regression per modality, and the one that inner folds find best by log-loss."""
    labels = task.labels[task.fit]
    result, losses = {}, {}
    for name in task.features:
        true = task.held_out(name)[np.arange(len(labels)), labels]
        losses[name] = -np.log(np.maximum(true, SMALLEST_PROBABILITY)).mean()
        key = f"{Method.UNIMODAL_LR}/{name}"
        result[key] = task.probabilities(name, task.fit, task.test)
    best = min(losses, key=losses.get)
    return {Method.UNIMODAL_LR: result[f"{Method.UNIMODAL_LR}/{best}"], **result}


def late_fusion(task: FoldTask) -> dict[str, np.ndarray]:
    """Mean probability of the modalities that a sample has."""
    has = task.available[task.test].astype(float)
    stack = np.stack(
        [task.probabilities(name, task.fit, task.test) for name in task.features], axis=1
    )
    return {Method.LATE_FUSION: np.einsum("nm,nmc->nc", has, stack) / has.sum(axis=1)[:, None]}


PEERS: dict[Method, Callable[[FoldTask], dict[str, np.ndarray]]] = {
    Method.CONCAT_LR: concat_lr,
    Method.STACKED_LR: stacked_lr,
    Method.UNIMODAL_LR: unimodal_lr,
    Method.LATE_FUSION: late_fusion,
}
