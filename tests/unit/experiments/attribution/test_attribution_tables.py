"""Tables of attributions, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, spearmanr

from balmi.data.files import read_table, write_table
from balmi.evaluation.statistics import corrected_interval
from balmi.experiments.attribution.tables import (
    FoldAttribution,
    aligned,
    feature_table,
    listed,
    modality_table,
    overlap,
    stability,
)
from balmi.tables.contract import TABLES

CLASSES = ("1", "2")
NAMES = {"rna": ("NA", "TP53", "EGFR", "ESR1"), "mirna": ("let-7", "mir-21")}
FRACTION = 0.25


def fold(samples, rna, mirna, kept=(0, 1, 3)):
    """Return a fold that kept three features of rna and all of mirna."""
    size = {"rna": np.array(rna, dtype=float), "mirna": np.array(mirna, dtype=float)}
    return FoldAttribution(
        samples=np.array(samples),
        kept={"rna": np.array(kept), "mirna": np.array([0, 1])},
        size=size,
        signed={name: -values for name, values in size.items()},
    )


FOLDS = (
    fold([3, 2], [[4, 2, 1], [1, 0, 0]], [[3, 0], [2, 1]]),
    fold([3, 2], [[2, 6, 0], [1, 0, 1]], [[1, 1], [2, 0]], kept=(0, 2, 3)),
    fold([3, 0], [[3, 2, 1], [7, 7, 7]], [[2, 0], [7, 7]]),
)


def test_folds_are_aligned_by_feature_and_those_without_the_class_left_out():
    found = aligned(FOLDS, "rna", 0)
    assert found.features.tolist() == [0, 1, 2, 3]
    assert found.size.tolist() == [[4, 2, 0, 1], [2, 0, 6, 0], [3, 2, 0, 1]]
    assert found.kept.astype(int).tolist() == [[1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 0, 1]]
    assert found.signed.tolist() == [[-4, -2, 0, -1], [-2, 0, -6, 0], [-3, -2, 0, -1]]
    assert aligned(FOLDS, "rna", 1).size.tolist() == [[1, 0, 0, 0], [1, 0, 0, 1]]


def test_features_by_hand():
    table = feature_table(FOLDS, CLASSES, NAMES, 2)
    assert list(table) == list(TABLES["attribution"].names)
    first = table[(table["class"] == "1") & (table["modality"] == "rna")]
    assert first["feature"].tolist() == ["NA", "EGFR"]
    assert first["rank"].tolist() == [1, 2]
    assert first["importance"].tolist() == [3, 2]
    assert first["direction"].tolist() == [-3, -2]
    assert first["top"].tolist() == pytest.approx([1, 1 / 3])
    assert first["kept"].tolist() == pytest.approx([1, 1 / 3])
    second = table[(table["class"] == "2") & (table["modality"] == "rna")]
    # The third fold has no sample of the class, yet it kept the feature.
    assert second["feature"].tolist() == ["NA", "ESR1"]
    assert second["importance"].tolist() == [1, 0.5]
    assert second["top"].tolist() == [1, 0.5]
    assert second["kept"].tolist() == [1, 1]


def test_features_to_which_nothing_is_attributed_are_not_listed():
    silent = [fold([1, 1], np.zeros((2, 3)), [[0, 1], [1, 2]]) for _ in range(2)]
    table = feature_table(silent, CLASSES, NAMES, 4)
    assert set(table["modality"]) == {"mirna"}
    assert table[table["class"] == "1"]["feature"].tolist() == ["mir-21"]


def test_names_that_look_like_numbers_or_gaps_stay_text(tmp_path):
    path = tmp_path / "attribution.csv"
    table = feature_table(FOLDS, CLASSES, NAMES, 2)
    write_table(table, path)
    found = read_table(path)
    for column in ("class", "modality", "feature"):
        assert found[column].tolist() == table[column].tolist()


def test_modalities_by_hand():
    table = modality_table(FOLDS, CLASSES, list(NAMES), 1, FRACTION)
    assert list(table) == list(TABLES["attribution_modalities"].names)
    assert table[["class", "modality"]].to_numpy().tolist() == [
        [name, modality] for name in CLASSES for modality in NAMES
    ]
    shares = np.array([7 / 10, 8 / 10, 6 / 8])
    row = table.iloc[0]
    interval = corrected_interval(shares, FRACTION)
    assert row["share"] == pytest.approx(shares.mean())
    assert (row["lower"], row["upper"]) == pytest.approx((interval.lower, min(interval.upper, 1)))
    # Two folds have the second class: 1 of 4 and 2 of 4.
    assert table.iloc[2]["share"] == pytest.approx(0.375)
    assert (table.iloc[2]["lower"], table.iloc[2]["upper"]) == (0, 1)


def test_one_fold_has_shares_without_interval_and_no_stability():
    table = modality_table(FOLDS[:1], CLASSES, list(NAMES), 1, FRACTION)
    assert table["share"].tolist() == pytest.approx([0.7, 0.3, 0.25, 0.75])
    assert table[["lower", "upper", "stability", "overlap"]].isna().all(axis=None)


def test_a_class_without_samples_or_attribution_has_no_rows():
    table = modality_table(FOLDS[2:], CLASSES, list(NAMES), 1, FRACTION)
    assert set(table["class"]) == {"1"}
    assert set(feature_table(FOLDS[2:], CLASSES, NAMES, 2)["class"]) == {"1"}
    silent = [fold([1, 1], np.zeros((2, 3)), np.zeros((2, 2)))]
    assert modality_table(silent, CLASSES, list(NAMES), 1, FRACTION).empty
    assert feature_table(silent, CLASSES, NAMES, 2).empty


def test_a_modality_of_which_no_fold_kept_a_feature():
    empty = np.zeros((2, 0))
    folds = [fold([2, 2], empty, [[1, 2], [2, 1]], kept=np.zeros(0, dtype=int))] * 2
    table = modality_table(folds, CLASSES, list(NAMES), 1, FRACTION)
    rna = table[table["modality"] == "rna"]
    assert (rna[["share", "lower", "upper"]] == 0).all(axis=None)
    assert rna[["stability", "overlap"]].isna().all(axis=None)
    assert set(feature_table(folds, CLASSES, NAMES, 2)["modality"]) == {"mirna"}


def test_stability_by_hand():
    # Spearman of (1 2 3) with (1 3 2) is .5, with (3 2 1) -1; of the last two -.5.
    sizes = np.array([[0.1, 0.2, 0.3], [1, 3, 2], [30, 20, 10]])
    every = np.ones((3, 3), dtype=bool)
    assert stability(sizes, every) == pytest.approx((0.5 - 1 - 0.5) / 3)
    assert stability(sizes[:2], every[:2]) == pytest.approx(0.5)
    # A fold in which all are alike has no order.
    assert stability(np.vstack([sizes[:2], [4, 4, 4]]), every) == pytest.approx(0.5)
    assert np.isnan(stability(np.vstack([sizes[:1], [0, 0, 0]]), every[:2]))
    assert np.isnan(stability(np.zeros((3, 0)), every[:, :0]))


def test_stability_compares_what_both_folds_kept():
    # On the first three features, which both kept: (1 2 3) with (1 3 2).
    sizes = np.array([[1, 2, 3, 9, 0, 0], [1, 3, 2, 0, 9, 0]])
    kept = sizes > 0
    assert stability(sizes, kept) == pytest.approx(0.5)
    # Nothing in common that could be put in order.
    assert np.isnan(stability(sizes[:, 3:], kept[:, 3:]))
    assert np.isnan(stability(sizes[:, 2:4], kept[:, 2:4]))


def test_stability_of_noise_is_0_whatever_folds_do_not_keep():
    """A tenth of the features is kept by few folds, and counts 0 in most pairs of them."""
    rng = np.random.default_rng(0)
    folds = []
    for _ in range(10):
        kept = np.concatenate([np.arange(900), 900 + rng.permutation(200)[:20]])
        size = {"rna": np.abs(rng.standard_normal((1, len(kept))))}
        folds.append(FoldAttribution(np.array([3]), {"rna": np.sort(kept)}, size, size))
    found = aligned(folds, "rna", 0)
    naive = np.corrcoef(rankdata(found.size, axis=1))[np.triu_indices(10, k=1)].mean()
    assert naive > 0.2
    assert abs(stability(found.size, found.kept)) < 0.02


def test_overlap_by_hand():
    sizes = np.array([[3, 2, 1, 0], [0, 3, 2, 1], [3, 2, 1, 0]])
    # Lists {0, 1}, {1, 2}, {0, 1}.
    assert overlap(sizes, 2) == pytest.approx((1 / 3 + 1 + 1 / 3) / 3)
    assert np.isnan(overlap(sizes, 4))
    assert np.isnan(overlap(sizes[:1], 2))
    # A fold that attributes nothing has no list.
    assert overlap(np.vstack([sizes[:2], np.zeros(4)]), 2) == pytest.approx(1 / 3)


SIZES = arrays(float, (4, 6), elements=st.integers(0, 9).map(float))


@given(sizes=SIZES, count=st.integers(1, 6))
def test_lists_hold_the_largest_and_nothing_without_attribution(sizes, count):
    chosen = listed(sizes, count)
    for row, own in zip(sizes, chosen, strict=True):
        assert own.sum() == min(count, (row > 0).sum())
        assert row[own].min(initial=np.inf) >= row[~own].max(initial=0)


@given(sizes=SIZES)
def test_stability_is_the_mean_of_spearman_and_knows_no_scale(sizes):
    varied, every = sizes[np.ptp(sizes, axis=1) > 0], np.ones_like(sizes, dtype=bool)
    if len(varied) < 2:
        assert np.isnan(stability(sizes, every))
        return
    pairs = zip(*np.triu_indices(len(varied), k=1), strict=True)
    expected = np.mean([spearmanr(varied[i], varied[j]).statistic for i, j in pairs])
    assert stability(sizes, every) == pytest.approx(expected)
    scaled = sizes**3 * np.array([[1], [2], [0.1], [5]])
    assert stability(scaled, every) == pytest.approx(expected)


@given(sizes=arrays(float, (3, 5), elements=st.floats(0, 9)))
def test_shares_of_a_class_add_up_to_1(sizes):
    folds = [fold([1, 0], [row[:3]] * 2, [row[3:]] * 2) for row in sizes]
    table = modality_table(folds, CLASSES, list(NAMES), 2, FRACTION)
    assert len(table) == (2 if sizes.any() else 0)
    if len(table):
        assert table["share"].sum() == pytest.approx(1)
        assert (table["lower"].fillna(0) <= table["share"] + 1e-12).all()
        assert (table["upper"].fillna(1) >= table["share"] - 1e-12).all()
