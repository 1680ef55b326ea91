"""Samples that lack a modality, filled from samples that have it.

Whoever fills a gap by a constant lets a learner see the gap, and through it a class that has more
of them. A gap that holds the measurements of a sample drawn at random, whatever its class, looks
like any other sample (hot-deck imputation; the draw is from the marginal distribution, as for
Shapley values). A prediction is the mean over several such draws, which are the same for all
samples, so that none depends on who is asked with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.preprocess.fitted import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.methods.peers.side import TrainingSide

DRAWS = 5

Said = np.ndarray


@dataclass(frozen=True)
class Donors:
    """Training samples whose measurements stand in for those of others.

    Parameters
    ----------
    drawn
        Modality -> features of `DRAWS` training samples that have it; zeros where none has.
    """

    drawn: dict[str, np.ndarray]

    @classmethod
    def of(cls, side: TrainingSide) -> Donors:
        """Draw the donors of a training side."""
        rng = np.random.default_rng([side.seed, 0])
        return cls(
            {
                name: values[_drawn(side.samples.has(name), DRAWS, rng)]
                * side.samples.has(name).any()
                for name, values in side.samples.features.items()
            }
        )

    def predict(self, said: Callable[[Samples], np.ndarray], samples: Samples) -> np.ndarray:
        """Return what is said of samples, the mean over all draws where they lack a modality.

        Parameters
        ----------
        said
            Returns probabilities of samples that lack nothing; (n, classes).
        samples
            The samples.
        """
        lacking = np.flatnonzero(~samples.available.all(axis=1))
        result = said(samples)
        if lacking.size:
            gaps = samples.take(lacking)
            result[lacking] = np.mean([said(self._filled(gaps, draw)) for draw in range(DRAWS)], 0)
        return result

    def _filled(self, samples: Samples, draw: int) -> Samples:
        filled = {
            name: np.where(samples.has(name)[:, None], values, self.drawn[name][draw])
            for name, values in samples.features.items()
        }
        return Samples(filled, samples.available)


def filled_to_learn(side: TrainingSide) -> Samples:
    """Return a training side whose gaps hold another training sample's measurements each."""
    rng = np.random.default_rng([side.seed, 1])
    filled = {}
    for name, values in side.samples.features.items():
        has = side.samples.has(name)
        if has.any() and not has.all():
            values = values.copy()
            values[~has] = values[_drawn(has, int((~has).sum()), rng)]
        filled[name] = values
    return Samples(filled, side.samples.available)


def _drawn(has: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows drawn, with replacement, from those that have a modality; any where none has."""
    rows = np.flatnonzero(has)
    return rng.choice(rows if rows.size else len(has), count)
