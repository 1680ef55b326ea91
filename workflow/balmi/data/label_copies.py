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
    counts, codes = _classes(labels)
    if len(counts) < 2 or _ways(counts) < log(max(1, table.shape[1]) / LEVEL):
        return []
    told, alike = _told(table, labels)
    told.sort(axis=0)
    return _confirmed(table, alike & (told[1:] != told[:-1]).all(axis=0), codes)


def indicators(table: NumericTable, labels: np.ndarray) -> list[str]:
    """Return features of two values that together tell all classes, as a column for each does.

    One of them alone may be what makes a class, as a mutation; by chance it is there as seldom as
    `label_copies` says of a copy.

    Parameters
    ----------
    table
        Measurements of samples.
    labels
        Their classes; (samples,).
    """
    counts, codes = _classes(labels)
    if len(counts) < 3:  # of two classes such a feature is a copy
        return []
    told, alike = _told(table, labels)
    high = told == told.max(axis=0)
    two = alike & ~high.all(axis=0) & (high | (told == told.min(axis=0))).all(axis=0)
    found, patterns = [], np.unique(high[:, two], axis=1).T
    kept = []
    for pattern in patterns:
        sides = np.array([counts[pattern].sum(), counts[~pattern].sum()])
        if _ways(sides) >= log(table.shape[1] / LEVEL):
            same = two & (high == pattern[:, None]).all(axis=0)
            names = _confirmed(table, same, pattern[codes].astype(int))
            found += names
            kept += [pattern] * bool(names)
    apart = np.unique(np.array(kept).T, axis=0) if kept else kept
    return found if len(apart) == len(counts) else []


def _classes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sizes of classes, and the class of every sample by number."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return counts, codes


def _ways(sizes: np.ndarray) -> float:
    """Return the logarithm of the number of ways to deal samples to classes of these sizes."""
    return lgamma(sizes.sum() + 1) - sum(lgamma(size + 1) for size in sizes)


def _told(table: NumericTable, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Look at two samples of each class, which leave few features to be looked at in whole.

    Returns
    -------
    told
        What either has, NaN where neither has a value; (classes, features).
    alike
        Which features have no other value in the second sample of any class; (features,), bool.
    """
    first = np.unique(labels, return_index=True)[1]
    last = len(labels) - 1 - np.unique(labels[::-1], return_index=True)[1]
    ends = np.array([dense(table.values[rows]) for rows in (first, last)], dtype=np.float64)
    alike = (ends[0] == ends[1]) | np.isnan(ends).any(axis=0)
    return np.where(np.isnan(ends[0]), ends[1], ends[0]), alike.all(axis=0)


def _confirmed(table: NumericTable, likely: np.ndarray, codes: np.ndarray) -> list[str]:
    """Return those of some features that are copies of class codes in all samples."""
    places = np.flatnonzero(likely)
    blocks = np.array_split(places, 1 + places.size * len(codes) // CHECKED)
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
    """Say which features tell the class, as `label_copies` and `indicators` find them."""
    copies = label_copies(table, labels)
    each = "with one value for every class"
    if not copies:
        copies, each = indicators(table, labels), "that together tell every class"
    if not copies:
        return []
    found = f"{counted(len(copies), 'feature')} {each}:"
    meaning = (
        "a copy of the label, or what it was derived from, makes every score too good: leave it out"
        " unless that is the question"
    )
    return [(f"{found} {listing(map(shown, copies[:SHOWN]))}", meaning)]
