"""Names of a table as they are compared, with what had to be changed and what looks odd."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.names import (
    as_text,
    doubtful,
    from_spreadsheet,
    made_up,
    name_of,
    near_twins,
    tidy,
)
from balmi.errors import listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from balmi.data.loaded import Loaded
    from balmi.data.names import MissingTexts
    from balmi.data.numeric import NumericTable

    Remark = tuple[str, str]
    Cells: TypeAlias = pd.DataFrame | NumericTable

EXAMPLES = 3
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def _changed(pairs: Iterable[tuple[str, str]], what: str) -> list[Remark]:
    """Say which names are read as another, where what was changed can be seen nowhere else."""
    pairs = [(old, new) for old, new in pairs if old != new]
    if not pairs:
        return []
    told = listing(f"{shown(old)} as {shown(new)}" for old, new in dict.fromkeys(pairs[:EXAMPLES]))
    found = f"{len(pairs)} {what} with blanks, invisible signs, accents in pieces or a .0"
    return [(found, f"read without them: {told}")]


def _odd(names: Iterable[str], what: str) -> list[Remark]:
    """Say which names a spreadsheet may have made of others."""
    odd = [name for name in dict.fromkeys(names) if from_spreadsheet(name) or "�" in name]
    if not odd:
        return []
    found = (
        f"{len(odd)} {what} like dates or rounded numbers: {listing(map(shown, odd[:EXAMPLES]))}"
    )
    return [(found, "a spreadsheet may have changed them, as it makes 2-Sep of SEPT2")]


def tidied(loaded: Loaded, columns: str) -> Loaded:
    """Return a table whose ids and columns are named as they are compared.

    Parameters
    ----------
    loaded
        The table as it was read.
    columns
        What a column is, in the plural.
    """
    table = loaded.table
    # Whole numbers are names of samples in any form; a feature's name is kept but for what is
    # invisible, since nothing is joined by it.
    ids, names = [*map(name_of, table.index)], [*map(tidy, table.columns)]
    remarks = [
        *_changed(zip(table.index, ids, strict=True), "sample ids"),
        *_changed(zip(table.columns, names, strict=True), f"names of {columns}"),
        *_odd(ids, "sample ids"),
        *_odd(names, f"names of {columns}"),
    ]
    return replace(
        loaded.named(pd.Index(ids, dtype=str, name="sample"), pd.Index(names, dtype=str)),
        remarks=(*loaded.remarks, *remarks),
    )


def row_numbers(loaded: Loaded) -> tuple[str | None, list[Remark]]:
    """Return whether numbers of rows stand in the place of ids: the column that has ids, remarks.

    Programs write the numbers of rows as a first column, without a name or with one that they make
    up, by which rows of different tables are then joined that have nothing to do with each other.

    Parameters
    ----------
    loaded
        A table with tidy names.
    """
    table = loaded.table
    name, few = loaded.id_name, len(table.index) < 2
    if few or not made_up(name) or not all(map(str.isdecimal, table.index)):
        return None, []
    called = f"a first column called {shown(name)}" if name else "a first column without a name"
    numbers = sorted(map(int, table.index))
    counted = numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] < 2
    texts = table if isinstance(table, pd.DataFrame) else pd.DataFrame()  # numbers name no rows
    for column in range(texts.shape[1]):
        cells = texts.iloc[:, column]
        if pd.api.types.is_numeric_dtype(cells) or not cells.is_unique or cells.isna().any():
            continue
        if not any(_NUMBER.fullmatch(as_text(cell)) for cell in cells):
            naming = str(table.columns[column])
            remark = (
                f"whole numbers in {called}, read as sample ids, while {shown(naming)} names every"
                " row",
                "see that they are the ids",
            )
            # A column of a name may hold ids that are numbers, whatever else differs by row.
            return (naming, []) if counted and not name else (None, [remark])
    remark = (
        f"numbers of rows in place of sample ids, in {called}",
        "tables are joined by them: see that row 1 is the same sample in all of them",
    )
    return None, [remark] if counted else []


def _counts(texts: Iterable[str]) -> str:
    counts = pd.Series(list(texts)).value_counts()
    return listing(f"{shown(text)} in {counted(count, 'row')}" for text, count in counts.items())


def names_in(
    cells: pd.Series, missing: MissingTexts, role: str, key: str
) -> tuple[pd.Series, list[Remark]]:
    """Return a column of names as they are compared, NaN where there is none, and remarks.

    Parameters
    ----------
    cells
        A column of the table of samples, of any type.
    missing
        The texts that stand for nothing.
    role
        What the names are: label, group or fold.
    key
        The key of the texts that stand for nothing.
    """
    texts = [as_text(cell) for cell in cells.astype(object)]
    names = [name_of(text) for text in texts]
    nothing = np.array([name in missing for name in names], dtype=bool)
    written = [name for name, none in zip(names, nothing, strict=True) if none and name]
    kept = [name for name, none in zip(names, nothing, strict=True) if not none]
    column = f"{role} {shown(str(cells.name))}"
    remarks = []
    if written:
        found = f"{column}: texts read as a missing value, {_counts(written)}"
        meaning = f"if one is a name, leave it out of the list of texts in {key}"
        remarks.append((found, meaning))
    unsure = [name for name in kept if doubtful(name)]
    if unsure:
        found = f"{column}: texts read as a name like any other, {_counts(unsure)}"
        remarks.append((found, f"if one stands for nothing, name it in {key}"))
    near = near_twins(kept)
    if near:
        told = listing(" and ".join(map(shown, some)) for some in near)
        found = f"{column}: names that differ by a blank or a sign: {told}"
        remarks.append((found, "they are taken for different names"))
    tidy_texts = [
        pair for pair, none in zip(zip(texts, names, strict=True), nothing, strict=True) if not none
    ]
    remarks += _changed(tidy_texts, f"cells of {column}") + _odd(kept, f"cells of {column}")
    result = pd.Series(names, index=cells.index, dtype=object).mask(nothing, np.nan)
    return result, remarks


def numbers_for_texts(table: Cells, missing: MissingTexts) -> tuple[Cells, dict[str, int]]:
    """Return measurements with an empty cell for every text that stands for nothing, and counts.

    Parameters
    ----------
    table
        Samples by features, cells of any type.
    missing
        The texts that stand for nothing.
    """
    if not isinstance(table, pd.DataFrame):
        return table, {}
    counts: dict[str, int] = {}

    def emptied(cell: object) -> object:
        if not isinstance(cell, str) or cell not in missing:
            return cell
        counts[tidy(cell)] = counts.get(tidy(cell), 0) + 1
        return np.nan

    texts = [
        place
        for place, kind in enumerate(table.dtypes)
        if isinstance(kind, pd.CategoricalDtype) or kind.kind in "OUT"
    ]
    if not texts:
        return table, {}
    result = table.copy()
    for place in texts:
        result.isetitem(place, table.iloc[:, place].astype(object).map(emptied))
    counts.pop("", None)
    return result, counts
