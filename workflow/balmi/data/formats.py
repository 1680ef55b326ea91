"""The version that files between jobs say of their format, and the refusal of an unknown one.

Code that changes makes results anew, so that another version is met in results that were copied, or
that Snakemake was told to take as they are. Files of the user's own say no version, and are not
asked for one; nor are tables as CSV, which people open, and whose columns are looked at instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.errors import MAX_SHOWN, Problem, UserError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1  # of tables as Parquet, of arrays and of JSON; cohort and view count for themselves
KEY = "format"
NAMED = f"balmi_{KEY}"  # among what other programs note in the same place
REMEDY = (
    "delete it, or the results of the whole dataset, and run again; or use the version of balmi"
    " that wrote it"
)


def check_format(path: str | Path, version: object, known: int = FORMAT) -> None:
    """Refuse a file of another format.

    Parameters
    ----------
    path
        The file.
    version
        What it says, as a number or as text; None where it says nothing.
    known
        The version that is read here.

    Raises
    ------
    UserError
        Where it is another one, or none.
    """
    said = "no version" if version is None else f"version {version}"[:MAX_SHOWN]
    if said == f"version {known}":
        return
    allowed = f"version {known}, which this version of balmi reads: {REMEDY}"
    raise UserError(Problem(str(path), f"{said} of its format", allowed))
