"""Shares of classes that chance does not explain."""

import numpy as np
import pytest

from balmi.evaluation.statistics import wilson_interval
from balmi.prediction.shares import CHANCE, OtherShare, other_shares

HALVES = {"a": 0.5, "b": 0.5}


def test_by_hand():
    found = other_shares({"a": 80, "b": 20}, 100, HALVES, 100)
    assert [each.name for each in found] == ["a", "b"]
    assert found[0] == OtherShare("a", 0.8, *wilson_interval(0.8, 100), 0.5)


@pytest.mark.parametrize(
    ("called", "units", "samples"),
    [
        ({"a": 8, "b": 2}, 10, 100),  # few new samples
        ({"a": 80, "b": 20}, 10, 100),  # few groups of them
        ({"a": 80, "b": 20}, 100, 10),  # few training samples
        ({"a": 5900, "b": 4100}, 10000, 10000),  # sure, and small
        ({"a": 0, "b": 0}, 0, 100),
    ],
)
def test_what_is_not_told(called, units, samples):
    assert other_shares(called, units, HALVES, samples) == []


def test_a_class_that_was_never_called_inside_is_told_where_it_is_called_often():
    found = other_shares({"a": 50, "b": 50}, 100, {"a": 1.0}, 100)
    assert {each.name: each.expected for each in found} == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize("new", [5, 15, 40, 200])
def test_samples_of_the_same_shares_are_rarely_told_of(new):
    rng = np.random.default_rng(0)
    shares = np.array([0.6, 0.25, 0.1, 0.05])
    told = 0
    for _ in range(1000):
        inside, outside = rng.multinomial(100, shares) / 100, rng.multinomial(new, shares)
        expected = dict(zip("abcd", inside, strict=True))
        called = dict(zip("abcd", outside.tolist(), strict=True))
        told += bool(other_shares(called, new, expected, 100))
    assert told <= 1000 * CHANCE
