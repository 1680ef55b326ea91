"""Ids of measured samples that the table of samples lacks, and the ids that they may mean."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from balmi.data.names import likeness
from balmi.errors import listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

EXAMPLES = 3
_ADDED = re.compile(r"^x(?=[\d_])")  # R puts an X before a name that begins with a digit
_ROUNDED = re.compile(r"\d(\.\d+)?e\+?\d{2}", re.IGNORECASE)  # R writes 100000 as 1e+05


def _look(name: str) -> str:
    if _ROUNDED.fullmatch(name):
        return str(int(float(name)))
    # R makes a dot of a dash: zeros behind it are leading ones, as they are behind a dash.
    return _ADDED.sub("", likeness(name.replace(".", "-")))


def _beginnings(look: str) -> list[str]:
    """Return what an id begins with, up to each separator; the longest first."""
    parts = look.split("_")
    return ["_".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def kin(unknown: Sequence[str], free: Sequence[str]) -> dict[str, str]:
    """Return the ids that may mean another: id -> the id that it looks like.

    Parameters
    ----------
    unknown
        Ids that match none.
    free
        Ids that nothing matches.
    """
    looks = {_look(name): name for name in free}
    found = {name: looks[_look(name)] for name in unknown if _look(name) in looks}
    longer = {start: name for look, name in looks.items() for start in _beginnings(look)}
    for name in unknown:
        look = _look(name)
        near = [looks[start] for start in _beginnings(look) if start in looks]
        near += [longer[look]] if look in longer else []
        if near:
            found.setdefault(name, near[0])
    return found


def pairs(alike: dict[str, str]) -> str:
    """Return the first pairs of ids that look alike, as text."""
    return listing(
        [f"{shown(name)} and {shown(other)}" for name, other in alike.items()][:EXAMPLES]
    )


def unmatched(measured: pd.Index, known: pd.Index) -> list[tuple[str, str]]:
    """Return what to say of measured samples that are not in the table of samples.

    Parameters
    ----------
    measured
        Ids of a table of measurements.
    known
        Ids of the table of samples.
    """
    unknown = measured[~measured.isin(known)]
    if unknown.empty:
        return []
    free = known[~known.isin(measured)]
    some = listing(map(shown, unknown[:EXAMPLES]))
    of = counted(len(measured), "sample")
    found = f"{len(unknown):,} of {of} that the table of samples lacks: {some}"
    alike = kin(unknown, free)
    if alike:
        meaning = (
            f"{len(alike)} of them look like ids that are there and have no match:"
            f" {pairs(alike)}; write them alike, or they are left out"
        )
        return [(found, meaning)]
    near = get_close_matches(unknown[0], list(free), n=1, cutoff=0.6)
    return [(found, "they are left out" + (f"; nearest: {near[0]!r}" if near else ""))]
