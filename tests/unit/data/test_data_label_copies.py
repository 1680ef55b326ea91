"""A feature that is the label is told of, and one that is so by chance is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from balmi.data.label_copies import _copies, indicators, label_copies, label_remarks
from balmi.data.numeric import NumericTable

LABELS = np.array(["a", "b", "b", "c"] * 15)


def table_of(copy, form=np.asarray, width=5):
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.poisson(1, (len(copy), width)), copy]).astype(float)
    index = pd.Index([f"s{row}" for row in range(len(copy))])
    return NumericTable.of(
        form(values), index, pd.Index([*map("f{}".format, range(width)), "copy"])
    )


def with_columns(columns, form=np.asarray):
    rng = np.random.default_rng(0)
    values = np.column_stack([*columns, rng.poisson(1, (len(columns[0]), 5))]).astype(float)
    index = pd.Index([f"s{row}" for row in range(len(values))])
    return NumericTable.of(form(values), index, pd.RangeIndex(values.shape[1]).astype(str))


def coded(labels, codes=(0, 3, -1)):
    return np.array(codes, dtype=float)[np.unique(labels, return_inverse=True)[1]]


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_a_copy_of_the_label_is_found(form):
    assert label_copies(table_of(coded(LABELS), form), LABELS) == ["copy"]
    ((found, meaning),) = label_remarks(table_of(coded(LABELS), form), LABELS)
    assert found == "1 feature with one value for every class: 'copy'"
    assert "leave it out" in meaning


def test_cells_without_a_value_hide_no_copy():
    copy = coded(LABELS)
    copy[[0, 1, 3, 59]] = np.nan
    assert label_copies(table_of(copy), LABELS) == ["copy"]
    copy[:10] = np.nan  # measured in fewer than nine of ten
    assert label_copies(table_of(copy), LABELS) == []


@pytest.mark.parametrize("codes", [(0, 3, 3), (0, 0, 0)])
def test_two_classes_of_one_value_are_no_copy(codes):
    assert label_remarks(table_of(coded(LABELS, codes)), LABELS) == []


@pytest.mark.parametrize("form", [np.asarray, csr_array])
@pytest.mark.parametrize("columns", ["abc", "ab", "ca"])
def test_a_column_for_every_class(form, columns):
    table = with_columns([name == LABELS for name in columns], form)
    assert sorted(indicators(table, LABELS)) == sorted(table.columns[: len(columns)])
    assert label_copies(table, LABELS) == []
    ((found, _),) = label_remarks(table, LABELS)
    assert found.startswith(f"{len(columns)} features that together tell every class")


def test_one_column_tells_one_class_of_others_as_a_mutation_may():
    assert indicators(with_columns([LABELS == "b"] * 3), LABELS) == []


def test_columns_that_miss_a_sample_or_that_chance_may_make_are_none_for_every_class():
    off = (LABELS == "a") ^ (np.arange(60) == 7)
    assert indicators(with_columns([LABELS == "b", off]), LABELS) == []
    few = LABELS[:12]
    assert indicators(with_columns([few == name for name in "abc"]), few) == []


@pytest.mark.parametrize("row", [0, 30, 58])
def test_one_sample_that_differs_makes_it_a_measurement(row):
    copy = coded(LABELS)
    copy[row] += 0.5
    assert label_copies(table_of(copy), LABELS) == []


def test_what_chance_may_make_is_not_told():
    """Of 20 samples 2 are of a class: 190 arrangements, which 1,000 features may all be."""
    rare = np.array(["a"] * 18 + ["b"] * 2)
    assert label_copies(table_of(coded(rare, (0, 1)), width=999), rare) == []
    even = np.array(["a"] * 10 + ["b"] * 10)  # 184,756 arrangements
    assert label_copies(table_of(coded(even, (0, 1)), width=99), even) == ["copy"]
    assert label_copies(table_of(coded(even, (0, 1)), width=199), even) == []


def test_one_class_has_no_copy():
    assert label_copies(table_of(np.ones(60)), np.array(["a"] * 60)) == []


def test_few_features_of_sparse_counts_are_looked_at_in_whole(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.poisson(0.05, (400, 2000)).astype(float)
    labels = np.array(["a", "b"] * 200)
    values[:, 7] = labels == "b"
    index, columns = pd.RangeIndex(400).astype(str), pd.RangeIndex(2000).astype(str)
    looked = []
    monkeypatch.setattr(
        "balmi.data.label_copies._copies",
        lambda part, codes, copies=_copies: looked.append(part.shape[1]) or copies(part, codes),
    )
    assert label_copies(NumericTable.of(csr_array(values), index, columns), labels) == ["7"]
    assert sum(looked) < 40
