"""How what was learned becomes what is written: a table by type, so that nothing else slips in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from balmi.methods.peers.base import FittedBase
from balmi.methods.peers.early import FittedMachine
from balmi.methods.peers.logistic import Axes
from balmi.methods.pooled.experts import Expert
from balmi.methods.pooled.method import Pool
from balmi.prediction.plain import Chain, Landmarks, Margins, Scale, Trees, WithProducts

if TYPE_CHECKING:
    from collections.abc import Callable

LEAF = -1  # what scikit-learn has for the child of a leaf


def trees_of(forest: RandomForestClassifier) -> Trees:
    """Return the arrays of a forest."""
    parts: dict[str, list[np.ndarray]] = {
        name: [] for name in ("roots", "features", "thresholds", "left", "right", "votes")
    }
    nodes = leaves = 0
    for tree in (each.tree_ for each in forest.estimators_):
        is_leaf = tree.children_left == LEAF
        # The place of every node of the tree among all nodes, or among all leaves as -1 - place.
        places = np.where(
            is_leaf, -np.cumsum(is_leaf) - leaves, np.cumsum(~is_leaf) - 1 + nodes
        ).astype(np.int32)
        inner = ~is_leaf
        parts["roots"].append(places[:1])
        parts["features"].append(tree.feature[inner].astype(np.int32))
        parts["thresholds"].append(tree.threshold[inner])
        parts["left"].append(places[tree.children_left[inner]])
        parts["right"].append(places[tree.children_right[inner]])
        votes = tree.value[is_leaf, 0, :]
        parts["votes"].append((votes / votes.sum(axis=1, keepdims=True)).astype(np.float32))
        nodes, leaves = nodes + int(inner.sum()), leaves + int(is_leaf.sum())
    return Trees(
        classes_=np.asarray(forest.classes_, dtype=np.int64),
        **{name: np.concatenate(arrays) for name, arrays in parts.items()},
    )


def _machine(machine: FittedMachine) -> FittedMachine:
    """Return a machine whose support vectors are all that it keeps of what it learned from."""
    svc, none = machine.machine, np.zeros((0, machine.learned.shape[1]))
    if not isinstance(svc, SVC):
        return replace(machine, learned=none)
    margins = Margins(
        kernel=svc.kernel,
        vectors=machine.learned[svc.support_],
        counts=np.asarray(svc.n_support_, dtype=np.int64),
        coefficients=svc.dual_coef_,
        intercepts=svc.intercept_,
    )
    return replace(machine, machine=margins, learned=none)


def _chain(pipeline: Pipeline) -> Chain:
    return Chain(tuple(CONVERTED[type(step)](step) for _, step in pipeline.steps))


def _without_held_out(thing: Any) -> Any:
    """Return an expert or a regression without what it says of single training samples."""
    return replace(thing, held_out=thing.held_out[:0])


def _pool(pool: Pool) -> Pool:
    return replace(pool, held_out=pool.held_out[:0], judged=pool.judged[:0])


# Type -> what is written in its place. Of other types dataclasses are written as they are.
CONVERTED: dict[type, Callable[[Any], Any]] = {
    RandomForestClassifier: trees_of,
    PCA: lambda pca: Axes(pca.mean_, pca.components_),
    StandardScaler: lambda scaler: Scale(scaler.mean_, scaler.scale_),
    PolynomialFeatures: lambda products: WithProducts(int(products.n_features_in_)),
    Pipeline: _chain,
    Nystroem: lambda kernel: Landmarks(
        float(kernel.gamma), kernel.components_, kernel.normalization_
    ),
    FittedMachine: _machine,
    FittedBase: _without_held_out,
    Expert: _without_held_out,
    Pool: _pool,
}


def converted(thing: Any) -> Any:
    """Return what is written in the place of something learned."""
    return CONVERTED.get(type(thing), lambda same: same)(thing)
