"""Reliability of the predicted class's probability."""

import numpy as np
import pandas as pd
import pytest

from balmi.evaluation.calibration import reliability_table
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import wilson_interval


def test_by_hand(make_cohort, predicted):
    cohort = make_cohort(np.array([0, 0, 1, 1]))
    first = np.array([[0.92, 0.08], [0.62, 0.38], [0.68, 0.32], [0.04, 0.96]])
    second = np.array([[0.94, 0.06], [0.3, 0.7], [0.06, 0.94], [0.0, 1.0]])
    tables = [predicted(cohort, "m", [0, 1, 0, 1], p, i) for i, p in enumerate((first, second))]
    found = reliability_table(pd.concat(tables), cohort)
    # Bins of the first repeat: .92 and .96 right, .62 right, .68 wrong; of the second: .7 wrong,
    # the others right.
    assert found["bin"].tolist() == [6, 7, 9]
    assert found["confidence"].tolist() == pytest.approx([0.65, 0.7, 4.76 / 5])
    assert found["accuracy"].tolist() == [0.5, 0, 1]
    assert found["samples"].tolist() == [1, 0.5, 2.5]
    for row in found.itertuples():
        limits = wilson_interval(row.accuracy, row.samples)
        assert (row.lower, row.upper) == pytest.approx(limits)


def test_the_same_predictions_twice_say_nothing_more(cohort, predicted):
    values = np.random.default_rng(0).dirichlet(np.ones(3), 24)
    folds = np.arange(24) % 3
    once = predicted(cohort, "m", folds, values)
    twice = pd.concat([once, once.assign(repeat=1)])
    tables = [reliability_table(each, cohort) for each in (once, twice)]
    pd.testing.assert_frame_equal(*tables)


def test_the_gaps_are_the_calibration_error(cohort, predictions):
    one = predictions[(predictions.method == "one") & (predictions.repeat == 0)]
    found = reliability_table(one, cohort)
    gap = (found["accuracy"] - found["confidence"]).abs() * found["samples"]
    values = one[["p:a", "p:b", "p:c"]].to_numpy()
    labels = cohort.labels[cohort.positions(one["sample"])]
    assert found["samples"].sum() == 24
    assert gap.sum() / 24 == pytest.approx(METRICS["ece"](labels, values))
