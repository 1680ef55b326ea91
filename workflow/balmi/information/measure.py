"""Measure a whole cohort: the table of the report. It is a diagnosis, and no method reads it."""

from __future__ import annotations

import logging
from dataclasses import astuple, dataclass
from functools import cache
from itertools import combinations, permutations
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.together import together
from balmi.information.canonical import Directions
from balmi.information.companions import FEWEST_PER_FOLD, Wide, composite_estimate
from balmi.information.complementarity import JACKKNIFE, margin_estimate
from balmi.information.deals import evaluated_folds
from balmi.information.decomposition import decompose
from balmi.information.detection import seen_from
from balmi.information.estimates import Estimate, NotApplicable, exchangeable
from balmi.information.known import Knowledge, every_coalition
from balmi.information.label import bounded_interval, entropy, mean_interval
from balmi.information.pairs import (
    gaussian_estimate,
    jackknife_interval,
    principal_scores,
    rank_normalise,
)
from balmi.information.shapley import (
    balance,
    coalitions,
    orderings,
    shapley_values,
    shares,
)
from balmi.information.study import canonical, study_of
from balmi.logs import followed
from balmi.numerals import counted
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from balmi.config.settings import Information
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.information.known import Coalition
    from balmi.information.study import Study
    from balmi.preprocess.features import Features

logger = logging.getLogger("balmi")

COMPANIONS = ("pairwise_linear", "pairwise_nonlinear", "pairwise_wide")
# What these lack, others lack too: one warning says it.
WARNED = ("label_information", "pairwise_information")


@dataclass(frozen=True)
class Row:
    """A row of ``tables/information.csv``: an estimate, or the reason why there is none."""

    quantity: str
    modality: str | None
    other: str | None
    outcome: Estimate | NotApplicable

    def cells(self) -> dict[str, object]:
        """Return the row by columns."""
        head = {"quantity": self.quantity, "modality": self.modality, "other": self.other}
        found = self.outcome
        if isinstance(found, NotApplicable):
            return {**head, "n": found.n, "status": "not_applicable", "reason": found.reason}
        null = found.null
        return {
            **head,
            "estimate": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "null95": None if null is None else null.null95,
            "p_value": None if null is None else null.p_value,
            "n": found.n,
            "components": found.components,
            "seen_from": found.seen_from,
            "status": "ok",
        }


def measure_cohort(
    cohort: Cohort, features: Features, settings: Information, splits: Sequence[Split] = ()
) -> pd.DataFrame:
    """Estimate the information of all modalities, pairs and coalitions over the whole cohort.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    settings
        Folds, components, permutations, seed.
    splits
        Those of the evaluation. Where they hold every sample out and classes have their shares in
        them, estimates have the folds in which methods are tested; other folds are dealt for the
        rest. Folds that the data bring ask for more than what is known of the label.

    Returns
    -------
    pandas.DataFrame
        ``tables/information.csv``. An estimate that the data do not allow has a row with status
        ``not_applicable`` and the reason. Nothing depends on the order of samples, modalities or
        features, nor on the names of classes.
    """
    ordered, its_features = canonical(cohort, features)
    rows = np.arange(len(ordered.samples))
    permutations = settings.permutations
    brought = () if cohort.folds is not None else evaluated_folds(splits, len(rows))
    place = cohort.positions(ordered.samples)
    folds = [fold[place] for fold in brought]
    study = study_of(
        *(ordered, its_features, rows, settings, permutations), repeated=True, folds=folds
    )
    asked = followed(_coalitions(study), "information about the label", "coalition")
    knowledge = Knowledge(study, asked)
    table = [row for section in SECTIONS for row in section(knowledge)]
    for row in table:
        if isinstance(row.outcome, NotApplicable) and row.quantity in WARNED:
            what = " and ".join(filter(None, [row.modality, row.other]))
            logger.warning("%s of %s: %s", row.quantity, what, row.outcome)
    frame = TABLES["information"].of(row.cells() for row in table)
    numbers = dict.fromkeys(("estimate", "lower", "upper", "null95", "p_value"), float)
    return frame.astype({**numbers, "components": "Int64", "seen_from": "Int64"})


def _orderings(study: Study) -> list[tuple[int, ...]]:
    """Return the orders in which modalities join, for Shapley values."""
    return orderings(len(study.modalities), study.random("orderings"))


def _coalitions(study: Study) -> list[Coalition]:
    """Return all coalitions that a section asks for, the smaller ones first."""
    names = study.modalities
    needed = {
        *every_coalition(names, min(2, len(names))),
        *combinations(names, max(1, len(names) - 1)),
        *(
            tuple(names[index] for index in sorted(members))
            for members in coalitions(_orderings(study))
            if members
        ),
    }
    return sorted(needed, key=lambda coalition: (len(coalition), coalition))


def _rows(
    quantities: Sequence[str],
    modality: str | None,
    other: str | None,
    measure: Callable[[], Sequence[Estimate | NotApplicable]],
) -> Iterator[Row]:
    """Yield a row per quantity, with its estimate or with the reason that all of them share."""
    try:
        found = measure()
    except NotApplicable as refusal:
        found = [refusal] * len(quantities)
    for quantity, outcome in zip(quantities, found, strict=True):
        yield Row(quantity, modality, other, outcome)


def _entropy(knowledge: Knowledge) -> Iterator[Row]:
    labels = knowledge.study.labels
    h = entropy(labels)
    yield Row("label_entropy", None, None, Estimate(h, h, h, None, len(labels)))


def _label(knowledge: Knowledge) -> Iterator[Row]:
    """Yield what every coalition knows of the label: a lower bound, and where it would end."""

    def both(coalition: Coalition) -> list[Estimate | NotApplicable]:
        known = knowledge[coalition]
        n, components = known.estimate.n, known.estimate.components
        if known.limit is None:
            few = "fewer than three folds hold samples: there is no learning curve to follow"
            return [known.estimate, NotApplicable(few, n)]
        return [known.estimate, Estimate(known.limit, None, None, None, n, components)]

    for coalition in knowledge.coalitions:
        kind = "label" if len(coalition) == 1 else "subset"
        yield from _rows(
            (f"{kind}_information", f"{kind}_extrapolated"),
            together(coalition),
            None,
            lambda coalition=coalition: both(coalition),
        )


def _differences(knowledge: Knowledge) -> Iterator[Row]:
    """Yield I(first; Y) - I(second; Y) over the samples that have both, paired by sample."""

    def difference(first: str, second: str) -> list[Estimate]:
        both = knowledge.study.having((first, second))
        one, two = (knowledge.pointwise((name,), both) for name in (first, second))
        interval = mean_interval(one - two, knowledge.study.groups(both))
        return [Estimate(*interval, None, len(both))]

    for pair in combinations(knowledge.study.modalities, 2):
        yield from _rows(("label_difference",), *pair, lambda pair=pair: difference(*pair))


def _raw_pairs(knowledge: Knowledge) -> Iterator[Row]:
    """Yield the information of every pair of modalities on equally many components."""
    study = knowledge.study
    fitted = study.features.fit(study.rows)
    prepared = study.features.apply(fitted, study.rows).features

    def widths(*pair: str) -> list[int]:
        return [prepared[name].shape[1] for name in pair]

    @cache
    def views(first: str, second: str) -> tuple[np.ndarray, list[np.ndarray]]:
        both = study.having((first, second))
        count = min(study.settings.components, *widths(first, second))
        return both, [
            principal_scores(rank_normalise(prepared[name][both]), count)
            for name in (first, second)
        ]

    def permutations_of(groups: np.ndarray | None) -> int:
        # Groups of distinct sizes would stay in place: better no p-value than one near 1.
        free = groups is None or exchangeable(np.unique(groups, return_inverse=True)[1])
        return study.permutations if free else 0

    def gaussian(first: str, second: str) -> list[Estimate]:
        both, pair = views(first, second)
        rng, groups = study.random(first, second), study.groups(both)
        return [gaussian_estimate(*pair, permutations_of(groups), rng, groups)]

    def composite(first: str, second: str) -> list[Estimate | NotApplicable]:
        both, pair = views(first, second)
        fold, n = study.blind[both], len(both)
        smallest = int(np.unique(fold, return_counts=True)[1].min())
        if smallest < FEWEST_PER_FOLD:
            reason = (
                f"a fold holds {counted(smallest, 'sample')}; at least {FEWEST_PER_FOLD} are needed"
            )
            raise NotApplicable(reason, n)
        rng, groups = study.random("composite", first, second), study.groups(both)
        directions = (
            Directions.of(rank_normalise(prepared[name][both])) for name in (first, second)
        )
        wide = Wide(*directions, study.settings.components)
        found = composite_estimate(*pair, fold, permutations_of(groups), rng, groups, wide)
        components = max(view.shape[1] for view in pair)
        # Samples of one group count as one, and a cohort of more groups has more of them.
        alike = 1.0 if groups is None else n / len(np.unique(groups))
        counts = widths(first, second)
        needed = ceil(alike * seen_from(*counts)) if all(counts) else None
        nothing = NotApplicable("no shared direction held up in held-out samples", n)
        return [
            *(
                nothing if np.isnan(value) else Estimate(value, None, None, None, n, components)
                for value in (found.linear, found.nonlinear, found.wide)
            ),
            Estimate(found.value, None, None, found.null, n, components, needed),
        ]

    pairs = list(combinations(study.modalities, 2))
    for pair in followed(pairs, "information between modalities", "pair"):
        yield from _rows(("pairwise_information",), *pair, lambda pair=pair: gaussian(*pair))
        quantities = (*COMPANIONS, "pairwise_composite")
        yield from _rows(quantities, *pair, lambda pair=pair: composite(*pair))


def _representations(knowledge: Knowledge) -> Iterator[Row]:
    """Yield the information between what two modalities say of the label."""
    study = knowledge.study

    def shared(first: str, second: str) -> list[Estimate]:
        both, *views = knowledge.representations(first, second)
        # No null: permuting posteriors without refits would find too much where there is nothing.
        return [gaussian_estimate(*views, 0, study.random(JACKKNIFE), study.groups(both))]

    for pair in combinations(study.modalities, 2):
        yield from _rows(("representation_information",), *pair, lambda pair=pair: shared(*pair))


def _margins(knowledge: Knowledge) -> Iterator[Row]:
    """Yield the complementarity margin of every teacher and student, and what the student knows."""

    def margin(teacher: str, student: str) -> list[Estimate]:
        both, *_ = knowledge.representations(teacher, student)
        pointwise = knowledge.pointwise((student,), both)
        study = knowledge.study
        interval = bounded_interval(pointwise, study.labels[both], study.groups(both))
        held = Estimate(*interval, None, len(both))
        return [held, margin_estimate(knowledge, teacher, student)]

    for pair in permutations(knowledge.study.modalities, 2):
        quantities = ("student_information", "complementarity_margin")
        yield from _rows(quantities, *pair, lambda pair=pair: margin(*pair))


def _decompositions(knowledge: Knowledge) -> Iterator[Row]:
    """Yield what two sides tell of the label: pairs, and every modality and the rest."""
    study, names = knowledge.study, knowledge.study.modalities
    sides: list[tuple[Coalition, Coalition]] = [
        ((first,), (second,)) for first, second in combinations(names, 2)
    ]
    if len(names) > 2:
        sides += [((name,), tuple(each for each in names if each != name)) for name in names]

    def parts(first: Coalition, second: Coalition) -> list[Estimate]:
        joint = tuple(sorted(first + second))
        both = study.having(joint)
        sides = first, second, joint
        posteriors = [knowledge.posteriors(each, both) for each in sides]
        labels = study.labels[both]

        def statistic(rows: np.ndarray) -> np.ndarray:
            amounts = knowledge.amounts(joint, both[rows])
            found = decompose(*(each[rows] for each in posteriors), labels[rows])
            return np.array(astuple(found.of_amounts(*(amounts[each] for each in sides))))

        rng = study.random(JACKKNIFE)
        interval = jackknife_interval(statistic, len(both), rng, study.groups(both))
        return [Estimate(*limits, None, len(both)) for limits in zip(*interval, strict=True)]

    quantities = (
        "redundant_information",
        "unique_information",
        "unique_of_other",
        "synergistic_information",
    )
    for first, second in sides:
        yield from _rows(
            quantities,
            together(first),
            together(second),
            lambda first=first, second=second: parts(first, second),
        )


def _shapley(knowledge: Knowledge) -> Iterator[Row]:
    """Yield how the information of all modalities is shared out, and how evenly."""
    study, names = knowledge.study, knowledge.study.modalities
    if len(names) < 2:
        return
    orders = _orderings(study)

    def shared_out() -> list[Estimate]:
        complete = study.having(names)
        knowledge[names]

        def statistic(rows: np.ndarray) -> np.ndarray:
            amounts = knowledge.amounts(names, complete[rows])
            game = {
                members: amounts[tuple(names[i] for i in sorted(members))] if members else 0.0
                for members in coalitions(orders)
            }
            values = shapley_values(game, orders)
            of_all = shares(values)
            return np.array([*values, *of_all, balance(of_all)])

        interval = jackknife_interval(
            statistic, len(complete), study.random(JACKKNIFE), study.groups(complete)
        )
        value, lower, upper = interval
        bounded = np.arange(len(value)) >= len(names)  # shares and balance lie between 0 and 1
        limits = (np.where(bounded, each.clip(0, 1), each) for each in (value, lower, upper))
        return [Estimate(*row, None, len(complete)) for row in zip(*limits, strict=True)]

    kinds = ("shapley_information", "shapley_share")
    heads = [*((kind, name) for kind in kinds for name in names), ("balance", None)]
    quantities = [quantity for quantity, _ in heads]
    for row, (_, modality) in zip(_rows(quantities, None, None, shared_out), heads, strict=True):
        yield Row(row.quantity, modality, None, row.outcome)


SECTIONS = (
    _entropy,
    _label,
    _differences,
    _raw_pairs,
    _representations,
    _margins,
    _decompositions,
    _shapley,
)
