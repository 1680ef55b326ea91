"""Latent semantic indexing of accessible chromatin: TF-IDF of peaks, and its singular vectors.

As muon has it (``muon.atac.pp.tfidf``, ``muon.atac.tl.lsi``), but learned from some cells and
applied to others. The weight of peak j in cell i is

    log(1 + 10,000 x_ij / sum_j x_ij) log(1 + n / sum_i x_ij)

over the n cells learned from. A cell's scores are its weights times the right singular vectors.
The first component often tells how deeply a cell was sequenced and little else: it is dropped where
it does (ArchR, Granja et al. 2021, drops what correlates with depth above the same limit).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array, issparse
from scipy.sparse.linalg import svds

from balmi.data.measurements import row_blocks

if TYPE_CHECKING:
    from balmi.data.measurements import Matrix

logger = logging.getLogger("balmi")

COMPONENTS = 50
TARGET_SUM = 1e4
LARGEST_DEPTH_CORRELATION = 0.75


@dataclass(frozen=True)
class FittedLsi:
    """What was learned of peaks.

    Parameters
    ----------
    idf
        log(1 + n / counts of the peak); 0 for a peak that was never seen; (peaks,).
    loadings
        Right singular vectors of the components that are kept; (peaks, kept).
    components
        Their numbers, from 1; (kept,).
    depth_correlation
        Of the first component and the log of a cell's counts, in the cells learned from; NaN where
        either does not vary.
    """

    idf: np.ndarray
    loadings: np.ndarray
    components: np.ndarray
    depth_correlation: float

    def apply(self, counts: Matrix) -> np.ndarray:
        """Return the scores of cells; (cells, kept).

        Parameters
        ----------
        counts
            Cells by peaks; NaN, not measured, is 0. A cell without counts scores 0.
        """
        scores = np.empty((counts.shape[0], len(self.components)))
        for rows in row_blocks(counts):
            scores[rows] = _weights(_sparse(counts[rows]), self.idf) @ self.loadings
        return scores


def _sparse(counts: Matrix) -> csr_array:
    return csr_array(counts if issparse(counts) else np.nan_to_num(counts), dtype=np.float64)


def _weights(counts: csr_array, idf: np.ndarray) -> csr_array:
    """Return TF-IDF; (cells, peaks)."""
    totals = counts.sum(axis=1)
    scale = np.divide(TARGET_SUM, totals, out=np.zeros_like(totals), where=totals > 0)
    return csr_array(np.log1p(diags_array(scale) @ counts) @ diags_array(idf))


def fit_lsi(counts: Matrix, components: int = COMPONENTS) -> FittedLsi:
    """Learn weights of peaks and components.

    Parameters
    ----------
    counts
        Training cells by peaks, of 0 or more; NaN, not measured, is 0.
    components
        How many to compute; fewer where there are not more cells and peaks than that.
    """
    counts = _sparse(counts)
    cells, peaks = counts.shape
    seen = counts.sum(axis=0)
    idf = np.log1p(np.divide(cells, seen, out=np.zeros(peaks), where=seen > 0))
    weights = _weights(counts, idf)
    count = min(components, min(weights.shape) - 1)
    if count < 1 or not weights.nnz:
        return FittedLsi(idf, np.zeros((peaks, 0)), np.zeros(0, dtype=int), np.nan)
    start = np.ones(min(weights.shape))  # ARPACK would draw one, and another at every call
    sizes, vectors = svds(weights, k=count, v0=start, return_singular_vectors="vh")[1:]
    order = np.argsort(-sizes, kind="stable")
    loadings = vectors[order].T
    largest = np.abs(loadings).argmax(axis=0)
    loadings = loadings * np.sign(loadings[largest, np.arange(count)])
    correlation = _depth_correlation(weights @ loadings[:, 0], counts.sum(axis=1))
    first = int(abs(correlation) > LARGEST_DEPTH_CORRELATION)
    told = "dropped" if first else "kept"
    logger.info("LSI: component 1 of %d, r = %.2f with depth: %s", count, correlation, told)
    return FittedLsi(idf, loadings[:, first:], np.arange(first, count) + 1, correlation)


def _depth_correlation(scores: np.ndarray, totals: np.ndarray) -> float:
    """Return the correlation of scores and log counts among cells that have counts."""
    has = totals > 0
    scores, depths = scores[has], np.log(totals[has])
    if not has.any() or np.ptp(scores) == 0 or np.ptp(depths) == 0:
        return np.nan
    return float(np.corrcoef(scores, depths)[0, 1])
