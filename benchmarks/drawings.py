"""Figures of the benchmarks, drawn as those of a page and standing alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.report.kit.svg import GRID, INK, SOFT, to_svg

if TYPE_CHECKING:
    import altair as alt

# The colours that the report's style sheet gives on a light page.
LIGHT = {INK: "#1a1a1a", SOFT: "#595959", GRID: "#e0e0e0"}
PLAIN = (' opacity="1"', ' stroke-width="1"')  # what they are without a word
COLOURS = ("#0072B2", "#D55E00")  # Okabe and Ito 2008


def standalone(chart: alt.TopLevelMixin, prefix: str, title: str, description: str) -> str:
    """Return a chart as SVG with a background and colours of its own.

    Parameters
    ----------
    chart, prefix, title, description
        As `balmi.report.kit.svg.to_svg` takes them.
    """
    # Elsewhere letters may be wider than where the chart was laid out.
    chart = chart.properties(padding={"left": 25, "right": 10, "top": 5, "bottom": 5})
    text = str(to_svg(chart, prefix, title, description))
    text = text.replace("<svg ", '<svg style="background:#fff" font-family="sans-serif" ', 1)
    for plain in PLAIN:
        text = text.replace(plain, "")
    for variable, colour in LIGHT.items():
        text = text.replace(variable, colour)
    return f"{text}\n"
