"""Folds of a cross-fitting, and what classifiers see of one or several modalities in them.

Whatever is learned here (scaling, feature choice, normal scores, principal components, landmarks)
is learned on the training part of a fold, without labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from balmi.preprocess.features import Features

SAMPLES_PER_COMPONENT = 5
QUANTILES = 100
LANDMARKS = 200
RADIAL_COMPONENTS = 60
SMALLEST_DEVIATION = 1e-6
LARGE = 500
# Learned samples up to which a table with more columns is turned into as few as there are samples.
MOST_TURNED = 2000
# Columns per learned sample above which that is worth its time.
WORTH_TURNING = 2
# Bytes up to which what folds see of modalities is kept for the sets that hold them.
MOST_KEPT = 300_000_000
SMALLEST_SHARE = 1e-12

# What a member sees: learned and other samples, (n, columns) and (m, columns).
Parts = tuple[np.ndarray, np.ndarray]
Scale = Callable[[np.ndarray, np.ndarray], Parts]


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
    mapped = np.column_stack(mapped).astype(both.dtype, copy=False) if mapped else both
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


def all_directions(learn: np.ndarray, other: np.ndarray) -> Parts:
    """Return columns with the same distances between samples, as few as there are learned ones.

    They span what varies among learned samples. Where others lie beyond that, their distance from
    it is a last column, which is 0 for the learned ones: no direction is dropped.

    Parameters
    ----------
    learn, other
        Training and held-out samples; (n, features) and (m, features). Where there are no more
        features than `WORTH_TURNING` times the samples, or more than `MOST_TURNED` samples, they
        are left as they are.
    """
    if learn.shape[1] <= WORTH_TURNING * len(learn) or len(learn) > MOST_TURNED:
        return learn, other
    mean = learn.mean(axis=0)
    learn, other = learn - mean, other - mean
    sizes, axes = np.linalg.eigh(learn @ learn.T)
    kept = sizes > SMALLEST_SHARE * max(sizes[-1], SMALLEST_DEVIATION)
    roots, axes = np.sqrt(sizes[kept]), axes[:, kept]
    inside = other @ learn.T @ axes / roots
    beyond = np.maximum((other**2).sum(axis=1) - (inside**2).sum(axis=1), 0)
    return (
        np.column_stack([axes * roots, np.zeros(len(learn))]),
        np.column_stack([inside, np.sqrt(beyond)]),
    )


def side_by_side(seen: Sequence[tuple[Parts, int]]) -> Parts:
    """Return all directions of several modalities, which weigh alike however wide they are.

    Parameters
    ----------
    seen
        Of every modality, training and held-out samples, and its number of features.
    """
    learn, other = (
        np.hstack([parts[side] / math.sqrt(max(1, width)) for parts, width in seen])
        for side in range(2)
    )
    return all_directions(learn, other)


def as_measured(learn: np.ndarray, other: np.ndarray) -> Parts:
    """Return features as they are."""
    return learn, other


class Views:
    """What folds see of modalities, learned once for all sets that hold a modality.

    Parameters
    ----------
    features
        The cohort's features.
    """

    def __init__(self, features: Features) -> None:
        self.features = features
        self._kept: dict[tuple[object, ...], tuple[Parts, int]] = {}
        self._room = MOST_KEPT
        self._fold: tuple[bytes, bytes] | None = None
        self._scaled: dict[str, Parts] = {}

    def scaled(self, modality: str, train: np.ndarray, test: np.ndarray) -> Parts:
        """Return features as preprocessing scales them, which learns from the training rows.

        Those of the fold that was asked about last are kept: several views are made of them. Both
        sides have one precision: quantiles would tell apart what is the same but for its digits.
        """
        fold = train.tobytes(), test.tobytes()
        if fold != self._fold:
            self._fold, self._scaled = fold, {}
        if modality not in self._scaled:
            fitted = self.features.fit(train, (modality,))
            learned, held_out = (
                self.features.apply(fitted, rows).features[modality] for rows in (train, test)
            )
            digits = min(learned.dtype, held_out.dtype, key=lambda kind: kind.itemsize)
            self._scaled[modality] = (
                learned.astype(digits, copy=False),
                held_out.astype(digits, copy=False),
            )
        return self._scaled[modality]

    def of(
        self, scale: Scale, modality: str, train: np.ndarray, test: np.ndarray
    ) -> tuple[Parts, int]:
        """Return all directions of a modality in a fold, and its number of features.

        Parameters
        ----------
        scale
            `as_measured` or `normal_scores`.
        modality
            Its name.
        train, test
            Rows of the cohort, disjoint.
        """
        key = scale, modality, train.tobytes(), test.tobytes()
        if key in self._kept:
            return self._kept[key]
        scaled = self.scaled(modality, train, test)
        seen = all_directions(*scale(*scaled)), scaled[0].shape[1]
        size = sum(side.nbytes for side in seen[0])
        if size <= self._room:
            self._kept[key] = seen
            self._room -= size
        return seen


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
    normal
        All directions of the modalities side by side, by normal scores of every feature; the
        principal component scores where None.
    measured, features
        Give all directions as preprocessing scales them, and features side by side, which only some
        members take; the principal component scores where None.
    """

    train: np.ndarray
    test: np.ndarray
    train_scores: np.ndarray
    test_scores: np.ndarray
    normal: Parts | None = None
    measured: Callable[[], Parts] | None = None
    features: Callable[[], Parts] | None = None

    @cached_property
    def scores(self) -> Parts:
        """The scores themselves, in training and held out."""
        return self.train_scores, self.test_scores

    @cached_property
    def all_measured(self) -> Parts:
        """All directions as preprocessing scales them, in training and held out."""
        return self.scores if self.measured is None else self.measured()

    @property
    def all_normal(self) -> Parts:
        """All directions of normal scores, in training and held out."""
        return self.scores if self.normal is None else self.normal

    @cached_property
    def all_features(self) -> Parts:
        """The features themselves, in training and held out."""
        return self.scores if self.features is None else self.features()

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
    views: Views,
    modalities: Sequence[str],
    rows: np.ndarray,
    fold: np.ndarray,
    components: int,
) -> Iterator[Block]:
    """Prepare the folds of a cross-fitting, one after the other: none needs another's tables.

    Parameters
    ----------
    views
        What folds see of the cohort's modalities.
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
    for number in np.unique(fold):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        sides = rows[train], rows[test]
        seen = [views.of(normal_scores, name, *sides) for name in modalities]
        room = len(train) // SAMPLES_PER_COMPONENT // len(modalities)
        count = min(components, max(1, room))
        parts = [principal_components(*normal, count) for normal, _ in seen]
        leading = np.argsort(
            np.concatenate([np.arange(learn.shape[1]) for learn, _ in parts]), kind="stable"
        )
        learn, other = (np.hstack(side)[:, leading] for side in zip(*parts, strict=True))
        asked = views, tuple(modalities), *sides
        yield Block(
            *(train, test, learn, other),
            side_by_side(seen),
            partial(_measured, *asked),
            partial(_table, *asked),
        )


def _measured(
    views: Views, modalities: Sequence[str], train: np.ndarray, test: np.ndarray
) -> Parts:
    """Return all directions of modalities as preprocessing scales them."""
    return side_by_side([views.of(as_measured, name, train, test) for name in modalities])


def _table(views: Views, modalities: Sequence[str], train: np.ndarray, test: np.ndarray) -> Parts:
    """Return the features of modalities side by side, in single precision as trees take them."""
    scaled = [views.scaled(name, train, test) for name in modalities]
    learn, other = (np.hstack(side).astype(np.float32) for side in zip(*scaled, strict=True))
    return learn, other
