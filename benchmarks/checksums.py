"""Tables that are too long for git: what a summary was made of, and what makes it again.

`SHA256SUMS` beside the tables is in git, with a line per table, as ``sha256sum --check`` reads it.
What writes a summary records the tables behind it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from balmi.data.files import replace_when_written, sha256

if TYPE_CHECKING:
    from pathlib import Path

FILE = "SHA256SUMS"


def recorded(folder: Path) -> dict[str, str]:
    """Return the checksums that a folder's list holds: name of a table -> hexadecimal digits."""
    path = folder / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.split("  ", 1) for line in lines)
    return {name: digits for digits, name in pairs}


def record(*tables: Path) -> None:
    """Write the checksums of tables into the list beside them; other lines stay.

    Parameters
    ----------
    *tables
        Files that are there, each in the folder of its summary.
    """
    for table in tables:
        lines = recorded(table.parent) | {table.name: sha256(table)}
        with replace_when_written(table.parent / FILE) as part:
            text = "".join(f"{digits}  {name}\n" for name, digits in sorted(lines.items()))
            part.write_text(text, encoding="utf-8")


def needed(table: Path, command: str) -> Path:
    """Return the path of a table that a summary is made of.

    Raises
    ------
    SystemExit
        Where it is absent: a sentence that names it, and the command that makes it.
    """
    if not table.is_file():
        sys.exit(f"{table} is absent, of which the summary is made: `{command}` makes it.")
    return table


def enough(count: int, fewest: int, table: Path, command: str) -> None:
    """End with a sentence where a table holds too little of what a summary was asked of.

    Parameters
    ----------
    count, fewest
        How much the table holds, and how much the summary needs.
    table
        Its path.
    command
        What makes more.

    Raises
    ------
    SystemExit
        Where there is too little.
    """
    if count < fewest:
        sys.exit(f"{table} holds too little of what is to be summarised: `{command}` makes it.")
