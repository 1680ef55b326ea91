from dataclasses import replace

import numpy as np
import pytest
from changed_cohorts import lacking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from balmi.config.kinds import RANGES, Kind
from balmi.preprocess.features import Features
from balmi.preprocess.fitted import fit_modality, most_variable

FIT, TEST = np.arange(14), np.arange(14, 20)
CELLS = st.one_of(
    st.floats(-1e30, 1e30), st.just(np.nan), st.sampled_from([0.0, 1e-300, -1e30, 1e30])
)


def cohort_of(make_cohort, values, kind="generic"):
    """Return a cohort with one modality of the given values."""
    values = np.asarray(values, dtype=float)
    cohort = make_cohort(np.arange(len(values)) % 2, {"m": values.shape[1]}, kind=kind)
    return replace(cohort, values={"m": values})


def prepared(make_cohort, values, fit, max_features=100, kind="generic"):
    return Features(cohort_of(make_cohort, values, kind), max_features).split(np.asarray(fit))["m"]


def test_by_hand(make_cohort):
    values = [[1, 10], [3, 10], [5, 40], [7, np.nan]]
    found = prepared(make_cohort, values, [0, 1, 2])
    first = (np.array([1, 3, 5, 7]) - 3) / np.sqrt(8 / 3)
    second = (np.array([10, 10, 40, 10]) - 20) / np.sqrt(200)
    np.testing.assert_allclose(found, np.column_stack([first, second]))


@pytest.mark.parametrize("deviation", [1, 1e-2])
def test_a_feature_that_varies_little_beside_its_mean_is_none_that_is_constant(
    make_cohort, deviation
):
    varying = 1e6 + deviation * np.random.default_rng(0).normal(size=20)
    values = np.column_stack([varying, np.full(20, 1e6 / 3), np.full(20, 0.1)])
    found = prepared(make_cohort, values, FIT)
    assert found.shape[1] == 1
    scores = (varying - varying[FIT].mean()) / varying[FIT].std()
    np.testing.assert_allclose(found[:, 0], scores, atol=1e-6)


def test_training_rows_have_mean_zero_and_deviation_one(make_cohort):
    values = np.random.default_rng(0).normal(5, 3, (20, 4))
    found = prepared(make_cohort, values, FIT)
    np.testing.assert_allclose(found[FIT].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found[FIT].std(axis=0), 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changed=arrays(np.float64, (6, 5), elements=CELLS),
    max_features=st.integers(2, 5),
    kind=st.sampled_from([Kind.GENERIC, Kind.RNA_LOG]),
)
def test_test_rows_change_nothing_for_training_rows(make_cohort, changed, max_features, kind):
    values = np.random.default_rng(1).normal(size=(20, 5)) * [1, 2, 3, 1, 1]
    values[3, 1] = values[16, 0] = np.nan
    before = prepared(make_cohort, values, FIT, max_features, kind)
    values[TEST] = changed
    after = prepared(make_cohort, values, FIT, max_features, kind)
    np.testing.assert_array_equal(after[FIT], before[FIT])
    assert np.isfinite(after).all()


@pytest.mark.parametrize("kind", sorted(RANGES))
def test_test_rows_change_nothing_for_training_rows_of_other_kinds(make_cohort, kind):
    rng = np.random.default_rng(2)
    values = rng.integers(0, 2, (20, 6)).astype(float)
    before = prepared(make_cohort, values, FIT, 4, kind)
    values[TEST] = rng.permutation(1 - values[TEST])
    after = prepared(make_cohort, values, FIT, 4, kind)
    np.testing.assert_array_equal(after[FIT], before[FIT])


def test_a_test_row_does_not_change_another(make_cohort):
    values = np.random.default_rng(3).normal(size=(20, 5))
    before = prepared(make_cohort, values, FIT, 3)
    values[15:] = 1e6
    np.testing.assert_array_equal(prepared(make_cohort, values, FIT, 3)[14], before[14])


def test_a_training_row_does_change_the_others(make_cohort):
    values = np.random.default_rng(3).normal(size=(20, 5))
    before = prepared(make_cohort, values, FIT, 5)
    values[0] += 10
    assert not np.allclose(prepared(make_cohort, values, FIT, 5)[1:], before[1:])


def test_fitted_parameters_are_of_training_rows_only():
    values = np.random.default_rng(4).normal(size=(20, 6))
    values[2, 1] = np.nan
    fitted = fit_modality(values[FIT], 3)
    median = np.nanmedian(values[FIT], axis=0)
    filled = np.where(np.isnan(values[FIT]), median, values[FIT])
    kept = np.sort(np.argsort(-filled.var(axis=0))[:3])
    np.testing.assert_allclose(fitted.medians, median[kept])
    assert fitted.kept.tolist() == kept.tolist()
    np.testing.assert_allclose(fitted.means, filled[:, kept].mean(axis=0))
    np.testing.assert_allclose(fitted.deviations, filled[:, kept].std(axis=0))


def test_features_of_largest_variance_in_their_old_order():
    values = np.random.default_rng(5).normal(size=(50, 6)) * [1, 9, 2, 8, 3, 7]
    assert most_variable(values.var(axis=0), (values**2).mean(axis=0), 3).tolist() == [1, 3, 5]
    np.testing.assert_array_equal(fit_modality(values, 3).imputed(values), values[:, [1, 3, 5]])


def test_of_equal_variances_the_first_are_kept():
    assert most_variable(np.full(5, 1.25), np.full(5, 3.5), 2).tolist() == [0, 1]


def test_constant_features_are_dropped(make_cohort):
    values = np.random.default_rng(6).normal(size=(20, 4))
    values[FIT, 1] = 5
    values[FIT, 2] = 1e6 + 1e-7 * np.arange(len(FIT))
    assert prepared(make_cohort, values, FIT).shape == (20, 2)


def test_constant_modality_keeps_no_feature(make_cohort):
    assert prepared(make_cohort, np.ones((20, 3)), FIT).shape == (20, 0)


@pytest.mark.parametrize("rows", [[], [3]])
def test_modality_that_fewer_than_two_training_rows_have(make_cohort, rows):
    values = np.random.default_rng(7).normal(size=(20, 3))
    values[np.setdiff1d(FIT, rows)] = np.nan
    assert prepared(make_cohort, values, FIT).shape == (20, 0)


def test_absent_samples_are_zero_and_teach_nothing(make_cohort):
    values = np.random.default_rng(8).normal(size=(20, 3))
    absent = [2, 5, 16]
    values[absent] = np.nan
    found = prepared(make_cohort, values, FIT)
    np.testing.assert_array_equal(found[absent], 0)
    present = np.setdiff1d(FIT, absent)
    np.testing.assert_allclose(found[present].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found[present].std(axis=0), 1)


def test_empty_cells_become_the_training_median(make_cohort):
    values = np.array([[1.0, 0], [2, 1], [9, 2], [np.nan, 3], [np.nan, 4], [500, 5]])
    found = prepared(make_cohort, values, [0, 1, 2, 3])[:, 0]
    filled = np.array([1.0, 2, 9, 2])
    expected = (2 - filled.mean()) / filled.std()
    np.testing.assert_allclose(found[[3, 4]], expected)


def test_a_feature_that_no_training_row_has_is_dropped(make_cohort):
    values = np.random.default_rng(9).normal(size=(20, 3))
    values[FIT, 1] = np.nan
    assert prepared(make_cohort, values, FIT).shape == (20, 2)


def test_scores_are_clipped_at_ten_deviations(make_cohort):
    values = np.random.default_rng(10).normal(size=(20, 2))
    values[15] = [1e9, -1e9]
    assert prepared(make_cohort, values, FIT)[15].tolist() == [10, -10]


def test_chosen_modalities_only_in_the_wanted_order(make_cohort):
    features = Features(make_cohort(np.arange(20) % 2, {"a": 2, "b": 3, "c": 4}), 100)
    assert list(features.split(FIT)) == ["a", "b", "c"]
    some = features.split(FIT, ("c", "a"))
    assert list(some) == ["c", "a"]
    np.testing.assert_array_equal(some["a"], features.split(FIT)["a"])


def test_modalities_do_not_touch_each_other(make_cohort):
    cohort = make_cohort(np.arange(20) % 2, {"a": 2, "b": 3})
    before = Features(cohort, 100).split(FIT)["a"]
    cohort = lacking(cohort, "b", slice(None))
    np.testing.assert_array_equal(Features(cohort, 100).split(FIT)["a"], before)


def test_the_order_of_rows_to_learn_from_does_not_matter(make_cohort):
    features = Features(make_cohort(np.arange(20) % 2, {"a": 5}), 3)
    np.testing.assert_array_equal(features.split(FIT[::-1])["a"], features.split(FIT)["a"])


def test_the_cohort_is_left_as_it_is(make_cohort):
    cohort = make_cohort(np.arange(20) % 2, {"a": 5})
    before = cohort.tables["a"].copy()
    Features(cohort, 3).split(FIT)["a"][:] = 0
    np.testing.assert_array_equal(cohort.tables["a"], before)


def test_a_fitted_modality_scales_altered_values_as_its_own(make_cohort):
    values = np.random.default_rng(8).normal(5, 3, (20, 6)) * [1, 4, 2, 1, 3, 1]
    values[16] = values[3, 4] = values[17, 1] = np.nan
    features = Features(cohort_of(make_cohort, values), 3)
    fitted, whole = features.fit(FIT).modalities["m"], features.split(FIT)["m"]
    kept = np.sort(np.argsort(-np.nanvar(values[FIT], axis=0))[:3])
    assert fitted.kept.tolist() == kept.tolist()
    rows = np.array([19, 17, 14])
    raw = fitted.imputed(values[rows])
    median = np.nanmedian(values[FIT], axis=0)
    np.testing.assert_allclose(raw, np.where(np.isnan(values), median, values)[np.ix_(rows, kept)])
    np.testing.assert_array_equal(fitted.scaled(raw), whole[rows])
    np.testing.assert_array_equal(fitted.apply(values[rows]), whole[rows])
    moved = fitted.scaled(raw + 2 * fitted.deviations) - fitted.scaled(raw)
    np.testing.assert_allclose(moved, 2)
    assert fitted.scaled(raw + 100 * fitted.deviations).max() == 10
    assert not whole[16].any()


@pytest.mark.parametrize("fit", [[0], [0, 1, 2]])
def test_a_modality_that_nothing_was_learned_of_keeps_nothing(make_cohort, fit):
    """Too few samples, and none that varies."""
    features = Features(cohort_of(make_cohort, np.ones((8, 2))), 3)
    fitted = features.fit(np.array(fit)).modalities["m"]
    assert fitted.kept.size == fitted.deviations.size == 0
    assert fitted.apply(np.ones((5, 2))).shape == (5, 0)
    assert features.split(np.array(fit))["m"].shape == (8, 0)


def test_some_rows_are_preprocessed_as_among_all(make_cohort):
    cohort = make_cohort(np.arange(20) % 2, {"a": 4, "b": 3})
    cohort = lacking(cohort, "b", [2, 15])
    features, rows = Features(cohort, 3), np.array([15, 3, 2, 19])
    fitted = features.fit(FIT)
    some, whole = features.apply(fitted, rows), features.apply(fitted).take(rows)
    np.testing.assert_array_equal(some.available, cohort.available[rows])
    np.testing.assert_array_equal(some.has("b"), [False, True, False, True])
    for name in "ab":
        np.testing.assert_array_equal(some.features[name], whole.features[name])


def test_samples_follow_each_other(make_cohort):
    features = Features(make_cohort(np.arange(20) % 2, {"a": 4, "b": 3}), 3)
    whole = features.apply(features.fit(FIT))
    both = whole.take(FIT).followed_by(whole.take(TEST))
    assert len(both) == 20
    np.testing.assert_array_equal(both.available, whole.available)
    for name, values in whole.features.items():
        np.testing.assert_array_equal(both.features[name], values)
