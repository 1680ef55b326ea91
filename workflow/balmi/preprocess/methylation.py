"""Methylation: beta values to M-values."""

from __future__ import annotations

import numpy as np

SMALLEST_BETA = 1e-3


def beta_to_m(beta: np.ndarray) -> np.ndarray:
    """Return M-values, log2(beta / (1 - beta)) (Du et al. 2010).

    Parameters
    ----------
    beta
        Samples by sites, in [0, 1]; clipped to [0.001, 0.999], where M-values would be infinite.
    """
    clipped = np.clip(beta, SMALLEST_BETA, 1 - SMALLEST_BETA)
    return np.log2(clipped / (1 - clipped))
