"""Paths in fewer bytes draw the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.report.kit.paths import shorter


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M1,2L3,4L2.5,4Z", "M1 2l2 2-.5 0z"),
        ("M0.5,-0.5L0.5,0.54", "M.5-.5l0 1"),
        ("M10,20L11,20L12.5,21ZM-3.14,4L-3.14,4.1", "M10 20l1 0 1.5 1zM-3.1 4l0 .1"),
        ("M0,0h3v4", "M0,0h3v4"),
        ("M0,0A1,1,0,1,1,2,0L3,3", "M0,0A1,1,0,1,1,2,0L3,3"),
        ("M-0.01,0L0,0", "M0 0l0 0"),
    ],
)
def test_by_hand(path, short):
    assert shorter(path) == short


def corners(path):
    """Return the corners of a path of M, l and z, as SVG reads it."""
    found, here, start = [], (0.0, 0.0), (0.0, 0.0)
    for command, numbers in re.findall(r"([Mlz])([^Mlz]*)", path):
        values = list(map(float, re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)))
        pairs = list(zip(values[::2], values[1::2], strict=True))
        if command == "z":
            here = start
        for x, y in pairs:
            here = (x, y) if command == "M" else (here[0] + x, here[1] + y)
            start = here if command == "M" else start
            found.append(here)
    return found


NUMBER = st.floats(-900, 900, allow_nan=False).map(lambda x: round(x, 2))


@given(
    st.lists(st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=6), min_size=1, max_size=4)
)
def test_no_corner_moves_by_more_than_it_is_rounded(shapes):
    text = "".join(f"M{'L'.join(f'{x:g},{y:g}' for x, y in shape)}Z" for shape in shapes)
    wanted = [corner for shape in shapes for corner in shape]
    found = corners(shorter(text))
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, abs=0.051)
