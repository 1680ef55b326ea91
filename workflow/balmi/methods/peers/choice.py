"""Which modality is the best on its own, and what it says: the reference of all combinations.

Every modality is judged on the training samples that have it, by what it gains over their class
frequencies out of inner folds. A sample is told by the best of those that it has, so that nobody's
evidence is combined, and nobody goes without a word for lack of one modality. A reference that
names one modality for all, and the class frequencies to those who lack it, is beaten by any
combination: of a public cohort of 68 patients, of whom 30 have all five modalities, regressions so
chosen on these 30 read .55 macro-F1 where the best modality, which all patients have, reads .75
(2 x 5 folds, seed 950).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.methods.peers.priors import frequencies, matched
from balmi.methods.peers.stacking import SMALLEST_PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.fitted import Samples


def log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the negative log-probability of every sample's own class, nats; (n,)."""
    true = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(true, SMALLEST_PROBABILITY))


def _gain(said: np.ndarray, labels: np.ndarray, classes: int, *, whole: bool) -> float:
    """Return by how much log-loss lies below that of class frequencies; nats per sample.

    Unless all modalities have the whole of the samples, predictions are matched to the class
    frequencies of those that one has, so that whom it was measured of counts for nothing.
    """
    if not labels.size:
        return -np.inf
    prior = frequencies(labels, classes)
    told = said if whole else matched(said, prior)
    known = log_losses(np.tile(prior, (len(labels), 1)), labels).mean()
    return float(known - log_losses(told, labels).mean())


def ranked(side: TrainingSide, held_out: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Return the modalities from the best to the worst.

    Parameters
    ----------
    side
        The training side.
    held_out
        Modality -> probabilities of the training samples, each by what has not learned from it, NaN
        where there is none; (n, classes).
    """
    told = {
        name: side.samples.has(name) & ~np.isnan(said).any(axis=1)
        for name, said in held_out.items()
    }
    whole = all(rows.all() for rows in told.values())
    gains = {
        name: _gain(held_out[name][rows], side.labels[rows], side.classes, whole=whole)
        for name, rows in told.items()
    }
    return tuple(sorted(gains, key=lambda name: -gains[name]))


def by_the_best(
    ranking: Sequence[str], said: Mapping[str, np.ndarray], samples: Samples
) -> np.ndarray:
    """Return what the best modality of each sample says of it, of those that it has.

    Parameters
    ----------
    ranking
        Modalities from the best to the worst. A sample that has none of them is told by the first.
    said
        Modality -> probabilities; (n, classes).
    samples
        The samples.
    """
    result = said[ranking[0]]
    for name in reversed(ranking):
        has = samples.has(name)
        result = said[name] if has.all() else np.where(has[:, None], said[name], result)
    return result
