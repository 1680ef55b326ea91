"""What missing features do to probabilities, measured, and how far these are widened for it.

A part of the training samples is held out, and a model of the same kind is trained on the others.
Features of one modality are then taken from the held-out samples at random, as a file of new
samples may lack them, and their training mean takes their place. A factor by which evidence is
multiplied,

    log p'(y) = log prior(y) + f (log p(y) - log prior(y)) + constant,   0 <= f <= 1,

is chosen for the log-loss there, over the factor that is best with all features (both at most 1,
since probabilities are only ever widened). Shares between
those that were tried lie on a line between them; factors of several modalities multiply.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from balmi.preprocess.fitted import Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # Evidence and prior, as logs, and class codes.
    Told = tuple[np.ndarray, np.ndarray, np.ndarray]

SHARES = (0.1, 0.2, 0.35, 0.5)
DRAWS = 4
STRONGEST = 4.0  # a factor that is looked for among held-out samples
FEWEST = 20  # held-out samples that have a modality, to measure anything on
ENOUGH = 100  # held-out samples, beyond which another inner fold is not asked
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Widening:
    """What was measured.

    Parameters
    ----------
    modalities
        Names of the modalities that it was measured for.
    shares
        The shares of features that were taken away, ascending, 0 first; (shares,).
    factors
        By which evidence is multiplied; (modalities, shares).
    losses
        Mean log-loss of held-out samples that have the modality, unwidened; (modalities, shares).
    samples
        Held-out samples that have each modality; (modalities,).
    """

    modalities: tuple[str, ...]
    shares: np.ndarray
    factors: np.ndarray
    losses: np.ndarray
    samples: np.ndarray

    @classmethod
    def nothing(cls) -> Widening:
        """Return what holds where nothing could be measured."""
        none = np.zeros((0, 1 + len(SHARES)))
        return cls((), np.array([0.0, *SHARES]), none, none, np.zeros(0, dtype=np.int64))

    def factor(self, modality: str, share: float) -> float | None:
        """Return the factor for a share of missing features, None where it was not measured."""
        if not share:
            return 1.0
        if modality not in self.modalities:
            return None
        factors = self.factors[self.modalities.index(modality)]
        return float(np.interp(share, self.shares, factors))


def widened(probabilities: np.ndarray, prior: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return probabilities with their evidence multiplied by a factor each.

    Parameters
    ----------
    probabilities
        (n, classes).
    prior
        Class frequencies, none of them 0; (classes,).
    factors
        (n,). With 1 the probabilities stay what they are.
    """
    logs = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    beyond = logs - np.log(prior)
    result = softmax(np.log(prior) + factors[:, None] * beyond, axis=1)
    return np.where((factors == 1)[:, None], probabilities, result)


def masked(samples: Samples, modality: str, columns: np.ndarray) -> Samples:
    """Return samples in which some features of a modality have their training mean."""
    values = samples.features[modality].copy()
    values[:, columns] = 0
    return Samples({**samples.features, modality: values}, samples.available)


@dataclass(frozen=True)
class HeldOut:
    """Samples, and a model that has not learned from them.

    Parameters
    ----------
    say
        Returns probabilities; (n, classes).
    samples, labels
        The samples and their class codes.
    prior
        Class frequencies of what was learned from, none of them 0.
    """

    say: Callable[[Samples], np.ndarray]
    samples: Samples
    labels: np.ndarray
    prior: np.ndarray

    def having(self, modality: str) -> HeldOut:
        """Return the same for those samples that have a modality."""
        has = self.samples.has(modality)
        return HeldOut(self.say, self.samples.take(has), self.labels[has], self.prior)

    def lacking(self, modality: str, rng: np.random.Generator) -> list[Told]:
        """Return what is said without shares of a modality's features, in several draws.

        Parameters
        ----------
        modality
            Its name.
        rng
            Draws features.

        Returns
        -------
        list of tuple
            One for every share, 0 first: probabilities less the prior, both as logs,
            (draws * n, classes); logs of the prior, the same shape; class codes.
        """
        width = self.samples.features[modality].shape[1]
        taken = [np.zeros(0, dtype=np.int64)]
        for share in SHARES:
            count = min(width, max(1, round(share * width)))
            taken += [rng.choice(width, count, replace=False) for _ in range(DRAWS)]
        # Asked together, since asking once takes about as long as asking for all of them.
        said = self.say(Samples.joined([masked(self.samples, modality, each) for each in taken]))
        logs = np.log(np.maximum(said, SMALLEST_PROBABILITY))
        prior = np.broadcast_to(np.log(self.prior), logs.shape)
        labels, count = np.tile(self.labels, len(taken)), len(self.labels)
        ends = [0, *(count * (1 + DRAWS * number) for number in range(len(SHARES) + 1))]
        parts = [slice(*pair) for pair in pairwise(ends)]
        return [(logs[part] - prior[part], prior[part], labels[part]) for part in parts]


def measure(parts: Sequence[HeldOut], seed: int) -> Widening:
    """Take features from held-out samples, and see what that does.

    Parameters
    ----------
    parts
        Held-out samples, each with what has not learned from them.
    seed
        Of the features that are taken away.
    """
    rng = np.random.default_rng([seed, 3])
    names, factors, losses, counts = [], [], [], []
    for modality in parts[0].samples.features if parts else ():
        known = [part for part in (each.having(modality) for each in parts) if len(part.samples)]
        count = sum(len(part.samples) for part in known)
        if count < FEWEST:
            continue
        told = [
            tuple(map(np.concatenate, zip(*parts_of_share, strict=True)))
            for parts_of_share in zip(*(part.lacking(modality, rng) for part in known), strict=True)
        ]
        found = np.array([best_factor(*each) for each in told])
        # Above 1 probabilities are too modest: then nothing has to be taken from them.
        sure = np.minimum(found, 1)
        relative = np.minimum(sure / max(sure[0], SMALLEST_PROBABILITY), 1)
        names.append(modality)
        factors.append(np.minimum.accumulate(relative))
        losses.append([_loss(1.0, *each) for each in told])
        counts.append(count)
    if not names:
        return Widening.nothing()
    tables = np.array(factors), np.array(losses), np.array(counts)
    return Widening(tuple(names), np.array([0.0, *SHARES]), *tables)


def best_factor(beyond: np.ndarray, prior: np.ndarray, labels: np.ndarray) -> float:
    """Return the factor with the smallest log-loss; as `HeldOut.lacking` gives them."""
    found = minimize_scalar(
        _loss, bounds=(0, STRONGEST), args=(beyond, prior, labels), method="bounded"
    )
    return float(found.x)


def _loss(factor: float, beyond: np.ndarray, prior: np.ndarray, labels: np.ndarray) -> float:
    logs = log_softmax(prior + factor * beyond, axis=1)
    return float(-logs[np.arange(len(labels)), labels].mean())
