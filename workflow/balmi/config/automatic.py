"""What `auto` stands for: repeats and members that are fewer where samples are many.

How much scores of test folds differ by chance falls as one over the root of their samples. With
five folds, the corrected interval of a difference (`balmi.evaluation.statistics`) is as wide as
t sqrt(1/J + 1/4) / sqrt(n), J folds in all and t of J - 1 degrees of freedom: 10 folds of 5,000
samples, in 2 repeats, make it a quarter narrower than 25 folds of 2,000 do. A network's share of
chance falls likewise, and so does the need for several whose mean predicts: those of `balanced`
hold out a fifth of the training samples each, from which the weights of its experts are learned,
and two of 5,000 samples hold out as many as five of 2,000.
"""

from __future__ import annotations

from typing import Final

AUTO: Final = "auto"
USUAL = 5  # repeats, and members
MANY = 2000  # samples up to which there are as many as usual
FEWEST_MEMBERS = 2  # with one there would be no mean, and a fifth of the samples to weigh by
# Fewer test folds do not tell how much scores vary, so that no verdict is told as a fact.
FEWEST_FOLDS = 10


def enough(samples: int, fewest: int) -> int:
    """Return how many repeats or members there are: the usual number up to 2,000 samples.

    Above, so many that they and the samples multiply to no less than there: 5 x 2,000.

    Parameters
    ----------
    samples
        Samples of the cohort.
    fewest
        How many there are at least, however many samples; at most the usual number.
    """
    return max(min(fewest, USUAL), min(USUAL, -(-USUAL * MANY // samples)))


def repeats_for(samples: int, folds: int) -> int:
    """Return the repeats of k-fold: no fewer than make `FEWEST_FOLDS` test folds, as far as 5 do.

    Parameters
    ----------
    samples
        Samples of the cohort.
    folds
        Folds per repeat.
    """
    return enough(samples, -(-FEWEST_FOLDS // folds))


def members_for(samples: int) -> int:
    """Return the networks per fold, given the samples of the cohort."""
    return enough(samples, FEWEST_MEMBERS)
