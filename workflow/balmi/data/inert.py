"""Text that no spreadsheet takes for a formula, and back."""

from __future__ import annotations

import re

# A spreadsheet runs a cell that starts so, unless an apostrophe stands before it. A number is none.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


def inert(cell: object) -> object:
    """Return a cell as a spreadsheet may see it; only text is ever changed.

    Text that starts as a formula does, after any number of apostrophes, gets one more of them, so
    that `exact` knows which of them to take away.
    """
    if isinstance(cell, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def exact(cell: object) -> object:
    """Return the cell that `inert` was given."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and FORMULA.match(cell) else cell
