"""The figure of samples, drawn from the view: no number is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from balmi.numerals import counted
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL
from balmi.report.kit.figures import Drawn, Entry, Figure
from balmi.report.kit.svg import GRID, INK, SOFT
from balmi.report.kit.words import shortened
from balmi.report.sections.samples.view import HARD, MISSED, RIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.samples.view import Lane, SamplesView

ACROSS, INSET = 640, 4  # pixels: a class has a lane, whose marks keep off its edges
TALL, LOW, HEIGHT = 44, 22, 360  # of a lane, of one among many, and of all lanes where that fits
ARM = 3.5  # of a cross, pixels
COLOURS = {RIGHT: SOFT, MISSED: "var(--accent)", HARD: "var(--loss)"}
WIDTHS = {RIGHT: 3.6, MISSED: 6, HARD: 1.7}


def _path(places: Sequence[tuple[float, float]], state: int) -> str:
    """Return marks as one path: a point with round ends is a dot, and takes few bytes."""
    if state == HARD:
        return "".join(
            f"M{x - ARM:.1f},{y:.1f}h{2 * ARM:g}M{x:.1f},{y - ARM:.1f}v{2 * ARM:g}"
            for x, y in places
        )
    return "".join(f"M{x:.1f},{y:.1f}h.1" for x, y in places)


def _lane_height(lanes: Sequence[Lane]) -> int:
    return min(TALL, max(LOW, HEIGHT // len(lanes)))


def _places(lanes: Sequence[Lane], state: int) -> list[tuple[float, float]]:
    """Return the marks of a state, in pixels from the figure's middle."""
    lane = _lane_height(lanes)
    return [
        (
            ACROSS * (p - 0.5),
            lane * (place + 1 - len(lanes) / 2) - INSET - (lane - 2 * INSET) * rank,
        )
        for place, each in enumerate(lanes)
        for p, rank, own in each.marks
        if own == state
    ]


def _marks(lanes: Sequence[Lane], state: int) -> alt.Chart:
    look = {"stroke": COLOURS[state], "strokeWidth": WIDTHS[state], "strokeCap": "round"}
    path = _path(_places(lanes, state), state)
    mark = alt.Chart(alt.Data(values=[{}])).mark_point(
        shape=path, size=4, filled=False, opacity=0.6 if state == RIGHT else 1, **look
    )
    return mark.encode(x=alt.value(ACROSS / 2), y=alt.value(_lane_height(lanes) * len(lanes) / 2))


def _told(lane: Lane) -> str:
    return f"{lane.missed:,} of {lane.samples:,} missed"


def samples_figure(view: SamplesView) -> Figure:
    """Draw the held-out probability of every sample's class: a lane per class, sorted in it."""
    lanes = view.lanes
    records = [
        {"row": place, "name": shortened(lane.name, LABEL), "told": _told(lane)}
        for place, lane in enumerate(lanes)
    ]
    base = alt.Chart(alt.Data(values=records))
    bands = {"axis": None, "scale": alt.Scale(paddingInner=0, paddingOuter=0)}
    down = alt.Y("row:O", **bands)
    title = f"probability of its class by {shortened(view.method, LABEL)} (held out)"
    axis = alt.Axis(format="~g", tickCount=6, grid=True)
    across = alt.X("at:Q", title=title, axis=axis, scale=alt.Scale(domain=[0, 1], nice=False))
    frame = alt.Chart(alt.Data(values=[{"at": 0}])).mark_point(opacity=0)
    edge = base.mark_rule(color=GRID).encode(
        x=alt.value(0), x2=alt.value(ACROSS), y=alt.Y("row:O", bandPosition=1, **bands)
    )
    left = base.mark_text(align="right", baseline="middle", color=INK)
    right = base.mark_text(align="left", baseline="middle", color=INK)
    layers = [
        frame.encode(x=across),
        edge,
        *(_marks(lanes, state) for state in COLOURS if _places(lanes, state)),
        left.encode(x=alt.value(-drawing.GAP), y=down, text="name:N"),
        right.encode(x=alt.value(ACROSS + drawing.GAP), y=down, text="told:N"),
    ]
    chart = alt.layer(*layers).properties(width=ACROSS, height=_lane_height(lanes) * len(lanes))
    about = "; ".join(f"{lane.name}: {_told(lane)}, {lane.hard} by all" for lane in lanes)
    legend = (
        Entry("right", SOFT, "circle"),
        Entry(f"missed by {shortened(view.method, LABEL)}", COLOURS[MISSED], "circle"),
        Entry(f"missed by {view.everyone}", COLOURS[HARD], "cross"),
    )
    return Figure(
        chart,
        "samples",
        "Probability of each sample's class while it was held out",
        f"{counted(view.samples, 'sample')}. {about}.",
        drawing.lengths(records),
        legend,
        data="per_sample",
    )


def samples_figures(view: SamplesView | None) -> Drawn:
    """Draw the figure of samples where there are data."""
    return {} if view is None else {"samples": samples_figure(view)}
