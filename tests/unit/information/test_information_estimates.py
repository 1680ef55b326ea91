"""Nulls, and permutations that keep groups together."""

import numpy as np
import pytest

from balmi.information.estimates import Null, exchangeable, permuted_rows


def test_p_value_counts_the_observed_and_ties():
    null = Null(2.0, np.array([0.0, 1.0, 2.0, 3.0]))
    assert null.p_value == pytest.approx((1 + 2) / (1 + 4))
    assert Null(9.0, np.zeros(19)).p_value == pytest.approx(1 / 20)
    assert Null(-1.0, np.zeros(19)).p_value == 1


def test_null95():
    assert Null(0.0, np.arange(101.0)).null95 == pytest.approx(95)


def test_rows_without_groups():
    rows = permuted_rows(50, None, np.random.default_rng(0))
    assert sorted(rows) == list(range(50))
    assert (rows != np.arange(50)).sum() > 40


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_one_size_swap_places(seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(14), [1] * 5 + [2] * 5 + [3] * 3 + [6]))
    rows = permuted_rows(len(groups), groups, rng)
    assert sorted(rows) == list(range(len(groups)))
    taken = [set(groups[rows[groups == group]]) for group in range(14)]
    assert all(len(sources) == 1 for sources in taken)
    assert sorted(source for (source,) in taken) == list(range(14))
    sizes = np.bincount(groups)
    assert all(sizes[group] == sizes[next(iter(source))] for group, source in enumerate(taken))
    assert taken[13] == {13}


def test_every_arrangement_of_pairs_is_as_likely():
    """Two groups of two: 2 orders of groups times 2 of members each."""
    rng = np.random.default_rng(0)
    groups = np.array(["b", "a", "b", "a"])
    drawn = [tuple(permuted_rows(4, groups, rng)) for _ in range(4000)]
    arrangements, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(arrangements) == 8
    assert counts.min() > 4000 / 8 - 5 * np.sqrt(4000 / 8)
    assert counts.max() < 4000 / 8 + 5 * np.sqrt(4000 / 8)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([3] * 5, True),  # 5! = 120 arrangements
        ([3] * 4, False),  # 24
        (range(5, 17), False),  # one
        ([1] * 10 + [11], False),  # 10!, of fewer than half of the rows
        ([1] * 10 + [10], True),
    ],
)
def test_groups_are_exchangeable_where_enough_are_of_one_size(sizes, expected):
    assert exchangeable(np.repeat(np.arange(len(sizes)), list(sizes))) is expected


def test_groups_that_hold_the_same_do_not_count():
    """Ten groups, one of which differs: ten arrangements; five that differ: 252."""
    member = np.repeat(np.arange(10), 2)
    assert not exchangeable(member, (np.arange(10) < 1)[:, None].astype(int))
    assert exchangeable(member, (np.arange(10) < 5)[:, None].astype(int))
