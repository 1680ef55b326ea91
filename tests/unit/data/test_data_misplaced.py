"""Columns of measurements that are none are told of, and measurements are not."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from balmi.config.kinds import Kind
from balmi.data.misplaced import misplaced
from balmi.data.numeric import NumericTable

COUNT = 20
ROWS = np.arange(COUNT)


def table_of(form=np.asarray, count=COUNT, **columns):
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.poisson(3, (count, 6)).astype(float)).add_prefix("gene")
    for name, column in columns.items():
        values[name] = column
    index = pd.Index([f"s{row}" for row in range(count)])
    return NumericTable.of(form(values.to_numpy()), index, pd.Index(values.columns, dtype=str))


def told(table, kind=Kind.GENERIC, named=()):
    return [found for found, _ in misplaced(table, kind, named)]


@pytest.mark.parametrize("form", [np.asarray, csr_array])
@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("Unnamed: 0", ROWS),
        ("any", 5 + ROWS),
        ("kept", np.delete(np.arange(30), range(0, 30, 3))),  # of a table that was filtered
        ("patient_id", 1000 - ROWS),
        ("SampleID", (7 * ROWS) % 20),
    ],
)
def test_numbers_of_samples(form, name, numbers):
    table = table_of(form, **{name: numbers})
    assert told(table) == [f"1 feature with numbers of samples: {name!r}"]


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("age", 90 - 3 * ROWS),
        ("day", ROWS // 3),
        ("rising", ROWS + 0.5),
        ("patient_id", ROWS + 0.5),
        ("patients", np.ones(COUNT)),
        ("later", np.where(ROWS == 3, np.nan, ROWS)),
    ],
)
def test_measurements_that_number_nothing(name, numbers):
    assert told(table_of(**{name: numbers})) == []


def test_few_samples_may_be_in_the_order_of_a_feature():
    assert told(table_of(count=14, any=np.arange(14))) == []


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_a_total_of_all_others(form):
    table = table_of()
    total = table.values.sum(axis=1)
    assert told(table_of(form, sums=total)) == ["1 feature with the sum of all others: 'sums'"]
    assert told(table_of(form, sums=np.where(ROWS == 7, total + 1, total))) == []
    assert told(table_of(form, sums=total / 6)) == []


def test_parts_that_were_rounded_make_a_total():
    rng = np.random.default_rng(1)
    parts = rng.random((COUNT, 5))
    values = np.column_stack([parts.round(7), parts.sum(axis=1).round(7)])
    index, columns = pd.RangeIndex(COUNT).astype(str), pd.RangeIndex(6).astype(str)
    assert told(NumericTable(index, columns, values)) == [
        "1 feature with the sum of all others: '5'"
    ]


def test_columns_of_the_table_of_samples():
    table = table_of(Subtype=ROWS % 2, ward=ROWS // 2)
    assert told(table, named=["subtype", None, "ward"]) == [
        "2 features named as label, group or folds are: 'Subtype', 'ward'"
    ]
    assert told(table, named=["site"]) == []


def test_reads_that_were_counted_for_no_gene():
    names = ["__no_feature", "N_unmapped", "Unassigned_Ambiguity", "__ambiguous"]
    table = table_of(**dict.fromkeys(names, ROWS % 7))
    (found,) = told(table, Kind.RNA_COUNTS)
    assert found == (
        "4 features of reads counted for no gene: '__no_feature', 'N_unmapped',"
        " 'Unassigned_Ambiguity', …"
    )
    assert told(table, Kind.RNA_LOG) == []


def test_a_table_without_values_has_none():
    empty = NumericTable(
        pd.RangeIndex(COUNT).astype(str), pd.Index(list("abcd")), np.zeros((COUNT, 4))
    )
    assert told(empty) == []
    nothing = NumericTable(empty.index, empty.columns, np.full((COUNT, 4), np.nan))
    assert told(nothing) == []
