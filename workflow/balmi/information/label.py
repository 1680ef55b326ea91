"""Information between one modality and the label: I(X; Y) >= H(Y) - held-out log-loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.information.crossfit import mixed_discriminant
from balmi.information.estimates import Estimate, Null

if TYPE_CHECKING:
    from balmi.information.crossfit import Block

NORMAL_95 = 1.959964


def entropy(labels: np.ndarray) -> float:
    """Return the plug-in entropy H(Y) of class codes, in nats."""
    shares = np.bincount(labels) / len(labels)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def pointwise_information(posteriors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return log p(y|x) - log p(y) of every sample.

    Parameters
    ----------
    posteriors
        Held-out posteriors; (n, classes).
    labels
        Class codes; (n,).

    Returns
    -------
    numpy.ndarray
        Nats; (n,). The mean is H(Y) minus the log-loss.
    """
    shares = np.bincount(labels, minlength=posteriors.shape[1]) / len(labels)
    return np.log(posteriors[np.arange(len(labels)), labels]) - np.log(shares[labels])


def label_estimate(
    posteriors: np.ndarray, labels: np.ndarray, null: Null | None, components: int | None = None
) -> Estimate:
    """Return the label information that held-out posteriors show.

    The interval covers the held-out lower bound of the information, not the information itself.

    Parameters
    ----------
    posteriors
        Held-out posteriors; (n, classes).
    labels
        Class codes; (n,).
    null
        The permutation null to keep beside it.
    components
        Principal components behind the posteriors.
    """
    pointwise = pointwise_information(posteriors, labels)
    half = NORMAL_95 * float(pointwise.std(ddof=1)) / np.sqrt(len(labels))
    value = float(pointwise.mean())
    return Estimate(value, value - half, value + half, null, len(labels), components)


def permuted_labels(
    labels: np.ndarray, groups: np.ndarray | None, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Permute labels as the data allow: over groups where all labels of a group agree.

    Samples of one patient share features as well as the label, so permuting them one by one would
    make the null too narrow.

    Parameters
    ----------
    labels
        Class codes; (n,).
    groups
        Group of each sample, or None.
    count
        Number of permutations.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Permuted codes; (count, n).
    """
    if groups is None:
        return np.array([rng.permutation(labels) for _ in range(count)])
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    of_group = labels[first]
    if not np.array_equal(of_group[member], labels):
        return np.array([rng.permutation(labels) for _ in range(count)])
    return np.array([rng.permutation(of_group)[member] for _ in range(count)])


def label_null(
    blocks: list[Block],
    labels: np.ndarray,
    groups: np.ndarray | None,
    classes: int,
    permutations: int,
    rng: np.random.Generator,
) -> Null:
    """Return the held-out information of the discriminant member, refitted on permuted labels.

    The folds do not depend on labels, so that observed and permuted statistics are exchangeable.

    Parameters
    ----------
    blocks
        The folds of the cross-fitting.
    labels
        Class codes; (n,).
    groups
        Groups of the samples, or None.
    classes
        Number of classes.
    permutations
        Number of permutations.
    rng
        Source of randomness.
    """
    labellings = np.vstack([labels, permuted_labels(labels, groups, permutations, rng)])
    total = np.zeros(len(labellings))
    for block in blocks:
        true = labellings[:, block.test, None]
        posterior = mixed_discriminant(block, labellings, classes)
        total += np.log(np.take_along_axis(posterior, true, axis=2)).sum(axis=(1, 2))
    values = total / len(labels) + np.array([entropy(row) for row in labellings])
    return Null(float(values[0]), values[1:])
