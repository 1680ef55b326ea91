"""The figure of attribution, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, modality_keys
from balmi.report.kit.figures import ORDER, Drawn, Entry, Figure
from balmi.report.kit.svg import GRID
from balmi.report.kit.words import percent, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.attribution.view import AttributionView, ModalityShare

LANE = 16  # height of a modality's lane, pixels


def attribution_figure(rows: Sequence[ModalityShare], modalities: Sequence[str]) -> Figure:
    """Draw each modality's share of the attributions: a row per class, a lane per modality."""
    keys = modality_keys(modalities)
    classes = list(dict.fromkeys(row.label for row in rows))
    shapes = {name: ORDER[place % drawing.NAMED] for place, name in enumerate(modalities)}
    records = [
        {
            "row": classes.index(row.label),
            "lane": (modalities.index(row.modality) + 0.5) / len(modalities),
            "value": row.share.estimate,
            "lower": row.share.lower,
            "upper": row.share.upper,
            "colour": keys[row.modality].colour,
            "shape": shapes[row.modality],
        }
        for row in rows
    ]
    labels = drawing.rows_of([{"name": shortened(name, LABEL)} for name in classes])
    guide = labels.mark_rule(color=GRID).encode(x=alt.value(0), x2=alt.value(drawing.WIDTH))
    offset = alt.YOffset("lane:Q", scale=alt.Scale(domain=[0, 1]))
    base = drawing.rows_of(records).encode(yOffset=offset)
    layers = [guide, *drawing.points(base, "share of the attributions"), drawing.names(labels)]
    height = max(drawing.ROW, LANE * len(modalities) + 8) * len(classes)
    chart = alt.layer(*layers).properties(width=drawing.WIDTH, height=height)
    about = ", ".join(f"{row.label}, {row.modality}: {percent(row.share.estimate)}" for row in rows)
    legend = tuple(
        Entry(shortened(name, LABEL), keys[name].colour, shapes[name]) for name in modalities
    )
    left = max(len(shortened(name, LABEL)) for name in classes)
    title = "Each modality's share of the attributions, by class"
    return Figure(
        chart, "attribution", title, f"{about}.", (left, 0), legend, data="attribution_modalities"
    )


def attribution_figures(view: AttributionView, modalities: Sequence[str]) -> Drawn:
    """Draw the figure of attribution where there are data."""
    if view.attributions is None or not view.attributions.shares:
        return {}
    return {"attribution": attribution_figure(view.attributions.shares, modalities)}
