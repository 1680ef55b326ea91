"""Folds that a dataset brings, and groups that are left out: from the table to the splits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from data_source import COUNT, Source
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from balmi.config.settings import Dataset, Evaluation, Scheme
from balmi.data.assemble import assemble_cohort
from balmi.data.checks import check_datasets
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import write_table
from balmi.data.folds import (
    MOST_FOLDS,
    check_groups_out,
    check_own_folds,
    fold_name,
    in_order,
    lost_classes,
)
from balmi.data.splits import make_splits, read_splits
from balmi.errors import UserError

GROUPS_OUT = Evaluation(scheme=Scheme.LEAVE_ONE_GROUP_OUT)


# Names


@pytest.mark.parametrize("cell", [1, 1.0, "1", "1.0", " 1 ", "1.", np.float32(1), np.int8(1)])
def test_a_whole_number_is_one_fold_however_it_is_stored(cell):
    assert fold_name(cell) == "1"


@pytest.mark.parametrize(
    ("cell", "name"),
    [("01", "01"), (1.5, "1.5"), ("-2.0", "-2"), ("a 1.0", "a 1.0"), (True, "True")],
)
def test_other_names_stay_as_they_are(cell, name):
    assert fold_name(cell) == name


@pytest.mark.parametrize("cell", [None, np.nan, "", "  ", pd.NA, pd.NaT])
def test_an_empty_cell_is_no_fold(cell):
    assert pd.isna(fold_name(cell))


def test_numbers_are_in_order_of_value_and_before_text():
    names = ["10", "site b", "2", "1", "2", "site a", "-1", "1.5", "01"]
    assert in_order(names) == ["-1", "01", "1", "1.5", "2", "10", "site a", "site b"]


def test_classes_that_a_fold_holds_alone_by_hand():
    labels = ["a", "a", "b", "b", "c", "d"]
    folds = ["2", "1", "10", "10", "2", "10"]
    assert lost_classes(labels, folds) == {"2": ["c"], "10": ["b", "d"]}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=2))
def test_no_class_is_lost_exactly_where_every_fold_leaves_all_classes(rows):
    labels, folds = map(np.array, zip(*rows, strict=True))
    lost = lost_classes(labels, folds)
    for fold in set(folds):
        left = set(labels[folds != fold].tolist())
        assert set(lost.get(str(fold), [])) == set(labels.tolist()) - left


# Checks of folds that a dataset brings


@pytest.fixture
def folded(source):
    """Return a cohort with two columns of folds, which keep its patients whole."""
    source.samples["subtype"] = np.resize(["LumA", "LumB", "Her2", "LumB"], COUNT)
    source.samples["first"] = [str(i // 2 % 3 + 1) for i in range(COUNT)]
    source.samples["second"] = [f"part {i // 2 % 4}" for i in range(COUNT)]
    source.folds, source.group = ["first", "second"], "patient"
    return source


def test_folds_in_order(folded):
    samples = folded.tables().samples
    assert list(samples) == ["label", "group", "fold_0", "fold_1"]
    assert samples["fold_0"].tolist() == folded.samples["first"].tolist()
    assert samples["fold_1"].tolist() == folded.samples["second"].tolist()


def test_own_folds_go_before_what_the_scheme_asks_of_classes_and_groups(folded):
    """No class, and no class's groups, could fill 20 folds."""
    folded.tables(folds=20)
    folded.tables(folds=None)
    folded.group = None
    folded.tables(folds=None)


def test_a_column_of_folds_that_is_none(folded):
    folded.folds = ["firts", "second"]
    found = folded.problem()
    assert found.where == "datasets.own.folds"
    assert found.found == "'firts', which is no column of the table"
    assert found.nearest == "'first'"


def test_samples_without_a_fold(folded):
    folded.samples.loc[["s03", "s20"], "first"] = ["", "NA"]
    folded.samples.loc["s05", ["first", "subtype"]] = None
    found = folded.problem()
    assert found.where == "datasets.own.folds: first"
    assert found.found == "2 samples without a fold: 's03', 's20'"
    assert found.allowed == "a fold for every labelled sample"


def test_many_samples_without_a_fold_are_shortened(folded):
    folded.samples["second"] = None
    found = folded.problem()
    assert found.found.startswith(f"{COUNT} samples without a fold: 's00', 's01', ")
    assert found.found.endswith(f"… ({COUNT} in all)")


def test_one_fold_is_none(folded):
    folded.samples["first"] = np.resize(["1", "1.0", " 1"], COUNT)
    found = folded.problem()
    assert found.where == "datasets.own.folds: first"
    assert found.found == "'1' for all samples"
    assert found.allowed.startswith("at least 2 folds")


def test_a_fold_that_takes_a_class_out_of_training(folded):
    folded.samples.loc[folded.samples["first"] == "2", "subtype"] = "LumA"
    folded.samples.loc[["s02", "s03"], "subtype"] = "Her2"
    folded.samples.loc[folded.samples["first"] != "2", "subtype"] = np.resize(["LumA", "LumB"], 16)
    folded.folds = ["first"]
    found = folded.problem()
    assert found.where == "datasets.own.folds: first"
    assert found.found == "folds that hold all samples of a class: '2' ('Her2')"
    assert found.allowed == "folds that leave at least one sample of every class to train on"


def test_a_group_in_several_folds(folded):
    folded.samples.loc[["s01", "s05"], "first"] = ["3", "2"]
    found = folded.problem()
    assert found.where == "datasets.own.folds: first"
    assert found.found == "groups in several folds: 'p00' in '1' and '3', 'p02' in '2' and '3'"
    folded.samples["first"] = [str(i % 5) for i in range(COUNT)]
    folded.samples["patient"] = "p"
    found = folded.problems()[0]
    assert found.found == "groups in several folds: 'p' in '0' and '1' and '2' and others"
    folded.group = None
    folded.tables()


def test_two_columns_that_deal_alike(folded):
    folded.samples["second"] = folded.samples["first"].map({"1": "x", "2": "a", "3": "m"})
    found = folded.problem()
    assert found.where == "datasets.own.folds"
    assert found.found == "'first' and 'second', which deal samples out alike"


def test_a_column_that_is_named_twice(folded):
    folded.folds = ["first", "first"]
    assert folded.problem().found == "'first' and 'first', which deal samples out alike"


def test_all_problems_of_folds_at_once(folded):
    folded.samples.loc["s00", "first"] = None
    folded.samples["second"] = "all"
    folded.samples.loc["s09", "patient"] = None
    found = {problem.where for problem in folded.problems()}
    assert found == {
        "datasets.own.folds: first",
        "datasets.own.folds: second",
        "datasets.own.group",
    }


def test_a_column_of_ids_makes_too_many_folds():
    """Every fold is trained once by every method."""
    count = MOST_FOLDS + 1
    samples = pd.DataFrame(
        {"label": np.resize(["a", "b"], count), "fold_0": [f"s{i}" for i in range(count)]}
    )
    (found,) = check_own_folds(samples, ["id"], "datasets.own.folds")
    assert found.found == "101 folds"
    assert found.allowed.startswith("at most 100")
    assert not check_own_folds(samples.iloc[1:], ["id"], "datasets.own.folds")


def test_folds_stored_as_numbers_are_those_stored_as_text(folded, tmp_path):
    expected = folded.tables().samples
    path = tmp_path / "samples.parquet"
    folded.samples["first"] = folded.samples["first"].astype(float)
    folded.samples.to_parquet(path)
    dataset = folded.dataset().model_copy(update={"samples": str(path)})
    cohort = assemble_cohort("own", dataset, 3)
    assert cohort.folds[0].tolist() == expected["fold_0"].tolist()


# Checks of groups that are left out


@pytest.fixture
def sites(source):
    """Return a cohort of three sites, each of which has all classes."""
    source.samples["site"] = np.repeat(["c", "a", "b"], COUNT // 3)
    source.group = "site"
    return source


def test_every_group_may_be_left_out(sites):
    assert set(sites.tables(folds=None).samples["group"]) == {"a", "b", "c"}


def test_a_group_that_holds_all_of_a_class(sites):
    inside = sites.samples["site"] == "b"
    sites.samples.loc[inside, "subtype"] = np.resize(["Her2", "Basal"], inside.sum())
    found = sites.problem(folds=None)
    assert found.where == "datasets.own.group"
    assert found.found == "groups that hold all samples of a class: 'b' ('Basal')"
    assert "evaluation.scheme k-fold" in found.allowed


def test_a_group_may_lack_classes(sites):
    sites.samples.loc[sites.samples["site"] == "b", "subtype"] = "Her2"
    sites.tables(folds=None)


def test_a_single_group_cannot_be_left_out(sites):
    sites.samples["site"] = "a"
    assert sites.problem(folds=None).found == "'a' for all samples"


def test_a_missing_group_is_named_once(sites):
    sites.samples.loc["s03", "site"] = None
    found = sites.problem(folds=None)
    assert found.found == "1 sample without a group: 's03'"


def test_very_many_groups_are_refused():
    count = MOST_FOLDS + 1
    samples = pd.DataFrame(
        {"label": np.resize(["a", "b"], count), "group": [f"p{i}" for i in range(count)]}
    )
    (found,) = check_groups_out(samples, "datasets.own.group")
    assert found.found == "101 groups"
    assert found.allowed == "at most 100, since all methods are trained once for each"


def test_datasets_without_groups_are_named_before_any_job(tmp_path):
    """Own files, entries of the catalogue, and none where a dataset brings folds or has groups."""
    (tmp_path / "plain").mkdir()
    datasets = {
        "plain": Source(tmp_path / "plain").dataset(),
        "tcga-brca": Dataset(catalogue="tcga-brca"),
        "simulated": Dataset(catalogue="simulated"),
    }
    with pytest.raises(UserError) as caught:
        check_datasets(datasets, GROUPS_OUT)
    assert [problem.where for problem in caught.value.problems] == [
        "datasets.plain.group",
        "datasets.tcga-brca.group",
    ]
    found = caught.value.problems[0].found
    assert found == "nothing, while evaluation.scheme is leave-one-group-out"
    check_datasets(datasets, Evaluation(folds=3))


def test_the_mark_of_a_checked_cohort_knows_the_scheme(sites, tmp_path):
    sites.samples["site"] = np.resize([*"abcdefgh"], COUNT)
    dataset, cache = {"own": sites.dataset()}, tmp_path / "cache"
    check_datasets(dataset, Evaluation(folds=3), cache)
    assert len(list(cache.iterdir())) == 1
    check_datasets(dataset, GROUPS_OUT, cache)
    assert len(list(cache.iterdir())) == 2


def test_folds_beside_an_entry_of_the_catalogue_are_refused():
    with pytest.raises(ValidationError, match="both catalogue and folds"):
        Dataset(catalogue="tcga-brca", folds=["first"])


# Permuted labels


@pytest.mark.parametrize("brought", [True, False])
def test_permuted_labels_must_leave_every_class_in_training(sites, brought):
    """Two samples of a class, of two sites until labels are permuted."""
    sites.samples["subtype"] = "LumA"
    sites.samples.loc[["s00", "s08"], "subtype"] = "Her2"
    if brought:
        sites.folds, sites.group = ["site"], None
    folds = 5 if brought else None
    ends = []
    for seed in range(12):
        control = {"shuffled_labels": True, "seed": seed}
        dataset = Dataset.model_validate({**sites.dataset().model_dump(), "control": control})
        try:
            cohort = assemble_cohort("own", dataset, folds)
        except UserError as error:
            (problem,) = error.problems
            assert problem.where == "datasets.own.control"
            assert problem.allowed.startswith("another control.seed")
            ends.append("refused")
        else:
            site = cohort.groups if cohort.folds is None else cohort.folds[0]
            assert len(set(site[cohort.labels == cohort.classes.index("Her2")])) == 2
            ends.append("ok")
    assert set(ends) == {"ok", "refused"}  # 1 in 3.3 is expected to be refused


# Cohort and splits


def test_folds_survive_the_file_in_the_order_of_samples(folded, tmp_path):
    folded.modalities["rna"] = folded.modalities["rna"].iloc[10:]  # MuData puts these first
    folded.samples = folded.samples.sample(frac=1, random_state=0)
    cohort = assemble_cohort("own", folded.dataset(), 3)
    write_cohort(cohort, tmp_path / "c.h5mu")
    found = read_cohort(tmp_path / "c.h5mu")
    assert found.folds.shape == (2, COUNT)
    by_id = folded.samples.sort_index()
    for row, column in enumerate(folded.folds):
        assert cohort.folds[row].tolist() == by_id[column].tolist()
        assert found.folds[row].tolist() == by_id[column].tolist()
    assert found.provenance["folds"] == ["first", "second"]


def splits_of(cohort, evaluation, folder):
    table = make_splits(cohort, evaluation)
    write_table(table, folder / "splits.parquet")
    return table, read_splits(folder / "splits.parquet", cohort)


def test_own_folds_are_the_test_folds(folded, tmp_path):
    folded.samples["first"] = folded.samples["first"].replace({"3": "10"})
    cohort = assemble_cohort("own", folded.dataset(), 3)
    table, splits = splits_of(cohort, Evaluation(repeats=7, folds=9), tmp_path)
    expected = [(0, 0, "1"), (0, 1, "2"), (0, 2, "10")]
    expected += [(1, fold, f"part {fold}") for fold in range(4)]
    heads = table[["repeat", "fold", "held_out"]].drop_duplicates()
    assert list(heads.itertuples(index=False, name=None)) == expected
    for split, (repeat, fold, name) in zip(splits, expected, strict=True):
        assert (split.repeat, split.fold) == (repeat, fold)
        column = folded.samples[folded.folds[repeat]]
        assert set(cohort.samples[split.test]) == set(column.index[column == name])
        assert sorted([*split.fit, *split.test]) == list(range(COUNT))
        sides = [set(cohort.groups[rows]) for rows in (split.train, split.validation, split.test)]
        assert sides[1]
        assert not sides[0] & sides[1]
        assert not (sides[0] | sides[1]) & sides[2]


@pytest.mark.parametrize("seed", [0, 5])
def test_the_seed_moves_inner_folds_alone(folded, seed):
    cohort = assemble_cohort("own", folded.dataset(), 3)
    tests = [
        make_splits(cohort, Evaluation(seed=each)).query("part == 'test'") for each in (seed, 99)
    ]
    pd.testing.assert_frame_equal(*tests)
    one, other = (make_splits(cohort, Evaluation(seed=each)) for each in (seed, 99))
    assert not one["inner"].equals(other["inner"])


def test_a_share_of_training_keeps_own_test_folds_and_groups(folded):
    cohort = assemble_cohort("own", folded.dataset(), 3)
    whole = make_splits(cohort, Evaluation())
    some = make_splits(cohort, Evaluation(training_share=0.5))
    pd.testing.assert_series_equal(some["part"] == "test", whole["part"] == "test")
    groups = dict(zip(cohort.samples, cohort.groups, strict=True))
    assert (some["part"] == "unused").any()
    for _, rows in some.groupby(["repeat", "fold"]):
        by_group = rows.groupby(rows["sample"].astype(str).map(groups))["part"]
        assert set(by_group.nunique()) == {1}


def test_every_group_is_left_out_once(sites, tmp_path):
    cohort = assemble_cohort("own", sites.dataset(), None)
    table, splits = splits_of(cohort, GROUPS_OUT, tmp_path)
    assert [split.repeat for split in splits] == [0, 0, 0]
    for split, name in zip(splits, "abc", strict=True):
        assert set(cohort.groups[split.test]) == {name}
        assert (cohort.groups[split.fit] != name).all()
        rows = table[table["fold"] == split.fold]
        assert set(rows["held_out"]) == {name}
        # Two groups are left: one trains and the other validates.
        assert len(set(cohort.groups[split.train])) == 1
        assert len(set(cohort.groups[split.validation])) == 1
        assert len(split.members(5)) == 2


def test_own_folds_go_before_groups_that_are_left_out(folded):
    cohort = assemble_cohort("own", folded.dataset(), None)
    pd.testing.assert_frame_equal(
        make_splits(cohort, GROUPS_OUT), make_splits(cohort, Evaluation())
    )


def test_without_groups_none_can_be_left_out(make_cohort):
    with pytest.raises(ValueError, match="without groups"):
        make_splits(make_cohort(np.arange(12) % 2), GROUPS_OUT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_deal_of_folds_is_kept_and_leaves_every_class(make_cohort, data):
    count = data.draw(st.integers(6, 30))
    names = st.lists(st.sampled_from(["1", "2", "10", "a"]), min_size=count, max_size=count)
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)))
    folds = np.array([data.draw(names) for _ in range(data.draw(st.integers(1, 3)))])
    assume(len(set(labels.tolist())) == 2)
    assume(not any(lost_classes(labels, own) for own in folds))
    assume(all(len(set(own)) > 1 for own in folds))
    cohort = replace(make_cohort(labels), folds=folds)
    table = make_splits(cohort, Evaluation(seed=data.draw(st.integers(0, 3))))
    assert not table.isna().any(axis=None)
    for (repeat, _), rows in table.groupby(["repeat", "fold"]):
        (name,) = set(rows["held_out"])
        assert ((rows["part"] == "test").to_numpy() == (folds[repeat] == name)).all()
        assert set(labels[(rows["part"] == "train").to_numpy()]) == {0, 1}
