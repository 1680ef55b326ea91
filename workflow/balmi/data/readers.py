"""Read tables of samples and of measurements from the formats that users have.

Only pandas is imported here: h5ad and h5mu files bring in anndata and mudata when one is met.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from balmi.config.settings import MISSING_TEXTS
from balmi.data.delimited import opened, opened_text, survey
from balmi.data.files import annotated_files, read_parquet
from balmi.data.names import as_text
from balmi.data.numeric import NUMBERS, NumericTable
from balmi.data.plain import read_plain
from balmi.data.tenx import files_of, is_folder, read_counts
from balmi.errors import Problem, UserError, listing, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from anndata import AnnData
    from mudata import MuData

_HDF5, _PARQUET, _GZIP = b"\x89HDF\r\n\x1a\n", b"PAR1", b"\x1f\x8b"
_UTF8 = "text in UTF-8: save the table again with this encoding (Excel: 'CSV UTF-8')"
_UNPACK = "a table as text: unpack it first; only .gz is read packed"
FOLDER = "folder"  # in place of an ending
RAW = "raw"  # a layer by this name is `AnnData.raw`, where no other has it
# What an annotated file says of itself -> the ending that it should have.
_ENDINGS = {"anndata": ".h5ad", "mudata": ".h5mu"}
# What is read of a file before any job starts, at most: bytes, some two seconds.
MOST_READ = 25 * 10**6
_EXPORT = "a table as text: open it in the program that wrote it and save it as CSV in UTF-8"
_FETCH = "a table as text: fetch the file again; what came is not the file itself"
# How files begin that bear the ending of another format -> what they are, what to do.
_BEGINNINGS: dict[bytes, tuple[str, str]] = {
    b"\xff\xfe": ("text in UTF-16", _UTF8),
    b"\xfe\xff": ("text in UTF-16", _UTF8),
    b"pk\x03\x04": ("a zip archive, or an Excel workbook", _EXPORT),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _EXPORT),
    b"{\\rtf": ("a document of a word processor (RTF)", _EXPORT),
    b"%pdf": ("a PDF", _EXPORT),
    b"<!doctype": ("a web page", _FETCH),
    b"<html": ("a web page", _FETCH),
    b"<?xml": ("XML", _EXPORT),
    b"version https://git-lfs": ("a pointer of Git LFS", "the file itself: run `git lfs pull`"),
    b"bzh": ("a bzip2 archive", _UNPACK),
    b"\xfd7zxz": ("an xz archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd archive", _UNPACK),
    _GZIP: ("a gzip archive", "a name that ends in .gz where the file is packed"),
    _HDF5.lower(): (
        "an HDF5 file",
        "a name that ends in .h5ad, .h5mu or .h5, as it is",
    ),
    _PARQUET.lower(): ("a Parquet file", "a name that ends in .parquet where the file is one"),
}


@dataclass(frozen=True)
class Loaded:
    """A table as it was read.

    Parameters
    ----------
    table
        One row per sample, indexed by the sample id as text; numeric where all cells are plainly
        numbers.
    id_name
        The name of the column of ids; empty where it has none, as a column of row numbers.
    unended
        Whether a text file ends without the end of a line.
    remarks
        What a reader of the table should know, each a pair: what was found, what to do.
    """

    table: pd.DataFrame | NumericTable
    id_name: str = ""
    unended: bool = False
    remarks: tuple[tuple[str, str], ...] = ()

    def named(self, index: pd.Index, columns: pd.Index) -> Loaded:
        """Return the table with other names in the place of these."""
        if not isinstance(self.table, pd.DataFrame):
            return replace(self, table=self.table.named(index, columns))
        return replace(self, table=self.table.set_axis(index, axis=0).set_axis(columns, axis=1))


def suffix(path: str | Path) -> str:
    """Return the file's ending in lower case, without a trailing ``.gz``; of a folder, its name.

    A folder of counts, of whatever name, has the format `FOLDER`.
    """
    if is_folder(Path(path)):
        return FOLDER
    return Path(str(path).lower().removesuffix(".gz")).suffix


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
        return Loaded(table, _id_name(names[0]), not layout.ended, tuple(remarks))
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
    ).set_index(0)
    table.columns = names[1:]  # pandas would rename a name that occurs twice, and hide it
    if not text and any(column.hasnans for _, column in table.items()):
        remarks += missing_remark(_count_texts(path, separator))
    return Loaded(table, _id_name(names[0]), not layout.ended, tuple(remarks))


def _read_parquet(path: Path) -> Loaded:
    # With threads and a pool of one, which OMP_NUM_THREADS=1 makes, pyarrow takes memory by the
    # square of the columns: 10 GB for 50,000, against 0.9.
    table = read_parquet(path, use_threads=False)
    if isinstance(table.index, pd.MultiIndex):
        raise ValueError(f"{table.index.nlevels} columns of row names, instead of sample ids")
    if isinstance(table.index, pd.RangeIndex) and table.shape[1]:
        table = table.set_index(table.columns[0])
    return Loaded(table, _id_name(table.index.name))


def _id_name(name: object) -> str:
    """Return the name of a column of ids, and nothing for the names that programs make up."""
    text = "" if name is None else str(name).strip()
    return "" if re.fullmatch(r"Unnamed: 0|__index_level_0__", text) else text


def _check_encoding(path: Path) -> None:
    """Refuse an annotated file under the ending of the other kind; older files do not say."""
    import h5py

    if not h5py.is_hdf5(path):
        return  # its reader says so
    with h5py.File(path) as file:
        told = str(file.attrs.get("encoding-type", "")).lower()
    ending = _ENDINGS.get(told, suffix(path))
    if ending != suffix(path):
        found = f"{'a MuData' if ending == '.h5mu' else 'an AnnData'} file"
        raise UserError(Problem(str(path), found, f"a name that ends in {ending}"))


def _open_h5ad(path: Path) -> AnnData:
    from anndata import read_h5ad

    _check_encoding(path)
    with annotated_files():
        return read_h5ad(path)


def _open_h5mu(path: Path) -> MuData:
    from mudata import read_h5mu

    _check_encoding(path)
    with annotated_files():
        return read_h5mu(path)


def _open_modality(path: Path, modality: str | None) -> AnnData:
    """Read one modality of an h5mu file, which has to be named even where it is the only one."""
    parts = _open_h5mu(path).mod
    if modality in parts:
        return parts[modality]
    allowed = f"one of {listing(parts)}: name it with the key 'modality'"
    if modality is None:
        raise UserError(Problem(str(path), "no name of a modality", allowed))
    found = f"no modality {modality!r} in the file"
    raise UserError(Problem(str(path), found, allowed, nearest(modality, parts)))


def _read_annotated(path: Path, modality: str | None, layer: str | None) -> Loaded:
    data = _open_h5ad(path) if suffix(path) == ".h5ad" else _open_modality(path, modality)
    held: Any = data.raw if _is_raw(data, layer) else data
    values: Any = held.X if layer is None or held is not data else _layer(data, layer, path)
    if values is None:
        layers = listing(map(repr, _layers(data)))
        hint = f"; name a layer with the key 'layer', one of {layers}" if layers else ""
        raise ValueError(f"there is no X in it{hint}")
    names = data.obs_names, held.var_names
    if values.dtype.kind in NUMBERS:
        return Loaded(NumericTable.of(values, *names))
    cells = values.toarray() if issparse(values) else np.asarray(values)
    return Loaded(pd.DataFrame(cells, *names))


def _is_raw(data: AnnData, layer: str | None) -> bool:
    """Return whether a layer is what AnnData calls raw, which may have features of its own."""
    return layer == RAW and RAW not in data.layers and data.raw is not None


def _layers(data: AnnData) -> list[str]:
    """Return the names by which layers of an annotated table can be asked for."""
    names = [name for name in data.layers if name is not None]
    return [*names, RAW] if _is_raw(data, RAW) else names


def _layer(data: AnnData, layer: str, path: Path) -> object:
    """Return one layer of an annotated table."""
    layers = _layers(data)
    if layer in data.layers:
        return data.layers[layer]
    allowed = (
        f"one of {listing(map(repr, layers))}"
        if layers
        else "no key 'layer': there is nothing beside X"
    )
    found = f"no layer {layer!r} in the file"
    raise UserError(Problem(str(path), found, allowed, nearest(layer, layers)))


def _read_obs(path: Path) -> Loaded:
    """Read what an annotated file says of its samples.

    A column that lies in the ``obs`` of one modality of an h5mu file alone is read under its own
    name too, and under ``modality:column``, as mudata shows it, always.
    """
    if suffix(path) == ".h5ad":
        return Loaded(_open_h5ad(path).obs.copy())
    data = _open_h5mu(path)
    own = {name: data.obs[name] for name in data.obs.columns}
    inner = [
        (name, str(column), part.obs[column].reindex(data.obs_names))
        for name, part in data.mod.items()
        if part.obs_names.is_unique
        for column in part.obs.columns
    ]
    homes = [column for _, column, _ in inner]
    for name, column, cells in inner:
        own.setdefault(f"{name}:{column}", cells)
        if homes.count(column) == 1:
            own.setdefault(column, cells)
    return Loaded(pd.DataFrame(own, index=data.obs_names))


def _read_tenx(path: Path, modality: str | None, layer: str | None = None) -> Loaded:
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


def _delimited(separator: str, meaning: str) -> Format:
    return Format(
        f"{meaning}; also packed, with `.gz` after the ending",
        lambda path: _read_delimited(path, separator, text=True),
        lambda path, modality, layer: _read_delimited(path, separator, text=False),
    )


FORMATS: dict[str, Format] = {
    ".csv": _delimited(",", "fields parted by commas"),
    ".tsv": _delimited("\t", "fields parted by tabs"),
    ".txt": _delimited("\t", "fields parted by tabs"),
    ".parquet": Format(
        "the table",
        _read_parquet,
        lambda path, modality, layer: _read_parquet(path),
        beginning=_PARQUET,
    ),
    ".h5ad": Format(
        "`X`, or the layer that `layer:` names (`raw`: its `raw`); as table of samples its `obs`",
        _read_obs,
        _read_annotated,
        beginning=_HDF5,
    ),
    ".h5mu": Format(
        "`X`, or the layer that `layer:` names (`raw`: its `raw`), of the modality of the same name"
        " or of the one that `modality:` names; as table of samples its `obs`, where a column of"
        " one modality's `obs` is found by its own name or as `modality:column`",
        _read_obs,
        _read_annotated,
        beginning=_HDF5,
    ),
    ".h5": Format(
        "counts as Cell Ranger writes them (`filtered_feature_bc_matrix.h5`), of the feature type"
        " that `modality:` names, `Gene Expression`, `Antibody Capture`, `Peaks` or another; a"
        " modality called `rna`, `adt`, `prot` or `atac` is the one of these",
        _no_labels,
        _read_tenx,
        beginning=_HDF5,
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


def _what_lies_there(path: Path, missing: Path) -> tuple[str, str]:
    """Return what is found in place of a file, and what is allowed."""
    plain = os.path.expanduser(os.path.expandvars(str(path)))
    if plain != str(path) or str(path).startswith("~"):
        there = "" if not Path(plain).exists() else f", here {plain}"
        allowed = f"the path in full{there}: ~ and $VARIABLES are not expanded in a configuration"
        return "no such file", allowed
    if re.match(r"\w{2,}:/", str(path)):
        return "an address on the web", "a file: download it, and name it here"
    if path.is_symlink():
        return f"a link to {os.readlink(path)}, which does not exist", "an existing file"
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        above = "" if missing == path else f", since there is no folder {str(missing)!r}"
        here = "" if path.is_absolute() else f" (paths count from {Path.cwd()})"
        return f"no such file{above}", f"an existing file{here}"
    if stat.S_ISDIR(mode):
        return "a folder", "a file, or a folder with a matrix.mtx, as Cell Ranger writes it"
    return (
        "a pipe or a device, which can be read only once",
        "a file: it is read when it is checked, and again by a job; write it to a file first",
    )


def _first_that_is_missing(path: Path) -> Path:
    """Return the path, or the highest folder above it that is not there."""
    while not path.parent.exists() and path.parent != path.parent.parent:
        path = path.parent
    return path


def _check_readable(path: Path) -> None:
    try:
        exists = path.is_file() or is_folder(path)
        missing = _first_that_is_missing(path)
        found, allowed = ("", "") if exists else _what_lies_there(path, missing)
        # Of a folder in the place of a file others of its name are no help.
        looked = missing.parent.is_dir() and not missing.is_dir()
        beside = list(missing.parent.iterdir()) if looked else []
    except OSError as error:  # a folder without permission, a name that is too long
        raise UserError(
            Problem(shown(str(path)), str(error.strerror), "a readable file")
        ) from error
    if not exists:
        paths = {repr(other.name): repr(str(other)) for other in beside}
        near = nearest(missing.name, [other.name for other in beside])
        raise UserError(Problem(str(path), found, allowed, paths.get(str(near))))
    endings = [ending for ending in FORMATS if ending != FOLDER]
    if suffix(path) not in FORMATS:
        raise UserError(
            Problem(
                str(path),
                f"a file ending in {suffix(path) or 'nothing'!r}",
                f"one of {listing(endings)}; CSV and TSV may end in .gz",
                nearest(suffix(path), endings),
            )
        )


def _check_beginning(path: Path) -> None:
    """Refuse a file whose first bytes are those of another format than its ending's."""
    if path.is_dir():
        return
    own = FORMATS[suffix(path)].beginning.lower()
    with path.open("rb") if own else opened(path) as file:
        head = file.read(200).lstrip().lower()
    if own and head.startswith(own):
        return
    for beginning, (found, allowed) in _BEGINNINGS.items():
        if head.startswith(beginning):
            raise UserError(Problem(str(path), found, allowed))
    if not own and head.count(b"\0") > len(head) / 4:
        raise UserError(Problem(str(path), "text in UTF-16, or no text at all", _UTF8))


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
        _check_beginning(path)
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
        _check_beginning(Path(path))
    except (OSError, EOFError) as error:  # a .gz that is none
        raise UserError(Problem(str(path), f"not readable: {error}", "a whole file")) from error


def size_of(path: str | Path) -> int:
    """Return the bytes of a file, or of all files of a folder of counts.

    What is not there, or cannot be looked at, has none: whoever reads it says why.
    """
    path = Path(path)
    try:
        files = files_of(path) if is_folder(path) else [path]
        return sum(file.stat().st_size for file in files if file.is_file())
    except (OSError, ValueError):  # a folder of counts may lack a file
        return 0


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
