"""The pictures of the first screen: every text in its place, whatever sizes and names."""

from __future__ import annotations

from itertools import combinations, pairwise
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.evaluation.primary import BALANCED, POOL, Roles
from balmi.report.kit.amounts import Amount
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.sketches import BOLD, EM, Pen, Scale, fitted, sketch, ticks, width
from balmi.report.sections.cohort.view import CohortView, ModalityRow, Pattern
from balmi.report.sections.information.decomposition import Parts
from balmi.report.sections.information.label import LabelInformation
from balmi.report.sections.performance.scores import Score
from balmi.report.sections.performance.view import Difference, MethodRow
from balmi.report.sections.verdict.pictures import (
    MOST_ROWS,
    carries_picture,
    combining_picture,
    methods_shown,
    overlap_picture,
)

LONG = "an exceedingly long name of sixty characters, {:03d} of several"
WIDE = "遺伝子発現量の測定値とその他の情報を含む長い名前{:03d}"
PAIR = ("pooled", "unimodal-pooled")
BRIEF = Roles("pool", "svm", "the pool")
SVG = "{http://www.w3.org/2000/svg}"


def names_of(count: int, kind: str) -> tuple[str, ...]:
    forms = {"short": "m{:03d}", "long": LONG, "wide": WIDE}
    return tuple(forms[kind].format(place) for place in range(count))


def make_cohort(names: tuple[str, ...], samples: int = 20_000) -> CohortView:
    """Return a cohort in which some lack one modality each, and a few lack all but the first."""
    each = samples // (4 * len(names))
    patterns = [Pattern((name,), each, each / samples) for name in names[1:]]
    complete = samples - sum(row.count for row in patterns)
    patterns.insert(0, Pattern((), complete, complete / samples))
    return CohortView(
        samples=samples,
        complete=complete,
        label="class",
        group=None,
        groups=None,
        classes=(),
        modalities=tuple(ModalityRow(name, "generic", 10, samples - each, 0.9) for name in names),
        patterns=tuple(patterns[:12]),
        other_patterns=(len(patterns[12:]), sum(row.count for row in patterns[12:])),
        dropped=(),
    )


def make_information(names: tuple[str, ...], top: float = 0.9) -> SimpleNamespace:
    label = tuple(
        LabelInformation(
            *(name, top / (place + 1) - 0.05 * (place > 2)),
            *(top / (place + 1) - 0.1, top / (place + 1) + 0.1),
            *(None, 0.03, 0.01, 100, 0.5, place < 3),
        )
        for place, name in enumerate(names)
    )
    rest = len(names) > 2
    part, low = Amount(0.1, 0.05, 0.2), Amount(-0.01, -0.03, 0.02)
    parts = tuple(
        Parts(name, "+".join(names[1:]) if rest else names[1], rest, part, part, low, part, 50)
        for name in (names if rest else names[:1])
        if len(names) > 1
    )
    return SimpleNamespace(label=label, parts=parts)


def make_performance(
    methods: tuple[str, ...], verdict: str | None, own=POOL, among: str = "all"
) -> SimpleNamespace:
    metric = metric_of("macro_f1")
    rows = tuple(
        MethodRow(
            name, name == own.own, 100, {metric.key: Score(0.8 - 0.01 * place, 0.7, 0.9, 25)}, ()
        )
        for place, name in enumerate(methods)
    )
    pair = (own.own, own.single)
    difference = Difference(
        *(*pair, 0.018, -0.031, 0.067, 0.4, 0.4, 0.1, 0.3, 0.6, verdict, among, 25, 25, True, 7)
    )
    made = {pair: difference} if set(pair) <= set(methods) else {}
    return SimpleNamespace(
        metric=metric, roles=own, methods=rows, difference=lambda *key: made.get(key)
    )


def boxes(picture) -> list[tuple[str, float, float, float, float]]:
    """Return where each text of a picture lies at most: left, top, right, bottom."""
    found = []
    for text in ET.fromstring(picture.inline).iter(f"{SVG}text"):
        size = float(text.get("font-size"))
        across = width(text.text, size, BOLD if text.get("font-weight") else EM)
        x, y = float(text.get("x")), float(text.get("y"))
        left = x - {"start": 0, "middle": across / 2, "end": across}[text.get("text-anchor")]
        found.append((text.text, left, y - 0.75 * size, left + across, y + 0.25 * size))
    return found


def assert_in_place(picture) -> None:
    across, down = picture.size
    found = boxes(picture)
    assert found
    for text, left, top, right, bottom in found:
        assert left >= -1, text
        assert right <= across + 1, text
        assert top >= -1, text
        assert bottom <= down + 1, text
    for one, other in combinations(found, 2):
        apart = one[3] <= other[1] or other[3] <= one[1] or one[4] <= other[2] or other[4] <= one[2]
        assert apart, (one, other)


@pytest.mark.parametrize("kind", ["short", "long", "wide"])
@pytest.mark.parametrize("count", [1, 2, 3, 10, 14])
def test_no_text_of_modalities_overlaps_another_or_is_cut(count, kind):
    names = names_of(count, kind)
    cohort = make_cohort(names)
    assert_in_place(carries_picture(make_information(names), cohort))
    assert_in_place(overlap_picture(cohort))


@pytest.mark.parametrize("top", [1e-4, 0.02, 3.2])
def test_information_of_any_size_has_an_axis(top):
    names = names_of(3, "short")
    picture = carries_picture(make_information(names, top), make_cohort(names, 40))
    assert_in_place(picture)
    assert sum(text[0].replace(".", "").replace("−", "").isdigit() for text in boxes(picture)) >= 2


@pytest.mark.parametrize("verdict", ["gain supported", "loss supported", "verdict withheld", None])
@pytest.mark.parametrize("other", ["late-fusion", LONG])
def test_no_text_of_methods_overlaps_another_or_is_cut(verdict, other):
    methods = ("pooled", "unimodal-pooled", "stacked-lr", "balanced", other)
    assert_in_place(combining_picture(make_performance(methods, verdict), PAIR))
    assert_in_place(combining_picture(make_performance(methods, verdict), None))


@pytest.mark.parametrize(
    ("own", "named"),
    [
        (POOL, "difference, complete samples"),
        (BRIEF, "pool − svm, complete samples"),
    ],
)
def test_a_difference_among_complete_samples_says_so_whatever_room_there_is(own, named):
    picture = combining_picture(
        make_performance((own.own, own.single), None, own, "complete"), (own.own, own.single)
    )
    assert named in [text for text, *_ in boxes(picture)]


def test_the_methods_are_those_of_the_question_and_the_best_of_the_others():
    methods = ("pooled", "unimodal-pooled/rna", "absence-lr", "unimodal-lr", "uniform", "concat-lr")
    methods += ("unimodal-pooled", "stacked-lr", "balanced")
    shown = methods_shown(make_performance(methods, None))
    assert [each.row.name for each in shown] == [
        *("unimodal-pooled", "stacked-lr", "balanced", "uniform", "pooled"),
    ]
    network = methods_shown(
        make_performance(("balanced", "unimodal-lr", "uniform"), None, BALANCED)
    )
    assert [each.row.name for each in network] == ["unimodal-lr", "uniform", "balanced"]


def test_the_bracket_spans_the_difference_from_the_score_of_the_reference():
    view = make_performance(PAIR, "gain supported")
    picture = combining_picture(view, PAIR)
    lines = [
        [float(line.get(end)) for end in ("x1", "x2", "y1", "y2")]
        for line in ET.fromstring(picture.inline).iter(f"{SVG}line")
        if line.get("stroke") == "var(--gain)" and line.get("stroke-width") == "2"
    ]
    left, across, right = lines
    assert left[0] == across[0]
    assert right[0] == across[1]
    # Pixels per unit, from the two scores that the picture draws, .80 and .79.
    marks = [path.get("d") for path in ET.fromstring(picture.inline).iter(f"{SVG}path")]
    middles = [float(d[1:].split(",")[0]) for d in marks]
    assert (across[1] - across[0]) / 0.018 == pytest.approx(
        (middles[1] - middles[0]) / 0.01, rel=0.03
    )
    assert middles[2] == pytest.approx(across[1], abs=0.2)


def test_a_part_of_no_extent_is_not_drawn_and_its_limits_are():
    names = names_of(2, "short")
    view = make_information(names)
    none = Amount(0.0, -0.02, 0.03)
    view.parts = (Parts(*names, False, none, Amount(0.3, 0.2, 0.4), none, none, 50),)
    drawn = carries_picture(view, make_cohort(names))
    assert [entry.text for entry in drawn.legend] == ["unique"]  # the others have no width
    picture = ET.fromstring(drawn.inline)
    titles = [bar.find(f"{SVG}title").text for bar in picture.iter(f"{SVG}rect") if len(bar)]
    assert titles[0] == "unique: 0.30 (0.20 to 0.40) nats"
    limits = [line for line in picture.iter(f"{SVG}line") if line.get("stroke-width") == "1.2"]
    assert len(limits) == 6  # three parts of each side


def test_more_modalities_than_there_is_room_for_are_counted():
    names = names_of(MOST_ROWS + 3, "short")
    picture = carries_picture(make_information(names), make_cohort(names))
    assert "and 3 more" in {text[0] for text in boxes(picture)}


def test_nothing_estimated_and_no_score_leave_no_picture():
    assert carries_picture(SimpleNamespace(label=()), make_cohort(("a",))) is None
    assert combining_picture(make_performance((), None), PAIR) is None


def test_a_saved_picture_has_its_title_its_legend_and_no_variable():
    names = names_of(3, "short")
    picture = carries_picture(make_information(names), make_cohort(names))
    text = picture.saved
    assert "var(" not in text
    found = {each.text for each in ET.fromstring(text).iter(f"{SVG}text")}
    assert {picture.title, *(entry.text for entry in picture.legend)} <= found
    assert text == carries_picture(make_information(names), make_cohort(names)).saved


def test_names_are_text():
    pen = Pen()
    pen.text(0, 10, "</svg><script>alert(1)</script>")
    pen.bar(0, 0, 1, 1, "red", told="<img onerror=x>")
    root = ET.fromstring(sketch(pen, (20, 20), "x", "<title>", "&").inline)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "desc", "text", "rect"),
    }


@given(st.text(min_size=1, max_size=80), st.floats(40, 400), st.sampled_from([10, 12, 14]))
def test_a_fitted_text_takes_no_more_than_its_room(text, room, size):
    assert width(fitted(text, room, size), size) <= max(room, 5 * size)


@given(st.floats(-1e3, 1e3), st.floats(1e-4, 1e3))
def test_ticks_are_few_even_and_within(low, span):
    found = ticks(low, low + span)
    assert len(found) <= 6
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value in found)
    steps = {round((after - before) / span, 6) for before, after in pairwise(found)}
    assert len(steps) <= 1 or max(steps) - min(steps) < 1e-4


def test_a_scale_stops_at_its_ends():
    scale = Scale((0, 2), (10, 110))
    assert [scale(value) for value in (-1, 0, 1, 2, 5)] == [10, 10, 60, 110, 110]


@pytest.mark.parametrize(("low", "high"), [(-0.07, 0.09), (-1.4, 1.9), (-0.0009, 0.0008)])
@pytest.mark.parametrize("most", [3, 5])
def test_an_axis_around_zero_has_more_than_one_tick(low, high, most):
    found = ticks(low, high, most)
    assert 0 in found
    assert 2 <= len(found) <= most
