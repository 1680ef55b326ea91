"""Intervals turned into words: the only place that decides what a difference is called."""

from __future__ import annotations

import math
from enum import StrEnum


class Verdict(StrEnum):
    """What an interval of a paired difference supports."""

    GAIN = "gain supported"
    NONE = "no difference shown"
    LOSS = "loss supported"


def verdict(lower: float, upper: float) -> Verdict:
    """Name what an interval supports.

    Parameters
    ----------
    lower, upper
        Limits of a corrected interval of method minus reference, where larger is better.

    Raises
    ------
    ValueError
        Where a limit is NaN or the limits are in the wrong order.
    """
    if math.isnan(lower) or math.isnan(upper) or lower > upper:
        raise ValueError(f"no interval: {lower} to {upper}")
    if lower > 0:
        return Verdict.GAIN
    return Verdict.LOSS if upper < 0 else Verdict.NONE
