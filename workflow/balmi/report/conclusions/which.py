"""Which modality carries the information: for each case a short answer, a full one, a state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.evaluation.decision import NOTHING_LEARNED, Case
from balmi.evaluation.verdicts import NOT_SEPARABLE, Foremost, Verdict
from balmi.report.conclusions.combining import silence
from balmi.report.kit.words import LISTED_PAIRS, brief

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.report.sections.information.label import LabelInformation
    from balmi.report.sections.information.view import InformationView
    from balmi.report.sections.verdict.answers import Views


class Which(StrEnum):
    """What is known of the modality that carries most."""

    WITHHELD = auto()
    NOT_LEARNED = auto()
    NOT_ESTIMATED = auto()
    SINGLE = auto()
    SINGLE_OPEN = auto()
    SINGLE_EMPTY = auto()
    ONLY = auto()
    ONLY_OPEN = auto()
    ONLY_EMPTY = auto()
    EMPTY = auto()
    BOTH_ENDS = auto()
    STRONGEST = auto()
    WEAKEST = auto()
    WEAKEST_ABOVE = auto()
    NOT_SEPARABLE = auto()
    NOT_SEPARABLE_ABOVE = auto()


@dataclass(frozen=True)
class Wording:
    """How a case is told.

    Parameters
    ----------
    short
        The answer of the first screen, of at most `balmi.report.conclusions.questions.MOST_WORDS`
        words.
    full
        The same answer with what is known of the other modalities.
    state
        The verdict on modalities, or what is shown of the foremost one.
    """

    short: str
    full: str
    state: Foremost | Verdict


# Cases in which no estimate is read as a ranking.
SILENT = {
    Case.WITHHELD: Which.WITHHELD,
    **dict.fromkeys(NOTHING_LEARNED, Which.NOT_LEARNED),
}
# Of a single modality, by whether it exceeds its null: of a cohort with one, and of one with more.
SINGLES = {
    (True, True): Which.SINGLE,
    (True, None): Which.SINGLE_OPEN,
    (True, False): Which.SINGLE_EMPTY,
    (False, True): Which.ONLY,
    (False, None): Which.ONLY_OPEN,
    (False, False): Which.ONLY_EMPTY,
}
# By whether a strongest and a weakest one stand apart.
ENDS = {
    (True, True): Which.BOTH_ENDS,
    (True, False): Which.STRONGEST,
    (False, True): Which.WEAKEST,
    (False, False): Which.NOT_SEPARABLE,
}
# Where a modality that is not above chance has an estimate that is higher still.
ABOVE_CHANCE = {
    Which.WEAKEST: Which.WEAKEST_ABOVE,
    Which.NOT_SEPARABLE: Which.NOT_SEPARABLE_ABOVE,
}
ONE = "There is one modality, so there is nothing to rank."
ONE_ESTIMATED = "Information could be estimated for {top} only, so there is nothing to rank."
LEAST = "{weakest} carries the least information; {rest}."
NONE_APART = "The order of modalities is open: {rest}."
# {rest} is what is known of the modalities that do not stand apart.
WHICH: dict[Which, Wording] = {
    Which.WITHHELD: Wording(
        "No answer: a decisive check failed, so modalities are not ranked.",
        "{silence}",
        Verdict.WITHHELD,
    ),
    Which.NOT_LEARNED: Wording(
        "Unranked: no method is shown to predict the class from measurements.",
        "{silence}",
        Verdict.UNJUDGED,
    ),
    Which.NOT_ESTIMATED: Wording(
        "Information could not be estimated.",
        "Information could not be estimated.",
        Verdict.UNJUDGED,
    ),
    Which.SINGLE: Wording(
        "{top}, the only modality, carries information.",
        ONE,
        Foremost.SHOWN,
    ),
    Which.SINGLE_OPEN: Wording(
        "{top} is the only modality; permuted labels were not tried.",
        ONE,
        Foremost.OPEN,
    ),
    Which.SINGLE_EMPTY: Wording(
        "{top}, the only modality, is not shown to carry information.",
        ONE,
        Foremost.NOTHING,
    ),
    Which.ONLY: Wording(
        "{top} carries information; only it could be estimated.",
        ONE_ESTIMATED,
        Foremost.SHOWN,
    ),
    Which.ONLY_OPEN: Wording(
        "Only {top} could be estimated, so there is no ranking.",
        ONE_ESTIMATED,
        Foremost.OPEN,
    ),
    Which.ONLY_EMPTY: Wording(
        "Only {top} could be estimated; it is not shown to carry information.",
        ONE_ESTIMATED,
        Foremost.NOTHING,
    ),
    Which.EMPTY: Wording(
        "No modality is shown to carry information.",
        NONE_APART,
        Foremost.NOTHING,
    ),
    Which.BOTH_ENDS: Wording(
        "{top} carries the most information, {weakest} the least.",
        "{top} carries the most information, {weakest} the least.",
        Foremost.APART,
    ),
    Which.STRONGEST: Wording(
        "{top} carries the most information.",
        "{top} carries the most information; {rest}.",
        Foremost.APART,
    ),
    Which.WEAKEST: Wording(
        "{weakest} carries the least; {top} has the highest estimate, but does not stand apart.",
        LEAST,
        Foremost.OPEN,
    ),
    Which.WEAKEST_ABOVE: Wording(
        "{weakest} carries the least; {top}, highest above chance, does not stand apart.",
        LEAST,
        Foremost.OPEN,
    ),
    Which.NOT_SEPARABLE: Wording(
        "{top} has the highest estimate, but does not stand apart.",
        NONE_APART,
        Foremost.OPEN,
    ),
    Which.NOT_SEPARABLE_ABOVE: Wording(
        "{top} has the highest estimate above chance, but does not stand apart.",
        NONE_APART,
        Foremost.OPEN,
    ),
}


def foremost(view: InformationView) -> LabelInformation | None:
    """Return the modality of the highest estimate, of those above chance where there are any."""
    rows = [row for row in view.label if row.exceeds is not False] or view.label
    return max(rows, key=lambda row: row.estimate, default=None)


def _of_one(views: Views) -> Which:
    return SINGLES[len(views.cohort.modalities) == 1, views.information.label[0].exceeds]


def _of_several(views: Views) -> Which:
    view = views.information
    if len(view.inside_null) == len(view.label):
        return Which.EMPTY
    ends = ENDS[view.strongest is not None, view.weakest is not None]
    highest = max(view.label, key=lambda row: row.estimate)
    return ends if highest == foremost(view) else ABOVE_CHANCE.get(ends, ends)


# By how many modalities have an estimate: none, one, or more.
BY_NUMBER: tuple[Callable[[Views], Which], ...] = (
    lambda _: Which.NOT_ESTIMATED,
    _of_one,
    _of_several,
)


def _wording(views: Views) -> Wording:
    number = min(len(views.information.label), len(BY_NUMBER) - 1)
    return WHICH[SILENT.get(views.decision.case) or BY_NUMBER[number](views)]


def _filled(text: str, views: Views) -> str:
    view = views.information
    top = foremost(view)
    return text.format(
        top=brief(top and top.modality),
        weakest=brief(view.weakest),
        rest=_inseparable(view, view.strongest or view.weakest),
        silence=silence(views.decision),
    )


def carries(views: Views) -> tuple[str, Foremost | Verdict]:
    """Say in a short sentence which modality carries the information, and what is shown of it.

    Parameters
    ----------
    views
        The views that answers are made from.
    """
    wording = _wording(views)
    return _filled(wording.short, views), wording.state


def ranking(views: Views) -> str:
    """Say in full which modalities stand apart, and which are not separable.

    Parameters
    ----------
    views
        The views that answers are made from.
    """
    return _filled(_wording(views).full, views)


def _inseparable(view: InformationView, apart: str | None) -> str:
    """Say which modalities are not separable, besides the one that is apart from all others."""
    rest = [row for row in view.contrasts if apart not in (row.first, row.second)]
    held = [row for row in rest if not row.separable]
    if len(held) == len(rest):
        return f"the {'modalities' if apart is None else 'others'} are {NOT_SEPARABLE}"
    if len(held) > LISTED_PAIRS:
        return f"{len(held)} of {len(rest)} pairs are {NOT_SEPARABLE}"
    if not held:  # every pair differs, and yet some show no information at all
        return f"those that show no information are {NOT_SEPARABLE}"
    named = [f"{brief(row.first)} and {brief(row.second)}" for row in held]
    return f"{'; '.join(named)} are {NOT_SEPARABLE}"
