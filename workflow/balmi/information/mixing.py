"""One prediction of many: a log-linear pool, weighed by out-of-fold likelihood.

With prior p(y) and experts e, the pool says

    log p(y | x) = log p(y) + sum_e w_e (log p_e(y | x) - log p(y)) + constant,  w_e >= 0.

Evidence of experts that see different modalities adds up, as it does for modalities that are
independent given the class, where all weights are 1; experts that say the same share a weight. A
sum of weights below 1 makes the pool less sure than its experts, so that no temperature is needed.
An expert that cannot see a sample says the prior, which changes nothing.

The weights maximise the likelihood of out-of-fold predictions (Genest and Zidek 1986, Statistical
Science 1:114, for the pool), less `PULL` / 2 E sum_e (w_e - 1/E)^2 nats for E experts: they are
pulled to their geometric mean, by so many nats whatever the number of samples, so that what is
shrunk where samples are few is free where they are many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

# Chosen among .3, 1, 2, 4 and 8 at seed 200 on ten public cohorts of 58 to 444 samples: mean
# log-loss there is .019 below that of the best of six simple peers in hindsight, at 1 as well; .015
# at 4 and at .3, .008 at 8. On four of them a temperature per expert before the
# pool loses .004 nats and .013 macro-F1.
PULL = 2.0
SMALLEST_PROBABILITY = 1e-6


def evidence(said: Sequence[np.ndarray], prior: np.ndarray) -> np.ndarray:
    """Return what experts say beyond the prior, log p_e(y | x) - log p(y), nats.

    Parameters
    ----------
    said
        Probabilities by every expert; (n, classes) each.
    prior
        Class frequencies, none of them 0; (classes,), or those of every sample, (n, classes).

    Returns
    -------
    numpy.ndarray
        (experts, n, classes).
    """
    probabilities = np.maximum(np.array(said), SMALLEST_PROBABILITY)
    return np.log(probabilities / probabilities.sum(axis=-1, keepdims=True)) - np.log(prior)


def pooled(beyond: np.ndarray, weights: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the pool's probabilities; (n, classes).

    Parameters
    ----------
    beyond
        As `evidence` gives it.
    weights
        One per expert.
    prior
        Class frequencies, as `evidence` takes them.
    """
    return softmax(np.log(prior) + np.tensordot(weights, beyond, axes=1), axis=1)


def fit_weights(beyond: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the weights of largest penalised likelihood, at least 0; (experts,).

    The problem is convex; of several optima that of L-BFGS-B from equal weights is taken.

    Parameters
    ----------
    beyond
        Out-of-fold, as `evidence` gives it.
    labels
        Class codes; (n,).
    prior
        Class frequencies, as `evidence` takes them.
    """
    experts, rows = len(beyond), np.arange(len(labels))
    if not experts:
        return np.zeros(0)
    equal = np.full(experts, 1 / experts)
    true = beyond[:, rows, labels].sum(axis=1)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = np.log(prior) + np.tensordot(weights, beyond, axes=1)
        away = weights - equal
        value = -log_softmax(logits, axis=1)[rows, labels].sum() + PULL / 2 * experts * away @ away
        expected = np.einsum("nc,enc->e", softmax(logits, axis=1), beyond)
        return value, expected - true + PULL * experts * away

    found = minimize(loss, equal, jac=True, method="L-BFGS-B", bounds=[(0, None)] * experts)
    return found.x
