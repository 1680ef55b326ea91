"""Intervals turned into words: the only place that decides what a difference is called.

A 95 % interval that excludes 0 supports what lies on its side; one that holds 0 shows nothing,
which is not the same as equality. Limits at 0 exactly count as holding it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from balmi.config.automatic import FEWEST_FOLDS
from balmi.information.estimates import NULL_LEVEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

NOT_SEPARABLE = "not separable"
HOLM_LEVEL = 0.05


class Verdict(StrEnum):
    """What an interval of a paired difference supports."""

    GAIN = "gain supported"
    NONE = "no difference shown"
    LOSS = "loss supported"
    UNJUDGED = "cannot be judged"
    WITHHELD = "verdict withheld"


class Foremost(StrEnum):
    """What is shown of the modality whose estimate of information is the highest."""

    APART = "stands apart"
    SHOWN = "information shown"
    OPEN = NOT_SEPARABLE
    NOTHING = "no information shown"


class Prediction(StrEnum):
    """What the interval of a complementarity margin predicts for the student."""

    GAIN = "gain"
    NO_GAIN = "no gain"
    UNDECIDED = "undecided"

    @property
    def words(self) -> str:
        """What is to be expected of distillation."""
        return _PREDICTION_WORDS[self]


_PREDICTION_WORDS = {
    Prediction.GAIN: "predicted to help",
    Prediction.NO_GAIN: "predicted not to help",
    Prediction.UNDECIDED: "undecided",
}


def verdict(
    lower: float, upper: float, *, more_is_better: bool = True, failed: Collection[str] = ()
) -> Verdict:
    """Name what an interval supports.

    Parameters
    ----------
    lower, upper
        Limits of a corrected interval of method minus reference.
    more_is_better
        Whether a larger value of the metric is better; not so for a loss.
    failed
        Failed controls, as `balmi.evaluation.trust.withheld` names them: with any, the interval may
        come from a leak, and supports nothing.

    Raises
    ------
    ValueError
        Where a limit is NaN or the limits are in the wrong order.
    """
    if math.isnan(lower) or math.isnan(upper) or lower > upper:
        raise ValueError(f"no interval: {lower} to {upper}")
    if failed:
        return Verdict.WITHHELD
    above, below = (Verdict.GAIN, Verdict.LOSS)[:: 1 if more_is_better else -1]
    if lower > 0:
        return above
    return below if upper < 0 else Verdict.NONE


def judged(
    lower: float,
    upper: float,
    *,
    folds: int,
    p_holm: float = 0.0,
    more_is_better: bool = True,
    failed: Collection[str] = (),
) -> Verdict:
    """Name what an interval supports, where folds are many enough and p is small enough.

    Parameters
    ----------
    lower, upper, more_is_better, failed
        As `verdict` takes them.
    folds
        Test folds that differ; with fewer than `FEWEST_FOLDS` nothing is judged.
    p_holm
        The p of the difference, adjusted by Holm: above `HOLM_LEVEL` no difference is shown. 0 of
        a comparison that was fixed in advance.
    """
    word = verdict(lower, upper, more_is_better=more_is_better, failed=failed)
    if word is Verdict.WITHHELD:
        return word
    if folds < FEWEST_FOLDS:
        return Verdict.UNJUDGED
    return word if p_holm <= HOLM_LEVEL else Verdict.NONE


def adjusted_away(word: Verdict | str | None, lower: float | None, upper: float | None) -> bool:
    """Return whether an interval excludes 0 and no difference is shown: p, adjusted, forbids it.

    Parameters
    ----------
    word
        What `judged` said.
    lower, upper
        Limits of the interval, None where there is none.
    """
    excludes = lower is not None and upper is not None and (lower > 0 or upper < 0)
    return word == Verdict.NONE and excludes


def prediction(lower: float, upper: float) -> Prediction:
    """Name what a margin predicts: undecided where its interval holds 0 or is not known.

    Parameters
    ----------
    lower, upper
        Limits of the interval of I(Z_T; Z_S) - I(Z_S; Y), nats.
    """
    if lower > 0:
        return Prediction.GAIN
    return Prediction.NO_GAIN if upper < 0 else Prediction.UNDECIDED


def informative(estimate: float, p_value: float) -> bool:
    """Return whether a modality is shown to know anything of the label.

    The p-value is a simpler classifier's; an estimate below 0 shows nothing all the same.

    Parameters
    ----------
    estimate
        Its information, nats.
    p_value
        Share of label permutations that give as much.
    """
    return bool(p_value <= NULL_LEVEL and estimate > 0)


def stronger(first: str, second: str, lower: float, upper: float) -> str | None:
    """Return which of two modalities knows more of the label, None where not separable.

    Parameters
    ----------
    first, second
        Names of modalities.
    lower, upper
        Limits of the interval of what the first knows minus what the second knows, nats; NaN where
        it is not known.
    """
    if lower > 0:
        return first
    return second if upper < 0 else None


@dataclass(frozen=True)
class PairedDifference:
    """How much more one modality knows of the label than another, on the same samples.

    Parameters
    ----------
    first, second
        Names of modalities.
    lower, upper
        Limits of the interval of the paired difference, nats.
    """

    first: str
    second: str
    lower: float
    upper: float


@dataclass(frozen=True)
class Extremes:
    """The strongest and the weakest modality; None where it is not separable from the others."""

    strongest: str | None
    weakest: str | None


def extremes(
    estimates: Mapping[str, float],
    contrasts: Iterable[PairedDifference],
    uninformative: Collection[str] = (),
) -> Extremes:
    """Return the strongest and the weakest modality, each only where it differs from every other.

    Modalities are measured on the same samples, so that their paired difference tells more than
    two intervals side by side.

    Parameters
    ----------
    estimates
        Modality -> what it knows of the label, nats.
    contrasts
        Paired differences; a pair without one is not separable.
    uninformative
        Modalities whose information does not exceed that of permuted labels. None of them is the
        strongest, and beside another one of them none is the weakest: two modalities without
        information may differ by the bias of their estimates alone.
    """
    falling = sorted(estimates, key=lambda name: -estimates[name])
    if len(falling) < 2:
        return Extremes(None, None)
    pairs = {
        (winner, each.second if winner == each.first else each.first)
        for each in contrasts
        if (winner := stronger(each.first, each.second, each.lower, each.upper)) is not None
    }
    top, bottom = falling[0], falling[-1]
    above = all((top, other) in pairs for other in falling[1:])
    below = all((other, bottom) in pairs for other in falling[:-1])
    others_know = not any(name in uninformative for name in falling[:-1])
    return Extremes(
        strongest=top if above and top not in uninformative else None,
        weakest=bottom if below and others_know else None,
    )
