"""Probabilities are widened for missing features as held-out samples ask for."""

import numpy as np
import pytest
from scipy.special import softmax

from balmi.prediction.masking import SHARES, HeldOut, Widening, best_factor, measure, widened
from balmi.preprocess.fitted import Samples

PRIOR = np.array([0.5, 0.5])


def test_a_factor_of_a_half_halves_the_evidence():
    """Odds of 9 to 1 over even ones become 3 to 1, the root of 9."""
    found = widened(np.array([[0.9, 0.1]]), PRIOR, np.array([0.5]))
    assert found == pytest.approx(np.array([[0.75, 0.25]]))


def test_without_evidence_stands_the_prior_and_with_all_nothing_changes():
    prior, said = np.array([0.2, 0.8]), np.array([[0.6, 0.4], [0.6, 0.4]])
    found = widened(said, prior, np.array([0.0, 1.0]))
    assert found[0] == pytest.approx(prior)
    np.testing.assert_array_equal(found[1], said[1])


def test_the_best_factor_is_that_by_which_a_forecast_is_too_sure():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 2)) * 2
    labels = (rng.random(20000) < softmax(logits, axis=1)[:, 1]).astype(int)
    prior = np.broadcast_to(np.log(PRIOR), logits.shape)
    assert best_factor(2.5 * logits, prior, labels) == pytest.approx(0.4, abs=0.03)


def held_out(sure, count=400, width=40):
    """Return samples of two classes, and a forecaster that sums features as if none could lack."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 2
    values = rng.normal(size=(count, width)) + 0.2 * (2 * labels[:, None] - 1)
    other = rng.normal(size=(count, width))
    samples = Samples({"a": values, "b": other}, np.ones((count, 2), bool))

    def say(some):
        logit = sure(some.features["a"])
        return softmax(np.column_stack([-logit, logit]), axis=1)

    return HeldOut(say, samples, labels, PRIOR)


def test_a_forecaster_that_normalises_by_what_it_has_is_widened():
    """It divides by the size of what is there, and is as sure of less."""

    def sure(values):
        total = values.sum(axis=1)
        return 8 * total / np.abs(values).sum(axis=1)

    found = measure([held_out(sure)], seed=0)
    assert found.modalities == ("a", "b")
    a, b = found.factors
    assert (np.diff(a) <= 0).all()
    assert a[-1] < 0.8
    assert b == pytest.approx(np.ones(1 + len(SHARES)))
    assert found.factor("a", 0.0) == 1.0
    assert a[1] > found.factor("a", 0.15) > a[2]
    assert found.factor("c", 0.1) is None


def test_a_modest_forecaster_is_not_widened():
    found = measure([held_out(lambda values: 0.05 * values.sum(axis=1))], seed=0)
    assert found.factors[0] == pytest.approx(np.ones(1 + len(SHARES)))
    assert found.losses[0][-1] > found.losses[0][0]


def test_too_few_samples_measure_nothing():
    assert measure([held_out(lambda values: values.sum(axis=1), count=10)], 0).modalities == ()
    assert measure([], 0).modalities == ()
    assert Widening.nothing().factor("a", 0.2) is None
