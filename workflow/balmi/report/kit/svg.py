"""Altair charts as inline SVG: deterministic, readable aloud, in the colours of the page."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import altair as alt
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from balmi.report.kit.engine import engine
from balmi.report.kit.paths import shorter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A fifth of the time of a page would go into checking what our own code says; tests check it.
VALIDATED = False
NAMESPACE = "http://www.w3.org/2000/svg"
LINKS = "http://www.w3.org/1999/xlink"
VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
DROPPED = ("role", "class", "font-family", "pointer-events", "stroke-miterlimit")
EXTRA = 1.2  # pixels per character
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
# A layer that is named so draws one class, by its place; the page can hide it.
CLASS_LAYER = re.compile(r"\bclass_(\d+)_\w*marks")
# Between what the parts of a mark say: each part then is a mark of its own, which looks the same.
EACH = "\N{INVISIBLE SEPARATOR}"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
# Colours are variables of the page's style sheet: one figure serves the light and the dark page.
INK, SOFT, GRID = "var(--ink)", "var(--soft)", "var(--grid)"
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "aria": False,
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": 12},
    "axis": {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "tickColor": SOFT,
        "domainColor": SOFT,
        "gridColor": GRID,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "aria": False,
    },
}


class _Records(alt.InlineData):
    """Records that a chart's parts share: of other data Altair gives each part a copy."""

    def __deepcopy__(self, memo: Any) -> _Records:
        return self


def charted(records: Sequence[dict[str, Any]], **about: Any) -> alt.Chart:
    """Return a chart of records that nobody changes afterwards.

    Parameters
    ----------
    records
        The data of a mark each.
    about
        What else a chart is given.
    """
    return alt.Chart(_Records(values=records), **about)


def _shorter(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _clean(element: ET.Element, prefix: str) -> None:
    """Keep of an element what draws, and what a mark was given to say where the pointer rests."""
    element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    said = element.get("aria-label")  # Vega gives none of its own: see `CONFIG`
    of_class = CLASS_LAYER.search(element.get("class", ""))
    if of_class:
        element.set("data-class", of_class[1])
    for name, value in list(element.attrib.items()):
        if name in DROPPED or name.startswith("aria-"):
            del element.attrib[name]
        elif name == f"{{{LINKS}}}href":
            element.set("href", element.attrib.pop(name))
        elif name == "id":
            element.set(name, f"{prefix}-{value}")
        elif name == "d":
            element.set(name, shorter(LONG_NUMBER.sub(_shorter, value)))
        elif name in ("transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"):
            element.set(name, LONG_NUMBER.sub(_shorter, value))
        else:
            element.set(name, REFERENCE.sub(rf"url(#{prefix}-\1)", value))
    for child in list(element):
        empty = child.tag.endswith("path") and (
            child.get("class") in ("background", "foreground") or child.get("d") == ""
        )
        if empty:
            element.remove(child)
        else:
            _clean(child, prefix)
    if said and EACH in said:
        _divide(element, said.split(EACH))
    elif said:
        ET.SubElement(element, "title").text = said


def _divide(element: ET.Element, told: Sequence[str]) -> None:
    """Turn a path of several closed parts into a group of paths, each of which says its own."""
    parts = element.attrib.pop("d").split("M")[1:]
    element.tag = "g"
    for part, text in zip(parts, told, strict=True):
        ET.SubElement(ET.SubElement(element, "path", {"d": f"M{part}"}), "title").text = text


def _widen(root: ET.Element, characters: tuple[int, int]) -> None:
    """Make room left and right: a reader's font may be wider than the one measured here."""
    left, right = (EXTRA * count for count in characters)
    x, y, width, height = map(float, root.get("viewBox", "").split())
    box = (x - left, y, width + left + right, height)
    root.set("viewBox", " ".join(f"{side:g}" for side in box))
    root.set("width", f"{box[2]:g}")


@contextmanager
def unchecked() -> Iterator[None]:
    """Make charts whose parts are checked only where whole specifications are."""
    with debug_mode(VALIDATED):
        yield


@unchecked()
def _spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    return chart.configure(**CONFIG).to_dict(validate=VALIDATED)  # type: ignore[attr-defined]


def _nameless(part: Any) -> Any:
    """Return a specification without names of layers: Altair gives two that it joins the same."""
    if isinstance(part, list):
        return [_nameless(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _nameless(value) for key, value in part.items() if key != "name" or "mark" not in part
    }


def _drawn(spec: dict[str, Any], prefix: str, characters: tuple[int, int]) -> ET.Element:
    root = ET.fromstring(engine()("vegalite_to_svg", vl_spec=spec, vl_version=VEGA_LITE))
    _clean(root, prefix)
    _widen(root, characters)
    root.set("xmlns", NAMESPACE)
    return root


def to_svg(
    chart: alt.TopLevelMixin,
    prefix: str,
    title: str,
    description: str,
    characters: tuple[int, int] = (0, 0),
) -> Markup:
    """Turn a chart into SVG for the page.

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

    Returns
    -------
    Markup
        An ``svg`` element; every text in it is escaped.

    Raises
    ------
    Undrawn
        Where this machine cannot draw.
    """
    root = _drawn(_spec(chart), prefix, characters)
    names = {"title": title, "desc": description}
    for place, (tag, text) in enumerate(names.items()):
        element = ET.Element(tag, {"id": f"{prefix}-{tag}"})
        element.text = text
        root.insert(place, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title")
    root.set("aria-describedby", f"{prefix}-desc")
    return Markup(ET.tostring(root, encoding="unicode"))


def file_svg(
    chart: alt.TopLevelMixin, prefix: str, characters: tuple[int, int], ground: str
) -> str:
    """Turn a chart into the text of an SVG file; its colours are variables still.

    Parameters
    ----------
    chart
        The chart, its data inside.
    prefix
        Prefix of every id in the figure.
    characters
        Length of the longest text left and right of the axes, which gets room to spare.
    ground
        Colour behind the figure.

    Raises
    ------
    Undrawn
        Where this machine cannot draw.
    """
    root = _drawn(_nameless(_spec(chart)), prefix, characters)
    x, y, width, height = root.get("viewBox", "").split()
    place = {"x": x, "y": y, "width": width, "height": height}
    root.insert(0, ET.Element("rect", {**place, "fill": ground}))
    root.set("font-family", FONT)
    return ET.tostring(root, encoding="unicode") + "\n"
