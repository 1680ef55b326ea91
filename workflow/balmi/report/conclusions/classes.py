"""Which class a method fails most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.numerals import with_limits
from balmi.report.kit.words import brief

if TYPE_CHECKING:
    from balmi.report.sections.performance.closeup import CloseUp


@dataclass(frozen=True)
class Wording:
    """How the class that is failed most is named.

    Parameters
    ----------
    metric
        By which score of a class.
    full, short
        The sentence, and what the first screen has of it.
    """

    metric: str
    full: str
    short: str


# By whether there are two classes, of which recall is sensitivity and specificity.
HARDEST = {
    True: Wording(
        "recall",
        "Lower recall of the two classes by {method}: {name}, {amount}.",
        "Lower recall: {name}, {amount}",
    ),
    False: Wording(
        "f1", "Lowest F1 of a class by {method}: {name}, {amount}.", "Lowest F1: {name}, {amount}"
    ),
}


def hardest(closeup: CloseUp | None, short: bool = False) -> str:
    """Name the class that the method of the close-up fails most; nothing where all are alike.

    Parameters
    ----------
    closeup
        A method class by class, or None where there is none.
    short
        Whether it is said for the first screen, which is about that method.
    """
    if closeup is None:
        return ""
    words = HARDEST[len(closeup.classes) == 2]
    scores = [
        (row.name, row.scores[words.metric])
        for row in closeup.classes
        if words.metric in row.scores
    ]
    known = [(score.mean, name, score) for name, score in scores if score.mean is not None]
    if len({mean for mean, *_ in known}) < 2:
        return ""
    _, name, score = min(known, key=lambda each: each[0])
    amount = with_limits(score.mean, score.lower, score.upper)
    text = words.short if short else words.full
    return text.format(method=brief(closeup.method), name=brief(name), amount=amount)
