"""What makes two names the same, and which texts stand for nothing: one rule for all formats.

Names of samples, classes, groups and folds are compared as text. Programs change that text on the
way without anybody seeing it: blanks at the end, accents in two pieces, a whole number that became
1.0. Such names are made one (`name_of`). Names that a reader would take for one another, but that
may be two (`P07` and `p07`), are never merged: a wrong merge mixes patients, a missed one puts a
patient on both sides of a split, so that the user has to say (`twins`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

# Soft hyphen, zero-width blanks and joiners, marks of direction, byte-order mark.
_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF])
_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0*")
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_SEPARATORS = re.compile(r"[\s._/‐-―−-]+")
_LOOSE = re.compile(r"(?<!\d)_|_(?!\d)")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_QUOTES = re.compile("[\"'`´‘’“”]")
# Letters of other alphabets that look like Latin ones (Cyrillic, Greek), after case folding.
_ALIKE = str.maketrans("авекмнорстухіјѕαβεικνορτυχ", "abekmhopctyxijsabeikvoptux")

# Read as classes, groups or folds, these are kept, but may be meant as nothing.
_DOUBTFUL = re.compile(
    r"unknown|unclear|undetermined|undefined|unspecified|indeterminate|missing|empty|blank"
    r"|not (available|applicable|reported|known|determined|evaluated|done|specified)"
    r"|[.?*-]+|-9+|9{3,}|#(ref|value|div/0|name|num|null|spill|getting_data)[!?]?|\[.*\]",
    re.IGNORECASE,
)
# In full, or as a spreadsheet writes them: in English, and where German, French, Spanish, Italian
# or Portuguese differ. A decanol is of no December.
_MONTH = (
    "jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t|tember)?|oct(ober)?"
    "|nov(ember)?|dec(ember)?|mrz|mär|mars|avr|abr|févr?|fev|okt|ott|dez|déc|dic|set"
)
_SPREADSHEET = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}({_MONTH})\.?([-. ]\d{{2,4}})?|({_MONTH})[-. ]\d{{1,4}}"
    r"|\d{4}[-/]\d{1,2}[-/]\d{1,2}( 00:00:00)?|\d{1,2}/\d{1,2}/\d{2,4}|\d(\.\d+)?e\+\d+",
    re.IGNORECASE,
)


def as_text(cell: object) -> str:
    """Return a cell as text; empty where it is missing, and 7 for the whole number 7.0.

    Parameters
    ----------
    cell
        Text, bytes, a number, or whatever else a table holds.
    """
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace")
    if isinstance(cell, str):
        return cell
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return ""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def tidy(text: str) -> str:
    """Return text without what nobody sees: invisible signs, accents in pieces, stray blanks."""
    composed = unicodedata.normalize("NFC", text.translate(_INVISIBLE))
    return " ".join(composed.split())


def name_of(cell: object) -> str:
    """Return the name that a cell holds; empty where there is none.

    A whole number is one name however it is stored: 1, 1.0, "1" and "1.0" are all "1", since a
    column of numbers with an empty cell becomes one of fractions in many programs. "01" stays "01".

    Parameters
    ----------
    cell
        Text or a number.
    """
    text = tidy(as_text(cell))
    whole = _WHOLE_NUMBER.fullmatch(text)
    return whole.group(1) if whole else text


def likeness(name: str) -> str:
    """Return what a quick reader sees of a name: no case, accents, leading zeros or quotes.

    Blanks, dashes, dots and underscores are one sign, and letters of other alphabets are the Latin
    ones that they look like.
    """
    if name.isascii():
        text = name.lower()
    else:
        pieces = unicodedata.normalize("NFKD", name)
        text = "".join(sign for sign in pieces if not unicodedata.combining(sign))
        text = text.casefold().translate(_ALIKE)
    return _SEPARATORS.sub("_", _LEADING_ZEROS.sub("", _QUOTES.sub("", text)))


def twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the sets of different names that look alike, each in order.

    Parameters
    ----------
    names
        Names as `name_of` gives them; each may occur any number of times.
    """
    alike: dict[str, set[str]] = {}
    for name in set(names):
        alike.setdefault(likeness(name), set()).add(name)
    return sorted(tuple(sorted(some)) for some in alike.values() if len(some) > 1)


def near_twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the sets of names that differ by a blank or sign that only some of them have.

    ``Lum A`` and ``LumA`` may be one class, and ``HER2-`` and ``HER2`` two: these are told, not
    refused. A sign between digits, or before a number, means something and is kept.

    Parameters
    ----------
    names
        Names as `name_of` gives them.
    """
    alike: dict[str, set[str]] = {}
    for name in set(names):
        if not _NUMBER.fullmatch(name):
            alike.setdefault(_LOOSE.sub("", likeness(name)), set()).add(name)
    return sorted(tuple(sorted(some)) for some in alike.values() if len(some) > 1)


def doubtful(name: str) -> bool:
    """Return whether a name reads like a missing value, or an error of a spreadsheet."""
    return _DOUBTFUL.fullmatch(name) is not None


def from_spreadsheet(name: str) -> bool:
    """Return whether a name reads like what a spreadsheet makes of another: a date, 2.31E+13."""
    return _SPREADSHEET.fullmatch(name) is not None


# Names of a first column that programs make up where a table's rows have numbers alone.
_MADE_UP = re.compile(
    r"|unnamed: ?0|__index_level_0__|level_0|index|x|v1|\.\.\.1|row_nr", re.IGNORECASE
)


def made_up(name: str) -> bool:
    """Return whether a column is called as programs call one of row numbers."""
    return _MADE_UP.fullmatch(name.strip()) is not None


class MissingTexts:
    """The texts that stand for a missing value, whatever their case; a blank one always does.

    Parameters
    ----------
    texts
        As in ``datasets.(name).missing``.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(tidy(text).casefold() for text in texts) | {""}

    def __contains__(self, text: str) -> bool:
        return tidy(text).casefold() in self._texts
