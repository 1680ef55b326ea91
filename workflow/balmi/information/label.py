"""Information between modalities and the label: what held-out posteriors gain over the prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.information.estimates import NULL_LEVEL, Estimate, Null, exchangeable, permuted_rows
from balmi.information.members import cheap_posteriors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.information.crossfit import Block

NORMAL_95 = 1.959964
PRIOR_SHARES = (0.02, 0.1, 0.3, 0.6, 1.0)


def entropy(labels: np.ndarray) -> float:
    """Return the plug-in entropy H(Y) of class codes, in nats."""
    shares = np.bincount(labels) / len(labels)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def pointwise_information(
    posteriors: np.ndarray, priors: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Return log p(y|x) - log p(y) of every sample, both learned without it.

    H(Y) would be the log-loss of a prior that knows all labels. Its plug-in estimate is too low by
    (classes - 1) / 2n, and the posteriors had to learn the class frequencies besides: with many
    classes and few samples, independent data would read less than nothing.

    Parameters
    ----------
    posteriors, priors
        Held-out posteriors and class frequencies; (..., n, classes).
    labels
        Class codes; (n,).

    Returns
    -------
    numpy.ndarray
        Nats; (..., n). The mean is the log-loss of the priors minus that of the posteriors.
    """
    rows = np.arange(len(labels))
    return np.log(posteriors[..., rows, labels]) - np.log(priors[..., rows, labels])


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


def bounded_mean(pointwise: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of pointwise information, at most the entropy of the labels; nats."""
    return min(float(pointwise.mean()), entropy(labels))


def bounded_interval(
    pointwise: np.ndarray, labels: np.ndarray, groups: np.ndarray | None
) -> tuple[float, float, float]:
    """Return `mean_interval` with nothing above the entropy of the labels."""
    limit = entropy(labels)
    value, lower, upper = (min(each, limit) for each in mean_interval(pointwise, groups))
    return value, lower, upper


def label_estimate(
    posteriors: np.ndarray,
    priors: np.ndarray,
    labels: np.ndarray,
    null: Null | None,
    components: int | None = None,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Return the label information that held-out posteriors show, the mean over deals to folds.

    The interval covers the held-out lower bound of the information, not the information itself.
    Neither it nor the estimate exceeds the entropy of the label.

    Parameters
    ----------
    posteriors, priors
        Held-out posteriors and class frequencies; (n, classes), or (deals, n, classes).
    labels
        Class codes; (n,).
    null
        The permutation null to keep beside it.
    components
        Principal components behind the posteriors.
    groups
        Group of each sample, or None.
    """
    pointwise = pointwise_information(posteriors, priors, labels)
    pointwise = pointwise.reshape(-1, len(labels)).mean(axis=0)
    return Estimate(*bounded_interval(pointwise, labels, groups), null, len(labels), components)


def extrapolated(full: float, half: float, folds: int, null: Null, limit: float) -> float:
    """Return the information that endless training samples would show, along the learning curve.

    What is missing of a held-out estimate falls as one over the number of training samples, which
    is (K - 1)/K of all samples in K folds and a half in two, so that the limit is
    I_K + (I_K - I_2) / (2 (K - 1)/K - 1). Where permuted labels do as well, nothing was learned and
    there is no curve to follow; neither is there where fewer training samples did better.

    Parameters
    ----------
    full, half
        Estimates of K folds and of two, nats.
    folds
        K, at least 3.
    null
        The permutation null.
    limit
        Entropy of the label, above which no information lies.
    """
    if null.p_value > NULL_LEVEL:
        return full
    gain = max(0.0, full - half) / (2 * (folds - 1) / folds - 1)
    return min(full + gain, limit)


def permuted_labels(
    labels: np.ndarray,
    groups: np.ndarray | None,
    count: int,
    rng: np.random.Generator,
    within: np.ndarray | None = None,
) -> np.ndarray:
    """Permute labels as the data allow: over groups where all labels of a group agree.

    Samples of one patient share features as well as the label, so permuting them one by one would
    make the null too narrow. Where the labels of a group differ, groups of one size swap theirs.
    Where that leaves labels almost in place, since hardly any two groups are of one size, every
    group takes the labels of another one, repeated or cut to its own size. So groups are exchanged
    as wholes throughout (Winkler et al., NeuroImage 123, 253, 2015), which holds as far as what a
    group's labels are does not depend on its size, as it must where labels agree within groups.

    Where folds were dealt by the labels, so that each has its share of every class, permutations
    stay within folds. Given how many of a class each fold has, all labellings so reached are
    equally likely where labels are independent of features; others would not have these folds.

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
    within
        Fold of each sample, where labels had a part in it, with no group in two of them; or None.

    Returns
    -------
    numpy.ndarray
        Permuted codes; (count, n).
    """
    if within is not None:
        found = np.empty((count, len(labels)), dtype=labels.dtype)
        for number in np.unique(within):
            here = np.flatnonzero(within == number)
            of_fold = None if groups is None else groups[here]
            found[:, here] = permuted_labels(labels[here], of_fold, count, rng)
        return found
    if groups is None:
        return np.array([rng.permutation(labels) for _ in range(count)])
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    of_group = labels[first]
    if np.array_equal(of_group[member], labels):
        return np.array([rng.permutation(of_group)[member] for _ in range(count)])
    counts = np.zeros((member.max() + 1, labels.max() + 1), dtype=int)
    np.add.at(counts, (member, labels), 1)
    if exchangeable(member, counts):
        return np.array([labels[permuted_rows(len(labels), groups, rng)] for _ in range(count)])
    return np.array([_relabelled(labels, member, rng) for _ in range(count)])


def _relabelled(labels: np.ndarray, member: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give every group the labels of another one, in random order and to its own size."""
    found = np.empty_like(labels)
    own = [np.flatnonzero(member == group) for group in range(member.max() + 1)]
    for target, source in enumerate(rng.permutation(len(own))):
        found[own[target]] = np.resize(rng.permutation(labels[own[source]]), len(own[target]))
    return found


def null_likelihoods(block: Block, labellings: np.ndarray, classes: int) -> np.ndarray:
    """Return what cheap members, refitted on every labelling, give to held-out labels.

    Parameters
    ----------
    block
        A fold of the cross-fitting.
    labellings
        Class codes of all samples, one row per labelling; (labellings, n).
    classes
        Number of classes.

    Returns
    -------
    numpy.ndarray
        Probability of the label; (members, labellings, held out), the prior first.
    """
    true = labellings[:, block.test, None]
    found = cheap_posteriors(block, labellings, classes)
    return np.array([np.take_along_axis(each, true, axis=2)[..., 0] for each in found])


def null_of(parts: Sequence[np.ndarray]) -> Null:
    """Return the held-out information of the best cheap member, and what permuted labels give.

    All labellings have the same folds, and each takes the member and the share of the prior that
    suit it best, so that observed and permuted statistics are exchangeable and on one scale. The
    kernel member sees interactions that a linear one reads as nothing, and those on all
    directions what lies beyond the leading ones.

    Parameters
    ----------
    parts
        What `null_likelihoods` gave for every fold, the labels as they are first.
    """
    count = sum(part.shape[2] for part in parts)
    reference = sum(np.log(part[0]).sum(axis=1) for part in parts) / count
    best = np.full(parts[0].shape[1], -np.inf)
    for member in range(1, len(parts[0])):
        for share in PRIOR_SHARES:
            mixed = sum(
                np.log((1 - share) * part[member] + share * part[0]).sum(axis=1) for part in parts
            )
            best = np.maximum(best, mixed / count)
    # Where there is nothing to learn, rounding errors would decide which statistic is the larger.
    values = np.round(best - reference, 12)
    return Null(float(values[0]), values[1:])


def label_null(
    blocks: Iterable[Block],
    labels: np.ndarray,
    groups: np.ndarray | None,
    classes: int,
    permutations: int,
    rng: np.random.Generator,
    within: np.ndarray | None = None,
) -> Null:
    """Return the null of label information by permutation, as `null_of` says.

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
    within
        As in `permuted_labels`.
    """
    permuted = permuted_labels(labels, groups, permutations, rng, within)
    labellings = np.vstack([labels, permuted])
    return null_of([null_likelihoods(block, labellings, classes) for block in blocks])
