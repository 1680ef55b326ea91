"""An even draw from a large cohort: nobody left out that is many, and nothing decided by order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Evaluation
from balmi.data.splits import as_splits, make_splits
from balmi.data.subsample import FEWEST, subsample, thinned


def drawn(labels, largest, available=None, groups=None, seed=0):
    if available is None:
        available = np.ones((len(labels), 1), dtype=bool)
    return subsample(labels, available, groups, largest, np.random.default_rng(seed))


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=6),
    st.integers(1, 200),
    st.integers(0, 1000),
)
def test_every_class_has_its_share_to_within_one(counts, largest, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    found = drawn(labels, largest, seed=seed)
    assert len(found) == len(set(found.tolist())) == min(largest, len(labels))
    assert np.array_equal(found, np.sort(found))
    share = len(found) / len(labels)
    of_class = np.bincount(labels[found], minlength=len(counts))
    assert (np.abs(of_class - share * np.array(counts)) < 1 + 1e-9).all()


def test_groups_are_thinned_out_and_not_left_out():
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(10, size=2000), rng.integers(3, size=2000)
    found = drawn(labels, 400, groups=groups)
    of_group = np.bincount(groups[found], minlength=10)
    # Within each of three classes a group has its share to within one.
    assert (np.abs(of_group - np.bincount(groups) / 5) <= 3).all()


def test_patterns_of_availability_keep_their_share():
    rng = np.random.default_rng(1)
    labels = rng.integers(2, size=3000)
    available = np.column_stack([np.ones(3000, dtype=bool), rng.random(3000) < 0.1])
    found = drawn(labels, 600, available)
    assert available[found, 1].sum() == pytest.approx(available[:, 1].sum() / 5, abs=2)


def test_few_samples_are_all_taken_and_draw_nothing():
    rng = np.random.default_rng(3)
    before = rng.bit_generator.state
    labels, available = np.zeros(50, dtype=int), np.ones((50, 2), dtype=bool)
    np.testing.assert_array_equal(subsample(labels, available, None, 50, rng), np.arange(50))
    assert rng.bit_generator.state == before


def test_another_seed_draws_others():
    labels = np.zeros(1000, dtype=int)
    assert not np.array_equal(drawn(labels, 100, seed=0), drawn(labels, 100, seed=1))


def folds_of(cohort):
    return as_splits(make_splits(cohort, Evaluation(repeats=1, folds=2, seed=1)), cohort)


def test_a_thinned_split_keeps_its_test_samples_inner_folds_and_rare_classes(make_cohort):
    cohort = make_cohort(np.repeat([0, 1, 2], [560, 410, 30]), {"rna": 3})
    for split in folds_of(cohort):
        found = thinned(split, cohort, 100, np.random.default_rng(0))
        assert np.array_equal(found.test, split.test)
        assert np.isin(found.train, split.fit).all()
        inner = dict(zip(split.fit.tolist(), split.inner.tolist(), strict=True))
        assert [inner[row] for row in found.fit.tolist()] == found.inner.tolist()
        assert np.array_equal(found.validation, found.fit[found.inner == found.usable[0]])
        # 56, 41 and 3 are the shares of 100 samples; the rarest has 15 in training, all kept.
        assert np.bincount(cohort.labels[found.fit]).tolist() == [56, 41, 15]
        assert (np.bincount(cohort.labels[split.fit]) >= [FEWEST, FEWEST, 15]).all()


def test_a_split_of_few_samples_is_itself(make_cohort):
    cohort = make_cohort(np.repeat([0, 1], 40), {"rna": 3})
    split = folds_of(cohort)[0]
    assert thinned(split, cohort, 40, np.random.default_rng(0)) is split


def test_every_group_of_a_thinned_split_keeps_its_share(make_cohort):
    cohort = replace(
        make_cohort(np.tile([0, 1], 400), {"rna": 3}), groups=np.repeat(list("abcdefgh"), 100)
    )
    for split in folds_of(cohort):
        found = thinned(split, cohort, 80, np.random.default_rng(0))
        names, counts = np.unique(cohort.groups[found.fit], return_counts=True)
        assert set(names) == set(cohort.groups[split.fit])
        assert counts.max() - counts.min() <= 2
