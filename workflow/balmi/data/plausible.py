"""Measurements that are allowed, but look like something else than their kind says.

Nothing here refuses a table: what a kind must not hold is in `balmi.config.kinds`. Each check
returns remarks, pairs of what was found and what that may mean.
"""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import issparse

from balmi.config.kinds import Kind
from balmi.data.measurements import SMALLEST_DEVIATION, single_valued
from balmi.errors import listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.data.numeric import NumericTable

    Remarks = list[tuple[str, str]]

# The logarithm to base 2 of four billion reads is 32; no log scale in use goes beyond.
LARGEST_LOG = 50
LARGEST_LINEAR = 1000  # protein intensities and the like, that are logged before anything else
LARGEST_M = 20  # log2(beta / (1 - beta)) of a beta of one in a million
# What programs write for a missing number, by how it is written.
SENTINELS = (0, -1, 9, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999)
GENOTYPES = 9, 2  # EIGENSTRAT's code for a missing genotype, and the largest of the others
THIRD = 0.8  # share of fractions whose third decimal is none of 0, as it is of nine in ten numbers
LARGEST_GROUP = 1000  # what a sign between thousands parts
GAP = 3  # a sentinel stands apart by that many interquartile ranges
FEWEST = 5  # features or samples, below which others are alike by chance
COMMON = 0.05  # a value that is this common elsewhere may fill a row by chance, as no mutation does
MOST_COLUMNS = {255, 256, 16383, 16384}  # of a spreadsheet, with and without the ids
LOGGED = {Kind.RNA_LOG, Kind.MIRNA}
HUGE = 1e15
ROUNDED = 1e-6  # of a number, that single precision may be off


def _ends(table: NumericTable) -> tuple[float, float] | None:
    """Return the smallest and the largest value, or None where nothing was measured."""
    ends = [(part.min(), part.max()) for part in table.stored() if part.size]
    if not ends:
        return None
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def _whole(table: NumericTable) -> bool:
    return all(bool((part == np.rint(part)).all()) for part in table.stored())


def _scale(table: NumericTable, low: float, high: float, kind: Kind) -> Remarks:
    """Say where a table looks like one of another kind."""
    if kind in LOGGED and low >= 0 and high > 1 and _whole(table):
        meaning = "raw counts are of kind rna-counts; logged values are no whole numbers"
        return [(f"whole numbers alone, up to {high:g}, as {kind}", meaning)]
    if kind in LOGGED and high > LARGEST_LOG:
        meaning = f"no log scale goes beyond {LARGEST_LOG}: these look like values before the log"
        return [(f"values up to {high:g}, as {kind}", meaning)]
    if kind is Kind.METHYLATION_M and low >= 0 and high <= 1:
        return [
            ("values from 0 to 1 alone, as methylation-m", "betas are of kind methylation-beta")
        ]
    if kind is Kind.METHYLATION_M and max(-low, high) > LARGEST_M:
        meaning = f"M-values lie between -{LARGEST_M} and {LARGEST_M}: these may be percentages"
        return [(f"values from {low:g} to {high:g}, as methylation-m", meaning)]
    if kind is Kind.PROTEIN and low >= 0 and high > LARGEST_LINEAR:
        meaning = "they look like intensities before the log, which no kind but rna-counts takes"
        return [(f"values up to {high:g}, as protein", meaning)]
    return []


def _spread(table: NumericTable, without: float) -> float:
    """Return the interquartile range of all values but one.

    The values are copied to be sorted, so that this is asked only where all else speaks for a
    number that stands for nothing.
    """
    parts = [part[part != without].astype(table.values.dtype) for part in table.stored()]
    values = np.concatenate(parts[:-1] if table.unstored else parts)
    values.sort()
    first = int(np.searchsorted(values, 0))  # where zeros that are not stored belong

    def at(rank: int) -> float:
        if first <= rank < first + table.unstored:
            return 0.0
        return float(values[rank if rank < first else rank - table.unstored])

    def quantile(share: float) -> float:
        place = share * (len(values) + table.unstored - 1)
        low, high = at(int(place)), at(int(np.ceil(place)))
        return low + (high - low) * (place - int(place))

    return quantile(0.75) - quantile(0.25)


def _sentinels(table: NumericTable, low: float, high: float, kind: Kind) -> Remarks:
    """Say where numbers that stand for nothing lie apart from all others."""
    remarks = []
    ends = {low, high}  # none other can lie apart
    wanted = SENTINELS if kind is Kind.PROTEIN else SENTINELS[1:]  # 0 is a value elsewhere
    for sentinel in ends.intersection(wanted):
        count, places = table.search(partial(np.equal, sentinel), 1)
        others = [part[part != sentinel] for part in table.stored()]
        rest = table.unstored + sum(map(len, others)) - bool(table.unstored)
        if rest < FEWEST or (kind is Kind.RNA_COUNTS and count < 2):
            continue
        smallest = min(part.min() for part in others if part.size)
        largest = max(part.max() for part in others if part.size)
        apart = max(smallest - sentinel, sentinel - largest)
        if sentinel == GENOTYPES[0] and not 0 <= smallest <= largest <= GENOTYPES[1]:
            continue
        if sentinel == 0 and (smallest <= 0 or count < 2):
            continue
        none_below = sentinel == -1 and smallest >= 0
        spread = 0 if none_below or apart <= 0 else _spread(table, sentinel)
        if apart > GAP * spread and (sentinel or spread):
            (row, column) = places[0]
            place = f"first in row {shown(table.index[row])}, column {shown(table.columns[column])}"
            found = f"{sentinel:g} in {counted(count, 'cell')}, {place}, far from all other values"
            remarks.append((found, "if it stands for nothing measured, leave these cells empty"))
    return remarks


def dotted(table: NumericTable) -> bool:
    """Return whether dots may stand between thousands: 1.234 beside 567 in one column.

    No number is below 1 then, nor has other than three decimals, the last of which are rarely 0.

    Parameters
    ----------
    table
        Samples by features; a sparse one does not come from text.
    """
    if issparse(table.values):
        return False
    fractions, third = np.zeros(table.shape[1], dtype=int), 0
    large = np.zeros(table.shape[1], dtype=bool)
    for _, block in table.blocks():
        size = np.abs(block)
        thousandths = np.rint(size * 1000)
        off = np.abs(size * 1000 - thousandths) > ROUNDED * thousandths
        whole = (size == np.rint(size)) | np.isnan(size)
        if ((size < 1) & ~whole).any() or off.any() or (size >= LARGEST_GROUP).any():
            return False
        fractions += (~whole).sum(axis=0)
        third += int((thousandths[~whole] % 10 != 0).sum())
        large |= (whole & (size > LARGEST_LOG)).any(axis=0)
    parted = fractions > 0
    many = fractions.sum() >= FEWEST and third > THIRD * fractions.sum()
    return bool(many and (parted & large).sum() > parted.sum() / 2)


def _dots(table: NumericTable, low: float, high: float, _: Kind) -> Remarks:
    """Say where dots may stand between thousands."""
    if high >= LARGEST_GROUP or not dotted(table):
        return []
    meaning = "if dots stand between thousands, write numbers without them; else all is well"
    return [("whole numbers beside fractions of three decimals, none of them below 1", meaning)]


def _huge(table: NumericTable, low: float, high: float, _: Kind) -> Remarks:
    if max(-low, high) <= HUGE:
        return []
    (row, column) = table.search(lambda cells: np.abs(cells) > HUGE, 1)[1][0]
    place = f"row {shown(table.index[row])}, column {shown(table.columns[column])}"
    return [(f"values beyond {HUGE:.0e}, first in {place}", "see that the number is right")]


def _still(table: NumericTable, low: float, high: float, _: Kind) -> Remarks:
    """Say that no feature varies, by more than rounding leaves of a constant."""
    if table.shape[0] < FEWEST:  # as of new samples, one after the other
        return []
    least, most = np.full(table.shape[1], np.inf), np.full(table.shape[1], -np.inf)
    for _start, block in table.blocks():
        least, most = np.fmin(least, np.fmin.reduce(block)), np.fmax(most, np.fmax.reduce(block))
        size = np.maximum(np.abs(least), np.abs(most))
        if (most - least > SMALLEST_DEVIATION * size).any():
            return []
    meaning = "nothing can be learned of it: see that these are the values that were meant"
    return [("no feature that varies between samples", meaning)]


def _many(table: NumericTable) -> np.ndarray:
    """Return which samples have enough values to be compared; (samples,), bool."""
    if issparse(table.values):
        return np.ones(table.shape[0], dtype=bool)
    many = [(~np.isnan(block)).sum(axis=1) >= FEWEST for _, block in table.blocks()]
    return np.concatenate([np.zeros(0, dtype=bool), *many])


def _share_of(table: NumericTable, flat: np.ndarray) -> float:
    """Return how common the values of some samples, of one value each, are in all others."""
    rows = np.flatnonzero(flat)
    values = np.unique([table.cell(row, 0) for row in rows.tolist()])
    if issparse(table.values):
        rest = table.values[~flat]
        cells = rest.shape[0] * rest.shape[1]
        same = np.isin(rest.data, values).sum() + (0 in values) * (cells - rest.nnz)
        return float(same / cells)
    same = sum(
        int(np.isin(block[~flat[start : start + len(block)]], values).sum())
        for start, block in table.blocks()
    )
    return same / ((~flat).sum() * table.shape[1])


def _content(table: NumericTable, row: int) -> bytes:
    """Return what tells the cells of a sample from those of another."""
    values = table.values
    if not issparse(values):
        return blake2b((values[row] + 0.0).tobytes(), digest_size=16).digest()  # -0.0 is 0.0
    stored = slice(values.indptr[row], values.indptr[row + 1])
    places = blake2b(values.indices[stored].tobytes(), digest_size=16)
    places.update(values.data[stored].tobytes())
    return places.digest()


def _rows(table: NumericTable) -> Remarks:
    """Say which samples have the same values as others, or one value throughout."""
    if table.shape[1] < FEWEST:
        return []
    many, alike = _many(table), single_valued(table.values)
    flat = many & alike
    filled = _share_of(table, flat) if 0 < flat.mean() < 1 else 1
    remarks = []
    if filled < COMMON:
        names = listing(map(shown, table.index[flat][:3]))
        found = f"{counted(int(flat.sum()), 'sample')} with a single value in all features: {names}"
        remarks.append((found, "where nothing was measured, leave the row empty or out"))
    first: dict[bytes, str] = {}
    pairs = []
    for row in np.flatnonzero(many & ~alike).tolist():
        name = str(table.index[row])
        other = first.setdefault(_content(table, row), name)
        if other is not name and len(np.unique(table.row(row))) >= FEWEST:
            pairs.append(f"{shown(other)} and {shown(name)}")
    if pairs:
        copies = counted(len(pairs), "sample")
        found = f"{copies} with exactly the values of another: {listing(pairs[:3])}"
        meaning = "if they are one sample or one patient, remove one or name the group"
        remarks.append((found, meaning))
    return remarks


_OF_VALUES: tuple[Callable[[NumericTable, float, float, Kind], Remarks], ...] = (
    _scale,
    _sentinels,
    _dots,
    _huge,
    _still,
)


def implausible(table: NumericTable, kind: Kind) -> Remarks:
    """Return what a table of measurements may hold besides what its kind says.

    Parameters
    ----------
    table
        Samples by features, floating.
    kind
        The kind of omics.
    """
    ends = _ends(table)
    remarks = []
    if ends is not None:
        remarks += [remark for check in _OF_VALUES for remark in check(table, *ends, kind)]
        remarks += _rows(table)
    if table.shape[1] in MOST_COLUMNS:
        found = f"{counted(table.shape[1], 'feature')}, as many as a spreadsheet has columns"
        remarks.append((found, "see that none were cut off"))
    return remarks
