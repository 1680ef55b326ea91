"""Forests of few trees, and folds made of features, for the tests of the pool."""

import numpy as np
import pytest
from fold_task import FoldTask

from balmi.methods.pooled import learners


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """Grow forests of 40 trees, which changes nothing that is tested."""
    monkeypatch.setattr(learners, "TREES", 40)


@pytest.fixture
def fold_of():
    """Return a maker of folds of given features; the first `learn` samples are learned from."""

    def make(features, labels, learn, available=None, groups=None, classes=None):
        count = len(labels)
        if available is None:
            available = np.ones((count, len(features)), dtype=bool)
        measured = {
            name: np.where(has[:, None], values, 0)
            for (name, values), has in zip(features.items(), available.T, strict=True)
        }
        return FoldTask(
            features=measured,
            available=available,
            labels=labels,
            groups=groups,
            classes=classes or int(labels.max()) + 1,
            fit=np.arange(learn),
            test=np.arange(learn, count),
            seed=3,
        )

    return make
