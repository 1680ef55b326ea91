"""The figures of the report, drawn from the views: no number is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from balmi.config.settings import JOINT
from balmi.evaluation.verdicts import Verdict
from balmi.report.svg import INK, SOFT, to_svg
from balmi.report.words import chance, decimal, limits, shortened, signed, with_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from balmi.report.information import InformationView, Margin
    from balmi.report.performance import Difference, MethodRow
    from balmi.report.training import Panel

# Okabe and Ito (2008), without the black; the yellow comes last since it is faint on white.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
# Tol (2021), the bright scheme.
TOL_BRIGHT = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB")
DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3))
ROW, WIDTH, GAP = 30, 430, 10
LABEL = 34
MAX_DOTS = 1500


@dataclass(frozen=True)
class Mark:
    """How a verdict looks: word, symbol, shape in figures, and the colour's name."""

    word: str
    symbol: str
    shape: str
    tone: str

    @property
    def colour(self) -> str:
        """The colour as a variable of the page's style sheet."""
        return f"var(--{self.tone})"


MARKS = {
    str(Verdict.GAIN): Mark(str(Verdict.GAIN), "▲", "triangle-up", "gain"),
    str(Verdict.NONE): Mark(str(Verdict.NONE), "●", "circle", "none"),
    str(Verdict.LOSS): Mark(str(Verdict.LOSS), "▼", "triangle-down", "loss"),
}
UNKNOWN = Mark("no interval", "○", "circle", "none")


@dataclass(frozen=True)
class Key:
    """A modality's colour and dash, the same in every figure."""

    name: str
    colour: str
    dash: tuple[int, ...]


def modality_keys(modalities: Sequence[str]) -> dict[str, Key]:
    """Return the colour and dash of each modality, and of the joint head."""
    keys = {
        name: Key(name, OKABE_ITO[place % len(OKABE_ITO)], DASHES[place % len(DASHES)])
        for place, name in enumerate(modalities)
    }
    return keys | {JOINT: Key(JOINT, INK, (4, 2))}


def _base(rows: Sequence[dict[str, Any]]) -> alt.Chart:
    """Return a chart of one row per record, in the order of the records."""
    records = [{"row": place, **row} for place, row in enumerate(rows)]
    return alt.Chart(alt.Data(values=records)).encode(y=_down())


def _down() -> alt.Y:
    scale = alt.Scale(paddingInner=0.25, paddingOuter=0.2)
    return alt.Y("row:O", axis=None, scale=scale)


def _names(base: alt.Chart) -> alt.Chart:
    # Names are marks, not axis labels: two long names that shorten alike stay two rows.
    marks = base.mark_text(align="right", baseline="middle", color=INK)
    return marks.encode(x=alt.value(-GAP), text="name:N")


def _texts(base: alt.Chart) -> alt.Chart:
    marks = base.mark_text(align="left", baseline="middle", color=INK)
    return marks.encode(x=alt.value(WIDTH + GAP), text="told:N")


def _across(field: str, title: str, **scale: Any) -> alt.X:
    axis = alt.Axis(format="~g", tickCount=6)
    return alt.X(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(**scale))


def _zero() -> alt.Chart:
    line = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=INK, strokeWidth=1.5)
    return line.encode(x="zero:Q")


def _lengths(rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the length of the longest name and of the longest text on the right."""
    names, told = ([len(row.get(key, "")) for row in rows] for key in ("name", "told"))
    return max(names), max(told)


def _sized(layers: Sequence[alt.Chart], rows: int) -> alt.LayerChart:
    return alt.layer(*layers).properties(width=WIDTH, height=ROW * rows)


def _forest(rows: Sequence[dict[str, Any]], title: str) -> alt.LayerChart:
    """Draw points with intervals around zero, coloured and shaped by verdict."""
    base = _base(rows)
    paint = alt.Color("colour:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)
    across = _across("value", title, zero=True, nice=True)
    layers = [
        _zero(),
        base.mark_rule(strokeWidth=2.5).encode(
            x=_across("lower", title), x2="upper:Q", color=paint
        ),
        base.mark_point(filled=True, size=110, opacity=1).encode(across, color=paint, shape=shape),
        _names(base),
        _texts(base),
    ]
    return _sized(layers, len(rows))


def _mark(verdict: str | None) -> Mark:
    return UNKNOWN if verdict is None else MARKS[verdict]


def _forest_row(row: Difference | Margin, name: str, value: float | None, word: str) -> dict:
    mark = _mark(row.verdict)
    return {
        "name": name,
        "value": value,
        "lower": row.lower,
        "upper": row.upper,
        "colour": mark.colour,
        "shape": mark.shape,
        "told": f"{with_limits(value, row.lower, row.upper, signed)}  {word}",
    }


def differences_figure(rows: Sequence[Difference]) -> Markup:
    """Draw the forest of paired differences of macro-F1."""
    records = [
        _forest_row(
            row,
            shortened(f"{row.method} − {row.reference}", LABEL + 10),
            row.difference,
            _mark(row.verdict).word,
        )
        for row in rows
    ]
    chart = _forest(records, "difference of macro-F1 (right of 0: the first is better)")
    words = [_mark(row.verdict).word for row in rows]
    counts = ", ".join(f"{word}: {words.count(word)}" for word in dict.fromkeys(words))
    title = "Paired differences of macro-F1"
    return to_svg(chart, "differences", title, f"{counts}.", _lengths(records))


def margins_figure(rows: Sequence[Margin]) -> Markup:
    """Draw the complementarity margin of every teacher and student."""
    records = [
        _forest_row(
            row,
            f"{shortened(row.teacher, 18)} → {shortened(row.student, 18)}",
            row.estimate,
            row.prediction,
        )
        for row in rows
    ]
    chart = _forest(records, "margin in nats (right of 0: distillation is predicted to help)")
    told = ", ".join(f"{record['name']}: {record['told']}" for record in records)
    return to_svg(chart, "margins", "Complementarity margins", f"{told}.", _lengths(records))


def _quartiles(row: MethodRow) -> dict[str, float]:
    values = np.percentile([value for _, _, value in row.folds], [0, 25, 50, 75, 100])
    return dict(zip(("least", "low", "middle", "high", "most"), map(float, values), strict=True))


def folds_figure(methods: Sequence[MethodRow]) -> Markup:
    """Draw each method's macro-F1 per fold over a box; without dots where they are too many."""
    rows = [row for row in methods if row.folds]
    boxes = [
        {"name": ("★ " if row.own else "") + shortened(row.name, LABEL), **_quartiles(row)}
        for row in rows
    ]
    base = _base(boxes)
    title = "macro-F1 on the test samples of a fold"
    scale = {"zero": False, "nice": True}
    box = base.mark_bar(height=16, color=SOFT, opacity=0.25, stroke=SOFT, strokeWidth=1)
    middle = base.mark_tick(color=INK, thickness=2.5, size=18)
    layers = [
        base.mark_rule(color=SOFT).encode(x=_across("least", title, **scale), x2="most:Q"),
        box.encode(x=_across("low", title, **scale), x2="high:Q"),
        middle.encode(_across("middle", title, **scale)),
        _names(base),
    ]
    total = sum(len(row.folds) for row in rows)
    if total <= MAX_DOTS:
        layers.insert(2, _dots(rows, title, scale))
    return to_svg(
        _sized(layers, len(rows)),
        "folds",
        "Macro-F1 per fold",
        f"A box per method over {total} fold scores; the line in a box is the median.",
        _lengths(boxes),
    )


def _dots(rows: Sequence[MethodRow], title: str, scale: dict[str, Any]) -> alt.Chart:
    # Folds of one repeat share a lane: the spread is the data's, so two builds are the same.
    lanes = max(repeat for row in rows for repeat, _, _ in row.folds) + 1
    dots = [
        {"row": place, "lane": (repeat + 0.5) / lanes, "value": value}
        for place, row in enumerate(rows)
        for repeat, _, value in row.folds
    ]
    marks = alt.Chart(alt.Data(values=dots)).mark_circle(
        size=26, color="var(--accent)", opacity=0.8
    )
    lane = alt.YOffset("lane:Q", scale=alt.Scale(domain=[-0.3, 1.3]))
    return marks.encode(x=_across("value", title, **scale), y=_down(), yOffset=lane)


def information_figure(view: InformationView, modalities: Sequence[str]) -> Markup:
    """Draw the information of each modality about the label, its interval, null and entropy."""
    keys = modality_keys(modalities)
    records = [
        {
            "name": shortened(row.modality, LABEL),
            "value": max(0.0, row.estimate),
            "from": 0,
            "lower": row.lower,
            "upper": row.upper,
            "null": row.null95,
            "colour": keys[row.modality].colour,
            "told": _information_text(row.estimate, row.lower, row.upper, row.p),
        }
        for row in view.label
    ]
    base = _base(records)
    across = "information about the label, nats"
    bar = base.mark_bar(height=14, opacity=0.85).encode(
        x=_across("from", across), x2="value:Q", color=alt.Color("colour:N", scale=None)
    )
    layers = [
        bar,
        base.mark_rule(color=INK, strokeWidth=2).encode(x=_across("lower", across), x2="upper:Q"),
        base.mark_tick(color="var(--loss)", thickness=3, size=26).encode(_across("null", across)),
        _names(base),
        _texts(base),
    ]
    if view.entropy is not None:
        line = alt.Chart(alt.Data(values=[{"entropy": view.entropy}]))
        line = line.mark_rule(color=INK, strokeDash=[5, 4], strokeWidth=1.5)
        layers.append(line.encode(x=_across("entropy", across)))
    told = ", ".join(f"{row.modality} {decimal(row.estimate)}" for row in view.label)
    chart = _sized(layers, len(records))
    title = "Information about the label"
    return to_svg(chart, "information", title, f"In nats: {told}.", _lengths(records))


def _information_text(
    estimate: float, lower: float | None, upper: float | None, p: float | None
) -> str:
    tested = "" if p is None else f"  p {'' if p < 0.0005 else '= '}{chance(p)}"
    return f"{decimal(estimate)} ({limits(lower, upper)}){tested}"


def training_figure(panel: Panel, modalities: Sequence[str]) -> Markup:
    """Draw one quantity over epochs: a line and a 10-90 % band per modality."""
    keys = modality_keys(modalities)
    records = [
        {"curve": place, "epoch": epoch, "low": low, "middle": middle, "high": high}
        for place, curve in enumerate(panel.curves)
        for epoch, low, middle, high in zip(
            curve.epochs, curve.low, curve.middle, curve.high, strict=True
        )
    ]
    own = [keys[curve.modality] for curve in panel.curves]
    places = list(range(len(own)))
    colour = alt.Scale(domain=places, range=[key.colour for key in own])
    dash = alt.Scale(domain=places, range=[list(key.dash) for key in own])
    axis = alt.Axis(format="~g", tickCount=5)
    paint = alt.Color("curve:O", scale=colour, legend=None)
    base = alt.Chart(alt.Data(values=records)).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickCount=6, format="d"), scale=alt.Scale(nice=False)),
        color=paint,
    )
    y = alt.Y("low:Q", title=None, axis=axis, scale=alt.Scale(zero=False))
    band = base.mark_area(opacity=0.16).encode(y=y, y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(
        y=alt.Y("middle:Q", title=None, axis=axis),
        strokeDash=alt.StrokeDash("curve:O", scale=dash, legend=None),
    )
    chart = alt.layer(band, line).properties(width=380, height=200)
    told = ", ".join(
        f"{curve.modality} from {decimal(curve.middle[0])} to {decimal(curve.middle[-1])}"
        for curve in panel.curves
    )
    prefix = f"training-{panel.quantity.replace('_', '-')}"
    return to_svg(chart, prefix, f"{panel.title} per epoch", f"Medians: {told}.")
