"""The view of contributions: sums, shares and the embedding."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from synthetic_report import LONG, SCRIPT, Names, make_cohort, write_dataset
from synthetic_robustness import merged, robustness_tables, settings

from balmi.data.files import read_table, write_table
from balmi.report.kit.figures import ORDER
from balmi.report.kit.svg import NAMESPACE
from balmi.report.render import MAX_BYTES, build_report
from balmi.report.sections.attribution.view import NOT_ATTRIBUTED
from balmi.report.sections.contributions.figures import (
    LARGEST,
    MOST_NAMED,
    class_entries,
    contribution_figures,
    embedding_figure,
)
from balmi.report.sections.contributions.view import (
    MAX_MARKS,
    Embedding,
    contributions_view,
)
from balmi.report.sections.robustness.view import NO_RESULT

SVG = f"{{{NAMESPACE}}}"

METHODS = ("balanced", "stacked-lr")


def test_shapley_values_sum_to_whole_minus_nothing(cohort, tables):
    for shares in contributions_view(tables, cohort, settings()).shares:
        assert sum(row.shapley.estimate for row in shares.rows) == pytest.approx(shares.sum)
        assert [row.modality for row in shares.rows] == list(cohort.modalities)


def test_what_modalities_add_is_told_from_their_intervals(cohort, tables):
    first, _ = contributions_view(tables, cohort, settings()).shares
    assert first.sentence == (
        "balanced has macro-F1 0.710 with all modalities and 0.120 from class frequencies alone;"
        " the Shapley values share out the difference and sum to 0.590. Of it, rna adds 0.450"
        " (0.420 to 0.480); methylation adds 0.140 (0.110 to 0.170); mirna is not shown to add"
        " anything."
    )


@pytest.mark.parametrize("followed", ["log_loss", "brier"])
def test_where_less_is_better_a_modality_helps_by_taking_off(cohort, followed):
    name = {"log_loss": "log-loss", "brier": "Brier score"}[followed]
    made = robustness_tables(cohort, METHODS, followed)
    view = contributions_view(made, cohort, settings(followed))
    # From .3 + .71 the modalities take .71 - .12 off, of which .14 and 0 are the others'.
    assert view.shares[0].sentence == (
        f"balanced has {name} 0.420 with all modalities and 1.010 from class frequencies alone;"
        " the Shapley values share out the difference and sum to −0.590. Of it, rna takes off 0.450"
        " (0.420 to 0.480); methylation takes off 0.140 (0.110 to 0.170); mirna is not shown to"
        " take anything off."
    )
    table = made["contributions"].copy()
    harmful = table["modality"] == "mirna"
    table.loc[harmful, ["shapley", "lower", "upper"]] = (0.1, 0.05, 0.15)
    first, _ = contributions_view(
        made | {"contributions": table}, cohort, settings(followed)
    ).shares
    assert first.sentence.endswith("mirna is shown to add to it.")
    assert name in contribution_figures(view, cohort.modalities)["shapley"].title


def test_a_harmful_modality_is_told(cohort, tables):
    table = tables["contributions"].copy()
    harmful = table["modality"] == "mirna"
    table.loc[harmful, ["shapley", "lower", "upper"]] = (-0.1, -0.15, -0.05)
    first, _ = contributions_view(tables | {"contributions": table}, cohort, settings()).shares
    assert first.sentence.endswith("mirna is shown to take away.")


@pytest.mark.parametrize(
    ("change", "part", "reason"),
    [
        ({"robustness": {"methods": []}}, "contributions", "Not run: robustness.methods is empty."),
        ({"robustness": {"methods": []}}, "embedding", "Not run: robustness.methods is empty."),
        ({}, "embedding", NO_RESULT),
    ],
)
def test_what_is_missing_has_a_reason(cohort, tables, change, part, reason):
    empty = {name: table[:0] for name, table in tables.items()}
    view = contributions_view(empty, cohort, {**settings(), **merged(change)})
    assert view.reasons[part].startswith(reason)
    assert not contribution_figures(view, cohort.modalities)


def names(points) -> tuple[str, ...]:
    return tuple(f"s{place}" for place in range(len(points)))


def cloud(samples: int, classes: int = 3) -> Embedding:
    rng = np.random.default_rng(3)
    points = tuple(
        (float(x), float(y), int(c))
        for x, y, c in zip(
            *rng.normal(size=(2, samples)), rng.integers(classes, size=samples), strict=True
        )
    )
    return Embedding(tuple(f"c{place}" for place in range(classes)), points, names(points), False)


def test_every_sample_is_one_mark_of_its_class_and_says_who_it_is():
    embedding = cloud(MOST_NAMED)
    root = ET.fromstring(embedding_figure(embedding).inline)
    for group in root.iterfind(f".//{SVG}g[@data-class]"):
        code = int(group.get("data-class"))
        told = [title.text for title in group.iter(f"{SVG}title")]
        mine = zip(embedding.names, embedding.points, strict=True)
        assert told == [name for name, (_, _, each) in mine if each == code]
        assert all(path.get("d").count("M") == 1 for path in group.iter(f"{SVG}path"))


def test_of_more_samples_each_is_one_mark_of_its_class():
    embedding = cloud(MOST_NAMED + 1)
    drawn = re.findall(
        r'data-class="(\d+)"[^>]*><path[^>]* d="([^"]*)"', embedding_figure(embedding).inline
    )
    assert {int(code): path.count("M") for code, path in drawn} == dict(enumerate(embedding.counts))
    # The largest class comes first, so that no other lies hidden behind it.
    sizes = [path.count("M") for _, path in drawn]
    assert sizes == sorted(sizes, reverse=True)


def test_many_samples_become_a_picture_on_the_page_and_stay_marks_in_files():
    few, many = embedding_figure(cloud(MAX_MARKS)), embedding_figure(cloud(MAX_MARKS + 1))
    assert "<image" not in few.inline
    assert few.exact is None
    assert many.inline.count("data:image/png;base64,") == 3
    assert many.exact is not None
    assert len(many.inline) < 120_000
    assert embedding_figure(cloud(MAX_MARKS + 1)).inline == many.inline


def test_pictures_of_many_scattered_samples_are_bounded():
    """Samples of twelve classes all over the figure: what takes most."""
    random = np.random.default_rng(0)
    at, codes = random.uniform(-1, 1, (20_000, 2)).tolist(), random.integers(12, size=20_000)
    points = tuple((x, y, int(code)) for (x, y), code in zip(at, codes, strict=True))
    figure = embedding_figure(Embedding(tuple("abcdefghijkl"), points, names(points), False))
    pictures = re.findall(r"data:image/png;base64,[^\"]*", figure.inline)
    assert len(pictures) == 12
    assert sum(map(len, pictures)) <= LARGEST
    assert len(figure.inline) < LARGEST + 10_000


def test_classes_differ_in_colour_and_shape_together():
    entries = class_entries([f"c{place}" for place in range(96)])
    assert len({(entry.colour, entry.shape) for entry in entries}) == 96
    assert len({entry.shape for entry in entries[: len(ORDER)]}) == len(ORDER)


def test_without_a_second_component_classes_lie_in_lanes(cohort, tables):
    flat = tables["embedding"].assign(y=0.0)
    embedding = contributions_view(tables | {"embedding": flat}, cohort, settings()).embedding
    assert embedding.flat
    assert all(abs(y - code) <= 0.3 for _, y, code in embedding.points)
    assert len({y for _, y, _ in embedding.points}) > 100


def test_samples_are_drawn_before_and_after_fusion(cohort, tables):
    view = contributions_view(tables, cohort, settings())
    rows = tables["embedding"]
    assert [x for x, _, _ in view.features.points] == rows["features_x"].tolist()
    assert [y for _, y, _ in view.features.points] == rows["features_y"].tolist()
    figures = contribution_figures(view, cohort.modalities)
    assert figures["before"].title.startswith("Before fusion")
    assert figures["before"].inline != figures["embedding"].inline
    # A table of an older version has no places by features.
    older = {"embedding": rows.assign(features_x=np.nan, features_y=np.nan)}
    view = contributions_view(tables | older, cohort, settings())
    assert view.features is None
    assert "before" not in contribution_figures(view, cohort.modalities)


def test_one_sample_can_be_drawn():
    assert "<path" in embedding_figure(Embedding(("a",), ((1.0, 2.0, 0),), ("s1",), False)).inline


def test_hostile_names_stay_text():
    cohort = make_cohort(Names(classes=(SCRIPT, LONG), modalities=(SCRIPT, "=1+1"), feature=SCRIPT))
    view = contributions_view(robustness_tables(cohort, METHODS), cohort, settings())
    for figure in contribution_figures(view, cohort.modalities).values():
        assert "<script" not in figure.inline
        assert figure.inline.count("<svg") == 1


def test_methods_other_than_the_own_one_come_first_where_it_is_missing(cohort, tables):
    rest = {"contributions": tables["contributions"].query("method == 'stacked-lr'")}
    shares = contributions_view(tables | rest, cohort, settings()).shares
    assert [each.method for each in shares] == ["stacked-lr"]
    assert isinstance(tables["contributions"], pd.DataFrame)


def test_a_page_of_many_samples_stays_small_and_inert(tmp_path):
    names = Names(samples=2500, methods=METHODS, epochs=8)
    inputs = write_dataset(tmp_path, names)
    build_report(inputs, tmp_path / "report.html", tmp_path / "view.json")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= MAX_BYTES
    # Without the downloads, which take what room is left, the page is half of what is allowed.
    assert len(re.sub(r'data:text/csv[^"]*', "", page).encode()) < MAX_BYTES / 2
    # Of every class a picture before and after fusion; one of foremost features, one of confusions.
    assert page.count('href="data:image/png;base64,') == 2 * len(names.classes) + 2


def test_no_rows_leave_a_sentence_and_no_figure(tmp_path):
    inputs = write_dataset(tmp_path, Names(methods=METHODS, epochs=8))
    for name in robustness_tables(make_cohort(Names()), METHODS):
        path = inputs.tables[name]
        write_table(read_table(path)[:0], path)
    build_report(inputs, tmp_path / "report.html", tmp_path / "view.json")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count(NO_RESULT) == 9  # two of them stand for a closed section
    assert page.count(NOT_ATTRIBUTED) == 2
    drawn = re.findall(r'aria-labelledby="(\w+)-title"', page)
    absent = ("noise-0", "lost", "share", "shapley", "embedding", "attribution")
    assert not set(absent) & set(drawn)
