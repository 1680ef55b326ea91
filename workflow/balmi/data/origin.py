"""What a file of fitted things was learned from: told on writing, looked at on reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split


def origin_header(cohort: Roster, splits: Sequence[Split]) -> dict[str, object]:
    """Return what a header tells of the origin: the cohort's checksum and the number of folds."""
    return {"cohort": cohort.checksum, "folds": len(splits)}


def origin_rows(splits: Sequence[Split]) -> dict[str, np.ndarray]:
    """Return the rows that every fold learns from, as ``<fold>/rows``."""
    return {f"{fold}/rows": split.fit for fold, split in enumerate(splits)}


def check_origin(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    header: Mapping[str, object],
    cohort: Roster,
    splits: Sequence[Split],
) -> None:
    """Refuse a file that was learned from something else.

    Parameters
    ----------
    path
        The file.
    tensors, header
        What it holds, with `origin_rows` and `origin_header` among it.
    cohort, splits
        The cohort, as read from its file, and the folds that are worked on.

    Raises
    ------
    UserError
        Where it was learned from another cohort or from other folds.
    """
    expected = origin_rows(splits)
    if header["cohort"] != cohort.checksum:
        raise _other(path, "another cohort")
    same = header["folds"] == len(splits) and all(
        np.array_equal(tensors[name], rows) for name, rows in expected.items()
    )
    if not same:
        raise _other(path, "other folds")


def _other(path: Path, what: str) -> UserError:
    allowed = "the file of this cohort and its folds: delete it and run again, and it is made anew"
    return UserError(Problem(str(path), f"learned from {what}", allowed))
