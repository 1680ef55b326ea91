"""Whether a new sample looks like those that were trained on, modality by modality.

Training samples vary along a few principal axes together. A sample is strange where it lies far
from the space of these axes, where little of what it differs by from the mean lies in it, or where
it lies far out within it. The three are compared with what training samples show that the axes were
not learned from, and the largest excess counts: a conformal p-value (Vovk, Gammerman and Shafer
2005), with which at most the wanted share of samples of the same distribution is called strange.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.methods.peers.logistic import Axes

if TYPE_CHECKING:
    from balmi.methods.peers.side import TrainingSide

MOST_AXES = 20
PER_AXIS = 5  # samples
SMALLEST = 1e-12
TO_DEVIATION = 1.4826  # of a normal distribution, from its median absolute deviation
MOST_FLAGGED = 0.05


@dataclass(frozen=True)
class Envelope:
    """How samples of one modality vary.

    Parameters
    ----------
    axes
        Principal axes of the training samples.
    variances
        Along the axes; (axes,).
    middles, spreads
        Median and robust deviation of the three measures of training samples by axes that have not
        learned from them; (3,).
    strangeness
        The largest of the three in these units, of the same samples, ascending; (m,).
    """

    axes: Axes
    variances: np.ndarray
    middles: np.ndarray
    spreads: np.ndarray
    strangeness: np.ndarray

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Return for every sample how many of the training samples are as strange; (n,).

        Parameters
        ----------
        scores
            Preprocessed features; (n, kept).
        """
        measures = _measures(scores, self.axes, self.variances)
        excess = _excess(measures, self.middles, self.spreads)
        count = len(self.strangeness)
        stranger = count - np.searchsorted(self.strangeness, excess, side="left")
        return (1 + stranger) / (count + 1)


def _axes_of(scores: np.ndarray) -> tuple[Axes, np.ndarray]:
    """Return the first principal axes of some samples, and the variances along them."""
    count = min(MOST_AXES, len(scores) // PER_AXIS, scores.shape[1] - 1)
    mean = scores.mean(axis=0)
    centred = scores - mean
    if len(scores) < scores.shape[1]:
        squares, turned = np.linalg.eigh(centred @ centred.T)
        squares, turned = squares[::-1][:count], turned[:, ::-1][:, :count]
        components = (turned / np.sqrt(np.maximum(squares, SMALLEST))).T @ centred
    else:
        squares, components = np.linalg.eigh(centred.T @ centred)
        squares, components = squares[::-1][:count], components[:, ::-1][:, :count].T
    kept = squares > SMALLEST * max(squares.max(initial=0), SMALLEST)
    variances = squares[kept] / max(1, len(scores) - 1)
    return Axes(mean, np.ascontiguousarray(components[kept])), variances


def _measures(scores: np.ndarray, axes: Axes, variances: np.ndarray) -> np.ndarray:
    """Return the logs of three distances of samples from the training samples; (n, 3)."""
    places = axes.transform(scores.astype(np.float64, copy=False))
    whole = ((scores - axes.mean) ** 2).sum(axis=1)
    outside = np.maximum(whole - (places**2).sum(axis=1), 0)
    far = (places**2 / variances).mean(axis=1) if len(variances) else np.zeros(len(scores))
    share = outside / np.maximum(whole, SMALLEST)
    return np.log(np.column_stack([outside, share, far]) + SMALLEST)


def _excess(measures: np.ndarray, middles: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    return ((measures - middles) / spreads).max(axis=1)


def fit_envelope(side: TrainingSide, modality: str) -> Envelope | None:
    """Learn how the training samples that have a modality vary.

    Parameters
    ----------
    side
        The training side; inner folds keep groups together.
    modality
        Its name.

    Returns
    -------
    Envelope or None
        None where samples, features or inner folds are too few to tell.
    """
    scores, has = side.samples.features[modality], side.samples.has(modality)
    held_out = []
    for rest, here in side.base_folds:
        rest, here = rest[has[rest]], here[has[here]]
        if here.size and len(rest) >= 2 * PER_AXIS and scores.shape[1] > 1:
            held_out.append(_measures(scores[here], *_axes_of(scores[rest])))
    if not held_out:
        return None
    measures = np.concatenate(held_out)
    middles = np.median(measures, axis=0)
    spreads = TO_DEVIATION * np.median(np.abs(measures - middles), axis=0) + 1e-6
    axes, variances = _axes_of(scores[has])
    return Envelope(axes, variances, middles, spreads, np.sort(_excess(measures, middles, spreads)))


def strange(
    envelopes: dict[str, Envelope | None],
    features: dict[str, np.ndarray],
    available: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples lie outside the training distribution, and in which modality most.

    A p-value of a modality counts times the number of modalities that are looked at (Bonferroni).

    Parameters
    ----------
    envelopes
        Modality -> how training samples vary; None where that is unknown.
    features
        Modality -> preprocessed features; (n, kept).
    available
        Availability mask; (n, modalities), bool.

    Returns
    -------
    tuple of numpy.ndarray
        p-values, NaN where nothing is known of what a sample has, (n,); numbers of the modalities
        with the smallest one, (n,).
    """
    p_values = np.full(available.shape, np.nan)
    for place, (name, envelope) in enumerate(envelopes.items()):
        has = available[:, place]
        if envelope is not None and has.any():
            p_values[has, place] = envelope.p_values(features[name][has])
    known = ~np.isnan(p_values)
    filled = np.where(known, p_values, np.inf)
    smallest = np.minimum(filled.min(axis=1) * known.sum(axis=1), 1)
    return np.where(known.any(axis=1), smallest, np.nan), filled.argmin(axis=1)
