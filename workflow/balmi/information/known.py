"""Held-out posteriors of every coalition of modalities, and what they say about the label."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.information.estimates import NotApplicable
from balmi.information.label import (
    bounded_mean,
    entropy,
    extrapolated,
    label_estimate,
    null_likelihoods,
    null_of,
    permuted_labels,
    pointwise_information,
)
from balmi.information.lattice import isotonic, maximal_parts
from balmi.information.members import MEMBERS, SWIFT, TOGETHER
from balmi.information.pairs import representation
from balmi.information.pool import Said, pooled_block
from balmi.information.study import FEWEST_SAMPLES, SAMPLES_PER_CLASS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from balmi.information.deals import Deal
    from balmi.information.estimates import Estimate
    from balmi.information.members import Member
    from balmi.information.study import Study

Coalition = tuple[str, ...]

logger = logging.getLogger("balmi")

# A component per modality where half of the samples train, at a fifth of them at most.
SAMPLES_PER_MODALITY = 10
FEWEST_FOLDS = 3


@dataclass(frozen=True)
class CrossFit:
    """What pools say of samples in the folds of a cross-fitting; NaN where a modality is lacking.

    Parameters
    ----------
    posteriors, priors
        Held out; (rows under study, classes) both.
    inside
        Number of a fold -> what is said of the samples that it trains on, from other inner folds;
        (rows under study, classes). NaN where nothing is judged on them.
    components
        Principal components, the largest number in a fold.
    """

    posteriors: np.ndarray
    priors: np.ndarray
    inside: dict[int, np.ndarray]
    components: int

    def of(self, number: int, judged: np.ndarray, test: np.ndarray) -> Said:
        """Return what is said of samples that a fold trains and is judged on, and holds out."""
        return Said(self.inside[number][judged], self.posteriors[test])


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
    pointwise
        Pointwise information about the label, nats, the mean over deals; (rows under study,), NaN
        where a sample lacks a modality.
    having
        Positions of the samples that have all modalities.
    full, half
        The cross-fittings of every deal, in all folds and in two; none of the latter where they
        were not asked for.
    """

    estimate: Estimate
    limit: float | None
    pointwise: np.ndarray
    having: np.ndarray
    full: tuple[CrossFit, ...]
    half: tuple[CrossFit, ...]

    @property
    def posteriors(self) -> np.ndarray:
        """Those of the first deal, held out; (rows, classes), NaN where a modality is lacking."""
        return self.full[0].posteriors

    def lift(self, amount: float, most: float) -> Known:
        """Return it with an amount added to all of its information, nats, up to the entropy."""
        estimate, limit = self.estimate, self.limit
        value, lower, upper = (
            min(each + amount, most) for each in (estimate.value, estimate.lower, estimate.upper)
        )
        return replace(
            self,
            estimate=replace(estimate, value=value, lower=lower, upper=upper),
            limit=None if limit is None else min(limit + amount, most),
            pointwise=self.pointwise + amount,
        )


def _cross_fit(
    study: Study,
    coalition: Coalition,
    having: np.ndarray,
    deal: Deal,
    members: Sequence[Member],
    parts: Sequence[CrossFit],
    singles: Sequence[CrossFit],
    labellings: np.ndarray | None = None,
) -> tuple[CrossFit, list[np.ndarray]]:
    """Return what pools say in the folds of a deal, and what cheap members say of `labellings`."""
    labels, classes = study.labels[having], study.classes
    posteriors, priors = np.full((2, len(study.rows), classes), np.nan)
    inside, components, null = {}, 0, []
    for block in study.blocks(coalition, having, deal):
        train, test = having[block.train], having[block.test]
        number = int(deal.fold[test[0]])
        inner = deal.inner[number][train]
        judged = train[inner >= 0]
        if labellings is not None:
            null.append(null_likelihoods(block, labellings, classes))
        said, prior = pooled_block(
            *(block, labels[block.train], inner, classes, members),
            parts=[each.of(number, judged, test) for each in parts],
            singles=[each.of(number, judged, test) for each in singles],
            grouped=study.cohort.groups is not None,
        )
        inside[number] = np.full((len(study.rows), classes), np.nan)
        inside[number][judged] = said.inside
        posteriors[test], priors[test] = said.outside, prior.outside
        components = max(components, block.train_scores.shape[1])
    return CrossFit(posteriors, priors, inside, components), null


def _said(fits: Sequence[CrossFit], having: np.ndarray) -> np.ndarray:
    """Return held-out posteriors and priors of every deal; (2, deals, samples, classes)."""
    found = [[fit.posteriors[having], fit.priors[having]] for fit in fits]
    return np.array(found).swapaxes(0, 1)


def know(
    study: Study,
    coalition: Coalition,
    members: Sequence[Member],
    limit: bool = True,
    parts: Sequence[Known] = (),
    singles: Sequence[Known] = (),
    brief: bool = False,
) -> Known:
    """Estimate the label information of a coalition, from the samples that have all of it.

    Parameters
    ----------
    study
        The rows under study.
    coalition
        Names of modalities, sorted.
    members
        The classifiers to pool, of which those take part that serve so many samples.
    limit
        Whether to follow the learning curve, which takes a second cross-fitting.
    parts
        What parts of the coalition know, whose pools are members of its pool.
    singles
        What every modality of the coalition alone knows, whose product is a member.
    brief
        Whether the amount and its interval are all that is asked: no null, no learning curve.

    Raises
    ------
    NotApplicable
        Where there are too few samples, groups or classes.
    """
    having = study.having(coalition, max(FEWEST_SAMPLES, SAMPLES_PER_MODALITY * len(coalition)))
    members = [member for member in members if member.serves(len(having))]
    labels, groups = study.labels[having], study.groups(having)
    rng = study.random(*coalition)
    first, labellings = study.deals[0], None
    if not brief:
        within = None if first.within is None else first.within[having]
        permuted = permuted_labels(labels, groups, study.permutations, rng, within)
        labellings = np.vstack([labels, permuted])

    def fit(number: int, deals: Sequence[Deal], of: str) -> tuple[CrossFit, list[np.ndarray]]:
        told = (
            [getattr(each, of)[number] for each in side if getattr(each, of)]
            for side in (parts, singles)
        )
        asked = labellings if deals[number] is first else None
        return _cross_fit(study, coalition, having, deals[number], members, *told, asked)

    found = [fit(number, study.deals, "full") for number in range(len(study.deals))]
    full = [each for each, _ in found]
    null = None if brief else null_of(found[0][1])
    pointwise = np.full(len(study.rows), np.nan)
    estimate = label_estimate(
        *_said(full, having), labels, null, max(each.components for each in full), groups
    )
    pointwise[having] = pointwise_information(*_said(full, having), labels).mean(axis=0)
    end, half = None, []
    folds = min(len(each.inside) for each in full)
    if limit and not brief and folds >= FEWEST_FOLDS:
        half = [fit(number, study.halves, "half")[0] for number in range(len(study.halves))]
        value = float(pointwise_information(*_said(half, having), labels).mean())
        end = extrapolated(estimate.value, value, folds, null, entropy(labels))
    return Known(estimate, end, pointwise, having, tuple(full), tuple(half))


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
    together
        The classifiers to pool of several modalities, beside the pools of parts.
    brief
        Those of the coalitions of which no null and no learning curve is asked; where they lack
        more than one modality, `SWIFT` members are pooled.
    """

    def __init__(
        self,
        study: Study,
        coalitions: Iterable[Coalition],
        members: Sequence[Member] = tuple(MEMBERS.values()),
        limit: bool = True,
        together: Sequence[Member] = TOGETHER,
        brief: Collection[Coalition] = (),
    ) -> None:
        self.study, self.brief = study, frozenset(brief)
        self._known: dict[Coalition, Known | NotApplicable] = {}
        for coalition in coalitions:
            found = self._found()
            parts = [found[part] for part in maximal_parts(coalition, found)]
            several = len(coalition) > 1
            singles = [found[(name,)] for name in coalition if several and (name,) in found]
            brief = coalition in self.brief
            some = brief and len(coalition) < len(study.modalities) - 1
            chosen = (SWIFT if some else together) if singles else members
            try:
                self._known[coalition] = know(
                    study, coalition, chosen, limit, parts, singles, brief
                )
            except NotApplicable as refusal:
                self._known[coalition] = refusal
        self._lift()

    def _found(self) -> dict[Coalition, Known]:
        return {each: known for each, known in self._known.items() if isinstance(known, Known)}

    def _lift(self) -> None:
        """Let no coalition know less than a part of it that has the same samples, and log it."""
        moved: list[float] = []
        alike: dict[bytes, dict[Coalition, Known]] = {}
        for coalition, known in self._found().items():
            alike.setdefault(known.having.tobytes(), {})[coalition] = known
        for of_same in alike.values():
            values = {each: known.estimate.value for each, known in of_same.items()}
            for coalition, value in isotonic(values).items():
                known = of_same[coalition]
                if value != known.estimate.value:
                    most = entropy(self.study.labels[known.having])
                    self._known[coalition] = known.lift(value - known.estimate.value, most)
                    moved.append(abs(value - known.estimate.value))
        if moved:
            logger.info(
                "information of %d of %d sets of modalities was moved, by %.4f nats at most, so"
                " that none is below that of a part",
                *(len(moved), len(self._known), max(moved)),
            )

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

    def amounts(self, whole: Coalition, positions: np.ndarray) -> dict[Coalition, float]:
        """Return what a coalition and its parts know at positions that have it; nats.

        Nothing is negative, and none is below that of a part.
        """
        labels, within = self.study.labels[positions], set(whole)
        values = {
            coalition: bounded_mean(known.pointwise[positions], labels)
            for coalition, known in self._found().items()
            if within.issuperset(coalition)
        }
        return {each: max(0.0, value) for each, value in isotonic(values).items()}

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
