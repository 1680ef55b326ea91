"""Delimited files of plain numbers, read without a column of pandas for every feature.

A table of 450,000 columns takes pandas minutes and gigabytes for its columns alone. Here the cells
of some rows are put one below the other and read by the same parser as one column, so that every
number and every empty cell is what it would be otherwise. Whatever is not plainly a number sends
the whole file the usual way, which finds and names it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.delimited import rows_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from balmi.data.delimited import Layout

CHARACTERS = 2**22  # of cells that are parsed at once
# A column of whole numbers is exact in pandas however long they are; a fraction of so many digits
# is not.
# The pattern begins with what the search finds fastest.
_LONG = re.compile(rb"\n[ \t]*[+-]?\d{16,}[ \t]*(?:\n|\Z)")
_LARGEST = 2**53
# The parser takes them for 1 and 0, where a column of pandas may be none of numbers.
_TRUTH = (b"true", b"false")
_OF_NUMBERS = b"0123456789.+-\n"


@dataclass(frozen=True)
class Plain:
    """A delimited file of which every cell is a number, or empty.

    Parameters
    ----------
    ids
        The first field of every row.
    values
        Rows by columns, float64, NaN where a cell is empty or holds a text for nothing.
    missing
        Text that stands for nothing -> number of cells.
    """

    ids: list[str]
    values: np.ndarray
    missing: dict[str, int]


class _NotPlain(Exception):
    """A cell may be no number."""


def _cells(rest: str | list[str], separator: str) -> str:
    """Return the cells of a row, one a line."""
    if isinstance(rest, str):
        return rest.replace(separator, "\n")
    text = "\n".join(rest)
    if text.count("\n") != len(rest) - 1 or '"' in text or separator in text:
        raise _NotPlain
    return text


def _tells_truth(encoded: bytes) -> bool:
    """Return whether true or false may stand in a text, of which little is left without numbers."""
    rest = encoded.translate(None, _OF_NUMBERS).lower()
    return any(word in rest for word in _TRUTH)


def _parse(text: str, nothing: Sequence[str], separator: str) -> np.ndarray:
    """Return the numbers of a text that holds one a line."""
    encoded = text.encode()
    marked = text.startswith("\ufeff")  # pandas would drop the mark
    if marked or _LONG.search(b"\n" + encoded) or _tells_truth(encoded):
        raise _NotPlain
    try:
        column = pd.read_csv(
            io.BytesIO(encoded),
            sep=separator,
            header=None,
            names=[0],
            index_col=False,
            dtype=np.float64,
            keep_default_na=False,
            na_values=list(nothing),
            skip_blank_lines=False,
            quoting=csv.QUOTE_NONE,
            low_memory=False,
        )[0].to_numpy()
    except ValueError as error:  # of pandas: a cell is no number
        raise _NotPlain from error
    if (np.abs(column) >= _LARGEST).any():
        raise _NotPlain
    return column


def _batches(path: Path, separator: str, skipped: int) -> Iterator[tuple[list[str], str]]:
    """Yield ids of some rows, and their cells, one a line."""
    ids, parts, size = [], [], 0
    for name, rest in rows_below(path, separator, skipped):
        cells = _cells(rest, separator)
        ids.append(name)
        parts.append(cells)
        size += len(cells)
        if size >= CHARACTERS:
            yield ids, "\n".join(parts) + "\n"
            ids, parts, size = [], [], 0
    if ids:
        yield ids, "\n".join(parts) + "\n"


def read_plain(
    path: Path, separator: str, layout: Layout, columns: int, nothing: Sequence[str]
) -> Plain | None:
    """Read a delimited file of plain numbers, or return None where it may hold something else.

    Parameters
    ----------
    path
        The file.
    separator
        The sign between fields.
    layout
        How it is laid out, as `balmi.data.delimited.survey` found it.
    columns
        Number of columns besides the ids.
    nothing
        Texts that stand for an empty cell, in every spelling.
    """
    if layout.spans or not columns:
        return None
    ids: list[str] = []
    missing: Counter[str] = Counter()
    values = np.empty((layout.rows, columns))
    try:
        for names, text in _batches(path, separator, layout.skipped):
            found = _parse(text, nothing, separator)
            if len(found) != len(names) * columns:
                return None
            values[len(ids) : len(ids) + len(names)] = found.reshape(-1, columns)
            ids += names
            empty = np.flatnonzero(np.isnan(found))
            if empty.size:
                cells = text.split("\n")
                missing.update(cells[place] for place in empty if cells[place])
    except _NotPlain:
        return None
    return Plain(ids, values, dict(missing)) if len(ids) == layout.rows else None
