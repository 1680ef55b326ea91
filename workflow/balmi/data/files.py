"""Files that are either whole or not there, and one door through which they are read back."""

from __future__ import annotations

import csv
import errno
import glob
import hashlib
import io
import json
import logging
import os
import time
import warnings
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmi.data.formats import FORMAT, KEY, NAMED, REMEDY, check_format
from balmi.data.inert import exact, inert
from balmi.errors import Problem, UserError, listing
from balmi.faults import fault
from balmi.tables.contract import TABLES, text_headings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

FULL = (errno.ENOSPC, errno.EDQUOT)
STRAY_SECONDS = 3600  # no writing of one file takes as long
CONTENT = "content"  # the key in JSON of what is no object, and so has no room for a version


class DiskFull(UserError):
    """There is no room for a file."""


@contextmanager
def replace_when_written(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it to `path` when the block succeeds.

    The temporary name ends as `path` does, since writers choose the format by the ending.

    Raises
    ------
    DiskFull
        Where there is no room for it.
    """
    path = Path(path)
    part = path.with_name(f".part{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_strays(path)
        yield part
        part.replace(path)
    except (OSError, RuntimeError) as error:  # HDF5 tells of a full disk by both
        if not _is_full(error):
            raise
        found = "no room on the disk, or the quota is used up"
        allowed = "room there: then run again, and what is done stays done"
        raise DiskFull(Problem(str(path), found, allowed)) from error
    finally:
        part.unlink(missing_ok=True)


def _is_full(error: Exception) -> bool:
    """Return whether a disk is full; not every library hands the number of the error on."""
    told = any(os.strerror(number) in str(error) for number in FULL)
    return told or getattr(error, "errno", None) in FULL


def _remove_strays(path: Path) -> None:
    """Remove what killed processes left of a file; a younger part may still be in the making."""
    for part in path.parent.glob(f".part*-{glob.escape(path.name)}"):
        with suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > STRAY_SECONDS:
                part.unlink()


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Name the file in whatever goes wrong while one that the workflow wrote is read back.

    Raises
    ------
    UserError
        Where it cannot be read, or is damaged.
    """
    try:
        yield
    except (UserError, FileNotFoundError):
        raise
    except PermissionError as error:
        raise UserError(Problem(str(path), "it may not be read", "the right to read it")) from error
    except Exception as error:  # no list could hold all that damaged files make readers raise
        if fault(error) is not None:
            error.add_note(f"while {path} was read")
            raise
        told = str(error).partition("\n")[0]
        why = told if isinstance(error, ValueError) else f"{type(error).__name__}: {told}"
        found = f"damaged, or not written by this version of balmi ({why})"
        allowed = "the file as the workflow wrote it: delete it and run again, and it is made anew"
        raise UserError(Problem(str(path), found, allowed)) from error


def write_json(content: Any, path: str | Path, version: int = FORMAT) -> None:
    """Write JSON with sorted keys and the version of its format, whole or not at all.

    Parameters
    ----------
    content
        What to write. An object gets the version as a key; all else is wrapped into an object.
    path
        The file.
    version
        The version of the content's format.

    Raises
    ------
    ValueError
        Where JSON has no word for the content, or its own keys are those of version and wrapping.
    """
    held = content if isinstance(content, dict) else {CONTENT: content}
    if KEY in held or (held is content and CONTENT in held):
        raise ValueError(f"the keys {KEY} and {CONTENT} are taken")
    whole = {**held, KEY: version}
    text = json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replace_when_written(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path, version: int = FORMAT) -> Any:
    """Read what `write_json` wrote.

    Raises
    ------
    UserError
        Where the file is damaged, or of another version.
    """
    with reading(path):
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        held = found if isinstance(found, dict) else {}
        check_format(path, held.pop(KEY, None), version)
        return held.get(CONTENT, held)


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV whose text cells and headings are inert; numbers stay as they are."""
    safe = table.rename(columns=inert)
    for column in _textual(safe):
        safe[column] = safe[column].astype(object).map(inert)
    text = safe.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # it ends a line unless it stands in quotes, which pandas does not see to
        text = safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return text


def _textual(table: pd.DataFrame) -> list[str]:
    """Return the columns that may hold text."""
    from pandas.api.types import is_numeric_dtype

    return [name for name in table.columns if not is_numeric_dtype(table[name])]


def write_table(table: pd.DataFrame, path: str | Path, name: str | None = None) -> None:
    """Write a table as CSV or Parquet, by the path's ending, whole or not at all.

    People open CSV in spreadsheets: there a text that would run as a formula is written after an
    apostrophe. Parquet holds every text as it is, and a checksum of every page.

    Parameters
    ----------
    table, path
        What to write, and where.
    name
        Its name in the contract, which it must keep; None of what is no table of the contract.

    Raises
    ------
    ValueError
        Where it breaks its contract.
    """
    if name is not None:
        TABLES[name].check(table)
    with replace_when_written(path) as part:
        if part.suffix == ".csv":
            part.write_text(csv_text(table), encoding="utf-8", newline="")
        else:
            _write_parquet(table, part)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Do what pandas does, which has no room for the version in what the file says of itself."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = pa.Table.from_pandas(table, preserve_index=False)
    about = {**columns.schema.metadata, NAMED: str(FORMAT)}
    parquet.write_table(
        columns.replace_schema_metadata(about), path, compression="snappy", write_page_checksum=True
    )


def read_table(path: str | Path, name: str | None = None) -> pd.DataFrame:
    """Read a table that `write_table` wrote; only an empty cell is empty, not the text ``NA``.

    Columns that a released version did not know yet are empty.

    Parameters
    ----------
    path
        The file.
    name
        Its name in the contract, which it must keep; None of what is no table of the contract.

    Raises
    ------
    UserError
        Where the file is damaged, of another version, or breaks its contract. Of a CSV file, a cut
        at the very end of a line is not seen, nor are bytes that were changed into others that can
        stand there.
    """
    path = Path(path)
    with reading(path):
        table = _read_parquet_table(path) if path.suffix == ".parquet" else _read_csv(path, name)
        if name is not None:
            table = TABLES[name].completed(table)
        problems = TABLES[name].problems(table) if name is not None else []
    if problems:
        allowed = f"a table as this version of balmi writes it: {REMEDY}"
        raise UserError(Problem(str(path), listing(problems), allowed))
    return table


def read_parquet(path: Path, **how: bool) -> pd.DataFrame:
    """Read a Parquet file, through pyarrow's own files.

    pandas would hand pyarrow a file of Python, which a thread of pyarrow may let go of while the
    process ends: it would then end by SIGABRT, with all its work done (apache/arrow#34314).

    Parameters
    ----------
    path
        The file.
    how
        Further arguments of `pyarrow.parquet.read_table`.

    Raises
    ------
    OSError
        Where it cannot be read.
    ValueError
        Where it is no Parquet file, or damaged.
    """
    import pandas as pd
    from pyarrow.fs import LocalFileSystem

    return pd.read_parquet(path, filesystem=LocalFileSystem(), **how)


def _read_parquet_table(path: Path) -> pd.DataFrame:
    from pyarrow import parquet

    version = (parquet.read_schema(path).metadata or {}).get(NAMED.encode())
    check_format(path, version and version.decode())
    return read_parquet(path, page_checksum_verification=True)


def _read_csv(path: Path, name: str | None) -> pd.DataFrame:
    import pandas as pd

    text = path.read_bytes().decode("utf-8")
    header = _header_of_whole(text)
    # Or a modality called 1 would be read as a number, and one called NA as an empty cell.
    types = dict.fromkeys(text_headings(header, name), str)
    source = io.StringIO(text, newline="")
    table = pd.read_csv(source, dtype=types, keep_default_na=False, na_values=[""])
    for column in _textual(table):
        table[column] = table[column].map(exact)
    return table.rename(columns=exact)


def _header_of_whole(text: str) -> list[str]:
    """Return the headings of a table as CSV.

    Raises
    ------
    ValueError
        Where the table is no longer whole.
    """
    if not text.endswith("\n"):
        raise ValueError("its last line has no end" if text else "it is empty")
    if "\0" in text:
        raise ValueError("it holds bytes of 0")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(lines)
    short = next((lines.line_num for line in lines if len(line) != len(header)), None)
    if short is not None:
        raise ValueError(f"line {short} does not have {len(header)} cells as the first one has")
    return header


@contextmanager
def annotated_files() -> Iterator[None]:
    """Read and write h5ad and h5mu files alike under all versions of mudata, and quietly.

    Names that occur twice within a table are found by `balmi.data.table_checks`. One name in two
    modalities, such as a gene in RNA and copy numbers, is in order.
    """
    import mudata

    # The switch of mudata 0.3 logs to the root logger, which would then repeat Snakemake's lines.
    if not logging.root.handlers:
        logging.root.addHandler(logging.NullHandler())
    # mudata 0.3 pulls columns of modalities into the global tables unless told not to; 0.4 has
    # neither the habit nor the switch.
    switch = getattr(mudata, "set_options", None)
    without_pulling = switch(pull_on_update=False) if switch else nullcontext()
    with warnings.catch_warnings(), without_pulling:
        warnings.filterwarnings("ignore", ".*names are not unique", UserWarning)
        warnings.filterwarnings("ignore", ".*same name because var_names", UserWarning)
        yield


def sha256(path: str | Path) -> str:
    """Return the checksum of a file in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
