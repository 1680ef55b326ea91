"""Whether a new sample is one of those that were trained on: such a one validates nothing.

Ids are not written. Of every training sample and modality a checksum of its measurements is, from
which they cannot be had back; a new sample with the same is the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.measurements import dense, row_blocks

if TYPE_CHECKING:
    from balmi.data.measurements import Matrix

TRAINED = "a training sample of the model"  # the flag of one that was trained on
FEWEST_VALUES = 8  # different ones in a row, or two samples may agree by chance


def fingerprints(values: Matrix) -> np.ndarray:
    """Return a checksum of every row, 0 where it has too few different values; (n,), uint64.

    Parameters
    ----------
    values
        Kept features as in the file, NaN where empty, dense or sparse; (n, kept).
    """
    marks: list[int] = []
    for rows in row_blocks(values):
        block = np.ascontiguousarray(dense(values[rows]), dtype=np.float32)
        marks += map(_checksum, block + np.float32(0))  # no negative zeros
    return np.array(marks, dtype=np.uint64)


def _checksum(row: np.ndarray) -> int:
    if len(np.unique(row[~np.isnan(row)])) < FEWEST_VALUES:
        return 0
    digest = hashlib.blake2b(np.nan_to_num(row, nan=np.inf).tobytes(), digest_size=8).digest()
    return max(1, int.from_bytes(digest, "little"))


def known(trained: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return which of the new checksums a single training sample has; (n,), bool."""
    marks, counts = np.unique(trained[trained > 0], return_counts=True)
    return np.isin(new, marks[counts == 1])
