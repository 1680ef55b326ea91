"""Tables that grow row by row, so that an interrupted run continues where it stopped."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_rows(text: str) -> pd.DataFrame:
    """Return the whole rows of a CSV's text, whatever code they were made by.

    What follows the last end of a line was cut short.
    """
    whole = text[: text.rfind("\n") + 1]
    return pd.read_csv(StringIO(whole), keep_default_na=False, na_values=[""])


def resumed(
    path: Path, columns: Sequence[str], keys: Sequence[str], code: str
) -> set[tuple[object, ...]]:
    """Keep the rows of a table that today's code has made, and return the cells that they are of.

    Parameters
    ----------
    path
        The CSV, made where it is absent.
    columns
        Its columns, `code` among them.
    keys
        Those that name a cell.
    code
        Hash of today's code; other rows are dropped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = read_rows(text) if "\n" in text else pd.DataFrame(columns=list(columns))
    found = found[found["code"] == code]
    found.to_csv(path, index=False)
    return set(found[list(keys)].itertuples(index=False, name=None))


def append(path: Path, rows: pd.DataFrame) -> None:
    """Append the rows of a cell to a table, at once."""
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(rows.to_csv(index=False, header=False, lineterminator="\n"))
