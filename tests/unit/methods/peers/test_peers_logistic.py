"""The regression of the peers against a tight optimum of scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from balmi.methods.peers import logistic as library
from balmi.methods.peers.logistic import EXACT, QUICK, Solver, fit_logistic, in_axes, principal_axes


def logistic(values, labels, rows, classes, **options):
    return fit_logistic(values, labels, classes, **options).predict(rows)


def problem(seed, count, width, classes, scale=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % classes)
    factors = rng.normal(size=(count, 5)) + np.eye(5)[labels]
    values = scale * (factors @ rng.normal(size=(5, width)) + rng.normal(size=(count, width)))
    return values, labels


def reference(values, labels, rows, weight=None, inverse_penalty=0.1):
    model = LogisticRegression(
        C=inverse_penalty, tol=1e-9, max_iter=50_000, class_weight=weight, solver="newton-cg"
    )
    return model.fit(values, labels).predict_proba(rows)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize(("count", "width"), [(80, 8), (40, 150), (30, 30)])
def test_is_scikit_learns_optimum(count, width, classes, balanced):
    values, labels = problem(0, count, width, classes)
    rows = problem(1, 25, width, classes)[0]
    found = logistic(values, labels, rows, classes, balanced=balanced)
    expected = reference(values, labels, rows, "balanced" if balanced else None)
    assert found == pytest.approx(expected, abs=5e-3)


def test_the_penalty_is_that_of_scikit_learn():
    values, labels = problem(2, 60, 6, 3)
    for inverse_penalty in (0.01, 10.0):
        found = logistic(values, labels, values, 3, inverse_penalty=inverse_penalty)
        expected = reference(values, labels, values, inverse_penalty=inverse_penalty)
        assert found == pytest.approx(expected, abs=5e-3)


def test_balanced_weighs_rare_classes_more():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [90, 10])
    values = rng.normal(size=(100, 3)) + labels[:, None]
    plain = logistic(values, labels, values, 2)
    balanced = logistic(values, labels, values, 2, balanced=True)
    assert plain.mean(axis=0) == pytest.approx([0.9, 0.1], abs=1e-3)
    assert balanced[:, 1].mean() > 0.2


def test_without_features_it_is_the_class_frequencies():
    labels = np.array([0, 0, 0, 2])
    found = logistic(np.zeros((4, 0)), labels, np.zeros((2, 0)), 3)
    assert found == pytest.approx(np.tile([0.75, 0, 0.25], (2, 1)), abs=1e-6)


def test_constant_features_tell_nothing():
    labels = np.array([0, 1, 1, 1])
    found = logistic(np.full((4, 3), 7.0), labels, np.full((2, 3), 7.0), 2)
    assert found == pytest.approx(np.tile([0.25, 0.75], (2, 1)), abs=1e-3)


def test_one_class_alone_is_certain():
    found = logistic(np.eye(3), np.array([1, 1, 1]), np.eye(3), 2)
    np.testing.assert_allclose(found, [[0, 1]] * 3)


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 15))
def test_axes_are_a_rotation_of_what_was_learned(seed, count, width):
    values = np.random.default_rng(seed).normal(size=(count, width))
    turned = in_axes(values, principal_axes(values))
    assert turned.shape[1] <= max(count, 1)
    centred = values - values.mean(axis=0)
    if width > count:
        assert turned @ turned.T == pytest.approx(centred @ centred.T, abs=1e-8 * width)
    else:
        assert turned is values


def test_axes_of_more_rows_shape_no_prediction():
    """Inner folds share the axes of the whole training part."""
    values, labels = problem(3, 90, 120, 3)
    learn, rows = np.arange(60), np.arange(60, 90)
    turned = in_axes(values, principal_axes(values))
    found = logistic(turned[learn], labels[learn], turned[rows], 3)
    own = logistic(values[learn], labels[learn], values[rows], 3)
    assert found == pytest.approx(own, abs=1e-3)


@pytest.mark.parametrize(
    ("samples", "features", "solver"),
    [
        (615, 1000, EXACT),  # TCGA-BRCA
        (3_000, 100_000, EXACT),  # wide, and few
        (100_000, 24, EXACT),  # what stacking learns from
        (3_000, 2_000, EXACT),
        (3_001, 2_000, QUICK),
        (16_000, 2_000, QUICK),
        (100_000, 200, QUICK),
    ],
)
def test_the_solver_goes_by_size(samples, features, solver):
    assert Solver.of((samples, features)) is solver


@pytest.fixture
def large(monkeypatch):
    """Let every table count as large."""
    monkeypatch.setattr(library, "MANY_SAMPLES", 0)
    monkeypatch.setattr(library, "MANY_VALUES", 0)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("precision", "error"), [(np.float64, 1e-4), (np.float32, 2e-3)])
def test_solvers_find_the_same_optimum(monkeypatch, large, precision, error, classes, balanced):
    """To 1e-4 where both go on for long; single precision costs up to .001."""
    values, labels = problem(4, 600, 30, classes)
    rows = problem(5, 200, 30, classes)[0]
    monkeypatch.setattr(library, "QUICK", replace(QUICK, precision=precision, tolerance=1e-7))
    found = logistic(values, labels, rows, classes, balanced=balanced)
    expected = reference(values, labels, rows, "balanced" if balanced else None)
    assert found == pytest.approx(expected, abs=error)


def test_as_it_stops_the_quick_solver_is_near_the_optimum(large):
    values, labels = problem(6, 600, 30, 3)
    rows = problem(7, 200, 30, 3)[0]
    found = logistic(values, labels, rows, 3)
    assert found == pytest.approx(reference(values, labels, rows), abs=5e-3)


def test_quick_probabilities_sum_to_one_in_double_precision(large):
    values, labels = problem(8, 300, 20, 5)
    fitted = fit_logistic(values, labels, 5)
    assert fitted.weights.dtype == np.float32
    found = fitted.predict(values)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


def test_the_precision_of_values_decides_nothing():
    values, labels = problem(9, 80, 8, 3)
    single = values.astype(np.float32)
    found = logistic(single, labels, single, 3)
    np.testing.assert_array_equal(found, logistic(single.astype(float), labels, single, 3))


def test_axes_of_samples_that_do_not_vary_are_none():
    values = np.ones((3, 5))
    assert in_axes(values, principal_axes(values)).shape == (3, 0)
