"""The samples that estimates of a large cohort are made on: an even draw from every class."""

from __future__ import annotations

import numpy as np


def subsample(
    labels: np.ndarray,
    available: np.ndarray,
    groups: np.ndarray | None,
    largest: int,
    rng: np.random.Generator,
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
    return np.sort(order[np.minimum(places, count - 1)])
