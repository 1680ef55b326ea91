"""The first transform of each kind of omics: one sample at a time, so that nothing is learned."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, csr_matrix, issparse

from balmi.config.kinds import Kind
from balmi.data.measurements import dense, row_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.data.measurements import Matrix

TARGET_SUM = 1e4
SMALLEST_BETA = 1e-3


def log_normalise(counts: Matrix) -> Matrix:
    """Scale every sample to 10,000 counts and take log(1 + x), as scanpy does.

    Parameters
    ----------
    counts
        Samples by features; NaN where not measured.

    Returns
    -------
    numpy.ndarray or scipy.sparse.csr_array
        The same shape, sparse where `counts` is. A sample without counts stays at 0.
    """
    from anndata import AnnData
    from scanpy.pp import log1p, normalize_total

    data = AnnData(csr_matrix(counts, copy=True) if issparse(counts) else np.nan_to_num(counts))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*zero counts", UserWarning)
        normalize_total(data, target_sum=TARGET_SUM)
    log1p(data)
    return csr_array(data.X) if issparse(counts) else np.where(np.isnan(counts), np.nan, data.X)


def beta_to_m(beta: np.ndarray) -> np.ndarray:
    """Return M-values, log2(beta / (1 - beta)) (Du et al. 2010).

    Parameters
    ----------
    beta
        Samples by sites, in [0, 1]; clipped to [0.001, 0.999], where M-values would be infinite.
    """
    clipped = np.clip(beta, SMALLEST_BETA, 1 - SMALLEST_BETA)
    return np.log2(clipped / (1 - clipped))


def centred_log_ratio(counts: np.ndarray) -> np.ndarray:
    """Return log(1 + x) less its mean over the antibodies of the same cell.

    It is the centred log-ratio within a cell, of counts to which 1 was added (Stoeckius et al.
    2017): ``muon.prot.pp.clr(data, axis=1, flavor="stoeckius")``.

    Parameters
    ----------
    counts
        Cells by antibodies; NaN where not measured, which the mean leaves out.
    """
    logs = np.log1p(counts)
    measured = ~np.isnan(logs)
    means = np.nansum(logs, axis=1) / np.maximum(measured.sum(axis=1), 1)
    return logs - means[:, None]


@dataclass(frozen=True)
class Transform:
    """The transform of a kind.

    Parameters
    ----------
    function
        Takes and returns samples by features; floating-point numbers keep their precision.
    keeps_zero
        Whether 0 stays 0, so that `function` takes and returns sparse measurements too.
    """

    function: Callable[[Matrix], Matrix]
    keeps_zero: bool = False

    def __call__(self, values: Matrix) -> Matrix:
        """Return transformed values, with no more than a block of rows in the making."""
        if issparse(values) and self.keeps_zero:
            return self.function(values)
        result = np.empty(values.shape, np.result_type(values.dtype, np.float32))
        for rows in row_blocks(values):
            result[rows] = self.function(dense(values[rows]))
        return result


# Kinds that are missing here are on a scale already on which differences add up.
TRANSFORMS: dict[Kind, Transform] = {
    Kind.RNA_COUNTS: Transform(log_normalise, keeps_zero=True),
    Kind.METHYLATION_BETA: Transform(beta_to_m),
    Kind.ADT: Transform(centred_log_ratio),
}


def transform(kind: Kind, values: Matrix) -> Matrix:
    """Bring values to a scale on which differences add up.

    Parameters
    ----------
    kind
        The kind of omics.
    values
        Samples by features; NaN where not measured.
    """
    return TRANSFORMS[kind](values) if kind in TRANSFORMS else values
