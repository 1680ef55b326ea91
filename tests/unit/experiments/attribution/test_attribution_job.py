"""The job that attributes features: it finds what was planted, and says why where it cannot."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from balmi.config.settings import (
    Attribution,
    Evaluation,
    Expert,
    Method,
    Model,
    Preprocessing,
    Settings,
    Training,
)
from balmi.data.cohort import Cohort
from balmi.data.files import read_table, write_table
from balmi.data.splits import make_splits, read_splits
from balmi.experiments.attribution.job import attribute_folds, attribute_job
from balmi.information.files import SplitInformation
from balmi.methods.jobs import Loaded, train_job
from balmi.methods.outcome import read_status
from balmi.networks.data import replica_data
from balmi.networks.parameters import read_parameters, write_parameters
from balmi.preprocess.features import Features
from balmi.tables.contract import TABLES

PLANTED = {"rna": (3, 7, 11), "mirna": (0, 4, 8), "noise": ()}
FEATURES = 16
MODEL = Model(hidden=16, dropout=0.2, experts=["linear", "mean", "concatenation"])
TRAINING = Training(epochs=40, learning_rate=0.005, batch_size=32, members=2)
PREPROCESSING = Preprocessing(max_features=FEATURES - 2)
SETTINGS = Settings(
    preprocessing=PREPROCESSING,
    model=MODEL,
    training=TRAINING,
    attribution=Attribution(features=3, steps=16),
)


def planted_cohort():
    """Return a cohort in which every class raises one feature of two modalities."""
    rng = np.random.default_rng(5)
    labels = np.arange(300) % 3
    values = {name: rng.standard_normal((300, FEATURES)) for name in PLANTED}
    for name, columns in PLANTED.items():
        for code, column in enumerate(columns):
            values[name][labels == code, column] += 2
    values["mirna"][:20] = np.nan
    return Cohort(
        samples=np.array([f"s{i:03d}" for i in range(300)]),
        labels=labels,
        classes=("a", "b", "c"),
        groups=None,
        values=values,
        features={name: tuple(f"{name}-{i}" for i in range(FEATURES)) for name in PLANTED},
        kinds=dict.fromkeys(PLANTED, "generic"),
        provenance={},
    )


@dataclass
class Inputs:
    """Inputs of a job whose files are read already."""

    cohort: Cohort
    splits: Path
    data: object
    information: SplitInformation
    settings: Settings = SETTINGS

    def load(self, method=None):
        features = Features(self.cohort, PREPROCESSING.max_features)
        splits = read_splits(self.splits, self.cohort)
        return Loaded(self.cohort, features, splits, self.data, self.information)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    cohort, path = planted_cohort(), tmp_path_factory.mktemp("splits") / "splits.parquet"
    write_table(make_splits(cohort, Evaluation(repeats=1, folds=3, seed=1)), path, "splits")
    features = Features(cohort, PREPROCESSING.max_features)
    splits = read_splits(path, cohort)
    data = replica_data(cohort, features, splits, None, torch.device("cpu"), members=2)
    label = np.tile([0.5, 0.5, 0.3], (3, 1))
    shared = np.full((3, 3, 3), 0.1)
    known = SplitInformation(label, np.full((3, 3), 0.02), shared, shared - label[:, None])
    return Inputs(cohort, path, data, known)


@pytest.fixture(scope="module")
def trained(inputs, tmp_path_factory):
    """Return the files of the parameters and of the status."""
    folder = tmp_path_factory.mktemp("balanced")
    names = "predictions.parquet", "training.parquet", "experts.csv", "status.json"
    files = [folder / name for name in (*names, "model.safetensors", "regressions.safetensors")]
    train_job(Method.BALANCED, inputs, None, None, *files)
    return files[4], files[3]


def attribute(inputs, trained, folder):
    names = "attribution.csv", "modalities.csv", "values.csv", "status.json"
    files = [folder / name for name in names]
    attribute_job(inputs, *trained, *files)
    return read_table(files[0]), read_table(files[1]), read_status(files[3])


def test_planted_features_are_the_largest(inputs, trained, tmp_path):
    table, modalities, state = attribute(inputs, trained, tmp_path)
    assert (state.method, state.status, state.reason) == ("attribution", "ok", None)
    assert list(table) == list(TABLES["attribution"].names)
    assert list(modalities) == list(TABLES["attribution_modalities"].names)
    for name, columns in PLANTED.items():
        for code, label in enumerate("abc"):
            rows = table[(table["class"] == label) & (table["modality"] == name)]
            assert rows["rank"].tolist() == [1, 2, 3]
            if columns:
                assert set(rows["feature"]) == {f"{name}-{column}" for column in columns}
                assert rows["feature"].iloc[0] == f"{name}-{columns[code]}"
                assert rows["top"].iloc[0] == 1
                # What a class has of its own features speaks for it.
                assert (rows["direction"] > 0).all()
    assert (table["importance"] >= table["direction"].abs()).all()
    share = modalities.pivot(index="class", columns="modality", values="share")
    assert (share["noise"] < 0.2).all()
    by_name = modalities.set_index("modality")
    planted = by_name.loc[["rna", "mirna"]]
    assert planted["overlap"].min() > by_name.loc["noise", "overlap"].max()


def test_features_that_a_fold_drops_count_nothing_there(inputs, trained):
    """Each fold drops two features, not always the same; they are found by their number."""
    parameters = read_parameters(trained[0])[0]
    folds = attribute_folds(inputs.load(), parameters, SETTINGS, Expert.MEAN)
    assert len(folds) == 3
    assert any(
        not np.array_equal(folds[0].kept[name], each.kept[name])
        for each in folds
        for name in PLANTED
    )
    for each, split in zip(folds, inputs.data.splits[::2], strict=True):
        assert each.samples.tolist() == np.bincount(inputs.cohort.labels[split.test]).tolist()
        for name in PLANTED:
            assert each.size[name].shape == (3, FEATURES - 2)
            assert set(PLANTED[name]) <= set(each.kept[name].tolist())
            assert (np.abs(each.signed[name]) <= each.size[name] + 1e-6).all()


def test_a_fold_that_tests_the_same_samples_again_counts_once(inputs, trained):
    parameters, loaded = read_parameters(trained[0])[0], inputs.load()
    first, last = inputs.data.splits[0], inputs.data.splits[-1].fold
    splits = tuple(
        replace(each, test=first.test) if each.fold == last else each for each in inputs.data.splits
    )
    found, expected = (
        attribute_folds(replace(loaded, data=data), parameters, SETTINGS, Expert.MEAN)
        for data in (replace(inputs.data, splits=splits), inputs.data)
    )
    assert (len(found), len(expected)) == (2, 3)
    for one, other in zip(found, expected[:2], strict=True):
        np.testing.assert_array_equal(one.size["rna"], other.size["rna"])


def test_the_same_twice(inputs, trained, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        attribute(inputs, trained, tmp_path / name)
    for name in ("attribution.csv", "modalities.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_the_mean_of_logits_is_looked_at_and_else_the_first_head(inputs, trained, tmp_path):
    experts = [Expert.LINEAR, Expert.CONCATENATION, Expert.MEAN]
    switched = with_model(inputs, experts=experts)
    parameters = {
        f"{1 - int(name[0])}{name[1:]}".replace("fusions.1", "fusions.0"): value
        for name, value in read_parameters(trained[0])[0].items()
    }
    write_parameters(parameters, tmp_path / "model.safetensors")
    files = tmp_path / "model.safetensors", trained[1]
    expected, *_ = attribute(inputs, trained, tmp_path)
    found, *_ = attribute(switched, files, tmp_path)
    pd.testing.assert_frame_equal(found, expected)
    alone = with_model(inputs, experts=[Expert.CONCATENATION])
    first = {name: value for name, value in parameters.items() if name.startswith("0/")}
    write_parameters(first, tmp_path / "model.safetensors")
    other, _, state = attribute(alone, files, tmp_path)
    assert state.status == "ok"
    assert not np.allclose(other["importance"], expected["importance"])


def with_model(inputs, **changes):
    model = MODEL.model_copy(update=changes)
    return replace(inputs, settings=inputs.settings.model_copy(update={"model": model}))


REFUSALS = {
    "attribution.enabled is false": {"attribution": Attribution(enabled=False)},
    "model.experts names no joint head": {"model": {"experts": [Expert.LINEAR, Expert.LEARNED]}},
    "model.graph_weight above 0": {"model": {"graph_weight": 0.3}},
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_cannot_be_attributed_leaves_empty_tables_and_a_reason(
    reason, inputs, trained, tmp_path
):
    case = REFUSALS[reason]
    changed = with_model(inputs, **case.get("model", {}))
    attribution = case.get("attribution", SETTINGS.attribution)
    settings = changed.settings.model_copy(update={"attribution": attribution})
    found = attribute(replace(changed, settings=settings), trained, tmp_path)
    assert_refused(found, reason)


def assert_refused(found, reason):
    table, modalities, state = found
    assert state.status == "not_applicable"
    assert reason in state.reason
    assert table.empty
    assert list(table) == list(TABLES["attribution"].names)
    assert modalities.empty
    assert list(modalities) == list(TABLES["attribution_modalities"].names)


def test_without_trained_networks_there_is_nothing_to_attribute(inputs, trained, tmp_path):
    found = attribute(inputs, (None, None), tmp_path)
    assert_refused(found, "balanced is not among the methods")
    state = json.loads(trained[1].read_text()) | {"status": "failed", "reason": "as told"}
    ended = tmp_path / "ended.json"
    ended.write_text(json.dumps(state))
    assert_refused(attribute(inputs, (trained[0], ended), tmp_path), "balanced: as told")
