"""Which class a method fails most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.numerals import with_limits
from balmi.report.kit.words import brief

if TYPE_CHECKING:
    from balmi.report.sections.performance.closeup import CloseUp

# By whether there are two classes, of which recall is sensitivity and specificity.
HARDEST = {
    True: ("recall", "Lower recall of the two classes by {method}: {name}, {amount}."),
    False: ("f1", "Lowest F1 of a class by {method}: {name}, {amount}."),
}


def hardest(closeup: CloseUp | None) -> str:
    """Name the class that the method of the close-up fails most; nothing where all are alike.

    Parameters
    ----------
    closeup
        A method class by class, or None where there is none.
    """
    if closeup is None:
        return ""
    key, text = HARDEST[len(closeup.classes) == 2]
    scores = [(row.name, row.scores[key]) for row in closeup.classes if key in row.scores]
    known = [(score.mean, name, score) for name, score in scores if score.mean is not None]
    if len({mean for mean, *_ in known}) < 2:
        return ""
    _, name, score = min(known, key=lambda each: each[0])
    amount = with_limits(score.mean, score.lower, score.upper)
    return text.format(method=brief(closeup.method), name=brief(name), amount=amount)
