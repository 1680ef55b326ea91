"""The figure of confusions: a cell per true and predicted class, with its share and its count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.numerals import counted, decimal
from balmi.report.kit.pictures import indexed, uri_of
from balmi.report.kit.sketches import Pen, fitted, sketch, width
from balmi.report.kit.svg import INK, SOFT
from balmi.report.kit.words import NBSP, brief, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.sketches import Sketch
    from balmi.report.sections.performance.closeup import Confusion

NAME = "confusion"
BLUE, DARKEST, STEPS = "0072B2", 0.6, 50  # Okabe and Ito's; how opaque for all of a row; shades
# Pixels: room for all cells where these are few, for one of them, and above them.
CELLS, CELL, HEAD = 560, 64, 30
CORNER = "true ↓ predicted →"
MOST_TOLD = 10  # classes in the description
READING = (
    "A row is a true class, a column a predicted one. Large: the share of the row, in per cent."
    " Small: samples per repeat. The darker, the larger the share. Outlined cells are right."
    " An empty cell has no sample."
)


@dataclass(frozen=True)
class Look:
    """How cells look: sizes of both texts, and a cell's height.

    `names` is the most room for names, in pixels. `unit` says whether there is room for per cent,
    and for what the pointer shows.
    """

    share: float
    count: float
    height: float
    names: float
    unit: bool


# By the most classes that may look so.
LOOKS = {
    6: Look(13, 11, 40, 320, True),
    12: Look(12, 10, 34, 250, True),
    10**6: Look(10, 9, 28, 170, False),
}


@dataclass(frozen=True)
class Cell:
    """A cell: its row and column, and its upper left corner in pixels."""

    row: int
    column: int
    x: float
    y: float


def _colours() -> tuple[bytes, bytes]:
    """Return the palette of shares, from none of a row to all of it."""
    alphas = bytes(round(255 * DARKEST * step / STEPS) for step in range(STEPS + 1))
    return bytes.fromhex(BLUE) * len(alphas), alphas


def _levels(confusion: Confusion) -> np.ndarray:
    """Return the place of each share in the palette; (classes, classes)."""
    return np.round(np.array(confusion.shares) * STEPS).astype(np.uint8)


def _told(confusion: Confusion, counts: Sequence[Sequence[str]], cell: Cell) -> str:
    """Say what a cell holds, for where the pointer rests."""
    true, called = (confusion.classes[place] for place in (cell.row, cell.column))
    share, count = (rows[cell.row][cell.column] for rows in (confusion.shares, counts))
    return f"{true} called {called}: {percent(share)}, {count} per repeat"


def _share(share: float, look: Look) -> str:
    text = percent(share)
    return text if look.unit else text.removesuffix(f"{NBSP}%")


def _described(confusion: Confusion) -> str:
    """Say of every class how much of it is right, and what the rest is mostly called."""
    told = []
    for place, (name, shares) in enumerate(zip(confusion.classes, confusion.shares, strict=True)):
        other = max((i for i in range(len(shares)) if i != place), key=lambda i: shares[i])
        text = f"{brief(name)}: {percent(shares[place])} right"
        if shares[other] > 0:
            text += f", {percent(shares[other])} called {brief(confusion.classes[other])}"
        told.append(text)
    more = len(told) - MOST_TOLD
    rest = f"; and {counted(more, 'more class', 'more classes')}" if more > 0 else ""
    return "; ".join(told[:MOST_TOLD]) + f"{rest}."


def confusion_figure(confusion: Confusion, method: str, places: int) -> Sketch:
    """Draw the confusions of a method.

    Parameters
    ----------
    confusion
        Counts and shares.
    method
        Its name.
    places
        Decimals of a count.
    """
    names, classes = confusion.classes, len(confusion.classes)
    look = next(look for most, look in LOOKS.items() if classes <= most)
    counts = [[decimal(count, places) for count in row] for row in confusion.counts]
    widest = max(width(text, look.count) for row in counts for text in row)
    heading = max(width(name, look.share) for name in names)
    least = max(widest, width(_share(0.999, look), look.share)) + 6
    across = max(least, min(CELLS / classes, max(heading + 10, CELL)))
    # Where a name is wider than its column, classes are numbered.
    numbered = heading + 4 > across
    labels = [f"{place + 1}. {name}" if numbered else name for place, name in enumerate(names)]
    left = min(look.names, max(width(CORNER, 11), *map(width, labels)) + 10)
    pen = Pen()
    pen.text(left - 8, HEAD - 8, CORNER, "end", 11, SOFT)
    for place, name in enumerate(names):
        number = f"{place + 1}" if numbered else name
        middle = left + across * (place + 0.5)
        pen.text(middle, HEAD - 8, number, "middle", look.share, SOFT)
    for row, label in enumerate(labels):
        y = HEAD + look.height * (row + 0.5) + 4
        pen.text(left - 8, y, fitted(label, left - 10), "end")
    size = (across * classes, look.height * classes)
    pen.picture(left, HEAD, *size, uri_of(indexed(_levels(confusion), *_colours())))
    cells = [
        Cell(row, column, left + across * column, HEAD + look.height * row)
        for row in range(classes)
        for column in range(classes)
    ]
    for cell in cells:
        edge = INK if cell.row == cell.column else None
        told = _told(confusion, counts, cell) if look.unit else None
        if edge or told:
            pen.bar(cell.x, cell.y, across, look.height, "transparent", edge, told=told)
    filled = [cell for cell in cells if confusion.counts[cell.row][cell.column]]
    middle, centre = across / 2, look.height / 2
    for down, letters, text in (
        (centre - 1, look.share, lambda at: _share(confusion.shares[at.row][at.column], look)),
        (centre + look.count, look.count, lambda at: counts[at.row][at.column]),
    ):
        pen.texts([(at.x + middle, at.y + down, text(at)) for at in filled], size=letters)
    return sketch(
        pen,
        (left + size[0] + 1, HEAD + size[1] + 1),
        NAME,
        f"Confusions of {brief(method)}",
        _described(confusion),
        (),
        READING,
        NAME,
    )
