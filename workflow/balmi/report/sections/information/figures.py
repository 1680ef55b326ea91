"""The figures of mutual information, drawn from the view: no number is computed here."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

import altair as alt

from balmi.evaluation.verdicts import Prediction
from balmi.numerals import MISSING, PLACES, decimal, signed, with_limits
from balmi.report.kit import drawing
from balmi.report.kit.drawing import LABEL, mark_of, modality_keys
from balmi.report.kit.figures import Drawn, Entry, Figure
from balmi.report.kit.svg import GRID, INK, SOFT, charted
from balmi.report.kit.words import percent, shortened, with_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.amounts import Amount
    from balmi.report.kit.drawing import Key, Mark
    from balmi.report.sections.information.decomposition import Parts, Share
    from balmi.report.sections.information.distillation import Margin
    from balmi.report.sections.information.label import LabelInformation
    from balmi.report.sections.information.view import InformationView

SIDE = 19
HALF = 380
LINE = "var(--line)"
PAGE = "var(--bg)"


def _label_record(row: LabelInformation, key: Key) -> dict[str, Any]:
    test = "" if row.p is None else f", {with_p(row.p)}"
    told = f"{with_limits(row.estimate, row.lower, row.upper)}{test}"
    return {
        "name": shortened(row.modality, LABEL),
        "value": max(0.0, row.estimate),
        "from": 0,
        "lower": row.lower,
        "upper": row.upper,
        "null": row.null95,
        "end": row.extrapolated,
        "colour": key.colour,
        "told": told,
        "said": f"{row.modality}: {told}",
    }


def information_figure(view: InformationView, modalities: Sequence[str]) -> Figure:
    """Draw what each modality knows of the label: bound, interval, limit, null and entropy."""
    keys = modality_keys(modalities)
    records = [_label_record(row, keys[row.modality]) for row in view.label]
    base, width = drawing.rows_of(records), drawing.wide(records)
    title = "information about the label, nats"
    tick = base.mark_tick(color="var(--loss)", thickness=3, size=26)
    diamond = base.mark_point(
        shape="diamond", size=110, filled=True, opacity=1, fill=PAGE, stroke=INK, strokeWidth=1.6
    )
    layers = [
        *drawing.bars(base, title),
        tick.encode(drawing.across("null", title)),
        diamond.encode(drawing.across("end", title)),
        drawing.names(base),
        drawing.texts(base, width),
    ]
    if view.entropy is not None:
        layers.append(drawing.upright(view.entropy, title, strokeDash=[5, 4]))
    bounds = ", ".join(f"{row.modality} {decimal(row.estimate)}" for row in view.label)
    chart = drawing.sized(layers, len(records), width)
    title = "Information about the label"
    about = f"In nats: {bounds}."
    legend = _label_legend(view)
    return Figure(
        chart, "information", title, about, drawing.lengths(records), legend, data="information"
    )


def _label_legend(view: InformationView) -> tuple[Entry, ...]:
    entries = [Entry("95 % interval of the held-out bound", INK)]
    if any(row.extrapolated is not None for row in view.label):
        entries.append(Entry("extrapolated to endless samples", INK, "diamond", PAGE))
    if any(row.null95 is not None for row in view.label):
        entries.append(Entry("95th percentile of permuted labels", "var(--loss)", "upright"))
    if view.entropy is not None:
        entries.append(Entry("entropy of the label", INK, "upright", dash=(5, 4)))
    return tuple(entries)


def _amount(amount: Amount | None) -> str:
    return MISSING if amount is None else amount.told()


def _segments(place: int, parts: Parts, keys: dict[str, Key]) -> list[dict[str, Any]]:
    """Return the drawn parts of a row, one beside the other; a part below zero has no length."""
    # What is shared is as pale as in the picture of the first screen.
    second = {"fill": SOFT if parts.rest else keys[parts.second].colour}
    first = {"fill": keys[parts.first].colour}
    looks = ({"fill": LINE, "edge": SOFT}, first, second, {"fill": PAGE})
    what = ("redundant", f"unique to {parts.first}", f"unique to {parts.against}", "synergistic")
    sizes = [0.0 if amount is None else max(0.0, amount.estimate) for amount in parts.amounts]
    ends = list(accumulate(sizes))
    segments = [
        {
            "row": place,
            "from": end - size,
            "to": end,
            "edge": PAGE,
            "together": False,
            "said": f"{name}: {_amount(amount)}",
            **look,
        }
        for size, end, look, name, amount in zip(
            sizes, ends, looks, what, parts.amounts, strict=True
        )
    ]
    segments[-1] |= {"edge": INK, "together": True}
    return [part for part, size in zip(segments, sizes, strict=True) if round(size, PLACES) > 0]


def parts_figure(rows: Sequence[Parts], modalities: Sequence[str]) -> Figure:
    """Draw what two sides tell of the label: both, either alone, and only together."""
    keys = modality_keys(modalities)
    records = [
        {"name": f"{shortened(row.first, SIDE)} and {shortened(row.against, SIDE)}"} for row in rows
    ]
    segments = [part for place, row in enumerate(rows) for part in _segments(place, row, keys)]
    title = "information about the label, nats"
    solid, dashed = (
        charted([part for part in segments if part["together"] is together])
        .mark_bar(height=16, strokeWidth=1.2, **look)
        .encode(
            y=drawing.down(),
            x=drawing.across("from", title),
            x2=alt.X2("to:Q"),
            fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("edge:N", scale=None),
            description=drawing.said(),
        )
        for together, look in ((False, {}), (True, {"strokeDash": [3, 2]}))
    )
    base, width = drawing.rows_of(records), drawing.wide(records)
    layers = [solid, dashed, drawing.upright(0), drawing.names(base)]
    chart = drawing.sized(layers, len(records), width)
    words = "; ".join(_told_parts(row) for row in rows)
    title = "Redundant, unique and synergistic information"
    about = f"In nats: {words}."
    legend = (
        Entry("redundant: shared by both", SOFT, "square", LINE),
        *(
            Entry(f"unique to {shortened(key.name, SIDE)}", key.colour, "square")
            for key in (keys[name] for name in modalities)
        ),
        *(
            (Entry("unique to the others", SOFT, "square"),)
            if any(row.rest for row in rows)
            else ()
        ),
        Entry("synergistic", INK, "square", PAGE, (3, 2)),
    )
    return Figure(
        chart, "parts", title, about, drawing.lengths(records), legend, data="information"
    )


def _told_parts(row: Parts) -> str:
    both, first, second, together = (
        decimal(None if amount is None else amount.estimate) for amount in row.amounts
    )
    return (
        f"{row.first} and {row.against}: both {both}, only the first {first},"
        f" only the second {second}, only together {together}"
    )


def _share_record(row: Share, key: Key) -> dict[str, Any]:
    amount = row.amount
    share = "" if row.share is None else f", {percent(row.share.estimate)}"
    told = f"{_amount(amount)}{share}"
    return {
        "name": shortened(row.modality, LABEL),
        "value": max(0.0, amount.estimate),
        "from": 0,
        "lower": amount.lower,
        "upper": amount.upper,
        "colour": key.colour,
        "told": told,
        "said": f"{row.modality}: {told}",
    }


def shares_figure(rows: Sequence[Share], modalities: Sequence[str]) -> Figure:
    """Draw the share of each modality in what all of them know."""
    keys = modality_keys(modalities)
    records = [_share_record(row, keys[row.modality]) for row in rows]
    base, width = drawing.rows_of(records), drawing.wide(records)
    layers = [
        *drawing.bars(base, "Shapley value, nats"),
        drawing.upright(0),
        drawing.names(base),
        drawing.texts(base, width),
    ]
    chart = drawing.sized(layers, len(records), width)
    words = ", ".join(f"{row.modality} {decimal(row.amount.estimate)}" for row in rows)
    title = "Shares of the modalities"
    return Figure(
        chart, "shares", title, f"In nats: {words}.", drawing.lengths(records), data="information"
    )


def _point(name: str, amount: Margin | Amount | None, mark: Mark) -> dict[str, Any]:
    look = {"colour": mark.colour, "shape": mark.shape}
    if amount is None:
        return {**look, "value": None, "lower": None, "upper": None}
    told = with_limits(amount.estimate, amount.lower, amount.upper, signed)
    ends = {"value": amount.estimate, "lower": amount.lower, "upper": amount.upper}
    return {**look, **ends, "said": f"{name}: {told}, {mark.word}"}


def margins_figure(rows: Sequence[Margin], observed: bool) -> Figure:
    """Draw the margin of every teacher and student, and beside it what was observed.

    Parameters
    ----------
    rows
        The margins to draw.
    observed
        Whether any pair was observed.
    """
    names = [
        {"name": f"{shortened(row.teacher, SIDE)} → {shortened(row.student, SIDE)}"} for row in rows
    ]
    pairs = [f"{row.teacher} → {row.student}" for row in rows]
    margins = [
        _point(pair, row, mark_of(row.expected)) for pair, row in zip(pairs, rows, strict=True)
    ]
    panels = [_panel(margins, "complementarity margin, nats", names)]
    if observed:
        gains = [
            _point(pair, row.observed, mark_of(row.outcome))
            for pair, row in zip(pairs, rows, strict=True)
        ]
        panels.append(_panel(gains, "observed gain of macro-F1", ()))
    about = ", ".join(
        f"{row.teacher} to {row.student}: {signed(row.estimate)}, {row.expected}" for row in rows
    )
    chart = alt.hconcat(*panels, spacing=36)
    title = "Complementarity margins and observed gains" if observed else "Complementarity margins"
    legend = tuple(
        Entry(text, mark.colour, mark.shape)
        for text, mark in (
            ("gain predicted, or supported", mark_of(Prediction.GAIN)),
            ("undecided, or no difference shown", mark_of(Prediction.UNDECIDED)),
            ("no gain predicted, or loss supported", mark_of(Prediction.NO_GAIN)),
        )
    )
    data = "complementarity" if observed else "information"
    lengths = drawing.lengths(names)
    return Figure(chart, "margins", title, f"{about}.", lengths, legend, data=data)


def _panel(
    records: Sequence[dict[str, Any]], title: str, names: Sequence[dict[str, Any]]
) -> alt.LayerChart:
    """Draw one column of points, with lines that lead the eye along the rows."""
    base = drawing.rows_of(records)
    guide = base.mark_rule(color=GRID).encode(x=alt.XValue(0), x2=alt.X2Value(HALF))
    layers = [guide, *drawing.points(base, title)]
    if names:
        layers.append(drawing.names(drawing.rows_of(names)))
    return drawing.sized(layers, len(records), HALF)


def information_figures(view: InformationView, modalities: Sequence[str]) -> Drawn:
    """Draw the figures of information for which there are data."""
    figures: Drawn = {}
    if view.label:
        figures["information"] = information_figure(view, modalities)
    if view.parts:
        figures["parts"] = parts_figure(view.main_parts, modalities)
    if view.shares:
        figures["shares"] = shares_figure(view.shares, modalities)
    if view.margins:
        figures["margins"] = margins_figure(view.main_margins, view.agreement is not None)
    return figures
