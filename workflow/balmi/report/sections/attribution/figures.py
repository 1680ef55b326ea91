"""The figure of attribution, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from balmi.numerals import counted, decimal, signed
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, class_keys, modality_keys
from balmi.report.kit.figures import LETTER, ORDER, Drawn, Entry, Figure, Panels
from balmi.report.kit.pictures import indexed, uri_of
from balmi.report.kit.sketches import Pen, fitted, sketch
from balmi.report.kit.svg import GRID, INK, SOFT
from balmi.report.kit.words import percent, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.report.kit.drawing import Key
    from balmi.report.kit.sketches import Sketch
    from balmi.report.sections.attribution.view import (
        Attributions,
        AttributionView,
        Feature,
        ModalityShare,
        Values,
    )

MOST_AREAS = 400  # of the picture of values, each with what it says
MOST_TOLD = 60  # shares in the description of the figure; the table has all
LANE = 16  # height of a modality's lane, pixels
PANEL, STEP = 250, 22  # of the features of a class, pixels: width, and height of a row
FOR, AGAINST, NEITHER = "triangle-up", "triangle-down", "circle"
# Of the picture of values, pixels: room for names, its width, a row, the strip of classes, letters.
NAMES, CELLS, LINE, STRIP, SMALL = 200, 820, 15, 10, 11
DEPTH, FARTHEST = 15, 3  # shades to either side, and the deviations from which they change no more
LOW, HIGH = "#0072B2", "#D55E00"  # Okabe and Ito's
GREY, PALE = "#8C939A", 0x73  # of what was not measured, and how opaque that is, of 255
READING = (
    "A row is a feature, a column is a sample. Samples stand by class, as the strip on top shows,"
    " and within a class by its probability while they were held out, the least likely at the left."
    " Features stand by the class for which they matter most. Colour: standard deviations from the"
    " mean of all samples. A feature that separates a class changes its colour at a line. The"
    " pointer shows the median and the middle half of a class, as does the table below."
)
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
            "said": f"{row.label}, {row.modality}: {row.share.told(percent)}",
        }
        for row in rows
    ]
    names = [{"name": shortened(name, LABEL)} for name in classes]
    labels, width = drawing.rows_of(names), drawing.wide(names)
    guide = labels.mark_rule(color=GRID).encode(x=alt.XValue(0), x2=alt.X2Value(width))
    offset = alt.YOffset("lane:Q", scale=alt.Scale(domain=[0, 1]))
    base = drawing.rows_of(records).encode(yOffset=offset)
    layers = [guide, *drawing.points(base, "share of the attributions"), drawing.names(labels)]
    height = max(drawing.ROW, LANE * len(modalities) + 8) * len(classes)
    chart = alt.layer(*layers).properties(width=width, height=height)
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
            "said": f"{row.name} ({row.modality}): importance {decimal(row.importance)},"
            f" net support {signed(row.direction)}, listed by {percent(row.top)} of folds",
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
        description=drawing.said(),
    )
    left = base.mark_text(align="right", baseline="middle", color=INK)
    right = base.mark_text(align="left", baseline="middle", color=SOFT)
    layers = [
        point,
        left.encode(x=alt.XValue(-drawing.GAP), text=alt.Text("name:N")),
        right.encode(x=alt.XValue(PANEL + drawing.GAP), text=alt.Text("told:N")),
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
    parts = tuple(
        _features_figure(label, rows, place, most, keys, legend)
        for place, (label, rows) in enumerate(attributions.foremost)
    )
    longest = max(part.characters[0] for part in parts)
    title = "Features of largest attribution, by class"
    return Panels(title, parts, data="attribution", width=round(PANEL + LETTER * longest))


def _colours() -> tuple[bytes, bytes]:
    """Return the palette of standardised values: below 0, above 0, and not measured."""
    steps = range(-DEPTH, DEPTH + 1)
    palette = [LOW if step < 0 else HIGH for step in steps] + [GREY]
    alphas = [round(255 * abs(step) / DEPTH) for step in steps] + [PALE]
    return bytes.fromhex("".join(palette).replace("#", "")), bytes(alphas)


def _levels(cells: Sequence[Sequence[float | None]]) -> np.ndarray:
    """Return the place of each value in the palette; (features, samples)."""
    values = np.array(cells, dtype=float)
    steps = np.clip(np.round(values / FARTHEST * DEPTH), -DEPTH, DEPTH)
    return np.where(np.isnan(values), 2 * DEPTH + 1, steps + DEPTH).astype(np.uint8)


def _say_cells(pen: Pen, values: Values, top: float) -> None:
    """Lay unseen areas on the picture that say of each feature what a class holds of it."""
    if len(values.features) * len(values.classes) > MOST_AREAS:
        return
    areas = []
    for row, ((modality, feature), cells) in enumerate(values.by_feature):
        for cell in cells:
            left, right = (NAMES + CELLS * at / values.samples for at in (cell.start, cell.stop))
            told = f"{feature} ({modality}), {cell.label}: {cell.told}"
            areas.append(((left, top + LINE * row, right - left, LINE), told))
    pen.areas(areas)


def values_figure(values: Values, modalities: Sequence[str], classes: Sequence[str]) -> Sketch:
    """Draw what samples hold of the foremost features: a row per feature, a column per sample."""
    pen, keys, kinds = Pen(), modality_keys(modalities), class_keys(classes)
    at = float(NAMES)
    for name, count in values.classes:
        across = CELLS * count / values.samples
        key, told = kinds[name], f"{name}: {counted(count, 'sample')}"
        stripes = " ".join(map(str, key.stripes)) if key.stripes[1] else None
        pen.line((at, STRIP / 2), (at + across, STRIP / 2), key.colour, STRIP, stripes, told)
        at += across
    top = STRIP + 3
    for place, (modality, feature) in enumerate(values.features):
        y = top + LINE * place
        pen.bar(0, y + 3, 6, LINE - 6, keys[modality].colour, told=modality)
        pen.text(12, y + LINE - 4, fitted(feature, NAMES - 18, SMALL), size=SMALL)
    down = LINE * len(values.features)
    picture = indexed(_levels(values.cells), *_colours())
    pen.picture(NAMES, top, CELLS, down, uri_of(picture))
    _say_cells(pen, values, top)
    at = float(NAMES)
    for _, count in values.classes[:-1]:
        at += CELLS * count / values.samples
        pen.line((at, 0), (at, top + down), INK)
    named = ", ".join(f"{feature} ({modality})" for modality, feature in values.features)
    shown = {modality for modality, _ in values.features}
    legend = [
        *(
            Entry(shortened(n, LABEL), kinds[n].colour, "area", dash=kinds[n].stripes)
            for n, _ in values.classes
        ),
        Entry(f"{FARTHEST:g} deviations or more below the mean", LOW, "square"),
        Entry("as many above it", HIGH, "square"),
        Entry("not measured", f"{GREY}{PALE:x}", "square"),
        *(Entry(shortened(n, LABEL), keys[n].colour, "line") for n in modalities if n in shown),
    ]
    return sketch(
        pen,
        (NAMES + CELLS, top + down),
        "values",
        "Features of largest attribution by sample",
        f"{counted(values.samples, 'sample')} by class. Features: {named}.",
        legend,
        READING,
        "attribution_values",
    )


def attribution_figures(
    view: AttributionView, modalities: Sequence[str], classes: Sequence[str]
) -> Drawn:
    """Draw the figure of attribution where there are data."""
    if view.attributions is None:
        return {}
    figures: Drawn = {}
    if view.values is not None:
        figures["values"] = values_figure(view.values, modalities, classes)
    if view.attributions.shares:
        figures["attribution"] = attribution_figure(view.attributions.shares, modalities)
    if view.attributions.foremost:
        figures["features"] = features_figures(view.attributions, modalities)
    return figures
