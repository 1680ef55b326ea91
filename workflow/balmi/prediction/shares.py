"""Classes that are called in other shares among new samples than in the cross-validation.

Counts are compared by Fisher's exact test, which holds for a handful of samples too, class by
class, each at its part of the chance that any is told of (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.stats import fisher_exact

from balmi.evaluation.statistics import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANCE = 0.01  # that any class is told of where shares are the same
MARGIN = 0.1  # of a share: less is not told of


@dataclass(frozen=True)
class OtherShare:
    """A class that is called more or less often than was to be expected.

    Parameters
    ----------
    name
        The class.
    share, lower, upper
        Share of the new samples that it is called for, with its 95 % interval.
    expected
        The share that was expected.
    """

    name: str
    share: float
    lower: float
    upper: float
    expected: float


def other_shares(
    called: Mapping[str, int], units: int, expected: Mapping[str, float], samples: int
) -> list[OtherShare]:
    """Return which classes are called in shares that chance does not explain, the most odd first.

    Parameters
    ----------
    called
        Class -> new samples that it is called for, 0 too.
    units
        New samples, or groups of them.
    expected
        Class -> share of samples like those of training that it is called for.
    samples
        Samples that this share is of.
    """
    count = sum(called.values())
    if not count or not units or not samples:
        return []
    found = []
    for name, number in called.items():
        share, before = number / count, expected.get(name, 0.0)
        counts = [
            [inside := round(part * of), of - inside]
            for part, of in ((share, units), (before, samples))
        ]
        odd = fisher_exact(counts).pvalue <= CHANCE / len(called)
        if odd and abs(share - before) >= MARGIN:
            found.append(OtherShare(name, share, *wilson_interval(share, units), before))
    return sorted(found, key=lambda each: -abs(each.share - each.expected))
