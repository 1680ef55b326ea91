"""What one modality holds in memory: rows of the samples that have it, sparse or dense.

That is how MuData has it. A sample that lacks the modality has no row, so that nothing is kept of
it; which samples have rows is the availability mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array, issparse

if TYPE_CHECKING:
    from collections.abc import Iterator

# An array or a CSR array: SciPy's have no types that a checker could look at.
Matrix: TypeAlias = Any

BLOCK = 2**24  # cells that are made dense, or copied, at once
# Of a feature's size, below which it does not vary: far above what rounding leaves, 1e-16.
SMALLEST_DEVIATION = 1e-10
LARGEST_BLUR = 1e-4  # of a feature's range, that rounding to single precision may cost


def dense(matrix: Matrix) -> np.ndarray:
    """Return a matrix as an array; (rows, columns)."""
    return csr_array(matrix).toarray() if issparse(matrix) else matrix


def row_blocks(matrix: Matrix, cells: int = BLOCK) -> Iterator[slice]:
    """Yield slices of rows that have about as many cells as given, at least one row each."""
    rows, columns = matrix.shape
    size = max(1, cells // max(1, columns))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def single_valued(matrix: Matrix) -> np.ndarray:
    """Return which rows have one value in all columns, empty cells aside; (rows,), bool."""
    if issparse(matrix):
        return matrix.max(axis=1).toarray() == matrix.min(axis=1).toarray()
    return np.fmin.reduce(matrix, axis=1) == np.fmax.reduce(matrix, axis=1)


def single(matrix: Matrix, rows: np.ndarray | None = None) -> Matrix:
    """Return a matrix in single precision, unless that would blur a feature that varies little.

    Parameters
    ----------
    matrix
        Samples by features, NaN where not measured; a feature of mean 1e6 and deviation 1 is known
        to a sixteenth in single precision, and one of deviation .01 not at all.
    rows
        The rows that are wanted, in this order; all where None. No copy of them is made in double
        precision on the way.
    """
    if rows is None or np.array_equal(rows, np.arange(matrix.shape[0])):
        if matrix.dtype == np.float32:
            return matrix
        rows = np.arange(matrix.shape[0])
    # The range of a sparse feature holds 0, so that relative errors are errors of the range.
    if issparse(matrix) or matrix.dtype == np.float32:
        return matrix[rows].astype(np.float32, copy=False)
    result = np.empty((len(rows), matrix.shape[1]), dtype=np.float32)
    largest = np.full(matrix.shape[1], -np.inf)
    smallest, error = -largest, np.zeros(matrix.shape[1])
    for block in row_blocks(result, BLOCK // 4):
        part = matrix[rows[block]]
        result[block] = part
        off = np.abs(result[block] - part)
        error = np.fmax(error, np.nanmax(off, axis=0, initial=0))
        largest = np.fmax(largest, np.nanmax(part, axis=0, initial=-np.inf))
        smallest = np.fmin(smallest, np.nanmin(part, axis=0, initial=np.inf))
    varies = largest > smallest
    blurred = error[varies] > LARGEST_BLUR * (largest - smallest)[varies]
    return matrix[rows] if blurred.any() else result


@dataclass(frozen=True)
class Measurements:
    """Measurements of one modality.

    Parameters
    ----------
    rows
        Rows of the cohort that have the modality, ascending; (m,).
    values
        Their measurements; (m, features), an array, NaN where a cell was not measured, or a CSR
        array, in which every cell was.
    """

    rows: np.ndarray
    values: Matrix

    def __post_init__(self) -> None:
        if len(self.rows) != self.values.shape[0]:
            raise ValueError(f"{len(self.rows)} rows for {self.values.shape[0]} samples")

    @classmethod
    def of_table(cls, table: np.ndarray) -> Measurements:
        """Return the measurements of a table of all samples.

        Parameters
        ----------
        table
            All samples by features; rows that are NaN throughout lack the modality.
        """
        rows = np.flatnonzero(~np.isnan(table).all(axis=1))
        return cls(rows, table[rows])

    @property
    def features(self) -> int:
        """Number of features."""
        return int(self.values.shape[1])

    def has(self, samples: int) -> np.ndarray:
        """Return which of all samples have the modality; (samples,), bool."""
        result = np.zeros(samples, dtype=bool)
        result[self.rows] = True
        return result

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Return where samples stand in `values`.

        Parameters
        ----------
        rows
            Rows of the cohort.

        Returns
        -------
        numpy.ndarray
            Row of `values` of each, -1 where it lacks the modality; same shape.
        """
        if not len(self.rows):
            return np.full(np.shape(rows), -1)
        found = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[found] == rows, found, -1)

    def of(self, rows: np.ndarray) -> Matrix:
        """Return the measurements of those of some samples that have the modality, in their order.

        Parameters
        ----------
        rows
            Rows of the cohort.
        """
        places = self.places(rows)
        return self.values[places[places >= 0]]

    def reordered(self, rows: np.ndarray) -> Measurements:
        """Return the measurements of a cohort that has these rows, in this order, and no other.

        Parameters
        ----------
        rows
            Rows of the present cohort, each once at most.
        """
        places = self.places(rows)
        return Measurements(np.flatnonzero(places >= 0), self.values[places[places >= 0]])

    def columns(self, columns: np.ndarray) -> Measurements:
        """Return the measurements of some features, by number or mask, in their order."""
        return Measurements(self.rows, self.values[:, columns])

    def table(self, samples: int) -> np.ndarray:
        """Return a table of all samples, NaN where the modality is absent.

        Parameters
        ----------
        samples
            Number of samples in the cohort.

        Returns
        -------
        numpy.ndarray
            (samples, features), dense.
        """
        result = np.full((samples, self.features), np.nan, dtype=self.values.dtype)
        result[self.rows] = dense(self.values)
        return result
