"""The table of a cohort, and the values inside training parts: truth, contract and leaks."""

import logging
from dataclasses import asdict, replace
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from balmi.config.settings import Information
from balmi.data.files import write_table
from balmi.data.splits import Split
from balmi.information import deals, measure, members, pairs, study
from balmi.information.crossfit import Views, cross_fit_blocks
from balmi.information.deals import inner_numbers, shared_out
from balmi.information.files import (
    SplitInformation,
    read_split_information,
    write_split_information,
)
from balmi.information.label import entropy, pointwise_information
from balmi.information.measure import measure_cohort
from balmi.information.members import CHEAP_MEMBERS
from balmi.information.pairs import gaussian_value, rank_normalise, representation
from balmi.information.pool import pooled_block
from balmi.information.splits import measure_splits
from balmi.information.study import class_codes
from balmi.preprocess.features import Features
from balmi.tables.contract import TABLES

SETTINGS = Information(permutations=19, fold_permutations=19)


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """Grow three trees a forest, deal once to three inner folds, and leave out sixths of samples.

    The tables are looked at here; members and intervals are tested in files of their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deals, "INNER_FOLDS", 3)
        patch.setattr(members, "TREES", 3)
        patch.setattr(members, "FOREST", 3)
        patch.setattr(pairs, "JACKKNIFE_GROUPS", 6)
        patch.setattr(study, "MOST_DEALS", 1)
        yield


def value_of(table, quantity, modality, other=None):
    found = table[(table.quantity == quantity) & (table.modality == modality)]
    found = found if other is None else found[found.other == other]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def measured(simulated):
    cohort, _ = simulated
    return measure_cohort(cohort, Features(cohort, 2000), SETTINGS)


class TestFolds:
    @pytest.fixture
    def handed_over(self, monkeypatch):
        """Return a function that gives the folds that the study of a cohort is handed."""

        class Handed(Exception):
            pass

        def stop(*_, folds, **__):
            raise Handed(folds)

        monkeypatch.setattr(measure, "study_of", stop)

        def of(cohort, splits):
            with pytest.raises(Handed) as caught:
                measure_cohort(cohort, Features(cohort, 10), SETTINGS, splits)
            return caught.value.args[0]

        return of

    def test_are_those_of_the_evaluation_sample_by_sample(self, cohort_of, handed_over):
        """Samples of the file in reverse: rows 0 and 1 are s3 and s2, tested in fold 1."""
        cohort = cohort_of({"a": np.eye(4)}, [0, 1, 0, 1])
        cohort = replace(cohort, samples=cohort.samples[::-1])
        tests = np.array([2, 3]), np.array([0, 1])
        splits = [
            Split(0, fold, rest[:1], rest[1:], test)
            for fold, (test, rest) in enumerate(zip(tests, tests[::-1], strict=True))
        ]
        assert [fold.tolist() for fold in handed_over(cohort, splits)] == [[0, 0, 1, 1]]
        brought = replace(cohort, folds=np.array([list("aabb")]))
        assert handed_over(brought, splits) == []


class TestTable:
    def test_keeps_the_contract(self, measured, tmp_path):
        contract = TABLES["information"]
        write_table(measured, tmp_path / "information.csv")
        table = pd.read_csv(
            tmp_path / "information.csv", dtype={"components": "Int64", "seen_from": "Int64"}
        )
        assert tuple(table.columns) == contract.names
        contract.check(measured)
        kinds = {"int": "iu", "float": "f", "text": "O"}
        for name, column in contract.columns.items():
            assert table[name].dtype.kind in kinds[column.type], name
        assert set(table["quantity"]) == set(contract.columns["quantity"].values)
        assert not table.duplicated(["quantity", "modality", "other"]).any()

    def test_holds_every_modality_pair_and_coalition(self, measured):
        names = ["noise", "redundant", "strong", "weak"]
        pairs = list(combinations(names, 2))
        subsets = [("+".join(each), "") for size in (2, 3, 4) for each in combinations(names, size)]
        rest = [(name, "+".join(each for each in names if each != name)) for name in names]
        found = measured.fillna({"modality": "", "other": ""}).groupby("quantity", sort=False)
        rows = {key: list(zip(part.modality, part.other, strict=True)) for key, part in found}
        assert rows["label_entropy"] == rows["balance"] == [("", "")]
        for quantity in ("label_information", "label_extrapolated"):
            assert rows[quantity] == [(name, "") for name in names]
        for quantity in ("subset_information", "subset_extrapolated"):
            assert rows[quantity] == subsets
        for quantity in ("information", "linear", "nonlinear", "composite"):
            assert rows[f"pairwise_{quantity}"] == pairs
        assert rows["label_difference"] == rows["representation_information"] == pairs
        for quantity in ("student_information", "complementarity_margin"):
            assert rows[quantity] == list(permutations(names, 2))
        for quantity in ("redundant_information", "unique_information", "synergistic_information"):
            assert rows[quantity] == pairs + rest
        for quantity in ("shapley_information", "shapley_share"):
            assert rows[quantity] == [(name, "") for name in names]

    def test_intervals_and_p_values_make_sense(self, measured):
        point = measured.lower.isna()
        assert set(measured.quantity[point]) == {
            *("label_extrapolated", "subset_extrapolated"),
            *("pairwise_linear", "pairwise_nonlinear", "pairwise_wide", "pairwise_composite"),
        }
        assert (measured.upper.isna() == point).all()
        lacking = measured[measured.status == "not_applicable"]
        assert set(lacking.quantity) <= {"pairwise_linear", "pairwise_nonlinear", "pairwise_wide"}
        assert (measured.estimate.isna() == (measured.status == "not_applicable")).all()
        assert (measured.lower <= measured.estimate)[~point].all()
        assert (measured.estimate <= measured.upper)[~point].all()
        p = measured.p_value.dropna()
        assert p.between(1 / 20, 1).all()
        has_null = measured.quantity.isin(
            [
                *("label_information", "subset_information"),
                *("pairwise_information", "pairwise_composite"),
            ]
        )
        assert (measured.p_value.notna() == has_null).all()
        assert (measured.null95.notna() == has_null).all()

    def test_counts_the_samples_that_have_what_is_needed(self, measured):
        named = (measured.modality.fillna("") + "+" + measured.other.fillna("")).str.split("+")
        shared = measured.quantity.isin(["shapley_information", "shapley_share", "balance"])
        lacking = named.map(lambda names: "weak" in names) | shared
        assert (measured[lacking].n == 320).all()
        assert (measured[~lacking].n == 400).all()
        components = measured.set_index("quantity").components
        assert components["label_entropy"] is pd.NA
        assert (components["label_information"] == 40).all()  # all 40 features
        assert (components["subset_information"] <= 64).all()  # a fifth of the training part
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
            assert value_of(measured, "label_information", name).p_value == pytest.approx(1 / 20)
        assert value_of(measured, "label_information", "noise").p_value > 0.05
        assert p["pairwise_information", "redundant", "strong"] == pytest.approx(1 / 20)
        assert p["pairwise_information", "noise", "strong"] > 0.05

    def test_redundancy_shows_in_pairs_and_margins(self, measured):
        shared = value_of(measured, "representation_information", "redundant", "strong")
        assert shared.estimate > 1
        assert value_of(measured, "representation_information", "noise", "strong").upper < 0.1
        assert value_of(measured, "complementarity_margin", "strong", "redundant").lower > 0
        assert value_of(measured, "complementarity_margin", "weak", "strong").upper < 0

    def test_difference_is_paired_by_sample(self, measured):
        label = measured[measured.quantity == "label_information"].set_index("modality")
        for left, right in combinations(["noise", "redundant", "strong"], 2):
            row = value_of(measured, "label_difference", left, right)
            expected = label.estimate[left] - label.estimate[right]
            assert row.estimate == pytest.approx(expected, abs=1e-9)
        # Both miss the same samples: paired, the interval is narrower than either alone.
        paired = value_of(measured, "label_difference", "redundant", "strong")
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

    def test_what_is_told_of_the_label_adds_up(self, measured):
        """Redundant and unique make up the modality, and all four what both tell together."""
        parts = measured[measured.status == "ok"].set_index(["quantity", "modality", "other"])
        both = parts.estimate.xs(("redundant", "strong"), level=["modality", "other"])
        assert both["redundant_information"] > 0.7
        assert both["unique_of_other"] > both["unique_information"] - 0.02
        assert both["synergistic_information"] == pytest.approx(0, abs=0.05)
        nothing = parts.estimate.xs(("noise", "strong"), level=["modality", "other"])
        assert nothing["redundant_information"] == pytest.approx(0, abs=0.03)
        assert nothing["unique_information"] == pytest.approx(0, abs=0.03)
        assert nothing["unique_of_other"] > 0.8

    def test_no_set_of_modalities_is_below_a_part(self, measured):
        """Of the same samples; `weak` and `redundant` are lacking in some."""
        known = measured[measured.quantity.isin(("label_information", "subset_information"))]
        known = known[known.status == "ok"].set_index("modality")
        for (part, one), (whole, two) in permutations(known.iterrows(), 2):
            if set(part.split("+")) < set(whole.split("+")) and one.n == two.n:
                assert one.estimate <= two.estimate + 1e-12

    def test_parts_add_up_to_what_the_table_says(self, measured):
        """Redundant and unique are the modality, and all four both together, to rounding."""
        rows = measured[measured.status == "ok"].set_index(["quantity", "modality", "other"])
        for first, second in combinations(("noise", "strong"), 2):
            parts = rows.estimate.xs((first, second), level=["modality", "other"])
            joint = value_of(measured, "subset_information", f"{first}+{second}").estimate
            one, two = (
                max(0, value_of(measured, "label_information", name).estimate)
                for name in (first, second)
            )
            shared = parts["redundant_information"]
            assert shared + parts["unique_information"] == pytest.approx(one, abs=1e-9)
            assert shared + parts["unique_of_other"] == pytest.approx(two, abs=1e-9)
            told = shared + parts["unique_information"] + parts["unique_of_other"]
            assert told + parts["synergistic_information"] == pytest.approx(joint, abs=1e-9)

    def test_shares_of_the_information(self, measured, simulated):
        share = measured[measured.quantity == "shapley_share"].set_index("modality").estimate
        assert share.sum() == pytest.approx(1)
        assert share["noise"] == pytest.approx(0, abs=0.02)
        assert share["strong"] == pytest.approx(share["redundant"], abs=0.1)
        shapley = measured[measured.quantity == "shapley_information"].set_index("modality")
        whole = value_of(measured, "subset_information", "noise+redundant+strong+weak")
        assert shapley.estimate.sum() == pytest.approx(whole.estimate, abs=1e-9)
        balance = measured[measured.quantity == "balance"].estimate.iloc[0]
        expected = -(share[share > 0] * np.log(share[share > 0])).sum() / np.log(4)
        assert balance == pytest.approx(expected)

    def test_the_learning_curve_leads_upwards_and_ends_below_the_entropy(self, measured):
        h = measured.estimate.iloc[0]
        for kind in ("label", "subset"):
            bound = measured[measured.quantity == f"{kind}_information"].set_index("modality")
            limit = measured[measured.quantity == f"{kind}_extrapolated"].set_index("modality")
            assert (limit.estimate >= bound.estimate).all()
            assert (limit.estimate <= h).all()
            assert limit.estimate.get("noise", 0) == bound.estimate.get("noise", 0)


def shortened(cohort, rows):
    return replace(
        cohort,
        samples=cohort.samples[rows],
        labels=cohort.labels[rows],
        groups=None if cohort.groups is None else cohort.groups[rows],
        values={name: values[rows] for name, values in cohort.tables.items()},
    )


def shuffled(cohort, rng, codes):
    """Return the cohort with samples, modalities, features and class names in another order."""
    rows = rng.permutation(len(cohort.samples))
    names = rng.permutation(cohort.modalities)
    columns = {name: rng.permutation(len(cohort.features[name])) for name in names}
    turned = shortened(cohort, rows)
    return replace(
        turned,
        labels=np.argsort(codes)[turned.labels],
        classes=tuple(f"renamed {code}" for code in codes),
        values={name: turned.tables[name][:, columns[name]] for name in names},
        features={name: tuple(np.array(cohort.features[name])[columns[name]]) for name in names},
        kinds={name: cohort.kinds[name] for name in names},
    )


@pytest.fixture(scope="module")
def small(simulated):
    cohort, _ = simulated
    cohort = shortened(cohort, np.arange(90))
    keep = ("strong", "weak")
    return replace(
        cohort,
        values={name: cohort.tables[name][:, :8] for name in keep},
        features={name: cohort.features[name][:8] for name in keep},
        kinds={name: cohort.kinds[name] for name in keep},
    )


@pytest.fixture(scope="module")
def small_table(small):
    return measure_cohort(small, Features(small, 6), SETTINGS)


class TestOrderAndNames:
    @settings(max_examples=4)
    @given(seed=st.integers(0, 2**32 - 1), codes=st.permutations(range(3)))
    def test_change_no_estimate(self, small, small_table, seed, codes):
        other = shuffled(small, np.random.default_rng(seed), np.array(codes))
        pd.testing.assert_frame_equal(
            small_table, measure_cohort(other, Features(other, 6), SETTINGS)
        )

    @settings(max_examples=6)
    @given(seed=st.integers(0, 2**32 - 1), codes=st.permutations(range(3)))
    def test_change_nothing_inside_training_parts(self, small, seed, codes):
        other = shuffled(small, np.random.default_rng(seed), np.array(codes))
        parts = (np.arange(50), np.arange(50, 70), np.arange(70, 90))
        moved = [np.sort(other.positions(small.samples[part])) for part in parts]
        before = measure_splits(small, Features(small, 6), [Split(0, 0, *parts)], SETTINGS)
        after = measure_splits(other, Features(other, 6), [Split(0, 0, *moved)], SETTINGS)
        order = [other.modalities.index(name) for name in small.modalities]
        np.testing.assert_array_equal(before.label, after.label[:, order])
        np.testing.assert_array_equal(before.p_value, after.p_value[:, order])
        np.testing.assert_array_equal(before.shared, after.shared[:, order][:, :, order])
        np.testing.assert_array_equal(before.margin, after.margin[:, order][:, :, order])


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

    def test_the_row_says_why_and_the_log_too(self, cohort, caplog):
        with caplog.at_level(logging.WARNING, "balmi"):
            table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
        known = table[table.status == "ok"]
        assert list(known.quantity) == [
            "label_entropy",
            *("label_information", "label_extrapolated") * 2,
        ]
        assert known.n.tolist() == [60, 40, 40, 40, 40]
        refused = table[table.status == "not_applicable"]
        assert refused[["estimate", "lower", "upper", "null95", "p_value"]].isna().all(axis=None)
        alone = value_of(table, "label_information", "c")
        assert alone.reason == "29 samples; at least 30 are needed"
        words = "20 samples have them all; at least 30 are needed"
        assert value_of(table, "subset_information", "a+b").reason == words
        for quantity in ("pairwise_information", "redundant_information", "label_difference"):
            part = table[(table.quantity == quantity) & (table.other == "b")]
            assert part.reason.tolist() == [words]
        assert "label_information of c: 29 samples; at least 30 are needed" in caplog.text

    def test_no_sample_in_common(self, cohort_of):
        rng = np.random.default_rng(0)
        values = {name: rng.normal(size=(80, 3)) for name in "ab"}
        values["a"][40:] = np.nan
        values["b"][:40] = np.nan
        cohort = cohort_of(values, np.arange(80) % 2)
        table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
        pairs = table[table.other.notna()]
        assert (pairs.status == "not_applicable").all()
        assert (pairs.reason == "0 samples have them all; at least 30 are needed").all()
        assert (table[table.quantity == "label_information"].status == "ok").all()

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
        row = value_of(table, "representation_information", "a", "b")
        assert row.reason == "32 samples have them all; at least 48 are needed"
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
    assert set(table.modality[table.status == "ok"].dropna()) == {"a"}
    words = "40 samples, all of one group: none can be held out"
    assert value_of(table, "label_information", "b").reason == words
    assert words in caplog.text


def test_one_class_only(cohort_of):
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=(60, 4)) for name in "ab"}
    cohort = cohort_of(values, np.zeros(60, dtype=int))
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    assert table.estimate[0] == 0
    refused = table[table.quantity == "label_information"]
    assert (refused.reason == "60 samples, all of one class: there is no label to know").all()


def test_a_modality_equal_to_another(cohort_of):
    """All that one knows the other knows: redundancy is everything, and nothing is unique."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=150)
    values = rng.normal(size=(150, 6)) + 1.5 * np.eye(6)[labels]
    cohort = cohort_of({"a": values, "b": values.copy()}, labels)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    one, two = (value_of(table, "label_information", name) for name in "ab")
    assert one.estimate == two.estimate > 0.3
    assert value_of(table, "unique_information", "a", "b").estimate == pytest.approx(0, abs=1e-9)
    assert value_of(table, "unique_of_other", "a", "b").estimate == pytest.approx(0, abs=1e-9)
    shared = value_of(table, "redundant_information", "a", "b").estimate
    assert shared == pytest.approx(one.estimate, abs=0.1)
    assert value_of(table, "label_difference", "a", "b").estimate == 0
    share = table[table.quantity == "shapley_share"].estimate
    assert share.tolist() == pytest.approx([0.5, 0.5])
    assert table[table.quantity == "balance"].estimate.iloc[0] == pytest.approx(1)


def test_constant_and_duplicated_features_add_nothing(cohort_of):
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=120)
    values = rng.normal(size=(120, 5)) + labels[:, None]
    padded = np.hstack([values, np.full((120, 3), 7.0)])
    plain, constant, double = (
        value_of(
            measure_cohort(cohort, Features(cohort, 100), SETTINGS), "label_information", "a"
        ).estimate
        for cohort in (
            cohort_of({"a": x}, labels) for x in (values, padded, np.hstack([values, values]))
        )
    )
    assert constant == plain
    assert double == pytest.approx(plain, abs=0.03)


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
        values={name: values[rows].copy() for name, values in cohort.tables.items()},
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
            codes = class_codes(cohort.labels[rows])
            groups_of = cohort.groups[rows]
            fold = shared_out(codes, groups_of, 5, seed=0)
            inner = {k: np.full(len(rows), -1) for k in range(5)}
            for k, deal in inner.items():  # dealt once, for all modalities
                deal[fold != k] = inner_numbers(codes[fold != k], groups_of[fold != k])
            posteriors, pointwise, has = {}, {}, {}
            for index, name in enumerate(cohort.modalities):
                has[name] = cohort.available[rows, index]
                here, labels = rows[has[name]], codes[has[name]]
                blocks = cross_fit_blocks(Views(features), (name,), here, fold[has[name]], 50)
                full = np.full((len(rows), 3), np.nan)
                held, priors = np.empty((2, len(here), 3))
                at = np.flatnonzero(has[name])
                for k, block in enumerate(blocks):
                    deal, known = inner[k][at[block.train]], labels[block.train]
                    said, prior = pooled_block(block, known, deal, 3, CHEAP_MEMBERS, grouped=True)
                    held[block.test], priors[block.test] = said.outside, prior.outside
                full[has[name]] = held
                posteriors[name] = full
                point = np.full(len(rows), np.nan)
                point[has[name]] = pointwise_information(held, priors, labels)
                pointwise[name] = point
                label = point[has[name]].mean()
                assert inside.label[replica, index] == pytest.approx(label)
            for (i, left), (j, right) in combinations(enumerate(cohort.modalities), 2):
                both = has[left] & has[right]
                shared = gaussian_value(
                    representation(posteriors[left][both], fold[both]),
                    representation(posteriors[right][both], fold[both]),
                )
                assert inside.shared[replica, i, j] == pytest.approx(shared)
                for t, s, student in ((i, j, right), (j, i, left)):
                    held = pointwise[student][both].mean()
                    expected = shared - max(0, held)
                    assert inside.margin[replica, t, s] == pytest.approx(expected)

    def test_test_samples_are_never_read(self, replicas, inside):
        """Garbled features and labels of test rows, in one replica each, change nothing."""
        cohort, splits = replicas
        for replica, split in enumerate(splits):
            rng = np.random.default_rng(9)
            labels = cohort.labels.copy()
            labels[split.test] = rng.integers(3, size=len(split.test))
            values = {name: x.copy() for name, x in cohort.tables.items()}
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
    rng = np.random.default_rng(4)
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


def test_a_perfect_modality_is_not_read_as_nothing_inside_training_parts(cohort_of):
    """Features that tell a rare class for certain leave no covariance within the classes."""
    rng = np.random.default_rng(0)
    labels = (np.arange(200) < 20).astype(int)
    noisy = rng.normal(size=(200, 5)) + labels[:, None]
    cohort = cohort_of({"driver": labels[:, None] * 1.0, "rna": noisy}, labels)
    rows = rng.permutation(200)
    split = Split(0, 0, *(np.sort(part) for part in np.split(rows, [140, 160])))
    found = measure_splits(cohort, Features(cohort, 30), [split], SETTINGS)
    h = entropy(labels[split.fit])
    assert 0.9 * h < found.label[0, 0] <= h
    assert found.label[0, 0] > found.label[0, 1]


@pytest.mark.parametrize("folds", [2, 3])
def test_few_folds(cohort_of, folds):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 2
    cohort = cohort_of({"a": rng.normal(size=(90, 4)) + labels[:, None]}, labels)
    settings_of = Information(permutations=19, folds=folds)
    table = measure_cohort(cohort, Features(cohort, 10), settings_of)
    limit = value_of(table, "label_extrapolated", "a")
    if folds == 2:
        assert limit.reason.startswith("fewer than three folds")
    else:
        assert limit.estimate >= value_of(table, "label_information", "a").estimate > 0.1


def test_nothing_exceeds_the_entropy(cohort_of):
    """Separable labels of many classes and few samples, where a prior is learned badly."""
    labels = np.arange(40) % 5
    rng = np.random.default_rng(0)
    values = {name: 50 * np.eye(5)[labels] + rng.normal(size=(40, 5)) for name in "ab"}
    cohort = cohort_of(values, labels)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    h = entropy(labels)
    about_label = table.quantity.str.contains(
        "label_i|label_ex|subset|student|_of_other|unique|redu"
    )
    assert table[about_label].estimate.max() <= h + 1e-12
    assert table[table.quantity == "shapley_information"].estimate.sum() <= h + 1e-12


def test_a_copy_is_not_unique_against_the_rest(cohort_of):
    """The rest holds a copy and two noisy modalities, which cost its classifiers dear."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=90)
    b = rng.normal(size=(90, 6)) + 1.2 * np.eye(6)[labels]
    noise = {name: rng.normal(size=(90, 30)) for name in "no"}
    cohort = cohort_of({"b": b, "c": b.copy(), **noise}, labels)
    table = measure_cohort(cohort, Features(cohort, 40), SETTINGS)
    assert value_of(table, "unique_information", "b", "c+n+o").estimate < 0.02


def test_coalitions_need_a_component_for_each(cohort_of):
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=(36, 3)) for name in "abcd"}
    cohort = cohort_of(values, np.arange(36) % 2)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS)
    row = value_of(table, "subset_information", "a+b+c+d")
    assert row.reason == "36 samples have them all; at least 40 are needed"
    assert value_of(table, "subset_information", "a+b+c").status == "ok"


def test_of_many_modalities_sets_above_pairs_have_an_amount_alone(cohort_of, monkeypatch):
    monkeypatch.setattr(measure, "EXACT_PLAYERS", 2)
    monkeypatch.setattr(measure, "SECTIONS", (measure._label,))
    rng = np.random.default_rng(0)
    labels = np.arange(36) % 2
    cohort = cohort_of({name: rng.normal(size=(36, 2)) + labels[:, None] for name in "abc"}, labels)
    table = measure_cohort(cohort, Features(cohort, 10), SETTINGS).set_index("modality")
    whole = table.loc[["a+b+c"]]
    assert whole.quantity.tolist() == ["subset_information"]
    assert whole[["null95", "p_value"]].isna().all(axis=None)
    assert whole[["estimate", "lower", "upper"]].notna().all(axis=None)
    rest = table.drop(index="a+b+c")
    assert rest.quantity.str.endswith("extrapolated").sum() == 6
    assert (rest.p_value.notna() == rest.quantity.str.endswith("_information")).all()
