"""The figures of one method close up: reliability, and the curves of its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from balmi.numerals import counted, decimal, with_limits
from balmi.report.kit import drawing
from balmi.report.kit.drawing import DASHES, LABEL, class_keys
from balmi.report.kit.figures import Entry, Figure, Panels
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.svg import SOFT, charted
from balmi.report.kit.words import percent, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.report.kit.drawing import Key
    from balmi.report.sections.performance.closeup import ClassCurve, CloseUp, Reliability

SIDE = 400
DOTS = list(DASHES[2])
COLOUR = "var(--accent)"
UNIT = alt.Scale(domain=[0, 1])
UNIT_AXIS = alt.Axis(format=".1f", tickCount=5)
AREAS = {"roc": "auroc", "pr": "auprc"}
CURVE_TITLES = {
    "roc": ("ROC curves", "false positive rate", "recall (true positive rate)"),
    "pr": ("Precision-recall curves", "recall", "precision"),
}


def _across(field: str, titles: tuple[str, str]) -> alt.X:
    return alt.X(f"{field}:Q", title=titles[0], axis=UNIT_AXIS, scale=UNIT)


def _up(field: str, titles: tuple[str, str]) -> alt.Y:
    return alt.Y(f"{field}:Q", title=titles[1], axis=UNIT_AXIS, scale=UNIT)


def _diagonal(titles: tuple[str, str], opacity: float = 1) -> alt.Chart:
    ends = charted([{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    line = ends.mark_line(color=SOFT, strokeWidth=1.5, strokeDash=DOTS, opacity=opacity)
    return line.encode(x=_across("x", titles), y=_up("y", titles))


def _histogram(row: Reliability, titles: tuple[str, str]) -> alt.Chart:
    """Draw the share of predictions in every bin, on the axes of what is right."""
    records = [
        {
            "from": each.left,
            "to": each.right,
            "zero": 0,
            "share": share,
            "said": f"{counted(round(each.samples), 'prediction')} with a probability from"
            f" {percent(each.left)} to {percent(each.right)}: {percent(share)}",
        }
        for each, share in zip(row.bins, row.shares, strict=True)
    ]
    bar = charted(records).mark_rect(fill=COLOUR, fillOpacity=0.18)
    return bar.encode(
        x=_across("from", titles),
        x2=alt.X2("to:Q"),
        y=_up("share", titles),
        y2=alt.Y2("zero:Q"),
        description=drawing.said(),
    )


def _reliability_figure(row: Reliability, place: int) -> Figure:
    records = [
        {
            "x": each.confidence,
            "y": each.accuracy,
            "low": each.lower,
            "high": each.upper,
            "said": f"{percent(each.confidence)} predicted, {percent(each.accuracy)} right"
            f" ({percent(each.lower)} to {percent(each.upper)})",
        }
        for each in row.bins
    ]
    titles = "probability of the predicted class", "share that is right"
    base = charted(records).encode(x=_across("x", titles))
    line = base.mark_line(color=COLOUR, strokeWidth=1.5, opacity=0.6)
    interval = base.mark_rule(color=COLOUR, strokeWidth=2)
    point = base.mark_point(shape="circle", fill=COLOUR, stroke="var(--bg)", opacity=1, size=90)
    chart = alt.layer(
        _histogram(row, titles),
        _diagonal(titles),
        line.encode(y=_up("y", titles)),
        interval.encode(y=_up("low", titles), y2=alt.Y2("high:Q")),
        point.encode(y=_up("y", titles), description=drawing.said()),
    ).properties(width=SIDE, height=SIDE)
    about = ", ".join(
        f"{percent(each.confidence)} predicted, {percent(each.accuracy)} right" for each in row.bins
    )
    name = shortened(row.method, LABEL)
    legend = (
        Entry("perfectly calibrated", SOFT, dash=tuple(DOTS)),
        Entry("share of the predictions", "var(--line)", "square"),
    )
    title = f"Reliability of {name}"
    return Figure(chart, f"reliability-{place}", title, f"{about}.", legend=legend)


def reliability_figures(rows: Sequence[Reliability]) -> Panels:
    """Draw the share that is right over the probability that was told, a panel per method."""
    parts = (_reliability_figure(row, place) for place, row in enumerate(rows))
    return Panels("Are the probabilities right?", tuple(parts), data="reliability")


def _curve(
    curve: ClassCurve, place: int, key: Key, titles: tuple[str, str], area: str
) -> alt.Chart:
    records = [{"x": x, "y": y} for x, y in zip(curve.x, curve.y, strict=True)]
    # The layer's name marks the class in the page, so that a reader can hide it.
    base = charted(records, name=f"class_{place}")
    look: dict[str, Any] = {"strokeDash": list(key.dash)} if key.dash[1] else {}
    line = base.mark_line(color=key.colour, strokeWidth=2, **look)
    said = alt.DescriptionValue(f"{curve.name}: {area}{titles[1]} {_middle(curve)} {titles[0]}")
    return line.encode(x=_across("x", titles), y=_up("y", titles), description=said)


def _band(curve: ClassCurve, place: int, key: Key, titles: tuple[str, str]) -> alt.Chart:
    rows = zip(curve.x, curve.lower, curve.upper, strict=True)
    records = [{"x": x, "low": low, "high": high} for x, low, high in rows]
    base = charted(records, name=f"class_{place}_band")
    area = base.mark_area(color=key.colour, opacity=0.16)
    return area.encode(x=_across("x", titles), y=_up("low", titles), y2=alt.Y2("high:Q"))


def _areas(closeup: CloseUp, kind: str) -> dict[str, str]:
    """Return by class the area under its curve, as it is said."""
    metric = metric_of(AREAS[kind])
    scores = {row.name: row.scores.get(metric.key) for row in closeup.classes}
    return {
        name: f"{metric.title} {with_limits(score.mean, score.lower, score.upper)}; "
        for name, score in scores.items()
        if score is not None and score.mean is not None
    }


def _curves_figure(
    kind: str,
    curves: Sequence[ClassCurve],
    classes: Sequence[str],
    areas: Mapping[str, str],
    banded: bool,
) -> Figure:
    keys = class_keys(classes)
    places = {name: place for place, name in enumerate(classes)}
    title, *titles = CURVE_TITLES[kind]
    lines = [
        _curve(row, places[row.name], keys[row.name], tuple(titles), areas.get(row.name, ""))
        for row in curves
    ]
    bands = [
        _band(row, places[row.name], keys[row.name], tuple(titles))
        for row in curves
        if banded and row.lower
    ]
    # Chance is a diagonal in ROC curves alone; an unseen one keeps the axes of the other.
    diagonal = _diagonal(tuple(titles), opacity=float(kind == "roc"))
    chart = alt.layer(diagonal, *bands, *lines).properties(width=SIDE, height=SIDE)
    passes = "; ".join(f"{row.name} passes {_middle(row)}" for row in curves)
    legend = tuple(
        Entry(shortened(row.name, LABEL), keys[row.name].colour, dash=keys[row.name].dash)
        for row in curves
    )
    return Figure(chart, f"curve-{kind}", title, f"One line per class: {passes}.", legend=legend)


def _middle(curve: ClassCurve) -> str:
    place = len(curve.x) // 2
    return f"{decimal(curve.y[place], 2)} at {decimal(curve.x[place], 2)}"


def curve_figures(closeup: CloseUp, classes: Sequence[str]) -> Panels:
    """Draw the ROC and precision-recall curves of every class.

    Parameters
    ----------
    closeup
        The view.
    classes
        All classes in the cohort's order, which decides the colours.
    """
    parts = (
        _curves_figure(kind, curves, classes, _areas(closeup, kind), closeup.banded)
        for kind, curves in closeup.curves.items()
    )
    title = f"Curves of {closeup.method}, each class against the rest"
    return Panels(title, tuple(parts), data="curves")
