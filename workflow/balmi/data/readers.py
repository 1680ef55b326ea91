"""Read tables of samples and of measurements from the formats that users have.

Only pandas is imported here: h5ad and h5mu files bring in anndata and mudata when one is met.
"""

from __future__ import annotations

import csv
import gzip
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.files import annotated_files
from balmi.errors import Problem, UserError, listing, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING_TEXTS = ("", "NA", "N/A", "NaN", "nan", "null", "None", "NULL", "n/a", "<NA>", "#N/A")
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def suffix(path: str | Path) -> str:
    """Return the file's ending in lower case, without a trailing ``.gz``."""
    return Path(str(path).lower().removesuffix(".gz")).suffix


def _first_lines(path: Path) -> tuple[int, list[str], list[str]]:
    """Return the lines up to the header, its fields, and those of the first row below it."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = enumerate(csv.reader(file, delimiter=_DELIMITERS[suffix(path)]), start=1)
        lines, header = next(((number, row) for number, row in rows if row), (0, []))
        return lines, header, next((row for _, row in rows if row), [])


def _read_delimited(path: Path, text: bool) -> pd.DataFrame:
    """Read a delimited file; with `text` no cell becomes a number: group 007 is not group 7."""
    lines, header, row = _first_lines(path)
    if not row:
        return pd.DataFrame(columns=header[1:])
    if len(row) == len(header) + 1 and row[-1]:  # R's write.table does not name the row names
        header = ["sample", *header]
    if len(row) > len(header):
        raise ValueError(f"{len(header)} fields in the header, {len(row)} in the row below it")
    places = range(len(header))
    table = pd.read_csv(
        path,
        sep=_DELIMITERS[suffix(path)],
        header=None,
        skiprows=lines,
        names=places,
        dtype=str if text else {0: str},
        keep_default_na=False,
        na_values={place: list(MISSING_TEXTS) for place in places[1:]},
        low_memory=False,
        encoding="utf-8-sig",
    ).set_index(0)
    table.columns = header[1:]  # pandas would rename a name that occurs twice, and hide it
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    if isinstance(table.index, pd.MultiIndex):
        raise ValueError(f"{table.index.nlevels} columns of row names, instead of sample ids")
    if isinstance(table.index, pd.RangeIndex) and table.shape[1]:
        table = table.set_index(table.columns[0])
    return table


def _open_h5ad(path: Path) -> object:
    from anndata import read_h5ad

    with annotated_files():
        return read_h5ad(path)


def _open_h5mu(path: Path, modality: str | None) -> object:
    from mudata import read_h5mu

    with annotated_files():
        data = read_h5mu(path)
    if modality is None:
        return data
    if modality not in data.mod:
        raise UserError(
            Problem(
                str(path),
                f"no modality {modality!r} in the file",
                f"one of {listing(data.mod)}: name it with the key 'modality'",
                nearest(modality, data.mod),
            )
        )
    return data.mod[modality]


def _dense(values: object) -> np.ndarray:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


def _read_annotated(path: Path, modality: str | None) -> pd.DataFrame:
    data = _open_h5ad(path) if suffix(path) == ".h5ad" else _open_h5mu(path, modality)
    if data.X is None:
        raise ValueError("there is no X in it")
    return pd.DataFrame(_dense(data.X), index=data.obs_names, columns=data.var_names)


_ANNOTATED = (".h5ad", ".h5mu")
FORMATS = (*_DELIMITERS, ".parquet", *_ANNOTATED)


def _table_reader(path: Path, *, text: bool) -> Callable[[Path], pd.DataFrame]:
    return _read_parquet if suffix(path) == ".parquet" else partial(_read_delimited, text=text)


def _check_readable(path: Path) -> None:
    try:
        exists = path.is_file()
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError as error:  # a folder without permission, a name that is too long
        raise UserError(
            Problem(shown(str(path)), str(error.strerror), "a readable file")
        ) from error
    if not exists:
        raise UserError(
            Problem(str(path), "no such file", "an existing file", nearest(path.name, siblings))
        )
    if suffix(path) not in FORMATS:
        raise UserError(
            Problem(
                str(path),
                f"a file ending in {suffix(path) or 'nothing'!r}",
                f"one of {listing(FORMATS)}; CSV and TSV may end in .gz",
                nearest(suffix(path), FORMATS),
            )
        )


def _as_text_index(table: pd.DataFrame) -> pd.DataFrame:
    missing = table.index.isna()
    ids = ["" if blank else str(name) for name, blank in zip(table.index, missing, strict=True)]
    table.index = pd.Index(ids, dtype=str, name="sample")
    table.columns = table.columns.map(str)
    return table


def _read(path: Path, reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    """Read a table, and say which file is broken where the format's own reader cannot."""
    try:
        table = reader(path)
    except (UserError, ImportError, MemoryError):
        raise
    except Exception as error:  # what formats' readers raise for a broken file has no common class
        reason = str(error).strip() or type(error).__name__
        raise UserError(
            Problem(str(path), f"not readable: {reason}", f"a valid {suffix(path)} file")
        ) from error
    return _as_text_index(table)


def read_samples(path: str | Path) -> pd.DataFrame:
    """Read the table of samples.

    Parameters
    ----------
    path
        CSV, TSV or Parquet with the sample id in the first column, or the ``obs`` of h5ad or h5mu.

    Returns
    -------
    pandas.DataFrame
        One row per sample, indexed by the sample id as text.

    Raises
    ------
    UserError
        Where the file is missing, of another format, or broken.
    """
    path = Path(path)
    _check_readable(path)
    if suffix(path) == ".h5ad":
        return _read(path, lambda file: _open_h5ad(file).obs.copy())
    if suffix(path) == ".h5mu":
        return _read(path, lambda file: _open_h5mu(file, None).obs.copy())
    return _read(path, _table_reader(path, text=True))


def read_measurements(path: str | Path, modality: str | None = None) -> pd.DataFrame:
    """Read one table of measurements, cells unchecked.

    Parameters
    ----------
    path
        CSV, TSV or Parquet with the sample id in the first column, or the ``X`` of h5ad or h5mu.
    modality
        The modality to take from an h5mu file.

    Returns
    -------
    pandas.DataFrame
        Samples by features, indexed by the sample id as text.

    Raises
    ------
    UserError
        Where the file is missing, of another format, or broken.
    """
    path = Path(path)
    _check_readable(path)
    if suffix(path) in _ANNOTATED:
        return _read(path, lambda file: _read_annotated(file, modality))
    return _read(path, _table_reader(path, text=False))
