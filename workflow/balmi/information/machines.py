"""Support vector machines and their scores, which a calibration makes probabilities of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.svm import SVC


@dataclass(frozen=True)
class FittedMachine:
    """A support vector machine that has learned.

    Parameters
    ----------
    classes
        Number of classes.
    seen
        Codes of the classes that it learned from; (seen,).
    machine
        None where there was one class alone.
    learned
        The features that it learned from, no copy; (n, features). With a kernel that is a function
        scikit-learn has the support vectors' numbers alone.
    """

    classes: int
    seen: np.ndarray
    machine: SVC | None
    learned: np.ndarray

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return every class's mean margin over the other classes.

        Parameters
        ----------
        values
            (n, features).

        Returns
        -------
        numpy.ndarray
            (n, classes). A class that was not learned from has the lowest score of the row; where
            there was one class alone, all scores are 0.
        """
        total = np.zeros((len(values), self.classes))
        if self.machine is None:
            return total
        margins = self.machine.decision_function(values)
        if len(self.seen) == 2:
            margins = -margins[:, None]  # of two classes, margins are positive for the second
        for (first, second), margin in zip(combinations(self.seen, 2), margins.T, strict=True):
            total[:, first] += margin
            total[:, second] -= margin
        total[:, self.seen] /= len(self.seen) - 1
        unseen = np.setdiff1d(np.arange(self.classes), self.seen)
        total[:, unseen] = total[:, self.seen].min(axis=1, keepdims=True)
        return total


def fit_machine(
    values: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    cost: float = 1.0,
    kernel: str | Callable[[np.ndarray, np.ndarray], np.ndarray] = "rbf",
) -> FittedMachine:
    """Fit a support vector machine, with a radial kernel unless another is given.

    Parameters
    ----------
    values, labels
        What is learned from; (n, features) and (n,).
    classes
        Number of classes.
    cost
        C of scikit-learn.
    kernel
        As scikit-learn takes it: a name, or what gives the similarities of two sets of samples.
    """
    from sklearn.svm import SVC

    seen, machine = np.unique(labels), None
    if len(seen) > 1:
        machine = SVC(C=cost, kernel=kernel, decision_function_shape="ovo").fit(values, labels)
    return FittedMachine(classes, seen, machine, values)
