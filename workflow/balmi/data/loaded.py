"""A table as it was read, with what there is to say of its file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from balmi.data.numeric import NumericTable


@dataclass(frozen=True)
class Loaded:
    """A table as it was read.

    Parameters
    ----------
    table
        One row per sample, indexed by the sample id as text; numeric where all cells are plainly
        numbers.
    id_name
        The name of the column of ids; empty where it has none.
    unended
        Whether a text file ends without the end of a line.
    layers
        Names by which other values can be asked for in place of these.
    remarks
        What a reader of the table should know, each a pair: what was found, what to do.
    """

    table: pd.DataFrame | NumericTable
    id_name: str = ""
    unended: bool = False
    layers: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()

    def named(self, index: pd.Index, columns: pd.Index) -> Loaded:
        """Return the table with other names in the place of these."""
        if not isinstance(self.table, pd.DataFrame):
            return replace(self, table=self.table.named(index, columns))
        return replace(self, table=self.table.set_axis(index, axis=0).set_axis(columns, axis=1))
