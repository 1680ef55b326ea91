"""From how many samples on a shared pair of directions is seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.information.canonical import Directions
from balmi.information.companions import Wide, composite_estimate
from balmi.information.detection import seen_from
from balmi.information.pairs import principal_scores, rank_normalise


def test_by_hand():
    """Of 100 + 100 features: (1.645 + 1.036) sqrt(2 x 10,000) / .64 = 592.5 samples."""
    assert seen_from(100, 100) == 593


def test_of_few_features_the_bar_decides():
    """One direction each turns nowhere: .8 sqrt(n) > 3 + 1.036 (1 - .64), n > 17.8."""
    assert 18 <= seen_from(1, 1) <= 22


@given(st.integers(1, 2000), st.integers(1, 2000), st.sampled_from([0.3, 0.5, 0.8, 0.95]))
def test_more_features_and_weaker_pairs_need_more_samples(left, right, correlation):
    found = seen_from(left, right, correlation)
    assert found == seen_from(right, left, correlation)
    assert found <= seen_from(left + 1, right, correlation)
    assert found <= seen_from(left, right, correlation - 0.1)


def share_seen(features, samples, sets=20):
    """Return the share of data sets in which directions of all features show a planted pair."""
    seen = 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        one, other = (rng.standard_normal((samples, count)) for count in features)
        other[:, 0] = 0.8 * one[:, 0] + 0.6 * other[:, 0]
        ranks = rank_normalise(one), rank_normalise(other)
        wide = Wide(*map(Directions.of, ranks), 20)
        scores = [principal_scores(each, 3) for each in ranks]
        found = composite_estimate(*scores, np.arange(samples) % 5, 39, rng, wide=wide)
        seen += not np.isnan(found.wide)
    return seen / sets


@pytest.mark.parametrize("features", [(10, 10), (4, 120)])
def test_planted_pairs_are_seen_from_there_on_and_seldom_with_half(features):
    needed = seen_from(*features)
    assert share_seen(features, needed) >= 0.65  # of 20 sets at 4 of 5, 1 in 23 by chance
    assert share_seen(features, needed // 2) <= 0.45
