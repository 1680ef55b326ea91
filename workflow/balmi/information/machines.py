"""Support vector machines and their scores, which a calibration makes probabilities of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.svm import SVC


def radial(one: np.ndarray, other: np.ndarray, gamma: float) -> np.ndarray:
    """Return exp(-gamma |a - b|^2) of every two samples; (n, m)."""
    from sklearn.metrics.pairwise import rbf_kernel

    return rbf_kernel(one, other, gamma)


@dataclass(frozen=True)
class Radial:
    """A radial kernel, scikit-learn's ``rbf``.

    Given to a machine it takes a tenth of the time of that name, and gives the same margins but for
    rounding: libsvm computes similarities one by one, and this as a product of matrices.

    Parameters
    ----------
    gamma
        One over the squared distance at which similarity has fallen to 1/e.
    """

    gamma: float

    @classmethod
    def of(cls, values: np.ndarray) -> Radial:
        """Return the kernel that scikit-learn calls ``scale``, for samples; (n, features)."""
        spread = values.shape[1] * float(values.var())
        return cls(1 / spread if spread > 0 else 1.0)

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return similarities; (n, m)."""
        return radial(one, other, self.gamma)


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
        The features that it learned from, no copy; (n, features). Of its support vectors
        scikit-learn has the numbers alone.
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
    kernel: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
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
        What gives the similarities of two sets of samples; `Radial.of` the values where None.
    """
    from sklearn.svm import SVC

    seen, machine = np.unique(labels), None
    if len(seen) > 1:
        kernel = Radial.of(values) if kernel is None else kernel
        machine = SVC(C=cost, kernel=kernel, decision_function_shape="ovo").fit(values, labels)
    return FittedMachine(classes, seen, machine, values)
