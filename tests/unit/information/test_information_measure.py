"""The table of a cohort, and the values inside training parts: truth, contract and leaks."""

import logging
from dataclasses import asdict, replace
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.decomposition import PCA

from balmi.config.settings import Information
from balmi.data.files import write_table
from balmi.data.splits import Split
from balmi.information.crossfit import (
    CHEAP_MEMBERS,
    cross_fit_blocks,
    fold_numbers,
    pooled_posteriors,
)
from balmi.information.files import read_split_information, write_split_information
from balmi.information.label import entropy, pointwise_information
from balmi.information.measure import SplitInformation, measure_cohort, measure_splits
from balmi.information.pairs import gaussian_value, rank_normalise, representation
from balmi.preprocess.pipeline import Features

ROOT = Path(__file__).parents[3]
SETTINGS = Information(permutations=19, fold_permutations=19)


def value_of(table, quantity, modality, other=None):
    found = table[(table.quantity == quantity) & (table.modality == modality)]
    found = found if other is None else found[found.other == other]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def measured(simulated):
    cohort, _ = simulated
    return measure_cohort(cohort, Features(cohort, 2000), Information(permutations=99))


class TestTable:
    def test_keeps_the_contract(self, measured, tmp_path):
        contracts = yaml.safe_load((ROOT / "tests/contract/tables.yaml").read_text("utf-8"))
        contract = contracts["tables/information.csv"]
        write_table(measured, tmp_path / "information.csv")
        table = pd.read_csv(tmp_path / "information.csv", dtype={"components": "Int64"})
        assert list(table.columns) == list(contract)
        kinds = {"int": "iu", "float": "f", "text": "O"}
        for name, rules in contract.items():
            assert table[name].dtype.kind in kinds[rules["type"]], name
            assert rules.get("nullable") or table[name].notna().all(), name
        assert set(table["quantity"]) == set(contract["quantity"]["values"])
        assert not table.duplicated(["quantity", "modality", "other"]).any()

    def test_holds_every_modality_and_pair(self, measured):
        names = ["strong", "redundant", "weak", "noise"]
        pairs = list(combinations(names, 2))
        found = measured.fillna({"modality": "", "other": ""}).groupby("quantity", sort=False)
        rows = {key: list(zip(part.modality, part.other, strict=True)) for key, part in found}
        assert rows["label_entropy"] == [("", "")]
        assert rows["label_information"] == [(name, "") for name in names]
        assert rows["label_difference"] == pairs
        assert rows["pairwise_information"] == pairs
        assert rows["representation_information"] == pairs
        assert rows["complementarity_margin"] == list(permutations(names, 2))

    def test_intervals_and_p_values_make_sense(self, measured):
        assert (measured.lower <= measured.estimate).all()
        assert (measured.estimate <= measured.upper).all()
        p = measured.p_value.dropna()
        assert p.between(1 / 100, 1).all()
        has_null = measured.quantity.isin(
            ["label_information", "pairwise_information", "representation_information"]
        )
        assert (measured.p_value.notna() == has_null).all()
        assert (measured.null95.notna() == has_null).all()

    def test_counts_the_samples_that_have_what_is_needed(self, measured):
        lacking = measured[["modality", "other"]].eq("weak").any(axis=1)
        assert (measured[lacking].n == 320).all()
        assert (measured[~lacking].n == 400).all()
        components = measured.set_index("quantity").components
        assert components["label_entropy"] is pd.NA
        assert (components["label_information"] == 40).all()  # all 40 features
        assert (components["pairwise_information"] == 20).all()
        assert (components["representation_information"] == 2).all()  # classes - 1

    def test_reads_the_planted_truth(self, measured, simulated):
        """A lower bound: it may miss .2 of the truth at n = 400, and exceed it by noise only."""
        cohort, truth = simulated
        found = {
            name: value_of(measured, "label_information", name).estimate
            for name in cohort.modalities
        }
        for name, value in found.items():
            assert truth[name] - 0.2 < value < truth[name] + 0.06, name
        assert found["noise"] == pytest.approx(0, abs=0.02)
        assert found["strong"] > found["weak"] + 0.5
        assert found["weak"] > 0.05
        h = measured[measured.quantity == "label_entropy"].iloc[0]
        assert h.estimate == pytest.approx(entropy(cohort.labels))
        assert h.lower == h.upper == h.estimate

    def test_nulls_tell_signal_from_noise(self, measured):
        p = measured.set_index(["quantity", "modality", "other"]).p_value
        for name in ("strong", "redundant", "weak"):
            assert value_of(measured, "label_information", name).p_value == pytest.approx(0.01)
        assert value_of(measured, "label_information", "noise").p_value > 0.05
        assert p["pairwise_information", "strong", "redundant"] == pytest.approx(0.01)
        assert p["pairwise_information", "strong", "noise"] > 0.05
        assert p["representation_information", "strong", "redundant"] == pytest.approx(0.01)

    def test_redundancy_shows_in_pairs_and_margins(self, measured):
        shared = value_of(measured, "representation_information", "strong", "redundant")
        assert shared.estimate > 1
        assert value_of(measured, "representation_information", "strong", "noise").upper < 0.1
        assert value_of(measured, "complementarity_margin", "strong", "redundant").lower > 0
        assert value_of(measured, "complementarity_margin", "weak", "strong").upper < 0

    def test_difference_is_paired_by_sample(self, measured):
        label = measured[measured.quantity == "label_information"].set_index("modality")
        for left, right in combinations(["strong", "redundant", "noise"], 2):
            row = value_of(measured, "label_difference", left, right)
            expected = label.estimate[left] - label.estimate[right]
            assert row.estimate == pytest.approx(expected, abs=1e-9)
        # Both miss the same samples: paired, the interval is narrower than either alone.
        paired = value_of(measured, "label_difference", "strong", "redundant")
        assert paired.upper - paired.lower < label.upper["strong"] - label.lower["strong"]
        assert value_of(measured, "label_difference", "strong", "weak").lower > 0

    def test_margin_is_shared_minus_label_information_of_the_student(self, measured):
        for teacher, student in permutations(["strong", "redundant", "noise"], 2):
            both = [
                part
                for part in measured.itertuples()
                if part.quantity == "representation_information"
                and {part.modality, part.other} == {teacher, student}
            ]
            label = value_of(measured, "label_information", student).estimate
            margin = value_of(measured, "complementarity_margin", teacher, student).estimate
            assert margin == pytest.approx(both[0].estimate - max(label, 0), abs=1e-9)


def test_names_of_classes_do_not_matter(simulated):
    cohort, _ = simulated
    rows = np.arange(120)
    small = replace(
        cohort,
        samples=cohort.samples[rows],
        labels=cohort.labels[rows],
        groups=cohort.groups[rows],
        values={name: values[rows] for name, values in cohort.values.items()},
    )
    renamed = replace(small, classes=("x", "y", "z"))
    tables = [measure_cohort(c, Features(c, 10), SETTINGS) for c in (small, renamed)]
    pd.testing.assert_frame_equal(*tables)


def test_a_pair_uses_only_samples_that_have_both(cohort_of):
    """Computed again from the shared samples alone, with scikit-learn's components."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(90, 2))
    values = {
        name: latent @ rng.normal(size=(2, 5)) + 0.5 * rng.normal(size=(90, 5)) for name in "ab"
    }
    values["a"][:20] = np.nan
    values["b"][60:] = np.nan
    cohort = cohort_of(values, rng.integers(2, size=90))
    table = measure_cohort(cohort, Features(cohort, 10), Information(permutations=19, components=3))
    row = value_of(table, "pairwise_information", "a", "b")
    assert (row.n, row.components) == (40, 3)
    views = []
    for name in "ab":
        scaled = values[name] / np.nanstd(values[name], axis=0)
        views.append(PCA(3, svd_solver="full").fit_transform(rank_normalise(scaled[20:60])))
    assert row.estimate == pytest.approx(gaussian_value(*views), abs=1e-9)
    shared = value_of(table, "representation_information", "a", "b")
    assert shared.n == 40
    assert value_of(table, "complementarity_margin", "b", "a").n == 40


class TestTooFew:
    @pytest.fixture
    def cohort(self, cohort_of):
        """c has 29 samples; a and b have 40 each and 20 of them together."""
        rng = np.random.default_rng(0)
        values = {name: rng.normal(size=(60, 3)) for name in "abc"}
        values["a"][40:] = np.nan
        values["b"][:20] = np.nan
        values["c"][29:] = np.nan
        return cohort_of(values, np.arange(60) % 2)

    def test_no_row_and_a_warning(self, cohort, caplog):
        with caplog.at_level(logging.WARNING, "balmi"):
            table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
        assert list(table.quantity) == ["label_entropy", "label_information", "label_information"]
        assert list(table.modality[1:]) == ["a", "b"]
        assert list(table.n[1:]) == [40, 40]
        assert [record.getMessage() for record in caplog.records] == [
            "information of c: 29 samples are too few",
            "information of a and b: 20 shared samples",
        ]

    def test_a_training_part_says_nothing(self, cohort):
        split = Split(0, 0, np.arange(50), np.arange(50, 55), np.arange(55, 60))
        found = measure_splits(cohort, Features(cohort, 10), [split], SETTINGS)
        assert np.isnan(found.label[0]).tolist() == [False, False, True]
        assert found.p_value[0, 2] == 1
        assert not found.shared.any()
        assert np.isnan(found.margin).all()

    def test_many_classes_need_more_shared_samples(self, cohort_of):
        """Two representations of 15 columns leave 32 samples no degrees of freedom."""
        rng = np.random.default_rng(0)
        values = {name: rng.normal(size=(200, 3)) for name in "ab"}
        values["a"][116:] = np.nan
        values["b"][:84] = np.nan
        cohort = cohort_of(values, np.arange(200) % 16)
        table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
        assert "representation_information" not in set(table.quantity)
        assert value_of(table, "pairwise_information", "a", "b").n == 32


def test_fewer_groups_than_folds(cohort_of):
    rng = np.random.default_rng(0)
    groups = np.repeat(["p", "q", "r"], 30)
    cohort = cohort_of({"a": rng.normal(size=(90, 4))}, np.arange(90) % 2, groups)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    assert value_of(table, "label_information", "a").estimate == pytest.approx(0, abs=0.1)


def test_a_modality_of_one_group_has_no_estimate(cohort_of, caplog):
    rng = np.random.default_rng(0)
    groups = np.repeat(["p", "q", "r"], 40)
    values = {name: rng.normal(size=(120, 4)) for name in "ab"}
    values["b"][40:] = np.nan
    cohort = cohort_of(values, np.arange(120) % 2, groups)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    assert set(table.modality.dropna()) == {"a"}
    assert "information of b: 40 samples are too few" in caplog.text


def test_modalities_that_do_not_vary_know_and_share_nothing(cohort_of):
    rng = np.random.default_rng(0)
    labels = rng.choice(3, p=[0.5, 0.3, 0.2], size=90)
    values = {"a": np.ones((90, 3)), "b": np.full((90, 2), 7.0), "c": np.eye(3)[labels]}
    cohort = cohort_of(values, labels)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    assert value_of(table, "label_information", "a").estimate == pytest.approx(0, abs=0.03)
    assert value_of(table, "label_information", "c").estimate > 0.9
    assert value_of(table, "representation_information", "a", "b").estimate == 0
    assert value_of(table, "pairwise_information", "a", "c").estimate == 0


def test_independent_modalities_share_nothing(cohort_of):
    """Pitfall 3, end to end: 15 cohorts without any dependence, labels included."""
    values = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        cohort = cohort_of(
            {name: rng.normal(size=(100, 8)) for name in "ab"}, rng.integers(3, size=100)
        )
        rows = np.arange(100)
        split = Split(0, 0, rows[:80], rows[80:90], rows[90:])
        found = measure_splits(cohort, Features(cohort, 10), [split], SETTINGS)
        values.append(found.shared[0, 0, 1])
    assert np.mean(values) == pytest.approx(0, abs=0.02)
    assert np.max(values) < 0.12


@pytest.fixture(scope="module")
def replicas(simulated):
    """Two splits of 200 samples of the simulated cohort, patients kept together."""
    cohort, _ = simulated
    rows = np.arange(200)
    cohort = replace(
        cohort,
        samples=cohort.samples[rows],
        labels=cohort.labels[rows],
        groups=cohort.groups[rows],
        values={name: values[rows].copy() for name, values in cohort.values.items()},
    )
    splits = []
    for fold in range(2):
        patients = np.random.default_rng(fold).permutation(100)
        parts = [np.sort(np.r_[2 * part, 2 * part + 1]) for part in np.split(patients, [60, 80])]
        splits.append(Split(0, fold, *parts))
    return cohort, splits


@pytest.fixture(scope="module")
def inside(replicas):
    cohort, splits = replicas
    return measure_splits(cohort, Features(cohort, 20), splits, SETTINGS)


class TestTrainingParts:
    def test_shapes(self, inside):
        assert inside.label.shape == inside.p_value.shape == (2, 4)
        assert inside.shared.shape == inside.margin.shape == (2, 4, 4)
        assert np.isfinite(inside.label).all()
        assert ((inside.p_value >= 1 / 20) & (inside.p_value <= 1)).all()

    def test_shared_is_symmetric_and_margins_are_differences(self, inside):
        assert (inside.shared == inside.shared.transpose(0, 2, 1)).all()
        assert not inside.shared.diagonal(axis1=1, axis2=2).any()
        assert np.isnan(inside.margin.diagonal(axis1=1, axis2=2)).all()
        for replica in range(2):
            for teacher, student in permutations(range(4), 2):
                margin = inside.margin[replica, teacher, student]
                assert margin <= inside.shared[replica, teacher, student]

    def test_strong_modalities_pass_the_gate(self, inside):
        assert (inside.p_value[:, :2] <= 0.05).all()
        assert (inside.label[:, :2] > 0.5).all()
        assert (inside.label[:, :2] > inside.label[:, 2:].max()).all()
        assert (inside.shared[:, 0, 1] > 0.8).all()

    def test_equal_to_the_parts_put_together_by_hand(self, replicas, inside):
        cohort, splits = replicas
        features = Features(cohort, 20)
        for replica, split in enumerate(splits):
            rows = split.fit
            fold = fold_numbers(len(rows), cohort.groups[rows], 5, seed=0)
            posteriors, has = {}, {}
            for index, name in enumerate(cohort.modalities):
                has[name] = cohort.available[rows, index]
                here, labels = rows[has[name]], cohort.labels[rows[has[name]]]
                blocks = cross_fit_blocks(features, name, here, fold[has[name]], 50)
                full = np.full((len(rows), 3), np.nan)
                full[has[name]] = pooled_posteriors(blocks, labels, 3, CHEAP_MEMBERS)
                posteriors[name] = full
                label = pointwise_information(full[has[name]], labels).mean()
                assert inside.label[replica, index] == pytest.approx(label)
            for (i, left), (j, right) in combinations(enumerate(cohort.modalities), 2):
                both = has[left] & has[right]
                shared = gaussian_value(
                    representation(posteriors[left][both], fold[both]),
                    representation(posteriors[right][both], fold[both]),
                )
                assert inside.shared[replica, i, j] == pytest.approx(shared)
                for t, s, student in ((i, j, right), (j, i, left)):
                    labels = cohort.labels[rows[both]]
                    held = pointwise_information(posteriors[student][both], labels).mean()
                    expected = shared - max(0, held)
                    assert inside.margin[replica, t, s] == pytest.approx(expected)

    def test_test_samples_are_never_read(self, replicas, inside):
        """Garbled features and labels of test rows, in one replica each, change nothing."""
        cohort, splits = replicas
        for replica, split in enumerate(splits):
            rng = np.random.default_rng(9)
            labels = cohort.labels.copy()
            labels[split.test] = rng.integers(3, size=len(split.test))
            values = {name: x.copy() for name, x in cohort.values.items()}
            for x in values.values():
                seen = split.test[~np.isnan(x[split.test, 0])]
                x[seen] = 1e3 * rng.normal(size=(len(seen), x.shape[1]))
            garbled = replace(cohort, labels=labels, values=values)
            found = measure_splits(garbled, Features(garbled, 20), [split], SETTINGS)
            for key, array in asdict(found).items():
                np.testing.assert_array_equal(array[0], getattr(inside, key)[replica])

    def test_training_samples_are(self, replicas, inside):
        cohort, splits = replicas
        labels = cohort.labels.copy()
        labels[splits[0].validation] = (labels[splits[0].validation] + 1) % 3
        other = replace(cohort, labels=labels)
        found = measure_splits(other, Features(other, 20), splits[:1], SETTINGS)
        assert not np.allclose(found.label[0], inside.label[0])

    def test_replicas_do_not_depend_on_each_other(self, replicas, inside):
        cohort, splits = replicas
        alone = measure_splits(cohort, Features(cohort, 20), splits[1:], SETTINGS)
        for key, array in asdict(alone).items():
            np.testing.assert_array_equal(array[0], getattr(inside, key)[1])


def test_a_negative_bound_makes_no_margin(cohort_of):
    """Posteriors of noise may have a negative bound; what is shared stays the margin."""
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=100)
    values = {
        "a": rng.normal(size=(100, 4)) + 2 * np.eye(4)[labels],
        "b": rng.normal(size=(100, 30)),
    }
    cohort = cohort_of(values, labels)
    split = Split(0, 0, np.arange(80), np.arange(80, 90), np.arange(90, 100))
    found = measure_splits(cohort, Features(cohort, 30), [split], SETTINGS)
    assert found.label[0, 1] < 0
    assert found.margin[0, 0, 1] == found.shared[0, 0, 1]
    assert found.margin[0, 1, 0] == found.shared[0, 0, 1] - found.label[0, 0]


def test_files_round_trip(inside, tmp_path):
    path = tmp_path / "deep" / "information.safetensors"
    few = SplitInformation(
        label=np.array([[np.nan, 0.1]]),
        p_value=np.array([[1.0, 0.05]]),
        shared=np.zeros((1, 2, 2)),
        margin=np.full((1, 2, 2), np.nan),
    )
    for information in (inside, few):
        write_split_information(information, path)
        back = read_split_information(path)
        for key, array in asdict(information).items():
            found = getattr(back, key)
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found, array)
    assert [file.name for file in path.parent.iterdir()] == ["information.safetensors"]
