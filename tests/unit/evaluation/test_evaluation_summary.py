"""Means over folds with their intervals."""

import numpy as np
import pandas as pd
import pytest

from balmi.evaluation.statistics import corrected_interval
from balmi.evaluation.summary import summary_table

RATIO = 0.25
LIMITS = ["mean", "lower", "upper"]


def table(metric, values, **columns):
    rows = {"method": "one", "repeat": 0, "fold": range(len(values)), **columns}
    return pd.DataFrame({**rows, "metric": metric, "value": values})


NO_CLASSES = table("f1", [], **{"class": "a"})


def test_mean_and_interval_of_every_metric_and_class():
    whole, single = [0.5, 0.6, 0.55], [0.4, 0.3, 0.5]
    found = summary_table(table("macro_f1", whole), table("f1", single, **{"class": "a"}), RATIO)
    assert found["metric"].tolist() == ["macro_f1", "f1"]
    assert found["class"].isna().tolist() == [True, False]
    assert found["folds"].tolist() == [3, 3]
    for values, (_, row) in zip((whole, single), found.iterrows(), strict=True):
        expected = corrected_interval(np.array(values), RATIO)
        assert tuple(row[LIMITS]) == pytest.approx((expected.mean, expected.lower, expected.upper))


@pytest.mark.parametrize(
    ("metric", "values", "lower", "upper"),
    [
        ("macro_f1", [0.9, 1.0, 0.8], None, 1.0),
        ("ece", [0.0, 0.1, 0.3], 0.0, None),
        ("mcc", [-0.9, -0.4, -1.0], -1.0, None),
        ("brier", [1.9, 1.7, 1.8], None, 2.0),
        ("log_loss", [0.1, 3.0, 5.0], 0.0, None),
    ],
)
def test_intervals_are_cut_at_the_bounds_of_the_metric(metric, values, lower, upper):
    row = summary_table(table(metric, values), NO_CLASSES, RATIO).iloc[0]
    uncut = corrected_interval(np.array(values), RATIO)
    assert row["lower"] == pytest.approx(uncut.lower if lower is None else lower)
    assert row["upper"] == pytest.approx(uncut.upper if upper is None else upper)


def test_folds_without_a_value_do_not_count():
    row = summary_table(table("macro_auroc", [0.8, np.nan, 0.82]), NO_CLASSES, RATIO).iloc[0]
    expected = corrected_interval(np.array([0.8, 0.82]), RATIO)
    assert (row["mean"], row["lower"], row["folds"]) == pytest.approx((0.81, expected.lower, 2))


@pytest.mark.parametrize(("values", "mean"), [([0.7, np.nan], 0.7), ([np.nan, np.nan], np.nan)])
def test_no_interval_of_fewer_than_two_values(values, mean):
    row = summary_table(table("mcc", values), NO_CLASSES, RATIO).iloc[0]
    assert row["mean"] == pytest.approx(mean, nan_ok=True)
    assert row["folds"] == np.isfinite(values).sum()
    assert row[["lower", "upper"]].isna().all()
