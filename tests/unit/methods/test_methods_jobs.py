"""The training jobs: what they write, pass on, and leave behind."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import torch
from given_inputs import tables_of, with_tables
from safetensors.torch import load_file

from balmi.config.settings import (
    Distillation,
    Evaluation,
    Method,
    Model,
    Settings,
    Teacher,
    Training,
)
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import write_table
from balmi.data.splits import make_splits, read_splits
from balmi.information.files import SplitInformation
from balmi.methods.jobs import Loaded, TrainingInputs, pretrain_job, train_job
from balmi.methods.outcome import read_status
from balmi.preprocess.features import Features
from balmi.preprocess.files import write_preprocessing
from balmi.tables.contract import TABLES

MODEL = Model(hidden=4, experts=["linear", "mean"])
TRAINING = Training(epochs=5, learning_rate=0.02, batch_size=32, checkpoint_every=2)

SETTINGS = Settings(model=MODEL, training=TRAINING)


def measured():
    """Return measurements by which the first modality teaches the second."""
    label = np.tile([0.9, 0.4, 0.2, 0.1], (3, 1))
    shared = np.full((3, 4, 4), 0.05)
    shared[:, 0, 1] = shared[:, 1, 0] = 0.8
    return SplitInformation(label, np.full((3, 4), 0.02), shared, shared - label[:, None])


@dataclass
class Inputs:
    """Inputs of a job whose files are read already."""

    cohort: object
    data: object
    settings: Settings = SETTINGS

    def load(self, method):
        members = method.members(self.settings.training, len(self.cohort.samples))
        places = [r for r, split in enumerate(self.data.splits) if split.member < members]
        data = self.data.take(places)
        return Loaded(self.cohort, None, list(data.splits), data, measured())


@pytest.fixture
def inputs(cohort, ensemble):
    return Inputs(cohort, ensemble)


def test_chosen_folds_are_loaded_as_they_are_among_all(plain_cohort, tmp_path):
    files = tmp_path / "samples.json", tmp_path / "splits.parquet", tmp_path / "kept.safetensors"
    write_cohort(plain_cohort, tmp_path / "cohort.h5mu", files[0])
    cohort = read_cohort(tmp_path / "cohort.h5mu")
    write_table(make_splits(cohort, Evaluation(repeats=2, folds=3)), files[1], "splits")
    splits = read_splits(files[1], cohort)
    features = Features(cohort, SETTINGS.preprocessing.max_features)
    write_preprocessing(features, splits, cohort, files[2])
    inputs = TrainingInputs(*files, SETTINGS)

    def first_repeat(splits, samples):
        assert samples == len(cohort.samples)
        return [split for split in splits if split.repeat == 0]

    whole, first = inputs.load(), inputs.load(chosen=first_repeat)
    assert [(split.repeat, split.fold) for split in first.splits] == [(0, 0), (0, 1), (0, 2)]
    for left, right in zip(tables_of(first.data), tables_of(whole.data), strict=True):
        torch.testing.assert_close(left, right[:3], rtol=0, atol=0)


def pretrain(inputs, folder, teacher=Teacher.STRONGEST):
    folder.mkdir(exist_ok=True)
    names = "parameters.safetensors", "training.parquet", "plan.csv", "status.json"
    files = [folder / name for name in names]
    distillation = Distillation(teacher=teacher)
    changed = inputs.settings.model_copy(update={"distillation": distillation})
    pretrain_job(replace(inputs, settings=changed), *files)
    return files


def train(inputs, folder, method=Method.BALANCED, pretraining=None):
    folder.mkdir(exist_ok=True)
    names = "predictions.parquet", "training.parquet", "experts.csv", "status.json"
    files = [folder / name for name in (*names, "model.safetensors", "regressions.safetensors")]
    before = (None, None) if pretraining is None else (pretraining[0], pretraining[3])
    train_job(method, inputs, *before, *files)
    return files


def test_pretraining_writes_all_of_it_and_leaves_no_checkpoints(inputs, tmp_path):
    parameters, history, plan, status = pretrain(inputs, tmp_path)
    assert read_status(status).status == "ok"
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in (parameters, history, plan, status)
    }
    taught = pd.read_csv(plan).dropna()
    assert set(zip(taught["student"], taught["teacher"], strict=True)) == {("redundant", "strong")}
    assert list(pd.read_parquet(history)) == list(TABLES["training"].names)
    assert {len(value) for value in load_file(parameters).values()} == {9}


@pytest.mark.parametrize("replicas", [1, 4])
@pytest.mark.parametrize("teacher", [Teacher.STRONGEST, Teacher.NONE])
def test_pretraining_in_parts_is_that_of_all_at_once(inputs, tmp_path, replicas, teacher):
    whole = pretrain(inputs, tmp_path / "whole", teacher)
    training = TRAINING.model_copy(update={"replicas": replicas})
    inputs.settings = inputs.settings.model_copy(update={"training": training})
    parts = pretrain(inputs, tmp_path / "parts", teacher)
    assert parts[2].read_bytes() == whole[2].read_bytes()
    found, expected = load_file(parts[0]), load_file(whole[0])
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-10, rtol=0)
    order = ["stage", "modality", "fold", "member", "epoch"]
    one, other = (
        pd.read_parquet(files[1]).sort_values(order, ignore_index=True) for files in (whole, parts)
    )
    pd.testing.assert_frame_equal(one, other, atol=1e-10)


def test_training_writes_all_of_it_and_leaves_no_checkpoints(inputs, tmp_path):
    before = pretrain(inputs, tmp_path / "pretraining")
    files = train(inputs, tmp_path / "balanced", pretraining=before)
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(f.name for f in files)
    state = read_status(files[3])
    assert state.status == "ok"
    assert state.seconds > read_status(before[3]).seconds
    experts = pd.read_csv(files[2])
    assert list(experts) == list(TABLES["experts"].names)
    assert experts["expert"].tolist() == ["linear", "mean"] * 3
    np.testing.assert_allclose(experts.groupby("fold")["weight"].sum(), 1)
    assert len(pd.read_parquet(files[0])) == sum(len(s.test) for s in inputs.data.splits[::3])
    assert set(pd.read_parquet(files[1])["member"]) == {0, 1, 2}
    assert {len(value) for value in load_file(files[4]).values()} == {9}


def test_training_starts_from_the_pretrained_modalities(inputs, tmp_path):
    before = pretrain(inputs, tmp_path / "pretraining")
    found = [
        pd.read_parquet(train(inputs, tmp_path / name, pretraining=start)[1])
        for name, start in (("with", before), ("without", None))
    ]
    first = [each[each["epoch"] == 0]["loss"].mean() for each in found]
    assert first[0] < first[1] - 0.05


def test_methods_of_one_member_train_one_per_fold(inputs, tmp_path):
    files = train(inputs, tmp_path, Method.UNIFORM)
    assert set(pd.read_parquet(files[1])["member"]) == {0}
    assert {len(value) for value in load_file(files[4]).values()} == {3}


@pytest.mark.parametrize("end", ["failed", "not_applicable"])
def test_how_pretraining_ended_is_passed_on(inputs, tmp_path, end):
    before = pretrain(inputs, tmp_path / "pretraining")
    state = json.loads(before[3].read_text()) | {"status": end, "reason": "as told"}
    before[3].write_text(json.dumps(state))
    files = train(inputs, tmp_path / "balanced", pretraining=before)
    found = read_status(files[3])
    assert (found.status, found.reason) == (end, "pretraining: as told")
    assert pd.read_parquet(files[0]).empty
    assert list(pd.read_csv(files[2])) == list(TABLES["experts"].names)
    assert load_file(files[4]) == {}


def test_pretraining_that_fails_leaves_whole_files(inputs, tmp_path):
    tables = tables_of(inputs.data)
    tables[0][1, inputs.data.splits[3].train[0]] = torch.nan
    inputs.data = with_tables(inputs.data, tables)
    parameters, history, plan, status = pretrain(inputs, tmp_path)
    state = read_status(status)
    assert state.status == "failed"
    assert "not finite in epoch 1 of pretraining/teacher/" in state.reason
    assert load_file(parameters) == {}
    assert list(pd.read_csv(plan)) == list(TABLES["plan"].names)
    assert pd.read_parquet(history).empty


def test_a_killed_job_goes_on_where_it_was(inputs, tmp_path, monkeypatch):
    whole = train(inputs, tmp_path / "whole", Method.ENSEMBLE)
    told = []

    class Dies:
        def __init__(self, name):
            self.name = name

        def __call__(self, epoch, epochs, active):
            told.append(epoch)
            if epoch == 5 and len(told) == 5:
                raise KeyboardInterrupt

    monkeypatch.setattr("balmi.methods.jobs.Progress", Dies)
    with pytest.raises(KeyboardInterrupt):
        train(inputs, tmp_path / "killed", Method.ENSEMBLE)
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["checkpoints"]
    files = train(inputs, tmp_path / "killed", Method.ENSEMBLE)
    assert told == [1, 2, 3, 4, 5, 5]
    assert not (tmp_path / "killed" / "checkpoints").exists()
    for one, other in zip(whole[:3], files[:3], strict=True):
        read = pd.read_csv if one.suffix == ".csv" else pd.read_parquet
        pd.testing.assert_frame_equal(read(one), read(other), check_exact=True)
