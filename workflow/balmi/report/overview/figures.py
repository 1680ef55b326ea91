"""The small pictures of the overview as numbers: what the template draws, to a tenth of a pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.evaluation.statistics import REGION
from balmi.numerals import counted
from balmi.report.kit.drawing import mark_of
from balmi.report.kit.figures import SHAPES, Entry, outline
from balmi.report.kit.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.report.kit.drawing import Key, Mark

Cells = dict[str, Any]

# Sizes in pixels: of a dataset's bars, of its dot, and of the figure across datasets.
BAR_NAME, BAR_WIDTH, BAR_STEP = 78, 132, 13
DOT_WIDTH, DOT_HEIGHT, DOT_MARGIN = 220, 26, 12
FIELD = (760, 330)
FIELD_LEFT, FIELD_RIGHT, FIELD_TOP, FIELD_BOTTOM = 56, 24, 26, 46
MOST_BARS, NAME_LENGTH, LABEL_LENGTH = 6, 12, 20
LETTER, LINE = 6.4, 14
HOLLOW = "var(--bg)"
APART = 6.0  # pixels between the intervals of two datasets of like size
STEPS, CLOSE = (1, 2, 5, 10), 0.75  # a step may be that much finer than asked for


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Scale:
    """An axis: from numbers to pixels, linear or in powers of ten.

    Parameters
    ----------
    lower, upper
        The numbers at its ends.
    start, end
        The pixels there.
    powers
        Whether equal ratios take equal room.
    count
        About how many ticks it has, where it is linear.
    """

    lower: float
    upper: float
    start: float
    end: float
    powers: bool = False
    count: int = 4

    def at(self, value: float) -> float:
        """Return the pixel of a number."""
        low, high, here = (
            (math.log10(each) if self.powers else each) for each in (self.lower, self.upper, value)
        )
        share = (here - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Round numbers between its ends."""
        values = (
            _powers(self.lower, self.upper)
            if self.powers
            else _even(self.lower, self.upper, self.count)
        )
        form = "{:,.0f}" if self.powers else "{:+g}"
        texts = (form.format(value).replace("-", "−") if value else "0" for value in values)
        return tuple(Tick(self.at(value), text) for value, text in zip(values, texts, strict=True))


def _even(lower: float, upper: float, count: int) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten, about `count` of them."""
    rough = (upper - lower) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in STEPS if each * power >= CLOSE * rough)
    first, last = math.ceil(lower / step - 1e-9), math.floor(upper / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def _powers(lower: float, upper: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten."""
    exponents = range(math.floor(math.log10(lower)), math.ceil(math.log10(upper)) + 1)
    values = (each * 10.0**power for power in exponents for each in STEPS[:-1])
    return [value for value in values if lower <= value <= upper]


@dataclass(frozen=True)
class Segment:
    """A part of a bar: which one, where it begins, and how long it is."""

    part: str
    at: float
    length: float


@dataclass(frozen=True)
class Bar:
    """What a modality carries of the label's entropy, with its parts and its interval.

    Parameters
    ----------
    name
        The modality, short enough for the picture.
    at
        Upper edge.
    colour
        The modality's colour.
    segments
        Unique, shared and synergistic information, or all of it undivided.
    limits
        The ends of the interval of what the modality carries, or None.
    """

    name: str
    at: float
    colour: str
    segments: tuple[Segment, ...]
    limits: tuple[float, float] | None


@dataclass(frozen=True)
class Bars:
    """The bars of a dataset; `more` modalities have no room."""

    bars: tuple[Bar, ...]
    more: int
    width: int = BAR_NAME + BAR_WIDTH

    @property
    def height(self) -> int:
        """Height of the picture."""
        return BAR_STEP * len(self.bars)


PARTS = {"unique": "unique_first", "shared": "redundant", "synergy": "synergistic"}


def bars_of(summary: Cells, keys: Mapping[str, Key]) -> Bars | None:
    """Return the bars of a dataset, or None where nothing was estimated.

    Parameters
    ----------
    summary
        What ``view.json`` holds.
    keys
        Modality -> its colour.
    """
    entropy = summary["entropy"]
    if not summary["information"] or not entropy:
        return None
    split = {each["first"]: each for each in summary["parts"]}
    rows = sorted(summary["information"], key=lambda row: -row["estimate"])
    scale = Scale(0, entropy, BAR_NAME, BAR_NAME + BAR_WIDTH)
    bars = tuple(
        _bar(row, split.get(row["modality"], {}), place, scale, keys[row["modality"]].colour)
        for place, row in enumerate(rows[:MOST_BARS])
    )
    return Bars(bars, len(rows) - len(bars))


def _bar(row: Cells, split: Cells, place: int, scale: Scale, colour: str) -> Bar:
    amounts = {part: split.get(key) for part, key in PARTS.items()}
    lengths = {part: held["estimate"] for part, held in amounts.items() if held is not None}
    if not {"unique", "shared"} <= set(lengths):
        lengths = {"undivided": row["estimate"]}
    segments, reached = [], 0.0
    for part, length in lengths.items():
        start, end = (scale.at(min(max(0.0, x), scale.upper)) for x in (reached, reached + length))
        reached = max(reached, reached + length)
        segments.append(Segment(part, start, round(end - start, 1)))
    limits = None
    if row["lower"] is not None and row["upper"] is not None:
        low, high = (min(max(0.0, row[key]), scale.upper) for key in ("lower", "upper"))
        limits = scale.at(low), scale.at(high)
    drawn = tuple(each for each in segments if each.length > 0)
    return Bar(shortened(row["modality"], NAME_LENGTH), place * BAR_STEP, colour, drawn, limits)


@dataclass(frozen=True)
class Dot:
    """The deciding difference of a dataset on the axis that all share.

    Parameters
    ----------
    at, lower, upper
        Difference and limits; the limits are None where there are none.
    path
        The mark, whose shape is that of the verdict.
    colour, fill
        Its colour, and the one inside: a difference that cannot be judged is hollow.
    """

    at: float
    lower: float | None
    upper: float | None
    path: str
    colour: str
    fill: str


def _fill(mark: Mark) -> str:
    return HOLLOW if mark.symbol == "○" else mark.colour


def legend_of(words: Sequence[str]) -> tuple[Entry, ...]:
    """Return how the mark of each verdict looks."""
    marks = (mark_of(word) for word in words)
    return tuple(Entry(mark.word, mark.colour, mark.shape, _fill(mark)) for mark in marks)


def deciding_of(summary: Cells) -> Cells | None:
    """Return the primary comparison of a dataset, or None where there is no difference."""
    rows = (row for row in summary["differences"] if row["primary"])
    row = next((row for row in rows if row["difference"] is not None), None)
    return row if len(summary["modalities"]) > 1 else None


def differences_scale(rows: Sequence[Cells], start: float, end: float, count: int = 3) -> Scale:
    """Return the axis that holds all differences with their intervals, and zero."""
    keys = ("difference", "lower", "upper")
    known = [row[key] for row in rows for key in keys if row[key] is not None]
    lower, upper = min([*known, -2 * REGION]), max([*known, 2 * REGION])
    room = 0.03 * (upper - lower)
    return Scale(lower - room, upper + room, start, end, count=count)


def dot_of(row: Cells | None, scale: Scale) -> Dot | None:
    """Return the dot of a dataset, or None where nothing was compared."""
    if row is None:
        return None
    mark, at = mark_of(row["verdict"]), scale.at(row["difference"])
    lower, upper = (None if row[key] is None else scale.at(row[key]) for key in ("lower", "upper"))
    path = outline(SHAPES[mark.shape], 5, (at, DOT_HEIGHT / 2))
    return Dot(at, lower, upper, path, mark.colour, _fill(mark))


@dataclass(frozen=True)
class Label:
    """A name beside a dot, with the side on which it is anchored."""

    text: str
    x: float
    y: float
    anchor: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, upper, right and lower edge."""
        width = LETTER * len(self.text)
        left = {"start": self.x, "middle": self.x - width / 2, "end": self.x - width}[self.anchor]
        return left, self.y - LINE * 0.75, left + width, self.y + LINE * 0.25


@dataclass(frozen=True)
class Spot:
    """A dataset in the figure across datasets."""

    name: str
    told: str
    x: float
    y: float
    lower: float | None
    upper: float | None
    path: str
    colour: str
    fill: str
    label: Label | None


@dataclass(frozen=True)
class Field:
    """The difference that combining makes, by the number of samples."""

    samples: Scale
    differences: Scale
    spots: tuple[Spot, ...]


def field_of(rows: Sequence[tuple[Cells, Cells]]) -> Field | None:
    """Return the figure across datasets, or None of fewer than two.

    Parameters
    ----------
    rows
        Summaries with their deciding differences.
    """
    if len(rows) < 2:
        return None
    sizes = [summary["samples"] for summary, _ in rows]
    width, height = FIELD
    across = Scale(
        min(sizes) / 1.25, max(sizes) * 1.25, FIELD_LEFT, width - FIELD_RIGHT, powers=True
    )
    up = differences_scale([row for _, row in rows], height - FIELD_BOTTOM, FIELD_TOP, count=6)
    ordered = sorted(rows, key=lambda pair: pair[0]["samples"])
    spots = [
        _spot(summary, row, at, up)
        for (summary, row), at in zip(
            ordered, _apart([across.at(each["samples"]) for each, _ in ordered]), strict=True
        )
    ]
    return Field(across, up, _labelled(spots))


def _apart(places: Sequence[float]) -> list[float]:
    """Return ascending places some pixels apart, none beyond the edge where that can be."""
    found, last = [], -math.inf
    for place in places:
        last = max(place, last + APART)
        found.append(last)
    # From the right, what was moved beyond the edge is moved back.
    bound = max(FIELD[0] - FIELD_RIGHT, places[-1])
    for number in range(len(found) - 1, -1, -1):
        found[number] = min(found[number], bound)
        bound = found[number] - APART
    return [round(place, 1) for place in found]


def _spot(summary: Cells, row: Cells, x: float, up: Scale) -> Spot:
    mark, y = mark_of(row["verdict"]), up.at(row["difference"])
    lower, upper = (None if row[key] is None else up.at(row[key]) for key in ("lower", "upper"))
    name = summary["title"] or summary["dataset"]
    told = f"{name}: {counted(summary['samples'], 'sample')}, {summary['conclusions'][1]['value']}"
    path = outline(SHAPES[mark.shape], 5, (x, y))
    looks = (path, mark.colour, _fill(mark))
    return Spot(name, f"{told}, {mark.word}", x, y, lower, upper, *looks, None)


def _labelled(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Name the datasets for whose names there is room, so that no name hides anything."""
    taken = [(each.x - 6, each.y - 6, each.x + 6, each.y + 6) for each in spots]
    taken += [
        (each.x - 1.5, min(each.lower, each.upper), each.x + 1.5, max(each.lower, each.upper))
        for each in spots
        if each.lower is not None and each.upper is not None
    ]
    made = []
    for each in spots:
        text = shortened(each.name, LABEL_LENGTH)
        places = (
            Label(text, round(each.x + 9, 1), round(each.y + 4, 1), "start"),
            Label(text, round(each.x - 9, 1), round(each.y + 4, 1), "end"),
        )
        label = next((place for place in places if _fits(place.box, taken)), None)
        if label is not None:
            taken.append(label.box)
        made.append(Spot(**{**vars(each), "label": label}))
    return tuple(made)


def _fits(box: tuple[float, ...], taken: Sequence[tuple[float, ...]]) -> bool:
    left, top, right, bottom = box
    if left < FIELD_LEFT or right > FIELD[0] - 2:
        return False
    return not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
    )
