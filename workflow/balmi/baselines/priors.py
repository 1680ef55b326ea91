"""Match the class frequencies that predictions imply to given ones."""

from __future__ import annotations

import numpy as np

SMALLEST_PROBABILITY = 1e-12
MOST_STEPS, TOLERANCE = 1000, 1e-9


def matched(probabilities: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Weigh the classes so that the mean prediction has the given class frequencies.

    One weight per class multiplies the probabilities of all samples, whose rows are then divided by
    their sums: the adjustment to new priors of Saerens et al. (2002), Neural Computation 14:21-41,
    with weights that make the mean come out exactly, as iterative proportional fitting finds them
    (Deming and Stephan 1940). Two methods whose predictions are matched to the same frequencies no
    longer differ by what they know of the frequencies. No label is used.

    Parameters
    ----------
    probabilities
        (n, classes).
    frequencies
        Class frequencies, which sum to 1; (classes,).

    Returns
    -------
    numpy.ndarray
        (n, classes); rows sum to 1.
    """
    floored = np.maximum(probabilities, SMALLEST_PROBABILITY)
    weights = np.ones(floored.shape[1])
    for _ in range(MOST_STEPS):
        weighted = floored * weights
        result = weighted / weighted.sum(axis=1, keepdims=True)
        mean = result.mean(axis=0)
        if np.abs(mean - frequencies).max() <= TOLERANCE:
            break
        weights *= np.divide(frequencies, mean, out=np.zeros_like(mean), where=mean > 0)
        weights /= weights.sum()
    return result


def frequencies(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the share of every class among class codes, at least one; (classes,)."""
    counts = np.bincount(labels, minlength=classes)
    return counts / counts.sum()
