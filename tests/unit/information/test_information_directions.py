"""Discriminants on all directions: what they equal, and what they see that components do not."""

import numpy as np
import pytest

from balmi.information.crossfit import all_directions, principal_components
from balmi.information.directions import (
    STRENGTHS,
    linear_system,
    many_wide_posteriors,
    radial_system,
    wide_posteriors,
)

SHAPES = [(60, 8), (30, 90)]  # directions are solved for, or samples


def drawn(samples, columns, labellings=1, seed=0):
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.5, 2, size=columns)
    labels = rng.integers(3, size=(labellings, samples))
    return scale * rng.normal(size=(samples, columns)), labels, rng.normal(size=(13, columns))


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_plain_computation(shape):
    """W + l, with l a share of the total variance, inverted as it stands."""
    learn, (labels,), other = drawn(*shape)
    centred = learn - learn.mean(axis=0)
    total = centred.T @ centred / len(learn)
    means = np.array([centred[labels == c].mean(axis=0) for c in range(3)])
    counts = np.bincount(labels, minlength=3)
    within = total - means.T @ np.diag(counts / len(labels)) @ means
    found = wide_posteriors(linear_system, learn, labels, other, 3)
    for strength, posteriors in zip(STRENGTHS, found, strict=True):
        penalised = within + strength * np.trace(total) * np.eye(len(total))
        slopes = np.linalg.solve(penalised, means.T)
        logits = (other - learn.mean(axis=0)) @ slopes - 0.5 * (means.T * slopes).sum(axis=0)
        odds = (counts + 0.5) * np.exp(logits)
        assert posteriors == pytest.approx(odds / odds.sum(axis=1, keepdims=True), abs=1e-8)


@pytest.mark.parametrize("system", [linear_system, radial_system])
@pytest.mark.parametrize("shape", SHAPES)
def test_many_labellings_equal_one_by_one(shape, system):
    learn, labels, other = drawn(*shape, labellings=4)
    found = many_wide_posteriors(system, learn, labels, other, 4)  # class 3 has no sample
    for number, row in enumerate(labels):
        alone = wide_posteriors(system, learn, row, other, 4)
        np.testing.assert_allclose(found[:, number], alone, atol=1e-10)


@pytest.mark.parametrize("system", [linear_system, radial_system])
def test_fewer_columns_with_the_same_distances_say_the_same(system):
    learn, (labels,), other = drawn(30, 90)
    turned = all_directions(learn, other)
    assert turned[0].shape == (30, 30)  # 29 directions, and the distance from them
    before = wide_posteriors(system, learn, labels, other, 3)
    after = wide_posteriors(system, turned[0], labels, turned[1], 3)
    np.testing.assert_allclose(before, after, atol=1e-8)


def test_a_draw_of_many_samples_is_learned_from(monkeypatch):
    monkeypatch.setattr("balmi.information.directions.MOST_SOLVED", 20)
    learn, (labels,), other = drawn(60, 30)
    rows = np.sort(np.random.default_rng(0).permutation(60)[:20])
    found = wide_posteriors(linear_system, learn, labels, other, 3)
    monkeypatch.undo()
    np.testing.assert_allclose(
        found, wide_posteriors(linear_system, learn[rows], labels[rows], other, 3)
    )
    garbled = learn.copy()
    garbled[np.setdiff1d(np.arange(60), rows)] += 100
    monkeypatch.setattr("balmi.information.directions.MOST_SOLVED", 20)
    again = wide_posteriors(linear_system, garbled, labels, other, 3)
    np.testing.assert_array_equal(found, again)


def test_a_signal_outside_the_leading_components_is_seen():
    """Ten factors share the variance of 40 features, one of which has the label on its own."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(400, 40))
    labels = (noise[:, 0] > 0).astype(int)
    values = rng.normal(size=(400, 10)) @ (3 * rng.normal(size=(10, 40))) + noise
    learn, other = values[:300], values[300:]
    right = []
    for one, two in ((learn, other), principal_components(learn, other, 10)):
        said = wide_posteriors(linear_system, one, labels[:300], two, 2)
        right.append((said[0].argmax(axis=1) == labels[300:]).mean())
    assert right[0] > 0.75
    assert right[1] < 0.65
