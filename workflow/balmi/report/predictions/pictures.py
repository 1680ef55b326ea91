"""The pictures on the first screen of a prediction, one for each question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.numerals import beside, counted, signed, with_limits
from balmi.prediction.external import MARGIN
from balmi.report.kit.drawing import class_keys
from balmi.report.kit.figures import SHAPES, Entry
from balmi.report.kit.sketches import BOLD, EDGE, Pen, Scale, Sketch, fitted, sketch, width
from balmi.report.kit.svg import GRID, INK, SOFT
from balmi.report.kit.words import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.prediction.external import Estimate
    from balmi.report.kit.figures import Drawn
    from balmi.report.predictions.view import ExternalView, PredictionView

WIDTH = 312  # pixels inside a card
AXIS = 30  # height of an axis with its title
MOST_CLASSES = 7  # that are drawn
TWENTIETH = 0.05  # of samples like those of training, which flags are calibrated to at most
CARRIED = (
    "Dot and line: the score and its 95 % interval, a bootstrap over new samples outside, and over"
    " test folds inside. At the bottom their difference with its own interval, from the score"
    " inside. Shaded: losses of up to {margin}. What lies in it is no loss that matters."
)
CLASSES = (
    "Bars: the share of new samples that each class is predicted for. Diamond: its share among"
    " the training samples. Populations may differ, so that a gap is no error by itself."
)
FLAGS = (
    "Bars: the share of new samples of which each is said. Diamond: what of samples like those"
    " of training would be called unlike them at most."
)


@dataclass(frozen=True)
class Bar:
    """A row of a picture of shares: of how many samples, their share, and what it is held to."""

    name: str
    count: int
    share: float
    beside: float | None
    colour: str


def carried_picture(external: ExternalView) -> Sketch | None:
    """Draw the score that the verdict follows, outside and inside, and their difference.

    Returns
    -------
    Sketch or None
        None where one of both has no value.
    """
    primary, metric = external.found.primary, external.metric
    if primary.external.value is None or primary.internal.value is None:
        return None
    start, gap = primary.internal.value, primary.difference
    sign = -1 if metric.more_is_better else 1
    rows = (("new samples", primary.external, True), ("cross-validation", primary.internal, False))
    ends = [end for _, held, _ in rows for end in _ends(held)] + [start + sign * MARGIN]
    ends += [start + end for end in _ends(gap)]
    scale = Scale((min(ends), max(max(ends), min(ends) + 1e-3)), (EDGE, WIDTH - EDGE))
    pen, pitch = Pen(), 38
    bottom = pitch * len(rows) + (46 if gap.value is not None else 4)
    left, right = sorted((scale(start), scale(start + sign * MARGIN)))
    pen.bar(left, 0, right - left, bottom, "var(--grid)")
    pen.line((scale(start), 0), (scale(start), bottom), SOFT, 1, "3 3")
    for place, (name, held, own) in enumerate(rows):
        _score(pen, scale, pitch * place, name, held, own)
    if gap.value is not None:
        _difference(pen, scale, pitch * len(rows), start, external)
    less = "" if metric.more_is_better else ", less is better"
    pen.axis(scale, bottom, f"{metric.title}{less}", 0)
    told = "; ".join(f"{name} {_told(held)}" for name, held, _ in rows)
    return sketch(
        pen,
        (WIDTH, bottom + AXIS),
        "carried",
        f"{metric.first} on new samples and in the cross-validation",
        f"{told}; difference {_told(gap, signed)}: {external.mark.word}.",
        (Entry(f"loss of up to {_short(MARGIN)}", GRID, "square"),),
        CARRIED.format(margin=_short(MARGIN)),
        "scores",
    )


def _short(number: float) -> str:
    return f"{number:g}".replace("0.", ".")


def _ends(held: Estimate) -> list[float]:
    return [end for end in (held.value, held.lower, held.upper) if end is not None]


def _told(held: Estimate, form=None) -> str:
    forms = () if form is None else (form,)
    return with_limits(held.value, held.lower, held.upper, *forms)


def _score(pen: Pen, scale: Scale, y: float, name: str, held: Estimate, own: bool) -> None:
    pen.text(0, y + 12, name, bold=own)
    pen.text(WIDTH, y + 12, beside(held.value, held.lower, held.upper), "end")
    if held.lower is not None and held.upper is not None:
        pen.whisker(y + 23, scale(held.lower), scale(held.upper))
    colour = "var(--accent)" if own else INK
    pen.mark(scale(held.value), y + 23, SHAPES["circle"], colour, 5, f"{name}: {_told(held)}")


def _difference(pen: Pen, scale: Scale, y: float, start: float, external: ExternalView) -> None:
    """Draw the difference from the score inside, and its interval."""
    gap, look = external.found.primary.difference, external.mark
    value = beside(gap.value, gap.lower, gap.upper, signed)
    pen.text(0, y + 13, "difference", bold=True)
    pen.text(WIDTH, y + 13, value, "end", bold=True)
    end = scale(start + gap.value)
    if gap.lower is not None and gap.upper is not None:
        pen.whisker(y + 30, scale(start + gap.lower), scale(start + gap.upper), look.colour)
    told = f"difference: {_told(gap, signed)}, {look.word}"
    pen.mark(end, y + 30, SHAPES[look.shape], look.colour, 5, told)


def _bars(pen: Pen, rows: Sequence[Bar], axis: str, pitch: int = 34) -> float:
    """Draw rows of shares on an axis from none to all; return the height."""
    most = max(0.1, *(max(row.share, row.beside or 0) for row in rows))
    scale = Scale((0, min(1, 1.05 * most)), (EDGE, WIDTH - EDGE))
    for place, row in enumerate(rows):
        y = pitch * place
        told = f"{row.count:,} · {percent(row.share)}"
        pen.text(WIDTH, y + 12, told, "end")
        pen.text(0, y + 12, fitted(row.name, WIDTH - width(told, letter=BOLD) - 8))
        length = scale(row.share) - scale(0)
        pen.bar(scale(0), y + 17, length, 10, row.colour, told=f"{row.name}: {told}")
        if row.beside is not None:
            told = f"{row.name}: {percent(row.beside)}"
            pen.mark(scale(row.beside), y + 22, SHAPES["diamond"], INK, 4.5, told)
    bottom = pitch * len(rows) + 2
    percents = Scale(tuple(100 * end for end in scale.domain), scale.range)
    pen.axis(percents, bottom, axis, 0)
    return bottom + AXIS


def classes_picture(view: PredictionView) -> Sketch:
    """Draw how often each class is predicted, and how often it was among training samples."""
    keys = class_keys(view.class_names)
    ranked = sorted(view.classes, key=lambda row: -row.predicted)
    rows = [
        Bar(row.name, row.predicted, row.share, row.trained, keys[row.name].colour)
        for row in ranked[:MOST_CLASSES]
    ]
    pen = Pen()
    height = _bars(pen, rows, "new samples, %")
    rest = len(ranked) - len(rows)
    if rest:
        pen.text(0, height - 3, f"and {counted(rest, 'rarer class', 'rarer classes')}", fill=SOFT)
    told = "; ".join(
        f"{row.name} {percent(row.share)}, {percent(row.trained)} in training" for row in ranked
    )
    legend = (Entry("share in training", INK, "diamond"),)
    title = "Share of new samples by predicted class"
    return sketch(pen, (WIDTH, height), "called", title, f"{told}.", legend, CLASSES, "predictions")


def flags_picture(view: PredictionView) -> Sketch:
    """Draw of how many new samples something is to be known."""
    rows = [
        Bar(
            row.name,
            row.count,
            row.share,
            TWENTIETH if row.expected else None,
            "var(--caution)" if row.expected else SOFT,
        )
        for row in view.flags
    ]
    pen = Pen()
    height = _bars(pen, rows, "new samples, %")
    told = "; ".join(f"{row.name} {percent(row.share)}" for row in view.flags)
    legend = (Entry("expected at most", INK, "diamond"),) if view.judged else ()
    title = "Share of new samples by what is to be known of them"
    return sketch(pen, (WIDTH, height), "flags", title, f"{told}.", legend, FLAGS, "predictions")


def prediction_pictures(view: PredictionView) -> Drawn:
    """Draw the pictures of the first screen for which there are data."""
    made = {
        "carried": view.external and carried_picture(view.external),
        "called": classes_picture(view),
        "flags": flags_picture(view),
    }
    return {name: picture for name, picture in made.items() if picture is not None}
