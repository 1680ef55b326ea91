"""L2 logistic regression: the model that most peers are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import softmax

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Chosen for the strongest peer, stacked LR, on TCGA-BRCA with seeds 10 and 11, which the shipped
# configuration does not report: .782 macro-F1 and .376 log-loss there, against .747 and .499 at 1.
INVERSE_PENALTY = 0.1
MAX_ITERATIONS = 1000
SMALLEST_SHARE = 1e-14  # of the largest variance; below it lie rounding errors


@dataclass(frozen=True)
class Solver:
    """How scikit-learn looks for the coefficients.

    Parameters
    ----------
    name
        ``solver`` of scikit-learn.
    precision
        Type of the numbers that it computes in.
    tolerance
        Largest partial derivative of the mean loss at which it stops.
    """

    name: str
    precision: type[np.floating]
    tolerance: float

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Solver:
        """Return the solver for a table of samples and features: `QUICK` where it is large.

        Parameters
        ----------
        shape
            Samples and features.
        """
        large = shape[0] > MANY_SAMPLES and np.prod(shape) > MANY_VALUES
        return QUICK if large else EXACT


# On TCGA-BRCA Newton steps take two thirds of the time of L-BFGS, and stop nearer to the optimum.
EXACT = Solver("newton-cg", np.float64, 1e-4)
# On 16,000 simulated cells x 2,000 genes Newton steps take 14.5 s and L-BFGS in single precision
# 6.4 s; on 5,000 cells, 3.1 and 1.2 s. This tolerance leaves it as far from the optimum as Newton
# steps are: .0005 and .0005 in mean probability (.012 and .011 at the 99th percentile), and .0004
# and .0003 on 5,000 cells. At 1e-4 it would be four times as far.
QUICK = Solver("lbfgs", np.float32, 2e-5)
# Both must be passed: a table of few samples stays as it is, and of few features is quick anyway.
MANY_SAMPLES, MANY_VALUES = 3_000, 3_000_000


@dataclass(frozen=True)
class FittedLogistic:
    """A logistic regression that has learned; all that it knows is arrays.

    Parameters
    ----------
    shares
        What every sample gets where there is no coefficient; (classes,).
    seen
        Codes of the classes that it learned from; none where there was nothing to choose from.
    weights, intercepts
        (seen, features) and (seen,); of two classes, those of the second alone.
    """

    shares: np.ndarray
    seen: np.ndarray
    weights: np.ndarray
    intercepts: np.ndarray

    PARTS: ClassVar = ("shares", "seen", "weights", "intercepts")

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All that it knows, by the names of `PARTS`."""
        return {part: getattr(self, part) for part in self.PARTS}

    @classmethod
    def of_shares(cls, shares: np.ndarray) -> FittedLogistic:
        """Return what says the same of every sample."""
        return cls(shares, np.zeros(0, dtype=np.int64), np.zeros((0, 0)), np.zeros(0))

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities of all classes.

        Parameters
        ----------
        values
            (n, features).

        Returns
        -------
        numpy.ndarray
            (n, classes); a class that was not learned from has probability 0.
        """
        if not self.seen.size:
            return np.tile(self.shares, (len(values), 1))
        known = values.astype(self.weights.dtype, copy=False)
        margins = (known @ self.weights.T + self.intercepts).astype(np.float64, copy=False)
        if len(self.seen) == 2:
            margins = np.hstack([np.zeros_like(margins), margins])
        result = np.zeros((len(values), len(self.shares)))
        result[:, self.seen] = softmax(margins, axis=1)
        return result

    def upon(self, axes: Axes | None) -> FittedLogistic:
        """Return the same regression on the features behind principal axes.

        Parameters
        ----------
        axes
            The axes that it learned in; None where these are the features.
        """
        if axes is None or not self.seen.size:
            return self
        weights = self.weights @ axes.components
        return replace(self, weights=weights, intercepts=self.intercepts - weights @ axes.mean)


@dataclass(frozen=True)
class Axes:
    """The principal axes of some samples.

    Parameters
    ----------
    mean
        Mean of the samples; (features,).
    components
        Orthonormal axes along which they vary, that of most variance first; (axes, features).
    """

    mean: np.ndarray
    components: np.ndarray

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return coordinates along the axes; (n, axes)."""
        return (values - self.mean) @ self.components.T


def principal_axes(values: np.ndarray) -> Axes | None:
    """Return the principal axes of some samples where there are more features than samples.

    The penalty is the same in all orthonormal axes, and directions in which no learned sample
    varies get no coefficient: the regression stays the same, and needs no more coefficients than
    samples.

    With centred samples X = U S V^T the products of samples X X^T = U S^2 U^T are a small table
    where samples are few, and V = X^T U / S: two to three times as fast as the singular values of
    X, with the same probabilities to 1e-13.

    Parameters
    ----------
    values
        What is learned from; (n, features).

    Returns
    -------
    Axes or None
        None where the features are few, or there is no sample.
    """
    samples, features = values.shape
    if not 0 < samples < features:
        return None
    values = values.astype(np.float64, copy=False)
    mean = values.mean(axis=0)
    centred = values - mean
    variances, turned = np.linalg.eigh(centred @ centred.T)
    varies = variances > SMALLEST_SHARE * variances.max()
    lengths = np.sqrt(variances[varies])
    components = (turned[:, varies] / lengths).T @ centred
    return Axes(mean, np.ascontiguousarray(components[::-1]))


def in_axes(values: np.ndarray, axes: Axes | None) -> np.ndarray:
    """Return features in principal axes, or as they are where there are none; (n, columns)."""
    return values if axes is None else axes.transform(values)


def fit_logistic(
    values: np.ndarray,
    labels: ArrayLike,
    classes: int,
    *,
    balanced: bool = False,
    inverse_penalty: float = INVERSE_PENALTY,
) -> FittedLogistic:
    """Fit a logistic regression.

    One class alone has probability 1, and without features all samples have the class frequencies.
    The size of the table decides on the solver (`Solver.of`), whatever the precision of its values.

    Parameters
    ----------
    values, labels
        What is learned from; (n, features) and (n,).
    classes
        Number of classes.
    balanced
        Whether samples weigh inversely to the frequency of their class.
    inverse_penalty
        C of scikit-learn.
    """
    from sklearn.linear_model import LogisticRegression

    labels = np.asarray(labels)
    codes, counts = np.unique(labels, return_counts=True)
    shares = np.zeros(classes)
    shares[codes] = 1 / len(codes) if balanced else counts / counts.sum()
    if len(codes) == 1 or not values.shape[1]:
        return FittedLogistic.of_shares(shares)
    solver = Solver.of(values.shape)
    model = LogisticRegression(
        C=inverse_penalty,
        solver=solver.name,
        tol=solver.tolerance,
        max_iter=MAX_ITERATIONS,
        class_weight="balanced" if balanced else None,
    ).fit(values.astype(solver.precision, copy=False), labels)
    return FittedLogistic(shares, model.classes_, model.coef_, model.intercept_)
