"""Many marks of one colour as a small PNG, where so many shapes would be too much for the page.

The picture has a palette of one colour in sixteen opacities (PNG, second edition, W3C 2003: colour
type 3 with tRNS), which compresses to a tenth of what four channels take.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.figures import Points

LEVELS = 16
FINE = 4  # points per pixel and axis at which a mark's edge is measured
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return which points lie inside a polygon, by how often a ray crosses its sides."""
    crossings = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        beside = (y0 > y) != (y1 > y)
        if y0 != y1:
            crossings ^= beside & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return crossings


def stamp(shape: Points, radius: float) -> np.ndarray:
    """Return how much of each pixel a mark covers, its middle in the middle; (side, side).

    Parameters
    ----------
    shape
        Its corners.
    radius
        Radius in pixels.
    """
    corners = radius * np.array(shape)
    half = int(np.ceil(np.abs(corners).max()))
    side = 2 * half + 1
    at = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    x, y = np.meshgrid(at, at)
    fine = _inside(x, y, corners).reshape(side, FINE, side, FINE)
    return fine.mean(axis=(1, 3))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def indexed(levels: np.ndarray, palette: bytes, alphas: bytes) -> bytes:
    """Return a picture of few colours.

    Parameters
    ----------
    levels
        Place of each pixel's colour in the palette; (height, width), of 8 bits.
    palette
        Red, green and blue of each colour.
    alphas
        Opacity of each colour, 0 to 255.
    """
    height, width = levels.shape
    rows = np.column_stack([np.zeros(height, np.uint8), levels])  # each row without a filter
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", head),
        (b"PLTE", palette),
        (b"tRNS", alphas),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks)


def uri_of(picture: bytes) -> str:
    """Return a PNG as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def png(cover: np.ndarray, colour: str, opacity: float) -> bytes:
    """Return a picture of one colour.

    Parameters
    ----------
    cover
        How much of each pixel is covered, from 0 to 1; (height, width).
    colour
        The colour as ``#rrggbb``.
    opacity
        Opacity where a pixel is covered wholly.
    """
    steps = np.round(cover * (LEVELS - 1)).astype(np.uint8)
    alphas = np.round(255 * opacity * np.arange(LEVELS) / (LEVELS - 1)).astype(np.uint8)
    return indexed(steps, bytes.fromhex(colour.removeprefix("#")) * LEVELS, alphas.tobytes())


def marks_uri(
    places: Sequence[tuple[float, float]],
    mark: np.ndarray,
    size: tuple[int, int],
    colour: str,
    opacity: float,
) -> str:
    """Return marks of one kind as a PNG in a data URI; where they overlap they are one.

    Parameters
    ----------
    places
        Their middles, in pixels from the upper left corner; each with its whole mark inside.
    mark
        The mark, as `stamp` gives it.
    size
        Width and height in pixels.
    colour, opacity
        As for `png`.
    """
    width, height = size
    cover = np.zeros((height, width))
    half = len(mark) // 2
    for x, y in places:
        left, top = round(x) - half, round(y) - half
        part = cover[top : top + len(mark), left : left + len(mark)]
        np.maximum(part, mark, out=part)
    return uri_of(png(cover, colour, opacity))
