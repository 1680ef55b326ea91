"""Whether distillation is predicted to help: of a pair, of all pairs, and if that came true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.evaluation.verdicts import Prediction, Verdict
from balmi.numerals import counted, decimal
from balmi.report.kit.words import LISTED_PAIRS, brief, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.information.distillation import Lesson, Margin

OUTCOMES = tuple(map(str, (Verdict.GAIN, Verdict.NONE, Verdict.LOSS)))
# What is expected where observations have refuted the prediction's kind.
UNCONFIRMED = {
    Prediction.GAIN: "undecided, since a gain was predicted and not observed",
    Prediction.NO_GAIN: "undecided, since gains were observed against the prediction",
}


def outlook_of(predicted: str, expected: str, obstacle: str | None) -> str:
    """Say what is to be expected of distilling a pair.

    Parameters
    ----------
    predicted
        What its margin predicts.
    expected
        The same, or undecided where observations have refuted that kind of prediction; or the word
        that stands in the place of a verdict.
    obstacle
        Why the pair is never distilled, or None.
    """
    if obstacle is not None:
        return obstacle
    if expected not in list(Prediction):
        return expected
    if expected != predicted:
        return UNCONFIRMED[Prediction(predicted)]
    return Prediction(expected).words


def expected(margins: Sequence[Margin]) -> tuple[str, ...]:
    """Say of which pairs what is to be expected.

    Parameters
    ----------
    margins
        As `balmi.report.sections.information.distillation.margins_view` gives them.
    """
    words: dict[str, list[str]] = {}
    for row in margins:
        words.setdefault(row.told, []).append(f"{brief(row.teacher)} → {brief(row.student)}")
    sentences = []
    for word, pairs in words.items():
        listed = pairs[:LISTED_PAIRS]
        if len(pairs) > LISTED_PAIRS:
            listed.append(f"{len(pairs) - LISTED_PAIRS} more")
        sentences.append(f"{word[0].upper()}{word[1:]}: {joined(listed)}.")
    return tuple(sentences)


NONE_JUDGED = (
    "Pair by pair, prediction and observation cannot be compared: of each pair that was"
    " observed, the interval of the margin or of the gain holds zero or is not known ({rest})."
)
AGREED = (
    "Prediction and observation agree on {agreeing} of {judged} that can be judged, where both"
    " intervals exclude zero ({rest})."
)


def agreed(judged: int, agreeing: int, undecided: int, unobserved: int) -> str:
    """Say on how many pairs prediction and observation agree.

    Parameters
    ----------
    judged, agreeing
        Pairs where both intervals exclude zero, and those of them that agree.
    undecided, unobserved
        Other pairs that were observed, and the rest.
    """
    rest = f"{undecided} undecided"
    if unobserved:
        rest += f", {unobserved} not observed"
    text = AGREED if judged else NONE_JUDGED
    return text.format(agreeing=agreeing, judged=counted(judged, "pair"), rest=rest)


@dataclass(frozen=True)
class Prospect:
    """What is to be expected of distillation: in a word, in a sentence, and what that rests on."""

    short: str
    sentence: str
    grounds: tuple[str, ...]


class Outlook(StrEnum):
    """What margins and observations say of distillation."""

    NO_PAIR = auto()
    REFUTED = auto()
    OPEN = auto()
    NOT_ADVISED = auto()
    ADVISED = auto()


# In a word and in a sentence.
OUTLOOKS = {
    Outlook.NO_PAIR: (
        "no pair",
        "Distillation is not predicted to help: in no pair do both modalities show information.",
    ),
    Outlook.REFUTED: (
        "undecided",
        "Undecided: a gain was predicted for {gains} of {pairs} and observed for {gained}.",
    ),
    Outlook.OPEN: ("undecided", "Undecided: the intervals of {unclear} of {pairs} hold zero."),
    Outlook.NOT_ADVISED: ("{advised} of {pairs}", "Distillation is not predicted to help."),
    Outlook.ADVISED: (
        "{advised} of {pairs}",
        "Distillation is predicted to help for {advised} of {pairs}.",
    ),
}
PREDICTED = "Predicted: a gain for {gains} of {pairs} of teacher and student that show information."
SEEN = "Observed: a gain is supported for {gained} of {seen}."


def _outlook(able: Sequence[Margin]) -> Outlook:
    if not able:
        return Outlook.NO_PAIR
    if any(row.expected != row.predicted for row in able):
        return Outlook.REFUTED
    if any(row.advised for row in able):
        return Outlook.ADVISED
    unclear = any(row.predicted == Prediction.UNDECIDED for row in able)
    return Outlook.OPEN if unclear else Outlook.NOT_ADVISED


def prospect(margins: Sequence[Margin]) -> Prospect | None:
    """Say whether distillation is predicted to help; None where no margin was estimated.

    Parameters
    ----------
    margins
        As `balmi.report.sections.information.distillation.margins_view` gives them.
    """
    if not margins:
        return None
    able = [row for row in margins if row.obstacle is None]
    seen = [row.outcome for row in able if row.outcome in OUTCOMES]
    facts = {
        "pairs": counted(len(able), "pair"),
        "advised": sum(row.advised for row in able),
        "unclear": sum(row.predicted == Prediction.UNDECIDED for row in able),
        "gains": sum(row.predicted == Prediction.GAIN for row in able),
        "gained": sum(word == Verdict.GAIN for word in seen),
        "seen": counted(len(seen), "pair"),
    }
    short, sentence = (text.format(**facts) for text in OUTLOOKS[_outlook(able)])
    grounds = (PREDICTED,) * bool(able) + (SEEN,) * bool(seen)
    return Prospect(short, sentence, tuple(text.format(**facts) for text in grounds))


NOTHING_DISTILLED = "Nothing was distilled in the training of the balanced network."
LESSON = (
    "In the training of the balanced network, {student} learned from {teacher} in {replicas} of"
    " {folds}, the teacher's share of the loss {strength} on average."
)
MORE_LESSONS = "So did {} of student and teacher."
EACH_DECIDES = "Each training part decides by its own margins, which need not be those above."


def distilled(lessons: Sequence[Lesson] | None) -> tuple[str, ...]:
    """Say what was distilled: each training part decides by its own margins.

    Parameters
    ----------
    lessons
        Who learned from whom; None where that is not known.
    """
    if lessons is None:
        return ()
    if not lessons:
        return (NOTHING_DISTILLED,)
    told = [
        LESSON.format(
            student=brief(row.student),
            teacher=brief(row.teacher),
            replicas=row.replicas,
            folds=counted(row.of, "fold"),
            strength=decimal(row.strength, 2),
        )
        for row in lessons[:LISTED_PAIRS]
    ]
    more = len(lessons) - len(told)
    if more > 0:
        told.append(MORE_LESSONS.format(counted(more, "more pair")))
    return (*told, EACH_DECIDES)
