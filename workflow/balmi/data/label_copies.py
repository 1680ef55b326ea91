"""Features that hold the label itself, or what it was derived from, under whatever name."""

from __future__ import annotations

from math import lgamma, log
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.measurements import dense
from balmi.data.numeric import CHECKED
from balmi.errors import listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from balmi.data.numeric import NumericTable

SHOWN = 3
MEASURED = 0.9  # share of the samples in which a copy is measured
LEVEL = 1e-3  # chance of such a feature among all of a table, above which it may be one of many


def label_copies(table: NumericTable, labels: np.ndarray) -> list[str]:
    """Return the features that have one value in each class, a different one in every class.

    A table of few samples and many features has such a feature by chance; none is looked for where
    permuted labels would have one in a thousand times. Of n samples in classes of n_1, n_2, ...
    there are n! / (n_1! n_2! ...) arrangements of labels, and a feature is a copy of one of them.

    Parameters
    ----------
    table
        Measurements of samples.
    labels
        Their classes; (samples,).
    """
    _, first, codes, counts = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    arrangements = lgamma(len(labels) + 1) - sum(lgamma(count + 1) for count in counts)
    if len(counts) < 2 or arrangements < log(max(1, table.shape[1]) / LEVEL):
        return []
    last = len(labels) - 1 - np.unique(labels[::-1], return_index=True)[1]
    ends = np.array([dense(table.values[rows]) for rows in (first, last)], dtype=np.float64)
    # Two samples of each class leave few features that are alike within classes and differ between.
    alike = (ends[0] == ends[1]) | np.isnan(ends).any(axis=0)
    told = np.sort(np.where(np.isnan(ends[0]), ends[1], ends[0]), axis=0)
    places = np.flatnonzero(alike.all(axis=0) & (told[1:] != told[:-1]).all(axis=0))
    blocks = np.array_split(places, 1 + places.size * len(labels) // CHECKED)
    return [
        str(table.columns[place])
        for block in blocks
        for place in block[_copies(dense(table.values[:, block]), codes)]
    ]


def _copies(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return which columns are copies of class codes; (columns,), bool."""
    known = ~np.isnan(values)
    by_class = [codes == code for code in range(codes.max() + 1)]
    least, most = (
        np.array([pick(np.where(known[own], values[own], end), axis=0) for own in by_class])
        for pick, end in ((np.min, np.inf), (np.max, -np.inf))
    )
    ordered = np.sort(least, axis=0)
    apart = (ordered[1:] > ordered[:-1]).all(axis=0)
    return (least == most).all(axis=0) & apart & (known.mean(axis=0) >= MEASURED)


def label_remarks(table: NumericTable, labels: np.ndarray) -> list[tuple[str, str]]:
    """Say which features tell the class, as `label_copies` finds them."""
    copies = label_copies(table, labels)
    if not copies:
        return []
    found = f"{counted(len(copies), 'feature')} with one value for every class:"
    meaning = (
        "a copy of the label, or what it was derived from, makes every score too good: leave it out"
        " unless that is the question"
    )
    return [(f"{found} {listing(map(shown, copies[:SHOWN]))}", meaning)]
