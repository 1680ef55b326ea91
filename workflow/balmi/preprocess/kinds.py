"""The first transform of each kind of omics: one sample at a time, so that nothing is learned."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET_SUM = 1e4
SMALLEST_BETA = 1e-3


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


# Kinds that are missing here are on a scale already on which differences add up.
TRANSFORMS: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
    Kind.RNA_COUNTS: log_normalise,
    Kind.METHYLATION_BETA: beta_to_m,
    Kind.ADT: centred_log_ratio,
}


def transform(kind: Kind, values: np.ndarray) -> np.ndarray:
    """Bring values to a scale on which differences add up.

    Parameters
    ----------
    kind
        The kind of omics.
    values
        Samples by features; NaN where not measured.
    """
    return TRANSFORMS[kind](values) if kind in TRANSFORMS else values
