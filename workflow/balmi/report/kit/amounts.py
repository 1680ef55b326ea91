"""Estimates with their intervals, as the views hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from balmi.numerals import decimal, places_of, with_limits
from balmi.report.kit.words import known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

# A row of a table of the contract, by column.
Row = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Amount:
    """An estimate with the limits of its 95 % interval, None where it has none."""

    estimate: float
    lower: float | None
    upper: float | None

    @property
    def shown(self) -> bool:
        """Whether the whole interval lies above zero, at the decimals that readers see."""
        places = places_of(self.lower, self.upper)
        return self.lower is not None and round(self.lower, places) > 0

    def told(self, form: Callable[..., str] = decimal) -> str:
        """Return the estimate with its limits, in a form such as `decimal`, for readers."""
        return with_limits(self.estimate, self.lower, self.upper, form)

    @property
    def size(self) -> str:
        """The size of a difference with its limits, all without signs, for readers."""
        ends = sorted(abs(end) for end in (self.lower or 0.0, self.upper or 0.0))
        return with_limits(abs(self.estimate), ends[0], ends[1])


def amount_of(
    row: Mapping[str, Any], columns: Sequence[str] = ("estimate", "lower", "upper")
) -> Amount | None:
    """Return the estimate of a row with its limits, or None where it is empty."""
    value, lower, upper = (known(row[column]) for column in columns)
    return None if value is None else Amount(value, lower, upper)


def rows_by_quantity(information: pd.DataFrame) -> dict[str, list[Row]]:
    """Return the rows of ``information.csv`` that hold an estimate."""
    held = information[information["estimate"].notna()]
    tables = held.groupby("quantity", sort=False)
    return {str(quantity): table.to_dict("records") for quantity, table in tables}


def by_pair(rows: Mapping[str, Sequence[Row]], quantity: str) -> dict[tuple[str, str], Row]:
    """Return the rows of a quantity by modality and other, in the order of the table."""
    return {(row["modality"], row["other"]): row for row in rows.get(quantity, ())}


def foremost(items: Sequence[Item], count: int, size: Callable[[Item], float]) -> tuple[Item, ...]:
    """Return the largest items, at most `count` of them, in the order in which they came."""
    places = sorted(range(len(items)), key=lambda place: -size(items[place]))[:count]
    return tuple(items[place] for place in sorted(places))
