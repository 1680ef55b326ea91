"""The file of fused networks: one edge a row, over all replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from balmi.data.files import read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split


def write_networks(
    networks: Sequence[csr_array], splits: Sequence[Split], cohort: Roster, path: Path
) -> None:
    """Write columns repeat, fold, sample, neighbour, weight."""
    tables = []
    for network, split in zip(networks, splits, strict=True):
        edges = network.tocoo()
        rows, columns = edges.coords
        ends = {
            "sample": pd.Categorical.from_codes(rows, cohort.samples),
            "neighbour": pd.Categorical.from_codes(columns, cohort.samples),
        }
        tables.append(
            pd.DataFrame({"repeat": split.repeat, "fold": split.fold, **ends, "weight": edges.data})
        )
    write_table(pd.concat(tables, ignore_index=True), path)


def read_networks(path: Path, splits: Sequence[Split], cohort: Roster) -> list[csr_array]:
    """Read what `write_networks` wrote, in the order of `splits`; (n, n) each."""
    table = read_table(path)
    by_replica = dict(iter(table.groupby(["repeat", "fold"])))
    n = len(cohort.samples)
    networks = []
    for split in splits:
        edges = by_replica.get((split.repeat, split.fold), table[:0])
        ends = [cohort.positions(edges[end].astype(str)) for end in ("sample", "neighbour")]
        weights = edges["weight"].to_numpy(dtype=np.float64)
        networks.append(csr_array((weights, tuple(ends)), shape=(n, n)))
    return networks
