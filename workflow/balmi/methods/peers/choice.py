"""Which modality is the best on its own, judged on samples that can be compared.

A sample that lacks a modality gets the class frequencies from it. Judged on all samples, a weak
modality that many samples have would beat a strong one that few have, and where absence tells of
the class, who has what would decide. So modalities are compared on inner held-out samples that have
them all, with predictions matched to the class frequencies among those samples.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from balmi.methods.peers.priors import frequencies, matched
from balmi.methods.peers.stacking import SMALLEST_PROBABILITY

if TYPE_CHECKING:
    from balmi.methods.peers.side import TrainingSide

logger = logging.getLogger("balmi")

# Two modalities that differ as much as a coin from a good guess, .69 against .35 nats, are told
# apart in about twenty samples.
FEWEST_COMPARED = 20


def log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the negative log-probability of every sample's own class, nats; (n,)."""
    true = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(true, SMALLEST_PROBABILITY))


def _on_complete(
    side: TrainingSide, held_out: dict[str, np.ndarray], rows: np.ndarray
) -> dict[str, float]:
    """Return the mean log-loss of every modality on samples that have all of them."""
    labels = side.labels[rows]
    if rows.all():
        return {name: float(log_losses(p, labels).mean()) for name, p in held_out.items()}
    prior = frequencies(labels, side.classes)
    return {
        name: float(log_losses(matched(p[rows], prior), labels).mean())
        for name, p in held_out.items()
    }


def _on_own(
    side: TrainingSide, held_out: dict[str, np.ndarray], has: dict[str, np.ndarray]
) -> dict[str, float]:
    """Return how far every modality's log-loss lies above that of its samples' frequencies.

    Each is judged on the samples that have it, in nats per sample: the lower, the better.
    """
    labels, losses = side.labels, {}
    for name, probabilities in held_out.items():
        measured = labels[has[name]]
        if not measured.size:
            losses[name] = 0.0
            continue
        prior = frequencies(measured, side.classes)
        loss = log_losses(matched(probabilities[has[name]], prior), measured).mean()
        losses[name] = float(loss - log_losses(np.tile(prior, (len(measured), 1)), measured).mean())
    return losses


def best_modality(side: TrainingSide) -> str:
    """Return the modality whose regression inner folds find best, as `best_of` does.

    Parameters
    ----------
    side
        The training side.
    """
    if len(side.modalities) == 1:
        return side.modalities[0]
    return best_of(side, {name: side.held_out(name) for name in side.modalities})


def best_of(
    side: TrainingSide, held_out: dict[str, np.ndarray], judged: np.ndarray | None = None
) -> str:
    """Return the modality that says most of the class out of fold, by log-loss.

    Where fewer than `FEWEST_COMPARED` training samples have every modality, or all of these are of
    one class, each modality is judged on its own samples by what it gains over their class
    frequencies, and the log says so.

    Parameters
    ----------
    side
        The training side.
    held_out
        Modality -> probabilities of the training samples, each by what has not learned from it;
        (n, classes).
    judged
        The training samples that may be asked; all where None; (n,), bool.
    """
    asked = np.ones(len(side), dtype=bool) if judged is None else judged
    has = {name: side.samples.has(name) & asked for name in side.modalities}
    complete = np.logical_and.reduce(list(has.values()))
    several = len(np.unique(side.labels[complete])) > 1
    if several and ((complete == asked).all() or complete.sum() >= FEWEST_COMPARED):
        losses = _on_complete(side, held_out, complete)
    else:
        logger.warning(
            "%d training samples%s have every modality, too few to compare modalities on the same"
            " ones: each is judged on its own samples",
            complete.sum(),
            "" if several or not complete.any() else " of one class",
        )
        losses = _on_own(side, held_out, has)
    return min(losses, key=losses.get)
