"""The figures of methods and training, drawn from the views: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from balmi.numerals import decimal, signed, with_limits
from balmi.report.conclusions.differences import drawn_intervals, worded
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, mark_of
from balmi.report.kit.figures import Drawn, Figure
from balmi.report.kit.svg import INK, SOFT, charted
from balmi.report.kit.words import shortened
from balmi.report.sections.performance.closeup_figures import curve_figures, reliability_figures
from balmi.report.sections.performance.confusion_figure import confusion_figure
from balmi.report.sections.performance.patterns_figures import patterns_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.metrics import Metric
    from balmi.report.sections.performance.view import Difference, MethodRow, PerformanceView

MAX_DOTS = 1500
SPREAD = 16  # height over which the dots of a method lie, pixels


def _difference_row(row: Difference) -> dict[str, Any]:
    mark = mark_of(row.verdict)
    amount, word = with_limits(row.difference, row.lower, row.upper, signed), worded(row, mark.word)
    return {
        "name": ("★ " if row.primary else "")
        + shortened(f"{row.method} − {row.reference}", LABEL + 10),
        "value": row.difference,
        "lower": row.lower,
        "upper": row.upper,
        "colour": mark.colour,
        "shape": mark.shape,
        "told": f"{amount}  {word}",
        "said": f"{row.method} − {row.reference}: {amount}, {word}",
    }


def differences_figure(rows: Sequence[Difference], metric: Metric) -> Figure:
    """Draw the forest of paired differences of a metric."""
    records = [_difference_row(row) for row in rows]
    base = drawing.rows_of(records)
    side = metric.direction.better_side
    title = f"difference of {metric.title} ({side} of 0: the first is better)"
    width = drawing.wide(records)
    layers = [*drawing.points(base, title), drawing.names(base), drawing.texts(base, width)]
    chart = drawing.sized(layers, len(records), width)
    words = [worded(row, mark_of(row.verdict).word) for row in rows]
    counts = ", ".join(f"{word}: {words.count(word)}" for word in dict.fromkeys(words))
    title = f"Paired differences of {metric.title}"
    return Figure(
        chart,
        "differences",
        title,
        f"{counts}. {drawn_intervals(rows)}",
        drawing.lengths(records),
        data="comparisons",
    )


def _quartiles(row: MethodRow) -> dict[str, float]:
    values = np.percentile([value for _, _, value in row.folds], [0, 25, 50, 75, 100])
    return dict(zip(("least", "low", "middle", "high", "most"), map(float, values), strict=True))


def folds_figure(methods: Sequence[MethodRow], metric: Metric) -> Figure:
    """Draw each method's score per fold over a box; without dots where they are too many."""
    rows = [row for row in methods if row.folds]
    boxes: list[dict[str, Any]] = [
        {"name": ("★ " if row.own else "") + shortened(row.name, LABEL), **_quartiles(row)}
        for row in rows
    ]
    for row, box in zip(rows, boxes, strict=True):
        ends = f"{decimal(box['least'])} to {decimal(box['most'])}"
        box["said"] = f"{row.name}: median {decimal(box['middle'])}, folds from {ends}"
    base = drawing.rows_of(boxes)
    title = f"{metric.title} on the test samples of a fold"
    limits = _limits(boxes)
    scale = {"domain": list(limits), "nice": False, "zero": False}
    box = base.mark_bar(height=16, color=SOFT, opacity=0.25, stroke=SOFT, strokeWidth=1)
    middle = base.mark_tick(color=INK, thickness=2.5, size=18)
    layers = [
        base.mark_rule(color=SOFT).encode(
            x=drawing.across("least", title, **scale), x2=alt.X2("most:Q")
        ),
        box.encode(
            x=drawing.across("low", title, **scale), x2=alt.X2("high:Q"), description=drawing.said()
        ),
        middle.encode(drawing.across("middle", title, **scale)),
        drawing.names(base),
    ]
    total, width = sum(len(row.folds) for row in rows), drawing.wide(boxes)
    if total <= MAX_DOTS:
        layers.insert(2, _dots(rows, limits, width))
    return Figure(
        drawing.sized(layers, len(rows), width),
        "folds",
        f"{metric.first} per fold",
        f"A box per method over {total} fold scores; the line in a box is the median.",
        drawing.lengths(boxes),
        data="performance",
    )


def _dots(rows: Sequence[MethodRow], limits: tuple[float, float], width: int) -> alt.Chart:
    """Draw single folds: those of a method as one path, which takes a tenth of the bytes.

    Folds of one repeat share a lane: the spread is the data's, so two builds are the same.
    """
    lanes = max(repeat for row in rows for repeat, _, _ in row.folds) + 1
    low, high = limits
    dots = [
        {
            "row": place,
            "path": "".join(
                f"M{width * ((value - low) / (high - low) - 0.5):.1f},"
                f"{SPREAD * ((repeat + 0.5) / lanes - 0.5):.1f}h.1"
                for repeat, _, value in row.folds
            ),
            "said": _scores(row, lanes),
        }
        for place, row in enumerate(rows)
    ]
    look = {"stroke": "var(--accent)", "strokeWidth": 5, "strokeCap": "round", "opacity": 0.8}
    marks = charted(dots).mark_point(size=4, filled=False, **look)
    return marks.encode(
        x=alt.XValue(width / 2),
        y=drawing.down(),
        shape=alt.Shape("path:N", scale=None),
        description=drawing.said(),
    )


def _scores(row: MethodRow, lanes: int) -> str:
    """Return a method's scores fold by fold, a repeat after the other."""
    held: dict[int, list[str]] = {}
    for repeat, _, value in row.folds:
        held.setdefault(repeat, []).append(decimal(value))
    parts = (
        f"repeat {repeat + 1}: {' '.join(values)}" if lanes > 1 else " ".join(values)
        for repeat, values in held.items()
    )
    return f"{row.name}, by fold; {'; '.join(parts)}"


def _limits(boxes: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Return where the axis begins and ends: a little beyond all folds."""
    least, most = min(row["least"] for row in boxes), max(row["most"] for row in boxes)
    room = 0.03 * (most - least) or 0.05
    return least - room, most + room


def performance_figures(view: PerformanceView, classes: Sequence[str]) -> Drawn:
    """Draw the figures of performance for which there are data."""
    figures: Drawn = {}
    if view.differences:
        figures["differences"] = differences_figure(view.differences, view.metric)
    if any(row.folds for row in view.methods):
        figures["folds"] = folds_figure(view.methods, view.metric)
    if view.patterns is not None:
        figures["patterns"] = patterns_figure(view.patterns)
    closeup = view.closeup
    if closeup is not None:
        places = view.design.count_places
        figures["confusion"] = confusion_figure(closeup.confusion, closeup.method, places)
    if closeup is not None and all(row.bins for row in closeup.reliability):
        figures["reliability"] = reliability_figures(closeup.reliability)
    if closeup is not None and all(closeup.curves.values()):
        figures["curves"] = curve_figures(closeup, classes)
    return figures
