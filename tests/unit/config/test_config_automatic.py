"""What `auto` stands for: today's numbers for small cohorts, fewer for large ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from balmi.config.automatic import FEWEST_FOLDS, MANY, members_for, repeats_for
from balmi.config.load import load_settings
from balmi.config.settings import Evaluation, Scheme, Training
from balmi.errors import UserError

COHORT = {"datasets": {"simulated": None}}
RNA = {"path": "rna.csv", "kind": "rna-log"}


@given(st.integers(1, MANY), st.integers(2, 50))
def test_small_cohorts_have_what_they_always_had(samples, folds):
    assert repeats_for(samples, folds) == members_for(samples) == 5


@pytest.mark.parametrize(
    ("samples", "repeats", "members"),
    [(2000, 5, 5), (2001, 5, 5), (2500, 4, 4), (4000, 3, 3), (5000, 2, 2), (100_000, 2, 2)],
)
def test_large_cohorts_have_fewer(samples, repeats, members):
    assert repeats_for(samples, 5) == repeats
    assert members_for(samples) == members


@given(st.integers(1, 10**6), st.integers(2, 50))
def test_there_are_always_folds_enough_for_a_verdict(samples, folds):
    repeats = repeats_for(samples, folds)
    assert 1 <= repeats <= 5
    assert repeats * folds >= FEWEST_FOLDS
    assert repeats <= repeats_for(max(1, samples - 1), folds)


@pytest.mark.parametrize("samples", [2001, 2500, 3000, 3334, 4000, 5000, 10_000])
def test_with_fewer_repeats_the_interval_is_no_wider_than_that_of_2000_samples(samples):
    def width(count, samples):
        return t.ppf(0.975, count - 1) * np.sqrt(1 / count + 1 / 4) / np.sqrt(samples)

    assert width(5 * repeats_for(samples, 5), samples) <= width(25, MANY)


def test_numbers_of_the_configuration_win():
    assert Evaluation(repeats=1).repeats_for(100_000) == 1
    assert Evaluation(repeats=7).repeats_drawn(100_000) == 7
    assert Evaluation().repeats_drawn(100_000) == 2
    assert Evaluation(scheme=Scheme.LEAVE_ONE_GROUP_OUT).repeats_drawn(100) is None
    assert Training(members=5).members_for(100_000) == 5


@pytest.mark.parametrize(
    ("section", "key", "most"), [("evaluation", "repeats", 100), ("training", "members", 20)]
)
@pytest.mark.parametrize("value", [0, 1000, "car", True, None, 2.5, [3]])
def test_what_is_neither_is_refused_once(section, key, most, value):
    with pytest.raises(UserError) as caught:
        load_settings({**COHORT, section: {key: value}})
    (problem,) = caught.value.problems
    assert problem.where == f"{section}.{key}"
    assert problem.allowed == f"auto, or a whole number from 1 to {most}"
