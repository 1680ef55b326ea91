"""Whether a method is at chance where there is nothing to learn, by its interval."""

from __future__ import annotations

import math
from enum import StrEnum

RANKING = "macro_auroc"
CHANCE = 0.5  # macro AUROC of who knows nothing
# An interval this wide that holds chance may reach .6, as the score of a weak but true marker does,
# or of a method that sees a little of what it is tested on: it does not tell the two apart.
WIDEST = 0.2


class Reading(StrEnum):
    """What the score of a method says where nothing can be learned, the worst first."""

    LEAKS = "above chance"
    DOUBTFUL = "above chance by the 95 % limit alone"
    WIDE = "inconclusive"
    CHANCE = "not above chance"
    UNKNOWN = "not judged"


def read_control(lower: float, upper: float, lower99: float) -> Reading:
    """Name what an interval of macro AUROC says: the only place that judges a control.

    Parameters
    ----------
    lower, upper
        Limits of the 95 % interval; NaN where there is none.
    lower99
        Lower limit of the 99 % interval.
    """
    if not all(map(math.isfinite, (lower, upper, lower99))):
        return Reading.UNKNOWN
    if lower99 > CHANCE:
        return Reading.LEAKS
    if lower > CHANCE:
        return Reading.DOUBTFUL
    wide = upper >= CHANCE and upper - lower > WIDEST
    return Reading.WIDE if wide else Reading.CHANCE
