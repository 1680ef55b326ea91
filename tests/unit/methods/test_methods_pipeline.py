"""The pipeline in one process against the jobs, which keep every stage as files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import (
    Distillation,
    Evaluation,
    Graph,
    Information,
    Method,
    Model,
    Preprocessing,
    Robustness,
    Settings,
    Training,
)
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import write_table
from balmi.data.splits import as_splits, make_splits, read_splits
from balmi.errors import UserError
from balmi.experiments.shares.run import run_share
from balmi.graph.files import write_networks
from balmi.graph.fusion import fuse_splits
from balmi.information.files import write_split_information
from balmi.information.splits import measure_splits
from balmi.methods.jobs import TrainingInputs, pretrain_job, train_job
from balmi.methods.outcome import empty_predictions, read_status
from balmi.methods.peers.run import fit_baseline
from balmi.methods.pipeline import run_pipeline
from balmi.preprocess.features import Features
from balmi.preprocess.files import write_preprocessing
from balmi.tables.contract import TABLES

EVALUATION = Evaluation(repeats=1, folds=3, seed=7)
METHODS = [Method.BALANCED, Method.CONCAT_MLP, Method.STACKED_LR, Method.UNIMODAL_LR]
SETTINGS = Settings(
    evaluation=EVALUATION,
    preprocessing=Preprocessing(max_features=5),
    information=Information(folds=3, permutations=19, fold_permutations=19),
    graph=Graph(neighbours=8, kept=4),
    model=Model(hidden=4),
    training=Training(epochs=4, members=2, learning_rate=0.02),
)
ON_GRAPH = SETTINGS.model_copy(
    update={
        "model": Model(hidden=4, graph_weight=0.3),
        "training": Training(epochs=4, members=2, batch_size=None),
    }
)
STARTED_AT_RANDOM = SETTINGS.model_copy(update={"distillation": Distillation(pretraining=False)})


@pytest.fixture(scope="module")
def stored(plain_cohort, tmp_path_factory):
    """Return the folder of a cohort and its splits, and both as they are read from there."""
    folder = tmp_path_factory.mktemp("stored")
    write_cohort(plain_cohort, folder / "cohort.h5mu", folder / "samples.json")
    cohort = read_cohort(folder / "cohort.h5mu")
    write_table(make_splits(cohort, EVALUATION), folder / "splits.parquet", "splits")
    return folder, cohort, read_splits(folder / "splits.parquet", cohort)


def by_jobs(stored, settings, folder):
    """Return the predictions of the networks by jobs that hand each other files."""
    source, cohort, splits = stored
    features = Features(cohort, settings.preprocessing.max_features)
    measured = measure_splits(cohort, features, splits, settings.information)
    write_split_information(measured, folder / "information.safetensors")
    networks = None
    if settings.model.graph_weight > 0:
        networks = folder / "networks.parquet"
        write_networks(fuse_splits(features, splits, settings.graph), splits, cohort, networks)
    write_preprocessing(features, splits, cohort, folder / "preprocessing.safetensors")
    files = {
        "samples": source / "samples.json",
        "splits": source / "splits.parquet",
        "preprocessing": folder / "preprocessing.safetensors",
        "networks": networks,
        "information": folder / "information.safetensors",
    }
    guided = TrainingInputs.of(files, settings)
    names = "parameters.safetensors", "history.parquet", "plan.csv", "pretraining.json"
    pretrained = [folder / name for name in names]
    before = (None, None)
    if settings.distillation.pretraining:
        pretrain_job(guided, *pretrained)
        before = pretrained[0], pretrained[3]
    tables = []
    for method, inputs, start in (
        (Method.BALANCED, guided, before),
        (Method.CONCAT_MLP, replace(guided, networks=None, information=None), (None, None)),
    ):
        own = folder / str(method)
        own.mkdir()
        endings = "predictions.parquet", "training.parquet", "experts.csv", "status.json"
        endings += "model", "regressions"
        train_job(method, inputs, *start, *(own / name for name in endings))
        assert read_status(own / "status.json").status == "ok"
        tables.append(pd.read_parquet(own / "predictions.parquet"))
    peers = [fit_baseline(method, cohort, features, splits).predictions for method in METHODS[2:]]
    return pd.concat([*tables, *peers], ignore_index=True)


@pytest.mark.parametrize(
    "settings", [SETTINGS, ON_GRAPH, STARTED_AT_RANDOM], ids=["mlp", "graph", "random start"]
)
def test_predictions_are_those_of_the_jobs(stored, settings, tmp_path):
    found = run_pipeline(METHODS, *stored[1:], settings)
    assert [status.method for status in found.statuses] == [str(method) for method in METHODS]
    assert {status.status for status in found.statuses} == {"ok"}
    expected = by_jobs(stored, settings, tmp_path)
    pd.testing.assert_frame_equal(found.predictions, expected, atol=1e-9, check_dtype=False)


def test_a_method_that_cannot_run_leaves_its_reason_and_no_rows(make_cohort):
    labels = np.repeat([0, 1], [40, 3])
    cohort = make_cohort(labels)
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=2)), cohort)
    found = run_pipeline([Method.STACKED_LR, Method.MAJORITY], cohort, splits)
    assert [status.status for status in found.statuses] == ["not_applicable", "ok"]
    assert "fewer than 2 members" in found.statuses[0].reason
    assert set(found.predictions["method"]) == {"majority"}


def test_nothing_that_runs_leaves_an_empty_table(make_cohort):
    cohort = make_cohort(np.repeat([0, 1], 10))
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=2)), cohort)
    found = run_pipeline([], cohort, splits)
    assert found.statuses == ()
    assert list(found.predictions) == [*TABLES["predictions"].names, "p:a", "p:b"]


def test_settings_come_through_params_as_they_were():
    assert Settings(**SETTINGS.model_dump(mode="json")).with_gpus(0) == SETTINGS
    assert SETTINGS.with_gpus(1).resources.gpu == 1


def test_a_gpu_that_is_not_there_is_never_replaced(make_cohort, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    cohort = make_cohort(np.repeat([0, 1], 10))
    with pytest.raises(UserError, match=r"resources\.gpu"):
        run_pipeline([], cohort, [], Settings().with_gpus(1))


def test_a_share_of_all_is_the_evaluation_and_a_smaller_one_has_its_test_samples(stored):
    _, cohort, splits = stored
    methods = [Method.STACKED_LR]
    whole = run_pipeline(methods, cohort, splits, SETTINGS).predictions
    same = run_share(1.0, methods, cohort, SETTINGS).predictions
    pd.testing.assert_frame_equal(same, whole)
    less = run_share(0.4, methods, cohort, SETTINGS).predictions
    keys = ["sample", "repeat", "fold", "method"]
    pd.testing.assert_frame_equal(less[keys], whole[keys])
    assert np.abs(less.filter(like="p:") - whole.filter(like="p:")).to_numpy().max() > 0.01


def test_a_share_runs_the_first_repeats_of_the_share_that_the_evaluation_trains_on(stored):
    _, cohort, _ = stored
    evaluation = EVALUATION.model_copy(update={"repeats": 3, "training_share": 0.8})
    settings = SETTINGS.model_copy(
        update={"evaluation": evaluation, "robustness": Robustness(repeats=2)}
    )
    found = run_share(0.5, [Method.MAJORITY], cohort, settings).predictions
    assert set(found["repeat"]) == {0, 1}
    direct = EVALUATION.model_copy(update={"repeats": 2, "training_share": 0.4})
    splits = as_splits(make_splits(cohort, direct), cohort)
    expected = run_pipeline([Method.MAJORITY], cohort, splits, SETTINGS).predictions
    pd.testing.assert_frame_equal(found, expected)


def test_networks_are_not_trained_on_shares_of_many_samples(stored):
    _, cohort, _ = stored
    methods = [Method.MAJORITY, Method.CONCAT_MLP]
    count = len(cohort.samples)
    ends = {}
    for most in (count, count - 1):
        settings = SETTINGS.model_copy(update={"robustness": Robustness(in_full_up_to=most)})
        found = run_share(0.5, methods, cohort, settings)
        ends[most] = [(each.method, each.status) for each in found.statuses]
    assert ends[count] == [("majority", "ok"), ("concat-mlp", "ok")]
    assert ends[count - 1] == [("majority", "ok"), ("concat-mlp", "not_applicable")]
    assert set(found.predictions["method"]) == {"majority"}
    assert "robustness.in_full_up_to" in found.statuses[1].reason


def test_of_many_samples_no_share_between_the_smallest_and_the_largest_is_run(stored):
    _, cohort, _ = stored
    count, ends = len(cohort.samples), {}
    for most in (count, count - 1):
        robustness = Robustness(shares=[0.5, 0.2, 0.8], in_full_up_to=most)
        settings = SETTINGS.model_copy(update={"robustness": robustness})
        for share in robustness.shares:
            found = run_share(share, [Method.MAJORITY], cohort, settings)
            ends[most, share] = found.statuses[0].status, len(found.predictions) > 0
            if share == 0.5:
                reason = found.statuses[0].reason
    ran, left_out = ("ok", True), ("not_applicable", False)
    assert [ends[count, share] for share in (0.2, 0.5, 0.8)] == [ran, ran, ran]
    assert [ends[count - 1, share] for share in (0.2, 0.5, 0.8)] == [ran, left_out, ran]
    assert "robustness.in_full_up_to" in reason
    assert list(found.predictions) == list(empty_predictions(cohort.classes))


def test_outcomes_are_written_with_the_run_that_they_belong_to(stored, tmp_path):
    from balmi.experiments.robustness import run_status_table

    found = run_pipeline([Method.MAJORITY], *stored[1:], SETTINGS)
    for kind, level in (("share", 0.25), ("leak", None)):
        found.write(kind, level, tmp_path / f"{kind}.parquet", tmp_path / f"{kind}.json")
    table = run_status_table([tmp_path / "share.json", tmp_path / "leak.json"])
    assert table["kind"].tolist() == ["share", "leak"]
    assert table["level"].tolist()[0] == 0.25
    assert table["level"].isna().tolist() == [False, True]
    assert table["status"].tolist() == ["ok", "ok"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "leak.parquet"), found.predictions)
