"""Numbers and names as the report prints them: one place, so that no two places differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from balmi.data.together import apart
from balmi.numerals import MISSING, counted, decimal, inflected

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NAME = 40
LISTED_PAIRS = 6  # pairs of modalities in a sentence, which counts the others
NBSP = "\N{NO-BREAK SPACE}"


def known(value: object) -> float | None:
    """Return a cell as a float, or None where it is empty."""
    number = math.nan if value is None else float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


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


def test_folds(dealt: int, distinct: int) -> str:
    """Return a count of test folds, and how many of them count where some repeat a test set."""
    text = counted(dealt, "test fold")
    if distinct == dealt:
        return text
    verb = inflected(distinct, "differs and counts", "differ and count")
    return f"{text} were dealt, of which {distinct} {verb}"


def too_few(dealt: int, distinct: int, needed: int) -> str:
    """Return a count of test folds that are too few to conclude, and how many are needed."""
    folds = test_folds(dealt, distinct)
    if distinct == dealt:
        folds += f" {inflected(distinct, 'is', 'are')} too few"
    return f"{folds}; at least {needed} are needed"


def joined(names: list[str] | tuple[str, ...], word: str = "and") -> str:
    """Return names as a phrase: ``a``, ``a and b``, ``a, b and c``."""
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def combination(name: str, modalities: Sequence[str]) -> str:
    """Return the name of several modalities, which tables join by ``+``, as readers see it.

    Of more than three modalities, all and all but one or two are named so: a list would be too
    long.
    """
    if name in modalities:
        return name
    parts = apart(name)
    spaced = " + ".join(parts)
    left = [other for other in modalities if other not in parts]
    if len(modalities) <= 3 or len(parts) < 3 or len(left) > 2:
        return spaced
    return f"all but {joined(left)}" if left else "all modalities"


def shortened(text: str, length: int = 30) -> str:
    """Return a text of at most `length` characters, its middle left out where it is longer."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def brief(name: str | None) -> str:
    """Return a name short enough for a sentence; nothing where there is none."""
    return shortened(name or "", LONGEST_NAME)
