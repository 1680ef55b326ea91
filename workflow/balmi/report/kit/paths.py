"""Paths of SVG in fewer bytes: each corner by its distance from the last, in tenths of a pixel.

Syntax after SVG 1.1 (W3C 2011), section 8.3: a lower-case command takes distances, repeated pairs
repeat the command, and a minus sign needs no blank before it.
"""

from __future__ import annotations

import re

STRAIGHT = re.compile(r"[MLZ\d.,\s-]+")
STEP = re.compile(r"([ML])([^MLZ]+)|Z")
DIGITS = 1


def _number(tenths: int) -> str:
    """Return tenths of a pixel as short as SVG reads them."""
    text = f"{tenths / 10**DIGITS:.{DIGITS}f}".removesuffix(".0")
    text = text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
    return "0" if text in ("-0", "") else text


def _pair(x: int, y: int) -> str:
    second = _number(y)
    return f"{_number(x)}{'' if second.startswith('-') else ' '}{second}"


def shorter(path: str) -> str:
    """Return a path of straight lines with relative corners; every other path as it is.

    Corners are rounded where they lie, and not their distances, so that no error adds up.

    Parameters
    ----------
    path
        What an attribute ``d`` holds.
    """
    if not STRAIGHT.fullmatch(path):
        return path
    parts: list[str] = []
    here = start = (0, 0)
    last = ""
    for step in STEP.finditer(path):
        command = step[1] or "Z"
        if command == "Z":
            parts.append("z")
            here = start
        else:
            x, y = (
                round(float(each) * 10**DIGITS) for each in re.split(r"[,\s]+", step[2].strip())
            )
            if command == "M":
                parts.append(f"M{_pair(x, y)}")
                start = (x, y)
            else:
                pair = _pair(x - here[0], y - here[1])
                again = last == "L"
                parts.append(
                    pair if again and pair.startswith("-") else f"{' ' if again else 'l'}{pair}"
                )
            here = (x, y)
        last = command
    return "".join(parts)
