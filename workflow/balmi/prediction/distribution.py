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
from balmi.preprocess.fitted import LARGEST_SCORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.methods.peers.side import TrainingSide

MOST_AXES = 20
PER_AXIS = 5  # samples
FEATURES_PER_AXIS = 3  # that must be there, where others are missing
SMALLEST = 1e-12
TO_DEVIATION = 1.4826  # of a normal distribution, from its median absolute deviation
# Somewhat below the twentieth that is promised: training samples that axes have not learned from
# still had a say in which features are kept.
MOST_FLAGGED = 0.04
FEWEST = 24  # training samples among which a p-value can be MOST_FLAGGED
# What counts as one unit of strangeness of a modality, so that those of several can be compared: at
# this quantile of the training samples, and at least so many deviations.
TAIL, LEAST_TAIL = 0.9, 0.5
# Share of a direction that the features must hold for a place along it, over the share of features.
DETERMINED = 0.5
ERRORS = 1.0  # standard errors that are taken from what features tell of missing ones


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
        The largest of the three in these units, of every training sample by axes that have not
        learned from it, NaN where it lacks the modality; (training samples,).
    """

    axes: Axes
    variances: np.ndarray
    middles: np.ndarray
    spreads: np.ndarray
    strangeness: np.ndarray

    @property
    def tail(self) -> float:
        """How strange the strangest training samples are: of modalities, the unit."""
        known = self.strangeness[~np.isnan(self.strangeness)]
        return max(LEAST_TAIL, float(np.quantile(known, TAIL)))

    def judges(self, missing: np.ndarray | None) -> bool:
        """Return whether enough features are there for the number of axes to judge by.

        Parameters
        ----------
        missing
            Features that were not measured; none where None; (kept,), bool.
        """
        if missing is None or not missing.any():
            return True
        return bool((~missing).sum() >= FEATURES_PER_AXIS * max(1, len(self.variances)))

    def excess(self, scores: np.ndarray, missing: np.ndarray | None = None) -> np.ndarray:
        """Return how strange samples are; (n,).

        Parameters
        ----------
        scores
            Preprocessed features; (n, kept).
        missing
            Features that were not measured, and say nothing; none where None; (kept,), bool. What
            is left must be enough, as `judges` says.
        """
        if missing is not None and missing.any():
            measures = self._without(scores, missing)
        else:
            measures = _measures(scores, self.axes, self.variances)
        return _excess(measures, self.middles, self.spreads)

    def _without(self, scores: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return the measures by some features alone, as large as those of all of them; (n, 3).

        Places along the axes are those of least squares, along the directions that the features
        determine: of features that few samples have, as of mutations, the missing ones may be all
        that an axis is made of.
        """
        here = ~missing
        axes, off = self.axes.components[:, here], scores[:, here] - self.axes.mean[here]
        weights, turned = np.linalg.eigh(axes @ axes.T)
        inside = weights > SMALLEST
        along = (off @ axes.T) @ turned[:, inside] / weights[inside]
        residual = off - along @ turned[:, inside].T @ axes
        # Least squares leaves as many dimensions outside as there are more features than axes.
        features, count = int(here.sum()), int(inside.sum())
        outside = (len(missing) - len(axes)) / (features - count) * (residual**2).sum(axis=1)
        outside *= 1 - ERRORS * _error(residual**2, len(missing))
        whole = len(missing) / features * (off**2).sum(axis=1)
        sure = weights[inside] >= DETERMINED * here.mean()
        kept = turned[:, inside][:, sure]
        # Features vary about the space of the axes, and fewer of them place a sample less well.
        noise = np.exp(self.middles[0]) / (len(missing) - len(axes))
        blurred = noise * (1 / weights[inside][sure] - 1)
        covariance = (kept.T * self.variances) @ kept + np.diag(blurred)
        places = along[:, sure] @ np.linalg.cholesky(np.linalg.inv(covariance))
        # Along other directions it is taken to lie in the middle.
        return _logs(
            outside, whole, places, np.full(int(sure.sum()), len(axes) / max(1, sure.sum()))
        )


def _error(squares: np.ndarray, count: int) -> np.ndarray:
    """Return the relative standard error of a sum over all features by that over some; (n,).

    Parameters
    ----------
    squares
        What each of some features adds; (n, some).
    count
        Number of all features.
    """
    some = squares.shape[1]
    sums = np.maximum(squares.sum(axis=1), SMALLEST)
    uneven = some * (squares**2).sum(axis=1) / sums**2 - 1  # squared coefficient of variation
    share = 1 - some / count
    error = share * np.sqrt(np.maximum(uneven, 0) * (1 / (count - some) + 1 / some))
    return np.minimum(error, share)  # what is there is there


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
    return _logs(outside, whole, places, variances)


def _logs(
    outside: np.ndarray, whole: np.ndarray, places: np.ndarray, variances: np.ndarray
) -> np.ndarray:
    far = (places**2 / variances).mean(axis=1) if len(variances) else np.zeros(len(whole))
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
    measures = np.full((len(side), 3), np.nan)
    for rest, here in side.base_folds:
        rest, here = rest[has[rest]], here[has[here]]
        if here.size and len(rest) >= 2 * PER_AXIS and scores.shape[1] > 1:
            learned, asked = _as_if_new(scores[rest], scores[here])
            measures[here] = _measures(asked, *_axes_of(learned))
    known = ~np.isnan(measures).any(axis=1)
    if not known.any():
        return None
    middles = np.median(measures[known], axis=0)
    spreads = TO_DEVIATION * np.median(np.abs(measures[known] - middles), axis=0) + 1e-6
    axes, variances = _axes_of(scores[has])
    return Envelope(axes, variances, middles, spreads, _excess(measures, middles, spreads))


def _as_if_new(rest: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scores by means and deviations of the first samples alone; (m, kept) and (n, kept).

    The preprocessing has seen both, and a value that one sample alone has would look too usual.
    """
    means, deviations = rest.mean(axis=0), rest.std(axis=0)
    varies = deviations > SMALLEST
    scale = np.where(varies, deviations, np.inf)
    return (rest - means) / scale, np.clip((here - means) / scale, -LARGEST_SCORE, LARGEST_SCORE)


def strange(
    envelopes: dict[str, Envelope | None],
    features: dict[str, np.ndarray],
    available: np.ndarray,
    missing: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples lie outside the training distribution, and in which modality most.

    A sample is as strange as its strangest modality, each in units of its own tail, and is compared
    with the training samples that have the same modalities at least. Where these are too few, the
    modalities that fewest of them have are not looked at, nor those that lack too many features to
    judge by.

    Parameters
    ----------
    envelopes
        Modality -> how training samples vary; None where that is unknown.
    features
        Modality -> preprocessed features; (n, kept).
    available
        Availability mask; (n, modalities), bool.
    missing
        Modality -> its features that were not measured; (kept,), bool.

    Returns
    -------
    tuple of numpy.ndarray
        p-values, NaN where nothing is known of what a sample has, (n,); numbers of the strangest
        modalities, (n,).
    """
    known = {
        place: (name, envelope)
        for place, (name, envelope) in enumerate(envelopes.items())
        if envelope is not None and envelope.judges(missing.get(name))
    }
    p_values, outlying = np.full(len(available), np.nan), np.zeros(len(available), dtype=np.int64)
    if not known:
        return p_values, outlying
    places = np.array(list(known))
    trained = np.column_stack(
        [envelope.strangeness / envelope.tail for _, envelope in known.values()]
    )
    new = np.full((len(available), len(places)), -np.inf)
    for column, (place, (name, envelope)) in enumerate(known.items()):
        has = available[:, place]
        if has.any():
            excess = envelope.excess(features[name][has], missing.get(name))
            new[has, column] = excess / envelope.tail
    patterns, which = np.unique(available[:, places], axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(which.reshape(-1) == number)
        if pattern.any():
            p_values[rows] = _p_values(new[np.ix_(rows, pattern)], trained[:, pattern])
    return p_values, places[new.argmax(axis=1)]


def _p_values(new: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Return p-values of samples that have the same modalities; (n, some) and (m, some).

    Modalities that few training samples have are left out until enough have all the others.
    """
    while True:
        known = ~np.isnan(trained)
        whole = known.all(axis=1)
        if whole.sum() >= FEWEST or trained.shape[1] == 1:
            return _among(new.max(axis=1), trained[whole].max(axis=1))
        others = np.delete(np.arange(trained.shape[1]), known.sum(axis=0).argmin())
        new, trained = new[:, others], trained[:, others]


def _among(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share of others, and of a sample itself, that are as strange as it; (n,)."""
    ordered = np.sort(others)
    stranger = len(ordered) - np.searchsorted(ordered, own, side="left")
    return (1 + stranger) / (len(ordered) + 1)
