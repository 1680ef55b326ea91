"""The overview: small pictures whose places are worked out by hand, at one dataset and at fifty."""

from __future__ import annotations

import base64
import io
import re
from copy import deepcopy
from dataclasses import asdict
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from synthetic_report import SCRIPT, Names, write_dataset

from balmi.data.files import read_json, write_json
from balmi.evaluation.verdicts import Verdict
from balmi.report.kit.drawing import modality_keys
from balmi.report.kit.metrics import metric_of
from balmi.report.overview import figures
from balmi.report.overview.figures import (
    APART,
    BAR_NAME,
    BAR_WIDTH,
    FIELD,
    MOST_BARS,
    Scale,
    bars_of,
    differences_scale,
    dot_of,
    field_of,
)
from balmi.report.overview.page import build_overview
from balmi.report.overview.view import overview_view
from balmi.report.render import build_report
from balmi.report.view import FORMAT

MOST_BYTES = 600_000


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    inputs = write_dataset(folder, Names(samples=120, epochs=8))
    build_report(inputs, folder / "report.html", folder / "view.json")
    return read_json(folder / "view.json", FORMAT)


def changed(summary, place, samples, **row):
    """Return a dataset of another size, with another deciding difference."""
    made = deepcopy(summary) | {"dataset": f"set-{place:02d}", "samples": samples}
    for each in made["differences"]:
        if each["primary"]:
            each |= row
    return made


def many(summary, count=50):
    words = [str(word) for word in Verdict]
    return [
        changed(
            summary,
            place,
            40 + 37 * (place // 3) ** 2,
            difference=0.01 * (place % 7 - 3),
            lower=0.01 * (place % 7 - 3) - 0.03,
            upper=0.01 * (place % 7 - 3) + 0.03,
            verdict=words[place % len(words)],
        )
        for place in range(count)
    ]


def written(folder, summaries):
    views = {folder / f"{place}.json": f"r{place}" for place in range(len(summaries))}
    for path, held in zip(views, summaries, strict=True):
        write_json(held, path, FORMAT)
    build_overview(views, folder / "overview.html")
    return (folder / "overview.html").read_text("utf-8")


class TestScale:
    def test_numbers_are_placed_between_the_ends(self):
        scale = Scale(-1, 3, 100, 300)
        assert [scale.at(value) for value in (-1, 0, 1, 3)] == [100, 150, 200, 300]
        assert [(tick.at, tick.text) for tick in scale.ticks] == [
            *((100, "−1"), (150, "0"), (200, "+1"), (250, "+2"), (300, "+3"))
        ]

    def test_equal_ratios_take_equal_room(self):
        scale = Scale(10, 1000, 0, 200, powers=True)
        assert [scale.at(value) for value in (10, 100, 1000)] == [0, 100, 200]
        texts = [tick.text for tick in scale.ticks]
        assert texts == ["10", "20", "50", "100", "200", "500", "1,000"]

    def test_the_axis_holds_every_limit_and_zero(self):
        scale = differences_scale([{"difference": 0.1, "lower": 0.05, "upper": 0.4}], 0, 100)
        assert 0 < scale.at(-0.02) < scale.at(0) < scale.at(0.4) < 100
        without = differences_scale([{"difference": -0.3, "lower": None, "upper": None}], 0, 100)
        assert 0 < without.at(-0.3) < without.at(0) < 100


def held(names, entropy=1.0, split=True):
    label = [
        {"modality": name, "estimate": 0.8 - 0.1 * place, "lower": 0.7, "upper": 1.2}
        for place, name in enumerate(names)
    ]
    part = {"unique_first": {"estimate": 0.5}, "redundant": {"estimate": 0.25}}
    part |= {"synergistic": {"estimate": 0.5}}
    parts = [{"first": name, **part} for name in names] if split else []
    return {"entropy": entropy, "information": label, "parts": parts}


class TestBars:
    def test_parts_follow_each_other_and_end_at_the_entropy(self):
        (bar,) = bars_of(held(["rna"]), modality_keys(["rna"])).bars
        whole = [(part.part, part.at - BAR_NAME, part.length) for part in bar.segments]
        assert whole == [
            ("unique", 0, BAR_WIDTH / 2),
            ("shared", BAR_WIDTH / 2, BAR_WIDTH / 4),
            ("synergy", 3 * BAR_WIDTH / 4, BAR_WIDTH / 4),
        ]
        assert bar.limits == (round(BAR_NAME + 0.7 * BAR_WIDTH, 1), BAR_NAME + BAR_WIDTH)

    def test_without_a_decomposition_a_bar_is_undivided(self):
        (bar,) = bars_of(held(["rna"], split=False), modality_keys(["rna"])).bars
        assert [(part.part, part.length) for part in bar.segments] == [("undivided", 105.6)]

    def test_many_modalities_are_counted(self):
        names = [f"m{place}-{'x' * 60}" for place in range(10)]
        made = bars_of(held(names), modality_keys(names))
        assert (len(made.bars), made.more) == (MOST_BARS, 10 - MOST_BARS)
        assert all(len(bar.name) <= 12 for bar in made.bars)

    @pytest.mark.parametrize("nothing", [held([]), held(["rna"], None)])
    def test_nothing_is_drawn_of_nothing(self, nothing):
        assert bars_of(nothing, modality_keys(["rna"])) is None


def test_a_dot_has_the_shape_of_its_verdict():
    scale = Scale(-1, 1, 0, 200)
    row = {"difference": 0.0, "lower": -0.5, "upper": 0.5}
    dots = {word: dot_of(row | {"verdict": str(word)}, scale) for word in Verdict}
    assert {(dot.at, dot.lower, dot.upper) for dot in dots.values()} == {(100, 50, 150)}
    # Shape, or hollow: no two verdicts look alike without their colour.
    looks = {(dot.path, dot.fill == "var(--bg)") for dot in dots.values()}
    assert len(looks) == len(Verdict)
    assert dot_of(None, scale) is None


def test_no_two_labels_of_the_figure_overlap(summary):
    rows = [(each, overview_row(each)) for each in many(summary)]
    field = field_of(rows)
    assert len(field.spots) == 50
    boxes = [spot.label.box for spot in field.spots if spot.label]
    assert len(boxes) > 3
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart
    assert all(box[0] >= 0 and box[2] <= FIELD[0] for box in boxes)
    places = [spot.x for spot in field.spots]
    assert all(after - before >= APART - 0.11 for before, after in pairwise(places))
    assert field_of(rows[:1]) is None


def overview_row(summary):
    return next(row for row in summary["differences"] if row["primary"])


def test_fifty_datasets_are_small_and_twice_the_same(summary, tmp_path):
    text = written(tmp_path, many(summary))
    assert len(text.encode()) < MOST_BYTES
    assert text == written(tmp_path, many(summary))
    rows = re.findall(r'<tr role="row" data-verdict="([^"]+)" data-checked="([^"]+)"', text)
    assert len(rows) == 50
    for group, words in zip(("verdict", "checked"), zip(*rows, strict=True), strict=True):
        for word in set(words):
            assert f'id="{group}-{word}" checked' in text
            assert f"main:has(#{group}-{word}:not(:checked)) #datasets-table tr" in text


def test_the_three_conclusions_of_a_dataset_are_printed(summary, tmp_path):
    text = written(tmp_path, [summary])
    for each in summary["conclusions"]:
        assert f'<p class="sentence">{each["sentence"]}</p>' in text
    assert all(each["value"] in text for each in summary["conclusions"][:2])
    assert text.count('<span class="gain" title=') == sum(
        check["state"] == "pass" for check in summary["trust"]["checks"]
    )
    assert 'id="across"' not in text
    assert f'data-value="{summary["processor_seconds"]}"' in text
    assert f"balmi {summary['version']}" in text


def test_the_rows_are_offered_as_a_table(summary, tmp_path):
    text = written(tmp_path, [summary, *many(summary, 2)])
    link = re.search(r'download="overview.csv" href="data:text/csv;base64,([^"]+)"', text)
    table = pd.read_csv(io.StringIO(base64.b64decode(link[1]).decode()))
    assert table["dataset"].tolist() == ["synthetic", "set-00", "set-01"]
    row = overview_row(summary)
    assert table["difference"][0] == pytest.approx(row["difference"])
    assert table["combining"][0] == summary["conclusions"][1]["sentence"]
    assert table["information_state"][0] == summary["conclusions"][0]["state"]


def test_a_dataset_of_one_modality_has_no_dot(summary, tmp_path):
    alone = changed(summary, 0, 60) | {"modalities": ["rna"]}
    views = {tmp_path / "a": "a", tmp_path / "b": "b"}
    made = overview_view(dict(zip(views, (alone, summary), strict=True)), views)
    assert [row.dot is None for row in made.rows] == [True, False]
    assert made.field is None
    assert made.rows[0].difference is None


def test_a_metric_of_which_less_is_better_sorts_the_other_way(summary, tmp_path):
    less = deepcopy(summary) | {"metric": asdict(metric_of("log_loss"))}
    text = written(tmp_path, [less])
    assert 'data-key="difference" data-good="less"' in text
    assert "where less is better" in text


def test_hostile_names_stay_text(summary, tmp_path):
    hostile = deepcopy(summary) | {"dataset": "x", "title": SCRIPT}
    hostile["information"][0]["modality"] = hostile["modalities"][0] = SCRIPT
    text = written(tmp_path, [hostile, many(summary, 1)[0]])
    assert "<script>alert" not in text
    assert text.count("<script>") == 1


def test_datasets_of_like_size_stand_apart_and_within_the_figure():
    right = figures.FIELD[0] - figures.FIELD_RIGHT
    places = [100.0, 100.5, 300.0, *[right - 5.0] * 10]
    found = figures._apart(places)
    assert found[0] == 100
    assert np.diff(found).min() == pytest.approx(figures.APART, abs=0.11)
    assert found[2] == 300
    assert found[-1] == right
    assert figures._apart([right + 3.0]) == [right + 3.0]
