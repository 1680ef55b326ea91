"""A peer over all folds of a cohort."""

from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from balmi.config.methods import NETWORKS
from balmi.config.settings import Evaluation, Method
from balmi.data.cohort import Cohort
from balmi.data.splits import PARTS, Split, make_splits
from balmi.methods.outcome import Result, attempt
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.features import Features

PEERS = [method for method in Method if method not in NETWORKS]


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(60) % 3)
    values = {name: rng.normal(3, 2, size=(60, 5)) + 2 * np.eye(5)[labels] for name in "ab"}
    values["b"][::7] = np.nan
    return Cohort(
        samples=np.array([f"s{i:02d}" for i in range(60)]),
        labels=labels,
        classes=("ash", "birch", "cedar"),
        groups=np.array([f"p{i // 2:02d}" for i in range(60)]),
        values=values,
        features=dict.fromkeys("ab", tuple("vwxyz")),
        kinds=dict.fromkeys("ab", "generic"),
        provenance={},
    )


@pytest.fixture
def splits(cohort):
    table = make_splits(cohort, Evaluation(repeats=2, folds=3, seed=0))
    found = []
    for (repeat, fold), rows in table.groupby(["repeat", "fold"]):
        parts = {
            part: np.sort(cohort.positions(rows.loc[rows["part"] == part, "sample"].astype(str)))
            for part in PARTS
        }
        found.append(Split(repeat, fold, **parts))
    return found


@pytest.mark.parametrize("method", PEERS)
def test_every_test_sample_of_every_fold_is_predicted(cohort, splits, method):
    table = fit_baseline(method, cohort, Features(cohort, 4), splits).predictions
    columns = ["sample", "repeat", "fold", "method", "predicted", "prior_power"]
    columns += ["p:ash", "p:birch", "p:cedar"]
    assert list(table.columns) == columns
    names = [str(method)]
    if method in (Method.UNIMODAL_LR, Method.UNIMODAL_POOLED):
        names += [f"{method}/a", f"{method}/b"]
    if method is Method.POOLED:
        names += ["pooled/linear", "pooled/additive"]
    assert set(table["method"]) == set(names)
    for name in names:
        for split in splits:
            part = table[
                (table.method == name) & (table.repeat == split.repeat) & (table.fold == split.fold)
            ]
            assert list(part["sample"]) == list(cohort.samples[split.test])
    assert table[columns[6:]].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(table)))


def test_learns_from_training_and_validation_samples(cohort, splits):
    table = fit_baseline(Method.UNIMODAL_LR, cohort, Features(cohort, 10), splits).predictions
    split = splits[4]
    x = cohort.tables["a"]
    x = (x - x[split.fit].mean(axis=0)) / x[split.fit].std(axis=0)
    model = LogisticRegression(C=0.1, max_iter=5000, tol=1e-8).fit(
        x[split.fit], cohort.labels[split.fit]
    )
    part = table[
        (table.method == "unimodal-lr/a")
        & (table.repeat == split.repeat)
        & (table.fold == split.fold)
    ]
    found = part[["p:ash", "p:birch", "p:cedar"]].to_numpy()
    assert found == pytest.approx(model.predict_proba(x[split.test]), abs=5e-3)


def test_a_peer_that_cannot_run_says_why(cohort, splits):
    """A fold whose training side has a single member of a class."""
    only = np.flatnonzero(cohort.labels == 2)
    rest = np.flatnonzero(cohort.labels != 2)
    split = Split(0, 0, np.sort(np.r_[rest[:30], only[:1]]), rest[30:32], only[1:])
    fit = partial(fit_baseline, Method.STACKED_LR, cohort, Features(cohort, 4), [splits[0], split])
    status, result = attempt("stacked-lr", fit, Result.none(cohort.classes))
    assert (status.method, status.status) == ("stacked-lr", "not_applicable")
    assert status.reason == "a class has fewer than 2 members in a training part"
    assert result.predictions.empty
