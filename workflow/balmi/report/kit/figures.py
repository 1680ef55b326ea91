"""Figures: charts that are drawn once, and shown in the page or saved as files for a paper.

In the page colours are variables of the style sheet and the legend is HTML. A saved figure stands
alone: it has the light page's colours, a white ground, its title, and its legend drawn in it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt
from markupsafe import Markup

from balmi.data.files import replace_when_written
from balmi.report.kit.engine import Undrawn, engine
from balmi.report.kit.svg import INK, charted, file_svg, to_svg, unchecked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.sketches import Sketch

STYLE = Path(__file__).parents[1] / "templates" / "page.css"
VARIABLE = re.compile(r"var\(--([a-z]+)\)")
SCALE = 3
ABSENT = Markup(
    '<p class="undrawn"><strong>A figure could not be drawn</strong>, as said at the top of this'
    " page: {title}. {description}</p>"
)
NOTE = "not-drawn.txt"
# The longest line of a legend, and what its parts take, in pixels.
LINE, LETTER, SWATCH, APART, LEADING = 560, 6.1, 26, 18, 19
THICK = {"line": 3, "area": 12}  # swatches that are a line, in pixels: one of areas shows stripes
# Width of a panel's axes where two stand side by side, and where three do.
TWO, THREE = 430, 255
Points = tuple[tuple[float, float], ...]


def _star(corners: int, *radii: float, turn: float = 0.0) -> Points:
    """Return the corners of a regular figure, one radius after the other, the first on top."""
    count = corners * len(radii)
    angles = [2 * math.pi * place / count + turn for place in range(count)]
    return tuple(
        (radii[place % len(radii)] * math.sin(angle), -radii[place % len(radii)] * math.cos(angle))
        for place, angle in enumerate(angles)
    )


_ARM = 0.36  # half the width of a cross's arm
# Marks as corners within the unit circle, nearly: the page's legend and the figure draw the same.
SHAPES: dict[str, Points] = {
    "circle": _star(12, 1),
    "square": _star(4, 1.25, turn=math.pi / 4),
    "diamond": _star(4, 1.3),
    "triangle-up": _star(3, 1.3),
    "triangle-down": _star(3, 1.3, turn=math.pi),
    "pentagon": _star(5, 1.15),
    "star": _star(5, 1.4, 0.6),
    "cross": (
        *((-_ARM, -1.2), (_ARM, -1.2), (_ARM, -_ARM), (1.2, -_ARM), (1.2, _ARM), (_ARM, _ARM)),
        *((_ARM, 1.2), (-_ARM, 1.2), (-_ARM, _ARM), (-1.2, _ARM), (-1.2, -_ARM), (-_ARM, -_ARM)),
    ),
}

# In which shapes are given out, neighbours unlike.
ORDER = ("circle", "triangle-up", "square", "diamond", "cross", "triangle-down", "star", "pentagon")


def outline(shape: Points, radius: float, centre: tuple[float, float] = (0, 0)) -> str:
    """Return a shape as an SVG path.

    Parameters
    ----------
    shape
        Its corners, of `SHAPES`.
    radius
        Radius in pixels.
    centre
        Where it lies.
    """
    x, y = centre
    corners = (f"{x + radius * a:.1f},{y + radius * b:.1f}" for a, b in shape)
    return f"M{'L'.join(corners)}Z"


@dataclass(frozen=True)
class Entry:
    """A line of a legend: what its swatch looks like, and what it means.

    Parameters
    ----------
    text
        The meaning.
    colour
        Colour of the line, or of the mark's outline.
    shape
        One of `SHAPES`, ``line``, ``area`` or ``upright``.
    fill
        Colour inside the mark; the same as `colour` unless set.
    dash
        Dashes of the line or the outline; of an area its stripes.
    """

    text: str
    colour: str = INK
    shape: str = "line"
    fill: str | None = None
    dash: tuple[float, ...] = (1, 0)

    @property
    def path(self) -> str:
        """The mark as an SVG path around (10, 7), in a swatch of 20 by 14 pixels."""
        return outline(SHAPES[self.shape], 5, (10, 7))


@dataclass(frozen=True)
class Figure:
    """A chart with what it needs to be read.

    Parameters
    ----------
    chart
        The chart, its data inside.
    prefix
        Prefix of every id in the figure, unique on the page.
    title
        The figure's accessible name.
    description
        What the figure shows, in a sentence.
    characters
        Length of the longest text left and right of the axes, which gets room to spare.
    legend
        What the page tells in HTML beside the figure.
    exact
        The chart for files, where that of the page holds a picture.
    reading
        How to read it, in a sentence or two; the page shows it on demand.
    data
        The table of the contract that holds its numbers, which the page offers beside it.
    """

    chart: alt.TopLevelMixin
    prefix: str
    title: str
    description: str
    characters: tuple[int, int] = (0, 0)
    legend: tuple[Entry, ...] = ()
    exact: alt.TopLevelMixin | None = None
    reading: str = ""
    data: str = ""

    @cached_property
    def inline(self) -> Markup:
        """The figure as an SVG element of the page, or what it would have shown, in words."""
        try:
            return to_svg(self.chart, self.prefix, self.title, self.description, self.characters)
        except Undrawn:
            return ABSENT.format(title=self.title, description=self.description)

    @property
    def parts(self) -> tuple[Figure, ...]:
        """The figure itself, as `Panels` has several."""
        return (self,)

    @property
    def saved(self) -> str:
        """The figure as the text of an SVG file that stands alone."""
        return saved_svg(self)

    def __html__(self) -> str:
        return self.inline


def side_by_side(panels: int) -> int:
    """Return how wide the axes of so many panels are: of more than two, three stand in a row."""
    return TWO if panels <= 2 else THREE


@dataclass(frozen=True)
class Panels:
    """Figures that belong together, side by side on the page and one file when saved.

    Parameters
    ----------
    title
        What they show.
    parts
        The figures.
    reading, data
        As for `Figure`.
    width
        What a panel takes in pixels beside its numbers, which decides how many stand in a row.
    """

    title: str
    parts: tuple[Figure, ...]
    reading: str = ""
    data: str = ""
    width: int = TWO

    @property
    def saved(self) -> str:
        """The figures as the text of one SVG file that stands alone."""
        return saved_svg(self)


def placed(legend: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return the entries side by side, in lines of at most `LINE` pixels."""
    records: list[dict[str, Any]] = []
    x, y = 0.0, 0
    for entry in legend:
        width = SWATCH + LETTER * len(entry.text) + APART
        if x and x + width > LINE:
            x, y = 0.0, y + LEADING
        look = {"colour": entry.colour, "fill": entry.fill or entry.colour, "shape": entry.shape}
        dash = None if entry.dash == (1, 0) else list(entry.dash)
        records.append({"x": x, "y": y, "text": entry.text, "dash": dash, **look})
        x += width
    return records


def _mark(record: dict[str, Any]) -> alt.Chart:
    """Draw the swatch of an entry."""
    x, y = record["x"], record["y"]
    drawn = charted([record])
    dash = {"strokeDash": record["dash"]} if record["dash"] else {}
    if record["shape"] in THICK:
        thick = THICK[record["shape"]]
        line = drawn.mark_rule(color=record["colour"], strokeWidth=thick, **dash)
        return line.encode(x=alt.XValue(x), x2=alt.X2Value(x + SWATCH - 6), y=alt.YValue(y))
    middle = alt.XValue(x + (SWATCH - 6) / 2)
    if record["shape"] == "upright":
        line = drawn.mark_rule(color=record["colour"], strokeWidth=2.5, **dash)
        return line.encode(x=middle, y=alt.YValue(y - 7), y2=alt.Y2Value(y + 7))
    look = {"fill": record["fill"], "stroke": record["colour"], "strokeWidth": 1.3, **dash}
    shape = outline(SHAPES[record["shape"]], 5)
    mark = drawn.mark_point(shape=shape, size=4, opacity=1, **look)
    return mark.encode(x=middle, y=alt.YValue(y))


def legend_chart(legend: Sequence[Entry]) -> alt.LayerChart:
    """Draw a legend."""
    records = placed(legend)
    words = [
        charted([record])
        .mark_text(align="left", baseline="middle")
        .encode(
            x=alt.XValue(record["x"] + SWATCH), y=alt.YValue(record["y"]), text=alt.Text("text:N")
        )
        for record in records
    ]
    layers = [*(_mark(record) for record in records), *words]
    return alt.layer(*layers).properties(width=LINE, height=records[-1]["y"] + 1)


def light_colours() -> dict[str, str]:
    """Return the variables of the light page by name."""
    rules = re.search(r":root \{(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", rules[1] if rules else ""))


def _titled(text: str, size: int) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontSize=size, color=INK, offset=12)


def _alone(chart: alt.TopLevelMixin, title: str, legend: Sequence[Entry]) -> alt.TopLevelMixin:
    parts = [legend_chart(legend), chart] if legend else [chart]
    return alt.vconcat(*parts, spacing=18).properties(title=_titled(title, 14))


Drawn = dict[str, "Figure | Panels | Sketch"]  # by name


def light(text: str) -> str:
    """Return the text of an SVG file with the colours of the light page in place of variables."""
    colours = light_colours()
    return VARIABLE.sub(lambda match: colours[match[1]], text)


@unchecked()
def saved_svg(figure: Figure | Panels) -> str:
    """Return a figure as the text of an SVG file that stands alone."""
    parts = figure.parts
    first = parts[0]
    left, right = zip(*(part.characters for part in parts), strict=True)
    if len(parts) == 1:
        chart = first.exact or first.chart
    else:
        panels = [
            part.chart.properties(title=_titled(part.title, 12))  # type: ignore[attr-defined]
            for part in parts
        ]
        space = {"row": 78, "column": 64}
        # Axes line up, unless names stand beside them: those of one panel would lie on the next.
        bounds = "full" if any(map(any, (left, right))) else "flush"
        chart = alt.concat(*panels, columns=2, spacing=space, bounds=bounds)
    alone = _alone(chart, figure.title, first.legend)
    return light(file_svg(alone, first.prefix, (max(left), max(right)), "var(--bg)"))


def save_figures(figures: Drawn, folder: Path) -> None:
    """Save figures as SVG and as PNG; where this machine cannot draw, a note that says so.

    Parameters
    ----------
    figures
        Name of the file -> the figure.
    folder
        The folder, which is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    undrawn: dict[str, str] = {}
    for name, figure in figures.items():
        try:
            _save(figure, folder / name)
        except Undrawn as reason:
            undrawn[name] = str(reason)
    if undrawn:
        lines = ["Figures that could not be drawn:", *(f"  {name}" for name in undrawn)]
        lines += dict.fromkeys(undrawn.values())
        with replace_when_written(folder / NOTE) as part:
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _save(figure: Figure | Panels | Sketch, path: Path) -> None:
    """Save one figure to a path without its ending."""
    text = figure.saved
    picture = engine()("svg_to_png", svg=text, scale=SCALE)
    with replace_when_written(path.with_suffix(".svg")) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    with replace_when_written(path.with_suffix(".png")) as part:
        part.write_bytes(picture)
