"""Small cohorts for the tests of the information estimates."""

import numpy as np
import pytest

from balmi.config.settings import Simulation
from balmi.data.cohort import Cohort
from balmi.data.simulate import simulate_cohort


@pytest.fixture(scope="session")
def cohort_of():
    """Return a function that makes a cohort from arrays."""

    def make(values, labels, groups=None, classes=None):
        labels = np.asarray(labels)
        names = classes or tuple(f"class-{k}" for k in range(labels.max() + 1))
        return Cohort(
            samples=np.array([f"s{i:04d}" for i in range(len(labels))]),
            labels=labels,
            classes=names,
            groups=None if groups is None else np.asarray(groups).astype(str),
            values=values,
            features={
                key: tuple(f"{key}{j}" for j in range(x.shape[1])) for key, x in values.items()
            },
            kinds=dict.fromkeys(values, "generic"),
            provenance={},
        )

    return make


@pytest.fixture(scope="session")
def simulated(cohort_of):
    """Return the simulated cohort, 400 samples in pairs of one patient, and its truth."""
    drawn = simulate_cohort(Simulation())
    index = drawn.samples.index
    classes = tuple(sorted(drawn.samples["subtype"].unique()))
    cohort = cohort_of(
        {key: table.reindex(index).to_numpy() for key, table in drawn.modalities.items()},
        np.searchsorted(classes, drawn.samples["subtype"]),
        drawn.samples["patient"],
        classes,
    )
    return cohort, drawn.truth


@pytest.fixture(scope="session")
def white_blocks():
    """Return a function that gives the blocks of a cross-fitting of given columns."""
    from balmi.information.crossfit import Block, fold_numbers

    def make(values, groups=None, folds=5, seed=0):
        fold = fold_numbers(len(values), groups, folds, seed)
        blocks = []
        for number in range(folds):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            centred = values - values[train].mean(axis=0)
            basis = np.linalg.inv(
                np.linalg.cholesky(centred[train].T @ centred[train] / len(train))
            ).T
            white = centred @ basis
            blocks.append(Block(train, test, white[train], white[test]))
        return blocks

    return make
