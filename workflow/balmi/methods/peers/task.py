"""What a peer may see of one fold, and the base models that the peers share.

The base models are one logistic regression per modality, fitted on the training samples that have
it. A sample without the modality gets the class frequencies of the training part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from balmi.errors import MethodNotApplicable
from balmi.methods.peers.logistic import logistic, rotated
from balmi.methods.peers.priors import frequencies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INNER_FOLDS = 5


@dataclass(frozen=True)
class FoldTask:
    """What a peer may see of one fold.

    Parameters
    ----------
    features
        Modality -> preprocessed features, fitted on the rows `fit`; (n, features).
    available
        Availability mask; (n, modalities).
    labels
        Class codes; those of `test` rows are not read by any peer; (n,).
    groups
        Group of every row, or None.
    classes
        Number of classes.
    fit, test
        Rows to learn from and rows to predict.
    seed
        Seed of inner folds and of what a peer draws.
    """

    features: dict[str, np.ndarray]
    available: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None
    classes: int
    fit: np.ndarray
    test: np.ndarray
    seed: int

    @cached_property
    def prior(self) -> np.ndarray:
        """Class frequencies of the training part; (classes,)."""
        return frequencies(self.labels[self.fit], self.classes)

    def inner_folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Return (learn, hold out) rows of an inner stratified (group) k-fold of `fit`.

        Raises
        ------
        MethodNotApplicable
            Where the training part has fewer than two groups, or members of the rarest class.
        """
        return iter(self._inner_parts)

    @cached_property
    def _inner_parts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        labels = self.labels[self.fit]
        groups = None if self.groups is None else self.groups[self.fit]
        units = len(labels) if groups is None else len(np.unique(groups))
        rarest = int(np.bincount(labels, minlength=self.classes).min())
        count = min(INNER_FOLDS, rarest, units)
        if count < 2:
            what = "a class has fewer than 2 members" if rarest < 2 else "there is only one group"
            raise MethodNotApplicable(f"{what} in a training part")
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        splitter = kind(count, shuffle=True, random_state=self.seed)
        parts = splitter.split(self.fit, labels, groups)
        return [(self.fit[learn], self.fit[held_out]) for learn, held_out in parts]

    def has(self, modality: str) -> np.ndarray:
        """Which rows have the modality; (n,), bool."""
        return self.available[:, list(self.features).index(modality)]

    @cached_property
    def _rotated(self) -> dict[str, np.ndarray]:
        """Modality -> features, wide ones in the principal axes of the training samples.

        Axes are coordinates and shape no prediction, so that inner folds may share them.
        """
        found = {}
        for name, values in self.features.items():
            learn = self.fit[self.has(name)[self.fit]]
            if learn.size and values.shape[1]:
                found[name] = rotated(values, learn)
        return found

    def probabilities(self, modality: str, learn: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Fit the modality's logistic regression on `learn` and predict `rows`.

        Parameters
        ----------
        modality
            Its name.
        learn
            Rows to learn from, all of them in `fit`.
        rows
            Rows to predict.

        Returns
        -------
        numpy.ndarray
            Probabilities; (len(rows), classes). Rows without the modality hold the prior.
        """
        has = self.has(modality)
        learn, here = learn[has[learn]], has[rows]
        result = np.tile(self.prior, (len(rows), 1))
        told = len(np.unique(self.labels[learn])) > 1 and modality in self._rotated
        if told and here.any():
            values = self._rotated[modality]
            labels, asked = self.labels[learn], values[rows[here]]
            result[here] = logistic(values[learn], labels, asked, self.classes)
        return result

    def held_out(
        self, modality: str, folds: Iterable[tuple[np.ndarray, np.ndarray]] | None = None
    ) -> np.ndarray:
        """Return out-of-fold probabilities of the rows `fit`.

        Parameters
        ----------
        modality
            Its name.
        folds
            (learn, hold out) rows that cover `fit`; those of `inner_folds` where None.

        Returns
        -------
        numpy.ndarray
            (len(fit), classes).
        """
        result = np.empty((len(self.fit), self.classes))
        for learn, rows in self.inner_folds() if folds is None else folds:
            result[np.searchsorted(self.fit, rows)] = self.probabilities(modality, learn, rows)
        return result
