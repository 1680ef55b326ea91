"""Folds of a cross-fitting, and what classifiers see of one or several modalities in them.

Whatever is learned here (scaling, feature choice, normal scores, principal components, landmarks)
is learned on the training part of a fold, without labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.preprocess.features import Features

SAMPLES_PER_COMPONENT = 5
QUANTILES = 100
LANDMARKS = 200
RADIAL_COMPONENTS = 60
SMALLEST_DEVIATION = 1e-6
LARGE = 500

# What a member sees: learned and other samples, (n, columns) and (m, columns).
Parts = tuple[np.ndarray, np.ndarray]


def normal_scores(learn: np.ndarray, other: np.ndarray) -> Parts:
    """Replace every feature by the normal scores of its quantiles among the learned samples.

    Information does not depend on the scale of a feature, and its estimates should not either.

    Parameters
    ----------
    learn, other
        (n, features) and (m, features).
    """
    count = min(len(learn), QUANTILES)
    shares = (np.arange(count) + 0.5) / count
    knots = np.sort(learn, axis=0)[(shares * len(learn)).astype(int)]
    scores = ndtri(shares)
    both = np.vstack([learn, other])
    mapped = [np.interp(column, at, scores) for column, at in zip(both.T, knots.T, strict=True)]
    mapped = np.column_stack(mapped) if mapped else both
    return mapped[: len(learn)], mapped[len(learn) :]


def _solver(samples: int, features: int) -> str:
    """Return the quickest solver: an exact one for large tables takes longer than all members."""
    if features <= LARGE:
        return "covariance_eigh"
    return "full" if samples <= LARGE else "randomized"


def principal_components(learn: np.ndarray, other: np.ndarray, count: int) -> Parts:
    """Return scores on the first principal components, with a variance of 1 on average.

    Parameters
    ----------
    learn, other
        Training and held-out samples; (n, features) and (m, features).
    count
        Components at most; never more than there are directions that vary in training.
    """
    from sklearn.decomposition import PCA

    count = min(count, *learn.shape)
    if count <= 0:
        return learn[:, :0], other[:, :0]
    pca = PCA(count, svd_solver=_solver(*learn.shape), random_state=0).fit(learn)
    learn, other = pca.transform(learn), pca.transform(other)
    # A direction that does not vary in training would blow up what varies in it elsewhere.
    kept = learn.std(axis=0) > SMALLEST_DEVIATION
    scale = np.sqrt((learn[:, kept] ** 2).mean()) if kept.any() else 1.0
    return learn[:, kept] / scale, other[:, kept] / scale


def white(learn: np.ndarray, other: np.ndarray, count: int) -> Parts:
    """Return principal component scores that are white in the training part; at most `count`."""
    learn, other = principal_components(learn, other, count)
    deviation = learn.std(axis=0)
    return learn / deviation, other / deviation


@dataclass(frozen=True)
class Block:
    """One fold of the cross-fitting for one modality, or for several at once.

    Parameters
    ----------
    train, test
        Positions within the samples under study, disjoint.
    train_scores, test_scores
        Principal component scores of the modalities, the leading ones of all modalities first;
        (samples, components). Each modality's have a variance of 1 on average.
    """

    train: np.ndarray
    test: np.ndarray
    train_scores: np.ndarray
    test_scores: np.ndarray

    @cached_property
    def scores(self) -> Parts:
        """The scores themselves, in training and held out."""
        return self.train_scores, self.test_scores

    @cached_property
    def white_scores(self) -> Parts:
        """The scores, white in training, for classifiers that are quick to refit."""
        return white(*self.scores, self.train_scores.shape[1])

    @cached_property
    def radial_scores(self) -> Parts:
        """White scores of radial functions of the scores (Nystroem method).

        In them a linear classifier sees classes that differ by curves or interactions. The scores
        are not whitened before: distances are to be those of the leading components.
        """
        from sklearn.kernel_approximation import Nystroem

        learn, other = self.scores
        landmarks = min(LANDMARKS, len(learn) // 2)
        if learn.shape[1] == 0 or landmarks < 2:
            return learn[:, :0], other[:, :0]
        radial = Nystroem(gamma=0.5 / learn.shape[1], n_components=landmarks, random_state=0)
        count = min(RADIAL_COMPONENTS, len(learn) // SAMPLES_PER_COMPONENT)
        return white(radial.fit_transform(learn), radial.transform(other), count)


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
    from sklearn.model_selection import GroupKFold, KFold

    folds = min(folds, count if groups is None else len(np.unique(groups)))
    if folds < 2:
        return np.zeros(count, dtype=int)
    splitter = (KFold if groups is None else GroupKFold)(folds, shuffle=True, random_state=seed)
    number = np.empty(count, dtype=int)
    for fold, (_, test) in enumerate(splitter.split(np.zeros(count), groups=groups)):
        number[test] = fold
    return number


def cross_fit_blocks(
    features: Features,
    modalities: Sequence[str],
    rows: np.ndarray,
    fold: np.ndarray,
    components: int,
) -> list[Block]:
    """Prepare the folds of a cross-fitting.

    Parameters
    ----------
    features
        The cohort's features.
    modalities
        The modalities; every row must have them all.
    rows
        The rows of the cohort under study; shape (n,).
    fold
        Fold in which each of those rows is held out; shape (n,).
    components
        Principal components per modality at most; in all never above a fifth of the training part,
        but for one per modality.
    """
    blocks = []
    for number in np.unique(fold):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        fitted = features.fit(rows[train], tuple(modalities))
        learned, held_out = (
            features.apply(fitted, rows[side]).features.values() for side in (train, test)
        )
        room = len(train) // SAMPLES_PER_COMPONENT // len(modalities)
        count = min(components, max(1, room))
        parts = [
            principal_components(*normal_scores(*values), count)
            for values in zip(learned, held_out, strict=True)
        ]
        leading = np.argsort(
            np.concatenate([np.arange(learn.shape[1]) for learn, _ in parts]), kind="stable"
        )
        learn, other = (np.hstack(side)[:, leading] for side in zip(*parts, strict=True))
        blocks.append(Block(train, test, learn, other))
    return blocks
