"""ROC and precision-recall curves on a grid."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from balmi.evaluation.curves import GRID, curves_table, precision_recall, roc

TRUE = np.array([True, False, True, True, False, False])
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])


def test_roc_by_hand():
    # (0, 0), (0, 1/3), (1/3, 1/3), (1/3, 1), (2/3, 1), (1, 1): only steps
    found = roc(TRUE, SCORE)
    expected = np.where(GRID < 1 / 3, 1 / 3, 1.0)
    assert found == pytest.approx(expected)


def test_roc_is_linear_through_ties():
    # Four samples of one score, one and three of each: straight from (0, 0) to (1/2, 1/3).
    true = np.array([True, False, True, True, False])
    score = np.array([0.8, 0.8, 0.3, 0.2, 0.1])
    found = roc(true, score)
    assert found[GRID <= 0.5 - 1e-9] == pytest.approx(GRID[GRID <= 0.5 - 1e-9] * 2 / 3)
    assert found[GRID >= 0.5] == pytest.approx(1)


def test_a_coin_has_the_diagonal_and_the_class_frequency():
    true, score = np.arange(10) < 3, np.zeros(10)
    assert roc(true, score) == pytest.approx(GRID)
    assert precision_recall(true, score) == pytest.approx(0.3)


def test_precision_by_hand():
    # Recall 1/3 at precision 1, 2/3 at 2/3, 1 at 3/4: recall of at least 2/3 is had at 3/4.
    assert precision_recall(TRUE, SCORE) == pytest.approx(np.where(GRID <= 1 / 3, 1, 3 / 4))


def test_a_recall_on_the_grid_counts_as_reached():
    # 50 samples of the class: the k-th is found at recall k/50, before k samples of the rest.
    true = np.tile([True, False], 50)
    found = precision_recall(true, -np.arange(100.0))
    counts = np.maximum(np.arange(51), 1)
    assert found == pytest.approx(counts / (2 * counts - 1))


@given(st.integers(0, 10_000), st.integers(2, 30))
def test_curves_are_those_of_sklearn(seed, samples):
    rng = np.random.default_rng(seed)
    true = np.concatenate([[True, False], rng.random(samples) < 0.4])
    score = rng.integers(8, size=len(true)) / 7
    rate, recall, _ = sk.roc_curve(true, score, drop_intermediate=False)
    curve = roc(true, score)
    assert (np.diff(curve) >= -1e-12).all()
    assert curve[-1] == pytest.approx(1)
    for x, y in zip(GRID, curve, strict=True):
        at = recall[rate == x]
        assert y == pytest.approx(at.max() if at.size else np.interp(x, rate, recall))
    precision, recall, _ = sk.precision_recall_curve(true, score)
    best = [precision[:-1][recall[:-1] >= x].max() for x in GRID]
    assert precision_recall(true, score) == pytest.approx(np.array(best))


def test_the_table_is_the_mean_over_repeats_of_pooled_predictions(cohort, predictions):
    table = curves_table(predictions, cohort)
    assert len(table) == 3 * 3 * 2 * 51
    part = table[(table.method == "two") & (table["class"] == "b") & (table.curve == "roc")]
    rows = [predictions[(predictions.method == "two") & (predictions.repeat == i)] for i in (0, 1)]
    expected = [
        roc(cohort.labels[cohort.positions(each["sample"])] == 1, each["p:b"].to_numpy())
        for each in rows
    ]
    assert part["x"].to_numpy() == pytest.approx(GRID)
    assert part["y"].to_numpy() == pytest.approx(np.mean(expected, axis=0))


def test_a_class_without_samples_has_no_curve(cohort, predicted):
    rows = cohort.labels < 2
    values = np.random.default_rng(0).dirichlet(np.ones(3), rows.sum())
    part = predicted(cohort, "m", 0, values, rows=rows)
    assert set(curves_table(part, cohort)["class"]) == {"a", "b"}
    # A repeat that lacks the class does not take part in its mean.
    whole = predicted(cohort, "m", 0, np.full((24, 3), 1 / 3), repeat=1)
    table = curves_table(pd.concat([part, whole]), cohort)
    single = table[(table["class"] == "c") & (table.curve == "roc")]
    assert single["y"].to_numpy() == pytest.approx(GRID)
