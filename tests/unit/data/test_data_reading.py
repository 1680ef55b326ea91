"""The tables of a cohort as they are read, with problems under the keys that name them."""

import h5py
import numpy as np
import pandas as pd
import pytest
from data_source import COUNT, found_in

from balmi.data.files import annotated_files
from balmi.data.reading import read_tables
from balmi.errors import UserError


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


@pytest.mark.parametrize("text", ["NA", "", "nan", "  ", "#N/A", "None"])
def test_labels_that_stand_for_none(source, text):
    source.samples.loc["s03", "subtype"] = text
    tables = source.tables()
    assert tables.dropped["samples without a label"] == 1
    assert set(tables.samples["label"]) == {"LumA", "LumB", "Her2"}


def test_a_whole_number_is_one_class_however_it_is_written(source):
    source.samples["subtype"] = np.resize(["1", "2", "1.0"], COUNT)
    source.group = "patient"
    tables = source.tables()
    assert set(tables.samples["label"]) == {"1", "2"}
    (caution,) = tables.warnings
    assert "8 cells of label 'subtype'" in caution.found
    assert "'1.0' as '1'" in caution.meaning


def test_ids_are_compared_as_text(source):
    ids = [f"{i:03d}" for i in range(COUNT - 2)] + ["NA", "nan"]
    source.samples.index = source.modalities["rna"].index = ids
    source.modalities["meth"].index = ids
    tables = source.tables()
    assert list(tables.samples.index) == sorted(ids)
    assert set(tables.dropped.values()) == {0}


def test_a_missing_file_is_named_with_its_key(source):
    dataset = source.dataset().model_copy(update={"samples": str(source.folder / "nowhere.csv")})
    with pytest.raises(UserError) as caught:
        read_tables("own", dataset, 3)
    (found,) = caught.value.problems
    assert found.where == f"datasets.own.samples: {source.folder / 'nowhere.csv'}"
    assert found.found == "no such file"


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


@pytest.mark.parametrize("name", ["X", "...1", "V1", "index", "Unnamed: 0"])
def test_numbers_of_rows_under_a_name_that_programs_make_up(source, name):
    source.samples = source.samples.reset_index(drop=True).rename_axis(name)
    for key, table in source.modalities.items():
        source.modalities[key] = table.reset_index(drop=True).rename_axis(name)
    said = [str(each) for each in source.tables().warnings]
    assert len([each for each in said if f"in a first column called {name!r}" in each]) == 3
    # They may be the ids all the same, and what else names every row, as notes do, none.
    source.samples["seen"] = [f"by nurse {place}" for place in range(COUNT)]
    said = [str(each) for each in source.tables().warnings]
    assert len([each for each in said if "'seen' names every row" in each]) == 1
    for key, table in source.modalities.items():
        source.modalities[key] = table.rename_axis("patient")
    source.samples = source.samples.rename_axis("patient")
    assert not [each for each in source.tables().warnings if "numbers of rows" in str(each)]


def test_folds_that_are_called_as_parts_of_one_split(source):
    source.folds = ["part"]
    for names, told in ((["train", "Test"], 1), (["a", "test"], 0)):
        source.samples["part"] = np.repeat(names, COUNT // 2)
        said = [str(each) for each in source.tables().warnings]
        assert len([each for each in said if "every fold is tested with" in each]) == told


def test_a_key_that_a_format_has_no_use_for(source):
    source.group = "patient"
    dataset = source.dataset()
    file = dataset.modalities["rna"].model_copy(update={"modality": "adt"})
    dataset = dataset.model_copy(update={"modalities": {**dataset.modalities, "rna": file}})
    (said,) = map(str, read_tables("own", dataset, 3).warnings)
    assert "the key 'modality', 'adt', of a file that has one table alone" in said


def test_features_that_are_columns_of_the_table_of_samples(source):
    source.group = "patient"
    source.modalities["rna"]["patient"] = np.arange(COUNT) // 2
    (said,) = map(str, source.tables().warnings)
    assert "rna.csv: 1 feature named as label, group or folds are: 'patient'" in said


def test_counts_that_lie_in_another_layer(source):
    from anndata import AnnData

    counts = source.modalities["rna"]
    data = AnnData(np.log1p(counts.to_numpy()), obs=pd.DataFrame(index=counts.index))
    data.layers["counts"] = counts.to_numpy()
    data.raw = data.copy()
    with annotated_files():
        data.write_h5ad(source.folder / "rna.h5ad")
    source.modalities["rna"] = "rna.h5ad"
    found = source.problem()
    assert found.allowed.endswith(
        "the file also holds 'counts', 'raw': name one with the key 'layer'"
    )


def test_features_of_several_types_in_one_table(source):
    from anndata import AnnData

    counts = source.modalities["rna"]
    data = AnnData(counts.to_numpy(), obs=pd.DataFrame(index=counts.index))
    data.var["feature_types"] = ["Gene Expression", "Gene Expression", "Antibody Capture"]
    source.modalities["rna"], source.group = "rna.h5ad", "patient"
    for kept, told in ((data, 1), (data[:, :2], 0)):
        with annotated_files():
            kept.copy().write_h5ad(source.folder / "rna.h5ad")
        said = [each for each in source.tables().warnings if "of several types" in str(each)]
        assert len(said) == told


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
