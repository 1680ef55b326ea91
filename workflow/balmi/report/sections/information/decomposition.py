"""The view of what modalities tell alike, alone and together, and how evenly it is spread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from balmi.report.conclusions.sharing import spread
from balmi.report.kit.amounts import Amount, amount_of, by_pair, foremost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.report.conclusions.sharing import Standing
    from balmi.report.kit.amounts import Row

PARTS = {
    "redundant": "redundant_information",
    "unique_first": "unique_information",
    "unique_second": "unique_of_other",
    "synergistic": "synergistic_information",
}
OTHERS = "all others"
MAX_DRAWN_PARTS = 10


@dataclass(frozen=True)
class Parts:
    """What two sides tell of the label, in nats: both, one alone, or only together.

    `rest` says whether the second side is all other modalities together.
    """

    first: str
    second: str
    rest: bool
    redundant: Amount | None
    unique_first: Amount | None
    unique_second: Amount | None
    synergistic: Amount | None
    n: int

    @property
    def against(self) -> str:
        """The second side by the name that readers see."""
        return OTHERS if self.rest else self.second

    @property
    def amounts(self) -> tuple[Amount | None, ...]:
        """The parts in the order in which they are drawn."""
        return self.redundant, self.unique_first, self.unique_second, self.synergistic

    @property
    def total(self) -> float:
        """Length of the bar: the sum of what is drawn of the parts."""
        return sum(max(0.0, amount.estimate) for amount in self.amounts if amount is not None)


@dataclass(frozen=True)
class Share:
    """A modality's Shapley value in nats, and its share of all of them."""

    modality: str
    amount: Amount
    share: Amount | None
    n: int


@dataclass(frozen=True)
class Balance:
    """How evenly information is spread, from 0 to 1, and what that means in words."""

    amount: Amount
    n: int
    sentence: str


def parts_view(rows: Mapping[str, Sequence[Row]], modalities: Sequence[str]) -> tuple[Parts, ...]:
    """Return the parts of every pair, and of every modality and the rest, as in the table."""
    by_part = {name: by_pair(rows, quantity) for name, quantity in PARTS.items()}
    sides = dict.fromkeys(pair for part in by_part.values() for pair in part)
    made = []
    for first, second in sides:
        held = {name: part.get((first, second)) for name, part in by_part.items()}
        amounts = {name: row and amount_of(row) for name, row in held.items()}
        n = next(int(row["n"]) for row in held.values() if row is not None)
        made.append(Parts(first, second, second not in modalities, **amounts, n=n))
    return tuple(made)


def drawn_parts(parts: Sequence[Parts]) -> tuple[Parts, ...]:
    """Return the parts that the figure has room for: those that tell most, pairs first."""
    kinds = ([part for part in parts if part.rest is rest] for rest in (False, True))
    return tuple(
        part for kind in kinds for part in foremost(kind, MAX_DRAWN_PARTS, lambda row: row.total)
    )


def parts_of(parts: Sequence[Parts], modality: str, rest: bool) -> Parts | None:
    """Return what a modality tells with all others (`rest`) or with the only other one.

    The modality comes first; None where it was not estimated.
    """
    candidates = (part for part in parts if part.rest is rest)
    chosen = next((part for part in candidates if modality in (part.first, part.second)), None)
    if chosen is None or chosen.first == modality:
        return chosen
    swapped = {"unique_first": chosen.unique_second, "unique_second": chosen.unique_first}
    return replace(chosen, first=chosen.second, second=chosen.first, **swapped)


def shares_view(rows: Mapping[str, Sequence[Row]]) -> tuple[Share, ...]:
    """Return the Shapley value and the share of every modality, as in the table."""
    shares = {row["modality"]: amount_of(row) for row in rows.get("shapley_share", ())}
    return tuple(
        Share(row["modality"], amount, shares.get(row["modality"]), int(row["n"]))
        for row in rows.get("shapley_information", ())
        if (amount := amount_of(row)) is not None
    )


def balance_view(
    rows: Mapping[str, Sequence[Row]], shares: Sequence[Share], standing: Standing
) -> Balance | None:
    """Return the balance, or None where it was not estimated.

    Parameters
    ----------
    rows
        Rows by quantity.
    shares
        Shares of the modalities.
    standing
        Which modalities stand apart, which the sentence must not contradict.
    """
    row = next(iter(rows.get("balance", ())), None)
    amount = row and amount_of(row)
    if row is None or amount is None:
        return None
    return Balance(amount, int(row["n"]), spread(amount, shares, standing))
