"""The pictures of the first screen, one for each question, and who has what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.comparisons import COMPLETE
from balmi.evaluation.complete import WITHOUT_MODALITIES
from balmi.evaluation.primary import NETWORK, ROLES, SINGLE, STACKED
from balmi.evaluation.statistics import REGION
from balmi.numerals import beside, counted, decimal, signed, with_limits
from balmi.report.kit.drawing import mark_of, modality_keys
from balmi.report.kit.figures import SHAPES, Entry
from balmi.report.kit.sketches import BOLD, EDGE, EM, Pen, Scale, Sketch, fitted, sketch, width
from balmi.report.kit.svg import GRID, INK, SOFT
from balmi.report.kit.words import joined, percent
from balmi.report.sections.information.decomposition import parts_of
from balmi.report.sections.provenance.drawn import AVAILABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.report.kit.amounts import Amount
    from balmi.report.kit.drawing import Key
    from balmi.report.kit.figures import Drawn
    from balmi.report.sections.cohort.view import CohortView
    from balmi.report.sections.information.decomposition import Parts
    from balmi.report.sections.information.label import LabelInformation
    from balmi.report.sections.information.view import InformationView
    from balmi.report.sections.performance.view import Difference, MethodRow, PerformanceView
    from balmi.report.view import View

    End = tuple[float, float, str, Amount]  # begin, end and name of a part of a bar, and the part

# Methods that combine nothing.
ALONE = {*WITHOUT_MODALITIES, SINGLE, *(each.single for each in ROLES)}
WIDTH = 312  # pixels inside a card of the first screen
AXIS = 30  # height of an axis with its title
SMALL = 11  # size of what stands beside
ROOMY, MOST_ROWS = 5, 10  # modalities whose names stand above their bars, and those drawn
MOST_PATTERNS, PITCH = 5, 34  # of who has what: columns, and their distance
NAMES = 100  # pixels for the names of modalities beside the patterns
TALLEST = 46  # pixels of a modality's row where they are few
LOW, NAME = 18, 96  # where they are more, a row is one line: its height, and room for the name
SHARED, TOGETHER = "var(--line)", "var(--bg)"
INFORMATION = (
    "The filled bar is the information of a modality about the label: what it shares with others"
    " and what is unique to it. The dashed end is synergistic: it comes on top, but only together"
    " with others. The thin lines below are the 95 % intervals of these parts, each around its end."
    " The dot with its line is the held-out bound of the modality's information, and its 95 %"
    " interval."
)
COMBINING = (
    "Dot and line: mean over test folds and its 95 % interval. Which modality is the chosen one is"
    " decided by the training samples of each fold. Intervals of two methods may overlap where"
    " their difference is clear, since both have the same folds. The interval of the difference is"
    " drawn at the bottom, from the score of the reference. Scores are of all samples; a difference"
    " among complete samples is named so. Shaded: differences below {region}, which hardly matter."
)

OVERLAP = (
    "A column is a pattern of availability, the most frequent first. Its bar and number count the"
    " samples. A coloured dot marks a modality that they have, a grey one a modality they lack."
)


def _whole(row: LabelInformation) -> str:
    """Return a modality's information as it stands beside its name."""
    value = beside(row.estimate, row.lower, row.upper)
    return f"{value}{', at chance' if row.exceeds is False else ''}"


def _told_beside(row: LabelInformation, have: float, roomy: bool) -> str:
    """Return what stands beside a modality's bar: its information, and who has it."""
    value = "at chance" if row.exceeds is False and not roomy else _whole(row)
    return f"{value} · in {percent(have)}"


def _ends(parts: Parts | None) -> list[End]:
    """Return what is drawn of a bar: begin, end and name of each part, and the part."""
    held: list[End] = []
    if parts is None:
        return held
    at = 0.0
    for name, amount in (
        ("shared", parts.redundant),
        ("alone", parts.unique_first),
        ("together", parts.synergistic),
    ):
        if amount is not None:
            end = at + max(0.0, amount.estimate)
            held.append((at, end, name, amount))
            at = end
    return held


MEANING = {"shared": "shared with others", "alone": "unique", "together": "synergistic"}


def _look(name: str, key: Key) -> dict[str, str | None]:
    return {
        "shared": {"fill": SHARED, "edge": None, "dash": None},
        "alone": {"fill": key.colour, "edge": None, "dash": None},
        "together": {"fill": TOGETHER, "edge": INK, "dash": "3 2"},
    }[name]


def carries_picture(view: InformationView, cohort: CohortView) -> Sketch | None:
    """Draw what each modality tells of the label, alone and with others, and who has it.

    Parameters
    ----------
    view, cohort
        The views.

    Returns
    -------
    Sketch or None
        None where nothing was estimated.
    """
    if not view.label:
        return None
    keys = modality_keys([row.name for row in cohort.modalities])
    have = {row.name: row.share for row in cohort.modalities}
    rows = sorted(view.label, key=lambda row: -row.estimate)[:MOST_ROWS]
    several = len(cohort.modalities) > 2
    stacks = {row.modality: _ends(parts_of(view.parts, row.modality, several)) for row in rows}
    highest = [row.upper if row.upper is not None else row.estimate for row in rows]
    highest += [
        max(end, begin + (amount.upper or 0))
        for stack in stacks.values()
        for begin, end, _, amount in stack
    ]
    lowest = [row.lower if row.lower is not None else row.estimate for row in rows]
    lowest += [
        begin + (amount.lower or 0) for stack in stacks.values() for begin, _, _, amount in stack
    ]
    roomy = len(rows) <= ROOMY
    told = [_told_beside(row, have[row.modality], roomy) for row in rows]
    name = min(NAME, max(width(row.modality, SMALL) for row in rows))
    ends = (EDGE, WIDTH - EDGE)
    if not roomy:
        ends = (name + 2 * EDGE, WIDTH - max(width(each, SMALL) for each in told) - 2 * EDGE)
    scale = Scale((min(0.0, *lowest), max(*highest, 1e-3)), ends)
    pitch = TALLEST if roomy else LOW
    pen = Pen()
    pen.text(WIDTH, 10, "nats · in samples", "end", SMALL, SOFT)
    top = 16
    for place, row in enumerate(rows):
        y = top + pitch * place
        if roomy:
            pen.text(WIDTH, y + 11, told[place], "end")
            pen.text(0, y + 11, fitted(row.modality, WIDTH - width(told[place]) - 8))
        else:
            pen.text(WIDTH, y + 9, told[place], "end", SMALL)
            pen.text(0, y + 9, fitted(row.modality, name, SMALL), size=SMALL)
        _bar(
            pen,
            scale,
            y + (16 if roomy else 2),
            roomy,
            row,
            stacks[row.modality],
            keys[row.modality],
        )
    bottom = top + pitch * len(rows) + 2
    pen.axis(
        scale, bottom, "information about the label, nats" if roomy else "", top, 5 if roomy else 3
    )
    down = bottom + (AXIS if roomy else AXIS - 12)
    rest = len(view.label) - len(rows)
    if rest:
        pen.text(0, 10, f"and {rest} more", size=SMALL, fill=SOFT)
    about = "; ".join(_told(row, stacks[row.modality], have[row.modality]) for row in rows)
    drawn = {
        name
        for stack in stacks.values()
        for begin, end, name, _ in stack
        if scale(end) - scale(begin) >= 1
    }
    entries = (
        ("shared", Entry("shared", SHARED, "square")),
        ("alone", Entry("unique", keys[rows[0].modality].colour, "square")),
        ("together", Entry("synergistic", INK, "square", TOGETHER, (3, 2))),
    )
    legend = [entry for name, entry in entries if name in drawn]
    title = "Information of each modality about the label, alone and with others"
    return sketch(
        pen,
        (WIDTH, down),
        "carries",
        title,
        f"{about}.",
        legend,
        INFORMATION,
        "information",
    )


def _told(row: LabelInformation, stack: Sequence[End], have: float) -> str:
    parts = [f"{MEANING[name]} {decimal(amount.estimate)}" for _, _, name, amount in stack]
    listed = f" ({', '.join(parts)})" if parts else ""
    amount = with_limits(row.estimate, row.lower, row.upper)
    return f"{row.modality}: {amount} nats{listed}, {percent(have)} of samples"


def _bar(
    pen: Pen,
    scale: Scale,
    y: float,
    roomy: bool,
    row: LabelInformation,
    stack: Sequence[End],
    key: Key,
) -> None:
    """Draw a modality's stacked bar, the limits of its parts below it, and the whole upon it."""
    thick, step, end, radius = (11, 4.0, 3.5, 3.5) if roomy else (6, 2.0, 2.5, 2.5)
    whole = [(0.0, max(0.0, row.estimate), "alone", None)]
    for begin, end, name, amount in stack or whole:
        if end > begin:
            told = amount and (
                f"{MEANING[name]}: {with_limits(amount.estimate, amount.lower, amount.upper)} nats"
            )
            across = scale(end) - scale(begin)
            pen.bar(scale(begin), y, across, thick, told=told, **_look(name, key))
    for place, (begin, _, _, amount) in enumerate(stack):
        if amount.lower is not None and amount.upper is not None:
            low, high = (begin + limit for limit in (amount.lower, amount.upper))
            level = y + thick + step * (place + 1)
            pen.line((scale(low), level), (scale(high), level), SOFT, 1.2)
    if row.lower is not None and row.upper is not None:
        pen.whisker(y + thick / 2, scale(row.lower), scale(row.upper), end=end)
    told = f"{row.modality}: {with_limits(row.estimate, row.lower, row.upper)} nats"
    pen.mark(scale(row.estimate), y + thick / 2, SHAPES["circle"], INK, radius, told)


@dataclass(frozen=True)
class Shown:
    """A method of the picture: its row, and what it is in a few words."""

    row: MethodRow
    what: str


def methods_shown(view: PerformanceView) -> tuple[Shown, ...]:
    """Return the methods that the question is about, and the best of the others.

    Of the roles that are there: the modality that training samples choose, the linear stack, the
    balanced network, the predictor of the report. A method on the modality of its name's end is no
    other method.
    """
    roles = view.roles
    several = sum(row.name.startswith(f"{roles.single}/") for row in view.methods) > 1
    single = "chosen modality" if several else "one modality"
    what = {roles.single: single, STACKED: "linear stack", NETWORK: "balanced network"}
    what.setdefault(roles.own, "pool of all")
    rows = {row.name: row for row in view.methods if view.metric.key in row.scores}
    others = [row for name, row in rows.items() if name not in {*what, *ALONE} and "/" not in name]
    shown = [Shown(rows[name], text) for name, text in what.items() if name in rows]
    return (*shown[:-1], *(Shown(row, "best other") for row in others[:1]), *shown[-1:])


def combining_picture(view: PerformanceView, pair: tuple[str, str] | None) -> Sketch | None:
    """Draw the scores that answer whether combining helps, and the difference that decides.

    Parameters
    ----------
    view
        The view of performance.
    pair
        Method and reference of the comparison that the verdict is about; None where nothing is
        compared.

    Returns
    -------
    Sketch or None
        None where no method gave a score.
    """
    shown = methods_shown(view)
    scores = {each.row.name: each.row.scores[view.metric.key] for each in shown}
    scores = {name: score for name, score in scores.items() if score.mean is not None}
    shown = tuple(each for each in shown if each.row.name in scores)
    if not shown:
        return None
    primary = view.difference(*pair) if pair else None
    if primary is not None and (primary.reference not in scores or primary.difference is None):
        primary = None
    ends = [
        end
        for score in scores.values()
        for end in (score.mean, score.lower, score.upper)
        if end is not None
    ]
    if primary is not None:
        start = scores[primary.reference].mean
        reach = (primary.difference, primary.lower, primary.upper, REGION, -REGION)
        ends += [start + each for each in reach if each is not None]
    low, high = min(ends), max(ends)
    high = max(high, low + 1e-3)
    scale = Scale((low, high), (EDGE, WIDTH - EDGE))
    pen, pitch, top = Pen(), 35, 0
    rows = len(shown)
    bottom = top + pitch * rows + (46 if primary is not None else 4)
    if primary is not None:
        begin, end = scale(start - REGION), scale(start + REGION)
        pen.bar(begin, top, end - begin, bottom - top, "var(--grid)")
        pen.line((scale(start), top), (scale(start), bottom), SOFT, 1, "3 3")
    for place, each in enumerate(shown):
        _score(pen, scale, top + pitch * place, each, view)
    if primary is not None:
        _bracket(pen, scale, top + pitch * rows, start, primary)
    less = "" if view.metric.more_is_better else ", less is better"
    pen.axis(scale, bottom, f"{view.metric.title}{less}", top)
    told = "; ".join(
        f"{name} {with_limits(score.mean, score.lower, score.upper)}"
        for name, score in scores.items()
    )
    if primary is not None:
        told += f"; {_difference(primary)}"
    legend = [Entry(f"difference below {REGION:g}".replace("0.", "."), GRID, "square")]
    return sketch(
        pen,
        (WIDTH, bottom + AXIS),
        "combining",
        f"{view.metric.first} with and without combining" if pair else view.metric.first,
        f"{told}.",
        legend if primary is not None else (),
        COMBINING.format(region=f"{REGION:g}".replace("0.", ".")),
        "summary",
    )


def _score(pen: Pen, scale: Scale, y: float, shown: Shown, view: PerformanceView) -> None:
    row, score = shown.row, shown.row.scores[view.metric.key]
    value = beside(score.mean, score.lower, score.upper)
    pen.text(WIDTH, y + 12, value, "end")
    room = WIDTH - width(value) - 6
    letter = BOLD if row.own else EM
    name = fitted(row.name, room, letter=letter)
    pen.text(0, y + 12, name, bold=row.own)
    end = width(name, letter=letter) + 4
    if end + width(shown.what, SMALL) <= room:
        pen.text(end, y + 12, shown.what, size=SMALL, fill=SOFT)
    if score.lower is not None and score.upper is not None:
        pen.whisker(y + 23, scale(score.lower), scale(score.upper))
    colour = "var(--accent)" if row.own else INK
    told = f"{row.name}: {with_limits(score.mean, score.lower, score.upper)}"
    pen.mark(scale(score.mean), y + 23, SHAPES["circle"], colour, 5, told)


def _among(row: Difference) -> str:
    return ", complete samples" if row.samples == COMPLETE else ""


def _difference(row: Difference) -> str:
    amount = with_limits(row.difference, row.lower, row.upper, signed)
    return f"{row.method} − {row.reference}{_among(row)}: {amount}, {mark_of(row.verdict).word}"


def _bracket(pen: Pen, scale: Scale, y: float, start: float, row: Difference) -> None:
    """Draw a difference from the score of the reference, and its interval."""
    look = mark_of(row.verdict)
    begin, end, level = scale(start), scale(start + row.difference), y + 30
    value = beside(row.difference, row.lower, row.upper, signed)
    room = WIDTH - width(value, letter=BOLD) - 6
    name, among = f"{row.method} − {row.reference}", _among(row)
    if among and width(name + among, letter=BOLD) > room:
        name = "difference"  # among whom says more than between whom, which the rows above show
    pen.text(0, y + 13, fitted(name + among, room, letter=BOLD), bold=True)
    pen.text(WIDTH, y + 13, value, "end", bold=True)
    pen.line((begin, level - 9), (begin, level), look.colour, 2)
    pen.line((begin, level - 9), (end, level - 9), look.colour, 2)
    pen.line((end, level - 9), (end, level), look.colour, 2)
    if row.lower is not None and row.upper is not None:
        pen.whisker(level + 7, scale(start + row.lower), scale(start + row.upper), look.colour)
    pen.mark(end, level + 7, SHAPES[look.shape], look.colour, 5, _difference(row))


def overlap_picture(cohort: CohortView) -> Sketch:
    """Draw who has what: a column for each of the commonest patterns, a row for each modality."""
    every = [row.name for row in cohort.modalities]
    keys, sizes = modality_keys(every), {row.name: row.samples for row in cohort.modalities}
    # Of many modalities those that most samples lack, in the order of the cohort.
    drawn = set(sorted(every, key=lambda name: sizes[name])[:MOST_ROWS])
    names = [name for name in every if name in drawn]
    roomy = len(names) <= ROOMY
    patterns = cohort.patterns[:MOST_PATTERNS]
    hidden = cohort.patterns[MOST_PATTERNS:]
    rest = cohort.other_patterns[1] + sum(row.count for row in hidden)
    kinds = cohort.other_patterns[0] + len(hidden)
    columns = [(row.lacks, row.count) for row in patterns]
    step, high, size = (16, 34, SMALL) if roomy else (11.5, 20, 10)
    most = max(count for _, count in columns)
    pen = Pen()
    base = 14 + high
    if len(names) < len(every):
        pen.text(0, base - 3, f"{len(names)} of {len(every)}", size=size, fill=SOFT)
    for place, name in enumerate(names):
        y = base + 12 + step * place
        pen.text(0, y + 4, fitted(name, NAMES - 12, size), size=size)
    for place, (lacks, count) in enumerate(columns):
        x = NAMES + PITCH * (place + 0.5)
        tall = max(1.0, high * count / most)
        pen.bar(x - 9, base - tall, 18, tall, SOFT, told=f"{counted(count, 'sample')}")
        pen.text(x, base - tall - 3, f"{count:,}", "middle", 10)
        for row, name in enumerate(names):
            y = base + 12 + step * row
            has = name not in lacks
            pen.mark(
                x,
                y,
                SHAPES["circle"],
                keys[name].colour if has else GRID,
                5 if step > 13 else 4,
                f"{'with' if has else 'without'} {name}",
            )
    if kinds:
        x = NAMES + PITCH * (len(columns) + 0.5)
        pen.text(x, base + 10, "others", "middle", 10, SOFT)
        pen.text(x, base - 3, f"{rest:,}", "middle", 10, SOFT)
    told = "; ".join(
        f"{counted(count, 'sample')}, {f'without {joined(lacks)}' if lacks else 'all modalities'}"
        for lacks, count in columns
    )
    if kinds:
        told += f"; {counted(rest, 'sample')} in {counted(kinds, 'other pattern')}"
    down = base + 12 + step * len(names)
    return sketch(
        pen,
        (WIDTH, down),
        "overlap",
        "Which samples have what",
        f"{told}.",
        reading=OVERLAP,
        data=AVAILABILITY,
    )


def verdict_figures(view: View) -> Drawn:
    """Draw the pictures of the first screen for which there are data."""
    several = len(view.cohort.modalities) > 1
    pair = view.summary.decision.ground.pair if several else None
    made = {
        "carries": carries_picture(view.information, view.cohort),
        "combining": combining_picture(view.performance, pair),
        "overlap": overlap_picture(view.cohort),
    }
    return {name: picture for name, picture in made.items() if picture is not None}
