"""An even draw from every class of a large cohort: for estimates, and where nothing is learned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.splits import usable_folds

if TYPE_CHECKING:
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split

FEWEST = 20  # training samples of a class that are kept where it has so many


def subsample(
    labels: np.ndarray,
    available: np.ndarray,
    groups: np.ndarray | None,
    largest: int,
    rng: np.random.Generator,
    fewest: int = 0,
) -> np.ndarray:
    """Draw samples evenly from all classes, patterns of availability and groups.

    Samples are ordered by class, within a class by who has which modality, within that by group,
    and at random within all three; then every k-th is taken, from a random start (systematic
    sampling). So a class has its share of the draw to within one sample, and so has every pattern
    within a class that is met by k samples or more, and every group within a pattern. A group is
    thinned out, not left out, and what remains of it is still held out as a whole.

    Parameters
    ----------
    labels
        Class codes; (n,).
    available
        Who has which modality; (n, modalities), bool.
    groups
        Group of each sample, or None.
    largest
        Samples to draw at most.
    rng
        Source of randomness.
    fewest
        Samples that a class keeps, beyond `largest` where need be.

    Returns
    -------
    numpy.ndarray
        Positions, sorted; all of them, with nothing drawn from `rng`, where there are no more than
        `largest`.
    """
    count = len(labels)
    if count <= largest:
        return np.arange(count)
    chance = rng.permutation(count)
    _, pattern = np.unique(available, axis=0, return_inverse=True)
    member = np.zeros(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.lexsort([chance, member, pattern, labels])
    # k = count / largest > 1, so that no sample is taken twice.
    places = ((np.arange(largest) + rng.random()) * (count / largest)).astype(int)
    kept = np.zeros(count, dtype=bool)
    kept[order[np.minimum(places, count - 1)]] = True
    for label in np.unique(labels):
        left = np.flatnonzero((labels == label) & ~kept)
        lacking = max(0, fewest - int(kept[labels == label].sum()))
        kept[rng.permutation(left)[:lacking]] = True
    return np.flatnonzero(kept)


def thinned(split: Split, cohort: Roster, largest: int, rng: np.random.Generator) -> Split:
    """Return a split with fewer training samples, in the same inner folds, and all test samples.

    Parameters
    ----------
    split
        The split.
    cohort
        The cohort.
    largest
        Training and validation samples at most; the split itself where it has no more. A class
        keeps `FEWEST` of its samples beyond that.
    rng
        Source of randomness.
    """
    fit = split.fit
    if len(fit) <= largest:
        return split
    labels = cohort.labels[fit]
    groups = None if cohort.groups is None else cohort.groups[fit]
    kept = subsample(labels, cohort.available[fit], groups, largest, rng, fewest=FEWEST)
    rows, inner = fit[kept], np.asarray(split.inner)[kept]
    usable = usable_folds(labels[kept], inner)
    held_out = np.isin(inner, usable[:1])
    return replace(
        split, train=rows[~held_out], validation=rows[held_out], inner=inner, usable=usable
    )
