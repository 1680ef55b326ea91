"""Folds that test the same samples are counted once."""

import numpy as np
import pandas as pd
import pytest
from evaluated import evaluated

from balmi.evaluation.distinct import counted_once, distinct_folds, first_alike

KEYS = (["method", "metric"], ["value"])


def dealt(*repeats):
    """Test samples of every fold; a repeat is a list of folds, a fold a text of samples."""
    rows = [
        {"repeat": repeat, "fold": fold, "sample": sample}
        for repeat, folds in enumerate(repeats)
        for fold, samples in enumerate(folds)
        for sample in samples
    ]
    return pd.DataFrame(rows)


def scored(tested, values):
    folds = tested[["repeat", "fold"]].drop_duplicates()
    return folds.assign(method="one", metric="macro_f1", value=values)


def test_a_fold_is_alike_whatever_its_number_and_the_order_of_its_samples():
    alike = first_alike(dealt(["ab", "cd", "ef"], ["dc", "af", "ba"]))
    found = list(zip(alike["repeat_alike"], alike["fold_alike"], strict=True))
    assert found == [(0, 0), (0, 1), (0, 2), (0, 1), (1, 1), (0, 0)]
    assert distinct_folds(alike) == 4


def test_values_of_folds_alike_are_averaged_by_hand():
    tested = dealt(["ab", "cd"], ["cd", "ab"], ["ac", "bd"])
    table = scored(tested, [0.1, 0.2, 0.4, 0.5, 0.7, 0.8])
    once = counted_once(table, first_alike(tested), *KEYS)
    assert once[["repeat", "fold"]].to_numpy().tolist() == [[0, 0], [0, 1], [2, 0], [2, 1]]
    assert once["value"].to_numpy() == pytest.approx([0.3, 0.3, 0.7, 0.8])


def test_a_fold_without_a_value_leaves_that_of_the_fold_alike():
    tested = dealt(["ab", "cd"], ["ab", "cd"])
    once = counted_once(scored(tested, [np.nan, 0.2, 0.4, np.nan]), first_alike(tested), *KEYS)
    assert once["value"].to_numpy() == pytest.approx([0.4, 0.2])


def test_a_table_without_rows_stays_without_rows():
    alike = first_alike(dealt(["ab", "cd"], ["cd", "ab"]))
    assert counted_once(scored(dealt(["a"]), 0.5).iloc[:0], alike, *KEYS).empty


def test_nothing_changes_where_all_folds_differ():
    tested = dealt(["ab", "cd"], ["ac", "bd"])
    table = scored(tested, [0.1, 0.2, 0.4, 0.5])
    assert counted_once(table, first_alike(tested), *KEYS) is table


def test_repeats_of_one_partition_make_no_interval_narrower(cohort, predictions):
    once = predictions[predictions["repeat"] == 0]
    again = pd.concat([once.assign(repeat=repeat) for repeat in range(5)])
    single, repeated = (evaluated(table, cohort) for table in (once, again))
    for name in ("comparisons", "summary"):
        numbers = ["lower", "upper", "folds"]
        pd.testing.assert_frame_equal(single[name][numbers], repeated[name][numbers])
    assert set(repeated["comparisons"]["dealt"]) == {15}
    assert set(single["comparisons"]["dealt"]) == {3}
