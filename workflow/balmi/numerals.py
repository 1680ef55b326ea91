"""Numbers as messages, tables and pages print them: with their nouns, and with their intervals."""

from __future__ import annotations

import math

MISSING = "–"
PLACES, MOST_PLACES = 3, 4  # decimals of a number without an interval, and the most of one with it


def decimal(value: float | None, places: int = PLACES) -> str:
    """Return a number with that many decimals and a true minus sign; zero has none."""
    return MISSING if value is None else f"{value:z.{places}f}".replace("-", "−")


def signed(value: float | None, places: int = PLACES) -> str:
    """Return a difference: as `decimal`, always with its sign, which a verdict rests on."""
    return MISSING if value is None else f"{value:+.{places}f}".replace("-", "−")


SIZED = (decimal, signed)  # forms whose decimals follow the interval


def places_of(lower: float | None, upper: float | None) -> int:
    """Return the decimals that an interval is told with: two significant digits of its half width.

    One at the least, and four at the most; more than two digits where a limit beside zero would
    read as zero; `PLACES` where there is no width, or none that those show.
    """
    known = lower is not None and upper is not None and math.isfinite(upper - lower)
    if not known or lower == upper or not any(round(end, MOST_PLACES) for end in (lower, upper)):
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
    return f"{count:,} {inflected(count, noun, plural or noun + 's')}"


def inflected(count: float, one: str, many: str) -> str:
    """Return the form of a word that goes with a count."""
    return one if count == 1 else many


def counted_samples(count: int, which: str) -> str:
    """Return a count with words about samples, which are written for several of them."""
    return f"{count:,} {inflected(count, which.replace('samples', 'sample', 1), which)}"
