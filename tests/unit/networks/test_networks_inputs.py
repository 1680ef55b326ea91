"""What is standardised as it is gathered is what preprocessing makes of all samples."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from changed_cohorts import lacking, with_cells
from scipy.sparse import csr_array

from balmi.config.settings import Evaluation
from balmi.data.measurements import Measurements
from balmi.data.splits import as_splits, make_splits
from balmi.networks.data import concatenated, replica_data
from balmi.networks.inputs import Prepared
from balmi.preprocess.features import Features


@pytest.fixture
def cohort(make_cohort):
    """Return a cohort with absent modalities, empty cells, outliers, and a sparse modality."""
    made = make_cohort(np.arange(40) % 2, {"a": 9, "b": 4, "constant": 3, "counts": 12})
    made = lacking(with_cells(made, "a", (slice(None, None, 6), 2), np.nan), "b", [4, 17, 20])
    made = with_cells(with_cells(made, "a", (5, 3), 1e4), "constant", slice(None), 1)
    counts = np.random.default_rng(2).poisson(0.7, (33, 12)).astype(np.float32)
    sparse = Measurements(np.arange(3, 36), csr_array(counts))
    return replace(made, values={**made.values, "counts": sparse})


@pytest.fixture
def splits(cohort):
    return as_splits(make_splits(cohort, Evaluation(repeats=1, folds=4)), cohort)


def stacked(cohort, splits, kept, dtype=torch.float64):
    features = Features(cohort, kept)
    return features, replica_data(
        cohort, features, splits, None, torch.device("cpu"), dtype, members=2
    )


@pytest.mark.parametrize("kept", [3, 100])
def test_gathered_samples_are_preprocessed_ones(cohort, splits, kept):
    """Folds that keep other features, and folds that keep all."""
    features, data = stacked(cohort, splits, kept)
    rows = np.array([39, 4, 5, 0, 17, 36, 5])
    for fold, split in enumerate(splits):
        expected = features.apply(features.fit(split.fit), rows).features
        found = data.standardised(fold, rows)
        for name, values in zip(data.modalities, found, strict=True):
            width = expected[name].shape[1]
            np.testing.assert_allclose(values[:, :width], expected[name], atol=1e-12)
            assert not values[:, width:].any()


def test_single_precision_rounds_and_no_more(cohort, splits):
    _, double = stacked(cohort, splits, 5)
    _, single = stacked(cohort, splits, 5, torch.float32)
    for one, other in zip(
        single.standardised(1, np.arange(40)), double.standardised(1, np.arange(40)), strict=True
    ):
        assert one.dtype == torch.float32
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_measurements_that_single_precision_blurs_are_standardised_in_double(cohort, splits):
    moved = replace(cohort, values=cohort.values | {"a": 1e7 + cohort.tables["a"]})
    _, data = stacked(cohort, splits, 100, torch.float32)
    _, found = stacked(moved, splits, 100, torch.float32)
    one, other = (each.standardised(0, np.arange(40))[0] for each in (data, found))
    np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("kept", [3, 100])
def test_side_by_side_there_is_no_gap_between_modalities(cohort, splits, kept):
    features, data = stacked(cohort, splits, kept)
    joined, rows = concatenated(data), np.arange(40)
    for fold, split in enumerate(splits):
        parts = features.apply(features.fit(split.fit), rows).features.values()
        expected = np.hstack(list(parts))
        (found,) = joined.standardised(fold, rows)
        np.testing.assert_allclose(found[:, : expected.shape[1]], expected, atol=1e-12)
        assert not found[:, expected.shape[1] :].any()


def test_side_by_side_for_a_network_that_was_wider(cohort, splits):
    _, data = stacked(cohort, splits, 100)
    narrow = concatenated(data)
    wide = concatenated(data, narrow.padded[0] + 1)
    assert wide.padded[0] == narrow.padded[0] + 1
    (one,), (other,) = (each.standardised(0, np.arange(40)) for each in (narrow, wide))
    np.testing.assert_array_equal(one, other[:, :-1])
    assert not other[:, -1].any()


def test_memory_is_one_table_however_many_folds_and_members(cohort, splits):
    _, data = stacked(cohort, splits, 100)
    assert len(data.splits) == 8
    cells = [each.values.numel() for each in data.inputs]
    assert cells == [40 * 9, 37 * 4, 40 * 1, 33 * 12]  # of what varies nowhere one column stays


def test_features_that_no_fold_keeps_stay_behind(cohort, splits):
    features, data = stacked(cohort, splits, 3)
    for name, each in zip(data.modalities, data.inputs, strict=True):
        kept = [features.fit(split.fit).modalities[name].kept for split in splits]
        assert each.values.shape[1] == max(1, len(np.unique(np.concatenate(kept))))
    assert data.inputs[-1].values.shape[1] < 12


def test_prepared_samples_are_given_as_they_are():
    values = np.random.default_rng(0).normal(size=(6, 3))
    prepared = Prepared.of(values, 5, torch.device("cpu"), torch.float64)
    found = prepared.gather(torch.tensor([0, 0]), torch.tensor([[1, 2], [5, 0]]))
    np.testing.assert_array_equal(found[..., :3], values[[[1, 2], [5, 0]]])
    assert not found[..., 3:].any()
