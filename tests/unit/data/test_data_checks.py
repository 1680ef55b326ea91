import os

import h5py
import numpy as np
import pandas as pd
import pytest
from data_source import COUNT

import balmi.data.checks
from balmi.config.kinds import RANGES, Kind
from balmi.config.settings import Dataset, Evaluation
from balmi.data.checks import check_datasets, read_tables, to_numeric
from balmi.data.files import annotated_files
from balmi.data.readers import size_of
from balmi.errors import UserError


def found_in(problems, text):
    """Return the one problem whose place holds the text."""
    (found,) = [problem for problem in problems if text in problem.where]
    return found


def test_a_cohort_in_order(source):
    source.group = "patient"
    tables = source.tables()
    assert list(tables.samples) == ["label", "group"]
    assert list(tables.samples.index) == sorted(source.samples.index)
    assert set(tables.modalities) == {"rna", "meth"}
    for table in tables.modalities.values():
        assert table.values.dtype == np.float32
    assert set(tables.dropped.values()) == {0}


def test_without_groups_there_is_no_column_of_groups(source):
    assert list(source.tables().samples) == ["label"]


def test_tables_are_sorted_by_sample_whatever_the_files_order(source):
    expected = source.tables()
    source.samples = source.samples.sample(frac=1, random_state=1)
    source.modalities["rna"] = source.modalities["rna"].sample(frac=1, random_state=2)
    tables = source.tables()
    pd.testing.assert_frame_equal(tables.samples, expected.samples)
    pd.testing.assert_frame_equal(
        tables.modalities["rna"].frame(), expected.modalities["rna"].frame()
    )


# Files


def test_missing_file_of_samples_and_of_a_modality(source):
    source.samples, source.modalities["meth"] = "sampels.csv", "met.csv"
    (source.folder / "samples.csv").write_text("id\n")
    (source.folder / "meth.csv").write_text("id\n")
    problems = source.problems()
    for found, near in (("sampels.csv", "samples.csv"), ("met.csv", "meth.csv")):
        assert found_in(problems, found).nearest == repr(str(source.folder / near))
    assert {problem.found for problem in problems} == {"no such file"}


def test_wrong_extension(source):
    source.modalities["rna"] = "rna.xlsx"
    (source.folder / "rna.xlsx").write_bytes(b"PK")
    found = source.problem()
    assert found.found == "a file ending in '.xlsx'"
    assert ".csv, .tsv, .txt, .parquet, .h5ad, .h5mu" in found.allowed


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


def test_a_broken_table_of_samples_hides_no_other_problem(source):
    source.samples = b""
    source.modalities["meth"].iloc[0, 0] = 2
    assert len(source.problems()) == 2


@pytest.mark.filterwarnings("ignore")  # mudata and anndata warn, and may go on with nothing
@pytest.mark.parametrize("ending", [".h5ad", ".h5mu"])
@pytest.mark.parametrize("member", ["x", "obs", "mod", "X"])
def test_another_programs_hdf5(source, ending, member):
    name = f"other{ending}"
    with h5py.File(source.folder / name, "w") as file:
        file[member] = [1]
    source.samples = source.modalities["rna"] = name
    assert any(str(source.folder / name) in problem.where for problem in source.problems())


# Columns and names


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
    assert found.found == "sample ids that occur more than once: 's03', 's05'"
    assert found.allowed == "every sample id once"
    found = found_in(problems, "modalities.rna")
    assert found.found == "sample ids that occur more than once: 's01'"


def test_duplicate_feature_names(source):
    source.modalities["rna"].columns = ["g1", "g2", "g1"]
    found = source.problem()
    assert found.where.startswith("datasets.own.modalities.rna: ")
    assert found.found == "feature names that occur more than once: 'g1'"


def test_many_duplicates_are_shortened(source):
    source.samples = pd.concat([source.samples, source.samples])
    assert source.problem().found.endswith(f"… ({COUNT} in all)")


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_sample_ids(source, blank):
    source.samples = source.samples.rename(index={"s04": blank})
    source.modalities["rna"] = source.modalities["rna"].rename(index={"s05": blank})
    problems = source.problems()
    assert {problem.found for problem in problems} == {"1 row without an id"}
    assert len(problems) == 2


def test_blank_feature_names(source):
    source.modalities["rna"].columns = ["g1", "", "g3"]
    assert source.problem().found == "1 feature without a name"


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


# Cells


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


# What is left out


def test_unlabelled_samples_are_dropped_and_counted(source):
    source.samples.loc[["s00", "s05"], "subtype"] = np.nan
    tables = source.tables()
    assert tables.dropped["samples without a label"] == 2
    assert not {"s00", "s05"} & set(tables.samples.index)
    assert not {"s00", "s05"} & set(tables.modalities["rna"].index)


@pytest.mark.parametrize("text", ["NA", "", "nan", "  ", "#N/A", "None"])
def test_labels_that_stand_for_none(source, text):
    source.samples.loc["s03", "subtype"] = text
    tables = source.tables()
    assert tables.dropped["samples without a label"] == 1
    assert set(tables.samples["label"]) == {"LumA", "LumB", "Her2"}


def test_a_whole_number_is_one_class_however_it_is_written(source):
    source.samples["subtype"] = np.resize(["1", "2", "1.0"], COUNT)
    tables = source.tables()
    assert set(tables.samples["label"]) == {"1", "2"}
    (caution,) = tables.warnings
    assert "8 cells of label 'subtype'" in caution.found
    assert "'1.0' as '1'" in caution.meaning


@pytest.mark.parametrize(
    "pair", [("1", "01"), ("LumA", "luma"), ("Lum A", "Lum_A"), ("é", "e"), ("A", "А")]
)
@pytest.mark.parametrize("column", ["subtype", "patient"])
def test_names_that_look_alike_are_neither_merged_nor_kept_apart(source, pair, column):
    source.group = "patient"
    source.samples[column] = np.resize([*pair, "x", "y"], COUNT)
    found = next(problem for problem in source.problems() if "look alike" in problem.found)
    assert found.where == f"datasets.own.{'label' if column == 'subtype' else 'group'}"
    assert " and ".join(map(repr, sorted(pair))) in found.found


def test_samples_without_measurements_are_dropped_and_counted(source):
    source.modalities["rna"] = source.modalities["rna"].drop(index=["s00", "s01"])
    source.modalities["meth"] = source.modalities["meth"].drop(index=["s01", "s02"])
    tables = source.tables()
    assert tables.dropped["labelled samples without any measurement"] == 1
    assert "s01" not in tables.samples.index
    assert "s00" in tables.samples.index
    assert list(tables.modalities["rna"].index[:2]) == ["s02", "s03"]


def test_a_row_of_empty_cells_is_no_measurement(source):
    source.modalities["rna"].loc["s04"] = np.nan
    source.modalities["meth"].loc["s04"] = np.nan
    source.modalities["rna"].loc["s05"] = np.nan
    tables = source.tables()
    assert tables.dropped["labelled samples without any measurement"] == 1
    assert "s04" not in tables.samples.index
    assert "s05" in tables.modalities["meth"].index
    assert "s05" not in tables.modalities["rna"].index


def test_measured_samples_that_nobody_knows_are_counted(source):
    source.samples = source.samples.drop(index=["s20", "s21", "s22"])
    tables = source.tables()
    assert tables.dropped["measured samples that the table of samples lacks"] == 3
    assert "s20" not in tables.modalities["rna"].index


def test_ids_are_compared_as_text(source):
    ids = [f"{i:03d}" for i in range(COUNT - 2)] + ["NA", "nan"]
    source.samples.index = source.modalities["rna"].index = ids
    source.modalities["meth"].index = ids
    tables = source.tables()
    assert list(tables.samples.index) == sorted(ids)
    assert set(tables.dropped.values()) == {0}


# Classes and groups


def test_a_class_rarer_than_the_folds(source):
    source.samples["subtype"] = ["LumA"] * 19 + ["Her2"] * 3 + ["LumB"] * 2
    found = source.problem(folds=5)
    assert found.where == "datasets.own.label"
    assert found.found == "classes rarer than the folds: 'Her2' has 3, 'LumB' has 2"
    assert found.allowed == "at least 5 members per class, or evaluation.folds of 2 or less"
    source.tables(folds=2)


def test_a_class_of_one_member_fits_no_number_of_folds(source):
    source.samples["subtype"] = ["LumA"] * 23 + ["Her2"]
    found = source.problem(folds=2)
    assert found.found.endswith("'Her2' has 1")
    assert found.allowed == "at least 2 members per class"


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("LumA", "classes: 'LumA'; 24 samples are left"),
        (None, "classes: none; 0 samples are left after dropping 24 samples without a label"),
    ],
)
def test_fewer_than_two_classes(source, labels, found):
    source.samples["subtype"] = labels
    problem = source.problem()
    assert (problem.where, problem.allowed) == ("datasets.own.label", "at least 2 classes")
    assert problem.found == found


def test_a_modality_of_unlabelled_samples_only(source):
    source.samples.iloc[:2, 0] = None
    source.modalities["rna"] = source.modalities["rna"].iloc[:2]
    found = source.problem()
    assert found.where == "datasets.own.modalities.rna"
    assert found.found == "no measurement of any labelled sample"


def test_a_label_of_measurements(source):
    source.samples["subtype"] = [f"{i / 7:.3f}" for i in range(24)]
    assert "a column of 24 values holds measurements" in source.problem().allowed


def test_a_missing_file_is_named_with_its_key(source):
    dataset = source.dataset().model_copy(update={"samples": str(source.folder / "nowhere.csv")})
    with pytest.raises(UserError) as caught:
        read_tables("own", dataset, 3)
    (found,) = caught.value.problems
    assert found.where == f"datasets.own.samples: {source.folder / 'nowhere.csv'}"
    assert found.found == "no such file"


def test_missing_groups(source):
    source.group = "patient"
    source.samples.loc[["s03", "s04"], "patient"] = ["", "NA"]
    found = source.problem()
    assert found.where == "datasets.own.group"
    assert found.found == "2 samples without a group: 's03', 's04'"
    assert found.allowed == "a group for every labelled sample"


def test_a_missing_group_of_a_sample_without_label_is_no_problem(source):
    source.group = "patient"
    source.samples.loc["s03", ["patient", "subtype"]] = None
    source.tables()


def test_groups_that_make_stratified_folds_impossible(source):
    source.group = "patient"
    her2 = source.samples["subtype"] == "Her2"
    source.samples.loc[her2, "patient"] = np.resize(["one", "two"], her2.sum())
    found = source.problem(folds=3)
    assert found.where == "datasets.own.group"
    assert found.found == "'Her2' lies in 2 groups"
    assert found.allowed.startswith("every class in at least 3 groups, or fewer evaluation.folds")
    source.tables(folds=2)


def test_a_group_is_one_however_blanks_and_decimals_stand(source):
    source.group = "patient"
    source.samples["patient"] = np.resize(["7", "7 ", "7.0", "8", "\u00a08"], COUNT)
    tables = source.tables(folds=2)
    assert set(tables.samples["group"]) == {"7", "8"}
    assert "cells of group 'patient'" in tables.warnings[0].found


# All datasets


def test_all_problems_of_all_datasets_at_once(source, tmp_path):
    from data_source import Source

    source.label = "subtyp"
    source.modalities["meth"].iloc[0, 0] = 3
    source.modalities["rna"].iloc[0, 0] = -1
    (tmp_path / "other").mkdir()
    other = Source(tmp_path / "other")
    other.samples["subtype"] = "LumA"
    good = Source(tmp_path)
    datasets = {
        "first": source.dataset(),
        "second": other.dataset(),
        "third": good.dataset().model_copy(update={"samples": str(tmp_path / "nowhere.csv")}),
        "fetched": Dataset(catalogue="tcga-brca"),
    }
    source.dataset()
    with pytest.raises(UserError) as caught:
        check_datasets(datasets, Evaluation(folds=3))
    assert [problem.where.split(":")[0] for problem in caught.value.problems[:4]] == [
        "datasets.first.label",
        "datasets.first.modalities.rna",
        "datasets.first.modalities.meth",
        "datasets.second.label",
    ]
    assert str(tmp_path / "nowhere.csv") in str(caught.value)
    assert str(caught.value).startswith("balmi found ")


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


@pytest.fixture
def reads(monkeypatch):
    """Return a list to which every reading of a cohort adds."""
    made, read = [], balmi.data.checks.read_tables

    def counted(name, *arguments):
        made.append(name)
        return read(name, *arguments)

    monkeypatch.setattr(balmi.data.checks, "read_tables", counted)
    return made


def test_unchanged_files_are_not_read_twice(source, reads, tmp_path):
    datasets, cache = {"own": source.dataset()}, tmp_path / "cache" / "checked"
    for _ in range(3):
        check_datasets(datasets, Evaluation(folds=3), cache)
    assert reads == ["own"]


def test_without_a_cache_files_are_read_always(source, reads):
    for _ in range(2):
        check_datasets({"own": source.dataset()}, Evaluation(folds=3))
    assert reads == ["own", "own"]


@pytest.mark.parametrize("name", ["samples.csv", "rna.csv", "meth.csv"])
def test_a_changed_content_is_read_again_and_a_changed_time_is_not(source, reads, tmp_path, name):
    datasets, cache = {"own": source.dataset()}, tmp_path / "cache"
    check_datasets(datasets, Evaluation(folds=3), cache)
    os.utime(tmp_path / name, (1, 1))
    check_datasets(datasets, Evaluation(folds=3), cache)
    assert len(reads) == 1
    text = (tmp_path / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    os.utime(tmp_path / name, (1, 1))
    check_datasets(datasets, Evaluation(folds=3), cache)
    assert len(reads) == 2


def test_another_version_of_the_checks_reads_again(source, reads, tmp_path, monkeypatch):
    datasets, cache = {"own": source.dataset()}, tmp_path / "cache"
    for version in ("old", "new", "new"):
        monkeypatch.setattr(balmi.data.checks, "code_hash", lambda _, version=version: version)
        check_datasets(datasets, Evaluation(folds=3), cache)
    assert len(reads) == 2


def test_changed_settings_are_checked_again(source, reads, tmp_path):
    cache = tmp_path / "cache"
    check_datasets({"own": source.dataset()}, Evaluation(folds=3), cache)
    check_datasets({"own": source.dataset()}, Evaluation(folds=4), cache)
    source.group = "patient"
    dataset = source.dataset()
    check_datasets({"own": dataset}, Evaluation(folds=3), cache)
    kinds = {"rna": dataset.modalities["rna"]}
    check_datasets({"own": dataset.model_copy(update={"modalities": kinds})}, Evaluation(folds=3),
                   cache)  # fmt: skip
    assert len(reads) == 4


def test_a_cohort_with_problems_is_read_until_it_has_none(source, reads, tmp_path):
    source.label = "subtyp"
    for _ in range(2):
        with pytest.raises(UserError):
            check_datasets({"own": source.dataset()}, Evaluation(folds=3), tmp_path / "cache")
    assert len(reads) == 2


@pytest.mark.parametrize("path", ["nowhere.csv", "x" * 300 + ".csv", "a\0b.csv", "."])
def test_a_file_that_cannot_be_looked_at_is_a_problem_with_a_cache_too(source, tmp_path, path):
    dataset = source.dataset().model_copy(update={"samples": path})
    with pytest.raises(UserError):
        check_datasets({"own": dataset}, Evaluation(folds=3), tmp_path / "cache")


def test_datasets_of_the_catalogue_are_left_for_later():
    check_datasets({"tcga-brca": Dataset(catalogue="tcga-brca")}, Evaluation())


# Warnings


def test_warnings_of_an_unchanged_cohort_are_said_again(source, reads, tmp_path):
    source.samples.loc["s03", "subtype"] = "NA"
    datasets, cache = {"own": source.dataset()}, tmp_path / "cache"
    first = check_datasets(datasets, Evaluation(folds=3), cache)
    assert check_datasets(datasets, Evaluation(folds=3), cache) == first
    assert reads == ["own"]
    assert first == (
        "datasets.own.samples: samples.csv: label 'subtype': texts read as a missing value, 'NA' in"
        " 1 row; if one is a name, leave it out of the list of texts in datasets.own.missing",
        "datasets.own.samples: samples.csv: 1 sample without a label: 's03'; left out",
    )


def test_a_class_called_none_is_kept_where_missing_says_so(source):
    source.samples["subtype"] = np.resize(["None", "Mild", "NA"], COUNT)
    dataset = source.dataset().model_copy(update={"missing": ["NA"]})
    tables = read_tables("own", dataset, 3)
    assert set(tables.samples["label"]) == {"None", "Mild"}


def test_numbers_of_rows_in_place_of_ids(source):
    source.samples = source.samples.reset_index().rename_axis("")
    for name, table in source.modalities.items():
        source.modalities[name] = table.reset_index(drop=True).rename_axis("")
    found = found_in(source.problems(), "samples")
    assert found.found.startswith("numbers of rows in a first column without a name")
    assert "here perhaps 'id'" in found.allowed


@pytest.fixture
def multi(source):
    """Return a maker of an h5mu cohort whose labels lie in the obs of modalities."""
    from anndata import AnnData
    from mudata import MuData

    def make(*homes):
        parts = {
            name: AnnData(table.to_numpy(), obs=pd.DataFrame(index=table.index))
            for name, table in source.modalities.items()
        }
        for name in homes:
            parts[name].obs["subtype"] = source.samples["subtype"]
        with annotated_files():
            MuData(parts).write_h5mu(source.folder / "all.h5mu")
        source.samples = source.modalities["rna"] = source.modalities["meth"] = "all.h5mu"
        return source

    return make


@pytest.mark.parametrize("label", ["subtype", "rna:subtype"])
def test_a_label_in_the_obs_of_one_modality(multi, label):
    source = multi("rna")
    source.label = label
    tables = source.tables()
    assert set(tables.samples["label"]) == {"LumA", "LumB", "Her2"}
    assert not tables.warnings


def test_a_label_in_the_obs_of_two_modalities_has_to_be_told_apart(multi):
    source = multi("rna", "meth")
    found = source.problem()
    assert found.allowed == "one of 'rna:subtype', 'meth:subtype'"
    source.label = "meth:subtype"
    source.tables()


def outlined(source, folds=3):
    return check_datasets({"own": source.dataset()}, Evaluation(folds=folds), most=0)


def test_of_large_files_cells_are_left_to_a_job(source, reads, tmp_path):
    source.modalities["rna"] = source.modalities["rna"].astype(object)
    source.modalities["rna"].iloc[0, 0] = "x"
    (told,) = outlined(source)
    assert not reads
    assert told.startswith("datasets: own: of these large files names and sizes")
    assert "checked by the job assemble_cohort" in told
    check_datasets({"own": source.dataset()}, Evaluation(folds=3), tmp_path / "cache", most=0)
    assert not list((tmp_path / "cache").glob("*.json"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda source, path: (path / "rna.csv").unlink(), "no such file"),
        (lambda source, path: (path / "meth.csv").write_bytes(b"PAR1"), "a Parquet file"),
        (lambda source, path: setattr(source, "label", "subtyp"), "is no column of the table"),
    ],
)
def test_what_the_outline_tells_is_told_before_any_job(source, tmp_path, change, found):
    dataset = source.dataset()
    change(source, tmp_path)
    if source.label != "subtype":
        dataset = dataset.model_copy(update={"label": source.label})
    with pytest.raises(UserError) as caught:
        check_datasets({"own": dataset}, Evaluation(folds=3), most=0)
    assert found in str(caught.value)


def test_classes_are_counted_without_the_cells(source):
    source.samples["subtype"] = "LumA"
    with pytest.raises(UserError, match="at least 2 classes"):
        outlined(source)


def test_a_class_rarer_than_the_folds_is_told_without_the_cells(source):
    with pytest.raises(UserError, match="classes rarer than the folds"):
        outlined(source, folds=40)


def test_several_datasets_share_what_may_be_read(source, reads):
    size = sum(map(size_of, source.dataset().files))
    datasets = {name: source.dataset() for name in ("one", "two", "three")}
    warnings = check_datasets(datasets, Evaluation(folds=3), most=int(2.5 * size))
    assert reads == ["one", "two"]
    assert next(line for line in warnings if "large files" in line).startswith("datasets: three:")


def test_a_folder_of_counts_that_lacks_a_file_is_told_of_with_all_else(source, tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n0 0 0\n")
    assert size_of(folder) == 0
    dataset = source.dataset()
    modalities = dict(dataset.modalities)
    first = next(iter(modalities))
    modalities[first] = modalities[first].model_copy(update={"path": str(folder)})
    changed = dataset.model_copy(update={"modalities": modalities, "label": "subtyp"})
    with pytest.raises(UserError) as caught:
        check_datasets({"own": changed}, Evaluation(folds=3))
    assert "not readable: no features.tsv" in str(caught.value)
    assert "'subtyp', which is no column" in str(caught.value)
