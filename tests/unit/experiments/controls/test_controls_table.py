"""The table of negative controls, by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from balmi.evaluation.at_chance import Reading, read_control
from balmi.experiments.controls.table import control_table
from balmi.experiments.robustness import run_status_table
from balmi.tables.contract import TABLES

CLASSES = ("a", "b")


def predictions(folds, control="leak", method="m"):
    """Return rows of folds, each a list of (truth, probability of b)."""
    return pd.DataFrame(
        [
            {"control": control, "method": method, "repeat": 0, "fold": fold, "sample": f"s{place}"}
            | {"truth": truth, "p:a": 1 - p, "p:b": p}
            for fold, rows in enumerate(folds)
            for place, (truth, p) in enumerate(rows)
        ]
    )


RIGHT = [("a", 0.1), ("a", 0.2), ("b", 0.8), ("b", 0.9)]  # AUROC 1
HALF = [("a", 0.1), ("a", 0.9), ("b", 0.5), ("b", 0.6)]  # AUROC 1/2
MOST = [("a", 0.1), ("a", 0.5), ("b", 0.4), ("b", 0.6)]  # AUROC 3/4
ALONE = [("a", 0.1), ("a", 0.2)]  # no AUROC


@pytest.mark.parametrize(("control", "ratio"), [("labels", 0.25), ("leak", 0.0)])
def test_limits_are_corrected_where_folds_share_training_samples(control, ratio):
    folds = [RIGHT, MOST, MOST, MOST, MOST, MOST]
    (row,) = control_table([predictions(folds, control)], CLASSES, 0.25).itertuples()
    assert (row.control, row.method, row.metric, row.folds) == (control, "m", "macro_auroc", 6)
    error = np.sqrt((1 / 6 + ratio) / 96)  # scores of 1 and five times 3/4 have the variance 1/96
    mean = 4.75 / 6
    assert row.value == pytest.approx(mean)
    assert row.lower == pytest.approx(mean - stats.t.ppf(0.975, 5) * error)
    assert row.upper == pytest.approx(mean + stats.t.ppf(0.975, 5) * error)
    assert row.lower99 == pytest.approx(mean - stats.t.ppf(0.995, 5) * error)


@pytest.mark.parametrize(
    ("limits", "reading"),
    [
        ((0.45, 0.55, 0.43), Reading.CHANCE),
        ((0.4, 0.599, 0.3), Reading.CHANCE),
        ((0.315, 0.691, 0.2), Reading.WIDE),
        ((0.1, 0.45, 0.05), Reading.CHANCE),
        ((0.501, 0.9, 0.5), Reading.DOUBTFUL),
        ((0.6, 0.9, 0.501), Reading.LEAKS),
        ((np.nan, np.nan, np.nan), Reading.UNKNOWN),
        ((0.4, 0.6, np.nan), Reading.UNKNOWN),
    ],
)
def test_an_interval_is_read_alike_everywhere(limits, reading):
    assert read_control(*limits) is reading


def test_limits_are_cut_at_the_bounds_of_the_metric():
    (row,) = control_table([predictions([RIGHT, HALF])], CLASSES, 0.25).itertuples()
    assert (row.value, row.lower, row.upper, row.lower99) == (0.75, 0, 1, 0)


def test_folds_of_one_class_are_left_out():
    (row,) = control_table([predictions([RIGHT, ALONE, HALF])], CLASSES, 0.25).itertuples()
    assert (row.value, row.folds) == (0.75, 2)


@pytest.mark.parametrize(("folds", "value", "count"), [([ALONE], np.nan, 0), ([MOST], 0.75, 1)])
def test_a_single_fold_has_no_limits(folds, value, count):
    (row,) = control_table([predictions(folds)], CLASSES, 0.25).itertuples()
    np.testing.assert_equal(row.value, value)
    assert row.folds == count
    assert np.isnan([row.lower, row.upper, row.lower99]).all()


def test_each_control_and_method_has_its_row():
    tables = [predictions([RIGHT, HALF], *key) for key in (("leak", "m"), ("labels", "m"))]
    tables.append(predictions([MOST, MOST], "labels", "other"))
    found = control_table(tables, CLASSES, 0.25)
    assert list(found) == list(TABLES["controls"].names)
    keys = list(zip(found["control"], found["method"], strict=True))
    assert keys == [("leak", "m"), ("labels", "m"), ("labels", "other")]
    assert found["lower99"].tolist()[2] == 0.75  # no spread, and so no width


def test_nothing_that_was_run_leaves_tables_without_rows():
    empty = predictions([RIGHT]).iloc[:0]
    for tables in ([], [empty], [empty, empty]):
        assert list(control_table(tables, CLASSES, 0.25)) == list(TABLES["controls"].names)
    found = run_status_table([])
    assert found.empty
    assert list(found) == list(TABLES["robustness_status"].names)
