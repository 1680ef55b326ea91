"""The training side of a fold as peers see it, and the base models that the peers share.

The base models are one logistic regression per modality, fitted on the training samples that have
it. A sample without the modality gets the class frequencies of the training side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from balmi.errors import MethodNotApplicable
from balmi.methods.peers.logistic import fit_logistic, in_axes, principal_axes
from balmi.methods.peers.priors import frequencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.decomposition import PCA

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.preprocess.fitted import Samples

    Folds = Sequence[tuple[np.ndarray, np.ndarray]]

INNER_FOLDS = 5


@dataclass(frozen=True)
class FittedBase:
    """The regression of one modality.

    Parameters
    ----------
    modality
        Its name.
    prior
        Class frequencies of the training side, for samples that lack the modality; (classes,).
    axes
        Principal axes in which the regression is, or None for the features themselves.
    regression
        None where nothing could be learned: every sample gets the class frequencies.
    """

    modality: str
    prior: np.ndarray
    axes: PCA | None
    regression: FittedLogistic | None

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        result = np.tile(self.prior, (len(samples), 1))
        has = samples.has(self.modality)
        if self.regression is not None and has.any():
            values = in_axes(samples.features[self.modality][has], self.axes)
            result[has] = self.regression.predict(values)
        return result


@dataclass(frozen=True)
class TrainingSide:
    """All that a peer may learn from in one fold.

    Parameters
    ----------
    samples
        The training samples, preprocessed by what they themselves say.
    labels
        Class codes; (n,).
    groups
        Group of every sample, or None; (n,).
    classes
        Number of classes.
    seed
        Seed of inner folds and of what a peer draws.
    """

    samples: Samples
    labels: np.ndarray
    groups: np.ndarray | None
    classes: int
    seed: int

    @classmethod
    def of(cls, cohort: Roster, split: Split, samples: Samples) -> TrainingSide:
        """Return the training side of a fold.

        Parameters
        ----------
        cohort
            The cohort, for labels and groups.
        split
            The fold.
        samples
            Its training samples.
        """
        groups = None if cohort.groups is None else cohort.groups[split.fit]
        return cls(samples, cohort.labels[split.fit], groups, len(cohort.classes), split.repeat)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities."""
        return tuple(self.samples.features)

    @cached_property
    def prior(self) -> np.ndarray:
        """Class frequencies; (classes,)."""
        return frequencies(self.labels, self.classes)

    @cached_property
    def inner_folds(self) -> Folds:
        """Samples to learn from and to hold out in an inner stratified (group) k-fold.

        Raises
        ------
        MethodNotApplicable
            Where there are fewer than two groups, or members of the rarest class.
        """
        units = len(self) if self.groups is None else len(np.unique(self.groups))
        rarest = int(np.bincount(self.labels, minlength=self.classes).min())
        count = min(INNER_FOLDS, rarest, units)
        if count < 2:
            what = "a class has fewer than 2 members" if rarest < 2 else "there is only one group"
            raise MethodNotApplicable(f"{what} in a training part")
        kind = StratifiedKFold if self.groups is None else StratifiedGroupKFold
        splitter = kind(count, shuffle=True, random_state=self.seed)
        return list(splitter.split(self.labels, self.labels, self.groups))

    @cached_property
    def _axes(self) -> dict[str, PCA | None]:
        """Modality -> principal axes of the samples that have it, where it is wide.

        Axes are coordinates and shape no prediction, so that inner folds may share them.
        """
        features = self.samples.features
        return {
            name: principal_axes(values[self.samples.has(name)])
            for name, values in features.items()
        }

    @cached_property
    def _in_axes(self) -> dict[str, np.ndarray]:
        features = self.samples.features
        return {name: in_axes(values, self._axes[name]) for name, values in features.items()}

    def _regression(self, modality: str, learn: np.ndarray) -> FittedLogistic | None:
        learn = learn[self.samples.has(modality)[learn]]
        values, labels = self._in_axes[modality][learn], self.labels[learn]
        if not values.shape[1] or len(np.unique(labels)) < 2:
            return None
        return fit_logistic(values, labels, self.classes)

    def base(self, modality: str) -> FittedBase:
        """Fit a modality's regression on all training samples that have it."""
        learned = self._regression(modality, np.arange(len(self)))
        return FittedBase(modality, self.prior, self._axes[modality], learned)

    def bases(self) -> tuple[FittedBase, ...]:
        """Fit the regressions of all modalities."""
        return tuple(self.base(name) for name in self.modalities)

    def held_out(self, modality: str, folds: Folds | None = None) -> np.ndarray:
        """Return out-of-fold probabilities of all training samples by a modality's regression.

        Parameters
        ----------
        modality
            Its name.
        folds
            Samples to learn from and to hold out; those of `inner_folds` where None.

        Returns
        -------
        numpy.ndarray
            (n, classes). Samples without the modality hold the prior.
        """
        result = np.tile(self.prior, (len(self), 1))
        has = self.samples.has(modality)
        for learn, held_out in self.inner_folds if folds is None else folds:
            regression, rows = self._regression(modality, learn), held_out[has[held_out]]
            if regression is not None and rows.size:
                result[rows] = regression.predict(self._in_axes[modality][rows])
        return result
