"""Read tables of samples and of measurements from the formats that users have.

Only pandas is imported here: h5ad and h5mu files bring in anndata and mudata when one is met.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.errors import Problem, UserError, listing, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING_TEXTS = ("", "NA", "N/A", "NaN", "nan", "null", "None", "NULL", "n/a", "<NA>", "#N/A")
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def suffix(path: str | Path) -> str:
    """Return the file's ending in lower case, without a trailing ``.gz``."""
    return Path(str(path).lower().removesuffix(".gz")).suffix


def _first_lines(path: Path) -> tuple[list[str], list[str]]:
    """Return the fields of the header and of the first row below it."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=_DELIMITERS[suffix(path)])
        return next(rows, []), next(rows, [])


def _read_delimited(path: Path) -> pd.DataFrame:
    header, row = _first_lines(path)
    if not row:
        return pd.DataFrame(columns=header[1:])
    if len(row) == len(header) + 1:  # R's write.table gives the column of row names no name
        header = ["sample", *header]
    if len(row) > len(header):
        raise ValueError(f"{len(header)} fields in the header, {len(row)} in the row below it")
    places = range(len(header))
    table = pd.read_csv(
        path,
        sep=_DELIMITERS[suffix(path)],
        header=None,
        skiprows=1,
        names=places,
        dtype={0: str},
        keep_default_na=False,
        na_values={place: list(MISSING_TEXTS) for place in places[1:]},
        low_memory=False,
        encoding="utf-8-sig",
    ).set_index(0)
    table.columns = header[1:]  # pandas would rename a name that occurs twice, and hide it
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    if isinstance(table.index, pd.RangeIndex) and table.shape[1]:
        table = table.set_index(table.columns[0])
    return table


def _open_h5ad(path: Path) -> object:
    from anndata import read_h5ad

    return read_h5ad(path)


def _open_h5mu(path: Path, modality: str | None) -> object:
    from mudata import read_h5mu, set_options

    with set_options(pull_on_update=False):
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
    return pd.DataFrame(_dense(data.X), index=data.obs_names, columns=data.var_names)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".txt": _read_delimited,
    ".parquet": _read_parquet,
}
_ANNOTATED = (".h5ad", ".h5mu")
FORMATS = (*_READERS, *_ANNOTATED)


def _check_readable(path: Path) -> None:
    if not path.is_file():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
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
    table.index = table.index.map(str)
    table.index.name = "sample"
    table.columns = table.columns.map(str)
    return table


def _read(path: Path, reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    """Read a table, and say which file is broken where the format's own reader cannot."""
    try:
        table = reader(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError, OSError) as error:
        raise UserError(
            Problem(str(path), f"not readable: {error}", f"a valid {suffix(path)} file")
        ) from error
    except ValueError as error:  # pyarrow's and pandas' complaints about the content
        raise UserError(
            Problem(str(path), f"not readable: {error}", f"a valid {suffix(path)} file")
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
    return _read(path, _READERS[suffix(path)])


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
    return _read(path, _READERS[suffix(path)])
