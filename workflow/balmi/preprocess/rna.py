"""RNA counts: library size and logarithm."""

from __future__ import annotations

import warnings

import numpy as np

TARGET_SUM = 1e4


def log_normalise(counts: np.ndarray) -> np.ndarray:
    """Scale every sample to 10,000 counts and take log(1 + x), as scanpy does.

    Parameters
    ----------
    counts
        Samples by features; NaN where not measured.

    Returns
    -------
    numpy.ndarray
        The same shape. A sample without counts stays at 0.
    """
    from anndata import AnnData
    from scanpy.pp import log1p, normalize_total

    data = AnnData(np.nan_to_num(counts))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*zero counts", UserWarning)
        normalize_total(data, target_sum=TARGET_SUM)
    log1p(data)
    return np.where(np.isnan(counts), np.nan, data.X)
