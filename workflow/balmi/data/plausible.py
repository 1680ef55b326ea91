"""Measurements that are allowed, but look like something else than their kind says.

Nothing here refuses a table: what a kind must not hold is in `balmi.config.kinds`. Each check
returns remarks, pairs of what was found and what that may mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.config.kinds import Kind
from balmi.errors import listing, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Remarks = list[tuple[str, str]]

# The logarithm to base 2 of four billion reads is 32; no log scale in use goes beyond.
LARGEST_LOG = 50
LARGEST_LINEAR = 1000  # protein intensities and the like, that are logged before anything else
LARGEST_M = 20  # log2(beta / (1 - beta)) of a beta of one in a million
# What programs write for a missing number, by how it is written.
SENTINELS = (-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999)
GAP = 3  # a sentinel stands apart by that many interquartile ranges
FEWEST = 5  # features below which rows are alike by chance
COMMON = 0.05  # a value that is this common elsewhere may fill a row by chance, as no mutation does
MOST_COLUMNS = {255, 256, 16383, 16384}  # of a spreadsheet, with and without the ids
LOGGED = {Kind.RNA_LOG, Kind.MIRNA}
HUGE = 1e15


def _scale(values: np.ndarray, kind: Kind) -> Remarks:
    """Say where a table looks like one of another kind."""
    low, high = float(values.min()), float(values.max())
    whole = low >= 0 and high > 1 and bool((values == np.rint(values)).all())
    if kind in LOGGED and whole:
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


def _sentinels(table: pd.DataFrame, values: np.ndarray, kind: Kind) -> Remarks:
    """Say where numbers that stand for nothing lie apart from all others."""
    cells = table.to_numpy()
    remarks = []
    ends = {float(values.min()), float(values.max())}  # none other can lie apart
    for sentinel in ends.intersection(SENTINELS):
        rest = values[values != sentinel]
        count = values.size - rest.size
        if rest.size < FEWEST or (kind is Kind.RNA_COUNTS and count < 2):
            continue
        apart = max(rest.min() - sentinel, sentinel - rest.max())
        low, high = np.quantile(rest, [0.25, 0.75])
        alone = apart > 0 and (apart > GAP * (high - low) or (sentinel == -1 and rest.min() >= 0))
        if alone:
            row, column = np.argwhere(cells == sentinel)[0]
            place = f"first in row {shown(table.index[row])}, column {shown(table.columns[column])}"
            found = f"{sentinel:g} in {count} cells, {place}, far from all other values"
            remarks.append((found, "if it stands for nothing measured, leave these cells empty"))
    return remarks


def _huge(table: pd.DataFrame, values: np.ndarray, kind: Kind) -> Remarks:
    if np.abs(values).max() <= HUGE:
        return []
    row, column = np.argwhere(np.abs(table.to_numpy()) > HUGE)[0]
    place = f"row {shown(table.index[row])}, column {shown(table.columns[column])}"
    return [(f"values beyond {HUGE:.0e}, first in {place}", "see that the number is right")]


def _rows(table: pd.DataFrame) -> Remarks:
    """Say which samples have the same values as others, or one value throughout."""
    if table.shape[1] < FEWEST:
        return []
    cells = table.to_numpy() + 0.0  # -0.0 is 0.0
    spread = np.nanmax(cells, axis=1, initial=-np.inf) - np.nanmin(cells, axis=1, initial=np.inf)
    many = (~np.isnan(cells)).sum(axis=1) >= FEWEST
    flat = many & (spread == 0)
    filled = np.isin(cells[~flat], np.unique(cells[flat, :1])).mean() if 0 < flat.mean() < 1 else 1
    remarks = []
    if filled < COMMON:
        names = listing(map(shown, table.index[flat][:3]))
        found = f"{int(flat.sum())} samples with a single value in all features: {names}"
        remarks.append((found, "where nothing was measured, leave the row empty or out"))
    first: dict[bytes, str] = {}
    pairs = []
    for row in np.flatnonzero(many & (spread > 0)):
        name = str(table.index[row])
        other = first.setdefault(cells[row].tobytes(), name)
        if other is not name and len(np.unique(cells[row])) >= FEWEST:
            pairs.append(f"{shown(other)} and {shown(name)}")
    if pairs:
        found = f"{len(pairs)} samples with exactly the values of another: {listing(pairs[:3])}"
        meaning = "if they are one sample or one patient, remove one or name the group"
        remarks.append((found, meaning))
    return remarks


_OF_VALUES: tuple[Callable[[pd.DataFrame, np.ndarray, Kind], Remarks], ...] = (
    lambda table, values, kind: _scale(values, kind),
    _sentinels,
    _huge,
)


def implausible(table: pd.DataFrame, kind: Kind) -> Remarks:
    """Return what a table of measurements may hold besides what its kind says.

    Parameters
    ----------
    table
        Samples by features, float64, NaN where nothing was measured.
    kind
        The kind of omics.
    """
    cells = table.to_numpy()
    values = cells[~np.isnan(cells)]
    remarks = []
    if values.size:
        remarks += [remark for check in _OF_VALUES for remark in check(table, values, kind)]
        remarks += _rows(table)
    if table.shape[1] in MOST_COLUMNS:
        found = f"{table.shape[1]:,} features, as many as a spreadsheet has columns"
        remarks.append((found, "see that none were cut off"))
    return remarks
