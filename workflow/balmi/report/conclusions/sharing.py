"""How information is shared: which modalities are above chance, and how evenly it is spread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.numerals import with_limits
from balmi.report.kit.words import brief, chance, joined, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.amounts import Amount
    from balmi.report.sections.information.decomposition import Parts, Share
    from balmi.report.sections.information.label import LabelInformation

# Of three modalities, shares of .50, .25 and .25 have a balance of .946; .85, .10 and .05 of .472.
EVEN, ONE_SIDED = 0.95, 0.5
MAJORITY = 0.5


@dataclass(frozen=True)
class Standing:
    """Which modalities stand apart, by what each knows of the label.

    Parameters
    ----------
    strongest
        The modality that knows more than every other, or None.
    separable
        Whether any two modalities are separable.
    informative
        Whether any modality may know something.
    """

    strongest: str | None
    separable: bool
    informative: bool


class Spread(StrEnum):
    """How evenly information is spread, as far as balance and standing of modalities agree."""

    EMPTY = auto()
    NO_SHARE = auto()
    NO_INTERVAL = auto()
    EVEN = auto()
    EVEN_BUT_APART = auto()
    EVEN_BUT_SEPARABLE = auto()
    ONE = auto()
    UNEVEN = auto()
    OPEN = auto()


SPREAD = {
    Spread.EMPTY: "No modality is shown to carry information, so shares mean little.",
    Spread.NO_SHARE: (
        "How information is shared out is not settled: no modality has a share above 0."
    ),
    Spread.NO_INTERVAL: "How evenly information is spread is not settled: {balance}.",
    Spread.EVEN: "Information is spread evenly over the modalities: {balance}.",
    Spread.EVEN_BUT_APART: (
        "By their balance, shares are nearly even, although {strongest} knows more than any"
        " other: {balance}."
    ),
    Spread.EVEN_BUT_SEPARABLE: (
        "By their balance, shares are nearly even, although some know more than others: {balance}."
    ),
    Spread.ONE: "Information is carried mostly by one modality, {strongest}{share}: {balance}.",
    Spread.UNEVEN: "Information is spread unevenly over the modalities: {balance}.",
    Spread.OPEN: "Whether information is spread evenly is not settled: {balance}.",
}


def _holder(standing: Standing, shares: Sequence[Share]) -> Amount | None:
    """Return the share of the modality that stands apart where it is most of all; else None."""
    # Whichever has more than half of it is that one, and no two can have.
    held = {row.modality: row.share for row in shares if row.share}
    share = held.get(standing.strongest or "")
    return share if share is not None and (share.lower or 0) > MAJORITY else None


def spread_of(amount: Amount, shares: Sequence[Share], standing: Standing) -> Spread:
    """Return how evenly information is spread.

    Parameters
    ----------
    amount
        The balance, from 0 to 1.
    shares
        Shares of the modalities.
    standing
        Which modalities stand apart, which the case must not contradict.
    """
    lower, upper = amount.lower, amount.upper
    if not standing.informative:
        return Spread.EMPTY
    if shares and all(row.amount.estimate <= 0 for row in shares):
        return Spread.NO_SHARE
    if lower is None or upper is None:
        return Spread.NO_INTERVAL
    if lower >= EVEN:
        if standing.strongest is not None:
            return Spread.EVEN_BUT_APART
        return Spread.EVEN_BUT_SEPARABLE if standing.separable else Spread.EVEN
    if upper <= ONE_SIDED and _holder(standing, shares) is not None:
        return Spread.ONE
    return Spread.UNEVEN if upper < EVEN and standing.separable else Spread.OPEN


def spread(amount: Amount, shares: Sequence[Share], standing: Standing) -> str:
    """Say how evenly information is spread.

    Parameters
    ----------
    amount, shares, standing
        As `spread_of` takes them.
    """
    most = _holder(standing, shares)
    return SPREAD[spread_of(amount, shares, standing)].format(
        balance=f"balance {amount.told()} of 1",
        strongest=brief(standing.strongest),
        share="" if most is None else f" ({percent(most.estimate)})",
    )


NOT_ABOVE = "Not above what permuted labels give: {names}. No information is shown there."
ALL_ABOVE = "{which} exceeds what permuted labels give (p at most {p})."


def above_chance(rows: Sequence[LabelInformation], modalities: int) -> str | None:
    """Say which modalities are not above chance, or that all are; None where neither is known.

    Parameters
    ----------
    rows
        What each modality knows about the label.
    modalities
        Modalities of the cohort, of which some may have too few samples for an estimate.
    """
    inside = [brief(row.modality) for row in rows if row.exceeds is False]
    if inside:
        return NOT_ABOVE.format(names=joined(inside))
    if {row.exceeds for row in rows} != {True}:
        return None
    which = "Every modality" + ("" if len(rows) == modalities else " with enough samples")
    return ALL_ABOVE.format(which=which, p=chance(max(row.p for row in rows if row.p is not None)))


SHARED = "Of what {top} carries, {shared} nats are shared with {others}; {only}."
# By whether it is shown that something is unique to the modality.
UNIQUE = {True: "{amount} nats are unique to it", False: "nothing is shown to be unique to it"}


def redundancy(top: LabelInformation, parts: Parts | None) -> str | None:
    """Say what of the highest estimate is unique to its modality, and what is shared.

    Parameters
    ----------
    top
        The modality of the highest estimate.
    parts
        What it shares with all others, itself the first; None where that was not estimated.
    """
    if parts is None or top.exceeds is False:
        return None
    both, alone = parts.redundant, parts.unique_first
    if both is None or alone is None:
        return None
    return SHARED.format(
        top=brief(top.modality),
        shared=with_limits(both.estimate, both.lower, both.upper),
        others="the others together" if parts.rest else brief(parts.second),
        only=UNIQUE[alone.shown].format(
            amount=with_limits(alone.estimate, alone.lower, alone.upper)
        ),
    )
