"""Match the class frequencies that predictions imply to given ones."""

from __future__ import annotations

import numpy as np

SMALLEST_PROBABILITY = 1e-12
MOST_STEPS, TOLERANCE = 1000, 1e-9


def class_weights(probabilities: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return one weight per class with which the mean prediction has the given frequencies.

    A weight multiplies the probabilities of all samples, whose rows are then divided by their sums:
    the adjustment to new priors of Saerens et al. (2002), Neural Computation 14:21-41, with weights
    that make the mean come out exactly, as iterative proportional fitting finds them (Deming and
    Stephan 1940).

    Parameters
    ----------
    probabilities
        (n, classes).
    frequencies
        Class frequencies, which sum to 1; (classes,).

    Returns
    -------
    numpy.ndarray
        Weights that sum to 1; (classes,). After `MOST_STEPS` steps they are as near as they came.
    """
    weights = np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    for _ in range(MOST_STEPS):
        mean = weighed(probabilities, weights).mean(axis=0)
        if np.abs(mean - frequencies).max() <= TOLERANCE:
            break
        weights *= np.divide(frequencies, mean, out=np.zeros_like(mean), where=mean > 0)
        weights /= weights.sum()
    return weights


def weighed(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return probabilities times the weights of their classes, rows summing to 1; (n, classes)."""
    products = np.maximum(probabilities, SMALLEST_PROBABILITY) * weights
    return products / products.sum(axis=1, keepdims=True)


def matched(probabilities: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return predictions whose mean has the given class frequencies; (n, classes).

    Two methods whose predictions are matched to the same frequencies no longer differ by what they
    know of the frequencies.

    Parameters
    ----------
    probabilities, frequencies
        As `class_weights` takes them.
    """
    return weighed(probabilities, class_weights(probabilities, frequencies))


def frequencies(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the share of every class among class codes, at least one; (classes,)."""
    counts = np.bincount(labels, minlength=classes)
    return counts / counts.sum()
