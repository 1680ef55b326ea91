"""The figures of training, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from balmi.numerals import decimal
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, modality_keys
from balmi.report.kit.figures import Drawn, Entry, Figure, Panels, side_by_side
from balmi.report.kit.svg import charted
from balmi.report.kit.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.training.view import Curve, Panel


LEADING = 2  # panels in view while the section is closed: what balancing did


def _medians(curve: Curve) -> str:
    first, last = decimal(curve.middle[0]), decimal(curve.middle[-1])
    return f"{curve.modality} from {first} to {last}"


def training_figure(panel: Panel, modalities: Sequence[str], width: int) -> Figure:
    """Draw one quantity over epochs: a line and a 10-90 % band per modality."""
    keys = modality_keys(modalities)
    records = [
        {
            "curve": place,
            "epoch": epoch,
            "low": low,
            "middle": middle,
            "high": high,
            "said": _medians(curve),
        }
        for place, curve in enumerate(panel.curves)
        for epoch, low, middle, high in zip(
            curve.epochs, curve.low, curve.middle, curve.high, strict=True
        )
    ]
    drawn = [keys[curve.modality] for curve in panel.curves]
    places = list(range(len(drawn)))
    colour = alt.Scale(domain=places, range=[key.colour for key in drawn])
    dash = alt.Scale(domain=places, range=[list(key.dash) for key in drawn])
    axis = alt.Axis(format="~g", tickCount=5)
    paint = alt.Color("curve:O", scale=colour, legend=None)
    base = charted(records).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickCount=6, format="d"), scale=alt.Scale(nice=False)),
        color=paint,
    )
    y = alt.Y("low:Q", title=None, axis=axis, scale=alt.Scale(zero=False))
    band = base.mark_area(opacity=0.16).encode(y=y, y2=alt.Y2("high:Q"))
    line = base.mark_line(strokeWidth=2).encode(
        y=alt.Y("middle:Q", title=None, axis=axis),
        strokeDash=alt.StrokeDash("curve:O", scale=dash, legend=None),
        description=drawing.said(),
    )
    chart = alt.layer(band, line).properties(width=width, height=200)
    medians = ", ".join(map(_medians, panel.curves))
    prefix = f"training-{panel.quantity.replace('_', '-')}"
    legend = tuple(Entry(shortened(key.name, LABEL), key.colour, dash=key.dash) for key in drawn)
    title = f"{panel.title} per epoch"
    return Figure(chart, prefix, title, f"Medians: {medians}.", legend=legend)


def training_figures(panels: Sequence[Panel], modalities: Sequence[str]) -> Drawn:
    """Draw every quantity over epochs: the first ones, and the others."""
    title = "Training dynamics: median and 10 to 90 % of networks"
    drawn: Drawn = {}
    for name, held in (("balance", panels[:LEADING]), ("training", panels[LEADING:])):
        width = side_by_side(len(held))
        parts = tuple(training_figure(panel, modalities, width) for panel in held)
        if parts:
            drawn[name] = Panels(title, parts, data="training", width=width)
    return drawn
