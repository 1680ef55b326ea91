"""Classes, groups, folds and names that look alike."""

import numpy as np
import pytest
from data_source import COUNT

MERGED = "; merge a rare class with another, or leave its label empty"


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


def test_a_class_rarer_than_the_folds(source):
    source.samples["subtype"] = ["LumA"] * 19 + ["Her2"] * 3 + ["LumB"] * 2
    found = source.problem(folds=5)
    assert found.where == "datasets.own.label"
    assert found.found == "classes rarer than the folds: 'Her2' has 3, 'LumB' has 2"
    assert found.allowed == ("at least 5 members per class, or evaluation.folds of 2" + MERGED)
    source.tables(folds=2)


def test_a_class_of_one_member_fits_no_number_of_folds(source):
    source.samples["subtype"] = ["LumA"] * 23 + ["Her2"]
    found = source.problem(folds=2)
    assert found.found.endswith("'Her2' has 1")
    assert found.allowed == "at least 2 members per class" + MERGED


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
    assert found.where.startswith("datasets.own.modalities.rna: ")
    assert found.where.endswith("rna.csv")
    assert found.found == "no measurement of any labelled sample; ids here are 's00', 's01'"
    assert found.allowed == (
        "measurements of samples that have a label, such as 's02', 's03', 's04'"
    )


def test_a_modality_whose_labelled_samples_are_written_otherwise(source):
    """Only what has no label is written alike."""
    source.samples.iloc[:2, 0] = None
    table = source.modalities["rna"]
    source.modalities["rna"] = table.set_axis([*table.index[:2], *table.index[2:].str.upper()])
    found = source.problem()
    assert "ids here are 's00', 's01', 'S02'" in found.found
    assert found.allowed.endswith(
        "22 ids much like one of them: 'S02' and 's02', 'S03' and 's03', 'S04' and 's04'"
    )


def test_a_label_of_measurements(source):
    source.samples["subtype"] = [f"{i / 7:.3f}" for i in range(24)]
    assert "a column of 24 values holds measurements" in source.problem().allowed


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
