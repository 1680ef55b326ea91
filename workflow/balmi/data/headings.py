"""Names of samples and features in a file of measurements, read without its measurements.

What takes long is not read: of text some lines, of Parquet its schema, of HDF5 the lists of names.
Libraries of formats are imported where such a file is met, none that computes.
"""

from __future__ import annotations

import csv
import os
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.data.annotated import RAW, check_encoding
from balmi.data.delimited import OF_ENDING, opened_text
from balmi.data.located import FOLDER, PARQUET, suffix
from balmi.data.names import as_text, name_of, tidy
from balmi.data.tenx import feature_type, read_names, unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import h5py

SOME_ROWS = 20  # whose ids tell whether features stand in the place of samples
MOST_NAMES = 10**6  # of features, or of samples beside them
MOST_CELLS = 20_000  # whose barcodes are read one by one
MOST_SCHEMA = 25 * 10**6  # bytes at the end of a Parquet file that tell of its columns


@dataclass(frozen=True)
class Heading:
    """Names in a file of measurements.

    Parameters
    ----------
    features
        Names of its features.
    rows
        Ids of some of its samples, none where they are not read.
    """

    features: list[str]
    rows: list[str]

    @classmethod
    def of(cls, features: Sequence[object], rows: Sequence[object] = ()) -> Heading:
        """Return names as they are compared."""
        return cls([tidy(as_text(each)) for each in features], [*map(name_of, rows)])


# What readers raise of files that are not in order, or of a form that they do not know.
UNTOLD = (
    *(csv.Error, zlib.error, OSError, EOFError),
    *(KeyError, TypeError, ValueError, NotImplementedError),
)


def heading(path: str, modality: str | None = None, layer: str | None = None) -> Heading | None:
    """Return the names of samples and features in a file of measurements.

    Parameters
    ----------
    path
        The file.
    modality, layer
        As in `balmi.data.readers.load_measurements`.

    Returns
    -------
    Heading or None
        None where names cannot be told without reading all, and where the file is not in order:
        whoever reads the whole file says what is wrong with it.

    Raises
    ------
    UserError
        Where a file of several modalities holds no such modality, or is of another program.
    """
    read = _READERS.get(suffix(path))
    if read is None or not Path(path).exists():
        return None
    try:
        return read(Path(path), modality, layer)
    except UNTOLD:
        return None


def _of_text(path: Path, modality: str | None, layer: str | None) -> Heading | None:
    """Return the names in the first lines of text.

    Where rows have one field more than the header, as R writes them, the first name is a feature.
    """
    with opened_text(path) as file:
        lines = csv.reader(file, delimiter=OF_ENDING[suffix(path)])
        names = next((row for row in islice(lines, 3) if any(row)), [])
        rows = [row for row in islice(lines, SOME_ROWS) if any(row)]
    if len(names) < 2:
        return None
    unnamed = bool(rows) and all(len(row) == len(names) + 1 for row in rows)
    return Heading.of(names if unnamed else names[1:], [row[0] for row in rows])


def _of_parquet(path: Path, modality: str | None, layer: str | None) -> Heading | None:
    """Return the columns that a schema tells of, without those that pandas makes names of rows."""
    with path.open("rb") as file:
        file.seek(-4 - len(PARQUET), os.SEEK_END)
        if int.from_bytes(file.read(4), "little") > MOST_SCHEMA:
            return None
    from pyarrow import parquet

    schema = parquet.read_schema(path)
    index = (schema.pandas_metadata or {}).get("index_columns") or [{"name": None}]
    counted = index[0] if isinstance(index[0], dict) else None  # row names that are no column
    if len(index) > 1:
        return None
    names = [name for name in schema.names if name not in index]
    return Heading.of(names[1:] if counted and counted["name"] is None else names)


def _of_annotated(path: Path, modality: str | None, layer: str | None) -> Heading | None:
    import h5py

    check_encoding(path)
    with h5py.File(path) as file:
        data = file if suffix(path) == ".h5ad" else file["mod"][modality]
        raw = layer == RAW and RAW in data and RAW not in data.get("layers", ())
        features = _index((data[RAW] if raw else data)["var"])
        rows = _index(data["obs"], SOME_ROWS)
    return None if features is None else Heading.of(features, rows or ())


def _index(frame: h5py.Group, most: int | None = None) -> list[str] | None:
    """Return the names of rows of a table, None where it is stored otherwise than usual."""
    import h5py

    if not isinstance(frame, h5py.Group):  # as anndata wrote before 0.7
        return None
    names = frame[frame.attrs["_index"]]
    names = names["values"] if isinstance(names, h5py.Group) and "values" in names else names
    if not isinstance(names, h5py.Dataset) or len(names) > MOST_NAMES:
        return None
    return [as_text(name) for name in names[:most]]


def _of_counts(path: Path, modality: str | None, layer: str | None) -> Heading | None:
    check_encoding(path)
    if path.is_file() and _cells(path) > MOST_CELLS:
        return None
    listed = read_names(path)
    places = listed.places(feature_type(path, listed, modality))
    ids, names = ([own[place] for place in places] for own in (listed.ids, listed.names))
    return Heading.of(unique_names(ids, names)[0], listed.cells[:SOME_ROWS])


def _cells(path: Path) -> int:
    """Return the number of cells in a file of counts."""
    import h5py

    counts = [0]
    with h5py.File(path) as file:
        file.visititems(
            lambda name, each: counts.append(len(each)) if name.endswith("barcodes") else None
        )
    return max(counts)


_READERS: dict[str, Callable[[Path, str | None, str | None], Heading | None]] = {
    **dict.fromkeys(OF_ENDING, _of_text),
    ".parquet": _of_parquet,
    **dict.fromkeys((".h5ad", ".h5mu"), _of_annotated),
    **dict.fromkeys((".h5", FOLDER), _of_counts),
}
