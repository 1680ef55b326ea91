"""Peers that fuse decisions: they join the class probabilities of one regression per modality."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.methods.peers.choice import by_the_best, ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.methods.peers.base import FittedBase
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples

MOST_COMBINATIONS = 4096
# On TCGA-BRCA with seeds 10 and 11 ten times the step size overfits: log-loss .572 instead of .418.
DISCOVERY = {"hidden_layer_sizes": (32,), "learning_rate_init": 0.001, "max_iter": 200}


@dataclass(frozen=True)
class LateFusion:
    """The modalities' regressions, whose probabilities are averaged."""

    bases: tuple[FittedBase, ...]

    def predict(self, samples: Samples) -> np.ndarray:
        """Return the mean probability of the modalities that a sample has; (n, classes)."""
        has = samples.available.astype(float)
        stack = np.stack([base.predict(samples) for base in self.bases], axis=1)
        return np.einsum("nm,nmc->nc", has, stack) / has.sum(axis=1)[:, None]


def fit_late(side: TrainingSide) -> LateFusion:
    """Fit one logistic regression per modality."""
    return LateFusion(side.bases())


@dataclass(frozen=True)
class Unimodal:
    """The modalities' regressions, and how good each is.

    Parameters
    ----------
    bases
        The regressions.
    ranking
        Names of the modalities, from the one that inner folds find best to the worst.
    """

    bases: tuple[FittedBase, ...]
    ranking: tuple[str, ...]

    def predict(self, samples: Samples) -> dict[str, np.ndarray]:
        """Return probabilities by every sample's best modality, and by each; (n, classes) each."""
        predictions = {base.modality: base.predict(samples) for base in self.bases}
        named = {f"{Method.UNIMODAL_LR}/{name}": p for name, p in predictions.items()}
        return {Method.UNIMODAL_LR: by_the_best(self.ranking, predictions, samples), **named}


def fit_unimodal(side: TrainingSide) -> Unimodal:
    """Fit one logistic regression per modality, and rank them by what inner folds say.

    See `balmi.methods.peers.choice`.
    """
    bases = side.bases()
    if len(bases) == 1:
        return Unimodal(bases, side.modalities)
    return Unimodal(bases, ranked(side, {name: side.held_out(name) for name in side.modalities}))


def outer_product(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the joint probabilities of independent modalities.

    Parameters
    ----------
    probabilities
        Class probabilities of every modality; (n, classes) each.

    Returns
    -------
    numpy.ndarray
        (n, classes ** modalities); the last modality's class varies fastest.
    """

    def joined(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)

    return reduce(joined, probabilities)


@dataclass(frozen=True)
class CrossModal:
    """A network on the outer product of the modalities' probabilities.

    Parameters
    ----------
    bases
        The modalities' regressions.
    network
        The network.
    """

    bases: tuple[FittedBase, ...]
    network: MLPClassifier

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes)."""
        outer = outer_product([base.predict(samples) for base in self.bases])
        return self.network.predict_proba(outer)


def fit_vcdn(side: TrainingSide) -> CrossModal:
    """Fit a small network to the outer product of the modalities' out-of-fold probabilities.

    The idea of the view correlation discovery network of MOGONET (Wang et al. 2021, Nature
    Communications 12:3445), on the regressions that all peers share instead of graph networks.

    Raises
    ------
    MethodNotApplicable
        Where the outer product would have more than 4096 cells.
    """
    cells = side.classes ** len(side.modalities)
    if cells > MOST_COMBINATIONS:
        what = f"{side.classes:,} classes to the power of {len(side.modalities):,} modalities"
        raise MethodNotApplicable(f"{what} are {cells:,} combinations, above {MOST_COMBINATIONS:,}")
    inner = outer_product([side.held_out(name) for name in side.modalities])
    network = MLPClassifier(**DISCOVERY, random_state=side.seed)
    with warnings.catch_warnings():
        # The number of epochs is fixed, as in the paper.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        network.fit(inner, side.labels)
    return CrossModal(side.bases(), network)
