"""One method close up, and scores by availability: bins, intervals of curves, patterns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from balmi.report.sections.performance.closeup import (
    MAX_BANDS,
    Bin,
    CloseUp,
    Confusion,
    Reliability,
    curves_view,
)
from balmi.report.sections.performance.closeup_figures import curve_figures, reliability_figures
from balmi.report.sections.performance.patterns import MAX_PATTERNS, patterns_view
from balmi.report.sections.performance.patterns_figures import patterns_figure


def close(classes, limits=True):
    x = np.arange(3) / 2
    parts = [
        pd.DataFrame({"method": "m", "class": name, "curve": kind, "x": x, "y": x}).assign(
            lower=np.maximum(x - 0.1, 0) if limits else np.nan,
            upper=np.minimum(x + 0.1, 1) if limits else np.nan,
        )
        for name in classes
        for kind in ("roc", "pr")
    ]
    curves = curves_view("m", pd.concat(parts), classes)
    return CloseUp("m", (), Confusion((), (), ()), curves, (), None)


def bands(held, classes):
    text = str(curve_figures(held, classes).parts[0].inline)
    return text.count('fill-opacity="0.16"') + text.count('opacity="0.16"')


@pytest.mark.parametrize(
    ("count", "limits", "drawn"), [(2, True, True), (2, False, False), (MAX_BANDS + 1, True, False)]
)
def test_intervals_are_drawn_where_they_can_be_kept_apart(count, limits, drawn):
    classes = [f"c{place}" for place in range(count)]
    held = close(classes, limits)
    assert held.banded == drawn
    assert bool(bands(held, classes)) == drawn
    first = held.curves["roc"][0]
    assert first.lower == ((0.0, 0.4, 0.9) if limits else ())
    assert first.upper == ((0.1, 0.6, 1.0) if limits else ())


def test_a_bin_knows_its_edges_and_its_share():
    bins = (Bin(0.42, 0.5, 0.1, 0.9, 5.0), Bin(1.0, 0.9, 0.8, 1.0, 15.0))
    assert [(each.left, each.right) for each in bins] == [(0.4, 0.5), (0.9, 1.0)]
    row = Reliability("m", None, bins)
    assert row.shares == (0.25, 0.75)
    figure = reliability_figures([row]).parts[0]
    assert (
        figure.description.replace("\N{NO-BREAK SPACE}", " ")
        == "42 % predicted, 50 % right, 100 % predicted, 90 % right."
    )
    chart = figure.chart.to_dict()
    bars = [layer for layer in chart["layer"] if layer["mark"]["type"] == "rect"]
    records = chart["datasets"][bars[0]["data"]["name"]]
    assert [each["share"] for each in records] == [0.25, 0.75]


def pattern(method, modalities, mean, samples=10, metric="log_loss", half=0.1):
    limits = {"lower": mean - half, "upper": mean + half, "folds": 5}
    return (
        {"method": method, "modalities": modalities, "metric": metric, "samples": samples}
        | {"mean": mean}
        | limits
    )


def test_patterns_stand_beside_what_the_mask_says():
    table = pd.DataFrame(
        [
            pattern("pooled", "rna+mirna", 0.5, 30),
            pattern("absence-lr", "rna+mirna", 1.1, 30),
            pattern("pooled", "rna", 0.8, 10),
            pattern("pooled", "rna", 0.7, 10, "accuracy"),
        ]
    )
    view = patterns_view(table, ("rna", "mirna"), "log_loss")
    assert [row.name for row in view.rows] == ["rna + mirna", "rna"]
    assert [row.own.estimate for row in view.rows] == [0.5, 0.8]
    assert [row.mask and row.mask.estimate for row in view.rows] == [1.1, None]
    figure = patterns_figure(view)
    assert figure.title == "log-loss of pooled by which modalities a sample has"
    assert "30 samples" in figure.inline
    assert len(figure.legend) == 2
    assert patterns_view(table.iloc[:0], ("rna", "mirna"), "log_loss") is None


def test_of_many_patterns_the_first_are_shown():
    rows = [pattern("pooled", f"m{place}", 0.5) for place in range(MAX_PATTERNS + 3)]
    view = patterns_view(pd.DataFrame(rows), (), "log_loss")
    assert (len(view.rows), view.total) == (MAX_PATTERNS, MAX_PATTERNS + 3)


def test_a_pattern_in_one_fold_has_a_point_alone():
    table = pd.DataFrame([pattern("pooled", "rna", 0.5)]).assign(lower=np.nan, upper=np.nan)
    view = patterns_view(table, ("rna",), "log_loss")
    assert view.rows[0].own.lower is None
    assert "0.500." in patterns_figure(view).description


@pytest.mark.parametrize(
    ("followed", "shown"),
    [("brier", "brier"), ("macro_f1", "log_loss"), ("log_loss", "log_loss")],
)
def test_patterns_follow_the_metric_of_verdicts_where_it_has_values(followed, shown):
    rows = [
        pattern("pooled", name, 0.5, 30, metric)
        for metric in ("brier", "log_loss")
        for name in ("rna+mirna", "rna")
    ]
    view = patterns_view(pd.DataFrame(rows), ("rna", "mirna"), followed)
    assert (view.metric.key, view.total) == (shown, 2)
