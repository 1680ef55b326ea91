"""Numbers and names as the report prints them: one place, so that no two places differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from balmi.data.together import apart, together

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = "–"
LONGEST_NAME = 40
PLACES, MOST_PLACES = 3, 4  # decimals of a number without an interval, and the most of one with it
NBSP = "\N{NO-BREAK SPACE}"


def known(value: object) -> float | None:
    """Return a cell as a float, or None where it is empty."""
    number = math.nan if value is None else float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


def decimal(value: float | None, places: int = PLACES) -> str:
    """Return a number with that many decimals and a true minus sign; zero has none."""
    return MISSING if value is None else f"{value:z.{places}f}".replace("-", "−")


def signed(value: float | None, places: int = PLACES) -> str:
    """Return a difference: as `decimal`, always with its sign, which a verdict rests on."""
    return MISSING if value is None else f"{value:+.{places}f}".replace("-", "−")


SIZED = (decimal, signed)  # forms whose decimals follow the interval


def chance(p: float | None) -> str:
    """Return a p-value; one that would read 0.000 is given as an upper limit."""
    return "<0.001" if p is not None and p < 0.0005 else decimal(p)


def with_p(p: float | None) -> str:
    """Return a p-value with its letter."""
    return f"p{NBSP}{'' if p is not None and p < 0.0005 else f'={NBSP}'}{chance(p)}"


def percent(share: float | None) -> str:
    """Return a share as whole per cent; one that is not 0 or 1 never reads 0 % or 100 %."""
    if share is None:
        return MISSING
    if 0.995 <= share < 1:
        return f">99{NBSP}%"
    return f"<1{NBSP}%" if 0 < share < 0.005 else f"{100 * share:.0f}{NBSP}%".replace("-", "−")


def places_of(lower: float | None, upper: float | None) -> int:
    """Return the decimals that an interval is told with: two significant digits of its half width.

    One at the least, and four at the most; more than two digits where a limit beside zero would
    read as zero; `PLACES` where there is no width.
    """
    if lower is None or upper is None or lower == upper:
        return PLACES
    two = max(1 - math.floor(math.log10(abs(upper - lower) / 2)), 1)
    beyond = [end for end in (lower, upper) if end]
    finer = range(two, MOST_PLACES + 1)
    told = (places for places in finer if all(round(end, places) for end in beyond))
    return next(told, min(two, MOST_PLACES))


def beside(value: float | None, lower: float | None, upper: float | None, form=decimal) -> str:
    """Return a value with as many decimals as its interval has, which stands elsewhere."""
    return form(value, places_of(lower, upper)) if form in SIZED else form(value)


def limits(lower: float | None, upper: float | None, form=decimal) -> str:
    """Return an interval as ``lower to upper``."""
    if lower is None or upper is None:
        return MISSING
    return " to ".join(beside(end, lower, upper, form) for end in (lower, upper))


def with_limits(value: float | None, lower: float | None, upper: float | None, form=decimal) -> str:
    """Return ``value (lower to upper)``, or the value alone where it has no interval."""
    if lower is None or upper is None:
        return form(value)
    return f"{beside(value, lower, upper, form)} ({limits(lower, upper, form)})"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun in the right number."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def test_folds(dealt: int, distinct: int) -> str:
    """Return a count of test folds, and how many of them count where some repeat a test set."""
    text = counted(dealt, "test fold")
    if distinct == dealt:
        return text
    verb = "differs and counts" if distinct == 1 else "differ and count"
    return f"{text} were dealt, of which {distinct} {verb}"


def joined(names: list[str] | tuple[str, ...]) -> str:
    """Return names as a phrase: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def combination(name: str, modalities: Sequence[str]) -> str:
    """Return the name of several modalities, which tables join by ``+``, as readers see it.

    Of more than three modalities, all and all but one are named so: the list would be too long.
    """
    if name in modalities:
        return name
    spaced = " + ".join(apart(name))
    if len(modalities) <= 3:
        return spaced
    ordered = sorted(modalities)
    short = {together(ordered): "all modalities"}
    for left in ordered:
        short[together(other for other in ordered if other != left)] = f"all but {left}"
    return short.get(name, spaced)


def shortened(text: str, length: int = 30) -> str:
    """Return a text of at most `length` characters, its middle left out where it is longer."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def brief(name: str | None) -> str:
    """Return a name short enough for a sentence; nothing where there is none."""
    return shortened(name or "", LONGEST_NAME)
