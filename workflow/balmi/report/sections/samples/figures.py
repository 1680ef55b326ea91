"""The figure of samples, drawn from the view: no number is computed here."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from balmi.numerals import counted, decimal
from balmi.report.kit.drawing import CLASS_COLOURS, LABEL, keys_of
from balmi.report.kit.figures import Drawn, Entry
from balmi.report.kit.pictures import indexed, uri_of
from balmi.report.kit.sketches import EDGE, Pen, Scale, Sketch, fitted, sketch, width
from balmi.report.kit.svg import GRID, SOFT
from balmi.report.kit.words import shortened
from balmi.report.sections.samples.view import HARD, MISSED, RIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.sections.samples.view import Lane, Sample, SamplesView

# Pixels: the figure, room for names at most, and how far the marks of a lane keep off its edges.
ACROSS, NAMES, INSET, GAP, AXIS = 1040, 240, 5, 10, 32
TALL, LOW, HEIGHT = 48, 22, 360  # of a lane, of one among many, and of all lanes where that fits
ARM = 3.5  # of a cross
STRIP, FINE = 7, 4  # width of the strip of groups, and its rows per pixel
FEW_GROUPS = len(CLASS_COLOURS)  # so many have a colour each
COLOURS = {RIGHT: SOFT, MISSED: "var(--accent)", HARD: "var(--loss)"}
WIDTHS = {RIGHT: 3.6, MISSED: 6, HARD: 1.7}
Place = tuple[float, float]


def _told(lane: Lane) -> str:
    return f"{lane.missed:,} of {lane.samples:,} missed"


def _said(sample: Sample) -> str:
    group = "" if sample.group is None else f" (group {sample.group})"
    return f"{sample.name}{group}: {decimal(sample.class_p)}"


class _Lanes:
    """Where the lanes and their marks lie."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.lanes = lanes
        self.height = min(TALL, max(LOW, HEIGHT // len(lanes)))
        self.left = min(NAMES, max(width(lane.name) for lane in lanes) + GAP)
        right = max(width(_told(lane)) for lane in lanes)
        self.across = Scale((0.0, 1.0), (self.left + EDGE, ACROSS - right - 2 * GAP - STRIP))
        self.bottom = self.height * len(lanes)

    def up(self, place: int, rank: float) -> float:
        """Return the height of a rank in the lane of that place."""
        return self.height * (place + 1) - INSET - (self.height - 2 * INSET) * rank

    def marks(self, state: int) -> list[tuple[Place, Sample]]:
        """Return the samples of a state with their places."""
        return [
            ((self.across(sample.class_p), self.up(place, rank)), sample)
            for place, lane in enumerate(self.lanes)
            for rank, sample in lane.marks
            if sample.state == state
        ]


def _draw_marks(pen: Pen, lanes: _Lanes, state: int) -> None:
    """Draw the samples of a state: those that every method misses each say who they are."""
    marks = lanes.marks(state)
    if state == HARD:
        paths = [
            (f"M{x - ARM:.1f},{y:.1f}h{2 * ARM:g}m{-ARM:g},{-ARM:g}v{2 * ARM:g}", _said(sample))
            for (x, y), sample in marks
        ]
    else:  # a point with round ends is a dot, and takes few bytes
        paths = [("".join(f"M{x:.1f},{y:.1f}h.1" for (x, y), _ in marks), None)]
    pen.strokes(paths, COLOURS[state], WIDTHS[state], 0.6 if state == RIGHT else None)


def _draw_few_groups(pen: Pen, lanes: _Lanes, groups: Sequence[str]) -> tuple[Entry, ...]:
    """Draw beside each lane the group of every sample, at the height of its mark."""
    keys = keys_of(groups, CLASS_COLOURS)
    levels = np.full((lanes.bottom * FINE, 1), len(groups), np.uint8)
    for place, lane in enumerate(lanes.lanes):
        for rank, sample in lane.marks:
            if sample.group is not None:
                row = int(lanes.up(place, rank) * FINE)
                levels[row - FINE // 2 : row + FINE // 2] = groups.index(sample.group)
    colours = [key.colour for key in keys.values()]
    palette = bytes.fromhex("".join(colours).replace("#", "") + "000000")
    picture = indexed(levels, palette, bytes([255] * len(groups) + [0]))
    pen.picture(lanes.across.range[1] + GAP, 0, STRIP, lanes.bottom, uri_of(picture))
    return tuple(Entry(f"group {shortened(n, LABEL)}", k.colour, "square") for n, k in keys.items())


def _draw_many_groups(pen: Pen, lanes: _Lanes) -> tuple[Entry, ...]:
    """Join the samples of a group that every method misses."""
    held: dict[str, list[Place]] = {}
    for at, sample in lanes.marks(HARD):
        if sample.group is not None:
            held.setdefault(sample.group, []).append(at)
    joined = [
        (f"M{a[0]:.1f},{a[1]:.1f}L{b[0]:.1f},{b[1]:.1f}", None)
        for places in held.values()
        for a, b in pairwise(places)
    ]
    if not joined:
        return ()
    pen.strokes(joined, COLOURS[HARD], 1, 0.45)
    return (Entry("of one group", COLOURS[HARD]),)


def samples_figure(view: SamplesView) -> Sketch:
    """Draw the held-out probability of every sample's class: a lane per class, sorted in it."""
    pen, lanes = Pen(), _Lanes(view.lanes)
    left, right = lanes.across.range
    for place, lane in enumerate(view.lanes):
        y = lanes.height * (place + 1)
        middle = y - lanes.height / 2 + 4
        pen.text(lanes.left - GAP, middle, fitted(lane.name, lanes.left - GAP), "end")
        pen.text(ACROSS, middle, _told(lane), "end")
        pen.line((left, y), (right, y), GRID)
    groups = sorted({s.group for lane in view.lanes for _, s in lane.marks if s.group is not None})
    entries: tuple[Entry, ...] = ()
    if len(groups) > FEW_GROUPS:
        entries = _draw_many_groups(pen, lanes)
    elif groups:
        entries = _draw_few_groups(pen, lanes, groups)
    for state in COLOURS:
        if lanes.marks(state):
            _draw_marks(pen, lanes, state)
    title = f"probability of its class by {shortened(view.method, LABEL)} (held out)"
    pen.axis(lanes.across, lanes.bottom, title, 0, 6)
    about = "; ".join(f"{lane.name}: {_told(lane)}, {lane.hard} by all" for lane in view.lanes)
    legend = (
        Entry("right", SOFT, "circle"),
        Entry(f"missed by {shortened(view.method, LABEL)}", COLOURS[MISSED], "circle"),
        Entry(f"missed by {view.everyone}", COLOURS[HARD], "cross"),
        *entries,
    )
    return sketch(
        pen,
        (ACROSS, lanes.bottom + AXIS),
        "samples",
        "Probability of each sample's class while it was held out",
        f"{counted(view.samples, 'sample')}. {about}.",
        legend,
        data="per_sample",
    )


def samples_figures(view: SamplesView | None) -> Drawn:
    """Draw the figure of samples where there are data."""
    return {} if view is None else {"samples": samples_figure(view)}
