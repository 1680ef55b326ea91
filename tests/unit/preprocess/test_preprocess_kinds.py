import numpy as np
import pytest
from anndata import AnnData

from balmi.config.kinds import KINDS, Kind
from balmi.preprocess.features import COMPONENTS
from balmi.preprocess.kinds import (
    TRANSFORMS,
    beta_to_m,
    centred_log_ratio,
    log_normalise,
    transform,
)


def test_m_values_by_hand():
    beta = np.array([[0.5, 0.8, 0.2, 1 / 3]])
    np.testing.assert_allclose(beta_to_m(beta), [[0, 2, -2, -1]], atol=1e-12)


def test_m_values_at_the_limits_are_finite():
    limit = np.log2(0.999 / 0.001)
    found = beta_to_m(np.array([[0, 1, 1e-9, 1 - 1e-9]]))
    np.testing.assert_allclose(found, [[-limit, limit, -limit, limit]])


def test_m_values_keep_empty_cells():
    found = beta_to_m(np.array([[np.nan, 0.5], [0.5, np.nan]]))
    assert np.isnan(found).tolist() == [[True, False], [False, True]]


def test_log_normalised_counts_by_hand():
    """By scanpy's definition: log(1 + 10,000 x / sum(x))."""
    counts = np.array([[1.0, 3, 0], [10, 0, 0], [2, 2, 4]])
    expected = np.log1p([[2500, 7500, 0], [10_000, 0, 0], [2500, 2500, 5000]])
    np.testing.assert_allclose(log_normalise(counts), expected, rtol=1e-6)


def test_a_sample_without_counts_stays_at_zero():
    counts = np.array([[0.0, 0], [1, 3]])
    assert log_normalise(counts)[0].tolist() == [0, 0]


def test_empty_cells_are_left_out_of_the_library_size():
    found = log_normalise(np.array([[1.0, np.nan, 3]]))
    np.testing.assert_allclose(found[0, [0, 2]], np.log1p([2500, 7500]), rtol=1e-6)
    assert np.isnan(found[0, 1])


def test_the_counts_given_are_left_as_they_are():
    counts = np.array([[1.0, np.nan, 3]])
    log_normalise(counts)
    np.testing.assert_array_equal(counts, [[1, np.nan, 3]])


def test_centred_log_ratios_by_hand():
    """Logs of 1, 4 and 2 are 0, 2 and 1 times log 2: their mean is log 2."""
    found = centred_log_ratio(np.array([[0.0, 3, 1], [7, 7, 7]]))
    np.testing.assert_allclose(found, np.log(2) * np.array([[-1, 1, 0], [0, 0, 0]]), atol=1e-12)


def test_an_antibody_that_was_not_measured_is_left_out_of_the_mean():
    found = centred_log_ratio(np.array([[0.0, 3, np.nan], [np.nan] * 3]))
    np.testing.assert_allclose(found[0, :2], [-np.log(2), np.log(2)])
    assert np.isnan(found[0, 2])
    assert np.isnan(found[1]).all()


def test_centred_log_ratios_are_those_of_muon():
    clr = pytest.importorskip("muon").prot.pp.clr
    counts = np.random.default_rng(0).poisson(5, (20, 7)).astype(float)
    expected = clr(AnnData(counts.copy()), inplace=False, axis=1, flavor="stoeckius").X
    np.testing.assert_allclose(centred_log_ratio(counts), expected, atol=1e-12)


@pytest.mark.parametrize("kind", Kind)
def test_transforms_look_at_one_sample_at_a_time(kind):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (6, 4)).astype(float)
    whole = transform(kind, values)
    assert whole.shape == values.shape
    for row in range(6):
        np.testing.assert_allclose(transform(kind, values[[row]]), whole[[row]], rtol=1e-12)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in TRANSFORMS])
def test_other_kinds_are_left_as_they_are(kind):
    values = np.array([[-1.5, np.nan], [3, 4]])
    np.testing.assert_array_equal(transform(kind, values), values)


def test_the_manual_tells_of_a_transform_where_there_is_one():
    assert list(KINDS) == list(Kind)
    told = {kind for kind, traits in KINDS.items() if traits.transform != "none"}
    assert told == {*TRANSFORMS, *COMPONENTS}


def test_whole_numbers_are_not_cut_off_after_the_transform():
    counts = np.array([[3, 0, 5], [1, 1, 8]])
    found = transform(Kind.RNA_COUNTS, counts)
    np.testing.assert_allclose(found, transform(Kind.RNA_COUNTS, counts.astype(float)), rtol=1e-6)
