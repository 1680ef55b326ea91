"""Held-out posteriors of every coalition of modalities, and what they say about the label."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.information.estimates import NotApplicable
from balmi.information.label import (
    entropy,
    extrapolated,
    label_estimate,
    label_null,
    pointwise_information,
)
from balmi.information.members import MEMBERS
from balmi.information.pairs import representation
from balmi.information.pool import pooled_posteriors
from balmi.information.study import FEWEST_SAMPLES, SAMPLES_PER_CLASS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.information.estimates import Estimate
    from balmi.information.members import Member
    from balmi.information.study import Study

Coalition = tuple[str, ...]

# A component per modality where half of the samples train, at a fifth of them at most.
SAMPLES_PER_MODALITY = 10
FEWEST_FOLDS = 3


@dataclass(frozen=True)
class Known:
    """What one coalition of modalities knows of the label.

    Parameters
    ----------
    estimate
        Held-out lower bound of its label information, with interval and null.
    limit
        The same, extrapolated to endless training samples; nats. None where it was not asked for,
        or where there are fewer than three folds and so no learning curve.
    posteriors
        Held-out posteriors; (rows under study, classes), NaN where a sample lacks a modality.
    pointwise
        Pointwise information about the label, nats; (rows under study,), NaN likewise.
    """

    estimate: Estimate
    limit: float | None
    posteriors: np.ndarray
    pointwise: np.ndarray


def know(
    study: Study, coalition: Coalition, members: Sequence[Member], limit: bool = True
) -> Known:
    """Estimate the label information of a coalition, from the samples that have all of it.

    Parameters
    ----------
    study
        The rows under study.
    coalition
        Names of modalities, sorted.
    members
        The classifiers to pool.
    limit
        Whether to follow the learning curve, which takes a second cross-fitting.

    Raises
    ------
    NotApplicable
        Where there are too few samples, groups or classes.
    """
    having = study.having(coalition, max(FEWEST_SAMPLES, SAMPLES_PER_MODALITY * len(coalition)))
    labels, groups = study.labels[having], study.groups(having)
    blocks = study.blocks(coalition, having, study.fold)
    rng = study.random(*coalition)
    null = label_null(blocks, labels, groups, study.classes, study.permutations, rng)
    held, priors = pooled_posteriors(blocks, labels, groups, study.classes, members)
    posteriors = np.full((len(study.rows), study.classes), np.nan)
    pointwise = np.full(len(study.rows), np.nan)
    posteriors[having], pointwise[having] = held, pointwise_information(held, priors, labels)
    components = max(block.train_scores.shape[1] for block in blocks)
    estimate = label_estimate(held, priors, labels, null, components, groups)
    end = None
    if limit and len(blocks) >= FEWEST_FOLDS:
        halves = study.blocks(coalition, having, study.half)
        of_half = pooled_posteriors(halves, labels, groups, study.classes, members)
        half = float(pointwise_information(*of_half, labels).mean())
        end = extrapolated(estimate.value, half, len(blocks), null, entropy(labels))
    return Known(estimate, end, posteriors, pointwise)


class Knowledge:
    """What all coalitions under study know; those that cannot be studied say why.

    Parameters
    ----------
    study
        The rows under study.
    coalitions
        The coalitions.
    members
        The classifiers to pool.
    limit
        Whether to follow the learning curves.
    """

    def __init__(
        self,
        study: Study,
        coalitions: Iterable[Coalition],
        members: Sequence[Member] = tuple(MEMBERS.values()),
        limit: bool = True,
    ) -> None:
        self.study = study
        self._known: dict[Coalition, Known | NotApplicable] = {}
        for coalition in coalitions:
            try:
                self._known[coalition] = know(study, coalition, members, limit)
            except NotApplicable as refusal:
                self._known[coalition] = refusal

    def __getitem__(self, coalition: Coalition) -> Known:
        """Return what a coalition knows.

        Raises
        ------
        NotApplicable
            Where it could not be studied.
        """
        found = self._known[coalition]
        if isinstance(found, NotApplicable):
            raise found
        return found

    @property
    def coalitions(self) -> tuple[Coalition, ...]:
        """The coalitions, in the order in which they were given."""
        return tuple(self._known)

    def posteriors(self, coalition: Coalition, positions: np.ndarray) -> np.ndarray:
        """Return held-out posteriors at positions of samples that have the coalition."""
        return self[coalition].posteriors[positions]

    def pointwise(self, coalition: Coalition, positions: np.ndarray) -> np.ndarray:
        """Return pointwise information about the label at positions; nats."""
        return self[coalition].pointwise[positions]

    def best_within(self, coalition: Coalition, positions: np.ndarray) -> Coalition:
        """Return the coalition, or the part of it that shows more of the label at positions.

        Information cannot fall with more modalities; what classifiers lose on more features would
        be called unique to the other side.

        Raises
        ------
        NotApplicable
            Where the coalition could not be studied.
        """
        self[coalition]
        parts = [
            each
            for each, known in self._known.items()
            if set(each) <= set(coalition) and isinstance(known, Known)
        ]
        return max(parts, key=lambda each: self.pointwise(each, positions).mean())

    def representations(self, first: str, second: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return positions that have both modalities, and both representations there.

        Raises
        ------
        NotApplicable
            Where a modality could not be studied, or too few samples have both.
        """
        for name in (first, second):
            self[(name,)]
        fewest = max(FEWEST_SAMPLES, SAMPLES_PER_CLASS * self.study.classes)
        both = self.study.having((first, second), fewest)
        fold = self.study.fold[both]
        views = [representation(self.posteriors((name,), both), fold) for name in (first, second)]
        return both, views[0], views[1]


def every_coalition(modalities: Sequence[str], largest: int) -> list[Coalition]:
    """Return all coalitions of up to `largest` modalities, the smaller ones first."""
    return [
        coalition for size in range(1, largest + 1) for coalition in combinations(modalities, size)
    ]
