"""What is wrong with one table: its names and its cells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data_source import COUNT, found_in

from balmi.config.kinds import RANGES, Kind
from balmi.data.reading import read_tables
from balmi.data.table_checks import to_numeric


@pytest.mark.parametrize("content", [b"", b"id,g1\n", b"id\ns00\ns01\n", b"\n\n"])
def test_empty_table_of_measurements(source, content):
    source.modalities["rna"] = content
    found = source.problem()
    assert found.where == f"datasets.own.modalities.rna: {source.folder / 'rna.csv'}"
    assert found.found.startswith("an empty table (")
    assert "feature" in found.found
    assert ".csv is split at commas" in found.allowed


@pytest.mark.parametrize("content", [b"", b"id,subtype\n", b"id\ns00\ns01\n"])
def test_empty_table_of_samples(source, content):
    source.samples = content
    found = source.problem()
    assert found.where == f"datasets.own.samples: {source.folder / 'samples.csv'}"
    assert found.found.startswith("an empty table (")


def test_unknown_label_column(source):
    source.label = "subtyp"
    found = source.problem()
    assert found.where == "datasets.own.label"
    assert found.found == "'subtyp', which is no column of the table"
    assert found.allowed == "one of 'subtype', 'patient'"
    assert found.nearest == "'subtype'"


def test_unknown_group_column(source):
    source.group = "Patients"
    found = source.problem()
    assert found.where == "datasets.own.group"
    assert found.nearest == "'patient'"


@pytest.mark.parametrize("key", ["label", "group"])
def test_column_that_occurs_twice(source, key):
    source.group = "patient"
    name = {"label": "subtype", "group": "patient"}[key]
    source.samples.insert(0, name, "x", allow_duplicates=True)
    found = source.problem()
    assert found.where == f"datasets.own.{key}"
    assert found.found == f"{name!r}, which names 2 columns"


def test_the_first_column_is_the_id_and_no_label(source):
    source.label = "id"
    assert source.problem().found == "'id', which is no column of the table"


def test_duplicate_sample_ids(source):
    source.samples = pd.concat([source.samples, source.samples.iloc[[3, 5, 5]]])
    source.modalities["rna"] = pd.concat(
        [source.modalities["rna"], source.modalities["rna"].iloc[[1]]]
    )
    problems = source.problems()
    found = found_in(problems, "samples:")
    assert (
        found.found
        == "sample ids that occur more than once: 's03' (number 4, 25), 's05' (number 6, 26, 27)"
    )
    assert found.allowed == "every sample id once"
    found = found_in(problems, "modalities.rna")
    assert found.found == "sample ids that occur more than once: 's01' (number 2, 25)"


def test_duplicate_feature_names(source):
    source.modalities["rna"].columns = ["g1", "g2", "g1"]
    found = source.problem()
    assert found.where.startswith("datasets.own.modalities.rna: ")
    assert found.found == "feature names that occur more than once: 'g1' (number 1, 3)"


def test_many_duplicates_are_shortened(source):
    source.samples = pd.concat([source.samples, source.samples])
    assert source.problem().found.endswith(f"… ({COUNT} in all)")


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_sample_ids(source, blank):
    source.samples = source.samples.rename(index={"s04": blank})
    source.modalities["rna"] = source.modalities["rna"].rename(index={"s05": blank})
    problems = source.problems()
    told = [problem.found for problem in problems]
    assert told == ["1 row without an id: number 5 of 24", "1 row without an id: number 6 of 24"]


def test_blank_feature_names(source):
    source.modalities["rna"].columns = ["g1", "", "g3"]
    found = source.problem()
    assert (found.found, found.allowed) == ("1 feature without a name: number 2 of 3", "one each")


def test_lines_that_all_end_in_a_separator(source):
    source.modalities["rna"].insert(3, "", np.nan)
    found = source.problem()
    assert found.found == "1 feature without a name: number 4 of 4"
    assert "an empty feature at the end" in found.allowed


@pytest.mark.parametrize("empty", [",,,", ' , ,"",', "   "])
def test_rows_of_nothing_as_spreadsheets_leave_are_none(source, empty):
    source.samples["note"] = "x"
    expected = source.tables()
    dataset = source.dataset()
    for path in (dataset.samples, dataset.modalities["rna"].path):
        rows = Path(path).read_text(encoding="utf-8").splitlines()
        Path(path).write_text("\n".join([*rows[:4], empty, *rows[4:], empty]), encoding="utf-8")
    found = read_tables("own", dataset, 3)
    pd.testing.assert_frame_equal(found.samples, expected.samples)
    for name, table in expected.modalities.items():
        pd.testing.assert_frame_equal(found.modalities[name].frame(), table.frame())


def test_no_shared_sample(source):
    source.modalities["rna"].index = [f"S-{name[1:]}" for name in source.samples.index]
    found = source.problem()
    assert found.found == "no shared sample; ids here are 'S-00', 'S-01', 'S-02'"
    assert found.allowed == "ids of the table of samples, such as 's00', 's01', 's02'"
    assert found.nearest is not None


def test_no_shared_sample_in_a_transposed_table(source):
    source.modalities["rna"] = source.modalities["rna"].T
    found = source.problem()
    assert "no shared sample; ids here are 'g1', 'g2', 'g3'" in found.found
    assert "transpose the table" in found.allowed


def test_a_transposed_table_whose_ids_r_has_changed(source):
    ids = [f"TCGA-0{row:02}-01" for row in range(COUNT)]
    source.samples.index = ids
    for table in source.modalities.values():
        table.index = ids
    source.modalities["rna"] = source.modalities["rna"].T
    source.modalities["rna"].columns = [name.replace("-", ".") for name in ids]
    assert "transpose the table" in source.problem().allowed
    source.modalities["rna"] = source.modalities["rna"].T
    assert "24 ids much like one of them: 'TCGA.000.01'" in source.problem().allowed


def test_a_transposed_table_of_numbers_of_genes_that_are_numbers_of_samples_too(source):
    ids = [str(row) for row in range(COUNT)]
    source.samples.index = ids
    for table in source.modalities.values():
        table.index = ids
    genes = source.modalities["rna"] = pd.DataFrame(
        np.ones((40, COUNT)), [str(7 * gene) for gene in range(40)], ids
    )
    found = source.problem()
    assert found.found == "100% of the columns are sample ids, and 10% of the rows"
    assert "transpose the table" in found.allowed
    source.modalities["rna"] = genes.iloc[:4, :20]  # of few samples, with numbers for features
    source.tables()


def test_ids_in_a_later_column_are_named(source):
    files = [f"file{row:02}" for row in range(COUNT)]
    table = source.samples
    source.samples = table.reset_index().set_index(pd.Index(files, name="file"))
    first, *others = source.problems()
    assert first.where.startswith("datasets.own.samples: ")
    assert first.found == "the sample ids of rna in column 'id', and other ids in the first column"
    assert all(each.found.startswith("no shared sample") for each in others)
    source.samples = table
    source.modalities["rna"] = (
        source.modalities["rna"].reset_index().set_index(pd.Index(files, name="file"))
    )
    problems = source.problems()
    assert "; column 'id' holds them: put it first" in problems[0].allowed


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,234.5", "no sign between thousands"),
        ("1'234.5", "no sign between thousands"),
        ("\N{MINUS SIGN}1.5", "the hyphen of the keyboard"),
        ("(1.5)", "a minus sign in place of brackets"),
        ("12 %", "no per cent signs"),
        ("'12", "no quotes"),
        ("<0.5", "limits of detection"),
    ],
)
def test_what_to_write_in_place_of_what_is_a_number_to_people(source, text, hint):
    source.modalities["rna"] = source.modalities["rna"].astype(object)
    source.modalities["rna"].iloc[3, 1] = text
    assert hint in source.problem().allowed


def test_cells_that_are_no_number(source):
    table = source.modalities["rna"].astype(object)
    for row, column, text in [(0, "g2", "high"), (1, "g1", "1,5"), (2, "g3", "-"), (9, "g1", "x")]:
        table.iloc[row, table.columns.get_loc(column)] = text
    source.modalities["rna"] = table
    found = source.problem()
    assert found.found == (
        "4 cells that are no number: row 's00', column 'g2': 'high'; "
        "row 's01', column 'g1': '1,5'; row 's02', column 'g3': '-'; …"
    )
    assert found.allowed == "numbers, or an empty cell where nothing was measured"


@pytest.mark.parametrize("text", ["1,5", "1,234.5", "1.234,5", "-0,25"])
def test_commas_in_numbers(source, text):
    source.modalities["rna"] = source.modalities["rna"].astype(object)
    source.modalities["rna"].iloc[3, 1] = text
    assert source.problem().allowed.endswith("a decimal point, and no sign between thousands")


@pytest.mark.parametrize("value", ["inf", "-inf", "Infinity", "1e39", "-1e300"])
def test_infinite_cells(source, value):
    source.modalities["meth"] = source.modalities["meth"].astype(object)
    source.modalities["meth"].iloc[2, 1] = value
    source.kinds["meth"] = "generic"
    found = source.problem()
    assert found.found.startswith("1 infinite cell: row 's02', column 'c2': ")
    assert "finite numbers" in found.allowed


def test_empty_cells_are_no_problem(source):
    source.modalities["rna"].iloc[:5, 0] = np.nan
    assert source.tables().modalities["rna"].frame()["g1"].isna().sum() == 5


@pytest.mark.parametrize(
    ("kind", "value", "allowed"),
    [
        ("methylation-beta", 1.01, "numbers from 0 to 1 (M-values are of kind methylation-m)"),
        ("methylation-beta", -0.5, "numbers from 0 to 1"),
        ("rna-counts", -1, "whole numbers of 0 or more (log values are of kind rna-log)"),
        ("rna-counts", 2.5, "whole numbers of 0 or more"),
    ],
)
def test_values_outside_the_kinds_range(source, kind, value, allowed):
    source.modalities["meth"].loc[:] = 1.0
    source.modalities["meth"].loc["s07", "c2"] = value
    source.kinds["meth"] = kind
    found = source.problem()
    assert found.found == (
        f"1 cell outside what {kind} holds: row 's07', column 'c2': {float(value)!r}"
    )
    assert found.allowed.startswith(allowed)


@pytest.mark.parametrize("kind", Kind)
def test_values_inside_every_kinds_range(source, kind):
    source.modalities["meth"].loc[:] = [[0.0, 1.0]] * COUNT
    source.kinds["meth"] = kind
    source.tables()


@pytest.mark.parametrize("kind", sorted(set(Kind) - set(RANGES)))
def test_kinds_without_a_range_hold_any_number(source, kind):
    source.modalities["meth"].iloc[0] = [-3.5, 1e6]
    source.kinds["meth"] = kind
    source.tables()


def test_counts_from_a_program_that_rounds_are_whole(source):
    source.modalities["rna"].iloc[0, 0] = 3 + 1e-9
    source.tables()


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pd.array([1, None], dtype="Int64"), [1, np.nan]),
        (pd.array([1.5, None], dtype="Float64"), [1.5, np.nan]),
        (pd.array([True, False]), [1, 0]),
        (pd.Categorical([1, 2]), [1, 2]),
        (pd.Categorical(["1.5", None]), [1.5, np.nan]),
        (np.array([1, 2], dtype="float16"), [1, 2]),
    ],
)
def test_columns_of_other_types_are_numbers(column, numbers):
    table, problems = to_numeric(pd.DataFrame({"x": column}, index=["a", "b"]), "here")
    assert not problems
    np.testing.assert_array_equal(table.to_numpy()[:, 0], numbers)


@pytest.mark.parametrize(
    "column",
    [
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
        pd.to_datetime(["2020-01-01", "2021-01-01"], utc=True),
        pd.to_timedelta([1, 2], unit="D"),
        pd.Categorical(["low", "high"]),
        np.array([1j, 2j]),
        [[1], [2]],
    ],
)
def test_columns_of_other_types_are_no_numbers(column):
    _, problems = to_numeric(pd.DataFrame({"x": column}, index=["a", "b"]), "here")
    assert problems[0].found.startswith("2 cells that are no number: row 'a', column 'x': ")


def test_one_table_can_have_several_problems(source):
    table = source.modalities["rna"].astype(object)
    table.columns = ["g1", "g1", "g3"]
    table.iloc[0, 0] = "x"
    source.modalities["rna"] = pd.concat([table, table.iloc[[0]]])
    assert [problem.found.split(":")[0] for problem in source.problems()] == [
        "sample ids that occur more than once",
        "feature names that occur more than once",
        "2 cells that are no number",
    ]
