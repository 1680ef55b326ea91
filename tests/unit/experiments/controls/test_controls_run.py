"""Negative controls: what they change, and that they find methods that see test samples."""

from dataclasses import replace

import numpy as np
import pytest
from changed_cohorts import lacking
from sklearn.feature_selection import f_classif

from balmi.config.methods import NETWORKS
from balmi.config.settings import (
    Evaluation,
    Information,
    Method,
    Model,
    Robustness,
    Scheme,
    Settings,
    Training,
)
from balmi.data.splits import as_splits, make_splits
from balmi.experiments.controls import run as controls
from balmi.experiments.controls.run import FEATURES, leaking_noise, on_permuted_labels, run_control
from balmi.experiments.controls.table import control_table
from balmi.methods import pipeline
from balmi.methods.peers import run as peers
from balmi.methods.peers.registry import PEERS
from balmi.methods.peers.run import baseline_stage, training_side
from balmi.preprocess.features import Features

EVALUATION = Evaluation(repeats=2, folds=4, seed=3)


def settings_of(evaluation, seed=0):
    return Settings(
        evaluation=evaluation,
        information=Information(folds=2, permutations=19, fold_permutations=19),
        model=Model(hidden=8),
        training=Training(epochs=8, members=2),
        robustness=Robustness(repeats=evaluation.repeats, seed=seed),
    )


def folds_of(cohort, evaluation=EVALUATION):
    return as_splits(make_splits(cohort, evaluation), cohort)


@pytest.fixture
def noise(make_cohort):
    """Return a wide cohort of which nothing can be learned, with samples that lack a modality."""
    rng = np.random.default_rng(5)
    cohort = make_cohort(np.sort(rng.integers(0, 3, 120)), {"rna": 300, "mirna": 40})
    return lacking(cohort, "mirna", slice(None, None, 5))


def stacks_on_test_samples(monkeypatch):
    """Let stacked logistic regression learn from the test samples too."""

    def with_tests(cohort, features, fitted, split, bases):
        every = replace(split, train=np.union1d(split.train, split.test))
        return training_side(cohort, features, fitted, every)

    monkeypatch.setattr(peers, "training_side", with_tests)


def fits_on_test_samples(monkeypatch):
    """Let logistic regression on all features learn from the test samples too."""
    stacks_on_test_samples(monkeypatch)
    monkeypatch.setitem(PEERS, Method.STACKED_LR, PEERS[Method.CONCAT_LR])


def chooses_by_test_samples(monkeypatch):
    """Choose features by the labels of all samples, before any fold is looked at."""

    def chosen_first(method, cohort, features, splits, bases):
        values, names = {}, {}
        for index, (name, table) in enumerate(cohort.tables.items()):
            has = cohort.available[:, index]
            best = np.argsort(-f_classif(table[has], cohort.labels[has])[0])[:15]
            values[name], names[name] = table[:, best], tuple(np.array(cohort.features[name])[best])
        own = replace(cohort, values=values, features=names)
        return baseline_stage(method, own, Features(own, features.max_features), splits)

    monkeypatch.setattr(pipeline, "baseline_stage", chosen_first)


def limits(control, cohort, method=Method.STACKED_LR, evaluation=EVALUATION):
    settings = settings_of(evaluation, seed=11)
    found = run_control(control, [method], cohort, folds_of(cohort, evaluation), settings)
    assert [status.status for status in found.statuses] == ["ok"]
    return control_table([found.predictions], cohort.classes, 1 / 3).iloc[0]


@pytest.mark.parametrize(
    ("control", "leaky"),
    [
        ("leak", stacks_on_test_samples),
        ("leak", fits_on_test_samples),
        ("labels", fits_on_test_samples),
        ("labels", chooses_by_test_samples),
    ],
)
def test_a_leaky_method_is_found(noise, monkeypatch, control, leaky):
    leaky(monkeypatch)
    found = limits(control, noise)
    assert found["lower99"] > 0.5
    assert found["value"] > 0.7


@pytest.mark.parametrize("control", ["leak", "labels"])
@pytest.mark.parametrize("method", [Method.STACKED_LR, Method.BALANCED])
def test_an_honest_method_is_at_chance(noise, control, method):
    once = EVALUATION.model_copy(update={"repeats": 1})
    found = limits(control, noise, method, once if method in NETWORKS else EVALUATION)
    assert found["lower99"] < 0.5
    assert found["value"] < 0.75
    assert found["folds"] == (4 if method in NETWORKS else 8)


def test_a_strong_signal_of_the_cohort_does_not_reach_the_controls(noise):
    for values in noise.tables.values():
        values[:, :10] += 3 * noise.labels[:, None]
    for control in ("leak", "labels"):
        assert limits(control, noise)["lower99"] < 0.5


def test_permuted_labels_keep_the_test_folds_and_their_classes(noise):
    splits = folds_of(noise)
    trials = list(on_permuted_labels(noise, splits, EVALUATION, seed=0))
    found = [split for trial in trials for split in trial.splits]
    assert [len(trial.splits) for trial in trials] == [4, 4]
    for old, new in zip(splits, found, strict=True):
        assert (old.repeat, old.fold) == (new.repeat, new.fold)
        np.testing.assert_array_equal(old.test, new.test)
        np.testing.assert_array_equal(old.fit, new.fit)
        labels = trials[new.repeat].cohort.labels
        counts = [np.bincount(each[new.test]) for each in (noise.labels, labels)]
        np.testing.assert_array_equal(*counts)
        assert (labels[new.test] != noise.labels[new.test]).mean() > 0.4
        assert all(len(np.unique(labels[each.train])) == 3 for each in new.members(5))
    assert (trials[0].cohort.labels != trials[1].cohort.labels).any()


def test_permuted_labels_keep_groups_that_are_left_out(noise):
    groups = np.array([f"site{i % 3}" for i in range(len(noise.labels))])
    cohort = replace(noise, groups=groups)
    evaluation = Evaluation(scheme=Scheme.LEAVE_ONE_GROUP_OUT, training_share=0.5)
    splits = folds_of(cohort, evaluation)
    (trial,) = on_permuted_labels(cohort, splits, evaluation, seed=0)
    for old, new in zip(splits, trial.splits, strict=True):
        np.testing.assert_array_equal(old.test, new.test)
        assert set(groups[new.test]) == {f"site{new.fold}"}
        assert not set(groups[new.fit]) & set(groups[new.test])


def test_leaking_noise_tells_the_class_of_test_samples_alone(noise):
    splits = folds_of(noise)
    for trial in leaking_noise(noise, splits, EVALUATION, seed=0):
        (split,) = trial.splits
        values = trial.cohort.tables["rna"]
        assert values.shape == (120, FEATURES)
        assert trial.cohort.tables["mirna"].shape == (120, 40)
        assert len(trial.cohort.features["rna"]) == FEATURES
        spread = [values[side].std(axis=0) for side in (split.test, split.fit)]
        assert FEATURES / 4 < (spread[0] > 1.5).sum() <= FEATURES / 2
        assert spread[1].max() < 1.5
        old, new = noise.available, trial.cohort.available
        for side in (split.fit, split.test):
            assert old[side].sum() == new[side].sum()
        np.testing.assert_array_equal(trial.cohort.labels, noise.labels)


def test_what_a_sample_lacks_says_nothing_in_the_leak_control(noise):
    first = noise.labels == 0
    noise = lacking(noise, "mirna", first)
    changed = [
        t.cohort.available[:, 1] for t in leaking_noise(noise, folds_of(noise), EVALUATION, 0)
    ]
    share = np.mean([each[first].mean() for each in changed])
    assert share == pytest.approx(np.mean([each.mean() for each in changed]), abs=0.1)


def test_a_control_is_the_same_whatever_else_runs(noise):
    splits = folds_of(noise)
    both = list(leaking_noise(noise, splits, EVALUATION, seed=4))
    (alone,) = leaking_noise(noise, splits[5:6], EVALUATION, seed=4)
    np.testing.assert_array_equal(alone.cohort.tables["rna"], both[5].cohort.tables["rna"])
    (other,) = leaking_noise(noise, splits[5:6], EVALUATION, seed=5)
    assert (other.cohort.tables["rna"] != both[5].cohort.tables["rna"]).all()


@pytest.mark.parametrize("control", ["leak", "labels"])
def test_a_method_without_an_end_in_every_fold_has_no_rows(make_cohort, control):
    cohort = make_cohort(np.repeat([0, 1], [40, 3]))
    once = Evaluation(repeats=1, folds=2)
    methods = [Method.UNIMODAL_LR, Method.MAJORITY]
    found = run_control(control, methods, cohort, folds_of(cohort, once), settings_of(once))
    assert [status.status for status in found.statuses] == ["not_applicable", "ok"]
    assert set(found.predictions["method"]) == {"majority"}
    assert set(found.predictions["control"]) == {control}
    assert set(found.predictions["truth"]) == {"a", "b"}


def test_controls_run_in_the_first_repeats(noise):
    settings = settings_of(EVALUATION).model_copy(update={"robustness": Robustness(repeats=1)})
    found = run_control("labels", [Method.MAJORITY], noise, folds_of(noise), settings)
    assert set(found.predictions["repeat"]) == {0}


@pytest.mark.parametrize("control", ["leak", "labels"])
def test_many_samples_are_not_all_trained_on_and_all_tested(noise, monkeypatch, control):
    trained = []

    def noted(method, cohort, features, splits, bases):
        trained.extend(len(split.fit) for split in splits)
        return baseline_stage(method, cohort, features, splits, bases)

    monkeypatch.setattr(controls, "TRAINED", 70)
    monkeypatch.setattr(pipeline, "baseline_stage", noted)
    once = EVALUATION.model_copy(update={"repeats": 1})
    settings = settings_of(once)
    found = run_control(control, [Method.CONCAT_LR], noise, folds_of(noise, once), settings)
    assert len(trained) == 4
    assert all(70 <= count < 75 for count in trained)  # a rare class has its few besides
    assert len(found.predictions) == len(noise.samples)
