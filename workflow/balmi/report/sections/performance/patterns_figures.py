"""The figure of availability, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.numerals import counted, decimal
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL
from balmi.report.kit.figures import Entry, Figure
from balmi.report.kit.svg import SOFT
from balmi.report.kit.words import shortened

if TYPE_CHECKING:
    from balmi.report.sections.performance.patterns import PatternsView

COLOUR = "var(--accent)"


def patterns_figure(view: PatternsView) -> Figure:
    """Draw the score of samples by which modalities they have: a row per pattern."""
    title = f"{view.metric.title}{view.metric.aside}"
    names = [
        {
            "name": shortened(row.name, LABEL + 10),
            "told": f"{counted(row.samples, 'sample')}",
            "value": row.own.estimate,
            "lower": row.own.lower,
            "upper": row.own.upper,
            "said": f"{row.name}: {row.own.told()}",
        }
        for row in view.rows
    ]
    base, width = drawing.rows_of(names), drawing.wide(names)
    masks = [
        {
            "row": place,
            "value": row.mask.estimate,
            "said": f"{row.name}: {decimal(row.mask.estimate)} by who has what alone",
        }
        for place, row in enumerate(view.rows)
        if row.mask is not None
    ]
    scale = {"zero": True, "nice": True}
    mark = drawing.rows_of(masks).mark_point(
        shape="diamond", size=70, filled=False, stroke=SOFT, strokeWidth=1.6, opacity=1
    )
    interval = base.mark_rule(strokeWidth=2.5, color=COLOUR)
    point = base.mark_point(filled=True, size=110, opacity=1, color=COLOUR, shape="circle")
    layers = [
        *(
            [mark.encode(drawing.across("value", title, **scale), description=drawing.said())]
            if masks
            else []
        ),
        interval.encode(x=drawing.across("lower", title, **scale), x2="upper:Q"),
        point.encode(drawing.across("value", title, **scale), description=drawing.said()),
        drawing.names(base),
        drawing.texts(base, width),
    ]
    own = shortened(view.method, LABEL)
    legend = [Entry(f"{own}, with its 95 % interval", COLOUR, "circle")]
    if masks:
        legend.append(Entry("by who has what alone", SOFT, "diamond", "var(--bg)"))
    about = "; ".join(f"{row.name}: {row.own.told()}" for row in view.rows)
    return Figure(
        drawing.sized(layers, len(names), width),
        "patterns",
        f"{view.metric.name} of {own} by which modalities a sample has",
        f"{about}.",
        drawing.lengths(names),
        tuple(legend),
        data="patterns",
    )
