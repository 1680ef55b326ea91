"""Sample by sample: who misses it, and what each modality says of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from balmi.data.files import read_table, write_table
from balmi.evaluation.samples import counted_methods, samples_table, shown_method
from balmi.tables.contract import TABLES

RNA, MIRNA = "unimodal-pooled/rna", "unimodal-lr/mirna"


@pytest.fixture
def four(make_cohort):
    """Return four samples of the classes a, a, b, b; the last one lacks mirna."""
    cohort = make_cohort(np.array([0, 0, 1, 1]), groups=np.array(["x", "x", "y", "y"]))
    values = dict(cohort.tables)
    values["mirna"] = values["mirna"].copy()
    values["mirna"][3] = np.nan
    return replace(cohort, values=values)


def said(cohort, method, first, repeat=0):
    """Return a method's predictions: the probability of a by sample."""
    first = np.array(first)
    return pd.DataFrame(
        {
            "sample": cohort.samples,
            "repeat": repeat,
            "fold": 0,
            "method": method,
            "p:a": first,
            "p:b": 1 - first,
        }
    )


@pytest.fixture
def table(four):
    """Three methods of all modalities, two of one, one of none; the pool in three repeats."""
    parts = [
        said(four, "pooled", [0.9, 0.4, 0.2, 0.7], 0),
        said(four, "pooled", [0.8, 0.4, 0.3, 0.9], 1),
        said(four, "pooled", [0.7, 0.8, 0.1, 0.8], 2),
        said(four, "stacked-lr", [0.9, 0.1, 0.6, 0.9]),
        said(four, "balanced", [0.6, 0.7, 0.1, 0.6]),
        said(four, "pooled/linear", [0.6, 0.1, 0.1, 0.1]),
        said(four, "absence-lr", [0.1, 0.1, 0.9, 0.1]),
        said(four, "unimodal-pooled", [0.1, 0.1, 0.9, 0.1]),
        said(four, RNA, [0.9, 0.2, 0.3, 0.6]),
        said(four, "unimodal-lr/rna", [0.1, 0.9, 0.9, 0.1]),
        said(four, MIRNA, [0.4, 0.3, 0.2, 0.9]),
    ]
    return samples_table(pd.concat(parts, ignore_index=True), four)


def test_by_hand(table, four):
    assert list(table["sample"]) == list(four.samples)
    assert list(table["class"]) == ["a", "a", "b", "b"]
    assert list(table["group"]) == ["x", "x", "y", "y"]
    # The pool decides on a in one of three repeats for the second sample, on a always for the last.
    assert list(table["predicted"]) == ["a", "b", "b", "a"]
    assert list(table["class_p"]) == [0.8, 0.533, 0.8, 0.2]
    assert list(table["predicted_p"]) == [0.8, 0.467, 0.8, 0.8]
    assert list(table["right"]) == [1, 0.333, 1, 0]
    # Of pooled, stacked-lr and balanced: restricted methods, and those without modalities, count
    # for nothing.
    assert list(table["methods"]) == [3, 3, 3, 3]
    assert list(table["wrong"]) == [0, 2, 1, 3]
    assert list(table["agree"]) == [0, 2, 1, 3]
    assert list(table["other"]) == [None, "b", "a", "a"]


def test_modalities_speak_for_themselves(table):
    assert list(table["predicted:rna"]) == ["a", "b", "b", "a"]
    assert list(table["probability:rna"]) == [0.9, 0.8, 0.7, 0.6]
    # Without unimodal-pooled of a modality its regression speaks; of what is lacking nothing does.
    assert list(table["predicted:mirna"]) == ["b", "b", "b", None]
    assert table["probability:mirna"].to_numpy() == pytest.approx(
        [0.6, 0.7, 0.8, np.nan], nan_ok=True
    )


def test_half_of_the_repeats_is_no_miss(four):
    parts = [said(four, "m", [0.9] * 4, 0), said(four, "m", [0.2] * 4, 1)]
    found = samples_table(pd.concat(parts), four)
    assert list(found["right"]) == [0.5] * 4
    assert list(found["wrong"]) == [0] * 4
    # One repeat each: the more probable class is the choice, a with .55.
    assert list(found["predicted"]) == ["a"] * 4
    assert list(found["predicted_p"]) == [0.55] * 4


def test_a_sample_that_was_never_tested_has_no_row(four):
    first = said(four, "pooled", [0.9] * 4).iloc[:3]
    other = said(four, "stacked-lr", [0.1] * 4).iloc[1:]
    found = samples_table(pd.concat([first, other]), four)
    assert list(found["sample"]) == list(four.samples[:3])
    assert list(found["methods"]) == [1, 2, 2]
    assert list(found["wrong"]) == [0, 1, 1]


def test_nothing_but_held_out_predictions_counts(four, table):
    """Labels of a sample decide in its own row alone: no other sample's row changes with them."""
    changed = replace(four, labels=np.array([0, 1, 1, 1]))
    predictions = said(four, "pooled", [0.9, 0.4, 0.2, 0.7])
    one, two = samples_table(predictions, four), samples_table(predictions, changed)
    pd.testing.assert_frame_equal(one.drop(index=1), two.drop(index=1))
    assert one.loc[1, "class_p"] + two.loc[1, "class_p"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("methods", "shown"),
    [
        (["stacked-lr", "balanced", "pooled"], "pooled"),
        (["stacked-lr", "balanced"], "balanced"),
        (["stacked-lr", "late-fusion"], "stacked-lr"),
    ],
)
def test_the_method_follows_from_which_there_are(methods, shown):
    assert shown_method(methods) == shown
    assert counted_methods([*methods, "majority", "unimodal-lr", "pooled/linear"]) == tuple(methods)


def test_it_is_read_as_written_where_names_look_like_numbers(tmp_path, make_cohort):
    cohort = make_cohort(np.array([0, 0, 1, 1]), {"1": 2, "NA": 2, "=x": 2})
    cohort = replace(cohort, classes=("1", "NA"))
    parts = [
        said(cohort, name, [0.9, 0.4, 0.2, 0.7]).rename(columns={"p:a": "p:1", "p:b": "p:NA"})
        for name in ("pooled", "unimodal-pooled/1", "unimodal-lr/NA", "unimodal-lr/=x")
    ]
    table = samples_table(pd.concat(parts), cohort)
    assert list(table["predicted:NA"]) == ["1", "NA", "NA", "1"]
    write_table(table, tmp_path / "samples.csv", "per_sample")
    for name in ("per_sample", None):
        read = read_table(tmp_path / "samples.csv", name)
        assert list(read) == list(table)
        assert list(read["predicted:NA"]) == ["1", "NA", "NA", "1"]
        assert list(read["predicted:=x"]) == ["1", "NA", "NA", "1"]


def test_without_predictions_the_table_is_empty(four):
    empty = samples_table(said(four, "m", [0.5] * 4).iloc[:0], four)
    assert not len(empty)
    assert TABLES["per_sample"].problems(empty) == []
