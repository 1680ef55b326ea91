"""Files that are either whole or not there."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

# Text columns are named, or a modality called 1 would be read as a number and one called NA as
# an empty cell.
TEXT = ("method", "reference", "metric", "quantity", "modality", "other", "status", "reason")
NAMES = ("student", "teacher", "class", "sample", "feature", "device", "expert", "predicted")
TEXT_COLUMNS = dict.fromkeys((*TEXT, *NAMES), str)


@contextmanager
def replace_when_written(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it to `path` when the block succeeds.

    The temporary name ends as `path` does, since writers choose the format by the ending.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part{os.getpid()}-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(content: Any, path: str | Path) -> None:
    """Write JSON with sorted keys, whole or not at all."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replace_when_written(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV or Parquet, by the path's ending, whole or not at all."""
    with replace_when_written(path) as part:
        if part.suffix == ".csv":
            table.to_csv(part, index=False, lineterminator="\n")
        else:
            table.to_parquet(part, index=False)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote; only an empty cell is empty, not the text ``NA``."""
    import pandas as pd

    path = Path(path)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    header = pd.read_csv(path, nrows=0).columns
    types = {name: kind for name, kind in TEXT_COLUMNS.items() if name in header}
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])


@contextmanager
def annotated_files() -> Iterator[None]:
    """Read and write h5ad and h5mu files alike under all versions of mudata, and quietly.

    Names that occur twice within a table are found by `balmi.data.checks`. One name in two
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
