"""A table of numbers as it is read and checked: sparse where the file is, and looked at in parts.

A zero that a sparse table does not store is a value like any other. No copy of a whole table is
made here, since one may take most of the memory that there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, issparse

from balmi.data.measurements import dense, row_blocks, single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from balmi.data.measurements import Matrix

    Places = list[tuple[int, int]]

CHECKED = 2**20  # cells that are looked at at once
NUMBERS = "biuf"  # kinds of NumPy's types that are numbers; a truth is 1 or 0


@dataclass(frozen=True)
class Names:
    """The names of a table without its cells.

    Parameters
    ----------
    index
        Sample ids.
    columns
        Names of features.
    """

    index: pd.Index
    columns: pd.Index

    @property
    def shape(self) -> tuple[int, int]:
        """Number of samples and of features."""
        return len(self.index), len(self.columns)

    def named(self, index: pd.Index, columns: pd.Index) -> Self:
        """Return the table with other names in the place of these."""
        return replace(self, index=index, columns=columns)


@dataclass(frozen=True)
class NumericTable(Names):
    """Measurements of which every cell is a number, or empty.

    Parameters
    ----------
    values
        Samples by features: an array, NaN where nothing was measured, or a CSR array.
    """

    values: Matrix

    @classmethod
    def of(cls, values: object, index: pd.Index, columns: pd.Index) -> NumericTable:
        """Return a table of the values of an array or of a sparse matrix of any form."""
        if not issparse(values):
            return cls(index, columns, np.asarray(values))
        matrix = csr_array(values)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return cls(index, columns, matrix)

    def floating(self) -> NumericTable:
        """Return the table in single precision where that holds every value, else in double.

        A sparse table with empty cells becomes dense: sparse measurements have none.
        """
        kind = np.promote_types(self.values.dtype, np.float32)
        values = self.values.astype(kind if kind.itemsize <= 8 else np.float64, copy=False)
        if issparse(values) and np.isnan(values.data).any():
            values = values.toarray()
        return replace(self, values=values)

    def to_numpy(self) -> np.ndarray:
        """Return all cells as an array; (samples, features)."""
        return dense(self.values)

    def frame(self) -> pd.DataFrame:
        """Return the table as one of pandas, dense."""
        return pd.DataFrame(self.to_numpy(), self.index, self.columns)

    def row(self, row: int) -> np.ndarray:
        """Return the cells of one sample; (features,)."""
        return dense(self.values[[row]])[0]

    def cell(self, row: int, column: int) -> float:
        """Return one cell, in double precision."""
        return float(self.values[row, column])

    @property
    def unstored(self) -> int:
        """Number of zeros that are not stored."""
        return self.shape[0] * self.shape[1] - self.values.nnz if issparse(self.values) else 0

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield rows with the number of the first, dense and in double precision."""
        for rows in row_blocks(self.values, CHECKED):
            yield rows.start, dense(self.values[rows]).astype(np.float64, copy=False)

    def stored(self) -> Iterator[np.ndarray]:
        """Yield measured values, in double precision; of zeros that are not stored a single one."""
        if not issparse(self.values):
            for _, block in self.blocks():
                yield block[~np.isnan(block)]
            return
        for start in range(0, self.values.nnz, CHECKED):
            yield self.values.data[start : start + CHECKED].astype(np.float64)
        if self.unstored:
            yield np.zeros(1)

    def search(self, wanted: Callable[[np.ndarray], np.ndarray], first: int) -> tuple[int, Places]:
        """Return how many cells are wanted, and where the first of them are, row by row.

        Parameters
        ----------
        wanted
            Takes cells in double precision, NaN where nothing was measured, and returns which of
            them are wanted.
        first
            How many places are returned at most.
        """
        count = 0
        places: list[tuple[int, int]] = []
        for found in self._places(wanted):
            count += len(found)
            if len(places) < first:
                places += [(int(row), int(column)) for row, column in found[:first]]
        return count, places[:first]

    def _places(self, wanted: Callable[[np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
        """Yield places that are wanted, in parts; (cells, 2)."""
        if not issparse(self.values) or (self.unstored and wanted(np.zeros(1))[0]):
            for start, block in self.blocks():
                yield np.add(np.argwhere(wanted(block)), (start, 0))
            return
        for start in range(0, self.values.nnz, CHECKED):
            part = self.values.data[start : start + CHECKED].astype(np.float64)
            found = start + np.flatnonzero(wanted(part))
            rows = np.searchsorted(self.values.indptr, found, side="right") - 1
            yield np.column_stack([rows, self.values.indices[found]])

    def measured(self) -> np.ndarray:
        """Return which samples have any measurement; (samples,), bool."""
        if issparse(self.values):
            return np.ones(self.shape[0], dtype=bool)
        found = [~np.isnan(block).all(axis=1) for _, block in self.blocks()]
        return np.concatenate(found) if found else np.zeros(0, dtype=bool)

    def kept(self, rows: np.ndarray) -> NumericTable:
        """Return some samples, in single precision where that blurs no feature.

        Parameters
        ----------
        rows
            Numbers of rows, in the order wanted.
        """
        return NumericTable(self.index[rows], self.columns, single(self.values, rows))
