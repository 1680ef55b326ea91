"""A training that was killed and goes on is the training that was not killed."""

import errno
import logging
import os
import stat
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from given_inputs import tables_of, with_tables
from sequential import some_prior_knowledge

from balmi.config.settings import Balancing, Model, Training
from balmi.methods.distillation import new_network
from balmi.networks.balancing import RULES
from balmi.networks.checkpoint import Checkpoints, tensor_hash
from balmi.networks.epoch import Epoch
from balmi.networks.losses import SoftTargets
from balmi.networks.network import Shape
from balmi.networks.trained import predict
from balmi.networks.trainer import Trainer

MODEL = Model(hidden=8, dropout=0.3)
SETTINGS = Training(epochs=11, patience=2, learning_rate=0.03, batch_size=16)
FUSIONS = ("mean", "concatenation")


class Killed(Exception):
    """The end of a job that nobody asked for."""


def train(data, kind=Balancing.UNIFORM, settings=SETTINGS, checkpoints=None, kill_after=None, **to):
    """Train; return what was trained and the epochs that were computed."""
    purpose, soft = to.get("purpose", "test"), to.get("soft")
    fusions = () if soft else FUSIONS
    known = some_prior_knowledge(data, MODEL)
    known = replace(known, teachers=torch.zeros(*data.available.shape, MODEL.hidden))
    network = new_network(data, MODEL, settings.seed, purpose, fusions, known.label)
    rule = RULES[kind](known, settings)
    epochs = []

    def progress(epoch, of, active):
        epochs.append(epoch)
        if epoch == kill_after:
            raise Killed

    return Trainer(network, data, rule, settings, purpose, soft).run(progress, checkpoints), epochs


def killed(data, checkpoints, kill_after=7, **to):
    with pytest.raises(Killed):
        train(data, checkpoints=checkpoints, kill_after=kill_after, **to)


def assert_same(one, other, data):
    assert len(one.history) == len(other.history)
    for first, second in zip(one.history, other.history, strict=True):
        for field in fields(Epoch):
            pair = getattr(first, field.name), getattr(second, field.name)
            np.testing.assert_array_equal(*pair, err_msg=field.name)
            assert pair[0].dtype == pair[1].dtype
    assert all(torch.equal(value, other.kept[name]) for name, value in one.kept.items())
    assert torch.equal(predict(one, data), predict(other, data))


@pytest.mark.parametrize("kind", list(Balancing))
def test_a_killed_training_goes_on_bit_equal(ensemble, tmp_path, kind):
    part = ensemble.take([0, 1, 3, 4])
    whole, _ = train(part, kind)
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=3)
    last = len(whole.history)
    killed(part, checkpoints, last - 1, kind=kind)
    found, epochs = train(part, kind, checkpoints=checkpoints)
    assert epochs == list(range((last - 2) // 3 * 3 + 1, last + 1))
    assert_same(whole, found, part)


def test_replicas_that_were_let_go_before_the_end_stay_let_go(ensemble, tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 40})
    whole, _ = train(ensemble, settings=settings)
    active = torch.stack([epoch.active for epoch in whole.history]).sum(dim=1)
    assert 0 < active[-1] < 0.5 * len(ensemble.splits)
    for every in (1, 4):
        checkpoints = Checkpoints(tmp_path / f"{every}", every)
        killed(ensemble, checkpoints, len(whole.history) - 1, settings=settings)
        found, _ = train(ensemble, settings=settings, checkpoints=checkpoints)
        assert_same(whole, found, ensemble)


@pytest.mark.parametrize("source", ["graph_data", "data"])
def test_full_batches_and_graphs_go_on_as_well(source, tmp_path, request):
    data = request.getfixturevalue(source)
    settings = SETTINGS.model_copy(update={"batch_size": None})
    whole, _ = train(data, settings=settings)
    checkpoints = Checkpoints(tmp_path, every=2)
    killed(data, checkpoints, settings=settings, kill_after=5)
    found, epochs = train(data, settings=settings, checkpoints=checkpoints)
    assert epochs[0] == 5
    assert_same(whole, found, data)


def test_a_training_that_has_ended_is_not_repeated(data, tmp_path):
    checkpoints = Checkpoints(tmp_path, every=100)
    whole, epochs = train(data, checkpoints=checkpoints)
    assert epochs
    found, epochs = train(data, checkpoints=checkpoints)
    assert epochs == []
    assert_same(whole, found, data)


def changed(data, part):
    """Return data in which one number of a part is another."""
    if part == "labels":
        labels = data.labels.clone()
        labels[0] = (labels[0] + 1) % 3
        return replace(data, labels=labels)
    if part == "inputs":
        inputs = tables_of(data)
        inputs[1][2, 5, 0] += 1e-12
        return with_tables(data, inputs)
    if part == "available":
        available = data.available.clone()
        available[0, 0, 0] = ~available[0, 0, 0]
        return replace(data, available=available)
    split = data.splits[0]
    other = replace(split, train=split.train[1:], inner=split.inner[1:])
    return replace(data, splits=(other, *data.splits[1:]))


@pytest.mark.parametrize("part", ["labels", "inputs", "available", "splits"])
def test_a_checkpoint_of_other_data_is_not_used(data, tmp_path, part):
    checkpoints = Checkpoints(tmp_path, every=1)
    killed(data, checkpoints)
    assert train(changed(data, part), checkpoints=checkpoints)[1][0] == 1
    assert train(data, checkpoints=checkpoints)[1][0] == 7


def test_a_checkpoint_of_another_graph_is_not_used(graph_data, tmp_path):
    settings = SETTINGS.model_copy(update={"batch_size": None})
    checkpoints = Checkpoints(tmp_path, every=1)
    killed(graph_data, checkpoints, settings=settings, kill_after=4)
    networks = [network.copy() for network in graph_data.networks]
    row = int(graph_data.splits[0].fit[0])
    start, end = networks[0].indptr[row : row + 2]
    networks[0].indices[start:end] = networks[0].indices[start:end][::-1]  # the same weights
    other = replace(graph_data, networks=tuple(networks))
    assert train(other, settings=settings, checkpoints=checkpoints)[1][0] == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 1),
        ("learning_rate", 0.02),
        ("epochs", 12),
        ("patience", 3),
        ("batch_size", 17),
        ("logit_adjustment", 0.1),
        ("joint_weight", 0.9),
        ("balancing_strength", 0.5),
    ],
)
def test_a_checkpoint_of_other_settings_is_not_used(data, tmp_path, key, value):
    checkpoints = Checkpoints(tmp_path, every=1)
    killed(data, checkpoints, kill_after=2)
    other = SETTINGS.model_copy(update={key: value, "epochs": 3} | {key: value})
    assert train(data, settings=other, checkpoints=checkpoints)[1][0] == 1


def test_a_checkpoint_of_another_rule_or_purpose_is_not_used(data, tmp_path):
    checkpoints = Checkpoints(tmp_path, every=1)
    killed(data, checkpoints)
    assert train(data, checkpoints=checkpoints, purpose="other")[1][0] == 1
    assert train(data, Balancing.INVERSE, checkpoints=checkpoints)[1][0] == 1


def test_a_checkpoint_of_another_teacher_is_not_used(data, tmp_path):
    own = data.only("weak")
    generator = torch.Generator().manual_seed(0)
    soft = SoftTargets(
        logits=torch.randn(3, len(data.labels), 3, generator=generator, dtype=torch.float64),
        taught=torch.ones(3, len(data.labels), dtype=torch.bool),
        strength=torch.full((3,), 0.5, dtype=torch.float64),
        temperature=2.0,
    )
    checkpoints = Checkpoints(tmp_path, every=1)
    killed(own, checkpoints, kill_after=4, soft=soft)
    others = {
        "logits": soft.logits + 1,
        "taught": ~soft.taught,
        "strength": soft.strength / 2,
        "temperature": 3.0,
    }
    for name, value in others.items():
        other = replace(soft, **{name: value})
        assert train(own, checkpoints=checkpoints, soft=other)[1][0] == 1, name
    assert train(own, checkpoints=checkpoints, soft=soft)[1][0] == 4


def test_what_changes_no_training_leaves_the_checkpoint_of_use(data, tmp_path):
    killed(data, Checkpoints(tmp_path, every=1))
    settings = SETTINGS.model_copy(update={"checkpoint_every": 7, "replicas": 2})
    assert train(data, settings=settings, checkpoints=Checkpoints(tmp_path, 7))[1][0] == 7


def test_a_half_written_file_is_never_taken(data, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=2)
    killed(data, checkpoints, kill_after=3)
    good = {path: path.read_bytes() for path in checkpoints.folder.iterdir()}
    assert len(good) == 1

    def dies(part, blob):
        with part.open("wb") as file:
            file.write(blob[:100])
        raise Killed

    monkeypatch.setattr(Path, "write_bytes", dies)
    killed(data, checkpoints, kill_after=None)
    assert {path: path.read_bytes() for path in checkpoints.folder.iterdir()} == good
    # A process that is killed has no time to clean up.
    (path,) = good
    path.rename(path.with_name(f".part123-{path.name}"))
    assert checkpoints.load(path.stem) is None
    monkeypatch.undo()
    assert train(data, checkpoints=checkpoints)[1][0] == 1


def test_clearing_removes_all_of_it(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=1)
    checkpoints.clear()
    for name in ("a", "b"):
        checkpoints.save(name, {"x": torch.ones(2)}, {"epochs": 3})
    # What killed processes leave, of this library and of the format's own writer.
    for name in (".part123-a.safetensors", ".tmpAb12Cd"):
        (checkpoints.folder / name).write_bytes(b"half")
    (tmp_path / "status.json").write_text("{}")
    assert checkpoints.load("a")[1] == {"epochs": 3}
    checkpoints.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_a_tidy_up_that_cannot_be_done_is_only_warned_of(tmp_path, monkeypatch, caplog):
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=1)
    checkpoints.save("a", {"x": torch.ones(2)}, {"epochs": 3})

    def busy(path):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))

    monkeypatch.setattr("balmi.networks.checkpoint.shutil.rmtree", busy)
    with caplog.at_level(logging.WARNING, "balmi"):
        checkpoints.clear()
    assert "stay behind" in caplog.text
    assert str(checkpoints.folder) in caplog.text


DAMAGES = {
    "halved": lambda blob: blob[: len(blob) // 2],
    "empty": lambda blob: b"",
    "a flipped bit": lambda blob: blob[:-20] + bytes([blob[-20] ^ 1]) + blob[-19:],
    "zeros": lambda blob: bytes(len(blob)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_dropped_with_a_word(data, tmp_path, damage, caplog):
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=2)
    whole, _ = train(data)
    killed(data, checkpoints)
    (path,) = checkpoints.folder.iterdir()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with caplog.at_level(logging.WARNING, "balmi"):
        found, epochs = train(data, checkpoints=checkpoints)
    assert epochs[0] == 1
    assert_same(whole, found, data)
    assert "a checkpoint is dropped, and training starts anew" in caplog.text
    assert path.name in caplog.text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_at_a_checkpoint_is_a_warning(data, tmp_path, monkeypatch, caplog, number):
    whole, _ = train(data)

    def full(part, blob):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", full)
    with caplog.at_level(logging.WARNING, "balmi"):
        found, _ = train(data, checkpoints=Checkpoints(tmp_path / "checkpoints", every=5))
    assert_same(whole, found, data)
    assert "no checkpoint is kept, and training goes on" in caplog.text
    assert "no room on the disk" in caplog.text


def test_checkpoints_follow_the_umask(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", every=1)
    before = os.umask(0o027)
    try:
        checkpoints.save("a", {"x": torch.ones(2)}, {"epochs": 3})
    finally:
        os.umask(before)
    (path,) = checkpoints.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_hash_of_tensors_sees_values_types_shapes_and_words():
    tensors = [
        [torch.zeros(4)],
        [torch.tensor([0.0, 0, 0, 1])],
        [torch.zeros(2, 2)],
        [torch.zeros(2, dtype=torch.float64)],
        [torch.zeros(2), torch.zeros(2)],
        [torch.zeros(4, dtype=torch.bool)],
        [],
    ]
    hashes = {tensor_hash(each) for each in tensors}
    shape = Shape(("a",), ((3,),), (3,), classes=2, hidden=2, dropout=0.0)
    hashes |= {tensor_hash([], shape), tensor_hash([], replace(shape, dropout=0.1))}
    hashes |= {tensor_hash([], "a", "b"), tensor_hash([], "ab")}
    assert len(hashes) == 11
    assert tensor_hash([torch.zeros(2, 2).T]) == tensor_hash([torch.zeros(2, 2)])
