"""What the figures of the report have in common: colours, marks, rows, axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from balmi.config.settings import JOINT
from balmi.evaluation.at_chance import Reading
from balmi.evaluation.trust import State
from balmi.evaluation.verdicts import Foremost, Prediction, Verdict
from balmi.prediction.external import Carried
from balmi.report.kit.figures import ORDER
from balmi.report.kit.svg import INK, charted

if TYPE_CHECKING:
    from collections.abc import Sequence

# Okabe and Ito (2008), without the black; the yellow comes last since it is faint on white.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
# Tol (2021), the bright scheme.
TOL_BRIGHT = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB")
# What follows each scheme: colours that stay apart from it and from each other, on either ground
# and with red-green blindness (a test measures it).
MODALITY_COLOURS = (*OKABE_ITO, "#7A4B00", "#99DDFF", "#6A3D9A", "#FFAABB", "#00665E")
CLASS_COLOURS = (*TOL_BRIGHT, "#774411", "#6A3D9A", "#44AA99", "#00665E", "#805AD5")
DASHES = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3))
# Of areas, where colours come again: stripes of the colour and of the ground, in pixels.
STRIPES = ((1, 0), (4, 2), (2, 2), (6, 3, 1.5, 3))
ROW, GAP = 30, 10
# Pixels of a figure of rows with its texts, of a letter, and of the narrowest and widest axes.
FULL, LETTER, WIDTH, WIDEST = 990, 7.2, 430, 760
TALL, LEAST = 420, 16  # where rows are many: height of all of them, and of one at the least
LABEL = 34
NAMED = 6  # of `figures.ORDER`: shapes that Vega draws by their name, the first ones


@dataclass(frozen=True)
class Mark:
    """How a word of judgement looks: word, symbol, shape in figures, and the colour's name."""

    word: str
    symbol: str
    shape: str
    tone: str

    @property
    def colour(self) -> str:
        """The colour as a variable of the page's style sheet."""
        return f"var(--{self.tone})"


UP, LEVEL, DOWN = (
    ("▲", "triangle-up", "gain"),
    ("●", "circle", "none"),
    ("▼", "triangle-down", "loss"),
)
LOOKS = {
    Verdict.GAIN: UP,
    Verdict.NONE: LEVEL,
    Verdict.LOSS: DOWN,
    Verdict.UNJUDGED: ("○", "circle", "none"),
    Verdict.WITHHELD: ("⊘", "square", "caution"),
    Foremost.APART: UP,
    Foremost.SHOWN: UP,
    Foremost.OPEN: LEVEL,
    Foremost.NOTHING: ("○", "circle", "none"),
    Prediction.GAIN: UP,
    Prediction.UNDECIDED: LEVEL,
    Prediction.NO_GAIN: DOWN,
    Reading.LEAKS: ("✕", "cross", "loss"),
    Reading.DOUBTFUL: ("!", "diamond", "caution"),
    Reading.WIDE: ("!", "diamond", "caution"),
    Reading.CHANCE: ("✓", "circle", "gain"),
    Reading.UNKNOWN: ("○", "circle", "none"),
    State.PASS: ("✓", "circle", "gain"),
    State.CAUTION: ("!", "diamond", "caution"),
    State.FAIL: ("✕", "cross", "loss"),
    State.NOT_RUN: ("○", "circle", "none"),
    Carried.YES: ("✓", "circle", "gain"),
    Carried.BETTER: UP,
    Carried.OPEN: LEVEL,
    Carried.NO: DOWN,
    Carried.FEW: ("○", "circle", "none"),
    Carried.APART: ("○", "circle", "none"),
}
MARKS = {str(word): Mark(str(word), *look) for word, look in LOOKS.items()}
UNKNOWN = Mark("no interval", "○", "circle", "none")


def mark_of(word: str | None) -> Mark:
    """Return how a verdict, a prediction or the end of a check looks, also where there is none."""
    return UNKNOWN if word is None else MARKS[word]


@dataclass(frozen=True)
class Key:
    """How a modality or a class looks, the same in every figure.

    Parameters
    ----------
    name
        The modality or class.
    colour
        Its colour; the twelve first differ.
    dash, shape, stripes
        What tells those of one colour apart: of lines, of marks (of `figures.SHAPES`), of areas.
    """

    name: str
    colour: str
    dash: tuple[float, ...]
    shape: str = "circle"
    stripes: tuple[float, ...] = STRIPES[0]

    @property
    def area(self) -> str:
        """What fills an area of the page, in CSS."""
        if not self.stripes[1]:
            return self.colour
        stops, at = [], 0.0
        for place, length in enumerate(self.stripes):
            paint = "var(--bg)" if place % 2 else self.colour
            stops.append(f"{paint} {at:g}px {at + length:g}px")
            at += length
        return f"repeating-linear-gradient(90deg, {', '.join(stops)})"


def keys_of(names: Sequence[str], colours: Sequence[str]) -> dict[str, Key]:
    """Return how each name looks; two look alike in nothing up to four rounds of the colours.

    Parameters
    ----------
    names
        Modalities or classes in the cohort's order.
    colours
        What they are given in turn.
    """
    keys = {}
    for place, name in enumerate(names):
        again = place // len(colours)  # dashes and shapes go on by one more each time
        keys[name] = Key(
            name,
            colours[place % len(colours)],
            DASHES[(place + again) % len(DASHES)],
            ORDER[(place + again) % len(ORDER)],
            STRIPES[again % len(STRIPES)],
        )
    return keys


def modality_keys(modalities: Sequence[str]) -> dict[str, Key]:
    """Return how each modality looks, and the joint head."""
    return keys_of(modalities, MODALITY_COLOURS) | {JOINT: Key(JOINT, INK, (4, 2))}


def class_keys(classes: Sequence[str]) -> dict[str, Key]:
    """Return how each class looks."""
    return keys_of(classes, CLASS_COLOURS)


def rows_of(rows: Sequence[dict[str, Any]]) -> alt.Chart:
    """Return a chart of one row per record, in the order of the records.

    A record that names its row shares it with others.
    """
    records = [{"row": place, **row} for place, row in enumerate(rows)]
    return charted(records).encode(y=down())


def down() -> alt.Y:
    """Return the encoding of rows."""
    scale = alt.Scale(paddingInner=0.25, paddingOuter=0.2)
    return alt.Y("row:O", axis=None, scale=scale)


def names(base: alt.Chart) -> alt.Chart:
    """Write the records' names on the left."""
    # Names are marks, not axis labels: two long names that shorten alike stay two rows.
    marks = base.mark_text(align="right", baseline="middle", color=INK)
    return marks.encode(x=alt.XValue(-GAP), text=alt.Text("name:N"))


def texts(base: alt.Chart, width: int) -> alt.Chart:
    """Write what the records tell on the right of axes that are so wide."""
    marks = base.mark_text(align="left", baseline="middle", color=INK)
    return marks.encode(x=alt.XValue(width + GAP), text=alt.Text("told:N"))


def said() -> alt.Description:
    """Return the encoding of what a mark says where the pointer rests on it."""
    return alt.Description("said:N")


def across(field: str, title: str, **scale: Any) -> alt.X:
    """Return the encoding of a number."""
    axis = alt.Axis(format="~g", tickCount=6)
    return alt.X(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(**scale))


def upright(value: float, title: str | None = None, **look: Any) -> alt.Chart:
    """Draw a line at a number; without a title the axis keeps that of the other layers."""
    line = charted([{"at": value}]).mark_rule(color=INK, strokeWidth=1.5, **look)
    return line.encode(x=alt.X("at:Q") if title is None else across("at", title))


def lengths(rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the length of the longest name and of the longest text on the right."""
    columns = ([len(row.get(key, "")) for row in rows] for key in ("name", "told"))
    left, right = (max(column) for column in columns)
    return left, right


def wide(rows: Sequence[dict[str, Any]]) -> int:
    """Return the width of axes beside which the texts of the rows fill the page."""
    return int(min(WIDEST, max(WIDTH, FULL - LETTER * sum(lengths(rows)))))


def sized(layers: Sequence[alt.Chart], rows: int, width: int) -> alt.LayerChart:
    """Lay layers over each other, with room for the rows, which are lower where they are many."""
    height = max(LEAST * rows, min(ROW * rows, TALL))
    return alt.layer(*layers).properties(width=width, height=height)


def points(base: alt.Chart, title: str) -> list[alt.Chart]:
    """Draw points with intervals beside zero, as the records say; a point says its numbers."""
    paint = alt.Color("colour:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)
    interval = base.mark_rule(strokeWidth=2.5)
    point = base.mark_point(filled=True, size=110, opacity=1)
    value = across("value", title, zero=True, nice=True)
    return [
        upright(0),
        interval.encode(x=across("lower", title), x2=alt.X2("upper:Q"), color=paint),
        point.encode(value, color=paint, shape=shape, description=said()),
    ]


def bars(base: alt.Chart, title: str) -> list[alt.Chart]:
    """Draw bars from zero with intervals; a bar says its numbers."""
    bar = base.mark_bar(height=14, opacity=0.85)
    interval = base.mark_rule(color=INK, strokeWidth=2)
    return [
        bar.encode(
            x=across("from", title),
            x2=alt.X2("value:Q"),
            color=alt.Color("colour:N", scale=None),
            description=said(),
        ),
        interval.encode(x=across("lower", title), x2=alt.X2("upper:Q")),
    ]
