"""The figure of confusions: all that is counted is in it, and no text lies on another."""

from __future__ import annotations

from itertools import groupby, pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from balmi.report.kit.sketches import width
from balmi.report.sections.performance.closeup import Confusion
from balmi.report.sections.performance.confusion_figure import confusion_figure

TEXT = "{http://www.w3.org/2000/svg}text"
ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


def confusion(names: list[str], most: float = 5000.0) -> Confusion:
    """Return confusions of these classes, the first never called the last."""
    counts = np.random.default_rng(0).uniform(0.2, most, (len(names),) * 2)
    counts[0, -1] = 0
    shares = counts / counts.sum(axis=1, keepdims=True)
    rows = (tuple(tuple(map(float, row)) for row in each) for each in (counts, shares))
    return Confusion(tuple(names), *rows)


def texts(svg: str) -> list[tuple[float, float, float, str]]:
    """Return of every text its height, where it begins and ends, and what it says."""
    root, drawn = ET.fromstring(svg), []
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in root.iter(TEXT):
        of = {**parents[element].attrib, **element.attrib}
        across = width(element.text, float(of["font-size"]))
        begins = float(of["x"]) - ANCHORS[of["text-anchor"]] * across
        drawn.append((float(of["y"]), begins, begins + across, element.text))
    return drawn


NAMED = {
    "two": ["case", "control"],
    "five": ["Basal", "Her2", "LumA", "LumB", "Normal"],
    "long": [f"{place} {'a name as long as sixty letters '[:14] * 4}" for place in range(6)],
    "thirty": [f"class {place} " + "n" * 50 for place in range(30)],
}


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED)
def test_no_text_lies_on_another(names):
    figure = confusion_figure(confusion(names), "pooled", 1)
    drawn = sorted(texts(figure.inline))
    for _, line in groupby(drawn, key=lambda each: each[0]):
        for left, right in pairwise(sorted(line, key=lambda each: each[1])):
            assert left[2] <= right[1], (left, right)
    assert all(begins >= 0 and ends <= figure.size[0] for _, begins, ends, _ in drawn)


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED)
def test_share_and_count_stand_in_every_cell_that_has_samples(names):
    held = confusion(names)
    said = [each[-1] for each in texts(confusion_figure(held, "pooled", 1).inline)]
    counts = [f"{count:.1f}" for row in held.counts for count in row if count]
    assert len(counts) == len(names) ** 2 - 1
    assert set(counts) <= set(said)
    assert said.count("0.0") == 0
    assert len(said) == 1 + 2 * len(names) + 2 * len(counts)


def test_what_is_mostly_confused_is_described():
    counts = ((8.0, 2.0), (0.0, 4.0))
    held = Confusion(("a", "b"), counts, ((0.8, 0.2), (0.0, 1.0)))
    figure = confusion_figure(held, "pooled", 0)
    assert figure.description.replace("\N{NO-BREAK SPACE}", " ") == (
        "a: 80 % right, 20 % called b; b: 100 % right."
    )
    assert "a called b: 20" in figure.inline
    assert figure.inline == confusion_figure(held, "pooled", 0).inline
