"""The three questions of every dataset, and which modality to keep, each in one short sentence.

Page, overview and terminal print what stands here, so that no two of them can say different things.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from balmi.evaluation.decision import COMPLETE, Case
from balmi.evaluation.trust import LABEL_SOURCE
from balmi.evaluation.verdicts import Foremost, Verdict
from balmi.numerals import counted, signed, with_limits
from balmi.report.conclusions.combining import CASES, Keep, helped
from balmi.report.conclusions.trust import trusted
from balmi.report.conclusions.which import carries, foremost
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.report.sections.performance.view import Difference
    from balmi.report.sections.verdict.answers import Views

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


# What stands in the place of a verdict where no comparison has one.
UNCOMPARED = {Case.WITHHELD: Verdict.WITHHELD}
# By what is shown of the foremost modality; None stands for what is not told apart.
KEEP: dict[Keep, dict[Foremost | None, str]] = {
    Keep.WITHHELD: {None: "No answer: a decisive check failed."},
    Keep.NOTHING: {None: "No answer: nothing measured is shown to predict the class."},
    Keep.ALONE: {None: "There is one modality, so there is nothing to choose."},
    Keep.OPEN: {
        Foremost.APART: "Undecided: {top} carries the most information, and combining is not"
        " judged.",
        Foremost.NOTHING: "Undecided: no modality is shown to carry information, and combining is"
        " not judged.",
        None: "Undecided: no modality is shown to stand apart, and combining is not judged.",
    },
    Keep.SEVERAL: {None: "Keep {several}: combining gains over one modality."},
    Keep.FOR_GAPS: {
        None: "Keep {several} where samples lack some; for complete ones no gain is shown."
    },
    Keep.ONE: {
        Foremost.APART: "Keep {top}: one modality is enough, and it carries the most information.",
        Foremost.NOTHING: "One modality is enough; alone, none is shown to carry information.",
        None: "One modality is enough; which one is not shown.",
    },
    Keep.MAYBE_ONE: {
        Foremost.APART: "{top} may be enough: it carries the most, and no gain is confirmed.",
        Foremost.NOTHING: "One modality may be enough, but none is shown to carry information.",
        None: "One modality may be enough; which one is not shown.",
    },
}


def _which(views: Views) -> Conclusion:
    sentence, state = carries(views)
    top, value = foremost(views.information), None
    if top is not None and isinstance(state, Foremost):
        value = f"{with_limits(top.estimate, top.lower, top.upper)} nats"
    return Conclusion(str(Question.WHICH), sentence, value, str(state))


def deciding(views: Views) -> Difference | None:
    """Return the difference that the verdict is about, or None where it was not made."""
    pair = views.decision.ground.pair
    several = len(views.cohort.modalities) > 1
    return views.performance.difference(*pair) if pair and several else None


def _helps(views: Views) -> Conclusion:
    decision, row = views.decision, deciding(views)
    value, state = None, str(UNCOMPARED.get(decision.case, Verdict.UNJUDGED))
    if row is not None and row.difference is not None:
        amount = with_limits(row.difference, row.lower, row.upper, signed)
        value = f"{amount} {metric_of(decision.ground.metric).amount}"
        if row.samples == COMPLETE and decision.lacking:
            value += f", {counted(decision.complete, 'complete sample')}"
        state = row.verdict or state
    return Conclusion(str(Question.HELPS), helped(decision), value, state)


def _trust(views: Views) -> Conclusion:
    failed = sum(row.status == "failed" for row in views.performance.not_ok)
    sentence, state = trusted(views.trust, failed)
    value = ", ".join(f"{count} {word}" for word, count in views.trust.counts.items())
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
    _, state = carries(views)
    advice, names = CASES[views.decision.case].keep, views.cohort.modalities
    if len(names) == 1 and advice not in (Keep.WITHHELD, Keep.NOTHING):
        advice = Keep.ALONE
    texts = KEEP[advice]
    sentence = texts.get(state, texts[None]).format(
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
