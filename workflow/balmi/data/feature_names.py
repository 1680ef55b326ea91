"""Features of new samples and those of a model: the same names, or names that mean the same.

Names that are the same are matched first. Of the rest, one is taken for another where it differs by
case, by a version (``ENSG00000141510.12``), or where one of both has a symbol and a number
(``TP53|7157``), if it can be taken for no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.errors import listing, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = 3
_VERSION = re.compile(r"^((?:ens[a-z]*[gtp]|[nx][mrp]_)\d+)\.\d+$")
_NOTHING = {"", "?", "na", "nan", "---"}


def forms(name: str) -> set[str]:
    """Return what a name may be written as, in lower case, without its version or in its parts."""
    whole = name.strip().casefold()
    parts = {whole, *(part.strip() for part in whole.split("|"))} - _NOTHING
    return parts | {found[1] for part in parts if (found := _VERSION.match(part))}


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
            found = f"{len(self.alike)} features whose names differ from the model's by case,"
            told.append((f"{found} version, or symbol and number", f"taken for these: {some}"))
        if self.doubtful:
            some = listing(map(shown, self.doubtful[:EXAMPLES]))
            found = f"{len(self.doubtful)} features that may be one of several of the model: {some}"
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
    meaning: dict[str, set[int]] = {}
    for number in lacking:
        for form in forms(features[number]):
            meaning.setdefault(form, set()).add(number)
    # A form that a present feature of the model has too says nothing of one that is lacking.
    taken = {form for name in known & set(at) for form in forms(name)}
    claims: dict[int, list[str]] = {}
    doubtful = []
    for name in columns:
        if name in known:
            continue
        meant = [meaning[form] for form in forms(name) if form in meaning and form not in taken]
        numbers: set[int] = set().union(*meant)
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
