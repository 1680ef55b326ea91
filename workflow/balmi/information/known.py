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
from balmi.information.pool import held_out_priors, pooled_posteriors
from balmi.information.study import FEWEST_SAMPLES, SAMPLES_PER_CLASS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.information.crossfit import Block
    from balmi.information.estimates import Estimate
    from balmi.information.members import Member
    from balmi.information.study import Study

Coalition = tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What one coalition of modalities knows of the label.

    Parameters
    ----------
    estimate
        Held-out lower bound of its label information, with interval and null.
    limit
        The same, extrapolated to endless training samples; nats. None where it was not asked for.
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
    having = study.having(coalition)
    labels, groups = study.labels[having], study.groups(having)
    blocks = study.blocks(coalition, having, study.fold)
    rng = study.random(*coalition)
    null = label_null(blocks, labels, groups, study.classes, study.permutations, rng)
    held, priors = _held_out(study, blocks, having, members)
    posteriors = np.full((len(study.rows), study.classes), np.nan)
    pointwise = np.full(len(study.rows), np.nan)
    posteriors[having], pointwise[having] = held, pointwise_information(held, priors, labels)
    components = max(block.train_scores.shape[1] for block in blocks)
    estimate = label_estimate(held, priors, labels, null, components, groups)
    end = None
    if limit:
        of_half = _held_out(study, study.blocks(coalition, having, study.half), having, members)
        half = float(pointwise_information(*of_half, labels).mean())
        end = extrapolated(estimate.value, half, len(blocks), null, entropy(labels))
    return Known(estimate, end, posteriors, pointwise)


def _held_out(
    study: Study, blocks: Sequence[Block], having: np.ndarray, members: Sequence[Member]
) -> tuple[np.ndarray, np.ndarray]:
    """Return held-out posteriors and class frequencies; (n, classes) both."""
    labels, groups = study.labels[having], study.groups(having)
    return (
        pooled_posteriors(blocks, labels, groups, study.classes, members),
        held_out_priors(blocks, labels, study.classes),
    )


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
