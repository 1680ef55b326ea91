"""Saved figures stand alone, and are the same when built twice; pictures hold what they should."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import altair as alt
import numpy as np
import pytest
from altair.utils.schemapi import SchemaValidationError
from drawn_once import drawn_anew
from hypothesis import given
from hypothesis import strategies as st
from synthetic_report import Names, write_dataset

from balmi.report.kit import svg
from balmi.report.kit.drawing import said
from balmi.report.kit.figures import (
    SHAPES,
    Entry,
    Figure,
    Panels,
    light_colours,
    outline,
    saved_svg,
    side_by_side,
)
from balmi.report.kit.pictures import LEVELS, SIGNATURE, marks_uri, png, stamp
from balmi.report.render import build_report

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def saved(made: Path) -> Path:
    return made / "figures"


def chart(values: int = 3) -> alt.Chart:
    data = alt.Data(values=[{"x": place, "y": place} for place in range(values)])
    return alt.Chart(data).mark_line(color="var(--ink)").encode(x="x:Q", y="y:Q")


def test_what_vega_lite_does_not_know_is_found(monkeypatch):
    monkeypatch.setattr(svg, "VALIDATED", True)
    wrong = chart()
    wrong.width = "wide"
    with pytest.raises(SchemaValidationError):
        svg.to_svg(wrong, "a", "b", "c")


def test_every_figure_is_saved_twice(saved):
    names = {path.stem for path in saved.iterdir()}
    assert {"differences", "information", "training", "noise", "lost", "share"} <= names
    assert {"shapley", "embedding", "attribution"} <= names
    files = {path.name for path in saved.iterdir()}
    assert files == {f"{name}.{ending}" for name in names for ending in ("svg", "png")}


def test_saved_figures_stand_alone(saved):
    for path in saved.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert "var(" not in text, path
        # What else is in a figure is in the file itself.
        assert set(re.findall(r'href="([^"]{,22})', text)) <= {"data:image/png;base64,"}, path
        root = ET.fromstring(text)
        ground = root.find(f"{NAMESPACE}rect")
        box = [float(side) for side in root.get("viewBox").split()]
        assert [float(ground.get(key)) for key in ("x", "y", "width", "height")] == box
        assert ground.get("fill") == "#ffffff"
    for path in saved.glob("*.png"):
        content = path.read_bytes()
        assert content.startswith(SIGNATURE)
        width, height = struct.unpack(">II", content[16:24])
        assert width > 1000, path
        assert height > 300, path


def test_two_builds_are_the_same_bytes(inputs, made, tmp_path):
    with drawn_anew():
        build_report(inputs, tmp_path / "report.html", tmp_path / "view.json", tmp_path / "figures")
    files = [path.relative_to(made) for path in made.rglob("*") if path.is_file()]
    assert len(files) > 40
    for file in files:
        assert (tmp_path / file).read_bytes() == (made / file).read_bytes(), file


def test_a_saved_figure_has_its_title_and_its_legend():
    legend = (Entry("first of all"), Entry("a mark", "#123456", "star", dash=(3, 2)))
    text = saved_svg(Figure(chart(), "one", "What it shows", "Told.", legend=legend))
    for words in ("What it shows", "first of all", "a mark"):
        assert f">{words}</text>" in text
    assert "#123456" in text


def test_panels_become_one_file_with_their_titles():
    parts = tuple(Figure(chart(), f"p{place}", f"Panel {place}", "Told.") for place in range(3))
    text = saved_svg(Panels("All of them", parts))
    for words in ("All of them", "Panel 0", "Panel 1", "Panel 2"):
        assert text.count(f">{words}</text>") == 1


def test_a_mark_says_its_numbers_where_the_pointer_rests_and_no_other_does():
    data = alt.Data(values=[{"x": 1, "said": "a < b: 0.5"}, {"x": 2, "said": "c: 0.7"}])
    base = alt.Chart(data).encode(x="x:Q")
    drawn = alt.layer(base.mark_tick(), base.mark_point().encode(description=said()))
    root = ET.fromstring(Figure(drawn, "made", "Made", "Two.").inline)
    marks = [element for element in root.iter() if element.find(f"{NAMESPACE}title") is not None]
    assert [mark.findtext(f"{NAMESPACE}title") for mark in marks] == [
        "Made",
        "a < b: 0.5",
        "c: 0.7",
    ]


def test_more_than_two_panels_are_narrower():
    assert side_by_side(2) > side_by_side(3) == side_by_side(9)


def test_a_long_legend_goes_on_in_another_line():
    entries = tuple(Entry(f"entry number {place}") for place in range(12))
    text = saved_svg(Figure(chart(), "one", "Title", "Told.", legend=entries))
    width = float(re.search(r'viewBox="\S+ \S+ (\S+)', text)[1])
    assert width < 700
    assert all(f">entry number {place}</text>" in text for place in range(12))


def test_files_without_data_are_not_made(tmp_path):
    inputs = write_dataset(tmp_path, Names(methods=("stacked-lr",), modalities=("rna",)))
    figures = tmp_path / "figures"
    build_report(inputs, tmp_path / "report.html", tmp_path / "view.json", figures)
    names = {path.stem for path in figures.iterdir()}
    assert "training" not in names
    assert "embedding" not in names


def test_light_colours_are_those_of_the_page():
    colours = light_colours()
    assert colours["bg"] == "#ffffff"
    assert {"ink", "soft", "grid", "line", "accent", "gain", "none", "loss"} <= set(colours)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stamp_covers_the_area_of_its_shape(shape):
    corners = 8 * np.array(SHAPES[shape])
    x, y = corners.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert stamp(SHAPES[shape], 8).sum() == pytest.approx(area, rel=0.05)


def _pixels(content: bytes) -> np.ndarray:
    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT")
    size = struct.unpack(">I", content[start - 4 : start])[0]
    raw = zlib.decompress(content[start + 4 : start + 4 + size])
    return np.frombuffer(raw, np.uint8).reshape(height, width + 1)[:, 1:]


@given(st.lists(st.tuples(st.integers(10, 70), st.integers(10, 40)), min_size=1, max_size=20))
def test_a_picture_has_every_mark_where_it_belongs(places):
    uri = marks_uri(places, stamp(SHAPES["circle"], 3), (80, 50), "#4477aa", 0.8)
    pixels = _pixels(base64.b64decode(uri.split(",")[1]))
    assert pixels.shape == (50, 80)
    assert all(pixels[y, x] == LEVELS - 1 for x, y in places)
    far = [
        (x, y)
        for x in range(80)
        for y in range(50)
        if all(abs(x - a) > 3 or abs(y - b) > 3 for a, b in places)
    ]
    assert all(pixels[y, x] == 0 for x, y in far)


def test_a_picture_has_one_colour_in_rising_opacities():
    content = png(np.zeros((2, 3)), "#4477aa", 0.8)
    palette = content[content.index(b"PLTE") + 4 :][: 3 * LEVELS]
    opacities = content[content.index(b"tRNS") + 4 :][:LEVELS]
    assert palette == bytes.fromhex("4477aa") * LEVELS
    assert opacities[0] == 0
    assert opacities[-1] == round(255 * 0.8)
    assert list(opacities) == sorted(opacities)


def test_an_outline_is_a_closed_path_around_its_centre():
    path = outline(SHAPES["square"], 2, (10, 20))
    assert path.startswith("M")
    assert path.endswith("Z")
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
    assert np.mean(numbers[::2]) == pytest.approx(10)
    assert np.mean(numbers[1::2]) == pytest.approx(20)
