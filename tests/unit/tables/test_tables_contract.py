"""The contract of tables: what it makes, and what it refuses."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import balmi
from balmi.data.files import read_table, write_table
from balmi.tables.contract import SHOWN, TABLES, TEXT, Column, Table, columns_of, tables_of

RULES = Path(balmi.__file__).parents[1] / "rules"
SMALL = Table(
    name="small",
    file="tables/small.csv",
    rule="make_small",
    meaning="an example",
    columns={
        "name": Column("text", "a name", values=("a", "b")),
        "count": Column("int", "how many"),
        "share": Column("float", "of all", nullable=True),
        "p:*": Column("float", "one per class"),
    },
)


def small(**changes):
    cells = {"name": ["a", "b"], "count": [1, 2], "share": [0.5, None], "p:x": [0.1, 0.2]}
    return pd.DataFrame(cells | changes)


def test_a_table_that_keeps_it_has_no_problems():
    assert SMALL.problems(small()) == []
    assert SMALL.problems(small(**{"p:a\nb": [0.0, 1.0]})) == []
    SMALL.check(small())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ["a", "c"]}, "column name: 'c', none of a, b"),
        ({"name": ["a", None]}, "column name: 1 empty cell"),
        ({"name": [1, 2]}, "column name: cells of type integer, not text"),
        ({"count": [1, 2.5]}, "column count: numbers that are not whole"),
        ({"count": ["1", "2"]}, "column count: cells of type string, not int"),
        ({"share": [0.5, np.inf]}, "column share: numbers that are not finite"),
        ({"other": [1, 2]}, "column other: unknown"),
        ({"p:x": ["0", "1"]}, "column p:x: cells of type string, not float"),
    ],
)
def test_what_breaks_it_is_told(changes, told):
    assert SMALL.problems(small(**changes)) == [told]
    with pytest.raises(
        ValueError, match=re.escape(f"tables/small.csv breaks its contract: {told}")
    ):
        SMALL.check(small(**changes))


def test_a_column_that_is_missing_is_told():
    assert SMALL.problems(small().drop(columns="count")) == ["no column count"]


def test_a_column_that_came_later_is_empty_in_older_tables_and_must_be_written_today():
    later = {"cost": Column("float", "seconds", nullable=True, since="0.3.0")}
    grown = replace(SMALL, columns=SMALL.columns | later)
    assert grown.problems(small()) == ["no column cost"]
    assert grown.completed(small())["cost"].isna().all()
    assert grown.problems(grown.completed(small())) == []
    pd.testing.assert_frame_equal(grown.completed(small(cost=[1.0, 2.0])), small(cost=[1.0, 2.0]))
    assert grown.problems(grown.completed(small().drop(columns="count"))) == ["no column count"]


def test_every_column_that_came_later_may_be_empty():
    columns = [column for table in TABLES.values() for column in table.columns.values()]
    assert all(column.nullable for column in columns if column.since is not None)


def test_categories_are_texts():
    assert SMALL.problems(small().astype({"name": "category"})) == []


def test_a_table_without_rows_has_columns_of_its_types():
    empty = SMALL.empty(["x", "y"])
    assert list(empty) == ["name", "count", "share", "p:x", "p:y"]
    assert empty.dtypes[["count", "share", "p:y"]].astype(str).tolist() == [
        "int64",
        "float64",
        "float64",
    ]
    assert SMALL.problems(empty) == []


def test_rows_and_columns_make_the_same_table():
    plain = Table("plain", "plain.csv", "make_plain", "", dict(list(SMALL.columns.items())[:3]))
    rows = [("a", 1, 0.5), ("b", 2, 1.0)]
    columns = {"name": ["a", "b"], "count": [1, 2], "share": [0.5, 1.0]}
    pd.testing.assert_frame_equal(plain.of(rows), plain.of(columns))
    assert plain.typed([("a", 1.0, 1)]).dtypes.astype(str).tolist()[1:] == ["int64", "float64"]


def test_a_table_that_breaks_it_is_not_written(tmp_path):
    table = TABLES["methods"].of([("uniform", "fine", None, "cpu", 1.0, 2.0)])
    with pytest.raises(ValueError, match="'fine', none of ok, not_applicable, failed"):
        write_table(table, tmp_path / "methods.csv", "methods")
    assert not list(tmp_path.iterdir())


def test_texts_that_look_like_numbers_stay_texts(tmp_path):
    table = TABLES["embedding"].of([("007", "1", *[0.5, 0.25] * 2), ("NA", "2", *[1.5, 2.0] * 2)])
    write_table(table, tmp_path / "embedding.csv", "embedding")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "embedding.csv").astype(object), table.astype(object)
    )


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_is_written_by_a_rule_that_there_is(table):
    rules = "\n".join(path.read_text(encoding="utf-8") for path in RULES.glob("*.smk"))
    assert re.search(rf"^rule {table.rule}:$", rules, flags=re.MULTILINE)
    assert all(column.meaning for column in table.columns.values())
    assert table.empty(["x"]).columns.size == len(table.columns)


def test_a_name_holds_text_everywhere_or_is_read_by_its_cells():
    assert {"class", "sample", "modality", "reason"} <= TEXT
    assert "value" not in TEXT  # a number in performance.csv, words in trust.csv
    assert set(SHOWN) < set(TABLES)


def test_what_a_rule_writes_and_depends_on():
    assert tables_of("assess_trust") == {
        "absence": "results/{dataset}/tables/absence.csv",
        "trust": "results/{dataset}/tables/trust.csv",
    }
    entry = columns_of("methods")["methods"]
    assert entry["reason"] == ["text", True, []]
    assert entry["status"] == ["text", False, ["ok", "not_applicable", "failed"]]
