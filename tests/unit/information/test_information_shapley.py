"""Shapley values of small games by hand, their axioms, and the balance of shares."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.information.shapley import (
    balance,
    coalitions,
    orderings,
    shapley_values,
    shares,
)


def every(players):
    """Return all coalitions of some players, the smallest first."""
    return [
        frozenset(chosen)
        for size in range(players + 1)
        for chosen in combinations(range(players), size)
    ]


@st.composite
def games(draw, most=6):
    count = draw(st.integers(1, most))
    return count, {one: draw(st.floats(-2, 2)) for one in every(count)}


def values_of(count, game, seed=0):
    return shapley_values(game, orderings(count, np.random.default_rng(seed)))


class TestOrderings:
    def test_all_orders_of_few(self):
        rng = np.random.default_rng(0)
        orders = orderings(3, rng)
        assert len(orders) == len(set(orders)) == 6
        assert len(set(orderings(5, rng))) == 120
        assert rng.random() == np.random.default_rng(0).random()

    def test_a_sample_with_reversals_of_many(self):
        orders = orderings(8, np.random.default_rng(0))
        assert len(orders) == 16
        assert [order[::-1] for order in orders[::2]] == orders[1::2]
        assert len(coalitions(orders)) == 2 + 8 * 7  # arcs of the circle, all and none
        assert orders == orderings(8, np.random.default_rng(0))
        assert orders != orderings(8, np.random.default_rng(1))

    @given(st.integers(6, 9), st.integers(1, 3), st.integers(0, 99))
    def test_sampled_orders_have_everyone_in_every_place_alike(self, players, circles, seed):
        orders = np.array(orderings(players, np.random.default_rng(seed), circles))
        assert (np.sort(orders, axis=1) == np.arange(players)).all()
        for place in orders.T:
            assert (np.bincount(place) == 2 * circles).all()


class TestCoalitions:
    def test_all_of_few(self):
        assert coalitions(orderings(4, np.random.default_rng(0))) == set(every(4))

    def test_heads_of_orders(self):
        expected = [(), (2,), (0, 2), (0, 1, 2), (1,), (1, 0)]
        assert coalitions([(2, 0, 1), (1, 0, 2)]) == {frozenset(one) for one in expected}

    def test_they_are_what_the_values_need(self):
        orders = orderings(9, np.random.default_rng(3), 2)
        needed = coalitions(orders)
        assert len(needed) < 2**9
        shapley_values(dict.fromkeys(needed, 0.0), orders)
        for missing in sorted(needed, key=sorted)[:5]:
            with pytest.raises(KeyError):
                shapley_values(dict.fromkeys(needed - {missing}, 0.0), orders)


class TestShapleyValues:
    def test_glove_game(self):
        """One left glove, two right ones: 2/3, 1/6, 1/6."""
        game = {one: float(0 in one and len(one) > 1) for one in every(3)}
        assert values_of(3, game) == pytest.approx([2 / 3, 1 / 6, 1 / 6])

    def test_two_modalities(self):
        """What both tell is halved, as is what only both together tell."""
        redundant, first, second, synergistic = 0.4, 0.2, 0.1, 0.06
        game = {
            frozenset(): 0.0,
            frozenset({0}): redundant + first,
            frozenset({1}): redundant + second,
            frozenset({0, 1}): redundant + first + second + synergistic,
        }
        assert values_of(2, game) == pytest.approx([0.43, 0.33])

    def test_majority_of_seven_by_sampling(self):
        """What counts alone is how many there are: one circle is exact."""
        game = {one: float(len(one) > 3) for one in every(7)}
        assert values_of(7, game) == pytest.approx(np.full(7, 1 / 7))

    def test_sampling_approaches_the_exact_values(self):
        rng = np.random.default_rng(0)
        whole = every(6)
        game = {one: rng.random() for one in whole}
        weight = {size: 1 / (6 * len(list(combinations(range(5), size)))) for size in range(6)}
        exact = [
            sum(
                weight[len(one)] * (game[one | {player}] - game[one])
                for one in whole
                if player not in one
            )
            for player in range(6)
        ]
        orders = orderings(6, np.random.default_rng(1), 500)
        assert shapley_values(game, orders) == pytest.approx(exact, abs=0.02)

    @given(games())
    def test_efficiency(self, game):
        count, worth = game
        whole = worth[frozenset(range(count))] - worth[frozenset()]
        assert values_of(count, worth).sum() == pytest.approx(whole, abs=1e-12)

    @given(st.lists(st.floats(-2, 2), min_size=1, max_size=8))
    def test_each_gets_what_it_always_adds(self, parts):
        game = {one: sum(parts[player] for player in one) for one in every(len(parts))}
        assert values_of(len(parts), game) == pytest.approx(parts, abs=1e-12)

    @given(games(most=5), st.randoms())
    def test_names_do_not_matter(self, game, random):
        count, worth = game
        names = list(range(count))
        random.shuffle(names)
        renamed = {frozenset(names[player] for player in one): v for one, v in worth.items()}
        found = values_of(count, renamed)[names]
        assert found == pytest.approx(values_of(count, worth), abs=1e-12)

    def test_equal_players_get_the_same_and_a_dummy_nothing(self):
        game = {one: float(len(one & {0, 1}) ** 2) for one in every(3)}
        assert values_of(3, game) == pytest.approx([2, 2, 0])


class TestShares:
    def test_by_hand(self):
        assert shares(np.array([0.3, -0.1, 0.1])) == pytest.approx([0.75, 0, 0.25])

    @pytest.mark.parametrize("values", [[0.0, 0.0], [-0.1, 0.0], [0.0]])
    def test_nothing_positive(self, values):
        assert shares(np.array(values)).tolist() == [0.0] * len(values)

    @given(st.lists(st.floats(-3, 3), min_size=1, max_size=6))
    def test_a_distribution_or_zeros(self, values):
        found = shares(np.array(values))
        assert (found >= 0).all()
        assert found.sum() == pytest.approx(float(max(values) > 0))


class TestBalance:
    def test_by_hand(self):
        assert balance(np.full(3, 1 / 3)) == pytest.approx(1)
        assert balance(np.array([0.5, 0.5, 0])) == pytest.approx(np.log(2) / np.log(3))
        assert balance(np.array([0.9, 0.1])) == pytest.approx(0.4689955936)

    @pytest.mark.parametrize("parts", [[1.0, 0.0], [1.0], [0.0, 0.0], [0.0]])
    def test_none_to_speak_of(self, parts):
        assert balance(np.array(parts)) == 0

    @given(st.lists(st.floats(-3, 3), min_size=1, max_size=6), st.randoms())
    def test_in_the_unit_interval_in_any_order(self, values, random):
        parts = shares(np.array(values))
        found = balance(parts)
        assert 0 <= found <= 1
        shuffled = parts.tolist()
        random.shuffle(shuffled)
        assert balance(np.array(shuffled)) == pytest.approx(found, abs=1e-12)

    def test_rises_towards_equal_shares(self):
        found = [balance(np.array([p, 1 - p])) for p in (0.99, 0.9, 0.7, 0.5)]
        assert found == sorted(found)
        assert found[-1] == 1
