import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from balmi.config.settings import Evaluation
from balmi.data.assemble import assemble_cohort
from balmi.data.files import sha256, write_table
from balmi.data.splits import PARTS, UNUSED, Split, distinct_tests, make_splits, read_splits

ROOT = Path(__file__).parents[3]


def splits_of(cohort, evaluation, folder):
    """Return the splits as later stages read them."""
    write_table(make_splits(cohort, evaluation), folder / "splits.parquet")
    return read_splits(folder / "splits.parquet", cohort)


def check_members(split, labels, groups):
    """Check what the members of a replica must obey."""
    members = split.members(100)
    assert members[0] is split
    assert [member.member for member in members] == list(range(len(members)))
    validated = np.concatenate([member.validation for member in members])
    assert len(validated) == len(set(validated.tolist()))
    for member in members:
        assert member.fit.tolist() == split.fit.tolist()
        assert member.test is split.test
        assert not set(member.train) & set(member.validation)
        assert not set(groups[member.train]) & set(groups[member.validation])
        if len(members) > 1:
            assert member.validation.size
            assert set(labels[member.train]) == set(labels[split.fit])
            (number,) = set(member.inner[np.isin(member.fit, member.validation)])
            assert set(member.fit[member.inner == number]) == set(member.validation)
    return len(members)


def check_partition(splits, count):
    """Check what every split must obey: disjoint parts that cover all, each sample tested once."""
    tested = Counter()
    for split in splits:
        parts = np.concatenate([getattr(split, part) for part in PARTS])
        assert sorted(parts) == list(range(count))
        for part in PARTS:
            rows = getattr(split, part)
            assert list(rows) == sorted(rows)
        assert split.fit.tolist() == sorted({*split.train, *split.validation})
        tested.update((split.repeat, row) for row in split.test.tolist())
    repeats = {split.repeat for split in splits}
    assert tested == Counter((repeat, row) for repeat in repeats for row in range(count))


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.repeat([0, 1, 2], [40, 25, 13]))


def test_every_sample_is_tested_once_per_repeat(cohort, tmp_path):
    splits = splits_of(cohort, Evaluation(repeats=3, folds=4), tmp_path)
    assert [(split.repeat, split.fold) for split in splits] == [
        (repeat, fold) for repeat in range(3) for fold in range(4)
    ]
    check_partition(splits, len(cohort.samples))


def test_folds_are_stratified_within_one_sample(cohort):
    table = make_splits(cohort, Evaluation(repeats=2, folds=5))
    labels = dict(zip(cohort.samples, cohort.labels, strict=True))
    tests = table[table["part"] == "test"]
    counts = tests.groupby(["repeat", "fold", tests["sample"].astype(str).map(labels)]).size()
    for label, total in Counter(cohort.labels).items():
        found = counts.xs(label, level=2)
        assert len(found) == 10
        assert set(found) <= {total // 5, -(-total // 5)}


@pytest.mark.parametrize(("share", "expected"), [(0.2, 0.2), (0.1, 0.1), (0.34, 1 / 3)])
def test_validation_is_about_its_share_of_training_and_stratified(
    cohort, tmp_path, share, expected
):
    for split in splits_of(cohort, Evaluation(validation=share), tmp_path):
        counts = np.bincount(cohort.labels[split.validation], minlength=3)
        all_ = np.bincount(cohort.labels[split.fit], minlength=3)
        assert np.abs(counts - expected * all_).max() <= 1
        assert np.bincount(cohort.labels[split.train], minlength=3).min() >= 1


def test_a_class_of_two_members_in_training_is_on_both_sides(make_cohort, tmp_path):
    cohort = make_cohort(np.repeat([0, 1], [30, 3]))
    for split in splits_of(cohort, Evaluation(folds=3, validation=0.1), tmp_path):
        assert np.bincount(cohort.labels[split.train], minlength=2)[1] == 1
        assert np.bincount(cohort.labels[split.validation], minlength=2)[1] == 1


def test_a_class_of_one_member_lies_in_training(make_cohort, tmp_path):
    cohort = make_cohort(np.repeat([0, 1], [30, 2]))
    splits = splits_of(cohort, Evaluation(folds=2), tmp_path)
    for split in splits:
        assert np.bincount(cohort.labels[split.train], minlength=2)[1] == 1
        assert len(split.validation) == 3
    check_partition(splits, 32)


def test_no_validation_where_every_class_has_one_member_in_training(make_cohort, tmp_path):
    cohort = make_cohort(np.repeat([0, 1], [2, 2]))
    splits = splits_of(cohort, Evaluation(folds=2), tmp_path)
    assert all(split.validation.size == 0 for split in splits)


@st.composite
def grouped(draw):
    """Return labels, groups and a number of folds that the checks allow."""
    folds = draw(st.integers(2, 5))
    sizes = draw(st.lists(st.integers(1, 4), min_size=2 * folds, max_size=30))
    classes = draw(st.integers(2, 3))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    pure = draw(st.booleans())
    count = len(sizes) if pure else len(groups)
    labels = np.array(draw(st.lists(st.integers(0, classes - 1), min_size=count, max_size=count)))
    labels = labels[groups] if pure else labels
    order = np.random.default_rng(draw(st.integers(0, 9))).permutation(len(groups))
    _, labels = np.unique(labels, return_inverse=True)
    assume(labels.max() > 0)
    table = pd.DataFrame({"label": labels, "group": groups})
    assume(table.groupby("label")["group"].nunique().min() >= folds)
    assume(table["label"].value_counts().min() >= folds)
    return labels[order], np.array([f"g{i}" for i in groups])[order], folds


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
    max_examples=60,
)
@given(case=grouped(), seed=st.integers(0, 5), share=st.sampled_from([0.1, 0.2, 0.4]))
def test_no_group_lies_on_two_sides(make_cohort, tmp_path, case, seed, share):
    labels, groups, folds = case
    cohort = make_cohort(labels, groups=groups)
    evaluation = Evaluation(repeats=2, folds=folds, seed=seed, validation=share)
    splits = splits_of(cohort, evaluation, tmp_path)
    assert len(splits) == 2 * folds
    check_partition(splits, len(labels))
    for split in splits:
        sides = [set(groups[getattr(split, part)]) for part in PARTS]
        assert not sides[0] & sides[1]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
        if split.validation.size:  # what training learns, it can learn of every class
            assert set(labels[split.train]) == set(labels[split.fit])
        assert len(split.inner) == len(split.fit)
        check_members(split, labels, groups)


def test_every_inner_fold_is_the_validation_of_one_member(cohort, tmp_path):
    each = np.arange(len(cohort.samples))
    for split in splits_of(cohort, Evaluation(), tmp_path):
        assert split.usable == (0, 1, 2, 3, 4)
        assert check_members(split, cohort.labels, each) == 5
        members = split.members(3)
        assert len(members) == 3
        assert [set(m.inner[np.isin(m.fit, m.validation)]) for m in members] == [{0}, {1}, {2}]
        held_out = np.concatenate([member.validation for member in split.members(5)])
        assert sorted(held_out) == split.fit.tolist()
        assert split.members(1) == [split]


def test_members_by_hand():
    rows = np.array([0, 2, 3, 5, 6])
    split = Split(
        1, 2, rows[2:], rows[:2], np.array([1, 4]), np.array([1, 1, 2, 0, 2]), usable=(1, 2)
    )
    first, second = split.members(4)
    assert first is split
    assert (second.repeat, second.fold, second.member) == (1, 2, 1)
    assert second.validation.tolist() == [3, 6]
    assert second.train.tolist() == [0, 2, 5]
    assert second.test.tolist() == [1, 4]


def test_a_test_set_that_comes_again_is_left_out():
    rows = np.arange(4)
    tests = [rows[:2], rows[2:], rows[2:], rows[1:3]]
    splits = [Split(place, 0, rows[:0], rows[:0], test) for place, test in enumerate(tests)]
    assert [split.repeat for split in distinct_tests(splits)] == [0, 1, 3]


def test_an_inner_fold_that_would_take_a_class_out_of_training_gives_no_member(
    make_cohort, tmp_path
):
    """Two folds leave one of a class's two groups to train on, which no member may validate."""
    groups = np.array(["a"] * 4 + ["b"] * 4 + [f"c{i}" for i in range(12)])
    cohort = make_cohort(np.repeat([0, 1], [8, 12]), groups=groups)
    for split in splits_of(cohort, Evaluation(folds=2), tmp_path):
        numbers = set(split.inner.tolist())
        lone = set(split.inner[cohort.labels[split.fit] == 0].tolist())
        assert len(lone) == 1
        assert set(split.usable) == numbers - lone
        assert check_members(split, cohort.labels, groups) == len(numbers) - 1


def test_one_member_where_there_are_no_inner_folds(make_cohort, tmp_path):
    cohort = make_cohort(np.repeat([0, 1], [2, 2]))
    for split in splits_of(cohort, Evaluation(folds=2), tmp_path):
        assert split.inner.tolist() == [-1, -1]
        assert split.members(5) == [split]
    plain = Split(0, 0, np.array([0, 4]), np.array([1, 5]), np.array([2, 3]))
    assert plain.inner.tolist() == [-1] * 4
    assert plain.members(5) == [plain]


def test_more_than_a_hundred_inner_folds(make_cohort):
    cohort = make_cohort(np.repeat([0, 1], 300))
    table = make_splits(cohort, Evaluation(repeats=1, folds=2, validation=0.005))
    assert set(table["inner"]) == set(range(-1, 150))


def parts_of(cohort, share, **settings):
    """Return the tables of the first replica and of a share of it, by sample."""
    table = make_splits(cohort, Evaluation(training_share=share, **settings))
    return table.set_index(["repeat", "fold", "sample"])


@pytest.mark.parametrize("share", [0.05, 0.1, 0.25, 0.5, 0.9])
def test_a_share_of_the_training_side_by_class(cohort, share):
    whole, some = parts_of(cohort, 1.0), parts_of(cohort, share)
    pd.testing.assert_series_equal(some["part"] == "test", whole["part"] == "test")
    assert not (whole["part"] == UNUSED).any()
    assert set(some.loc[some["part"] == UNUSED, "inner"]) == {-1}
    labels = dict(zip(cohort.samples, cohort.labels, strict=True))
    for _, rows in some.reset_index().groupby(["repeat", "fold"]):
        own = rows["sample"].astype(str).map(labels)
        side = np.bincount(own[rows["part"] != "test"])
        used = np.bincount(own[rows["part"].isin(["train", "validation"])])
        assert used.tolist() == np.maximum(2, np.rint(share * side)).tolist()


def test_unused_samples_are_in_no_part(cohort, tmp_path):
    for split in splits_of(cohort, Evaluation(training_share=0.5), tmp_path):
        assert len(split.fit) + len(split.test) < len(cohort.samples)
        assert len(split.inner) == len(split.fit)
        assert len(split.validation) == pytest.approx(len(split.fit) / 5, abs=2)
        assert check_members(split, cohort.labels, np.arange(78)) == 5


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
    max_examples=40,
)
@given(case=grouped(), seed=st.integers(0, 5), shares=st.tuples(*[st.floats(0.01, 1)] * 2))
def test_smaller_shares_lie_in_larger_ones_and_take_whole_groups(
    make_cohort, tmp_path, case, seed, shares
):
    labels, groups, folds = case
    cohort = make_cohort(labels, groups=groups)
    used = []
    for share in sorted(shares):
        evaluation = Evaluation(repeats=1, folds=folds, seed=seed, training_share=share)
        splits = splits_of(cohort, evaluation, tmp_path)
        used.append([set(split.fit.tolist()) for split in splits])
        for split in splits:
            others = np.setdiff1d(np.arange(len(labels)), np.union1d(split.fit, split.test))
            assert not set(groups[split.fit]) & set(groups[others])
            side = np.union1d(split.fit, others)
            fewest = np.minimum(2, np.bincount(labels[side], minlength=labels.max() + 1))
            assert (np.bincount(labels[split.fit], minlength=len(fewest)) >= fewest).all()
            check_members(split, labels, groups)
    assert all(small <= large for small, large in zip(*used, strict=True))


def test_the_whole_training_side_is_the_default(cohort):
    pd.testing.assert_frame_equal(
        parts_of(cohort, 1.0),
        make_splits(cohort, Evaluation()).set_index(["repeat", "fold", "sample"]),
    )


def test_the_only_group_of_a_class_stays_in_training(make_cohort, tmp_path):
    """Two folds leave one of a class's two groups to train on: validation must not take it."""
    groups = np.array(["a"] * 4 + ["b"] * 4 + [f"c{i}" for i in range(12)])
    cohort = make_cohort(np.repeat([0, 1], [8, 12]), groups=groups)
    for split in splits_of(cohort, Evaluation(repeats=5, folds=2), tmp_path):
        assert set(cohort.labels[split.train]) == {0, 1}
        assert split.validation.size


def test_a_repeat_is_a_seed(cohort):
    def tests(seed, repeat):
        table = make_splits(cohort, Evaluation(repeats=repeat + 1, seed=seed))
        table = table[table["repeat"] == repeat].reset_index(drop=True)
        return table.drop(columns="repeat")

    for repeat in range(3):
        pd.testing.assert_frame_equal(tests(4, repeat), tests(4 + repeat, 0))
    assert not tests(4, 0).equals(tests(5, 0))


def test_splits_do_not_depend_on_the_order_of_rows_in_files(source):
    source.group = "patient"
    evaluation = Evaluation(repeats=2, folds=3)
    expected = make_splits(assemble_cohort("own", source.dataset(), 3), evaluation)
    for seed in range(3):
        source.samples = source.samples.sample(frac=1, random_state=seed)
        for name, table in source.modalities.items():
            source.modalities[name] = table.sample(frac=1, random_state=seed)
        found = make_splits(assemble_cohort("own", source.dataset(), 3), evaluation)
        pd.testing.assert_frame_equal(found, expected)


def test_splits_do_not_depend_on_measurements(cohort):
    other = replace(cohort, values={name: -values for name, values in cohort.tables.items()})
    pd.testing.assert_frame_equal(
        make_splits(cohort, Evaluation()), make_splits(other, Evaluation())
    )


CODE = """
import sys
import numpy as np
sys.path.insert(0, {workflow!r})
from balmi.config.settings import Dataset, Evaluation
from balmi.data.assemble import assemble_cohort
from balmi.data.files import write_table
from balmi.data.splits import make_splits
cohort = assemble_cohort("own", Dataset.model_validate_json({dataset!r}), 3)
write_table(make_splits(cohort, Evaluation(folds=3)), {path!r})
"""


def test_splits_do_not_depend_on_the_hash_seed(source):
    source.group = "patient"
    dataset = source.dataset().model_dump_json(exclude_none=True)
    sums = set()
    for seed in ("0", "1", "4242"):
        path = source.folder / f"{seed}.parquet"
        code = CODE.format(workflow=str(ROOT / "workflow"), dataset=dataset, path=str(path))
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        sums.add(sha256(path))
    assert len(sums) == 1


def test_the_table_obeys_its_contract(cohort, tmp_path):
    table = make_splits(cohort, Evaluation())
    assert list(table) == ["repeat", "fold", "held_out", "sample", "part", "inner"]
    assert set(table["held_out"]) == {""}
    assert table["part"].cat.categories.tolist() == [*PARTS, UNUSED]
    assert set(table.loc[table["part"] == "test", "inner"]) == {-1}
    assert set(table.loc[table["part"] == "validation", "inner"]) == {0}
    assert set(table.loc[table["part"] == "train", "inner"]) == {1, 2, 3, 4}
    assert len(table) == 25 * len(cohort.samples)
    assert not table.isna().any(axis=None)


def test_splits_of_another_cohort_are_refused(cohort, tmp_path):
    write_table(make_splits(cohort, Evaluation()), tmp_path / "splits.parquet")
    other = replace(cohort, samples=np.array([f"x{name}" for name in cohort.samples]))
    with pytest.raises(KeyError, match="not in the cohort"):
        read_splits(tmp_path / "splits.parquet", other)


def test_rows_to_learn_from_are_sorted():
    split = Split(0, 0, np.array([0, 4]), np.array([1, 5]), np.array([2, 3]))
    assert split.fit.tolist() == [0, 1, 4, 5]


def test_five_sites_in_five_folds_are_one_repeat(make_cohort):
    cohort = make_cohort(np.arange(50) % 2, groups=np.repeat(list("abcde"), 10))
    table = make_splits(cohort, Evaluation(repeats=5, folds=5))
    assert set(table["repeat"]) == {0}
    assert table[table["part"] == "test"].groupby("fold", observed=True).size().tolist() == [10] * 5


def partitions_of(table):
    """Return the test sets of every repeat."""
    tests = table[table["part"] == "test"].astype({"sample": str})
    sets = tests.groupby(["repeat", "fold"])["sample"].agg(frozenset)
    return [frozenset(own) for _, own in sets.groupby("repeat")]


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_distinct_sizes_are_dealt_in_distinct_partitions(make_cohort, seed):
    """StratifiedGroupKFold sorts groups by size, and deals them alike whatever its seed."""
    groups = np.repeat([f"g{i:02d}" for i in range(12)], np.arange(5, 17))
    labels = np.repeat(np.arange(12) % 2, np.arange(5, 17))
    cohort = make_cohort(labels, groups=groups)
    table = make_splits(cohort, Evaluation(repeats=5, folds=3, seed=seed))
    found = partitions_of(table)
    assert len(found) == len(set(found)) == 5
    tests = [test for partition in found for test in partition]
    assert len(set(tests)) == 15  # no test set twice
    sizes = [len(test) for test in tests]
    assert max(sizes) <= 2 * min(sizes)


def test_six_groups_in_five_folds_are_dealt_in_distinct_partitions(make_cohort):
    cohort = make_cohort(np.arange(60) % 2, groups=np.repeat(list("abcdef"), 10))
    found = partitions_of(make_splits(cohort, Evaluation(repeats=20, folds=5)))
    assert len(found) == len(set(found)) == 15  # pairs of six groups


def test_a_small_cohort_without_groups_is_dealt_in_distinct_partitions(make_cohort):
    """Two of four samples, one of each class: two ways."""
    found = partitions_of(make_splits(make_cohort([0, 0, 1, 1]), Evaluation(folds=2)))
    assert len(found) == len(set(found)) == 2


def test_a_share_is_of_the_same_partitions(make_cohort):
    groups = np.repeat([f"g{i:02d}" for i in range(12)], np.arange(5, 17))
    cohort = make_cohort(np.repeat(np.arange(12) % 2, np.arange(5, 17)), groups=groups)
    whole = make_splits(cohort, Evaluation(repeats=3, folds=3))
    some = make_splits(cohort, Evaluation(repeats=2, folds=3, training_share=0.5))
    assert partitions_of(some) == partitions_of(whole)[:2]


@pytest.mark.parametrize("seed", range(5))
def test_drawn_folds_that_would_take_a_class_out_of_training_are_redrawn(make_cohort, seed):
    """In random structures that the checks allow, every class is learned in every fold."""
    rng = np.random.default_rng(seed)
    for _ in range(12):
        folds = int(rng.integers(2, 4))
        groups = np.repeat(np.arange(9), rng.integers(1, 6, 9))
        labels = rng.integers(0, 3, 9)[groups]
        homes = [len(set(groups[labels == label])) for label in range(3)]
        if min(homes) < folds:
            continue
        cohort = make_cohort(labels, groups=groups.astype(str))
        for partition in partitions_of(make_splits(cohort, Evaluation(repeats=3, folds=folds))):
            assert len(partition) == folds
            for test in partition:
                train = ~np.isin(cohort.samples, list(test))
                assert set(labels[train]) == {0, 1, 2}
