"""Features of new samples and those of a model: the same names, or names that mean the same.

Names that are the same are matched first. Of the rest, one is taken for another where it differs by
case, by a version (``ENSG00000141510.12``), or where one of both alone has a symbol and a number
(``TP53|7157``), if it can be taken for no other. Two names with several parts mean the same where
all parts do: ``AKT1|pT308`` is not ``AKT1|pS473``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.errors import listing, shown
from balmi.numerals import counted, inflected

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = 3
_VERSION = re.compile(r"^((?:ens[a-z]*[gtp]|[nx][mrp]_)\d+)\.\d+$")
_NOTHING = {"", "?", "na", "nan", "---"}
# A precursor (mir) is another molecule than the mature one (miR): here case tells them apart.
_MICRO = re.compile(r"-(mir|miR)-")


def _folded(text: str) -> set[str]:
    """Return what a name or a part of it may be written as: in lower case, without its version."""
    text = text.strip()
    low = text.casefold()
    if "-mir-" in low:
        found = _MICRO.search(text)
        kinds = [found[1]] if found else ["mir", "miR"]  # in capitals it may be either
        return {low.replace("-mir-", f"-{kind}-", 1) for kind in kinds}
    version = _VERSION.match(low)
    return {low} | ({version[1]} if version else set())


@dataclass(frozen=True)
class Forms:
    """What a name may be written as.

    Parameters
    ----------
    wholes
        The whole name.
    parts
        Its parts, where it has several, as a symbol and a number.
    """

    wholes: frozenset[str]
    parts: frozenset[str]

    @classmethod
    def of(cls, name: str) -> Forms:
        """Return the forms of a name."""
        pieces = [_folded(piece) - _NOTHING for piece in name.split("|")]
        wholes = _folded(name)
        if len(pieces) < 2:
            return cls(frozenset(wholes), frozenset())
        joined = {"|".join(min(piece, key=len) for piece in pieces if piece)}
        return cls(frozenset(wholes | joined) - _NOTHING, frozenset[str]().union(*pieces))


@dataclass(frozen=True)
class Match:
    """Which feature of a table is which of a model.

    Parameters
    ----------
    places
        Column of the table for every feature of the model, -1 where there is none; (features,).
    alike
        Pairs of names, of the table and of the model, that are not the same.
    doubtful
        Names of the table that could be several features of the model, and are left out.
    rivals
        Sets of names of the table that all mean the same feature of the model.
    """

    places: np.ndarray
    alike: tuple[tuple[str, str], ...]
    doubtful: tuple[str, ...]
    rivals: tuple[tuple[str, ...], ...]

    @property
    def remarks(self) -> list[tuple[str, str]]:
        """What is to be said of it: what was found, what is made of it."""
        told = []
        if self.alike:
            some = listing(f"{shown(new)} as {shown(own)}" for new, own in self.alike[:EXAMPLES])
            found = f"{counted(len(self.alike), 'feature')} whose"
            found += f" {inflected(len(self.alike), 'name differs', 'names differ')} from the"
            found += " model's by case, version, or symbol and number"
            told.append((found, f"taken for these: {some}"))
        if self.doubtful:
            some = listing(map(shown, self.doubtful[:EXAMPLES]))
            found = f"{counted(len(self.doubtful), 'feature')} that may be one of several of the"
            found += f" model: {some}"
            told.append((found, "they are left out"))
        return told


def match(columns: Sequence[str], features: Sequence[str]) -> Match:
    """Find the features of a model among the columns of a table.

    Parameters
    ----------
    columns
        Names of the table, each once.
    features
        Names of the model, each once.
    """
    at = {name: place for place, name in enumerate(columns)}
    places = np.array([at.get(name, -1) for name in features], dtype=np.int64)
    lacking = np.flatnonzero(places < 0).tolist()
    if not lacking:
        return Match(places, (), (), ())
    known = set(features)
    wholes: dict[str, set[int]] = {}
    parts: dict[str, set[int]] = {}
    for number in lacking:
        own = Forms.of(features[number])
        for forms, meaning in ((own.wholes, wholes), (own.parts, parts)):
            for form in forms:
                meaning.setdefault(form, set()).add(number)
    # A form that a present feature of the model has too says nothing of one that is lacking.
    present = [Forms.of(name) for name in known & set(at)]
    taken = frozenset[str]().union(*(own.wholes | own.parts for own in present))
    claims: dict[int, list[str]] = {}
    doubtful = []
    for name in columns:
        if name in known:
            continue
        own = Forms.of(name)
        numbers: set[int] = set()
        for form in own.wholes - taken:
            numbers |= wholes.get(form, set()) | parts.get(form, set())
        for form in own.parts - taken:
            numbers |= wholes.get(form, set())
        if len(numbers) > 1:
            doubtful.append(name)
        for number in numbers if len(numbers) == 1 else ():
            claims.setdefault(number, []).append(name)
    alike = []
    for number, names in claims.items():
        if len(names) == 1:
            places[number] = at[names[0]]
            alike.append((names[0], features[number]))
    rivals = tuple(tuple(names) for names in claims.values() if len(names) > 1)
    return Match(places, tuple(alike), tuple(doubtful), rivals)
