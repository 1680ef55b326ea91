"""The view of attribution: shares, features, and why there are none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_report import LONG, SCRIPT, Names, make_cohort
from synthetic_robustness import merged, robustness_tables, settings

from balmi.report.kit.amounts import Amount
from balmi.report.sections.attribution.figures import (
    MOST_AREAS,
    PALE,
    _colours,
    _levels,
    attribution_figure,
    attribution_figures,
    values_figure,
)
from balmi.report.sections.attribution.view import (
    MAX_FEATURES,
    NOT_ATTRIBUTED,
    ModalityShare,
    Values,
    attribution_view,
)

METHODS = ("balanced", "stacked-lr")


def test_the_leading_modality_needs_intervals_apart(cohort, tables):
    view = attribution_view(tables, cohort, settings()).attributions
    assert view.sentences[0] == "The largest share, apart from all others': rna in every class."
    wide = tables["attribution_modalities"].assign(lower=0.0, upper=1.0)
    other = attribution_view(tables | {"attribution_modalities": wide}, cohort, settings())
    assert other.attributions.sentences[0].startswith("In no class")


def test_features_are_the_foremost_of_every_class_and_modality():
    cohort = make_cohort(Names(classes=tuple("abcdefghijklmnopqrst"), samples=400))
    names = tuple(f"f{place}" for place in range(20))
    wide = dict.fromkeys(cohort.modalities, names)
    tables = robustness_tables(replace(cohort, features=wide), METHODS)
    view = attribution_view(tables, cohort, settings()).attributions
    # 180 rows for 20 classes and 3 modalities: three of each.
    assert view.listed == MAX_FEATURES // 60 == 3
    assert len(view.features) == 20 * 3 * 3
    assert view.total == 20 * 3 * 20
    assert {row.rank for row in view.features} == set(range(1, 4))
    # Of 20 classes the first eight are drawn, of each the seven of largest importance of all.
    whole = tables["attribution"]
    assert [label for label, _ in view.foremost] == list("abcdefgh")
    for label, rows in view.foremost:
        own = sorted(whole.loc[whole["class"] == label, "importance"])
        assert [row.importance for row in rows] == own[::-1][:7]


def test_features_are_drawn_by_direction_and_by_how_many_folds_list_them(cohort, tables):
    changed = tables["attribution"].copy()
    changed.loc[changed["rank"] == 1, "direction"] = -0.1
    changed.loc[changed["rank"] > 1, "direction"] = 0.1
    view = attribution_view(tables | {"attribution": changed}, cohort, settings())
    panels = attribution_figures(view, cohort.modalities, cohort.classes)["features"]
    assert [part.title for part in panels.parts] == list(cohort.classes)
    for (_, rows), part in zip(view.attributions.foremost, panels.parts, strict=True):
        points = part.chart.data.values
        assert [each["shape"] for each in points] == [
            "triangle-down" if row.rank == 1 else "triangle-up" for row in rows
        ]
        assert [each["fill"] for each in points] == [row.top for row in rows]
        assert part.inline.count("%") >= len(rows)


def test_features_without_any_importance_are_not_listed(cohort, tables):
    idle = tables["attribution"].copy()
    idle.loc[idle["modality"] == "mirna", "importance"] = 0.0
    view = attribution_view(tables | {"attribution": idle}, cohort, settings()).attributions
    assert {row.modality for row in view.features} == {"rna", "methylation"}


def test_stability_is_told_without_overlap(cohort, tables):
    shares = tables["attribution_modalities"].assign(overlap=float("nan"))
    view = attribution_view(tables | {"attribution_modalities": shares}, cohort, settings())
    assert view.attributions.sentences[1] == (
        "Between folds importances correlate with 0.40 to 0.60 (Spearman): the less, the less a"
        " single feature means."
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"attribution": {"enabled": False}}, "Not run: attribution.enabled"),
        ({"methods": ["stacked-lr"]}, "Not run: balanced, whose networks"),
        ({}, NOT_ATTRIBUTED),
    ],
)
def test_what_is_missing_has_a_reason(cohort, tables, change, reason):
    empty = {name: table[:0] for name, table in tables.items()}
    view = attribution_view(empty, cohort, {**settings(), **merged(change)})
    assert view.reason.startswith(reason)
    assert attribution_figures(view, cohort.modalities, cohort.classes) == {}


def test_hostile_names_are_text():
    cohort = make_cohort(Names(classes=(SCRIPT, LONG), modalities=(SCRIPT, "=1+1"), feature=SCRIPT))
    view = attribution_view(robustness_tables(cohort, METHODS), cohort, settings())
    figures = attribution_figures(view, cohort.modalities, cohort.classes)
    assert set(figures) == {"attribution", "features"}
    for part in (part for figure in figures.values() for part in figure.parts):
        assert "<script" not in part.inline
        assert part.inline.count("<svg") == 1


def test_any_number_of_modalities_is_drawn_in_shapes_that_the_engine_knows():
    names = tuple(f"m{place}" for place in range(10))
    rows = [ModalityShare("a", name, Amount(0.1, 0.05, 0.15), None, None) for name in names]
    figure = attribution_figure(rows, names)
    assert "undrawn" not in figure.inline
    looks = {(entry.colour, entry.shape) for entry in figure.legend}
    assert len(looks) == len(names)


def test_values_stand_by_class_and_then_by_the_probability_of_the_class(cohort):
    names = list(cohort.samples[[0, 60, 61, 179]])
    values = pd.DataFrame({"sample": names, "value:rna:a:b": [1.0, -2.0, np.nan, 9.0]})
    held = pd.DataFrame({"sample": names, "class_p": [0.5, 0.9, 0.1, 0.5]})
    tables = robustness_tables(cohort, METHODS)
    view = attribution_view(
        tables | {"attribution_values": values, "per_sample": held}, cohort, settings()
    ).values
    assert view.features == (("rna", "a:b"),)
    labels = [cohort.classes[cohort.labels[place]] for place in (0, 60, 61, 179)]
    assert dict(view.classes) == dict(Counter(labels))
    # The first three are of one class: the least likely of it comes first.
    assert len(set(labels[:3])) == 1
    assert list(view.cells[0]) == [None, 1.0, -2.0, 9.0]


def test_the_picture_of_values_has_a_pixel_per_cell():
    cells = ((0.0, 3.0, -9.0, None), (0.11, -3.0, 1.4, 0.04))
    # 15 shades to either side of 0, reached at three deviations; grey is the last colour.
    assert _levels(cells).tolist() == [[15, 30, 0, 31], [16, 0, 22, 15]]
    palette, alphas = _colours()
    assert len(palette) == 3 * 32
    assert (alphas[15], alphas[0], alphas[30], alphas[31]) == (0, 255, 255, PALE)
    view = Values((("rna", SCRIPT), ("mirna", LONG)), (("x", 3), ("y", 1)), cells)
    drawn = values_figure(view, ("rna", "mirna"), ("x", "y"))
    assert "<script>" not in drawn.inline
    assert drawn.inline.count("<image") == 1
    assert drawn.inline.count("<line") == 3  # the strip of two classes, and what parts them
    assert "4 samples by class" in drawn.inline


def test_the_pointer_shows_what_a_class_holds_of_a_feature():
    cells = ((0.0, 2.0, 1.0, None), (None, None, None, 0.5))
    view = Values((("rna", "f"), ("mirna", "g")), (("x", 3), ("y", 1)), cells)
    (_, first), (_, second) = view.by_feature
    assert [(each.label, each.start, each.stop) for each in first] == [("x", 0, 3), ("y", 3, 4)]
    assert [(each.low, each.median, each.high) for each in first] == [
        (0.5, 1.0, 1.5),
        (None, None, None),
    ]
    assert [each.told for each in second] == [
        "not measured",
        "median +0.5, middle half +0.5 to +0.5 deviations",
    ]
    drawn = values_figure(view, ("rna", "mirna"), ("x", "y"))
    assert "f (rna), x: median +1.0, middle half +0.5 to +1.5 deviations" in drawn.inline
    classes = [f"c{n}" for n in range(MOST_AREAS)]
    many = replace(view, classes=tuple((name, 1) for name in classes))
    many = replace(many, cells=((0.0,) * MOST_AREAS,) * 2)
    assert "deviations</title>" not in values_figure(many, ("rna", "mirna"), classes).inline
