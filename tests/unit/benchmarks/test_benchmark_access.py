"""Simulated cohorts of which it is known where the signal lies."""

import numpy as np
import pandas as pd
import pytest

import access


@pytest.mark.parametrize("kind", access.KINDS)
def test_cohorts_are_those_of_the_seed(kind):
    one, same, other = (access.cohort_of(kind, 60, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.tables["first"], same.tables["first"])
    assert not np.array_equal(one.tables["first"], other.tables["first"])
    assert 0.2 < access.cohort_of(kind, 2000, 0).labels.mean() < 0.8


def test_right_wrong_and_none_are_counted():
    said = ["modalities interact", "none is shown", "one modality suffices"]
    lower = [0.1, -0.1, 0.2]
    found = pd.DataFrame({"kind": "product", "samples": 800, "said": said, "lower": lower})
    nothing = pd.DataFrame({"kind": "nothing", "samples": 800, "said": said[:2], "lower": -0.1})
    text = access.summary(pd.concat([found, nothing]))
    assert "| product | 800 | 3 | 1 | 1 | 1 | 2 |" in text
    assert "| nothing | 800 | 2 | 1 | 0 | 1 | 0 |" in text
