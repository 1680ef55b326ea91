"""Scores by which modalities a sample has."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import PrimaryMetric
from balmi.evaluation import patterns
from balmi.evaluation.patterns import patterns_table

LOSS = PrimaryMetric.LOG_LOSS


@pytest.fixture
def lacking(make_cohort):
    """Return six samples of the classes a and b; the last two lack mirna."""
    cohort = make_cohort(np.array([0, 1, 0, 1, 0, 1]))
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["mirna"][4:] = np.nan
    return replace(cohort, values=values)


def said(cohort, method, first):
    columns = {"fold": [0, 0, 1, 1, 0, 1], "p:a": first, "p:b": 1 - np.array(first)}
    head = {"sample": cohort.samples, "repeat": 0, "method": method}
    return pd.DataFrame({**head, **columns})


def test_by_hand(lacking, monkeypatch):
    monkeypatch.setattr(patterns, "FEWEST_SAMPLES", 4)
    parts = [
        said(lacking, "pooled", [0.5, 0.5, 0.8, 0.2, 0.25, 0.5]),
        said(lacking, "stacked-lr", [0.9] * 6),
        said(lacking, "absence-lr", [0.5] * 6),
    ]
    table = patterns_table(pd.concat(parts), lacking, 0.5, LOSS)
    assert list(table["method"]) == ["pooled", "absence-lr"] * 4
    assert (
        list(table["modalities"])
        == ["rna+mirna"] * 2 + ["rna"] * 2 + ["rna+mirna"] * 2 + ["rna"] * 2
    )
    assert list(table["samples"]) == [4, 4, 2, 2] * 2
    losses = table[table.metric == "log_loss"]["mean"].to_numpy()
    whole = (np.log(2) - np.log(0.8)) / 2
    alone = (-np.log(0.25) + np.log(2)) / 2
    assert losses == pytest.approx([whole, np.log(2), alone, np.log(2)])
    # Of two equal probabilities the first class counts: one of two is right in the first fold.
    right = table[(table.metric == "accuracy") & (table.method == "pooled")]
    assert list(right["mean"]) == [0.75, 0]
    # t of one degree of freedom times sqrt((1/2 + 1/2) var), cut at 0.
    first = table.iloc[0]
    half = 12.7062 * np.std([np.log(2), -np.log(0.8)], ddof=1)
    assert first["upper"] == pytest.approx(whole + half, rel=1e-4)
    assert first["lower"] == 0


def test_a_pattern_in_one_fold_has_no_interval(lacking):
    part = said(lacking, "pooled", [0.5] * 6)
    table = patterns_table(part[part["sample"] != lacking.samples[5]], lacking, 0.5, LOSS)
    row = table[table["modalities"] == "rna"].iloc[0]
    assert (row["samples"], row["folds"]) == (1, 1)
    assert np.isnan([row["lower"], row["upper"]]).all()


def test_where_all_have_the_same_there_is_nothing_to_say(make_cohort):
    cohort = make_cohort(np.array([0, 1, 0, 1, 0, 1]))
    assert patterns_table(said(cohort, "pooled", [0.5] * 6), cohort, 0.5, LOSS).empty


def test_the_same_samples_in_other_repeats_are_no_new_evidence(lacking, monkeypatch):
    """Two samples lack mirna: three repeats test the same sets of them, whatever the others do."""
    monkeypatch.setattr(patterns, "FEWEST_SAMPLES", 2)
    parts = []
    for repeat, first in enumerate(([0.2, 0.4], [0.3, 0.5], [0.4, 0.6])):
        part = said(lacking, "pooled", [0.5, 0.5, 0.8, 0.2, *first]).assign(repeat=repeat)
        part["fold"] = [*np.roll([0, 0, 1, 1], repeat), 0, 1]
        parts.append(part)
    table = patterns_table(pd.concat(parts), lacking, 0.5, LOSS)
    row = table[(table["modalities"] == "rna") & (table["metric"] == "log_loss")].iloc[0]
    assert (row["samples"], row["folds"]) == (2, 2)
    losses = [-np.log([0.2, 0.3, 0.4]).mean(), -np.log([0.6, 0.5, 0.4]).mean()]
    assert row["mean"] == pytest.approx(np.mean(losses))
    monkeypatch.setattr(patterns, "FEWEST_SAMPLES", 3)
    few = patterns_table(pd.concat(parts), lacking, 0.5, LOSS)
    assert np.isnan(few.loc[few["modalities"] == "rna", ["lower", "upper"]].to_numpy()).all()


@pytest.mark.parametrize(
    ("followed", "metrics"),
    [
        (PrimaryMetric.BRIER, ["brier", "log_loss", "accuracy"]),
        (PrimaryMetric.ACCURACY, ["accuracy", "log_loss"]),
        (PrimaryMetric.MACRO_F1, ["log_loss", "accuracy"]),
    ],
)
def test_the_metric_that_is_followed_comes_first_where_it_is_a_mean_over_samples(
    lacking, followed, metrics
):
    table = patterns_table(said(lacking, "pooled", [0.9] * 6), lacking, 0.5, followed)
    assert list(dict.fromkeys(table["metric"])) == metrics
    assert len(table) == 2 * len(metrics)
