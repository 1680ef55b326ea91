"""The network methods end to end on a small cohort."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from given_inputs import tables_of, with_tables

from balmi.config.methods import NETWORKS
from balmi.config.settings import Balancing, Expert, Method, Model, Settings, Training
from balmi.data.cohort import Cohort
from balmi.data.splits import Split
from balmi.errors import UserError
from balmi.information.files import SplitInformation
from balmi.information.pool import tempered
from balmi.methods.distillation import new_network
from balmi.methods.outcome import Result, attempt
from balmi.methods.recipes import Guidance, prior_knowledge, train_method
from balmi.networks.balancing import RULES
from balmi.networks.data import concatenated, replica_data, residual_network
from balmi.networks.device import choose_device
from balmi.networks.seeds import replica_seed
from balmi.networks.trained import predict
from balmi.networks.trainer import Trainer
from balmi.preprocess.features import Features
from balmi.tables.contract import TABLES

SETTINGS = Training(epochs=30, learning_rate=0.02, batch_size=32)
SHORT = Training(epochs=4, learning_rate=0.02, batch_size=32)
EXPERTS = list(Expert)


def measured(folds, modalities=4):
    """Return measurements of every fold, after which most modalities know something."""
    rng = np.random.default_rng(0)
    label = rng.uniform(0.1, 0.9, size=(folds, modalities))
    shared = rng.uniform(0.1, 0.4, size=(folds, modalities, modalities))
    shared = (shared + shared.swapaxes(1, 2)) * ~np.eye(modalities, dtype=bool)
    p_value = np.full_like(label, 0.02)
    p_value[:, -1] = 0.6
    return SplitInformation(label, p_value, shared, shared - label[:, None])


FEW = ["linear", "mean", "concatenation"]  # those that one member can have


def fit(method, cohort, data, training=SHORT, experts=EXPERTS, **model):
    asks = NETWORKS[method].balancing is None
    guidance = Guidance(measured(int(data.folds.max()) + 1, len(data.modalities)) if asks else None)
    settings = Settings(model=Model(hidden=8, experts=experts, **model), training=training)
    return train_method(method, cohort, data, guidance, settings, lambda *call: None)


def of(cohort, splits, members=2):
    device = torch.device("cpu")
    return replica_data(cohort, Features(cohort, 6), splits, None, device, members=members)


UNREAD = {
    "training": SHORT.model_copy(
        update={
            "balancing": Balancing.OGM,
            "balancing_temperature": 2.0,
            "balancing_smoothing": 0.1,
            "balancing_strength": 3.0,
        }
    ),
    "experts": [Expert.CONCATENATION],
}


@pytest.mark.parametrize("method", [name for name in NETWORKS if name != Method.BALANCED])
def test_what_the_registry_calls_unread_changes_nothing(method, cohort, ensemble):
    data = ensemble if NETWORKS[method].several else ensemble.take([0, 3, 6])
    expected, parameters = fit(method, cohort, data)
    found, others = fit(method, cohort, data, **UNREAD)
    pd.testing.assert_frame_equal(found.predictions, expected.predictions)
    pd.testing.assert_frame_equal(found.experts, expected.experts)
    assert all(torch.equal(others[name], value) for name, value in parameters.items())


@pytest.mark.parametrize("method", NETWORKS)
def test_predictions_are_those_of_test_samples_and_better_than_chance(method, cohort, ensemble):
    data = ensemble if NETWORKS[method].several else ensemble.take([0, 3, 6])
    result, parameters = fit(method, cohort, data, SETTINGS)
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
    assert {len(value) for value in parameters.values()} == {len(data.splits)}


@pytest.mark.parametrize("method", NETWORKS)
def test_experts_and_history_of_every_fold(method, cohort, ensemble):
    several = NETWORKS[method].several
    data = ensemble if several else ensemble.take([0, 3, 6])
    result, _ = fit(method, cohort, data)
    experts = result.experts
    assert list(experts) == list(TABLES["experts"].names)
    expected = EXPERTS if method is Method.BALANCED else [Expert.MEAN]
    for _, rows in experts.groupby(["repeat", "fold"]):
        assert rows["expert"].tolist() == expected
        assert rows["weight"].sum() == pytest.approx(1)
    assert len(experts) == 3 * len(expected)
    history = result.training
    assert list(history) == list(TABLES["training"].names)
    assert sorted(history["member"].unique()) == ([0, 1, 2] if several else [0])
    heads = sum(expert.is_head for expert in expected)
    joint = ["joint", *(f"joint-{number}" for number in range(2, heads + 1))]
    names = ["concat"] if method is Method.CONCAT_MLP else list(data.modalities)
    assert history["modality"].unique().tolist() == [*names, *joint]


@pytest.mark.parametrize(
    "experts", [["mean"], ["mean", "concatenation"], ["gate", "concatenation"]]
)
def test_predictions_are_the_pool_of_the_heads_that_are_named(experts, cohort, ensemble):
    """Every head speaks for itself, at its temperature, and the mean of the members is pooled."""
    settings = SHORT.model_copy(update={"balancing": Balancing.UNIFORM})
    result, parameters = fit(Method.BALANCED, cohort, ensemble, settings, experts)
    information, model = prior_knowledge(measured(3), ensemble, Model()), Model(hidden=8)
    importance = information.label * (information.p_value < 0.05)
    network = new_network(ensemble, model, SHORT.seed, "balanced", experts, importance)
    rule = RULES[Balancing.UNIFORM](information, settings)
    trained = Trainer(network, ensemble, rule, settings, "balanced").run(lambda *call: None)
    assert set(parameters) == {f"{h}/{name}" for h in range(len(experts)) for name in trained.kept}
    for name, value in trained.kept.items():
        assert all(torch.equal(each, parameters[f"{h}/{name}"]) for h, each in enumerate(value))
    said = predict(trained, ensemble)[:, :, 4:].softmax(dim=-1).numpy()
    for fold, rows in result.experts.groupby("fold"):
        split = ensemble.splits[3 * fold]
        mean = said[3 * fold : 3 * fold + 3, split.test].mean(axis=0)
        expected = sum(
            row.weight * tempered(mean[:, head], row.temperature)
            for head, row in enumerate(rows.itertuples())
        )
        found = result.predictions[result.predictions["fold"] == fold].filter(like="p:")
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("method", NETWORKS)
def test_labels_of_test_samples_never_matter(method, cohort, splits):
    """Nor do those of samples that a fold does not use."""
    members = 3 if NETWORKS[method].several else 1
    rows = np.arange(len(cohort.labels))

    def found(changed):
        labels = cohort.labels.copy()
        labels[changed] = (labels[changed] + 1) % 3
        other = replace(cohort, labels=labels)
        return fit(method, other, of(other, splits[:1], members))

    outside = np.setdiff1d(rows, splits[0].fit)
    assert len(outside) > len(splits[0].test)
    (one, parameters), (other, others) = found([]), found(outside)
    for table in ("predictions", "experts", "training"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table), check_exact=True)
    assert all(torch.equal(value, others[name]) for name, value in parameters.items())
    changed, _ = found(splits[0].fit[:2])
    assert not changed.predictions.equals(one.predictions)


@pytest.mark.parametrize("method", NETWORKS)
def test_a_method_gives_the_same_twice(method, cohort, splits):
    first, second = (fit(method, cohort, of(cohort, splits[:2])) for _ in range(2))
    for table in ("predictions", "experts", "training"):
        pd.testing.assert_frame_equal(
            getattr(first[0], table), getattr(second[0], table), check_exact=True
        )
    assert all(torch.equal(value, second[1][name]) for name, value in first[1].items())


def made():
    """Return data and cohort of a run in a process of its own."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    cohort = Cohort(
        samples=np.array([f"s{place:02d}" for place in range(60)]),
        labels=labels,
        classes=("a", "b", "c"),
        groups=None,
        values={
            name: rng.normal(size=(60, width)) + labels[:, None]
            for name, width in (("rna", 5), ("mirna", 4))
        },
        features={"rna": tuple("vwxyz"), "mirna": tuple("stuv")},
        kinds={"rna": "generic", "mirna": "generic"},
        provenance={},
    )
    inner = np.arange(40, dtype=np.int32) % 4
    rows, fit_side = np.arange(60), np.arange(40)
    split = Split(0, 0, fit_side[inner > 0], fit_side[inner == 0], rows[40:], inner, (0, 1, 2, 3))
    data = replica_data(cohort, Features(cohort, 5), [split], None, torch.device("cpu"), members=2)
    return data, cohort


def digest():
    """Return a hash of all that the methods find on `made`."""
    data, cohort = made()
    found = hashlib.sha256()
    for method in NETWORKS:
        result, parameters = fit(method, cohort, data)
        for table in (result.predictions, result.experts, result.training):
            found.update(table.to_csv().encode())
        for name, value in parameters.items():
            found.update(name.encode() + value.numpy().tobytes())
    return found.hexdigest()


def test_nothing_depends_on_the_process_and_its_hash_seed():
    """This process has a hash seed of its own, nearly always a random one."""
    tests = Path(__file__).parents[2]
    folders = [Path(__file__).parent, tests / "helpers", tests.parent / "workflow"]
    code = f"import sys; sys.path[:0] = {list(map(str, folders))}; import test_methods_recipes as t"
    seed = os.environ.get("PYTHONHASHSEED", "random")
    running = subprocess.Popen(
        [sys.executable, "-c", f"{code}; print(t.digest())"],
        env={**os.environ, "PYTHONHASHSEED": "4242" if seed != "4242" else "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    here = digest()
    told, _ = running.communicate()
    assert running.returncode == 0
    assert told.strip() == here


def status_of(method, cohort, data, training=SHORT, experts=EXPERTS):
    """Return how a method ends, and its predictions."""
    with np.errstate(all="raise", under="ignore"):
        status, result = attempt(
            method,
            lambda: fit(method, cohort, data, training, experts)[0],
            Result.none(cohort.classes),
        )
    return status, result.predictions.filter(like="p:").to_numpy()


def assert_ok(status, probabilities, data):
    assert (status.status, status.reason) == ("ok", None)
    assert len(probabilities) == sum(len(s.test) for s in data.splits if s.member == 0)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize("method", NETWORKS)
def test_a_loss_that_is_not_finite_fails_with_its_reason(method, cohort, data):
    inputs = tables_of(data)
    inputs[0][1, data.splits[1].train[0]] = torch.inf
    status, found = status_of(method, cohort, with_tables(data, inputs), experts=["mean"])
    assert status.status == "failed"
    assert status.reason == f"the loss is not finite in epoch 1 of {method}"
    assert len(found) == 0


@pytest.mark.parametrize("where", ["test", "validation", "nowhere"])
@pytest.mark.parametrize("method", NETWORKS)
def test_a_class_that_a_fold_does_not_train_on(method, where, cohort, splits):
    split = splits[1]
    lacking = split.fit[cohort.labels[split.fit] == 2]
    kept = np.isin(split.fit, lacking, invert=True)
    poorer = replace(
        split,
        train=np.setdiff1d(split.train, lacking),
        validation=np.setdiff1d(split.validation, lacking),
        test=np.union1d(split.test, lacking),
        inner=split.inner[kept],
    )
    if where == "validation":
        kept |= split.inner == 0
        held_out = split.validation
        poorer = replace(
            poorer,
            validation=held_out,
            test=np.setdiff1d(poorer.test, held_out),
            inner=split.inner[kept],
            usable=(0,),
        )
    if where == "nowhere":
        poorer = replace(poorer, test=split.test[cohort.labels[split.test] != 2])
    data = of(cohort, [poorer, splits[2]])
    assert_ok(*status_of(method, cohort, data, experts=FEW), data)


@pytest.mark.parametrize("method", NETWORKS)
def test_a_modality_that_no_training_sample_of_a_fold_has(method, cohort, splits):
    values = dict(cohort.tables)
    values["weak"] = values["weak"].copy()
    values["weak"][splits[0].fit] = np.nan
    poorer = replace(cohort, values=values)
    data = of(poorer, splits)
    assert 0 in data.widths[data.modalities.index("weak")]
    assert_ok(*status_of(method, poorer, data), data)


@pytest.mark.parametrize("method", NETWORKS)
def test_samples_without_any_modality(method, cohort, splits):
    nobody = [splits[0].train[0], splits[0].validation[0], splits[0].test[0]]
    values = {name: each.copy() for name, each in cohort.tables.items()}
    for each in values.values():
        each[nobody] = np.nan
    poorer = replace(cohort, values=values)
    data = of(poorer, splits)
    assert_ok(*status_of(method, poorer, data), data)


@pytest.mark.parametrize("method", NETWORKS)
def test_batches_of_one_class(method, cohort, data):
    settings = SHORT.model_copy(update={"batch_size": 2, "epochs": 2})
    assert_ok(*status_of(method, cohort, data, settings, FEW), data)


@pytest.mark.parametrize("method", NETWORKS)
def test_a_single_modality(method, cohort, data):
    assert_ok(*status_of(method, cohort, data.only("weak")), data)


@pytest.mark.parametrize("method", NETWORKS)
def test_a_fold_without_validation_samples_is_not_applicable(method, cohort, splits):
    split = splits[0]
    data = of(cohort, [Split(0, 0, split.fit, split.fit[:0], split.test), splits[1]])
    status, found = status_of(method, cohort, data)
    assert status.status == "not_applicable"
    assert "cannot be split again into inner folds" in status.reason
    assert len(found) == 0


def test_umt_without_pretraining_is_not_applicable(cohort, data):
    settings = SHORT.model_copy(update={"balancing": Balancing.UMT})
    status, _ = status_of(Method.BALANCED, cohort, data, settings)
    assert status.status == "not_applicable"
    assert "pretrained" in status.reason


@pytest.mark.parametrize("expert", [Expert.LINEAR, Expert.LEARNED])
def test_a_prediction_without_a_joint_head(expert, cohort, ensemble):
    assert_ok(*status_of(Method.BALANCED, cohort, ensemble, experts=[expert]), ensemble)


def test_the_balanced_method_needs_measurements(cohort, data):
    with pytest.raises(ValueError, match="needs the information"):
        train_method(
            Method.BALANCED, cohort, data, Guidance(), Settings(training=SHORT), lambda *call: None
        )


def test_what_is_known_of_a_fold_is_known_of_all_its_members(ensemble):
    information = measured(3)
    found = prior_knowledge(information, ensemble, Model())
    for replica, split in enumerate(ensemble.splits):
        np.testing.assert_allclose(found.label[replica], information.label[split.fold])
        np.testing.assert_allclose(found.p_value[replica], information.p_value[split.fold])
        mean = information.shared[split.fold].sum(axis=1) / 3
        np.testing.assert_allclose(found.shared[replica], mean)
    nothing = prior_knowledge(None, ensemble, Model())
    assert nothing.label.shape == (9, 4)
    assert nothing.label.isnan().all()


def test_concatenation_keeps_every_feature(data):
    joined = concatenated(data)
    assert joined.modalities == ("concat",)
    assert joined.widths[0] == tuple(sum(each) for each in zip(*data.widths, strict=True))
    assert joined.padded[0] == max(joined.widths[0])
    assert joined.available.all()


def test_a_modality_absent_in_a_training_part_is_not_available_there(cohort, splits):
    values = dict(cohort.tables)
    values["weak"] = values["weak"].copy()
    values["weak"][splits[0].fit] = np.nan
    poorer = replace(cohort, values=values)
    data = replica_data(poorer, Features(poorer, 5), splits, None, torch.device("cpu"))
    index = data.modalities.index("weak")
    assert not data.available[0, :, index].any()
    assert data.available[1, :, index].any()


def test_residual_network_by_hand():
    from scipy.sparse import csr_array

    network = csr_array(np.array([[0.0, 1.0], [0.5, 0.0]]))
    expected = [[0.75, 0.25], [0.125, 0.75]]
    np.testing.assert_allclose(residual_network(network, 0.25).toarray(), expected)


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
            Method.UNIFORM,
            cohort,
            data,
            Guidance(),
            Settings(training=SETTINGS),
            lambda *call: None,
        )
        found.append(result.predictions.filter(like="p:").to_numpy())
    np.testing.assert_allclose(*found, atol=1e-6)


def test_seeds_differ_by_replica_and_purpose_and_are_stable():
    nowhere = np.array([], dtype=int)

    def seed(number, repeat, fold, member, purpose):
        split = Split(repeat, fold, nowhere, nowhere, nowhere, member=member)
        return replica_seed(number, split, purpose)

    assert seed(0, 1, 2, 3, "balanced/dropout") == 52423484745261730
    seeds = {
        seed(number, repeat, fold, member, purpose)
        for number in range(2)
        for repeat in range(3)
        for fold in range(3)
        for member in range(3)
        for purpose in ("a", "b")
    }
    assert len(seeds) == 108
