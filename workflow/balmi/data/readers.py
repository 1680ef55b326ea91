"""Read tables of samples and of measurements from the formats that users have.

anndata and mudata are imported where an h5ad or h5mu file is met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from balmi.config.settings import MISSING_TEXTS
from balmi.data.annotated import check_encoding, read_annotated, read_obs
from balmi.data.delimited import OF_ENDING, SEPARATORS, opened_text, survey
from balmi.data.files import read_parquet
from balmi.data.loaded import Loaded
from balmi.data.located import (
    ADVICE,
    FOLDER,
    HDF5,
    PARQUET,
    check_beginning,
    check_there,
    suffix,
)
from balmi.data.names import as_text
from balmi.data.numeric import NumericTable
from balmi.data.plain import read_plain
from balmi.data.tenx import read_counts
from balmi.errors import Problem, UserError, listing, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

# What is read of a file before any job starts, at most: bytes, some two seconds.
MOST_READ = 25 * 10**6


def _count_texts(path: Path, separator: str) -> dict[str, int]:
    """Return which texts stand for a missing value in a delimited file, and how often."""
    sign = re.escape(separator)
    texts = "|".join(map(re.escape, sorted(filter(None, MISSING_TEXTS), key=len, reverse=True)))
    cells = re.compile(rf'{sign}"?({texts})"?(?=[{sign}\n])', re.IGNORECASE)
    counts: dict[str, int] = {}
    with opened_text(path) as file:
        next(file, None)
        for line in file:
            for text in cells.findall(line if line.endswith("\n") else f"{line}\n"):
                counts[text] = counts.get(text, 0) + 1
    return counts


def missing_remark(counts: dict[str, int]) -> tuple[tuple[str, str], ...]:
    """Return what to say of texts in cells of measurements that were taken for nothing."""
    if not counts:
        return ()
    told = listing(f"{shown(text)} in {count}" for text, count in sorted(counts.items()))
    found = f"cells that hold a text for a missing value: {told}"
    return ((found, "they count as not measured"),)


def _spellings(texts: tuple[str, ...]) -> list[str]:
    return sorted({form for text in texts for form in (text, text.lower(), text.upper())} | {""})


def _read_delimited(path: Path, separator: str, text: bool) -> Loaded:
    """Read a delimited file; with `text` no cell becomes a number: group 007 is not group 7."""
    layout = survey(path, separator)
    names = layout.header
    if not layout.rows:
        return Loaded(pd.DataFrame(columns=names[1:]))
    remarks = [
        (f"a cell of several lines, from line {first} to {last}", "see that its quotes are right")
        for first, last in layout.spans[:3]
    ]
    if layout.unnamed_rows:
        found = f"a header with one name fewer than the rows have fields, from {shown(names[0])} on"
        remarks.append(
            (found, "the first field of every row is read as the sample id, as R writes")
        )
        names = ["", *names]
    nothing = _spellings(MISSING_TEXTS)
    plain = None if text else read_plain(path, separator, layout, len(names) - 1, nothing)
    if plain is not None:
        remarks += missing_remark(plain.missing)
        table = NumericTable(pd.Index(plain.ids), pd.Index(names[1:]), plain.values)
        return Loaded(table, _id_name(names[0]), not layout.ended, remarks=tuple(remarks))
    table = pd.read_csv(
        path,
        sep=separator,
        header=None,
        skiprows=layout.skipped,
        names=range(len(names)),
        dtype=dict.fromkeys(range(1, len(names)), str) if text else None,
        converters={0: str},  # ids are text, and an id NA is an id
        keep_default_na=False,
        na_values=[""] if text else nothing,
        low_memory=False,
        encoding="utf-8-sig",
    )
    table = table[~_without_anything(table)].set_index(0)
    table.columns = names[1:]  # pandas would rename a name that occurs twice, and hide it
    if not text and any(column.hasnans for _, column in table.items()):
        remarks += missing_remark(_count_texts(path, separator))
    return Loaded(table, _id_name(names[0]), not layout.ended, remarks=tuple(remarks))


def _without_anything(table: pd.DataFrame) -> np.ndarray:
    """Return which rows hold nothing; of them pandas leaves out blank lines alone."""
    nothing = (table[0].str.strip() == "").to_numpy()
    cells = table.loc[nothing].iloc[:, 1:]
    empty = cells.isna() | (cells.map(str).map(str.strip) == "")
    nothing[nothing] = empty.all(axis=1)
    return nothing


def _read_parquet(path: Path) -> Loaded:
    # With threads and a pool of one, which OMP_NUM_THREADS=1 makes, pyarrow takes memory by the
    # square of the columns: 10 GB for 50,000, against 0.9.
    table = read_parquet(path, use_threads=False)
    if isinstance(table.index, pd.MultiIndex):
        raise ValueError(f"{table.index.nlevels} columns of row names, instead of sample ids")
    # Row names that count from a number on have a name where they are ids, and none where they are
    # numbers of rows.
    counted = isinstance(table.index, pd.RangeIndex) and table.index.name is None
    if counted and table.shape[1]:
        table = table.set_index(table.columns[0])
    return Loaded(table, _id_name(table.index.name))


def _id_name(name: object) -> str:
    return "" if name is None else str(name).strip()


def _read_tenx(path: Path, modality: str | None, layer: str | None = None) -> Loaded:
    check_encoding(path)
    data, remarks = read_counts(path, modality)
    return Loaded(NumericTable.of(data.X, data.obs_names, data.var_names), remarks=remarks)


def _no_labels(path: Path) -> Loaded:
    found = "counts of cells, which hold no labels"
    allowed = "a table with the barcodes in its first column and a column of labels, such as CSV"
    raise UserError(Problem(str(path), found, allowed))


@dataclass(frozen=True)
class Format:
    """How files of one ending are read.

    Parameters
    ----------
    meaning
        What is read of them, as the manual tells it.
    samples
        Reads a table of samples.
    measurements
        Reads measurements of a modality, whose name matters where a file holds several; of a layer
        where one is named.
    beginning
        How every such file begins; nothing where it is text, which may be packed as ``.gz``.
    """

    meaning: str
    samples: Callable[[Path], Loaded]
    measurements: Callable[[Path, str | None, str | None], Loaded]
    beginning: bytes = b""


def _delimited(separator: str) -> Format:
    return Format(
        f"fields parted by {SEPARATORS[separator]}; also packed, with `.gz` after the ending",
        lambda path: _read_delimited(path, separator, text=True),
        lambda path, modality, layer: _read_delimited(path, separator, text=False),
    )


FORMATS: dict[str, Format] = {
    **{ending: _delimited(separator) for ending, separator in OF_ENDING.items()},
    ".parquet": Format(
        "the table",
        _read_parquet,
        lambda path, modality, layer: _read_parquet(path),
        beginning=PARQUET,
    ),
    ".h5ad": Format(
        "`X`, or the layer that `layer:` names (`raw`: its `raw`); as table of samples its `obs`",
        read_obs,
        read_annotated,
        beginning=HDF5,
    ),
    ".h5mu": Format(
        "`X`, or the layer that `layer:` names (`raw`: its `raw`), of the modality of the same name"
        " or of the one that `modality:` names; as table of samples its `obs`, where a column of"
        " one modality's `obs` is found by its own name or as `modality:column`",
        read_obs,
        read_annotated,
        beginning=HDF5,
    ),
    ".h5": Format(
        "counts as Cell Ranger writes them (`filtered_feature_bc_matrix.h5`), of the feature type"
        " that `modality:` names, `Gene Expression`, `Antibody Capture`, `Peaks` or another; a"
        " modality called `rna`, `adt`, `prot` or `atac` is the one of these",
        _no_labels,
        _read_tenx,
        beginning=HDF5,
    ),
    FOLDER: Format(
        "the same as a folder of `matrix.mtx`, `features.tsv` and `barcodes.tsv`, each packed or"
        " not, whatever stands before these names; `genes.tsv` or `peaks.bed` in place of"
        " `features.tsv`",
        _no_labels,
        _read_tenx,
    ),
}

ANNOTATED = (".h5ad", ".h5mu")  # formats with layers
SEVERAL = (".h5mu", ".h5", FOLDER)  # formats of several modalities in a file


def _check_readable(path: Path) -> None:
    check_there(path)
    endings = [ending for ending in FORMATS if ending != FOLDER]
    ending = suffix(path)
    if ending not in FORMATS:
        found = f"a file ending in {ending!r}" if ending else "a file without an ending"
        advice = f"; this one first has to be {ADVICE[ending]}" if ending in ADVICE else ""
        allowed = f"one of {listing(endings)}; CSV and TSV may end in .gz{advice}"
        near = None if advice else nearest(ending, endings)
        raise UserError(Problem(str(path), found, allowed, near))


def _as_text_index(loaded: Loaded) -> Loaded:
    index = pd.Index(map(as_text, loaded.table.index), dtype=str, name="sample")
    return loaded.named(index, pd.Index(map(str, loaded.table.columns), dtype=str))


def _too_large(path: Path, error: MemoryError) -> Problem:
    """Return what to say of a table for which there is no memory."""
    wanted = f": {error}" if str(error) else ""  # NumPy tells shape and bytes
    found = f"a table that memory does not suffice for ({path.stat().st_size:,} bytes){wanted}"
    allowed = (
        "more memory (on a cluster --set-resources), fewer features in the file, or a sparse .h5ad"
    )
    return Problem(str(path), found, allowed)


def _load(path: Path, reader: Callable[[Path], Loaded]) -> Loaded:
    """Read a table, and say which file is broken where the format's own reader cannot."""
    try:
        check_beginning(path, FORMATS[suffix(path)].beginning)
        loaded = reader(path)
    except (UserError, ImportError):
        raise
    except MemoryError as error:
        raise UserError(_too_large(path, error)) from error
    except Exception as error:  # what formats' readers raise for a broken file has no common class
        reason = str(error).strip() or type(error).__name__
        whole = f"a valid {'folder of counts' if path.is_dir() else f'{suffix(path)} file'}"
        raise UserError(Problem(str(path), f"not readable: {reason}", whole)) from error
    return _as_text_index(loaded)


def _check_layer(path: Path, layer: str | None) -> None:
    _check_readable(path)
    if layer is not None and suffix(path) not in ANNOTATED:
        found = f"a layer, {layer!r}, of a file that has none"
        raise UserError(Problem(str(path), found, f"'layer' beside one of {listing(ANNOTATED)}"))


def check_file(path: str | Path, layer: str | None = None) -> None:
    """Look at a file from outside: that it is there, may be read, and begins as its ending says.

    Parameters
    ----------
    path
        The file, or the folder of counts.
    layer
        The layer that is to be read of it, or None.

    Raises
    ------
    UserError
        Where it is not.
    """
    _check_layer(Path(path), layer)
    try:
        check_beginning(Path(path), FORMATS[suffix(path)].beginning)
    except (OSError, EOFError) as error:  # a .gz that is none
        raise UserError(Problem(str(path), f"not readable: {error}", "a whole file")) from error


def load_samples(path: str | Path) -> Loaded:
    """Read the table of samples as `read_samples` does, with what there is to say of the file."""
    path = Path(path)
    _check_readable(path)
    return _load(path, FORMATS[suffix(path)].samples)


def load_measurements(
    path: str | Path, modality: str | None = None, layer: str | None = None
) -> Loaded:
    """Read measurements as `read_measurements` does, with what there is to say of the file.

    They stay sparse, and in the precision that the file has.
    """
    path = Path(path)
    _check_layer(path, layer)
    measurements = FORMATS[suffix(path)].measurements
    return _load(path, lambda file: measurements(file, modality, layer))


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
    return load_samples(path).table


def read_measurements(
    path: str | Path, modality: str | None = None, layer: str | None = None
) -> pd.DataFrame:
    """Read one table of measurements, cells unchecked.

    Parameters
    ----------
    path
        CSV, TSV or Parquet with the sample id in the first column, or the ``X`` of h5ad or h5mu.
    modality
        The modality to take from an h5mu file.
    layer
        The layer of an h5ad or h5mu file to take in place of ``X``.

    Returns
    -------
    pandas.DataFrame
        Samples by features, dense, indexed by the sample id as text.

    Raises
    ------
    UserError
        Where the file is missing, of another format, or broken.
    """
    table = load_measurements(path, modality, layer).table
    return table if isinstance(table, pd.DataFrame) else table.frame()
