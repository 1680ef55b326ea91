"""A small fold for the tests of the peers and of the pool."""

import numpy as np
import pytest
from fold_task import FoldTask

SAMPLES, CLASSES = 90, 3


@pytest.fixture
def make_task():
    """Return a function that makes a fold of 90 samples, 60 of them to learn from."""

    def make(lacking=True, groups=None, seed=0, **changes):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(SAMPLES) % CLASSES)
        features = {
            "a": rng.normal(size=(SAMPLES, 6)) + 1.2 * np.eye(6)[labels],
            "b": rng.normal(size=(SAMPLES, 4)) + 0.8 * np.eye(4)[labels],
        }
        available = np.ones((SAMPLES, 2), dtype=bool)
        if lacking:
            available[rng.permutation(SAMPLES)[:20], 1] = False
            features["b"][~available[:, 1]] = 0
        order = rng.permutation(SAMPLES)
        parts = {
            "features": features,
            "available": available,
            "labels": labels,
            "groups": groups,
            "classes": CLASSES,
            "fit": np.sort(order[:60]),
            "test": np.sort(order[60:]),
            "seed": 3,
        }
        return FoldTask(**parts | changes)

    return make
