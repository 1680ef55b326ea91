"""Columns of measurements that are none: of the table of samples, ids, numbers of rows, totals.

A table that was exported in whole has them, and all of them are numbers. Nothing is left out here:
each check says which columns look so, since a feature may be called or counted alike by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import issparse

from balmi.config.kinds import Kind
from balmi.data.measurements import dense
from balmi.data.names import likeness
from balmi.data.numeric import CHECKED
from balmi.data.repeated import CAMEL, INDIVIDUALS
from balmi.errors import first_of
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.data.numeric import NumericTable

    Remarks = list[tuple[str, str]]

SHOWN = 3
FEWEST = 15  # samples, of which fewer may be in the order of a feature by chance
FEWEST_PARTS = 3  # features beside a total
PROBED = 8  # samples that are looked at first
# What ids of samples are called, as `likeness` has it.
_IDS = {"id", "index", "sample", "barcode", "specimen"}
_IDS |= {
    f"{what}{sign}{end}" for what in _IDS for sign in ("", "_") for end in ("id", "no", "number")
}
ROUNDING = 1e-5  # of a total, in which parts that were written with few digits may miss it
# What programs that count reads write below the genes: HTSeq, STAR, featureCounts.
_UNCOUNTED = ("__", "n_unmapped", "n_multimapping", "n_nofeature", "n_ambiguous", "unassigned_")


def _told(names: Sequence[object], what: str) -> str:
    return f"{counted(len(names), 'feature')} {what}: {first_of(names, SHOWN)}"


def _numbering(table: NumericTable) -> list[int]:
    """Return the columns of whole numbers that rise from row to row, or that are called as ids are.

    Most columns are known not to be by a few rows of them.
    """
    rows = np.unique(np.linspace(0, len(table.index) - 1, PROBED).astype(int))
    some = dense(table.values[rows])
    whole = (some == np.rint(some)).all(axis=0) & (some[:1] != some[1:]).all(axis=0)
    rises = np.all(np.diff(some, axis=0) > 0, axis=0)
    called = [_called_as_ids(str(table.columns[place])) for place in np.flatnonzero(whole)]
    places = np.flatnonzero(whole)
    places = places[rises[places] | np.array(called, dtype=bool)]
    return [place for place in places.tolist() if _numbers(table, place)]


def _called_as_ids(name: str) -> bool:
    return likeness(name) in _IDS or INDIVIDUALS.match(CAMEL.sub("_", name)) is not None


def _numbers(table: NumericTable, place: int) -> bool:
    """Return whether a column rises from row to row, or numbers rows by another order."""
    cells = dense(table.values[:, [place]])[:, 0]
    if not (cells == np.rint(cells)).all():
        return False
    return bool((np.diff(cells) > 0).all()) or _called_as_ids(str(table.columns[place]))


def _totals(table: NumericTable) -> np.ndarray:
    """Return which columns are the sum of all others in every sample."""
    sums = _sums(table)
    size = np.abs(sums)
    first = int(size.argmax())
    row = table.row(first).astype(np.float64)
    places = np.flatnonzero(np.abs(2 * row - sums[first]) <= ROUNDING * size[first])
    if not size[first] or len(places) > CHECKED // len(table.index):
        return np.zeros(0, dtype=int)
    cells = dense(table.values[:, places]).astype(np.float64)
    off = np.abs(2 * cells - sums[:, None])
    return places[(off <= ROUNDING * size[:, None]).all(axis=0)]


def _sums(table: NumericTable) -> np.ndarray:
    if issparse(table.values):
        return np.asarray(table.values.sum(axis=1, dtype=np.float64)).ravel()
    return np.concatenate([np.nansum(block, axis=1) for _, block in table.blocks()])


def misplaced(table: NumericTable, kind: Kind, named: Iterable[str | None]) -> Remarks:
    """Say which features look like something else than a measurement.

    Parameters
    ----------
    table
        Measurements, samples in the order of the file.
    kind
        The kind of omics.
    named
        The columns of the table of samples that are in use: label, group, folds.
    """
    remarks = []
    looks = {likeness(name) for name in named if name}
    same = [name for name in table.columns if likeness(str(name)) in looks]
    if same:
        meaning = "if they are these columns, leave them out: they are no measurements"
        remarks.append((_told(same, "named as label, group or folds are"), meaning))
    if kind is Kind.RNA_COUNTS:
        rest = [name for name in table.columns if str(name).lower().startswith(_UNCOUNTED)]
        if rest:
            meaning = "they count to the size of a library: leave them out"
            remarks.append((_told(rest, "of reads counted for no gene"), meaning))
    numbering = _numbering(table) if len(table.index) >= FEWEST else []
    numbers = [name for name in table.columns[numbering] if name not in same]
    if numbers:
        meaning = "ids and numbers of rows are no measurements: leave them out"
        remarks.append((_told(numbers, "with numbers of samples"), meaning))
    adds_up = len(table.index) >= FEWEST and table.shape[1] > FEWEST_PARTS
    totals = table.columns[_totals(table)] if adds_up else []
    if len(totals):
        remarks.append((_told(totals, "with the sum of all others"), "leave totals out"))
    return remarks
