"""Medians, means and variances of features, of sparse measurements and of dense ones by blocks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, issparse

from balmi.data.measurements import BLOCK, row_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from balmi.data.measurements import Matrix


def column_medians(values: Matrix) -> np.ndarray:
    """Return the median of what was measured of every feature, 0 where nothing was; (features,).

    Parameters
    ----------
    values
        Samples by features, NaN where not measured.
    """
    if issparse(values):
        from sklearn.utils.sparsefuncs import csc_median_axis_0

        return csc_median_axis_0(csc_matrix(values)).astype(np.float64)
    medians = np.empty(values.shape[1])
    for columns in _column_blocks(values):
        medians[columns] = _medians(values[:, columns].astype(np.float64))
    return medians


def _medians(block: np.ndarray) -> np.ndarray:
    """Return medians of columns; `numpy.nanmedian` is slow, and most have no empty cell."""
    medians = np.median(block, axis=0)
    empty = np.isnan(medians)
    if empty.any():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
            medians[empty] = np.nan_to_num(np.nanmedian(block[:, empty], axis=0))
    return medians


def column_moments(values: Matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, variance and mean square of every feature, empty cells at the median.

    Parameters
    ----------
    values
        Samples by features, NaN where not measured; at least one sample.

    Returns
    -------
    tuple of numpy.ndarray
        (features,) each, in double precision.
    """
    if issparse(values):
        from sklearn.utils.sparsefuncs import mean_variance_axis

        means, variances = mean_variance_axis(csr_matrix(values).astype(np.float64), axis=0)
        return means, variances, variances + means**2
    means, variances, squares = np.empty((3, values.shape[1]))
    for columns in _column_blocks(values):
        block = _imputed(values[:, columns])
        means[columns], variances[columns] = block.mean(axis=0), block.var(axis=0)
        squares[columns] = np.mean(block**2, axis=0)
    return means, variances, squares


def column_scales(values: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of every feature, empty cells at the median.

    They are those of scikit-learn's `StandardScaler`, to the last digit: logistic regressions stop
    before their optimum, and where they stop depends on it.

    Parameters
    ----------
    values
        Samples by features, NaN where not measured; at least one sample.

    Returns
    -------
    tuple of numpy.ndarray
        (features,) each, in double precision; the deviation of a constant is 1.
    """
    from sklearn.preprocessing import StandardScaler

    if issparse(values):
        scaler = StandardScaler(with_mean=False).fit(csr_matrix(values).astype(np.float64))
        return scaler.mean_, scaler.scale_
    means, deviations = np.empty((2, values.shape[1]))
    for columns in _column_blocks(values):
        scaler = StandardScaler().fit(_imputed(values[:, columns]))
        means[columns], deviations[columns] = scaler.mean_, scaler.scale_
    return means, deviations


def _imputed(values: np.ndarray) -> np.ndarray:
    """Return features in double precision, empty cells at the median of their feature."""
    block = values.astype(np.float64)
    empty = np.isnan(block)
    holed = empty.any(axis=0)
    if holed.any():
        block[:, holed] = np.where(empty[:, holed], _medians(block[:, holed]), block[:, holed])
    return block


def _column_blocks(values: np.ndarray) -> Iterator[slice]:
    return row_blocks(values.T, BLOCK)
