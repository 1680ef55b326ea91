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
from balmi.data.numeric import NumericTable
from balmi.errors import Problem, listing, nearest, shown
from balmi.numerals import counted, inflected

if TYPE_CHECKING:
    from balmi.config.kinds import Kind
    from balmi.config.settings import Dataset
    from balmi.data.numeric import Names, Places

SHOWN_CELLS = 3
WHOLE_TOLERANCE = 1e-6
COMMA = re.compile(
    r"\s*[+-]?[\d.\s']*,\d[\d.,]*(e[+-]?\d+)?\s*|[+-]?\d{1,3}([.'\s]\d{3})+", re.IGNORECASE
)
LARGEST = float(np.finfo(np.float32).max)  # cohorts are kept in single precision


def _duplicates(index: pd.Index, where: str, what: str) -> list[Problem]:
    repeated = index[index.duplicated()].unique()
    if repeated.empty:
        return []
    found = f"{what}s that occur more than once: {listing(map(shown, repeated))}"
    return [Problem(where, found, f"every {what} once")]


def _blank(index: pd.Index, where: str, noun: str, lack: str) -> list[Problem]:
    count = int((index.str.strip() == "").sum())
    return [Problem(where, f"{counted(count, noun)} {lack}", "one each")] if count else []


def _empty(table: pd.DataFrame | Names, where: str, noun: str) -> list[Problem]:
    rows, columns = table.shape
    if rows and columns:
        return []
    found = f"an empty table ({counted(rows, 'row')}, {counted(columns, noun)})"
    allowed = (
        f"rows of samples, with {noun}s beside the sample id; .csv is split at commas, .tsv and"
        " .txt at tabs"
    )
    return [Problem(where, found, allowed)]


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
    hints = ["a decimal point, and no sign between thousands"] * bool(COMMA.fullmatch(first))
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


def _range_problem(table: NumericTable, kind: Kind, where: str) -> list[Problem]:
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
    return [
        Problem(
            where,
            f"{counted(count, 'cell')} outside what {kind} holds: {cells}",
            allowed.description,
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
    if samples is not None and not table.index.isin(samples).any():
        allowed = f"ids of the table of samples, such as {listing(map(repr, samples[:3]))}"
        if table.columns.isin(samples).any():
            allowed += " (the columns look like samples: transpose the table)"
        alike = kin(table.index, samples)
        if alike:
            allowed += f"; {counted(len(alike), 'id')} much like one of them: {pairs(alike)}"
        found = f"no shared sample; ids here are {listing(map(repr, table.index[:3]))}"
        problems.append(Problem(where, found, allowed, nearest(table.index[0], samples)))
    return problems


def check_modality(
    table: pd.DataFrame | NumericTable, samples: pd.Index | None, kind: Kind, where: str
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
    """
    problems = check_names(table, samples, where)
    if not all(table.shape):
        return None, problems
    numeric, cells = to_numeric(table, where)
    return numeric, problems + (cells or _range_problem(numeric, kind, where))
