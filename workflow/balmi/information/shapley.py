"""Shares of modalities in what all of them tell, by Shapley values, and their balance."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Coalition = frozenset[int]

EXACT_PLAYERS = 5
# Circles drawn above that. In 60 Gaussian games of eight players each, one leaves .006 of the whole
# (root mean square over players) and asks for 32 coalitions of three to six players; 40 orders
# drawn one by one, with their reversals, leave .004 and ask for 110.
CIRCLES = 1


def orderings(
    players: int, rng: np.random.Generator, circles: int = CIRCLES
) -> list[tuple[int, ...]]:
    """Return the orders in which players join: all, or a sample above five players.

    What a player adds depends most on how many came before. Sampled orders go around a circle from
    every player on, in both directions, so that everyone stands in every place equally often (a
    Latin square; the average over sampled orders is that of Castro, Gomez and Tejada 2009,
    Computers & Operations Research 36), and have many coalitions in common.

    Parameters
    ----------
    players
        Number of players, numbered from 0.
    rng
        Source of randomness; not used up to five players.
    circles
        How many circles are drawn above five players.
    """
    if players <= EXACT_PLAYERS:
        return list(permutations(range(players)))
    drawn = [rng.permutation(players).tolist() for _ in range(circles)]
    turned = [tuple(one[start:] + one[:start]) for one in drawn for start in range(players)]
    return [order for one in turned for order in (one, one[::-1])]


def coalitions(orders: Iterable[Sequence[int]]) -> set[Coalition]:
    """Return the coalitions whose values the Shapley values over these orders need."""
    return {frozenset(order[:size]) for order in orders for size in range(len(order) + 1)}


def shapley_values(
    values: Mapping[Coalition, float], orders: Sequence[Sequence[int]]
) -> np.ndarray:
    """Return the mean of what each player adds to those before it; (players,).

    They sum to the value of all players minus that of none.

    Parameters
    ----------
    values
        Value of every coalition in `coalitions(orders)`.
    orders
        What `orderings` returned.
    """
    added = np.zeros(len(orders[0]))
    for order in orders:
        for size, player in enumerate(order):
            before = frozenset(order[:size])
            added[player] += values[before | {player}] - values[before]
    return added / len(orders)


def shares(values: np.ndarray) -> np.ndarray:
    """Return the positive parts of Shapley values over their sum; zeros where none is positive."""
    positive = np.maximum(values, 0)
    total = positive.sum()
    return positive / total if total > 0 else positive


def balance(parts: np.ndarray) -> float:
    """Return the entropy of shares over its largest value, log M.

    1 where all modalities contribute alike, 0 where one contributes all; 0 also where no modality
    contributes, and with one modality alone, since nothing is balanced then.
    """
    held = parts[parts > 0]
    if len(held) < 2:
        return 0.0
    return min(1.0, float(-(held * np.log(held)).sum() / np.log(len(parts))))
