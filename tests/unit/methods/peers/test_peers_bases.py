"""The base regressions of every fold: fitted once, stored, and what the methods rest on."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.linear_model import LogisticRegression

from balmi.config.methods import METHODS
from balmi.config.settings import Evaluation, Expert, Method, Model, Settings
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.splits import as_splits, make_splits
from balmi.errors import MethodFailed, MethodNotApplicable, UserError
from balmi.experiments.probes.peers import fit_and_probe
from balmi.methods.experts import fit_linear
from balmi.methods.peers import base as base_module
from balmi.methods.peers import logistic
from balmi.methods.peers.bases import fit_bases, read_bases, write_bases
from balmi.methods.peers.logistic import fit_logistic, in_axes, principal_axes
from balmi.methods.peers.run import baseline_stage, training_side
from balmi.methods.peers.stacking import fit_stack
from balmi.methods.pipeline import run_pipeline
from balmi.preprocess.features import Features

RESTING = [method for method in METHODS if METHODS[method].reads_bases(Model())]
PEERS = [method for method in RESTING if method is not Method.BALANCED]
FOLDS, WIDE = 3, 40


@pytest.fixture
def cohort(make_cohort, tmp_path):
    """Return a cohort as read from its file: one modality wide, one that some samples lack."""
    made = make_cohort(np.arange(36) % 3, {"wide": WIDE, "narrow": 4})
    values = dict(made.tables)
    values["narrow"][[1, 8, 20, 33]] = np.nan
    write_cohort(replace(made, values=values), tmp_path / "cohort.h5mu", tmp_path / "samples.json")
    return read_cohort(tmp_path / "cohort.h5mu")


@pytest.fixture
def splits(cohort):
    return as_splits(make_splits(cohort, Evaluation(repeats=1, folds=FOLDS)), cohort)


@pytest.fixture
def features(cohort):
    return Features(cohort, WIDE)


@pytest.fixture
def bases(cohort, features, splits):
    return fit_bases(cohort, features, splits)


@pytest.fixture
def path(bases, splits, cohort, tmp_path):
    write_bases(bases, splits, cohort, tmp_path / "bases.safetensors")
    return tmp_path / "bases.safetensors"


@pytest.fixture
def fits(monkeypatch):
    """Return the shapes of all that logistic regressions were fitted to since."""
    shapes = []

    class Counted(LogisticRegression):
        def fit(self, values, labels):
            shapes.append(values.shape)
            return super().fit(values, labels)

    monkeypatch.setattr(linear_model, "LogisticRegression", Counted)
    return shapes


def test_a_regression_in_principal_axes_is_one_upon_the_features():
    rng = np.random.default_rng(0)
    values, others = rng.standard_normal((20, 50)), rng.standard_normal((7, 50))
    axes = principal_axes(values)
    assert axes is not None
    for classes in (2, 3):
        found = fit_logistic(in_axes(values, axes), np.arange(20) % classes, 4)
        upon = found.upon(axes)
        assert upon.weights.shape == (classes if classes > 2 else 1, 50)
        np.testing.assert_allclose(
            upon.predict(others), found.predict(in_axes(others, axes)), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("classes", [2, 3])
def test_arrays_say_what_scikit_learn_says(classes):
    rng = np.random.default_rng(1)
    values, labels = rng.standard_normal((30, 4)), np.arange(30) % classes
    model = LogisticRegression(C=0.1, solver="newton-cg", max_iter=1000).fit(values, labels)
    found = fit_logistic(values, labels, classes).predict(values)
    np.testing.assert_allclose(found, model.predict_proba(values), rtol=0, atol=1e-12)


def test_two_classes_by_hand():
    found = logistic.FittedLogistic(np.ones(3) / 3, np.array([0, 2]), np.array([[2.0]]), np.ones(1))
    said = found.predict(np.array([[0.5], [-0.5]]))
    np.testing.assert_allclose(said[0], [1 / (1 + np.e**2), 0, np.e**2 / (1 + np.e**2)])
    np.testing.assert_allclose(said[1], [0.5, 0, 0.5])


@pytest.mark.parametrize("method", PEERS)
def test_what_is_read_says_what_is_fitted(method, cohort, features, splits, path):
    read = read_bases(path, cohort, splits)
    status, found = baseline_stage(method, cohort, features, splits, read)
    assert status.status == "ok"
    _, expected = baseline_stage(method, cohort, features, splits)
    columns = [name for name in found.predictions if name.startswith("p:")]
    assert found.predictions["method"].tolist() == expected.predictions["method"].tolist()
    np.testing.assert_array_equal(found.predictions[columns], expected.predictions[columns])


def test_what_is_read_is_what_was_written(bases, cohort, splits, path):
    read = read_bases(path, cohort, splits)
    assert read.status == bases.status
    for split in splits:
        for name, base in bases.of(split).items():
            other = read.of(split)[name]
            np.testing.assert_array_equal(other.held_out, base.held_out)
            np.testing.assert_array_equal(other.prior, base.prior)
            for part, array in base.regression.arrays.items():
                np.testing.assert_array_equal(other.regression.arrays[part], array)


def test_out_of_fold_a_sample_is_told_by_what_has_not_seen_it(cohort, features, splits, bases):
    split = splits[0]
    side = training_side(cohort, features, features.fit(split.fit), split)
    for name, base in bases.of(split).items():
        values, has = side.samples.features[name], side.samples.has(name)
        expected = np.tile(side.prior, (len(side), 1))
        for learn, held_out in side.inner_folds:
            learn, rows = learn[has[learn]], held_out[has[held_out]]
            model = LogisticRegression(C=0.1, solver="newton-cg", tol=1e-8, max_iter=5000)
            expected[rows] = model.fit(values[learn], side.labels[learn]).predict_proba(
                values[rows]
            )
        np.testing.assert_allclose(base.held_out, expected, atol=5e-4)


def test_labels_and_values_of_test_samples_shape_no_base(cohort, splits):
    split = splits[0]
    labels, values = cohort.labels.copy(), dict(cohort.tables)
    labels[split.test] = (labels[split.test] + 1) % 3
    values["wide"][split.test] = 1000 - values["wide"][split.test]
    other = replace(cohort, labels=labels, values=values)
    found, same = (fit_bases(c, Features(c, WIDE), [split]).of(split) for c in (other, cohort))
    for name, base in same.items():
        np.testing.assert_array_equal(found[name].held_out, base.held_out)
        np.testing.assert_array_equal(found[name].regression.weights, base.regression.weights)
    labels[split.fit[0]] = (labels[split.fit[0]] + 1) % 3
    other = replace(cohort, labels=labels)
    found = fit_bases(other, Features(other, WIDE), [split]).of(split)
    assert not np.array_equal(found["wide"].held_out, same["wide"].held_out)


def test_no_base_regression_is_fitted_twice(fits, cohort, features, splits):
    """Every method that rests on them, and a probe, cost upper regressions alone."""
    shared = fit_bases(cohort, features, splits)
    inner = len(training_side(cohort, features, features.fit(splits[0].fit), splits[0]).inner_folds)
    assert len(fits) == 2 * FOLDS * (inner + 1)
    fits.clear()
    # Pools have others beside them.
    asked = dict.fromkeys(set(PEERS) - {Method.POOLED, Method.UNIMODAL_POOLED}, True)
    fit_and_probe(asked, cohort, features, splits, Settings().robustness, shared)
    assert len(fits) == 2 * FOLDS  # of stacked-lr and stacked-lr-balanced
    assert all(shape[1] == 2 * 3 for shape in fits)


def test_methods_in_one_process_share_them(fits, cohort, splits):
    settings = Settings(preprocessing={"max_features": WIDE})
    run_pipeline(["majority", "concat-forest"], cohort, splits[:1], settings)
    assert not fits
    methods = [Method.STACKED_LR, Method.UNIMODAL_LR, Method.LATE_FUSION]
    outcomes = run_pipeline(methods, cohort, splits[:1], settings)
    assert {status.status for status in outcomes.statuses} == {"ok"}
    assert len(fits) == 2 * 6 + 1


def test_the_linear_expert_fits_upper_regressions_alone(fits, cohort, features, splits, bases):
    split = splits[0]
    side = training_side(cohort, features, features.fit(split.fit), split, bases)
    fits.clear()
    found = fit_linear(None, side, split.inner)
    assert len(fits) == len(side.inner_folds) + 1
    tests = features.apply(features.fit(split.fit), split.test)
    said = fit_stack(side).predict(tests)
    np.testing.assert_array_equal(found.expert.predict(None, tests), said)
    for learn, rows in side.inner_folds:
        assert not set(learn) & set(rows)
    assert np.isfinite(found.inner).all()


@pytest.mark.parametrize("members", [0, 1])
def test_the_linear_expert_needs_no_second_member_of_a_class(make_task, members):
    task = make_task()
    labels = np.arange(90) % 2
    labels[task.fit[:members]] = 2
    side = replace(task, labels=labels).training
    with pytest.raises(MethodNotApplicable, match="fewer than 2 members"):
        fit_stack(side)
    found = fit_linear(None, side, None)
    np.testing.assert_allclose(found.inner.sum(axis=1), 1)
    np.testing.assert_allclose(found.expert.predict(None, task.tests).sum(axis=1), 1)


def test_one_group_alone_is_refused(make_task):
    side = make_task(groups=np.array(["only"] * 90)).training
    with pytest.raises(MethodNotApplicable, match="only one group"):
        fit_linear(None, side, None)


def test_a_failure_is_passed_on(monkeypatch, cohort, features, splits, tmp_path):
    def singular(side, modality):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr("balmi.methods.peers.side.fit_base", singular)
    write_bases(fit_bases(cohort, features, splits), splits, cohort, tmp_path / "b.safetensors")
    read = read_bases(tmp_path / "b.safetensors", cohort, splits)
    with pytest.raises(MethodFailed, match="base regressions: Singular matrix"):
        read.check()
    status, result = baseline_stage(Method.STACKED_LR, cohort, features, splits, read)
    assert (status.status, status.reason) == ("failed", "base regressions: Singular matrix")
    assert result.predictions.empty


def test_their_time_counts(cohort, features, splits, bases):
    slow = replace(bases, status=replace(bases.status, seconds=1000.0))
    status, _ = baseline_stage(Method.LATE_FUSION, cohort, features, splits, slow)
    assert 1000 < status.seconds < 1100


def test_those_of_other_folds_or_of_another_cohort_are_refused(cohort, splits, path, tmp_path):
    with pytest.raises(UserError, match=r"(?s)bases\.safetensors.*other folds"):
        read_bases(path, cohort, splits[1:])
    labels = np.roll(cohort.labels, 1)
    write_cohort(replace(cohort, labels=labels), tmp_path / "other.h5mu")
    with pytest.raises(UserError, match=r"(?s)bases\.safetensors.*another cohort"):
        read_bases(path, read_cohort(tmp_path / "other.h5mu"), splits)


def test_which_methods_rest_on_them():
    assert set(PEERS) == {
        *(Method.STACKED_LR, Method.STACKED_LR_BALANCED, Method.UNIMODAL_LR),
        *(Method.LATE_FUSION, Method.VCDN, Method.POOLED, Method.UNIMODAL_POOLED),
        Method.NNLS_STACK,
    }
    assert Method.BALANCED in RESTING
    heads = Model(experts=[Expert.MEAN])
    assert not METHODS[Method.BALANCED].reads_bases(heads)
    assert METHODS[Method.STACKED_LR].reads_bases(heads)
    assert not METHODS[Method.UNIFORM].reads_bases(Model())


def test_a_side_fits_each_once(monkeypatch, make_task):
    asked = []
    fit = base_module.fit_base
    monkeypatch.setattr(
        "balmi.methods.peers.side.fit_base", lambda *call: asked.append(call) or fit(*call)
    )
    side = make_task().training
    for _ in range(2):
        side.bases()
        side.held_out("a")
    assert len(asked) == 2
