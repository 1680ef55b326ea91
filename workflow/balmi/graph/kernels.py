"""What a network sees of one modality, and the similarity that is computed from distances in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KERNEL_WIDTH = 0.5
SMALLEST = 1e-12


@dataclass(frozen=True)
class Modality:
    """One modality of all samples.

    Parameters
    ----------
    values
        Preprocessed features; (n, features). Rows of samples that lack the modality are not read.
    has
        Which samples have it; (n,), bool.
    """

    values: np.ndarray
    has: np.ndarray


def scaled_kernel(
    distances: np.ndarray, row_scale: np.ndarray, column_scale: np.ndarray
) -> np.ndarray:
    """Return exp(-d^2 / (mu eps^2)) with eps the mean of both scales and the distance.

    The paper prints eps without the square, which gives a number with a unit: with a thousand
    standardised features no similarity is above 1e-12, and modalities cannot be averaged. With the
    square and mu = .5 this is the kernel of the authors' own SNFtool up to its factor.

    Parameters
    ----------
    distances
        Of pairs of samples, in any shape.
    row_scale, column_scale
        Mean distance of either sample of a pair to its nearest neighbours; broadcast to the shape
        of the distances.
    """
    width = (row_scale + column_scale + distances) / 3
    return np.exp(-(distances**2) / np.maximum(KERNEL_WIDTH * width**2, SMALLEST))
