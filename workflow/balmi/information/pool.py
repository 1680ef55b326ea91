"""Cross-fitted posteriors: members tempered and pooled on inner folds of every training part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from balmi.information.deals import inner_numbers
from balmi.information.members import MEMBERS, calibrated, prior_only
from balmi.information.mixing import evidence, fit_weights, pooled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.information.crossfit import Block, Parts
    from balmi.information.members import Member, Posterior

POOL_ROUNDS = 100
SMALLEST_PROBABILITY = 1e-6
LOG_TEMPERATURES = (-1.5, 2.5)
# Samples that the prior counts for in a pool.
PRIOR_WEIGHT = 0.5
SLOPES = (0.0, 2.0)
# Linear pools are less sure than they may be (Ranjan and Gneiting 2010, JRSS B 72). Log-likelihood
# that one more temperature must add: half the 95th percentile of chi square, lest noise sharpens.
SHARPENED = 1.92


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


@dataclass(frozen=True)
class Said:
    """What is said of the samples of one fold.

    Parameters
    ----------
    inside
        Posteriors of its training samples that members are judged on, each by what has learned from
        other inner folds; (n, classes).
    outside
        Posteriors of its held-out samples; (m, classes).
    """

    inside: np.ndarray
    outside: np.ndarray

    def tempered(self, labels: np.ndarray) -> Said:
        """Return it at the temperature that suits the training samples best."""
        temperature = best_temperature(self.inside, labels)
        return Said(tempered(self.inside, temperature), tempered(self.outside, temperature))

    def likelihoods(self, labels: np.ndarray) -> np.ndarray:
        """Return the probability of the true class of every training sample; (n,)."""
        return self.inside[np.arange(len(labels)), labels]


def _candidates(
    member: Member,
    block: Block,
    labels: np.ndarray,
    inner: np.ndarray,
    classes: int,
    *,
    grouped: bool,
) -> list[Said]:
    """Return what a member says of a fold, once per penalty.

    What is judged out of its bags would judge a patient by trees that know another sample of him,
    so that groups take it through the inner folds.
    """
    learn, other = member.parts(block)
    told = learn.shape[1] and len(np.unique(labels)) > 1  # else it is the prior, of inner folds too
    judged = inner >= 0
    if member.bagged is not None and told and not grouped:
        inside, outside = member.bagged(learn, labels, other, classes)
        return [Said(inside[judged], outside)]
    if member.is_scored and told:
        return [_calibrated(member.posterior, (learn, other), labels, inner, classes)]
    posterior = prior_only if member.is_scored else member.posterior
    said = posterior(learn, labels, other, classes)
    outside = said.reshape(-1, len(other), classes)
    inside = np.empty((len(outside), len(labels), classes))
    judge = member.judging or posterior
    for number in np.unique(inner[judged]):
        out = inner == number
        inside[:, out] = judge(learn[~out], labels[~out], learn[out], classes)
    return [Said(one[judged], other) for one, other in zip(inside, outside, strict=True)]


def _calibrated(
    score: Posterior, parts: Parts, labels: np.ndarray, inner: np.ndarray, classes: int
) -> Said:
    """Return what scores say of a fold, calibrated on those of inner folds.

    An inner fold's scores are calibrated on those of the others, so that its labels shape nothing
    of what is said inside.
    """
    learn, other = parts
    scores, inside = np.empty((2, len(labels), classes))
    for number in np.unique(inner):
        out = inner == number
        scores[out] = score(learn[~out], labels[~out], learn[out], classes)
    for number in np.unique(inner):
        out = inner == number
        inside[out] = calibrated(scores[~out], labels[~out], scores[out], classes)
    whole = score(learn, labels, other, classes)
    return Said(inside[inner >= 0], calibrated(scores, labels, whole, classes))


def _best(candidates: Sequence[Said], labels: np.ndarray) -> Said:
    """Return the candidate that suits the training samples best, at its best temperature."""
    found = [each.tempered(labels) for each in candidates]
    return max(found, key=lambda each: np.log(each.likelihoods(labels)).sum())


def log_linear(prior: Said, said: Sequence[Said], labels: np.ndarray) -> Said:
    """Return what members say together in a log-linear pool (`balmi.information.mixing`).

    It is the pool that predicts: evidence of members that see different things adds up, where a
    linear one is never surer than its members.
    """
    beyond = evidence([each.inside for each in said], prior.inside)
    weights = fit_weights(beyond, labels, prior.inside)
    outside = evidence([each.outside for each in said], prior.outside)
    return Said(pooled(beyond, weights, prior.inside), pooled(outside, weights, prior.outside))


def product(prior: Said, parts: Sequence[Said], labels: np.ndarray) -> Said:
    """Return the prior times what modalities say beyond it, as if they were independent by class.

    p(y | x1, x2, ...) is then p(y) times all p(y | x) / p(y). Modalities that say the same twice
    are taken back by one exponent of all ratios, which suits the training samples best.
    """
    ratios = [
        np.sum([np.log(getattr(part, side) / getattr(prior, side)) for part in parts], axis=0)
        for side in ("inside", "outside")
    ]
    base = [np.log(prior.inside), np.log(prior.outside)]
    rows = np.arange(len(labels))

    def loss(slope: float) -> float:
        logits = base[0] + slope * ratios[0]
        return float((np.logaddexp.reduce(logits, axis=1) - logits[rows, labels]).mean())

    slope = minimize_scalar(loss, bounds=SLOPES, method="bounded", options={"xatol": 0.01}).x
    sides = zip(base, ratios, strict=True)
    return Said(*(softmax(one + slope * ratio, axis=1) for one, ratio in sides))


def pooled_block(
    block: Block,
    labels: np.ndarray,
    inner: np.ndarray,
    classes: int,
    members: Sequence[Member],
    *,
    parts: Sequence[Said] = (),
    singles: Sequence[Said] = (),
    grouped: bool = False,
) -> tuple[Said, Said]:
    """Return what the pool says of a fold, and the prior.

    Members that see one modality go into a log-linear pool, which the prior is mixed with; what
    sees several is mixed with parts and their product.

    Parameters
    ----------
    block
        The fold.
    labels
        Class codes of its training part; (n,).
    inner
        Inner fold of those samples; (n,). A negative one is learned from, and nothing is judged on
        it.
    classes
        Number of classes.
    members
        The members, the prior first.
    parts
        What pools of some of the modalities say of the same samples, with the same inner folds.
        They are members, so that more modalities do not know less.
    singles
        What pools of every modality alone say; their product is a member.
    grouped
        Whether samples belong to groups.
    """
    if len(np.unique(inner)) < 2:  # one group alone: nothing tells the members apart
        outside = members[0].posterior(block.train_scores, labels, block.test_scores, classes)
        prior = Said(np.tile(outside[:1], (int((inner >= 0).sum()), 1)), outside)
        return prior, prior
    candidates = [
        _candidates(member, block, labels, inner, classes, grouped=grouped) for member in members
    ]
    labels = labels[inner >= 0]
    said = [_best(each, labels) for each in candidates]
    prior = said[0]
    if not parts and not singles:
        said = [prior, log_linear(prior, said[1:], labels)]
    if len(singles) > 1:
        said.append(product(prior, singles, labels))
    said += parts
    weights = pool_weights(np.column_stack([each.likelihoods(labels) for each in said]))
    mixed = Said(
        *(
            np.tensordot(weights, np.array([getattr(each, side) for each in said]), axes=1)
            for side in ("inside", "outside")
        )
    )
    sharper = mixed.tempered(labels)
    gain = np.log(sharper.likelihoods(labels)).sum() - np.log(mixed.likelihoods(labels)).sum()
    if gain > SHARPENED:
        mixed = sharper
    # A floor for the prior keeps every probability positive. Pools of parts have paid for it.
    floor = PRIOR_WEIGHT / len(labels) * (1 - weights[len(said) - len(parts) :].sum())
    found = (
        (1 - floor) * getattr(mixed, side) + floor * getattr(prior, side)
        for side in ("inside", "outside")
    )
    return Said(*(each / each.sum(axis=1, keepdims=True) for each in found)), prior


def pooled_posteriors(
    blocks: Iterable[Block],
    labels: np.ndarray,
    groups: np.ndarray | None,
    classes: int,
    members: Sequence[Member] = tuple(MEMBERS.values()),
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-fitted posteriors of a pool of tempered members, and of the prior among them.

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
    held, priors = np.empty((2, len(labels), classes))
    for block in blocks:
        inside = None if groups is None else groups[block.train]
        inner = inner_numbers(labels[block.train], inside)
        said, prior = pooled_block(
            block, labels[block.train], inner, classes, members, grouped=groups is not None
        )
        held[block.test], priors[block.test] = said.outside, prior.outside
    return held, priors
