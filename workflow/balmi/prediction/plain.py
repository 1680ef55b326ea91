"""What stands for learned objects of scikit-learn in a final model: arrays, and how to ask them.

Each has the method by which the library asks the object that it stands for, and gives the same
numbers up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.information.machines import radial

if TYPE_CHECKING:
    from collections.abc import Callable

    Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]

BLOCK = 1000  # samples that go through all trees at once
HALF = 2  # degree of the products


@dataclass(frozen=True)
class Trees:
    """A forest, for scikit-learn's ``RandomForestClassifier``.

    Nodes and leaves of all trees lie one after the other. A child below 0 is leaf ``-1 - child``.

    Parameters
    ----------
    classes_
        Codes of the classes that were learned from; (seen,).
    roots
        Where every tree begins, a node or a leaf; (trees,).
    features, thresholds
        Of every node: a sample goes left where its feature is at most the threshold; (nodes,).
    left, right
        Children of every node; (nodes,).
    votes
        Shares of the classes in every leaf; (leaves, seen).
    """

    classes_: np.ndarray
    roots: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    left: np.ndarray
    right: np.ndarray
    votes: np.ndarray

    @property
    def estimators_(self) -> np.ndarray:
        """One entry per tree."""
        return self.roots

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        """Return the mean vote of the trees; (n, seen)."""
        parts = [values[start : start + BLOCK] for start in range(0, len(values), BLOCK)]
        return np.concatenate([self._votes(part) for part in parts or [values]])

    def _votes(self, values: np.ndarray) -> np.ndarray:
        # Forests are learned in single precision, and so are their thresholds compared.
        values = values.astype(np.float32, copy=False)
        places = np.tile(self.roots, (len(values), 1))
        inside = places >= 0
        while inside.any():
            rows, trees = np.nonzero(inside)
            nodes = places[rows, trees]
            goes_left = values[rows, self.features[nodes]] <= self.thresholds[nodes]
            places[rows, trees] = np.where(goes_left, self.left[nodes], self.right[nodes])
            inside = places >= 0
        total = np.zeros((len(values), self.votes.shape[1]))
        for tree in places.T:
            total += self.votes[-1 - tree]
        return total / len(self.roots)


@dataclass(frozen=True)
class Margins:
    """A support vector machine, for scikit-learn's ``SVC`` with one margin per pair of classes.

    Parameters
    ----------
    kernel
        Gives the similarities of two sets of samples.
    vectors
        The support vectors, class by class; (vectors, features).
    counts
        How many each class has; (seen,).
    coefficients
        Of every vector against each other class, as libsvm has them; (seen - 1, vectors).
    intercepts
        One per pair of classes; (pairs,).
    """

    kernel: Kernel
    vectors: np.ndarray
    counts: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray

    def decision_function(self, values: np.ndarray) -> np.ndarray:
        """Return the margin of every pair of classes; (n, pairs), of two classes (n,).

        The margin of classes i < j is the sum over vectors of i of their coefficients against j,
        and over vectors of j of theirs against i, each times its similarity (Chang and Lin 2011,
        ACM TIST 2:27, section 6).
        """
        similar = self.kernel(values, self.vectors)
        if len(self.counts) == HALF:
            return similar @ self.coefficients[0] + self.intercepts[0]
        ends = np.cumsum(self.counts)
        own = [slice(end - count, end) for end, count in zip(ends, self.counts, strict=True)]
        pairs = [(i, j) for i in range(len(own)) for j in range(i + 1, len(own))]
        return np.column_stack(
            [
                similar[:, own[i]] @ self.coefficients[j - 1, own[i]]
                + similar[:, own[j]] @ self.coefficients[i, own[j]]
                + self.intercepts[place]
                for place, (i, j) in enumerate(pairs)
            ]
        )


@dataclass(frozen=True)
class Landmarks:
    """Similarities to some samples, for scikit-learn's ``Nystroem`` with a radial kernel.

    Parameters
    ----------
    gamma
        Of the kernel.
    landmarks
        The samples; (landmarks, features).
    normalisation
        The root of the inverse of the similarities among them; (landmarks, landmarks).
    """

    gamma: float
    landmarks: np.ndarray
    normalisation: np.ndarray

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return coordinates; (n, landmarks)."""
        return radial(values, self.landmarks, self.gamma) @ self.normalisation.T


@dataclass(frozen=True)
class Scale:
    """Columns less their means, over their deviations, for scikit-learn's ``StandardScaler``."""

    means: np.ndarray
    deviations: np.ndarray

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return scaled columns; the same shape."""
        return (values - self.means) / self.deviations


@dataclass(frozen=True)
class WithProducts:
    """Columns and the products of every two, for ``PolynomialFeatures`` of degree 2, no bias."""

    columns: int

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return columns, then products, those of the first column first."""
        first, second = np.triu_indices(self.columns)
        return np.hstack([values, values[:, first] * values[:, second]])


@dataclass(frozen=True)
class Chain:
    """One transform after the other, for scikit-learn's ``Pipeline``."""

    steps: tuple[Scale | WithProducts, ...]

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return what the last of them makes."""
        for step in self.steps:
            values = step.transform(values)
        return values
