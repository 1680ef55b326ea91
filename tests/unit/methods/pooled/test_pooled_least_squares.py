"""Stacking by non-negative least squares."""

import numpy as np
import pytest
from scipy.optimize import minimize

from balmi.methods.pooled.least_squares import fit_least_squares, least_squares_weights


def softened(rng, labels, sharpness):
    scores = rng.normal(size=(len(labels), 3)) + sharpness * np.eye(3)[labels]
    odds = np.exp(scores)
    return odds / odds.sum(axis=1, keepdims=True)


class TestWeights:
    def test_by_hand(self):
        """One is right with .8 and the other says .5: least squares takes the first alone."""
        right = np.array([[0.8, 0.2], [0.2, 0.8]])
        blind = np.full((2, 2), 0.5)
        weights = least_squares_weights([right, blind], np.array([0, 1]))
        assert weights == pytest.approx([1, 0])

    def test_are_those_of_a_general_solver(self):
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=200)
        said = [softened(rng, labels, sharpness) for sharpness in (0.2, 1.0, 1.5)]
        truth = np.eye(3)[labels]

        def loss(weights):
            return ((np.tensordot(weights, np.array(said), 1) - truth) ** 2).sum()

        found = minimize(loss, np.full(3, 0.3), bounds=[(0, None)] * 3, tol=1e-12).x
        expected = found / found.sum()
        assert least_squares_weights(said, labels) == pytest.approx(expected, abs=1e-4)

    def test_what_is_not_held_out_does_not_count(self):
        rng = np.random.default_rng(1)
        labels = rng.integers(3, size=100)
        said = [softened(rng, labels, sharpness) for sharpness in (0.5, 1.0)]
        gaps = [said[0].copy(), said[1].copy()]
        gaps[0][:30] = np.nan
        expected = least_squares_weights([each[30:] for each in said], labels[30:])
        assert least_squares_weights(gaps, labels) == pytest.approx(expected)

    def test_are_equal_where_all_would_be_zero(self):
        wrong = np.array([[0.0, 1.0], [1.0, 0.0]])
        assert least_squares_weights([wrong, wrong], np.array([0, 1])) == pytest.approx([0.5, 0.5])


class TestFit:
    def test_a_forest_sees_what_a_regression_does_not(self, fold_of):
        rng = np.random.default_rng(2)
        values = rng.normal(size=(500, 2))
        labels = (values[:, 0] * values[:, 1] > 0).astype(int)
        task = fold_of({"a": values, "b": rng.normal(size=(500, 3))}, labels, 300)
        fitted = fit_least_squares(task.training)
        regression, forest, *others = fitted.weights
        assert forest > 0.7 > 0.2 > max(regression, *others)
        said = fitted.predict(task.tests)
        assert (said.argmax(axis=1) == labels[300:]).mean() > 0.85

    def test_samples_that_lack_a_modality_get_the_prior_in_its_place(self, make_task):
        task = make_task()
        fitted = fit_least_squares(task.training)
        lacking = np.flatnonzero(~task.tests.has("b"))
        assert lacking.size
        said = fitted.predict(task.tests)
        own = [member.predict(task.tests) for member in fitted.members[:2]]
        expected = fitted.weights[0] * own[0] + fitted.weights[1] * own[1]
        expected += fitted.weights[2:].sum() * task.prior
        np.testing.assert_allclose(said[lacking], expected[lacking])
