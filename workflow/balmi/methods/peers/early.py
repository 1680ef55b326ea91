"""Peers that fuse features: one classifier on all modalities side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.information.machines import FittedMachine, fit_machine
from balmi.methods.peers.logistic import fit_logistic

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightgbm import LGBMClassifier

    from balmi.methods.peers.logistic import FittedLogistic
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples

TREES = 500
# Every tree learns from a draw of at most so many samples: from there on trees take no longer.
MOST_PER_TREE = 20_000
# A kernel machine grows with the square of the samples at least: a fit on 1,000 cells x 2,000 genes
# takes 1 s, and six are needed in every fold.
MOST_OF_MACHINE = 5_000
# Margins are small numbers and calibration has few coefficients: under the usual penalty, rare
# classes are never predicted (macro-F1 .511 on TCGA-BRCA with seeds 10 and 11; .698 with this one).
CALIBRATION_INVERSE_PENALTY = 10.0
# With 63 bins instead of 255, TCGA-BRCA takes 40 % of the time and scores move by .003 at most.
BOOSTING = {
    **{"max_bin": 63, "n_jobs": 1, "verbosity": -1},
    **{"deterministic": True, "force_row_wise": True},
}


class Classifier(Protocol):
    """What has learned from features side by side."""

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities; (n, classes)."""


def side_by_side(samples: Samples) -> np.ndarray:
    """Return all features, 0 (the mean) where a modality is absent; (n, features)."""
    return np.hstack(list(samples.features.values()))


@dataclass(frozen=True)
class EarlyFusion:
    """A classifier of all features side by side.

    Parameters
    ----------
    prior
        Class frequencies of the training side; (classes,).
    classifier
        None where it had no choice: every sample gets the class frequencies.
    """

    prior: np.ndarray
    classifier: Classifier | None

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        if self.classifier is None:
            return np.tile(self.prior, (len(samples), 1))
        return self.classifier.predict(side_by_side(samples))


def _fit(side: TrainingSide, fit: Callable[[TrainingSide, np.ndarray], Classifier]) -> EarlyFusion:
    """Fit a classifier on all features, where there is a choice of classes and of features."""
    values = side_by_side(side.samples)
    choice = values.shape[1] and len(np.unique(side.labels)) > 1
    return EarlyFusion(side.prior, fit(side, values) if choice else None)


def _regression(side: TrainingSide, values: np.ndarray, *, balanced: bool) -> FittedLogistic:
    return fit_logistic(values, side.labels, side.classes, balanced=balanced)


@dataclass(frozen=True)
class CalibratedMachine:
    """A support vector machine and the regression that makes probabilities of its scores."""

    machine: FittedMachine
    calibration: FittedLogistic

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        return self.calibration.predict(self.machine.scores(values))


def _machine(side: TrainingSide, values: np.ndarray) -> CalibratedMachine:
    """Fit a machine, and Platt scaling of all classes to what inner folds say.

    Raises
    ------
    MethodNotApplicable
        Where there are more than `MOST_OF_MACHINE` training samples.
    """
    if len(side) > MOST_OF_MACHINE:
        raise MethodNotApplicable(
            f"a kernel machine compares every two of {len(side):,} training samples, and would take"
            f" hours with more than {MOST_OF_MACHINE:,}; concat-lr and concat-boosting do not,"
            " and advanced.evaluation.training_share makes samples fewer"
        )
    labels, classes = side.labels, side.classes
    inner = np.empty((len(side), classes))
    for learn, rows in side.inner_folds:
        inner[rows] = fit_machine(values[learn], labels[learn], classes).scores(values[rows])
    penalty = CALIBRATION_INVERSE_PENALTY
    calibration = fit_logistic(inner, labels, classes, inverse_penalty=penalty)
    return CalibratedMachine(fit_machine(values, labels, classes), calibration)


@dataclass(frozen=True)
class Forest:
    """Trees, and one more that knows class frequencies alone.

    Without it a class that no tree votes for would have probability 0.
    """

    forest: RandomForestClassifier
    prior: np.ndarray

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return mean votes; (n, classes)."""
        votes = np.zeros((len(values), len(self.prior)))
        votes[:, self.forest.classes_] = self.forest.predict_proba(values)
        trees = len(self.forest.estimators_)
        return (trees * votes + self.prior) / (trees + 1)


def _forest(side: TrainingSide, values: np.ndarray) -> Forest:
    draw = MOST_PER_TREE if len(side) > MOST_PER_TREE else None
    forest = RandomForestClassifier(TREES, max_samples=draw, random_state=side.seed, n_jobs=1)
    return Forest(forest.fit(values, side.labels), side.prior)


@dataclass(frozen=True)
class Boosting:
    """Boosted trees, and the number of classes that they may predict."""

    trees: LGBMClassifier
    classes: int

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        result = np.zeros((len(values), self.classes))
        result[:, self.trees.classes_] = self.trees.predict_proba(values)
        return result


def _boosting(side: TrainingSide, values: np.ndarray) -> Boosting:
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError: its OpenMP library is not there
        raise MethodNotApplicable(f"lightgbm cannot be imported: {error}") from error
    many = len(side) > MOST_PER_TREE
    # Stochastic gradient boosting (Friedman 2002), a new draw for every tree.
    draw = {"subsample": MOST_PER_TREE / len(side), "subsample_freq": 1} if many else {}
    trees = lightgbm.LGBMClassifier(random_state=side.seed, **BOOSTING, **draw)
    return Boosting(trees.fit(values, side.labels), side.classes)


EARLY: dict[Method, Callable[[TrainingSide], EarlyFusion]] = {
    method: partial(_fit, fit=fit)
    for method, fit in {
        Method.CONCAT_LR: partial(_regression, balanced=False),
        Method.CONCAT_LR_BALANCED: partial(_regression, balanced=True),
        Method.CONCAT_SVM: _machine,
        Method.CONCAT_FOREST: _forest,
        Method.CONCAT_BOOSTING: _boosting,
    }.items()
}
