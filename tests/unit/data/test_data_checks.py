"""What is checked before any job, what is left to jobs and what is remembered."""

import os
from pathlib import Path

import pytest

import balmi.data.checks
from balmi.config.fingerprint import dependencies, imports
from balmi.config.settings import Dataset, Evaluation
from balmi.data.checks import check_datasets
from balmi.data.located import size_of
from balmi.errors import UserError


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


def test_the_version_of_the_checks_is_that_of_all_that_check():
    found = dependencies(*imports(Path(balmi.data.checks.__file__)))
    parts = ("table_checks", "cohort_checks", "usable", "reading", "readers", "plausible")
    assert {f"balmi.data.{part}" for part in parts} <= set(found)


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


def test_warnings_of_an_unchanged_cohort_are_said_again(source, reads, tmp_path):
    source.samples.loc["s03", "subtype"] = "NA"
    source.group = "patient"
    datasets, cache = {"own": source.dataset()}, tmp_path / "cache"
    first = check_datasets(datasets, Evaluation(folds=3), cache)
    assert check_datasets(datasets, Evaluation(folds=3), cache) == first
    assert reads == ["own"]
    assert first.understood == {
        "own": "23 samples by subtype ('Her2' 8, 'LumA' 7, 'LumB' 8), 12 groups by patient,"
        " rna 23 x 3, meth 23 x 2"
    }
    assert first.warnings == (
        "datasets.own.samples: samples.csv: label 'subtype': texts read as a missing value, 'NA' in"
        " 1 row; if one is a name, leave it out of the list of texts in datasets.own.missing",
        "datasets.own.samples: samples.csv: 1 sample without a label: 's03'; left out",
    )


def outlined(source, folds=3):
    return check_datasets({"own": source.dataset()}, Evaluation(folds=folds), most=0).warnings


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
    warnings = check_datasets(datasets, Evaluation(folds=3), most=int(2.5 * size)).warnings
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
