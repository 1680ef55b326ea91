"""The figures of methods and training, drawn from the views: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from balmi.report import drawing
from balmi.report.drawing import LABEL, mark_of, modality_keys
from balmi.report.figures import Entry, Figure, Panels
from balmi.report.svg import INK, SOFT
from balmi.report.words import decimal, shortened, signed, with_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.performance import Difference, MethodRow
    from balmi.report.training import Panel

MAX_DOTS = 1500


def _difference_row(row: Difference) -> dict[str, Any]:
    mark = mark_of(row.verdict)
    amount = with_limits(row.difference, row.lower, row.upper, signed)
    return {
        "name": shortened(f"{row.method} − {row.reference}", LABEL + 10),
        "value": row.difference,
        "lower": row.lower,
        "upper": row.upper,
        "colour": mark.colour,
        "shape": mark.shape,
        "told": f"{amount}  {mark.word}",
    }


def differences_figure(rows: Sequence[Difference]) -> Figure:
    """Draw the forest of paired differences of macro-F1."""
    records = [_difference_row(row) for row in rows]
    base = drawing.rows_of(records)
    title = "difference of macro-F1 (right of 0: the first is better)"
    layers = [*drawing.points(base, title), drawing.names(base), drawing.texts(base)]
    chart = drawing.sized(layers, len(records))
    words = [mark_of(row.verdict).word for row in rows]
    counts = ", ".join(f"{word}: {words.count(word)}" for word in dict.fromkeys(words))
    title = "Paired differences of macro-F1"
    return Figure(chart, "differences", title, f"{counts}.", drawing.lengths(records))


def _quartiles(row: MethodRow) -> dict[str, float]:
    values = np.percentile([value for _, _, value in row.folds], [0, 25, 50, 75, 100])
    return dict(zip(("least", "low", "middle", "high", "most"), map(float, values), strict=True))


def folds_figure(methods: Sequence[MethodRow]) -> Figure:
    """Draw each method's macro-F1 per fold over a box; without dots where they are too many."""
    rows = [row for row in methods if row.folds]
    boxes = [
        {"name": ("★ " if row.own else "") + shortened(row.name, LABEL), **_quartiles(row)}
        for row in rows
    ]
    base = drawing.rows_of(boxes)
    title = "macro-F1 on the test samples of a fold"
    scale = {"zero": False, "nice": True}
    box = base.mark_bar(height=16, color=SOFT, opacity=0.25, stroke=SOFT, strokeWidth=1)
    middle = base.mark_tick(color=INK, thickness=2.5, size=18)
    layers = [
        base.mark_rule(color=SOFT).encode(x=drawing.across("least", title, **scale), x2="most:Q"),
        box.encode(x=drawing.across("low", title, **scale), x2="high:Q"),
        middle.encode(drawing.across("middle", title, **scale)),
        drawing.names(base),
    ]
    total = sum(len(row.folds) for row in rows)
    if total <= MAX_DOTS:
        layers.insert(2, _dots(rows, title, scale))
    return Figure(
        drawing.sized(layers, len(rows)),
        "folds",
        "Macro-F1 per fold",
        f"A box per method over {total} fold scores; the line in a box is the median.",
        drawing.lengths(boxes),
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
    return marks.encode(x=drawing.across("value", title, **scale), y=drawing.down(), yOffset=lane)


def training_figure(panel: Panel, modalities: Sequence[str]) -> Figure:
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
    legend = tuple(Entry(shortened(key.name, LABEL), key.colour, dash=key.dash) for key in own)
    title = f"{panel.title} per epoch"
    return Figure(chart, prefix, title, f"Medians: {told}.", legend=legend)


def training_figures(panels: Sequence[Panel], modalities: Sequence[str]) -> Panels:
    """Draw every quantity over epochs."""
    parts = tuple(training_figure(panel, modalities) for panel in panels)
    return Panels("Training dynamics: median and 10 to 90 % of networks", parts)
