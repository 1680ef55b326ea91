"""What a difference is called beside its interval, and what decides where the two differ.

An interval is that of a single comparison. The verdict on a secondary one follows Holm's p too,
which counts the others: it may show no difference where the interval by itself excludes zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.verdicts import HOLM_LEVEL, Verdict, adjusted_away
from balmi.numerals import counted, decimal
from balmi.report.kit.words import with_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.metrics import Metric
    from balmi.report.sections.performance.view import Difference

HOLM = "Holm"
# What a comparison is, by whether it is the primary one; and the primary one on other samples.
KINDS = {True: "Primary", False: "Secondary"}
BESIDE = "Primary, for comparison"
RULE = (
    "Differences of {} over the same folds{}. The primary comparison was fixed before any score"
    " and stands by its interval. A secondary one is supported where its p, adjusted for their"
    f" number ({HOLM}), is at most {HOLM_LEVEL} as well."
)
RESOLUTION = (
    "The intervals of the differences reach {width} {amount}; a true difference smaller than that"
    " is unlikely to be shown by these folds."
)
SINGLE = "Mean and 95 % interval, each comparison by itself."
DECIDES = (
    f" ({HOLM}): the interval excludes zero, but p, adjusted for the {{others}} of one method,"
    " shows no difference, and that decides."
)


def decided_by(word: Verdict | str | None, lower: float | None, upper: float | None) -> str | None:
    """Return what decides where an interval alone would say more than the verdict, else None.

    Parameters
    ----------
    word
        The verdict.
    lower, upper
        Limits of the interval, None where there is none.
    """
    return HOLM if adjusted_away(word, lower, upper) else None


def worded(row: Difference, word: str) -> str:
    """Return the word of a difference as it stands beside its interval.

    Parameters
    ----------
    row
        The difference.
    word
        Its verdict, or what stands where there is none.
    """
    decides = decided_by(row.verdict, row.lower, row.upper)
    return word if decides is None else f"{word} ({decides})"


def adjusted_p(row: Difference) -> str:
    """Return what follows the interval of a secondary comparison: the p that its verdict needs.

    Parameters
    ----------
    row
        The difference; nothing follows that of the primary comparison.
    """
    return "" if row.primary or row.p_holm is None else f", adjusted {with_p(row.p_holm)}"


def rule(metric: Metric) -> str:
    """Say what supports a difference.

    Parameters
    ----------
    metric
        The metric that verdicts follow.
    """
    return RULE.format(metric.title, metric.aside)


def resolution(rows: Sequence[Difference], amount: str) -> str | None:
    """Say what these folds cannot show, by how wide intervals are; None where nothing is judged.

    Parameters
    ----------
    rows
        The differences that answer the question.
    amount
        What they are differences of.
    """
    # Two methods that predict alike have an interval without width, which tells of no resolution.
    widths = [
        row.upper - row.lower
        for row in rows
        if row.lower is not None
        and row.upper is not None
        and row.lower < row.upper
        and row.verdict is not None
        and row.verdict != Verdict.UNJUDGED
    ]
    if not widths:
        return None
    halves = sorted({f"±{decimal(width / 2)}" for width in widths})
    width = halves[0] if len(halves) == 1 else f"{halves[0]} to {halves[-1]}"
    return RESOLUTION.format(width=width, amount=amount)


def drawn_intervals(rows: Sequence[Difference]) -> str:
    """Say of which intervals a figure of differences is, and what decides beside them.

    Parameters
    ----------
    rows
        The differences that are drawn.
    """
    away = [row for row in rows if decided_by(row.verdict, row.lower, row.upper)]
    if not away:
        return SINGLE
    others = max(row.references for row in away)
    return SINGLE + DECIDES.format(others=counted(others, "comparison"))
