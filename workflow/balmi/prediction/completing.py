"""Transforms that look at a whole sample, where its file lacks some of what they looked at before.

Counts are divided by the sum of a sample, and antibodies are compared with their mean: without some
features these are others. What is missing is put where training samples have it on average, so that
the others come out as they would have, and features that are not missing stay what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.config.kinds import Kind
from balmi.data.measurements import dense, row_blocks
from balmi.preprocess.kinds import centred_log_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.data.measurements import Matrix


def mean_shares(counts: Matrix) -> np.ndarray:
    """Return the mean share of every feature in a sample's counts; (features,)."""
    total = np.zeros(counts.shape[1])
    for rows in row_blocks(counts):
        block = np.nan_to_num(dense(counts[rows]).astype(np.float64))
        sums = block.sum(axis=1, keepdims=True)
        total += np.divide(block, sums, out=np.zeros_like(block), where=sums > 0).sum(axis=0)
    return total / max(1, counts.shape[0])


def mean_ratios(counts: Matrix) -> np.ndarray:
    """Return the mean centred log-ratio of every feature; (features,)."""
    return np.nan_to_num(np.nanmean(centred_log_ratio(dense(counts).astype(np.float64)), axis=0))


def _by_shares(counts: np.ndarray, missing: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Fill in counts so that the sample's sum is what it would be with them on average."""
    result, known = counts.copy(), max(1 - shares[missing].sum(), 1e-9)
    sums = np.nansum(counts[:, ~missing], axis=1, keepdims=True)
    result[:, missing] = sums / known * shares[missing]
    return result


def _by_ratios(counts: np.ndarray, missing: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Fill in counts so that the sample's mean logarithm is what it would be on average."""
    result, logs = counts.copy(), np.log1p(counts[:, ~missing])
    level = np.nanmean(logs - ratios[~missing], axis=1, keepdims=True)
    result[:, missing] = np.expm1(np.maximum(level + ratios[missing], 0))
    return result


# Kinds whose transform looks at all features of a sample: what is learned of them for this, and how
# a sample that lacks some is filled in.
LEVELS: dict[Kind, Callable[[Matrix], np.ndarray]] = {
    Kind.RNA_COUNTS: mean_shares,
    Kind.ADT: mean_ratios,
}
_FILLING: dict[Kind, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    Kind.RNA_COUNTS: _by_shares,
    Kind.ADT: _by_ratios,
}


def completed(
    kind: Kind, values: np.ndarray, missing: np.ndarray, levels: np.ndarray | None
) -> np.ndarray:
    """Return values in which a transform finds what it needs of features that are missing.

    Parameters
    ----------
    kind
        The kind of omics.
    values
        Samples by the model's features, NaN where one is missing or a cell is empty.
    missing
        The features that are missing; (features,), bool.
    levels
        What `LEVELS` gave of the training samples, None for other kinds.
    """
    if levels is None or not missing.any() or missing.all():
        return values
    return _FILLING[kind](values, missing, levels)
