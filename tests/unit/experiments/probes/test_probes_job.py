"""Probes of trained methods: a probe is what worse test samples would have got."""

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pandas as pd
import pytest
import torch

from balmi.config.methods import NETWORKS
from balmi.config.settings import (
    Expert,
    Graph,
    Method,
    Model,
    Preprocessing,
    Robustness,
    Settings,
    Training,
)
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import read_json, write_json, write_table
from balmi.data.tensors import write_tensors
from balmi.errors import MethodNotApplicable
from balmi.experiments.probes.alterations import (
    Probe,
    ProbeKind,
    alter,
    held_out_side,
    probes_of,
)
from balmi.experiments.probes.job import probe, probe_job
from balmi.experiments.probes.peers import fit_and_probe
from balmi.graph.fusion import fuse_splits
from balmi.information.files import SplitInformation, write_split_information
from balmi.methods.fitted import TrainedFiles, restored_fold
from balmi.methods.outcome import empty_predictions
from balmi.methods.peers.bases import fit_bases
from balmi.methods.peers.run import fit_baseline, training_side
from balmi.methods.recipes import Guidance, train_method
from balmi.networks.data import data_of_samples, replica_data, residual_network
from balmi.networks.parameters import write_parameters
from balmi.preprocess.features import Features
from balmi.preprocess.files import write_preprocessing
from balmi.preprocess.fitted import Samples

MODEL = Model(hidden=6, experts=list(Expert))
GRAPH = Graph(neighbours=5, kept=4)
ROBUSTNESS = Robustness(noise=[1], seed=3)
CPU = torch.device("cpu")


def settings_of(model=MODEL, graph=GRAPH):
    training = Training(epochs=4, learning_rate=0.02, batch_size=None, members=3)
    return Settings(
        preprocessing=Preprocessing(max_features=6),
        graph=graph,
        model=model,
        training=training,
        robustness=ROBUSTNESS,
    )


def measured(cohort, splits):
    rng = np.random.default_rng(0)
    shape = len(splits), len(cohort.modalities)
    label, p_value = rng.uniform(0.1, 0.9, shape), np.full(shape, 0.02)
    p_value[:, -1] = 0.6
    shared = np.zeros((*shape, shape[1]))
    return SplitInformation(label, p_value, shared, shared - label[:, None])


@dataclass
class Run:
    """A method, trained."""

    data: object
    trained: TrainedFiles
    predictions: pd.DataFrame


def train(method, cohort, splits, settings):
    """Train a network method from the start."""
    recipe, model = NETWORKS[method], settings.model
    features = Features(cohort, 6)
    networks = None
    if model.graph_weight > 0:
        fused = fuse_splits(features, splits, settings.graph)
        networks = [residual_network(network, model.graph_weight) for network in fused]
    members = 3 if recipe.several else 1
    data = replica_data(cohort, features, splits, networks, CPU, members=members)
    information = measured(cohort, splits) if recipe.balancing is None else None
    result, parameters = train_method(
        method,
        cohort,
        data,
        Guidance(information),
        settings,
        lambda *call: None,
    )
    trained = TrainedFiles(parameters, result.experts, result.regressions, information)
    return Run(replace(data, networks=None), trained, result.predictions)


def probabilities(table):
    return table.filter(like="p:").to_numpy()


def side_of(cohort, split):
    features = Features(cohort, 6)
    return held_out_side(features, features.fit(split.fit), split, ROBUSTNESS.seed)


@pytest.mark.parametrize("method", NETWORKS)
def test_restored_networks_say_of_test_samples_what_they_said(method, cohort, splits):
    """With six experts in `balanced`, a modality that some samples lack, and rows beside them."""
    settings = settings_of()
    run = train(method, cohort, splits, settings)
    assert not cohort.available.all()
    features = Features(cohort, 6)
    for fold, split in enumerate(splits):
        tests = side_of(cohort, split)
        side = training_side(cohort, features, features.fit(split.fit), split)
        fitted = restored_fold(method, run.data, fold, side, run.trained, MODEL, GRAPH)
        altered = [alter(tests, each).samples for each in probes_of(cohort.modalities, ROBUSTNESS)]
        found = fitted.predict(reduce(Samples.followed_by, [tests.samples, *altered]))
        assert len(found) > 10 * len(split.test)
        expected = probabilities(run.predictions[run.predictions["fold"] == fold])
        np.testing.assert_allclose(found[: len(split.test)], expected, atol=1e-6)


def test_altered_samples_lack_what_their_fold_could_not_learn_from(cohort, splits):
    """Nobody of the training side has the first modality; test samples do, and altered ones."""
    split, name = splits[0], cohort.modalities[0]
    values = dict(cohort.tables)
    values[name] = values[name].copy()
    values[name][split.fit] = np.nan
    lacking = replace(cohort, values=values)
    assert lacking.available[split.test, 0].any()
    features = Features(lacking, 6)
    data = replica_data(lacking, features, [split], None, torch.device("cpu"))
    noise = Probe(ProbeKind.NOISE, lacking.modalities[1:2], 1.0)
    altered = alter(side_of(lacking, split), noise).samples
    assert altered.available[:, 0].any()
    found = data_of_samples(data, altered).available[0].numpy()
    assert not found[:, 0].any()
    np.testing.assert_array_equal(found[:, 1:], altered.available[:, 1:])


def made_worse(cohort, split, each):
    """Return the cohort as if its test samples had been measured as a probe makes them."""
    side, values = side_of(cohort, split), dict(cohort.tables)
    for name in cohort.modalities:
        changed = values[name].copy()
        has, kept = side.samples.has(name), side.fitted[name].kept
        rows = split.test[has]
        if each.kind is ProbeKind.SUBSET and name not in each.modalities:
            changed[split.test] = np.nan
        elif each.kind is ProbeKind.NOISE and name in each.modalities:
            draws = side.rng(each.kind, name).standard_normal((len(rows), len(kept)))
            spread = cohort.tables[name][
                np.ix_(np.intersect1d(split.fit, owners(cohort, name)), kept)
            ]
            changed[np.ix_(rows, kept)] += each.level * spread.std(axis=0) * draws
        elif each.kind is ProbeKind.SHUFFLED and name in each.modalities:
            changed[rows] = changed[side.rng(each.kind, name).permutation(rows)]
        values[name] = changed
    return replace(cohort, values=values)


def owners(cohort, name):
    return np.flatnonzero(cohort.available[:, cohort.modalities.index(name)])


PROBES = [
    Probe(ProbeKind.SUBSET, ("weak",)),
    Probe(ProbeKind.SUBSET, ("redundant", "weak")),
    Probe(ProbeKind.NOISE, ("weak",), 1.0),
    Probe(ProbeKind.SHUFFLED, ("weak",)),
]
PEER_METHODS = [
    *(Method.STACKED_LR, Method.LATE_FUSION, Method.UNIMODAL_LR, Method.CONCAT_SVM),
    *(Method.CONCAT_FOREST, Method.VCDN, Method.SNF, Method.CONCAT_LR),
]


def rows_of(table, each):
    same = (table["kind"] == each.kind) & (table["modalities"] == "+".join(each.modalities))
    return table[same & (table["level"].isna() | (table["level"] == each.level))]


def check(found, cohort, split, each, predictions, tolerance):
    """Compare a probe with predictions of samples that were worse from the start."""
    own = rows_of(found, each)
    assert own["sample"].tolist() == cohort.samples[split.test].tolist()
    expected = probabilities(predictions)
    left = each.kind is not ProbeKind.SUBSET or np.isin(cohort.modalities, each.modalities)
    something = (cohort.available[split.test] & left).any(axis=1)
    np.testing.assert_allclose(probabilities(own)[something], expected[something], atol=tolerance)
    prior = np.bincount(cohort.labels[split.fit]) / len(split.fit)
    np.testing.assert_allclose(
        probabilities(own)[~something], np.tile(prior, ((~something).sum(), 1))
    )


@pytest.mark.parametrize("method", NETWORKS)
def test_a_probe_of_a_network_is_what_worse_test_samples_would_have_got(method, cohort, splits):
    settings, own = settings_of(), splits[:1]
    trained = train(method, cohort, own, settings).trained
    found = probe(method, cohort, Features(cohort, 6), own, settings, trained)
    for each in PROBES:
        worse = made_worse(cohort, own[0], each)
        predictions = train(method, worse, own, settings).predictions
        check(found, cohort, own[0], each, predictions, 1e-6)


def probed(method, cohort, splits):
    """Fit a method, and probe it."""
    features = Features(cohort, 6)
    if method in NETWORKS:
        trained = train(method, cohort, splits, settings_of()).trained
        return probe(method, cohort, features, splits, settings_of(), trained)
    asked = {method: True}
    return fit_and_probe(asked, cohort, features, splits, ROBUSTNESS)[method].probing.table


@pytest.mark.parametrize("method", PEER_METHODS)
def test_a_probe_of_a_peer_is_what_worse_test_samples_would_have_got(method, cohort, splits):
    own = splits[:1]
    found = probed(method, cohort, own)
    for each in PROBES:
        worse = made_worse(cohort, own[0], each)
        with np.errstate(invalid="ignore"):  # the mean of no modality, which no probe asks for
            predictions = fit_baseline(method, worse, Features(worse, 6), own).predictions
        check(found, cohort, own[0], each, predictions[predictions["method"] == method], 1e-9)


@pytest.mark.parametrize("method", [Method.BALANCED, Method.STACKED_LR])
def test_a_probe_changes_nothing_for_a_sample_that_lacks_its_modality(method, cohort, splits):
    own = splits[:1]
    found = probed(method, cohort, own)
    lacks = ~side_of(cohort, own[0]).samples.has("weak")
    assert 0 < lacks.sum() < len(lacks)
    kinds = [Probe(ProbeKind.NOISE, ("weak",), 1.0), Probe(ProbeKind.SHUFFLED, ("weak",))]
    kinds.append(Probe(ProbeKind.SUBSET, tuple(n for n in cohort.modalities if n != "weak")))
    said = [probabilities(rows_of(found, each)) for each in kinds]
    for other in said[1:]:
        np.testing.assert_array_equal(other[lacks], said[0][lacks])
        assert not np.allclose(other[~lacks], said[0][~lacks])


def test_networks_on_a_graph_attach_altered_samples_to_it(cohort, splits):
    model, own = Model(hidden=6, experts=["mean"], graph_weight=0.3), splits[:1]
    settings = settings_of(model)
    run = train(Method.UNIFORM, cohort, own, settings)
    found = probe(Method.UNIFORM, cohort, Features(cohort, 6), own, settings, run.trained)
    for each in PROBES:
        worse = made_worse(cohort, own[0], each)
        predictions = train(Method.UNIFORM, worse, own, settings).predictions
        check(found, cohort, own[0], each, predictions, 1e-6)
    flat = model.model_copy(update={"graph_weight": 0})
    plain = settings.model_copy(update={"model": flat})
    other = probe(Method.UNIFORM, cohort, Features(cohort, 6), own, plain, run.trained)
    assert not np.allclose(probabilities(found), probabilities(other), atol=1e-3)


def test_networks_that_test_samples_shape_cannot_be_probed(cohort, splits):
    graph = GRAPH.model_copy(update={"transductive": True})
    settings = settings_of(Model(hidden=6, experts=["mean"], graph_weight=0.3), graph)
    run = train(Method.UNIFORM, cohort, splits[:1], settings)
    with pytest.raises(MethodNotApplicable, match=r"graph\.transductive"):
        probe(Method.UNIFORM, cohort, Features(cohort, 6), splits[:1], settings, run.trained)


def test_a_probe_of_a_network_fits_nothing(cohort, splits, monkeypatch):
    own, features = splits[:1], Features(cohort, 6)
    trained = train(Method.BALANCED, cohort, own, settings_of()).trained
    expected = probe(Method.BALANCED, cohort, features, own, settings_of(), trained)
    known = replace(trained, bases=fit_bases(cohort, features, own))

    def refuse(*_, **__):
        raise AssertionError("a regression is fitted again")

    monkeypatch.setattr("sklearn.linear_model.LogisticRegression", refuse)
    found = probe(Method.BALANCED, cohort, features, own, settings_of(), known)
    # Networks see single precision, and so do the regressions that are fitted beside them.
    np.testing.assert_allclose(probabilities(found), probabilities(expected), atol=1e-5)
    with pytest.raises(AssertionError, match="fitted again"):
        probe(Method.BALANCED, cohort, features, own, settings_of(), trained)


@pytest.fixture
def files(cohort, splits, tmp_path):
    """Return the files that a job reads, after `balanced` was trained on three folds."""
    settings = settings_of()
    run = train(Method.BALANCED, cohort, splits, settings)
    paths = {
        "samples": tmp_path / "samples.json",
        "splits": tmp_path / "splits.parquet",
        "preprocessing": tmp_path / "preprocessing.safetensors",
        "status": tmp_path / "status.json",
        "parameters": tmp_path / "model.safetensors",
        "experts": tmp_path / "experts.csv",
        "regressions": tmp_path / "regressions.safetensors",
        "information": tmp_path / "information.safetensors",
    }
    write_cohort(cohort, tmp_path / "cohort.h5mu", paths["samples"])
    stored = read_cohort(tmp_path / "cohort.h5mu")  # in single precision
    write_preprocessing(Features(stored, 6), splits, stored, paths["preprocessing"])
    tables = []
    for split in splits:
        inner = dict(zip(split.fit, split.inner, strict=True))
        for part in ("train", "validation", "test"):
            rows = getattr(split, part)
            head = {"repeat": split.repeat, "fold": split.fold, "held_out": None}
            tables.append(
                pd.DataFrame(head | {"sample": cohort.samples[rows], "part": part}).assign(
                    inner=[inner.get(row, -1) for row in rows]
                )
            )
    write_table(pd.concat(tables), paths["splits"], "splits")
    write_parameters(
        {key: value.contiguous() for key, value in run.trained.parameters.items()},
        paths["parameters"],
    )
    run.trained.experts.to_csv(paths["experts"], index=False)
    write_tensors(run.trained.regressions, paths["regressions"])
    write_split_information(run.trained.information, paths["information"])
    status(paths["status"], "ok")
    return paths, run


def status(path, state):
    content = {"method": "balanced", "status": state, "reason": "why", "device": None}
    write_json(content | {"seconds": 1.0}, path)


def test_the_job_writes_what_the_files_of_a_method_say(files, cohort, splits, tmp_path):
    paths, run = files
    settings = settings_of()
    probe_job(Method.BALANCED, settings, paths, tmp_path / "p.parquet", tmp_path / "p.json")
    found = pd.read_parquet(tmp_path / "p.parquet")
    expected = probe(Method.BALANCED, cohort, Features(cohort, 6), splits, settings, run.trained)
    # The file of the cohort holds single precision.
    np.testing.assert_allclose(probabilities(found), probabilities(expected), atol=1e-4)
    names = [name for name in found if not name.startswith("p:")]
    pd.testing.assert_frame_equal(found[names], expected[names], check_dtype=False)
    (ended,) = read_json(tmp_path / "p.json")
    assert (ended["kind"], ended["method"], ended["status"]) == ("probes", "balanced", "ok")


@pytest.mark.parametrize("state", ["failed", "not_applicable"])
def test_a_method_that_did_not_end_well_has_no_rows(state, files, cohort, tmp_path):
    paths, _ = files
    status(paths["status"], state)
    probe_job(Method.BALANCED, settings_of(), paths, tmp_path / "p.parquet", tmp_path / "p.json")
    found = pd.read_parquet(tmp_path / "p.parquet")
    assert found.empty
    assert [name for name in found if name.startswith("p:")] == [
        name for name in empty_predictions(cohort.classes) if name.startswith("p:")
    ]
    (ended,) = read_json(tmp_path / "p.json")
    assert ended["status"] == "not_applicable"
    assert "balanced: why" in ended["reason"]
