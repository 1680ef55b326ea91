"""The figures of robustness, drawn from the view: no number is computed here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from balmi.evaluation.metrics import METRICS
from balmi.numerals import decimal, signed
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL
from balmi.report.kit.figures import Drawn, Entry, Figure, Panels, side_by_side
from balmi.report.kit.svg import GRID, INK, charted
from balmi.report.kit.words import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.report.kit.metrics import Metric
    from balmi.report.sections.robustness.view import Effect, Panel, RobustnessView

MAX_DRAWN = 4
HIGH, HALF, WIDE = 200, 400, 900
STEP = 20  # grid of the range that the panels share: a twentieth
SHARE = "share of the training samples"
NOISE = "noise, standard deviations"


@dataclass(frozen=True)
class Look:
    """How a method looks, by its place: never in the colour of a modality or a class."""

    colour: str
    dash: tuple[int, ...]
    shape: str


LOOKS = (
    Look(INK, (1, 0), "circle"),
    Look("var(--accent)", (6, 3), "diamond"),
    Look("var(--loss)", (2, 2), "square"),
    Look("var(--gain)", (9, 3, 2, 3), "triangle-up"),
)


def looks(view: RobustnessView) -> dict[str, Look]:
    """Return how each drawn method looks."""
    return dict(zip(view.methods[:MAX_DRAWN], LOOKS, strict=False))


def _legend(drawn: dict[str, Look]) -> tuple[Entry, ...]:
    return tuple(
        Entry(shortened(name, LABEL), look.colour, dash=look.dash) for name, look in drawn.items()
    )


def value_range(view: RobustnessView) -> tuple[float, float]:
    """Return the one range of the metric that all panels share."""
    panels = [*view.noise, *([view.share] if view.share else [])]
    drawn = looks(view)
    ends = [
        end
        for panel in panels
        for sweep in panel.sweeps
        if sweep.method in drawn
        for effect in sweep.effects
        for end in (effect.value.estimate, effect.value.lower, effect.value.upper)
        if end is not None
    ]
    least, most = math.floor(STEP * min(ends)) / STEP, math.ceil(STEP * max(ends)) / STEP
    lowest, highest = METRICS[view.metric.key].bounds
    return max(lowest, least), min(highest, max(most, least + 1 / STEP))


def _within(value: float | None, ends: tuple[float, float]) -> float | None:
    """Return a limit as it is drawn: an interval may reach beyond what the metric can be."""
    # Vega's own clipping counts its ids over all figures of a process.
    return None if value is None else min(max(value, ends[0]), ends[1])


def _lines(
    panel: Panel,
    drawn: dict[str, Look],
    ends: tuple[float, float],
    x: alt.X,
    title: str,
    width: int,
) -> alt.LayerChart:
    """Draw a line with its band and its points per method."""
    scale = alt.Scale(domain=list(ends), nice=False, zero=False)
    axis = alt.Axis(format="~g", tickCount=5)
    layers = []
    for sweep in panel.sweeps:
        if sweep.method not in drawn:
            continue
        look = drawn[sweep.method]
        records = [
            {
                "level": effect.level,
                "value": effect.value.estimate,
                "lower": _within(effect.value.lower, ends),
                "upper": _within(effect.value.upper, ends),
                "said": f"{sweep.method} at {effect.level:g}: {effect.value.told()}",
            }
            for effect in sweep.effects
        ]
        base = charted(records).encode(x=x)
        y = alt.Y("value:Q", title=title, scale=scale, axis=axis)
        low = alt.Y("lower:Q", title=title, scale=scale, axis=axis)
        dash = {} if look.dash == (1, 0) else {"strokeDash": list(look.dash)}
        layers += [
            base.mark_area(opacity=0.14, color=look.colour).encode(low, y2=alt.Y2("upper:Q")),
            base.mark_line(color=look.colour, strokeWidth=2, **dash).encode(y),
            base.mark_point(
                shape=look.shape, size=45, filled=True, opacity=1, color=look.colour
            ).encode(y, description=drawing.said()),
        ]
    return alt.layer(*layers).properties(width=width, height=HIGH)


def _told(panel: Panel, drawn: dict[str, Look], metric: Metric) -> str:
    parts = [
        f"{sweep.method} from {decimal(sweep.effects[0].value.estimate)}"
        f" to {decimal(sweep.effects[-1].value.estimate)}"
        for sweep in panel.sweeps
        if sweep.method in drawn
    ]
    return f"{metric.first}: {', '.join(parts)}."


def noise_figures(view: RobustnessView) -> Panels:
    """Draw the score along the noise, one panel per modality."""
    drawn, ends = looks(view), value_range(view)
    x = alt.X("level:Q", title=NOISE, axis=alt.Axis(format="~g", tickCount=5))
    width = side_by_side(len(view.noise))
    parts = tuple(
        Figure(
            _lines(panel, drawn, ends, x, view.metric.title, width),
            f"noise-{place}",
            f"Noise on {shortened(panel.modality or '', LABEL)}",
            _told(panel, drawn, view.metric),
            legend=_legend(drawn),
        )
        for place, panel in enumerate(view.noise)
    )
    title = f"{view.metric.first} with noise on one modality of the test samples"
    return Panels(title, parts, data="robustness", width=width)


def share_figure(view: RobustnessView, panel: Panel) -> Figure:
    """Draw the score along the share of the training samples."""
    drawn = looks(view)
    axis = alt.Axis(format="~%", values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("level:Q", title=SHARE, axis=axis, scale=alt.Scale(domain=[0, 1]))
    chart = _lines(panel, drawn, value_range(view), x, view.metric.title, WIDE)
    title = f"{view.metric.first} with fewer training samples"
    about = _told(panel, drawn, view.metric)
    return Figure(chart, "share", title, about, legend=_legend(drawn), data="robustness")


def _dots(
    effects: Sequence[Effect], names: Sequence[str], drawn: dict[str, Look], title: str
) -> list[alt.Chart]:
    """Draw differences as points with intervals: a row per modality, a lane per method."""
    rows = {name: place for place, name in enumerate(names)}
    lanes = {method: (place + 0.5) / len(drawn) for place, method in enumerate(drawn)}
    records = [
        {
            "row": rows[effect.modality],
            "lane": lanes[effect.method],
            "value": effect.difference.estimate,
            "lower": effect.difference.lower,
            "upper": effect.difference.upper,
            "colour": drawn[effect.method].colour,
            "shape": drawn[effect.method].shape,
            "said": f"{effect.modality}, {effect.method}: {effect.difference.told(signed)}",
        }
        for effect in effects
        if effect.method in drawn and effect.modality in rows
    ]
    offset = alt.YOffset("lane:Q", scale=alt.Scale(domain=[0, 1]))
    base = drawing.rows_of(records).encode(yOffset=offset)
    return drawing.points(base, title)


def lost_figure(view: RobustnessView, modalities: Sequence[str]) -> Figure:
    """Draw what a modality's absence and its permutation do, side by side."""
    drawn = looks(view)
    lost = [*view.dropped, *view.shuffled]
    names = [name for name in modalities if any(effect.modality == name for effect in lost)]
    labels = [{"name": shortened(name, LABEL)} for name in names]
    # The rows' guides lie in their middles, where no method's lane is drawn upon.
    rows = drawing.rows_of(labels)
    guide = rows.mark_rule(color=GRID).encode(x=alt.XValue(0), x2=alt.X2Value(HALF))
    panels = []
    for title, effects in (("dropped", view.dropped), ("permuted", view.shuffled)):
        if not effects:
            continue
        layers = [
            guide,
            *_dots(effects, names, drawn, f"difference of {view.metric.title}: {title}"),
        ]
        if not panels:
            layers.append(drawing.names(rows))
        height = max(drawing.ROW, 22 * len(drawn)) * len(names)
        panels.append(alt.layer(*layers).properties(width=HALF, height=height))
    about = "; ".join(
        f"{effect.modality}, {effect.method}: {effect.difference.told(signed)}"
        for effect in view.dropped
        if effect.method in drawn
    )
    chart = alt.hconcat(*panels, spacing=36).resolve_scale(x="shared")
    title = f"{view.metric.first} without, and with a permuted, modality"
    legend = tuple(
        Entry(shortened(name, LABEL), look.colour, look.shape) for name, look in drawn.items()
    )
    left = max(len(label["name"]) for label in labels)
    words = f"Dropped: {about}." if about else title
    return Figure(chart, "lost", title, words, (left, 0), legend, data="robustness")


def robustness_figures(view: RobustnessView, modalities: Sequence[str]) -> Drawn:
    """Draw the figures of robustness for which there are data."""
    makers: dict[str, tuple[Any, Callable[[], Figure | Panels]]] = {
        "noise": (view.noise, lambda: noise_figures(view)),
        "lost": (view.dropped or view.shuffled, lambda: lost_figure(view, modalities)),
        "share": (view.share, lambda: share_figure(view, view.share)),  # type: ignore[arg-type]
    }
    return {name: make() for name, (held, make) in makers.items() if held}
