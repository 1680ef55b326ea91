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
    table = curves_table(predictions, cohort, 0.5)
    assert len(table) == 3 * 3 * 2 * 51
    part = table[(table.method == "two") & (table["class"] == "b") & (table.curve == "roc")]
    rows = [predictions[(predictions.method == "two") & (predictions.repeat == i)] for i in (0, 1)]
    expected = [
        roc(cohort.labels[cohort.positions(each["sample"])] == 1, each["p:b"].to_numpy())
        for each in rows
    ]
    assert part["x"].to_numpy() == pytest.approx(GRID)
    assert part["y"].to_numpy() == pytest.approx(np.mean(expected, axis=0), abs=5e-5)


def test_a_class_without_samples_has_no_curve(cohort, predicted):
    rows = cohort.labels < 2
    values = np.random.default_rng(0).dirichlet(np.ones(3), rows.sum())
    part = predicted(cohort, "m", 0, values, rows=rows)
    assert set(curves_table(part, cohort, 0.5)["class"]) == {"a", "b"}
    # A repeat that lacks the class does not take part in its mean.
    whole = predicted(cohort, "m", 0, np.full((24, 3), 1 / 3), repeat=1)
    table = curves_table(pd.concat([part, whole]), cohort, 0.5)
    single = table[(table["class"] == "c") & (table.curve == "roc")]
    assert single["y"].to_numpy() == pytest.approx(GRID)


def test_the_interval_by_hand(make_cohort, predicted):
    """Two folds of a class whose curve without the other is 0 or 1 below a rate of 1."""
    cohort = make_cohort(np.array([0, 1, 0, 1]))
    first = np.array([0.9, 0.1, 0.2, 0.8])  # right in the first fold, wrong in the second
    folds = np.array([0, 0, 1, 1])
    part = predicted(cohort, "m", folds, np.column_stack([first, 1 - first]))
    table = curves_table(part, cohort, 0.25)
    found = table[(table["class"] == "a") & (table.curve == "roc")].set_index("x")
    # Of a .9 and .2, of b .1 and .8: recall is 1/2 below a rate of 1/2, and 1 from there.
    assert found.loc[0.4, "y"] == 0.5
    # Without the second fold recall is 1, without the first 0: pseudo-values 2 * .5 - 1 = 0 and
    # 2 * .5 - 0 = 1. Their variance is 1/2, t of one degree of freedom 12.706, and the half-width
    # 12.706 * sqrt((1/2 + 1/4) / 2) = 7.78, cut at 0 and 1.
    assert tuple(found.loc[0.4, ["lower", "upper"]]) == (0, 1)
    alone = curves_table(part.assign(method="m/rna"), cohort, 0.25)
    assert alone[["lower", "upper"]].isna().all(axis=None)


def test_the_interval_is_that_of_pseudo_values(cohort, predictions):
    ratio, place = 0.5, 20
    table = curves_table(predictions, cohort, ratio)
    mine = predictions[predictions.method == "one"]
    pseudo = []
    for repeat in (0, 1):
        part = mine[mine.repeat == repeat]
        whole, *rest = (
            roc(cohort.labels[cohort.positions(each["sample"])] == 2, each["p:c"].to_numpy())[place]
            for each in (part, *(part[part.fold != fold] for fold in range(3)))
        )
        pseudo += [3 * whole - 2 * each for each in rest]
    half = 2.5706 * np.sqrt((1 / 6 + ratio) * np.var(pseudo, ddof=1))  # t of five degrees
    row = table[(table.method == "one") & (table["class"] == "c") & (table.curve == "roc")]
    found = row.iloc[place]
    assert found["lower"] == pytest.approx(max(found["y"] - half, 0), abs=2e-4)
    assert found["upper"] == pytest.approx(min(found["y"] + half, 1), abs=2e-4)


def test_repeats_of_the_same_folds_narrow_nothing(cohort, predictions):
    once = predictions[predictions.repeat == 0]
    again = pd.concat([once, once.assign(repeat=1)])
    pd.testing.assert_frame_equal(curves_table(once, cohort, 0.5), curves_table(again, cohort, 0.5))
