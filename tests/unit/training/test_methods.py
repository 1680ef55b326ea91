"""The network methods end to end on a small cohort, and the jobs around them."""

import numpy as np
import pandas as pd
import pytest
import torch

from balmi.config.settings import Method, Model, Training
from balmi.data.cohort import Cohort
from balmi.errors import UserError
from balmi.preprocess.pipeline import Features
from balmi.training.data import concatenated, replica_data, residual_network
from balmi.training.device import choose_device
from balmi.training.history import history_table
from balmi.training.methods import train_method
from balmi.training.seeds import replica_seed
from balmi.training.trainer import Epoch

SETTINGS = Training(epochs=40, learning_rate=0.02)


@pytest.mark.parametrize("method", [Method.UNIFORM, Method.CONCAT_MLP])
def test_predictions_are_those_of_test_samples_and_better_than_chance(method, cohort, data):
    result, parameters = train_method(
        method, cohort, data, None, None, Model(hidden=8), SETTINGS, lambda *call: None
    )
    table = result.predictions
    probabilities = table.filter(like="p:").to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    for split in data.splits:
        rows = table[(table["repeat"] == split.repeat) & (table["fold"] == split.fold)]
        assert list(rows["sample"]) == list(cohort.samples[split.test])
    truth = cohort.labels[cohort.positions(table["sample"])]
    assert (probabilities.argmax(axis=1) == truth).mean() > 0.8
    assert list(table.columns[-3:]) == [f"p:{name}" for name in cohort.classes]
    assert all(torch.isfinite(value).all() for value in parameters.values())
    assert result.device == "cpu"


def test_concatenation_keeps_every_feature(data):
    joined = concatenated(data)
    assert joined.modalities == ("concat",)
    assert joined.widths[0] == tuple(sum(each) for each in zip(*data.widths, strict=True))
    assert joined.inputs[0].shape[2] == max(joined.widths[0])
    assert joined.available.all()


def test_a_modality_absent_in_a_training_part_is_not_available_there(cohort, splits):
    values = dict(cohort.values)
    values["weak"] = values["weak"].copy()
    values["weak"][splits[0].fit] = np.nan
    poorer = Cohort(**{**vars(cohort), "values": values})
    data = replica_data(poorer, Features(poorer, 5), splits, None, torch.device("cpu"))
    index = data.modalities.index("weak")
    assert not data.available[0, :, index].any()
    assert data.available[1, :, index].any()


def test_residual_network_by_hand():
    from scipy.sparse import csr_array

    network = csr_array(np.array([[0.0, 1.0], [0.5, 0.0]]))
    expected = [[0.75, 0.25], [0.125, 0.75]]
    np.testing.assert_allclose(residual_network(network, 0.25).toarray(), expected)


def test_history_is_tidy_and_ends_with_each_replica(splits):
    def epoch(active, weight):
        two = torch.full((2, 1), weight)
        three = torch.full((2, 2), 0.5)
        return Epoch(torch.tensor(active), two, three, three, three, torch.ones(2, 1))

    history = [epoch([True, True], 1.0), epoch([True, False], 0.5)]
    table = history_table("balanced", "joint", history, ["rna"], splits[:2], joint_weight=1.0)
    expected = pd.DataFrame(
        {
            "fold": [0, 0, 1, 1, 0, 0],
            "epoch": [0, 0, 0, 0, 1, 1],
            "modality": ["rna", "joint"] * 3,
            "weight": [1.0, 1.0, 1.0, 1.0, 0.5, 1.0],
        }
    )
    pd.testing.assert_frame_equal(table[list(expected)], expected, check_dtype=False)
    assert table.loc[table["modality"] == "joint", "gradient_share"].isna().all()


def test_a_gpu_that_is_not_there_fails_loudly(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="1 GPU asked for, but torch sees none") as caught:
        choose_device(1)
    assert "CUDA_VISIBLE_DEVICES ''" in str(caught.value)
    assert choose_device(0) == torch.device("cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_on_a_gpu_agrees_with_the_cpu(cohort, features, splits):
    found = []
    for device in ("cpu", "cuda"):
        data = replica_data(cohort, features, splits, None, torch.device(device), torch.float64)
        result, _ = train_method(
            Method.UNIFORM, cohort, data, None, None, Model(), SETTINGS, lambda *call: None
        )
        found.append(result.predictions.filter(like="p:").to_numpy())
    np.testing.assert_allclose(*found, atol=1e-6)


def test_seeds_differ_by_replica_and_purpose_and_are_stable():
    assert replica_seed(0, 1, 2, "balanced/dropout") == replica_seed(0, 1, 2, "balanced/dropout")
    seeds = {
        replica_seed(seed, repeat, fold, purpose)
        for seed in range(2)
        for repeat in range(3)
        for fold in range(3)
        for purpose in ("a", "b")
    }
    assert len(seeds) == 36
