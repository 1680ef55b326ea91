"""Amounts over sets of modalities: the nearest ones that keep their order."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from balmi.information.lattice import isotonic, maximal_parts


def every(players):
    return [one for size in range(players + 1) for one in combinations(range(players), size)]


@st.composite
def amounts(draw):
    count = draw(st.integers(1, 4))
    return {frozenset(one): draw(st.floats(-2, 2)) for one in every(count)}


def test_by_hand():
    """A whole below one part meets it half way, and the other part stays."""
    found = isotonic({("a",): 0.84, ("b",): 0.1, ("a", "b"): 0.82})
    assert found == pytest.approx({("a",): 0.83, ("b",): 0.1, ("a", "b"): 0.83})


def test_what_is_in_order_stays_to_the_digit():
    values = {("a",): 0.1, ("b",): -0.02, ("a", "b"): 0.1, ("a", "b", "c"): 0.3}
    assert isotonic(values) == values


@given(amounts())
def test_no_set_is_below_a_part(values):
    found = isotonic(values)
    for part, whole in combinations(found, 2):
        if part < whole:
            assert found[part] <= found[whole]
    assert isotonic(found) == found
    assert sum(found.values()) == pytest.approx(sum(values.values()), abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_a_general_solver_finds_the_same(seed):
    rng = np.random.default_rng(seed)
    sets = [frozenset(one) for one in every(3)]
    values = rng.normal(size=8)
    order = [
        {"type": "ineq", "fun": lambda x, i=i, j=j: x[j] - x[i]}
        for i, part in enumerate(sets)
        for j, whole in enumerate(sets)
        if part < whole
    ]
    exact = minimize(lambda x: ((x - values) ** 2).sum(), np.zeros(8), constraints=order).x
    found = isotonic(dict(zip(sets, values, strict=True)))
    assert [found[each] for each in sets] == pytest.approx(exact, abs=1e-4)


def test_maximal_parts():
    known = [("a",), ("b",), ("c",), ("a", "b"), ("b", "d")]
    assert sorted(maximal_parts(("a", "b", "c"), known)) == [("a", "b"), ("c",)]
    assert maximal_parts(("a",), known) == []
