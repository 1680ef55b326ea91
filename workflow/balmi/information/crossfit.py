"""Cross-fitted posteriors of the label given one modality.

Whatever is learned (scaling, feature choice, principal components, classifier, pool weights) is
learned on the training part of a fold, so that the log-loss on its other part is a fair one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.preprocess.pipeline import Features

    Member = Callable[["Block", np.ndarray, int], np.ndarray]

SAMPLES_PER_COMPONENT = 5
LANDMARKS = 200
KERNEL_COMPONENTS = 60
SMALLEST_DEVIATION = 1e-6
POOL_ROUNDS = 100


def white_scores(
    learn: np.ndarray, other: np.ndarray, components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return principal component scores that are white in the training part.

    Parameters
    ----------
    learn, other
        Training and held-out samples; (n, features) and (m, features).
    components
        Components at most; never above a fifth of the training part.

    Returns
    -------
    tuple of numpy.ndarray
        (n, components) and (m, components).
    """
    count = min(components, len(learn) // SAMPLES_PER_COMPONENT, learn.shape[1])
    if count:
        pca = PCA(count, svd_solver="covariance_eigh").fit(learn)
        learn, other = pca.transform(learn), pca.transform(other)
    # A direction that does not vary in training would blow up what varies in it elsewhere.
    deviation = learn.std(axis=0)
    kept = np.flatnonzero(deviation > SMALLEST_DEVIATION)[:count]
    return learn[:, kept] / deviation[kept], other[:, kept] / deviation[kept]


@dataclass(frozen=True)
class Block:
    """One fold of the cross-fitting for one modality.

    Parameters
    ----------
    train, test
        Positions within the samples under study, disjoint.
    train_scores, test_scores
        Principal component scores, white in the training part; (samples, components).
    """

    train: np.ndarray
    test: np.ndarray
    train_scores: np.ndarray
    test_scores: np.ndarray

    @cached_property
    def kernel_scores(self) -> tuple[np.ndarray, np.ndarray]:
        """White scores of radial functions of the scores, in training and held out.

        The Nystroem method on landmarks of the training part. In them a linear classifier sees
        classes that differ by curves or interactions.
        """
        width = self.train_scores.shape[1]
        landmarks = min(LANDMARKS, len(self.train) // 2)
        if width == 0 or landmarks < 2:
            return self.train_scores[:, :0], self.test_scores[:, :0]
        radial = Nystroem(gamma=0.5 / width, n_components=landmarks, random_state=0)
        learn = radial.fit_transform(self.train_scores)
        return white_scores(learn, radial.transform(self.test_scores), KERNEL_COMPONENTS)


def fold_numbers(count: int, groups: np.ndarray | None, folds: int, seed: int) -> np.ndarray:
    """Deal samples to the folds of a cross-fitting; labels are not looked at.

    Parameters
    ----------
    count
        Number of samples.
    groups
        Group of each sample, which is kept together, or None; shape (count,).
    folds
        Number of folds.
    seed
        Seed of the shuffle.

    Returns
    -------
    numpy.ndarray
        Fold of each sample; (count,). There are no more folds than groups, or than samples without
        groups; where that leaves fewer than two, all samples lie in fold 0.
    """
    folds = min(folds, count if groups is None else len(np.unique(groups)))
    if folds < 2:
        return np.zeros(count, dtype=int)
    splitter = (KFold if groups is None else GroupKFold)(folds, shuffle=True, random_state=seed)
    number = np.empty(count, dtype=int)
    for fold, (_, test) in enumerate(splitter.split(np.zeros(count), groups=groups)):
        number[test] = fold
    return number


def cross_fit_blocks(
    features: Features, modality: str, rows: np.ndarray, fold: np.ndarray, components: int
) -> list[Block]:
    """Prepare the folds of a cross-fitting for one modality.

    Parameters
    ----------
    features
        The cohort's features.
    modality
        The modality; every row must have it.
    rows
        The rows of the cohort under study; shape (n,).
    fold
        Fold in which each of those rows is held out; shape (n,).
    components
        Principal components at most; never above a fifth of the training part.
    """
    blocks = []
    for number in np.unique(fold):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        values = features.split(rows[train], (modality,))[modality]
        learn, other = values[rows[train]], values[rows[test]]
        scores = white_scores(learn, other, components)
        blocks.append(Block(train, test, *scores))
    return blocks


def class_prior(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return smoothed class frequencies (one half added per class); shape (classes,)."""
    counts = np.bincount(labels, minlength=classes) + 0.5
    return counts / counts.sum()


def discriminant_posteriors(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, classes: int
) -> np.ndarray:
    """Posteriors of shrunken linear discriminant analysis, for many labellings at once.

    In white coordinates the total covariance is the identity I, so the covariance within classes
    is W = I - sum_c pi_c m_c m_c^T for every labelling, and a refit on permuted labels costs one
    small linear solve. W is shrunk towards I by k / (n + k).

    Parameters
    ----------
    train
        White scores of the training part; (n, k).
    labels
        Class codes, one row per labelling; (labellings, n).
    test
        Scores of the other part; (m, k).
    classes
        Number of classes; a class that a labelling lacks gets the smoothed prior's mass only.

    Returns
    -------
    numpy.ndarray
        Posteriors; (labellings, m, classes).
    """
    count, width = train.shape
    member = np.eye(classes)[labels]
    sizes = member.sum(axis=1)
    prior = (sizes + 0.5) / (count + 0.5 * classes)
    means = np.einsum("lnc,nk->lck", member, train) / np.maximum(sizes, 1)[..., None]
    weighted = means * (sizes / count)[..., None]
    within = np.eye(width) - np.einsum("lck,lcj->lkj", weighted, means)
    shrinkage = width / (count + width)
    within = (1 - shrinkage) * within + shrinkage * np.eye(width)
    slopes = np.linalg.solve(within, means.transpose(0, 2, 1))
    offsets = np.log(prior) - 0.5 * np.einsum("lck,lkc->lc", means, slopes)
    logits = test @ slopes + offsets[:, None, :]
    logits -= logits.max(axis=2, keepdims=True)
    posterior = np.exp(logits)
    return posterior / posterior.sum(axis=2, keepdims=True)


def cheap_posteriors(block: Block, labels: np.ndarray, classes: int) -> list[np.ndarray]:
    """Fit the members that are cheap to refit on a fold, for many labellings at once.

    Parameters
    ----------
    block
        A fold of the cross-fitting.
    labels
        Class codes of all samples, one row per labelling; (labellings, n).
    classes
        Number of classes.

    Returns
    -------
    list of numpy.ndarray
        Posteriors of the held-out samples by the prior, the discriminant and the kernel
        discriminant; (labellings, held out, classes) each.
    """
    train = labels[:, block.train]
    prior = np.array([class_prior(row, classes) for row in train])[:, None, :]
    return [
        np.broadcast_to(prior, (len(labels), len(block.test), classes)),
        discriminant_posteriors(block.train_scores, train, block.test_scores, classes),
        discriminant_posteriors(block.kernel_scores[0], train, block.kernel_scores[1], classes),
    ]


def _discriminant(block: Block, labels: np.ndarray, classes: int) -> np.ndarray:
    return discriminant_posteriors(block.train_scores, labels[None], block.test_scores, classes)[0]


def _kernel(block: Block, labels: np.ndarray, classes: int) -> np.ndarray:
    learn, other = block.kernel_scores
    return discriminant_posteriors(learn, labels[None], other, classes)[0]


def _logistic(block: Block, labels: np.ndarray, classes: int) -> np.ndarray:
    if not block.train_scores.shape[1]:
        return _prior(block, labels, classes)
    seen = np.unique(labels)
    posterior = np.zeros((len(block.test), classes))
    if len(seen) == 1:
        posterior[:, seen] = 1.0
        return posterior
    model = LogisticRegression(C=0.1, max_iter=500).fit(block.train_scores, labels)
    posterior[:, seen] = model.predict_proba(block.test_scores)
    return posterior


def _prior(block: Block, labels: np.ndarray, classes: int) -> np.ndarray:
    return np.tile(class_prior(labels, classes), (len(block.test), 1))


MEMBERS: dict[str, Member] = {
    "prior": _prior,
    "discriminant": _discriminant,
    "kernel": _kernel,
    "logistic": _logistic,
}
# Cheap enough to be refitted inside every training part.
CHEAP_MEMBERS = (_prior, _discriminant, _kernel)


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


def pooled_posteriors(
    blocks: list[Block],
    labels: np.ndarray,
    classes: int,
    members: Sequence[Member] = tuple(MEMBERS.values()),
) -> np.ndarray:
    """Cross-fitted posteriors of a pool of members.

    The weights used on a fold come from the held-out likelihoods of the other folds.

    Parameters
    ----------
    blocks
        The folds; their test parts cover every sample once.
    labels
        Class codes; (n,).
    classes
        Number of classes.
    members
        The members, the prior first.

    Returns
    -------
    numpy.ndarray
        Posteriors of the held-out samples, strictly positive; (n, classes).
    """
    each = np.empty((len(members), len(labels), classes))
    fold = np.empty(len(labels), dtype=int)
    for number, block in enumerate(blocks):
        fold[block.test] = number
        for index, member in enumerate(members):
            each[index, block.test] = member(block, labels[block.train], classes)
    likelihoods = each[:, np.arange(len(labels)), labels].T
    pooled = np.empty((len(labels), classes))
    for number in range(len(blocks)):
        weights = pool_weights(likelihoods[fold != number])
        # A floor for the prior keeps every probability positive at a cost below .01 nats.
        weights = 0.99 * weights + 0.01 * np.eye(len(members))[0]
        rows = fold == number
        pooled[rows] = np.einsum("m,mnc->nc", weights, each[:, rows])
    return pooled / pooled.sum(axis=1, keepdims=True)
