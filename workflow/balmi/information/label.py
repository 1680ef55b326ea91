"""Information between one modality and the label: I(X; Y) >= H(Y) - held-out log-loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.information.crossfit import cheap_posteriors
from balmi.information.estimates import Estimate, Null, permuted_rows

if TYPE_CHECKING:
    from balmi.information.crossfit import Block

NORMAL_95 = 1.959964
PRIOR_SHARES = (0.02, 0.1, 0.3, 0.6, 1.0)


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


def mean_interval(values: np.ndarray, groups: np.ndarray | None) -> tuple[float, float, float]:
    """Return the mean over samples and the limits of its 95 % interval.

    Parameters
    ----------
    values
        One value per sample; (n,).
    groups
        Group of each sample, or None. Samples of one group are not independent, so that their
        deviations are added before they are squared. One group alone tells nothing about the
        spread: the limits are then infinite.
    """
    mean = float(values.mean())
    deviations = values - mean
    if groups is not None:
        _, member = np.unique(groups, return_inverse=True)
        deviations = np.bincount(member, deviations)
    count = len(deviations)
    if count < 2:
        return mean, -np.inf, np.inf
    spread = np.sqrt((deviations**2).sum() * count / (count - 1)) / len(values)
    return mean, mean - NORMAL_95 * float(spread), mean + NORMAL_95 * float(spread)


def label_estimate(
    posteriors: np.ndarray,
    labels: np.ndarray,
    null: Null | None,
    components: int | None = None,
    groups: np.ndarray | None = None,
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
    groups
        Group of each sample, or None.
    """
    interval = mean_interval(pointwise_information(posteriors, labels), groups)
    return Estimate(*interval, null, len(labels), components)


def permuted_labels(
    labels: np.ndarray, groups: np.ndarray | None, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Permute labels as the data allow: over groups where all labels of a group agree.

    Samples of one patient share features as well as the label, so permuting them one by one would
    make the null too narrow. Where the labels of a group differ, groups of one size swap theirs.

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
        return np.array([labels[permuted_rows(len(labels), groups, rng)] for _ in range(count)])
    return np.array([rng.permutation(of_group)[member] for _ in range(count)])


def label_null(
    blocks: list[Block],
    labels: np.ndarray,
    groups: np.ndarray | None,
    classes: int,
    permutations: int,
    rng: np.random.Generator,
) -> Null:
    """Return the held-out information of the better cheap member, refitted on permuted labels.

    The folds do not depend on labels, and every labelling takes the member and the share of the
    prior that suit it best, so that observed and permuted statistics are exchangeable and on one
    scale. The kernel member sees interactions that a linear one reads as nothing.

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
    likelihoods = np.empty((3, *labellings.shape))
    for block in blocks:
        true = labellings[:, block.test, None]
        for member, posteriors in enumerate(cheap_posteriors(block, labellings, classes)):
            chosen = np.take_along_axis(posteriors, true, axis=2)[..., 0]
            likelihoods[member][:, block.test] = chosen
    prior, *members = likelihoods
    best = np.max(
        [
            np.log((1 - share) * member + share * prior).mean(axis=1)
            for member in members
            for share in PRIOR_SHARES
        ],
        axis=0,
    )
    values = best + np.array([entropy(row) for row in labellings])
    return Null(float(values[0]), values[1:])
