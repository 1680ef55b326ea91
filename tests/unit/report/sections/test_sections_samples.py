"""The view and the figure of samples: who is missed, what is drawn, what is said."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from synthetic_report import Names, make_cohort

from balmi.report.kit.svg import NAMESPACE
from balmi.report.sections.samples import figures
from balmi.report.sections.samples.figures import COLOURS, WIDTHS, samples_figures
from balmi.report.sections.samples.view import (
    HARD,
    MAX_HARD,
    MAX_OTHERS,
    MISSED,
    RIGHT,
    samples_view,
)

SVG = f"{{{NAMESPACE}}}"
METHODS = ("pooled", "stacked-lr")


@pytest.fixture(scope="module")
def pair():
    return make_cohort(Names(classes=("a", "b"), modalities=("rna", "mirna"), samples=40))


def row(name, label, class_p, right, wrong, **others):
    other = "b" if label == "a" else "a"
    cells = {"sample": name, "class": label, "group": None, "predicted": label, "predicted_p": 0.9}
    cells |= {"class_p": class_p, "right": right, "methods": 2, "wrong": wrong}
    cells |= {"other": other if wrong else None, "agree": wrong}
    for modality in ("rna", "mirna"):
        cells |= {f"predicted:{modality}": other if wrong else label}
        cells |= {f"probability:{modality}": 0.8}
    return cells | others


FOUR = [
    row("s1", "a", 0.9, 1.0, 0),
    row("s2", "a", 0.3, 0.2, 1),
    row("s3", "b", 0.2, 0.0, 2, **{"predicted:mirna": None, "probability:mirna": np.nan}),
    row("s4", "b", 0.1, 0.0, 2, **{"predicted:rna": "b"}),
]


def viewed(rows, cohort):
    return samples_view(pd.DataFrame(rows), METHODS, cohort)


def placed(lane):
    return [(sample.name, rank, sample.state) for rank, sample in lane.marks]


def test_by_hand(pair):
    view = viewed(FOUR, pair)
    assert (view.method, view.methods, view.samples, view.shown) == ("pooled", 2, 4, 4)
    assert (view.missed, view.hard_samples, view.grouped) == (3, 2, False)
    first, second = view.lanes
    assert (first.name, first.samples, first.missed, first.hard) == ("a", 2, 1, 0)
    assert placed(first) == [("s2", 0.25, MISSED), ("s1", 0.75, RIGHT)]
    assert placed(second) == [("s4", 0.25, HARD), ("s3", 0.75, HARD)]
    assert view.names == {"s1", "s2", "s3", "s4"}
    # Least likely of their class first; a modality that the sample lacks says nothing.
    assert [each.name for each in view.hard] == ["s4", "s3"]
    assert [each and each.label for each in view.hard[1].alone] == ["a", None]
    assert view.sentence == (
        "2 of 4 samples (50\N{NO-BREAK SPACE}%) are missed by both methods; all are of b: 2 of 2."
    )
    # By rna s4 is of its class: all methods agree on another, and one modality does not.
    assert view.unanimous == (
        "1 of them is called one and the same other class by all methods and by every modality"
        " alone: s3. Look at these first."
    )


def test_the_class_with_the_largest_share_is_named(pair):
    rows = [*FOUR, row("s5", "a", 0.2, 0.0, 2)]
    assert viewed(rows, pair).sentence == (
        "3 of 5 samples (60\N{NO-BREAK SPACE}%) are missed by both methods;"
        " the largest share is of b: 2 of 2."
    )


def test_nobody_missed_and_nobody_tested(pair):
    view = viewed(FOUR[:2], pair)
    assert view.sentence == "Each of the 2 samples is right by at least one method."
    assert view.unanimous is None
    assert viewed([], pair) is None
    assert samples_figures(None) == {}


def test_a_single_method_that_misses_is_every_method(pair):
    view = viewed([row("s1", "a", 0.1, 0.0, 1, methods=1)], pair)
    assert view.sentence == (
        "1 of 1 sample (100\N{NO-BREAK SPACE}%) is missed by the only method; it is of a: 1 of 1."
    )


def many(cohort, count):
    rng = np.random.default_rng(0)
    return [
        row(f"s{place}", cohort.classes[place % len(cohort.classes)], p, right, wrong)
        for place, (p, right, wrong) in enumerate(
            zip(
                rng.random(count).round(3),
                rng.choice([0.0, 1.0], count),
                rng.choice(3, count, p=[0.5, 0.3, 0.2]),
                strict=True,
            )
        )
    ]


def test_of_many_samples_a_fixed_part_is_drawn(pair):
    rows = many(pair, 2001)
    view = viewed(rows, pair)
    assert view.samples == 2001
    assert view.hard_samples > MAX_HARD
    marks = [mark for lane in view.lanes for mark in lane.marks]
    assert len(marks) == view.shown == MAX_HARD + MAX_OTHERS
    assert sum(sample.state == HARD for _, sample in marks) == MAX_HARD == len(view.hard)
    # The order of the table decides nothing, and places are those among all samples of the class.
    assert viewed(rows[::-1], pair).lanes == view.lanes
    ranks = [rank for rank, _ in view.lanes[0].marks]
    assert ranks == sorted(ranks)
    assert max(ranks) > 0.95
    assert viewed(rows[:2000], pair).shown == 2000


def drawn(view):
    return samples_figures(view)["samples"]


def strokes(figure):
    """Return the paths of every state, and what they say."""
    groups = ET.fromstring(str(figure.inline)).iter(f"{SVG}g")
    by_look = {(group.get("stroke"), group.get("stroke-width")): list(group) for group in groups}
    return {
        state: by_look.get((colour, f"{WIDTHS[state]:g}"), []) for state, colour in COLOURS.items()
    }


def test_the_figure_has_a_mark_per_sample_and_names_those_to_look_at(pair):
    figure = drawn(viewed(FOUR, pair))
    paths = strokes(figure)
    # A dot is one line, a cross one path of two.
    assert [len(paths[state]) for state in (RIGHT, MISSED, HARD)] == [1, 1, 2]
    assert paths[RIGHT][0].get("d").count("M") == paths[MISSED][0].get("d").count("M") == 1
    assert [path.findtext(f"{SVG}title") for path in paths[HARD]] == [
        "s4: 0.100",
        "s3: 0.200",
    ]
    assert [entry.text for entry in figure.legend][1:] == [
        "missed by pooled",
        "missed by both methods",
    ]


def grouped(pair, groups):
    rows = [each | {"group": group} for each, group in zip(FOUR, groups, strict=True)]
    return drawn(viewed(rows, pair))


def test_few_groups_have_colours_and_many_are_joined(pair, monkeypatch):
    figure = grouped(pair, ["g1", "g2", "g1", "g1"])
    assert [entry.text for entry in figure.legend][3:] == ["group g1", "group g2"]
    assert str(figure.inline).count("<image") == 1
    assert "s3 (group g1): 0.200" in str(figure.inline)
    monkeypatch.setattr(figures, "FEW_GROUPS", 1)
    many = grouped(pair, ["g1", "g2", "g1", "g1"])
    assert [entry.text for entry in many.legend][3:] == ["of one group"]
    assert "<image" not in str(many.inline)
    alone = grouped(pair, ["g1", "g2", "g3", "g4"])
    assert len(alone.legend) == 3


@pytest.mark.parametrize(("classes", "samples"), [(2, 40), (30, 2000)])
def test_the_figure_stays_small(pair, classes, samples):
    names = tuple(
        f"a rather long name of a class that has sixty letters, no. {i}" for i in range(classes)
    )
    cohort = replace(pair, classes=names, labels=np.arange(40) % classes)
    figure = drawn(viewed(many(cohort, samples), cohort))
    assert len(figure.inline.encode()) < 100_000
