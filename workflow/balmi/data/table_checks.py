"""What is wrong with one table of a cohort: its names, and its cells.

Every check returns problems instead of raising, so that a user sees all of them at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.kinds import KINDS
from balmi.data.matching import kin, pairs
from balmi.data.names import name_of
from balmi.data.numeric import NumericTable
from balmi.data.plausible import dotted
from balmi.errors import Problem, first_of, listing, nearest, shown
from balmi.numerals import counted, inflected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.kinds import Kind
    from balmi.config.settings import Dataset
    from balmi.data.numeric import Names, Places

SHOWN_CELLS = 3
SPLIT = "; .csv is split at commas, .tsv and .txt at tabs"
_NOT_SPLIT = (".h5ad", ".h5mu", ".h5", ".parquet")  # formats that no sign splits
MOST_BY_CHANCE = 0.5  # share of names that are sample ids, and of something else as well
MOST_COMPARED = 1000  # columns that are looked at for whether they are samples
WHOLE_TOLERANCE = 1e-6
# What a cell looks like that is a number to people -> what to write in its place.
NUMBER_HINTS = {
    re.compile(
        r"\s*[+-]?[\d.\s']*,\d[\d.,]*(e[+-]?\d+)?\s*|[+-]?\d{1,3}([.'\s]\d{3})+([.]\d+)?",
        re.IGNORECASE,
    ): "a decimal point, and no sign between thousands",
    re.compile(r"\s*[\N{MINUS SIGN}\N{EN DASH}\N{NON-BREAKING HYPHEN}]\s*[\d.].*"): (
        "the hyphen of the keyboard as minus sign"
    ),
    re.compile(r"\([\d.,]+\)"): "a minus sign in place of brackets",
    re.compile(r"[^%]*\d\s*%\s*"): "no per cent signs",
    re.compile(r"['\"`].*"): "no quotes",
    re.compile(r"\s*[<>≤≥].*"): "what limits of detection are meant to count as",
}
LARGEST = float(np.finfo(np.float32).max)  # cohorts are kept in single precision


def _duplicates(index: pd.Index, where: str, what: str) -> list[Problem]:
    repeated = index[index.duplicated() & (index.str.strip() != "")].unique()
    if repeated.empty:
        return []
    names = [
        f"{shown(name)} ({_numbered(np.flatnonzero(index == name) + 1)})"
        for name in repeated[:SHOWN_CELLS]
    ]
    names += map(shown, repeated[SHOWN_CELLS:])
    found = f"{what}s that occur more than once: {listing(names)}"
    return [Problem(where, found, f"every {what} once")]


def _numbered(places: np.ndarray) -> str:
    return f"number {first_of(places.tolist(), SHOWN_CELLS, '{:,}'.format)}"


def _blank(index: pd.Index, where: str, noun: str, lack: str) -> list[Problem]:
    places = np.flatnonzero(index.str.strip() == "") + 1
    if not len(places):
        return []
    found = f"{counted(len(places), noun)} {lack}: {_numbered(places)} of {len(index):,}"
    at_end = places[-1] == len(index) > 1
    hint = f" (an empty {noun} at the end, as spreadsheets leave, has to go)" if at_end else ""
    return [Problem(where, found, f"one each{hint}")]


def _empty(table: pd.DataFrame | Names, where: str, noun: str) -> list[Problem]:
    rows, columns = table.shape
    if rows and columns:
        return []
    found = f"an empty table ({counted(rows, 'row')}, {counted(columns, noun)})"
    hint = "" if where.lower().endswith(_NOT_SPLIT) else SPLIT
    return [Problem(where, found, f"rows of samples, with {noun}s beside the sample id{hint}")]


def _column(table: pd.DataFrame, column: str, where: str) -> list[Problem]:
    count = list(table.columns).count(column)
    if count > 1:
        return [Problem(where, f"{column!r}, which names {count} columns", "one column")]
    if count:
        return []
    return [
        Problem(
            where,
            f"{column!r}, which is no column of the table",
            f"one of {listing(map(repr, table.columns))}",
            nearest(column, table.columns),
        )
    ]


def check_samples(table: pd.DataFrame, dataset: Dataset, key: str) -> list[Problem]:
    """Return what is wrong with the table of samples: empty, ids, and columns that are named."""
    path, label = dataset.labelled
    where = f"{key}.samples: {path}"
    problems = _empty(table, where, "column")
    if problems:
        return problems
    problems += _duplicates(table.index, where, "sample id")
    problems += _blank(table.index, where, "row", "without an id")
    problems += _column(table, label, f"{key}.label")
    if dataset.group is not None:
        problems += _column(table, dataset.group, f"{key}.group")
    for column in dataset.folds:
        problems += _column(table, column, f"{key}.folds")
    return problems


def _cells(rows: np.ndarray, columns: np.ndarray, table: pd.DataFrame) -> str:
    texts = [
        f"row {table.index[i]!r}, column {table.columns[j]!r}: {shown(table.iat[i, j])}"
        for i, j in zip(rows[:SHOWN_CELLS], columns[:SHOWN_CELLS], strict=True)
    ]
    return "; ".join(texts) + ("; …" if rows.size > SHOWN_CELLS else "")


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as float64; NaN where a cell is no number, such as a date."""
    if column.dtype.kind in "mMc":
        return pd.Series(np.nan, index=column.index)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    return pd.to_numeric(column, errors="coerce").astype(np.float64)


def _number_hint(table: pd.DataFrame, text: np.ndarray) -> str:
    """Return what to do about cells that are no number, where that is plain to see."""
    first = str(table.iat[text[0, 0], text[0, 1]])
    columns, counts = np.unique(text[:, 1], return_counts=True)
    hints = [hint for look, hint in NUMBER_HINTS.items() if look.fullmatch(first)]
    whole = [shown(table.columns[j]) for j in columns[counts == len(table)]]
    if whole and len(whole) < table.shape[1]:
        hints.append(f"no columns of text, as {listing(whole[:SHOWN_CELLS])}")
    return "".join(f"; {hint}" for hint in hints)


def _texts_for_numbers(table: pd.DataFrame, numeric: pd.DataFrame, where: str) -> list[Problem]:
    """Return what cells of a table are no number."""
    text = np.argwhere((numeric.isna() & table.notna()).to_numpy())
    if not text.size:
        return []
    cells = f"{counted(len(text), 'cell')} that {inflected(len(text), 'is', 'are')} no number"
    found = f"{cells}: {_cells(text[:, 0], text[:, 1], table)}"
    allowed = "numbers, or an empty cell where nothing was measured"
    return [Problem(where, found, allowed + _number_hint(table, text))]


def to_numeric(
    table: pd.DataFrame | NumericTable, where: str
) -> tuple[NumericTable, list[Problem]]:
    """Return the table as numbers and what cells of it are no finite number (NaN is allowed).

    Parameters
    ----------
    table
        Samples by features, cells of any type.
    where
        How the table is named in messages.
    """
    problems = []
    if isinstance(table, pd.DataFrame):
        plain = all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in table.dtypes)
        numbers = table if plain else table.apply(_numbers)
        problems += [] if plain else _texts_for_numbers(table, numbers, where)
        table = NumericTable.of(numbers.to_numpy(), table.index, table.columns)
    numeric = table.floating()
    count, places = numeric.search(lambda cells: np.abs(cells) > LARGEST, SHOWN_CELLS)
    if count:
        found = f"{counted(count, 'infinite cell')}: {_shown_cells(numeric, count, places)}"
        problems.append(Problem(where, found, f"finite numbers, none beyond {LARGEST:.1e}"))
    return numeric, problems


def _shown_cells(table: NumericTable, count: int, places: Places) -> str:
    texts = [
        f"row {table.index[i]!r}, column {table.columns[j]!r}: {shown(table.cell(i, j))}"
        for i, j in places
    ]
    return "; ".join(texts) + ("; …" if count > len(places) else "")


def _range_problem(
    table: NumericTable, kind: Kind, where: str, layers: Sequence[str] = ()
) -> list[Problem]:
    allowed = KINDS[kind].range

    def outside(cells: np.ndarray) -> np.ndarray:
        wrong = (cells < allowed.low) | (cells > allowed.high)
        if allowed.whole:
            wrong |= np.abs(cells - np.round(cells)) > WHOLE_TOLERANCE
        return wrong

    count, places = table.search(outside, SHOWN_CELLS)
    if not count:
        return []
    cells = _shown_cells(table, count, places)
    thousands = allowed.whole and dotted(table)
    hint = "; if dots stand between thousands, write numbers without them" * thousands
    if layers:
        hint += f"; the file also holds {listing(map(repr, layers))}: name one with the key 'layer'"
    return [
        Problem(
            where,
            f"{counted(count, 'cell')} outside what {kind} holds: {cells}",
            allowed.description + hint,
        )
    ]


def check_names(table: pd.DataFrame | Names, samples: pd.Index | None, where: str) -> list[Problem]:
    """Return what is wrong with the names of a modality's samples and features.

    Parameters
    ----------
    table
        Samples by features.
    samples
        The ids of the table of samples; None where they are unknown, and not compared.
    where
        How the table is named in messages.
    """
    problems = _empty(table, where, "feature")
    if problems:
        return problems
    problems += _duplicates(table.index, where, "sample id")
    problems += _duplicates(table.columns, where, "feature name")
    problems += _blank(table.index, where, "row", "without an id")
    problems += _blank(table.columns, where, "feature", "without a name")
    return problems + ([] if samples is None else _check_ids(table, samples, where))


def _check_ids(table: pd.DataFrame | Names, samples: pd.Index, where: str) -> list[Problem]:
    """Return that rows are no samples, or that columns are samples rather than they."""
    allowed = f"ids of the table of samples, such as {listing(map(repr, samples[:3]))}"
    rows, columns = table.index.isin(samples), table.columns.isin(samples)
    if rows.any():
        # Numbers of genes may also be numbers of samples.
        turned = rows.mean() < MOST_BY_CHANCE < columns.mean() and columns.sum() > rows.sum()
        if not turned:
            return []
        found = (
            f"{columns.mean():.0%} of the columns are sample ids, and {rows.mean():.0%} of the rows"
        )
        return [Problem(where, found, f"{allowed}, one to a row: transpose the table")]
    alike = kin(table.index, samples)
    if columns.any() or len(kin(table.columns[:MOST_COMPARED], samples)) > len(alike):
        allowed += " (the columns look like samples: transpose the table)"
    elif alike:
        allowed += f"; {counted(len(alike), 'id')} much like one of them: {pairs(alike)}"
    else:
        home = column_of(table, samples)
        allowed += f"; column {home!r} holds them: put it first" if home else ""
    found = f"no shared sample; ids here are {listing(map(repr, table.index[:3]))}"
    return [Problem(where, found, allowed, nearest(table.index[0], samples))]


def column_of(table: pd.DataFrame | Names, ids: pd.Index) -> str | None:
    """Return the column of text that holds ids of samples, which should have been the first.

    Parameters
    ----------
    table
        A table as read, of which columns of numbers are not looked at.
    ids
        The ids that it should have.
    """
    if not isinstance(table, pd.DataFrame):
        return None
    for place, kind in enumerate(table.dtypes):
        cells = table.iloc[:, place]
        if kind.kind not in "biuf" and cells.map(name_of).isin(ids).mean() > MOST_BY_CHANCE:
            return str(table.columns[place])
    return None


def check_modality(
    table: pd.DataFrame | NumericTable,
    samples: pd.Index | None,
    kind: Kind,
    where: str,
    layers: Sequence[str] = (),
) -> tuple[NumericTable | None, list[Problem]]:
    """Return a modality's table as numbers, and everything that is wrong with it.

    Parameters
    ----------
    table
        Samples by features, cells of any type.
    samples
        The ids of the table of samples; None where they are unknown, and not compared.
    kind
        The kind of omics.
    where
        How the table is named in messages.
    layers
        Names of other values in the same file.
    """
    problems = check_names(table, samples, where)
    if not all(table.shape):
        return None, problems
    numeric, cells = to_numeric(table, where)
    return numeric, problems + (cells or _range_problem(numeric, kind, where, layers))
