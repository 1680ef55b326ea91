"""The figures of contributions, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from balmi.numerals import counted, decimal
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, class_keys, modality_keys
from balmi.report.kit.figures import SHAPES, Drawn, Entry, Figure, outline
from balmi.report.kit.pictures import marks_uri, stamp
from balmi.report.kit.svg import EACH, charted
from balmi.report.kit.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.contributions.view import (
        ContributionsView,
        Embedding,
        Shares,
    )

ACROSS, DOWN, MARGIN = 600, 430, 12
RADIUS = 3.8
TITLES = {
    "before": "Before fusion: samples by their features",
    "embedding": "After fusion: held-out samples by what was predicted of them",
}
OPACITY = 0.8
MOST_NAMED = 800  # samples that each say who they are where the pointer rests on them
Marks = list[alt.Chart]  # one of each class
SHARPNESS = (2, 1)  # pixels of a picture per pixel of the page: the finest that is not too large
LARGEST = 340_000  # bytes of the pictures of a figure together: the page holds much else


def _bar(row: Any, colour: str) -> dict[str, Any]:
    amount = row.shapley
    told = amount.told()
    return {
        "name": shortened(row.modality, LABEL),
        "value": amount.estimate,
        "from": 0,
        "lower": amount.lower,
        "upper": amount.upper,
        "colour": colour,
        "told": told,
        "said": f"{row.modality}: {told}",
    }


def shapley_figure(shares: Shares, modalities: Sequence[str]) -> Figure:
    """Draw the Shapley values of a method with their intervals."""
    keys = modality_keys(modalities)
    records = [_bar(row, keys[row.modality].colour) for row in shares.rows]
    base, width = drawing.rows_of(records), drawing.wide(records)
    layers = [
        *drawing.bars(base, f"Shapley value of {shares.metric.title}{shares.metric.aside}"),
        drawing.upright(0),
        drawing.names(base),
        drawing.texts(base, width),
    ]
    values = ", ".join(f"{row.modality} {decimal(row.shapley.estimate)}" for row in shares.rows)
    title = f"What each modality adds to the {shares.metric.title} of {shares.method}"
    chart = drawing.sized(layers, len(records), width)
    about = f"Shapley values: {values}; they sum to {decimal(shares.sum)}."
    return Figure(chart, "shapley", title, about, drawing.lengths(records), data="contributions")


def class_entries(classes: Sequence[str]) -> tuple[Entry, ...]:
    """Return the colour and shape of each class; both together are unlike up to 96 classes."""
    return tuple(
        Entry(shortened(name, LABEL), key.colour, key.shape)
        for name, key in class_keys(classes).items()
    )


def _placed(embedding: Embedding) -> list[list[tuple[float, float]]]:
    """Return by class where the samples lie, in pixels from the figure's middle."""
    spans = []
    for axis, size in ((0, ACROSS), (1, DOWN)):
        values = [point[axis] for point in embedding.points]
        middle, extent = (max(values) + min(values)) / 2, max(values) - min(values)
        spans.append((middle, (size - 2 * MARGIN) / (extent or 1)))
    places: list[list[tuple[float, float]]] = [[] for _ in embedding.classes]
    for x, y, code in embedding.points:
        pixels = ((x - spans[0][0]) * spans[0][1], (spans[1][0] - y) * spans[1][1])
        places[code].append(pixels)
    return places


def _cloud(places: Sequence[tuple[float, float]], shape: str) -> str:
    """Return all samples of a class as one path: it can be shown and hidden as one."""
    return "".join(outline(SHAPES[shape], RADIUS, place) for place in places)


def _picture(places: Sequence[tuple[float, float]], entry: Entry, sharpness: int) -> str:
    """Return the samples of a class drawn as PNG, as a data URI."""
    size = (sharpness * ACROSS, sharpness * DOWN)
    pixels = [(sharpness * x + size[0] / 2, sharpness * y + size[1] / 2) for x, y in places]
    mark = stamp(SHAPES[entry.shape], sharpness * RADIUS)
    return marks_uri(pixels, mark, size, entry.colour, OPACITY)


def _pictures(places: Sequence[Sequence[tuple[float, float]]], entries: Sequence[Entry]) -> Marks:
    """Draw each class as a picture, less sharply where many lie scattered, which takes most."""
    uris: list[str] = []
    for sharpness in SHARPNESS:
        uris = [_picture(*each, sharpness) for each in zip(places, entries, strict=True)]
        if sum(map(len, uris)) <= LARGEST:
            break
    return [
        charted([{"url": uri}]).mark_image(width=ACROSS, height=DOWN).encode(url=alt.Url("url:N"))
        for uri in uris
    ]


def _said(embedding: Embedding, entries: Sequence[Entry]) -> list[str]:
    """Return by class what its marks say: each its sample, or all the class where they are many."""
    if len(embedding.points) > MOST_NAMED:
        return [entry.text for entry in entries]
    names: list[list[str]] = [[] for _ in entries]
    for name, (_, _, code) in zip(embedding.names, embedding.points, strict=True):
        names[code].append(name)
    return [EACH.join(each) for each in names]


def _shapes(
    places: Sequence[Sequence[tuple[float, float]]], entries: Sequence[Entry], said: Sequence[str]
) -> Marks:
    """Draw each class as shapes."""
    base = charted([{}])
    return [
        base.mark_point(
            shape=_cloud(each, entry.shape),
            size=4,
            filled=True,
            opacity=OPACITY,
            color=entry.colour,
        ).encode(description=alt.DescriptionValue(told))
        for each, entry, told in zip(places, entries, said, strict=True)
    ]


def _frame() -> alt.Chart:
    """Draw the axes: components have no unit, so that they carry names and no numbers."""
    # Two figures stand side by side, at nearly half their size.
    axis = alt.Axis(labels=False, ticks=False, grid=False, titleFontSize=17)
    scale = alt.Scale(domain=[-1, 1], nice=False)
    return (
        charted([{"x": 0, "y": 0}])
        .mark_point(opacity=0)
        .encode(
            x=alt.X("x:Q", title="first component", axis=axis, scale=scale),
            y=alt.Y("y:Q", title="second component", axis=axis, scale=scale),
        )
    )


def _layer(place: int, mark: alt.Chart) -> alt.Chart:
    middle = {"x": alt.XValue(ACROSS / 2), "y": alt.YValue(DOWN / 2)}
    return mark.encode(**middle).properties(name=f"class_{place}")


def _scatter(embedding: Embedding, marks: Marks) -> alt.LayerChart:
    """Lay the classes over each other, the largest first, so that rare ones lie on top."""
    counts = embedding.counts
    order = sorted(range(len(counts)), key=lambda code: -counts[code])
    layers = [_frame(), *(_layer(code, marks[code]) for code in order if counts[code])]
    return alt.layer(*layers).properties(width=ACROSS, height=DOWN)


def embedding_figure(embedding: Embedding, name: str = "embedding") -> Figure:
    """Draw where samples lie, coloured and shaped by class.

    Parameters
    ----------
    embedding
        Where they lie.
    name
        One of `TITLES`.
    """
    entries = class_entries(embedding.classes)
    places = _placed(embedding)
    exact = _scatter(embedding, _shapes(places, entries, _said(embedding, entries)))
    counts = ", ".join(
        f"{name} {count:,}" for name, count in zip(embedding.classes, embedding.counts, strict=True)
    )
    return Figure(
        _scatter(embedding, _pictures(places, entries)) if embedding.crowded else exact,
        name,
        TITLES[name],
        f"{counted(len(embedding.points), 'sample')}: {counts}.",
        legend=entries,
        exact=exact if embedding.crowded else None,
        data="embedding",
    )


def contribution_figures(view: ContributionsView, modalities: Sequence[str]) -> Drawn:
    """Draw the figures of contributions for which there are data."""
    figures: Drawn = {}
    if view.shares:
        figures["shapley"] = shapley_figure(view.shares[0], modalities)
    if view.features:
        figures["before"] = embedding_figure(view.features, "before")
    if view.embedding:
        figures["embedding"] = embedding_figure(view.embedding)
    return figures
