"""Cross-fitted posteriors: members tempered and pooled on inner folds of every training part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

from balmi.information.crossfit import fold_numbers
from balmi.information.members import MEMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.information.crossfit import Block
    from balmi.information.members import Member

INNER_FOLDS = 3
POOL_ROUNDS = 100
SMALLEST_PROBABILITY = 1e-6
LOG_TEMPERATURES = (-1.5, 2.5)
PRIOR_WEIGHT = 0.01


def tempered(posteriors: np.ndarray, temperature: float) -> np.ndarray:
    """Return p^(1/T), normalised: T above 1 makes posteriors less sure; shape kept."""
    logs = np.log(np.maximum(posteriors, SMALLEST_PROBABILITY)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def best_temperature(posteriors: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature of smallest log-loss (Guo et al. 2017).

    Parameters
    ----------
    posteriors
        (n, classes).
    labels
        Class codes; (n,).
    """
    logs = np.log(np.maximum(posteriors, SMALLEST_PROBABILITY))
    true = logs[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return float((np.logaddexp.reduce(logs * inverse, axis=1) - true * inverse).mean())

    found = minimize_scalar(
        loss, bounds=LOG_TEMPERATURES, method="bounded", options={"xatol": 0.01}
    )
    return float(np.exp(found.x))


def pool_weights(likelihoods: np.ndarray) -> np.ndarray:
    """Return the weights of a linear pool that maximise its likelihood, by EM.

    Parameters
    ----------
    likelihoods
        Probability that each member gave to the true class; (samples, members).

    Returns
    -------
    numpy.ndarray
        Weights, at least 0 and summing to 1; (members,).
    """
    weights = np.full(likelihoods.shape[1], 1 / likelihoods.shape[1])
    for _ in range(POOL_ROUNDS):
        share = likelihoods * weights
        weights = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights


def _inner_posteriors(
    member: Member, learn: np.ndarray, labels: np.ndarray, inner: np.ndarray, classes: int
) -> np.ndarray:
    """Return a member's posteriors of the training part, each from the other inner folds."""
    found = np.empty((len(labels), classes))
    for number in np.unique(inner):
        held_out = inner == number
        rest = ~held_out
        found[held_out] = member.posterior(learn[rest], labels[rest], learn[held_out], classes)
    return found


def _pooled_block(
    block: Block,
    labels: np.ndarray,
    groups: np.ndarray | None,
    classes: int,
    members: Sequence[Member],
) -> tuple[np.ndarray, np.ndarray]:
    """Return posteriors and priors of one fold; `labels` and `groups` are its training part's."""
    inner = fold_numbers(len(labels), groups, INNER_FOLDS, seed=0)
    if len(np.unique(inner)) < 2:  # one group alone: nothing tells the members apart
        prior = members[0].posterior(block.train_scores, labels, block.test_scores, classes)
        return prior, prior
    likelihoods, posteriors = [], []
    for member in members:
        learn, other = member.parts(block)
        inside = _inner_posteriors(member, learn, labels, inner, classes)
        temperature = best_temperature(inside, labels)
        likelihoods.append(tempered(inside, temperature)[np.arange(len(labels)), labels])
        outside = member.posterior(learn, labels, other, classes)
        posteriors.append(tempered(outside, temperature))
    weights = pool_weights(np.column_stack(likelihoods))
    # A floor for the prior keeps every probability positive at a cost of about .01 nats.
    weights = (1 - PRIOR_WEIGHT) * weights + PRIOR_WEIGHT * (np.arange(len(members)) == 0)
    pooled = np.tensordot(weights, np.array(posteriors), axes=1)
    return pooled / pooled.sum(axis=1, keepdims=True), posteriors[0]


def pooled_posteriors(
    blocks: Sequence[Block],
    labels: np.ndarray,
    groups: np.ndarray | None,
    classes: int,
    members: Sequence[Member] = tuple(MEMBERS.values()),
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-fitted posteriors of a linear pool of tempered members, and of the prior among them.

    Temperatures and weights come from inner folds of the training part, so that no label of a
    held-out sample shapes its posterior in any way. The prior is what posteriors are compared with:
    it is tempered as the pool's own is, or the pool would gain on it by knowing nothing.

    Parameters
    ----------
    blocks
        The folds; their test parts cover every sample once.
    labels
        Class codes; (n,).
    groups
        Group of each sample, or None; inner folds keep them together.
    classes
        Number of classes.
    members
        The members, the prior first.

    Returns
    -------
    tuple of numpy.ndarray
        Posteriors of the held-out samples, and their priors, strictly positive; (n, classes) both.
    """
    pooled, priors = np.empty((2, len(labels), classes))
    for block in blocks:
        inside = None if groups is None else groups[block.train]
        pooled[block.test], priors[block.test] = _pooled_block(
            block, labels[block.train], inside, classes, members
        )
    return pooled, priors
