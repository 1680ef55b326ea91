"""The training side of a fold as peers see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.splits import stratified_folds
from balmi.errors import MethodNotApplicable
from balmi.information.members import class_prior
from balmi.methods.peers.base import fit_base
from balmi.methods.peers.priors import frequencies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.peers.base import FittedBase
    from balmi.preprocess.fitted import Samples

    Folds = Sequence[tuple[np.ndarray, np.ndarray]]
    # Probabilities of the training samples, out of fold, and what gives those of others.
    Lesson = tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]
    Learner = Callable[["TrainingSide", np.ndarray, np.ndarray], Lesson]

INNER_FOLDS = 5
# Two thirds of many samples teach a regression what four fifths do, in 3/5 of the time.
FEW_INNER_FOLDS, MANY_SAMPLES = 3, 5000


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
    known
        Modality -> its regression, of those that were fitted to these samples before.
    """

    samples: Samples
    labels: np.ndarray
    groups: np.ndarray | None
    classes: int
    seed: int
    known: Mapping[str, FittedBase] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        cohort: Roster,
        split: Split,
        samples: Samples,
        known: Mapping[str, FittedBase] | None = None,
    ) -> TrainingSide:
        """Return the training side of a fold.

        Parameters
        ----------
        cohort
            The cohort, for labels and groups.
        split
            The fold.
        samples
            Its training samples.
        known
            The regressions of its modalities, where they were fitted before.
        """
        groups = None if cohort.groups is None else cohort.groups[split.fit]
        labels, classes = cohort.labels[split.fit], len(cohort.classes)
        return cls(samples, labels, groups, classes, split.repeat, known or {})

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

    @property
    def smoothed_prior(self) -> np.ndarray:
        """Class frequencies with half a sample more of each, so that none is 0; (classes,)."""
        return class_prior(self.labels, self.classes)

    @cached_property
    def base_folds(self) -> Folds:
        """Samples to learn from and to hold out in an inner stratified (group) k-fold.

        There are as many folds as the rarest class has members, at most 5, and of more than 5,000
        samples at most 3. Where a class has a single member or none it sets no number, and where
        there is one group alone, there are no folds.
        """
        units = len(self) if self.groups is None else len(np.unique(self.groups))
        members = np.bincount(self.labels, minlength=self.classes)
        rarest = int(members.min() if members.min() > 1 else members.max())
        most = INNER_FOLDS if len(self) <= MANY_SAMPLES else FEW_INNER_FOLDS
        count = min(most, rarest, units)
        if count < 2:
            return []
        return stratified_folds(self.labels, self.groups, count, self.seed)

    @property
    def inner_folds(self) -> Folds:
        """`base_folds`, where each of them can hold every class out.

        Raises
        ------
        MethodNotApplicable
            Where there are fewer than two groups, or members of the rarest class.
        """
        self._check_every_class_is_held_out()
        return self.base_folds

    def _check_every_class_is_held_out(self) -> None:
        if np.bincount(self.labels, minlength=self.classes).min() < 2:
            raise MethodNotApplicable("a class has fewer than 2 members in a training part")
        if not self.base_folds:
            raise MethodNotApplicable("there is only one group in a training part")

    @cached_property
    def _bases(self) -> dict[str, FittedBase]:
        return dict(self.known)

    def base(self, modality: str) -> FittedBase:
        """Return a modality's regression; one that is not known is fitted, and once."""
        if modality not in self._bases:
            self._bases[modality] = fit_base(self, modality)
        return self._bases[modality]

    def bases(self) -> tuple[FittedBase, ...]:
        """Return the regressions of all modalities."""
        return tuple(self.base(name) for name in self.modalities)

    @cached_property
    def _lessons(self) -> dict[tuple[Learner, str], Lesson]:
        return {}

    def lesson(self, learn: Learner, modality: str) -> Lesson:
        """Return what is learned from a modality alone, once for all methods that rest on it.

        Parameters
        ----------
        learn
            Given this side, the modality's features (n, features) and who has it (n,), what is said
            of the training samples by what has not learned from them, and what learned from all.
        modality
            Its name.
        """
        key = learn, modality
        if key not in self._lessons:
            samples = self.samples
            self._lessons[key] = learn(self, samples.features[modality], samples.has(modality))
        return self._lessons[key]

    def held_out(self, modality: str) -> np.ndarray:
        """Return out-of-fold probabilities of all training samples by a modality's regression.

        Parameters
        ----------
        modality
            Its name.

        Returns
        -------
        numpy.ndarray
            (n, classes). Samples without the modality hold the prior.

        Raises
        ------
        MethodNotApplicable
            As `inner_folds` does.
        """
        self._check_every_class_is_held_out()
        return self.base(modality).held_out
