"""The metric that verdicts follow: what it decides, and that the page names it and no other."""

import re
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from evaluated import evaluated
from synthetic_report import Names, make_cohort, make_predictions, make_trust, write_dataset

from balmi.config.settings import PrimaryMetric
from balmi.data.cohort import read_roster
from balmi.data.files import read_json, read_table, write_json
from balmi.errors import UserError
from balmi.evaluation.decision import Case, decide
from balmi.report.kit.metrics import metric_of
from balmi.report.overview.page import build_overview
from balmi.report.render import build_report
from balmi.report.sections.performance.view import differences_view
from balmi.report.view import FORMAT, build_view

SMALL = {"classes": ("a", "b", "c"), "modalities": ("rna", "mirna"), "samples": 90, "epochs": 4}
# Without a network a page has fewer figures, and is made in less time.
METHODS = ("stacked-lr", "unimodal-lr")
OF_SCORES = '<th scope="col" data-good="more">macro-F1</th>'  # a column beside all others


def page(folder, metric):
    """Return the page, its summary and the overview; downloads are left out."""
    names = Names(**SMALL, methods=METHODS, followed=metric)
    html, view, overview = (folder / name for name in ("report.html", "view.json", "all.html"))
    build_report(write_dataset(folder, names), html, view)
    build_overview({view: "here"}, overview)
    text = html.read_text("utf-8")
    return text, read_json(view, FORMAT), overview.read_text("utf-8")


@pytest.mark.parametrize("metric", ["macro_f1", "balanced_accuracy", "mcc", "log_loss"])
def test_the_page_names_the_metric_that_is_followed(tmp_path, metric):
    metric = PrimaryMetric(metric)
    text, summary, overview = page(tmp_path, metric)
    told = metric_of(metric)
    assert summary["headline"].startswith("Combining helps")
    assert summary["decision"]["ground"]["metric"] == metric
    assert {row["verdict"] for row in summary["differences"][:1]} == {"gain supported"}
    for place in (
        f"One comparison of {told.title}{told.aside}, fixed in advance",
        told.gloss,
        f"Differences of {told.title} over the same folds{told.aside}.",
        f"difference of {told.title} ({told.direction.better_side} of 0: the first is better)",
        f"{told.title} on the test samples of a fold",
        f"{told.first} with fewer training samples",
        f"Shapley values of {told.title} (lower to upper)",
        f'aria-sort="{told.direction.order}">{told.title}',
        f"primary_metric: {metric}",
    ):
        assert place in text, place
    assert f"{told.direction.best} {told.title}" in overview
    if metric != "macro_f1":
        assert text.count(OF_SCORES) == 1
        left = text.replace(OF_SCORES, "")
        assert not re.findall(r".{60}macro-F1.{60}", left, re.IGNORECASE)
        assert "macro-f1" not in overview.lower()
    scores = summary["scores"]
    best = min if metric == "log_loss" else max
    assert summary["best"] == best(scores, key=lambda name: scores[name]["mean"])


def test_an_overview_of_two_metrics_is_refused(tmp_path):
    inputs = write_dataset(tmp_path, Names(**SMALL, methods=METHODS))
    tables = {name: read_table(path) for name, path in inputs.table_paths.items()}
    made = build_view("first", read_roster(inputs.samples), tables, inputs.settings)
    summary = made.summary.as_json()
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    write_json(summary, one, FORMAT)
    other = {"dataset": "second", "metric": asdict(metric_of("mcc"))}
    write_json(summary | other, two, FORMAT)
    with pytest.raises(UserError, match="macro_f1 for first, mcc for second"):
        build_overview({one: "here", two: "there"}, tmp_path / "all.html")


@pytest.mark.parametrize("metric", PrimaryMetric)
@pytest.mark.parametrize(("strong", "case"), [("balanced", "gain"), ("unimodal-lr", "loss")])
def test_the_better_method_gains_by_every_metric(metric, strong, case):
    """The method that is given more of the truth has less loss, and that is told as a gain."""
    cohort = make_cohort(Names(**SMALL))
    strengths = dict.fromkeys(("balanced", "unimodal-lr"), 0.5) | {strong: 4.0}
    predictions = make_predictions(cohort, strengths)
    columns = [f"p:{name}" for name in cohort.classes]
    truth = cohort.labels[cohort.positions(predictions["sample"])]
    own = predictions[columns].to_numpy()[np.arange(len(truth)), truth]
    losses = pd.Series(-np.log(own)).groupby(
        [predictions[key].to_numpy() for key in ("method", "repeat", "fold")]
    )
    by_method = losses.mean().groupby(level=0).mean()
    tables = evaluated(predictions, cohort, metric) | {"trust": make_trust({})}
    decision = decide(tables, cohort, metric)
    row = differences_view(tables["comparisons"], decision)["differences"][0]
    assert (row.method, row.reference, row.primary) == ("balanced", "unimodal-lr", True)
    assert row.verdict == f"{case} supported"
    assert decision.case is {"gain": Case.NETWORK_GAINS, "loss": Case.LOSS}[case]
    assert (row.better > 0.95, row.worse > 0.95) == (case == "gain", case == "loss")
    if metric == "log_loss":
        assert row.difference == pytest.approx(by_method["balanced"] - by_method["unimodal-lr"])
    assert (row.difference < 0) == ((case == "gain") == (metric in ("log_loss", "brier")))
