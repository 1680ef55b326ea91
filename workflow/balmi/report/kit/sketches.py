"""Small pictures that are drawn to the pixel: no engine, so that they are there on any machine.

Charts of the sections are Altair's. These stand where little room is, and every text in them has to
fit: a text is as wide here as the widest common font makes it.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from markupsafe import Markup

from balmi.report.kit.figures import SHAPES, THICK, Entry, Points, light, outline, placed
from balmi.report.kit.svg import FONT, INK, NAMESPACE, SOFT
from balmi.report.kit.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

EM, BOLD = 0.61, 0.69  # width of a letter, as a share of the font's size, in the widest font
CAPITAL = 1.2  # of a capital, as a share of that
SIZE = 12  # of a text, pixels
PAD, LINE = 14, 20
EDGE = 6  # room for half a mark at both ends of an axis
TICKS = (1, 2, 2.5, 5, 10)  # steps of an axis, times a power of ten


def width(text: str, size: float = SIZE, letter: float = EM) -> float:
    """Return how wide a text is at most, in pixels; letters of East Asia fill their square."""
    return size * sum(_share_of_size(each, letter) for each in text)


def _share_of_size(each: str, letter: float) -> float:
    if unicodedata.east_asian_width(each) in "WF":
        return 1.0
    return letter * CAPITAL if each.isupper() else letter


def fitted(text: str, room: float, size: float = SIZE, letter: float = EM) -> str:
    """Return a text that takes no more than `room` pixels, its middle left out if need be."""
    length = len(text)
    while length > 4 and width(shortened(text, length), size, letter) > room:
        length -= 1
    return shortened(text, length)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from one to the other, at most `most` of them, two at the least."""
    span = high - low
    unit = 10 ** math.floor(math.log10(span / most))
    step = next(each * unit for each in TICKS if span / (each * unit) <= most - 1 or each == 10)
    found = _multiples(low, high, step)
    # Around zero a step may fit once alone, and half of it thrice.
    return found if len(found) > 1 else _multiples(low, high, step / 2)


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


class Pen:
    """Draws elements one after the other.

    Coordinates are pixels from the upper left corner; colours may be variables of the style sheet.
    """

    def __init__(self) -> None:
        self.elements: list[ET.Element] = []

    def _add(
        self, tag: str, told: str | None, text: str | None = None, **attributes: object
    ) -> None:
        shown = {
            key.replace("_", "-"): _number(value) if isinstance(value, float) else str(value)
            for key, value in attributes.items()
            if value is not None
        }
        element = ET.Element(tag, shown)
        element.text = text
        if told:
            ET.SubElement(element, "title").text = told
        self.elements.append(element)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str = "start",
        size: float = SIZE,
        fill: str = INK,
        bold: bool = False,
    ) -> None:
        """Write a text, its baseline at `y`."""
        weight = "bold" if bold else None
        self._add(
            "text",
            None,
            text,
            x=float(x),
            y=float(y),
            text_anchor=anchor,
            font_size=size,
            fill=fill,
            font_weight=weight,
        )

    def texts(
        self, items: Sequence[tuple[float, float, str]], anchor: str = "middle", size: float = SIZE
    ) -> None:
        """Write texts that look alike, each with its place: many take half the bytes so."""
        look = {"text-anchor": anchor, "font-size": _number(float(size)), "fill": INK}
        group = ET.Element("g", look)
        for x, y, text in items:
            place = {"x": _number(float(x)), "y": _number(float(y))}
            ET.SubElement(group, "text", place).text = text
        self.elements.append(group)

    def bar(
        self,
        x: float,
        y: float,
        across: float,
        down: float,
        fill: str,
        edge: str | None = None,
        dash: str | None = None,
        told: str | None = None,
    ) -> None:
        """Draw a rectangle; `told` is shown where the pointer rests on it."""
        self._add(
            "rect",
            told,
            x=float(x),
            y=float(y),
            width=float(across),
            height=float(down),
            fill=fill,
            stroke=edge,
            stroke_dasharray=dash,
        )

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str = INK,
        thick: float = 1,
        dash: str | None = None,
        told: str | None = None,
    ) -> None:
        """Draw a line; `told` is shown where the pointer rests on it."""
        self._add(
            "line",
            told,
            x1=float(start[0]),
            y1=float(start[1]),
            x2=float(end[0]),
            y2=float(end[1]),
            stroke=colour,
            stroke_width=thick,
            stroke_dasharray=dash,
        )

    def whisker(
        self, y: float, low: float, high: float, colour: str = INK, end: float = 3.5
    ) -> None:
        """Draw an interval, its ends marked."""
        self.line((low, y), (high, y), colour, 1.8)
        for x in (low, high):
            self.line((x, y - end), (x, y + end), colour, 1.8)

    def picture(self, x: float, y: float, across: float, down: float, uri: str) -> None:
        """Lay a picture of few pixels on a rectangle: each of them becomes a sharp cell."""
        self._add(
            "image",
            None,
            x=float(x),
            y=float(y),
            width=float(across),
            height=float(down),
            href=uri,
            preserveAspectRatio="none",
            image_rendering="pixelated",
        )

    def areas(self, items: Sequence[tuple[tuple[float, float, float, float], str]]) -> None:
        """Lay unseen rectangles on what is drawn, each with what it says under the pointer."""
        group = ET.Element("g", {"fill": "transparent"})
        for place, told in items:
            names = ("x", "y", "width", "height")
            box = {name: _number(float(each)) for name, each in zip(names, place, strict=True)}
            ET.SubElement(ET.SubElement(group, "rect", box), "title").text = told
        self.elements.append(group)

    def strokes(
        self,
        paths: Sequence[tuple[str, str | None]],
        colour: str,
        thick: float,
        opacity: float | None = None,
    ) -> None:
        """Draw paths that look alike, each with what it says where the pointer rests on it."""
        look = {"fill": "none", "stroke": colour, "stroke-width": _number(thick)}
        group = ET.Element("g", {**look, "stroke-linecap": "round"})
        if opacity is not None:
            group.set("stroke-opacity", f"{opacity:g}")
        for path, told in paths:
            element = ET.SubElement(group, "path", {"d": path})
            if told:
                ET.SubElement(element, "title").text = told
        self.elements.append(group)

    def mark(
        self,
        x: float,
        y: float,
        shape: Points,
        colour: str,
        radius: float = 5,
        told: str | None = None,
    ) -> None:
        """Draw a mark."""
        self._add("path", told, d=outline(shape, radius, (x, y)), fill=colour)

    def axis(self, scale: Scale, y: float, title: str, top: float, most: int = 5) -> None:
        """Draw an axis at `y`, with lines up to `top`, and its title below."""
        for value in ticks(*scale.domain, most):
            x = scale(value)
            self.elements.insert(
                0,
                ET.Element(
                    "line",
                    {
                        "x1": _number(x),
                        "y1": _number(top),
                        "x2": _number(x),
                        "y2": _number(y),
                        "stroke": "var(--grid)",
                    },
                ),
            )
            label = f"{value:g}".replace("-", "−")
            # A number at an end of the axis stands inside the picture.
            half, (left, right) = width(label, 11) / 2, scale.range
            x = min(max(x, left - EDGE + half), right + EDGE - half)
            self.text(x, y + 13, label, "middle", 11, SOFT)
        if title:
            self.text(scale.range[1], y + 27, title, "end", 11, SOFT)


@dataclass(frozen=True)
class Scale:
    """Where numbers lie: a domain on a range of pixels."""

    domain: tuple[float, float]
    range: tuple[float, float]

    def __call__(self, value: float) -> float:
        """Return where a number lies; one beyond the domain lies at its end."""
        low, high = self.domain
        share = (min(max(value, low), high) - low) / (high - low)
        return self.range[0] + share * (self.range[1] - self.range[0])


@dataclass(frozen=True)
class Sketch:
    """A picture with what it needs to be read; `parts` and the rest are as those of a `Figure`.

    Parameters
    ----------
    elements
        What is drawn.
    size
        Width and height in pixels.
    prefix, title, description, legend, reading, data
        As for `balmi.report.kit.figures.Figure`.
    """

    elements: tuple[ET.Element, ...]
    size: tuple[float, float]
    prefix: str
    title: str
    description: str
    legend: tuple[Entry, ...] = ()
    reading: str = ""
    data: str = ""

    def _root(self, size: tuple[float, float]) -> ET.Element:
        across, down = map(_number, size)
        box = f"0 0 {across} {down}"
        return ET.Element(
            "svg", {"xmlns": NAMESPACE, "width": across, "height": down, "viewBox": box}
        )

    @cached_property
    def inline(self) -> Markup:
        """The picture as an SVG element of the page."""
        root = self._root(self.size)
        root.set("role", "img")
        root.set("aria-labelledby", f"{self.prefix}-title")
        root.set("aria-describedby", f"{self.prefix}-desc")
        for tag, text in (("title", self.title), ("desc", self.description)):
            ET.SubElement(root, tag, {"id": f"{self.prefix}-{tag}"}).text = text
        root.extend(self.elements)
        return Markup(ET.tostring(root, encoding="unicode"))

    @property
    def parts(self) -> tuple[Sketch, ...]:
        """The picture itself."""
        return (self,)

    @property
    def saved(self) -> str:
        """The picture as the text of an SVG file, with its title and its legend."""
        pen = Pen()
        pen.text(PAD, PAD + 10, self.title, bold=True, size=14)
        y = PAD + 10 + LINE
        for record in (entries := placed(self.legend)):
            _swatch(pen, record, y)
        y += (entries[-1]["y"] + LINE) if entries else 0
        ends = [record["x"] + 26 + width(record["text"]) for record in entries]
        across = max(self.size[0], width(self.title, 14), *ends, 0) + 2 * PAD
        root = self._root((across, y + self.size[1] + PAD))
        root.set("font-family", FONT)
        ground = {name: root.get(name, "0") for name in ("x", "y", "width", "height")}
        ET.SubElement(root, "rect", {**ground, "fill": "var(--bg)"})
        root.extend(pen.elements)
        body = ET.SubElement(root, "g", {"transform": f"translate({PAD},{_number(y)})"})
        body.extend(self.elements)
        return light(ET.tostring(root, encoding="unicode") + "\n")

    def __html__(self) -> str:
        return self.inline


def _swatch(pen: Pen, record: dict, y: float) -> None:
    """Draw an entry of a legend, as `placed` places it."""
    x, middle = PAD + record["x"], y + record["y"]
    dash = " ".join(map(str, record["dash"])) if record["dash"] else None
    if record["shape"] in THICK:
        thick = THICK[record["shape"]]
        pen.line((x, middle), (x + 20, middle), record["colour"], thick, dash)
    elif record["shape"] == "upright":
        pen.line((x + 10, middle - 7), (x + 10, middle + 7), record["colour"], 2.5, dash)
    elif record["shape"] == "square":
        pen.bar(x + 4, middle - 6, 12, 12, record["fill"], record["colour"], dash)
    else:
        pen.mark(x + 10, middle, SHAPES[record["shape"]], record["colour"])
    pen.text(x + 26, middle + 4, record["text"])


def sketch(
    pen: Pen,
    size: tuple[float, float],
    prefix: str,
    title: str,
    description: str,
    legend: Sequence[Entry] = (),
    reading: str = "",
    data: str = "",
) -> Sketch:
    """Return what a pen drew as a picture."""
    return Sketch(
        tuple(pen.elements), size, prefix, title, description, tuple(legend), reading, data
    )
