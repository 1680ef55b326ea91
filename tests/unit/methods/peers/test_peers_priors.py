"""Predictions matched to class frequencies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.methods.peers.priors import frequencies, matched


def test_by_hand():
    """The odds of both samples are multiplied by the same w, 1 / 6 for a mean of a quarter.

    With odds 1 and 2 and w = r: r / (1 + r) + 2 r / (1 + 2 r) = 1 / 2 has 6 r^2 + 3 r - 1 = 0,
    so that r = (sqrt(33) - 3) / 12.
    """
    found = matched(np.array([[1 / 2, 1 / 2], [2 / 3, 1 / 3]]), np.array([1 / 4, 3 / 4]))
    r = (np.sqrt(33) - 3) / 12
    assert found[:, 0] == pytest.approx([r / (1 + r), 2 * r / (1 + 2 * r)])


def test_frequencies_by_hand():
    assert frequencies(np.array([0, 2, 2, 0]), 4) == pytest.approx([0.5, 0, 0.5, 0])


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(5, 60))
def test_the_mean_is_the_frequencies_and_weights_are_of_classes_alone(seed, classes, count):
    rng = np.random.default_rng(seed)
    given_, wanted = rng.dirichlet(np.ones(classes), count), rng.dirichlet(3 * np.ones(classes))
    found = matched(given_, wanted)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found.mean(axis=0) == pytest.approx(wanted, abs=1e-4)
    weights = found / np.maximum(given_, 1e-12)
    ratios = weights / weights[:, :1]
    assert ratios == pytest.approx(np.tile(ratios[0], (count, 1)), rel=1e-6)


def test_a_class_without_a_frequency_gets_no_probability():
    found = matched(np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]]), np.array([0.5, 0.5, 0.0]))
    assert found[:, 2] == pytest.approx([0, 0])
    assert found.sum(axis=1) == pytest.approx(1)


def test_what_has_the_frequencies_stays():
    table = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert matched(table, np.array([0.5, 0.5])) == pytest.approx(table)
