"""The registry of conclusions: the only place that says how the three questions are answered.

Each question has its cases, and each case one sentence of at most `MOST_WORDS` words. Page,
overview and terminal print what stands here, so that no two of them can say different things.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.evaluation.decision import COMPLETE, FEWEST_FOLDS, GAINS, NOTHING_LEARNED, Case
from balmi.evaluation.trust import LABEL_SOURCE, State
from balmi.evaluation.verdicts import Foremost, Verdict
from balmi.numerals import counted, signed, with_limits
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import brief
from balmi.report.sections.verdict.trust import decisive

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.evaluation.decision import Decision
    from balmi.report.sections.information.label import LabelInformation
    from balmi.report.sections.information.view import InformationView
    from balmi.report.sections.performance.view import Difference
    from balmi.report.sections.verdict.answers import Views
    from balmi.report.sections.verdict.trust import TrustView

MOST_WORDS = 15
KEPT = "Which modality should I keep?"


class Question(StrEnum):
    """The questions that every dataset is asked, in the order in which they are answered."""

    WHICH = "Which modality carries the information?"
    HELPS = "Does combining help?"
    TRUST = "Can I trust it?"


@dataclass(frozen=True)
class Conclusion:
    """How a question is answered.

    Parameters
    ----------
    question
        The question.
    sentence
        The answer, of at most `MOST_WORDS` words.
    value
        The number that it rests on, with its interval; None where there is none.
    state
        The verdict, what is shown of the foremost modality, or how the checks ended.
    """

    question: str
    sentence: str
    value: str | None
    state: str | None


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
WHICH: dict[Which, tuple[str, Foremost | Verdict]] = {
    Which.WITHHELD: (
        "No answer: a decisive check failed, so modalities are not ranked.",
        Verdict.WITHHELD,
    ),
    Which.NOT_LEARNED: (
        "Unranked: no method is shown to predict the class from measurements.",
        Verdict.UNJUDGED,
    ),
    Which.NOT_ESTIMATED: ("Information could not be estimated.", Verdict.UNJUDGED),
    Which.SINGLE: ("{top}, the only modality, carries information.", Foremost.SHOWN),
    Which.SINGLE_OPEN: (
        "{top} is the only modality; permuted labels were not tried.",
        Foremost.OPEN,
    ),
    Which.SINGLE_EMPTY: (
        "{top}, the only modality, is not shown to carry information.",
        Foremost.NOTHING,
    ),
    Which.ONLY: ("{top} carries information; only it could be estimated.", Foremost.SHOWN),
    Which.ONLY_OPEN: ("Only {top} could be estimated, so there is no ranking.", Foremost.OPEN),
    Which.ONLY_EMPTY: (
        "Only {top} could be estimated; it is not shown to carry information.",
        Foremost.NOTHING,
    ),
    Which.EMPTY: ("No modality is shown to carry information.", Foremost.NOTHING),
    Which.BOTH_ENDS: ("{top} carries the most information, {weakest} the least.", Foremost.APART),
    Which.STRONGEST: ("{top} carries the most information.", Foremost.APART),
    Which.WEAKEST: (
        "{weakest} carries the least; {top} has the highest estimate, but does not stand apart.",
        Foremost.OPEN,
    ),
    Which.WEAKEST_ABOVE: (
        "{weakest} carries the least; {top}, highest above chance, does not stand apart.",
        Foremost.OPEN,
    ),
    Which.NOT_SEPARABLE: (
        "{top} has the highest estimate, but does not stand apart.",
        Foremost.OPEN,
    ),
    Which.NOT_SEPARABLE_ABOVE: (
        "{top} has the highest estimate above chance, but does not stand apart.",
        Foremost.OPEN,
    ),
}


# By what the comparisons show, {own} being the predictor.
HELPS: dict[Case, str] = {
    Case.WITHHELD: "No answer: a decisive check failed, so every verdict is withheld.",
    Case.FEW: "Undecided: {folds}, and at least {needed} are needed.",
    Case.NOTHING: "Unanswered: no method is shown to predict better than chance.",
    Case.ONLY_ABSENCE: "Unanswered: only who has which modality is shown to predict the class.",
    Case.ALONE: "There is one modality, so nothing can be combined.",
    Case.NOT_COMPARED: "Unanswered: no combination was compared with a single modality.",
    Case.NOT_SHARED: "Unanswered: too few samples have all modalities to compare methods.",
    Case.UNDEFINED: "Undecided: {metric} has no value in {undefined} of {folds}.",
    Case.NETWORK_ADDS: "Yes: combining helps, and {own} adds to the linear stack.",
    Case.NETWORK_WINS: "Yes: combining helps with {own}, which gains over the linear stack too.",
    Case.STACK_BETTER: "Yes: combining helps, and the linear stack does better than {own}.",
    Case.STACK_ENOUGH: "Yes: combining helps, and the linear stack is enough.",
    Case.STACK_LOSES: "Yes: combining helps with {own}, while the linear stack loses.",
    Case.STACK_OPEN: "Yes: combining helps with {own}; of the linear stack it is open.",
    Case.NETWORK_GAINS: "Yes: combining helps, as {own} gains over one modality.",
    Case.STACK_GAINS: "Yes: combining helps, as the linear stack gains over one modality.",
    Case.ONLY_ALL: "Over all samples, but no gain is shown among those with every modality.",
    Case.ONLY_SECONDARY: "Not shown: only a secondary comparison gains, to be confirmed elsewhere.",
    Case.LOSS_BUT_SECONDARY: "No: {own} loses; a secondary gain is to be confirmed elsewhere.",
    Case.LOSS: "No: combining loses against one modality.",
    Case.UNLIKELY: "No: a gain of more than .01 {amount} is unlikely.",
    Case.UNSHOWN: "Not shown: one modality may be enough.",
}
# What stands in the place of a verdict where no comparison has one.
UNCOMPARED = {Case.WITHHELD: Verdict.WITHHELD}


class Keep(StrEnum):
    """What follows for the modalities that are worth their measurement."""

    WITHHELD = auto()
    NOTHING = auto()
    ALONE = auto()
    OPEN = auto()
    SEVERAL = auto()
    FOR_GAPS = auto()
    ONE = auto()
    MAYBE_ONE = auto()


ADVICE: dict[Case, Keep] = {
    Case.WITHHELD: Keep.WITHHELD,
    Case.NOTHING: Keep.NOTHING,
    Case.ONLY_ABSENCE: Keep.NOTHING,
    Case.ALONE: Keep.ALONE,
    Case.FEW: Keep.OPEN,
    Case.NOT_COMPARED: Keep.OPEN,
    Case.NOT_SHARED: Keep.OPEN,
    Case.UNDEFINED: Keep.OPEN,
    **dict.fromkeys(GAINS, Keep.SEVERAL),
    Case.ONLY_ALL: Keep.FOR_GAPS,
    Case.ONLY_SECONDARY: Keep.MAYBE_ONE,
    Case.LOSS_BUT_SECONDARY: Keep.MAYBE_ONE,
    Case.UNSHOWN: Keep.MAYBE_ONE,
    Case.LOSS: Keep.ONE,
    Case.UNLIKELY: Keep.ONE,
}
# Where one modality, {top}, is shown to carry the most, and where none is.
KEEP: dict[Keep, tuple[str, str]] = {
    Keep.WITHHELD: ("No answer: a decisive check failed.",) * 2,
    Keep.NOTHING: ("No answer: nothing measured is shown to predict the class.",) * 2,
    Keep.ALONE: ("There is one modality, so there is nothing to choose.",) * 2,
    Keep.OPEN: (
        "Undecided: {top} carries the most information, and combining is not judged.",
        "Undecided: no modality is shown to stand apart, and combining is not judged.",
    ),
    Keep.SEVERAL: ("Keep {several}: combining gains over one modality.",) * 2,
    Keep.FOR_GAPS: ("Keep {several} where samples lack some; for complete ones no gain is shown.",)
    * 2,
    Keep.ONE: (
        "Keep {top}: one modality is enough, and it carries the most information.",
        "One modality is enough; which one is not shown.",
    ),
    Keep.MAYBE_ONE: (
        "{top} may be enough: it carries the most, and no gain is confirmed.",
        "One modality may be enough; which one is not shown.",
    ),
}


class Checked(StrEnum):
    """How the checklist ended as a whole."""

    NOTHING = auto()
    WITHHELD = auto()
    FAILED = auto()
    CAUTION = auto()
    NOT_RUN = auto()
    PASSED = auto()


# The first state that any check has decides.
BY_STATE = {
    State.FAIL: Checked.FAILED,
    State.CAUTION: Checked.CAUTION,
    State.NOT_RUN: Checked.NOT_RUN,
    State.PASS: Checked.PASSED,
}
TRUST: dict[Checked, tuple[str, State]] = {
    Checked.NOTHING: ("Unknown: nothing was checked{methods}.", State.NOT_RUN),
    Checked.WITHHELD: ("No: {failed} failed, so verdicts are withheld{methods}.", State.FAIL),
    Checked.FAILED: ("In part only: {fail} of {checks} failed{methods}.", State.FAIL),
    Checked.CAUTION: ("With care: {caution} of {checks} ask for caution{methods}.", State.CAUTION),
    Checked.NOT_RUN: (
        "In part: {passed} of {checks} passed, {not_run} did not run{methods}.",
        State.NOT_RUN,
    ),
    Checked.PASSED: ("All {checks} passed{methods}.", State.PASS),
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
    found = ENDS[view.strongest is not None, view.weakest is not None]
    highest = max(view.label, key=lambda row: row.estimate)
    return found if highest == foremost(view) else ABOVE_CHANCE.get(found, found)


# By how many modalities have an estimate: none, one, or more.
BY_NUMBER: tuple[Callable[[Views], Which], ...] = (
    lambda _: Which.NOT_ESTIMATED,
    _of_one,
    _of_several,
)


def _which_case(views: Views) -> Which:
    number = min(len(views.information.label), len(BY_NUMBER) - 1)
    return SILENT.get(views.decision.case) or BY_NUMBER[number](views)


def _which(views: Views) -> Conclusion:
    sentence, state = WHICH[_which_case(views)]
    view = views.information
    top = foremost(view)
    sentence = sentence.format(top=brief(top and top.modality), weakest=brief(view.weakest))
    value = None
    if top is not None and isinstance(state, Foremost):
        value = f"{with_limits(top.estimate, top.lower, top.upper)} nats"
    return Conclusion(str(Question.WHICH), sentence, value, str(state))


def deciding(views: Views) -> Difference | None:
    """Return the difference that the verdict is about, or None where it was not made."""
    pair = views.decision.ground.pair
    several = len(views.cohort.modalities) > 1
    return views.performance.difference(*pair) if pair and several else None


def _helped(decision: Decision) -> str:
    metric = metric_of(decision.ground.metric)
    return HELPS[decision.case].format(
        own=decision.roles.noun,
        folds=counted(decision.folds, "distinct test fold"),
        needed=FEWEST_FOLDS,
        metric=metric.name,
        amount=metric.amount,
        undefined=decision.undefined,
    )


def _helps(views: Views) -> Conclusion:
    decision, row = views.decision, deciding(views)
    value, state = None, str(UNCOMPARED.get(decision.case, Verdict.UNJUDGED))
    if row is not None and row.difference is not None:
        amount = with_limits(row.difference, row.lower, row.upper, signed)
        value = f"{amount} {metric_of(decision.ground.metric).amount}"
        if row.samples == COMPLETE and decision.lacking:
            value += f", {counted(decision.complete, 'complete sample')}"
        state = row.verdict or state
    return Conclusion(str(Question.HELPS), _helped(decision), value, state)


def _checked(trust: TrustView) -> Checked:
    if trust.failed:
        return Checked.WITHHELD
    states = {check.state for check in trust.checks}
    return next((BY_STATE[each] for each in BY_STATE if each in states), Checked.NOTHING)


def _trust(views: Views) -> Conclusion:
    trust, counts = views.trust, views.trust.counts
    sentence, state = TRUST[_checked(trust)]
    failed = sum(row.status == "failed" for row in views.performance.not_ok)
    sentence = sentence.format(
        failed=decisive(trust.failed),
        fail=counts.get(State.FAIL, 0),
        caution=counts.get(State.CAUTION, 0),
        not_run=counts.get(State.NOT_RUN, 0),
        passed=counts.get(State.PASS, 0),
        checks=counted(len(trust.checks), "check"),
        methods=f"; {counted(failed, 'method')} failed" if failed else "",
    )
    value = ", ".join(f"{count} {word}" for word, count in counts.items())
    return Conclusion(str(Question.TRUST), sentence, value or None, str(state))


ANSWERS: dict[Question, Callable[[Views], Conclusion]] = {
    Question.WHICH: _which,
    Question.HELPS: _helps,
    Question.TRUST: _trust,
}


def keep(views: Views) -> Conclusion:
    """Say in a sentence which modality to keep: what two of the answers mean together.

    Its value says which modality the classes were derived from, where that is known.

    Parameters
    ----------
    views
        The views that answers are made from.
    """
    _, state = WHICH[_which_case(views)]
    advice, names = ADVICE[views.decision.case], views.cohort.modalities
    if len(names) == 1 and advice not in (Keep.WITHHELD, Keep.NOTHING):
        advice = Keep.ALONE
    apart, open_ = KEEP[advice]
    sentence = (apart if state is Foremost.APART else open_).format(
        top=brief(views.information.strongest),
        several="both" if len(names) == 2 else "more than one",
    )
    source = views.trust.check(LABEL_SOURCE)
    if source is None:
        return Conclusion(KEPT, sentence, None, None)
    return Conclusion(KEPT, sentence, f"The classes were {source.value}.", source.state)


def conclusions(views: Views) -> tuple[Conclusion, ...]:
    """Answer the three questions, in their order.

    Parameters
    ----------
    views
        The views that answers are made from.
    """
    return tuple(answer(views) for answer in ANSWERS.values())
