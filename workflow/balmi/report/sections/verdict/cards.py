"""The three questions of the first screen: each a sentence, and a number with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.trust import State
from balmi.report.kit.words import brief, counted, signed, with_limits
from balmi.report.sections.verdict.answers import key_differences, ranking
from balmi.report.sections.verdict.headline import headline, silence

if TYPE_CHECKING:
    from balmi.report.sections.verdict.answers import Views

NOT_ESTIMATED = "It could not be estimated."
WORST = tuple(map(str, (State.FAIL, State.CAUTION, State.PASS)))


@dataclass(frozen=True)
class Card:
    """A question and its answer.

    Parameters
    ----------
    question, sentence
        What is asked, and the answer in a sentence.
    value
        The number that it rests on, with its interval; None where there is none.
    state
        A verdict, or how the checks ended; None where nothing is judged.
    """

    question: str
    sentence: str
    value: str | None
    state: str | None


def _carries(views: Views) -> Card:
    view, value = views.information, None
    if view.label:
        top = max(view.label, key=lambda row: row.estimate)
        amount = with_limits(top.estimate, top.lower, top.upper)
        value = f"{amount} nats in {brief(top.modality)}"
    sentence = silence(views.decision) or ranking(view) or NOT_ESTIMATED
    return Card("Which modality carries the information?", sentence, value, None)


def _combining(views: Views) -> Card:
    row = next((row for row in key_differences(views.performance) if row.primary), None)
    several = len(views.cohort.modalities) > 1
    value = state = None
    if several and row is not None and row.difference is not None:
        amount = with_limits(row.difference, row.lower, row.upper, signed)
        value, state = f"{amount} {views.performance.metric.title}", row.verdict
    return Card("Does combining help?", headline(views.decision), value, state)


def _trust(views: Views) -> Card:
    question, trust = "Can I trust it?", views.trust
    if not trust.checks:
        return Card(question, trust.sentence, None, None)
    passed = trust.counts.get(str(State.PASS), 0)
    worst = next((state for state in WORST if trust.counts.get(state)), None)
    total = counted(len(trust.checks), "check")
    return Card(question, trust.sentence, f"{passed} of {total} pass", worst)


def cards(views: Views) -> tuple[Card, ...]:
    """Return the three questions with their answers."""
    return _carries(views), _combining(views), _trust(views)
