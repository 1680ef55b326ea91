"""A cohort of three classes, and predictions of three methods for it."""

import numpy as np
import pandas as pd
import pytest

FOLDS = 3


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.tile([0, 1, 2], 8))


@pytest.fixture
def predicted():
    """Return a maker of the predictions of a method: fold of every sample, probabilities."""

    def make(cohort, method, folds, probabilities, repeat=0, rows=slice(None)):
        head = {"sample": cohort.samples[rows], "repeat": repeat, "fold": folds, "method": method}
        columns = {
            f"p:{name}": column
            for name, column in zip(cohort.classes, probabilities.T, strict=True)
        }
        return pd.DataFrame({**head, **columns})

    return make


@pytest.fixture
def predictions(cohort, predicted):
    """Three methods on the same two repeats of three folds, rows in no order."""
    rng = np.random.default_rng(1)
    folds = [rng.permutation(24) % FOLDS for _ in range(2)]
    tables = [
        predicted(cohort, method, folds[repeat], rng.dirichlet(np.ones(3), 24), repeat)
        for method in ("one", "two", "three")
        for repeat in range(2)
    ]
    return pd.concat(tables, ignore_index=True).sample(frac=1, random_state=0)
