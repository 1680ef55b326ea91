"""Modalities and classes look the same in every figure, and no two of them look alike."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from balmi.report.kit.drawing import CLASS_COLOURS, MODALITY_COLOURS, class_keys, modality_keys

SCHEMES = {"modalities": MODALITY_COLOURS, "classes": CLASS_COLOURS}
GROUNDS = ("#ffffff", "#12161b")
# Linear RGB as it is seen: by most, with protanopia and with deuteranopia (Machado et al. 2009).
SEEN = {
    "most": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ]
    ),
}
# Linear RGB to Oklab (Ottosson 2020).
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    """Return a colour's light in red, green and blue."""
    channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def apart(one: str, other: str, how: str) -> float:
    """Return the distance of two colours in Oklab, in hundredths of black to white."""
    ends = [
        OKLAB @ np.cbrt(CONES @ np.clip(SEEN[how] @ linear(colour), 0, 1))
        for colour in (one, other)
    ]
    return 100 * float(np.linalg.norm(ends[0] - ends[1]))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2)."""
    light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def test_the_distance_by_hand():
    assert apart("#000000", "#ffffff", "most") == pytest.approx(100, abs=0.1)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_twelve_colours_are_apart_to_every_eye_and_on_either_ground(scheme):
    colours = SCHEMES[scheme]
    assert len(colours) == 12
    for one, other in combinations(colours, 2):
        assert apart(one, other, "most") > 10, (one, other)
        assert apart(one, other, "protanopia") > 5.5, (one, other)
        assert apart(one, other, "deuteranopia") > 5.5, (one, other)
    assert min(contrast(colour, ground) for colour in colours for ground in GROUNDS) > 1.2


@pytest.mark.parametrize("keys", [class_keys, modality_keys])
def test_where_colours_come_again_lines_marks_and_areas_differ(keys):
    looks = [keys([str(place) for place in range(48)])[str(place)] for place in range(48)]
    for cue in ("dash", "shape", "stripes"):
        assert len({(look.colour, getattr(look, cue)) for look in looks}) == 48, cue
    assert len({look.colour for look in looks[:12]}) == 12


def test_an_area_has_stripes_from_the_thirteenth_on():
    keys = class_keys([str(place) for place in range(13)])
    assert keys["0"].area == CLASS_COLOURS[0]
    assert keys["12"].area == (
        f"repeating-linear-gradient(90deg, {CLASS_COLOURS[0]} 0px 4px, var(--bg) 4px 6px)"
    )
