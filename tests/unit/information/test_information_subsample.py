"""The draw from a large cohort: nobody left out that is many, and nothing decided by order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Information
from balmi.data.splits import Split
from balmi.information import measure
from balmi.information.splits import measure_splits
from balmi.information.study import canonical, study_of
from balmi.information.subsample import subsample
from balmi.preprocess.features import Features

FEW = Information(permutations=19, fold_permutations=19, largest=200)


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


def test_a_large_cohort_is_measured_on_the_draw_and_the_table_and_log_say_so(
    simulated, caplog, monkeypatch
):
    cohort, _ = simulated
    monkeypatch.setattr(measure, "SECTIONS", (measure._entropy,))
    monkeypatch.setattr(measure, "_coalitions", lambda _: [])
    assert len(cohort.samples) > FEW.largest
    with caplog.at_level("INFO", logger="balmi"):
        table = measure.measure_cohort(cohort, Features(cohort, 2000), FEW)
    assert f"on 200 of {len(cohort.samples)} samples" in caplog.text
    assert table["quantity"].tolist() == ["label_entropy"]
    assert table["n"].tolist() == [200]


def test_the_draw_does_not_depend_on_the_order_of_samples(simulated):
    cohort, _ = simulated
    order = np.random.default_rng(0).permutation(len(cohort.samples))
    shuffled = replace(
        cohort,
        samples=cohort.samples[order],
        labels=cohort.labels[order],
        groups=None if cohort.groups is None else cohort.groups[order],
        values={name: table[order] for name, table in cohort.tables.items()},
    )
    taken = []
    for each in (cohort, shuffled):
        ordered, features = canonical(each, Features(each, 50))
        study = study_of(ordered, features, np.arange(len(order)), FEW, 19)
        taken.append(ordered.samples[study.rows].tolist())
    assert taken[0] == taken[1]


def test_inside_training_parts_the_draw_sees_no_test_sample(simulated):
    cohort, _ = simulated
    count = len(cohort.samples)
    test = np.arange(0, count, 4)
    split = split_of(count, test)
    found = measure_splits(cohort, Features(cohort, 50), [split], FEW)
    rng = np.random.default_rng(0)
    tables = cohort.tables
    for name, table in tables.items():
        tables[name][test] = np.where(
            np.isnan(table[test]), np.nan, rng.normal(size=table[test].shape)
        )
    labels = cohort.labels.copy()
    labels[test] = rng.permutation(labels[test])
    altered = replace(cohort, values=tables, labels=labels)
    other = measure_splits(altered, Features(altered, 50), [split], FEW)
    np.testing.assert_array_equal(found.label, other.label)
    np.testing.assert_array_equal(found.margin, other.margin)


def split_of(count, test):
    fit = np.setdiff1d(np.arange(count), test)
    inner = np.arange(len(fit)) % 5
    return Split(0, 0, fit[inner > 0], fit[inner == 0], test, inner, tuple(range(5)))
