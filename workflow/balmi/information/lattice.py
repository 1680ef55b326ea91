"""Amounts of information over sets of modalities, none less than that of a part."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.optimize import nnls

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DECIMALS = 12
Set = TypeVar("Set", tuple[str, ...], frozenset[int])


def maximal_parts(whole: Set, known: Collection[Set]) -> list[Set]:
    """Return the proper parts of a set that are known and lie in no other such part."""
    parts = sorted((each for each in known if set(each) < set(whole)), key=len, reverse=True)
    found: list[Set] = []
    for part in parts:
        if not any(set(part) < set(other) for other in found):
            found.append(part)
    return found


def isotonic(values: Mapping[Set, float]) -> dict[Set, float]:
    """Return the nearest values, in squares, of which none is below that of a part.

    Pools hold the pools of their parts, so that a whole knows no less but for the noise of weights.
    With v the values and A x >= 0 the order, x = v + A' m where m >= 0 makes x smallest, since
    what is taken off lies in the polar cone (Moreau): a problem of non-negative least squares.

    Parameters
    ----------
    values
        Set -> value, nats, all of the same samples.
    """
    sets = list(values)
    found = np.array([values[each] for each in sets], dtype=float)
    broken = any(
        values[whole] < values[part]
        for part, whole in combinations(sorted(sets, key=len), 2)
        if set(part) < set(whole)
    )
    if broken:
        place = {each: index for index, each in enumerate(sets)}
        pairs = [(part, whole) for whole in sets for part in maximal_parts(whole, sets)]
        order = np.zeros((len(pairs), len(sets)))
        for row, (part, whole) in zip(order, pairs, strict=True):
            row[place[part]], row[place[whole]] = -1, 1
        # Equal parts move alike: to the digit, whatever the solver rounds.
        found = found + np.round(order.T @ nnls(-order.T, found)[0], DECIMALS)
        # Rounding must not break the order again; parts come first.
        for whole in sorted(sets, key=len):
            parts = [found[place[part]] for part, other in pairs if other == whole]
            found[place[whole]] = max([found[place[whole]], *parts])
    return dict(zip(sets, found.tolist(), strict=True))
