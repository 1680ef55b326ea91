"""The figure of attribution, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, modality_keys
from balmi.report.kit.figures import ORDER, Drawn, Entry, Figure, Panels
from balmi.report.kit.svg import GRID, INK, SOFT
from balmi.report.kit.words import percent, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.report.kit.drawing import Key
    from balmi.report.sections.attribution.view import (
        Attributions,
        AttributionView,
        Feature,
        ModalityShare,
    )

MOST_TOLD = 60  # shares in the description of the figure; the table has all
LANE = 16  # height of a modality's lane, pixels
PANEL, STEP = 210, 22  # of the features of a class, pixels: width, and height of a row
FOR, AGAINST, NEITHER = "triangle-up", "triangle-down", "circle"
DIRECTIONS = (
    Entry("supports the class", INK, FOR, "var(--bg)"),
    Entry("argues against it", INK, AGAINST, "var(--bg)"),
)


def _shape(direction: float) -> str:
    """Return the shape of a mark, by whether a feature supports its class."""
    return FOR if direction > 0 else AGAINST if direction < 0 else NEITHER


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
    told = [f"{row.label}, {row.modality}: {percent(row.share.estimate)}" for row in rows]
    more = f", and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    about = ", ".join(told[:MOST_TOLD]) + more
    legend = tuple(
        Entry(shortened(name, LABEL), keys[name].colour, shapes[name]) for name in modalities
    )
    left = max(len(shortened(name, LABEL)) for name in classes)
    title = "Each modality's share of the attributions, by class"
    return Figure(
        chart, "attribution", title, f"{about}.", (left, 0), legend, data="attribution_modalities"
    )


def _features_figure(
    label: str,
    rows: Sequence[Feature],
    place: int,
    most: float,
    keys: Mapping[str, Key],
    legend: tuple[Entry, ...],
) -> Figure:
    records = [
        {
            "name": shortened(row.name, LABEL),
            "told": percent(row.top),
            "value": row.importance,
            "colour": keys[row.modality].colour,
            "shape": _shape(row.direction),
            "fill": row.top,
        }
        for row in rows
    ]
    base = drawing.rows_of(records)
    axis = alt.Axis(format="~g", tickCount=4, grid=True)
    scale = alt.Scale(domain=[0, most], nice=True)
    across = alt.X("value:Q", title="mean absolute attribution", axis=axis, scale=scale)
    point = base.mark_point(size=90, strokeWidth=1.5, opacity=1).encode(
        across,
        stroke=alt.Stroke("colour:N", scale=None),
        fill=alt.Fill("colour:N", scale=None),
        fillOpacity=alt.FillOpacity("fill:Q", scale=None),
        shape=alt.Shape("shape:N", scale=None),
    )
    left = base.mark_text(align="right", baseline="middle", color=INK)
    right = base.mark_text(align="left", baseline="middle", color=SOFT)
    layers = [
        point,
        left.encode(x=alt.value(-drawing.GAP), text="name:N"),
        right.encode(x=alt.value(PANEL + drawing.GAP), text="told:N"),
    ]
    chart = alt.layer(*layers).properties(width=PANEL, height=STEP * len(rows))
    about = ", ".join(f"{row.name} ({row.modality})" for row in rows)
    return Figure(
        chart,
        f"features-{place}",
        shortened(label, LABEL),
        f"{about}.",
        drawing.lengths(records),
        legend,
    )


def features_figures(attributions: Attributions, modalities: Sequence[str]) -> Panels:
    """Draw the foremost features of every class: a dot each, and how many folds list it."""
    keys = modality_keys(modalities)
    most = max(row.importance for _, rows in attributions.foremost for row in rows)
    entries = [Entry(shortened(name, LABEL), keys[name].colour, "square") for name in modalities]
    legend = (*entries, *DIRECTIONS)
    parts = (
        _features_figure(label, rows, place, most, keys, legend)
        for place, (label, rows) in enumerate(attributions.foremost)
    )
    return Panels("Features of largest attribution, by class", tuple(parts), data="attribution")


def attribution_figures(view: AttributionView, modalities: Sequence[str]) -> Drawn:
    """Draw the figure of attribution where there are data."""
    if view.attributions is None:
        return {}
    figures: Drawn = {}
    if view.attributions.shares:
        figures["attribution"] = attribution_figure(view.attributions.shares, modalities)
    if view.attributions.foremost:
        figures["features"] = features_figures(view.attributions, modalities)
    return figures
