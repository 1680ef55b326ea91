"""How many samples it takes to see what two modalities share, whatever direction it lies in.

The hardest case is that of features that vary alike, p in one modality and q in the other, of which
one direction of each is shared: neither variance nor anything else says where to look. Two things
must then be seen. The sum of all squared cross-covariances must stand out: under independence its
mean is p q / n and its variance about 2 p q / n^2, and the pair adds its squared correlation. And
the leading pair of directions, learned without a sample, must correlate in it; of a rank-one matrix
under noise it is known how far the leading singular vectors turn away from the true ones
(Benaych-Georges and Nadakuditi 2012, Journal of Multivariate Analysis 111, section 3.1).
"""

from __future__ import annotations

from math import ceil

import numpy as np
from scipy.stats import norm

from balmi.information.companions import STANDARD_ERRORS
from balmi.information.estimates import NULL_LEVEL

CORRELATION = 0.8  # of the pair that is looked for
POWER = 0.85  # of either step: together they see the pair in about four of five cohorts
LEARNED_FROM = 0.95  # share of the samples that directions are learned from
MOST = 10**9


def seen_from(left: int, right: int, correlation: float = CORRELATION) -> int:
    """Return from how many samples on a planted pair of directions is seen in 4 of 5 cohorts.

    Parameters
    ----------
    left, right
        Features of each modality, which vary alike; at least one.
    correlation
        Of the pair, between 0 and 1.
    """
    margin = norm.isf(NULL_LEVEL) + norm.ppf(POWER)
    tested = ceil(margin * np.sqrt(2.0 * left * right) / correlation**2)
    low, high = 1, MOST  # the held-out correlation and its bar cross once
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _read(left, right, middle, correlation) else (middle, high)
    return max(tested, high)


def _read(left: int, right: int, samples: int, correlation: float) -> bool:
    """Return whether a pair's held-out correlation is above what chance allows it."""
    held_out = correlation * np.prod(_turned(left, right, LEARNED_FROM * samples, correlation))
    spread = norm.ppf(POWER) * (1 - held_out**2)
    return bool(held_out * np.sqrt(samples) > STANDARD_ERRORS + spread)


def _turned(left: int, right: int, samples: float, correlation: float) -> tuple[float, float]:
    """Return the cosines between true and learned directions, of the smaller modality first."""
    few, many = sorted((left, right))
    aspect, spike = few / many, correlation**2 * samples / many
    if spike**2 <= aspect:  # the pair drowns in noise
        return 0.0, 0.0
    one = 1 - aspect * (1 + spike) / (spike * (spike + aspect))
    other = 1 - (aspect + spike) / (spike * (spike + 1))
    return float(np.sqrt(one)), float(np.sqrt(other))
