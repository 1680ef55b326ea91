"""Peers that fuse decisions: they join the class probabilities of one regression per modality."""

from __future__ import annotations

import warnings
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.methods.peers.choice import best_modality
from balmi.methods.peers.logistic import logistic
from balmi.methods.peers.stacking import meta_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.methods.peers.task import FoldTask

MOST_COMBINATIONS = 4096
# On TCGA-BRCA with seeds 10 and 11 ten times the step size overfits: log-loss .572 instead of .418.
DISCOVERY = {"hidden_layer_sizes": (32,), "learning_rate_init": 0.001, "max_iter": 200}


def late_fusion(task: FoldTask) -> dict[str, np.ndarray]:
    """Mean probability of the modalities that a sample has."""
    has = task.available[task.test].astype(float)
    stack = np.stack(
        [task.probabilities(name, task.fit, task.test) for name in task.features], axis=1
    )
    return {Method.LATE_FUSION: np.einsum("nm,nmc->nc", has, stack) / has.sum(axis=1)[:, None]}


def unimodal_lr(task: FoldTask) -> dict[str, np.ndarray]:
    """One logistic regression per modality, and the one that inner folds find best.

    See `balmi.methods.peers.choice` for which samples the choice is made on.
    """
    result = {
        f"{Method.UNIMODAL_LR}/{name}": task.probabilities(name, task.fit, task.test)
        for name in task.features
    }
    best = best_modality(task)
    return {Method.UNIMODAL_LR: result[f"{Method.UNIMODAL_LR}/{best}"], **result}


def _base_probabilities(task: FoldTask) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return every modality's out-of-fold probabilities of `fit`, and those of `test`."""
    inner = [task.held_out(name) for name in task.features]
    return inner, [task.probabilities(name, task.fit, task.test) for name in task.features]


def _stacked(task: FoldTask, *, balanced: bool) -> np.ndarray:
    inner, outer = (meta_features(parts) for parts in _base_probabilities(task))
    return logistic(inner, task.labels[task.fit], outer, task.classes, balanced=balanced)


def stacked_lr(task: FoldTask) -> dict[str, np.ndarray]:
    """Logistic regression on the out-of-fold log-probabilities of the modalities' regressions."""
    return {Method.STACKED_LR: _stacked(task, balanced=False)}


def stacked_lr_balanced(task: FoldTask) -> dict[str, np.ndarray]:
    """Stacking whose upper regression weighs samples inversely to the frequency of their class."""
    return {Method.STACKED_LR_BALANCED: _stacked(task, balanced=True)}


def outer_product(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the joint probabilities of independent modalities.

    Parameters
    ----------
    probabilities
        Class probabilities of every modality; (n, classes) each.

    Returns
    -------
    numpy.ndarray
        (n, classes ** modalities); the last modality's class varies fastest.
    """

    def joined(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)

    return reduce(joined, probabilities)


def vcdn(task: FoldTask) -> dict[str, np.ndarray]:
    """Small network on the outer product of the modalities' out-of-fold probabilities.

    The idea of the view correlation discovery network of MOGONET (Wang et al. 2021, Nature
    Communications 12:3445), on the regressions that all peers share instead of graph networks.

    Raises
    ------
    MethodNotApplicable
        Where the outer product would have more than 4096 cells.
    """
    cells = task.classes ** len(task.features)
    if cells > MOST_COMBINATIONS:
        what = f"{task.classes} classes in {len(task.features)} modalities"
        raise MethodNotApplicable(f"{what} are {cells} combinations, more than {MOST_COMBINATIONS}")
    inner, outer = (outer_product(parts) for parts in _base_probabilities(task))
    network = MLPClassifier(**DISCOVERY, random_state=task.seed)
    with warnings.catch_warnings():
        # The number of epochs is fixed, as in the paper.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        network.fit(inner, task.labels[task.fit])
    return {Method.VCDN: network.predict_proba(outer)}
