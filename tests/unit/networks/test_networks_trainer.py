"""The batched trainer against a sequential loop of plain torch, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from given_inputs import tables_of, with_tables
from sequential import Case, alone, sequential_fold, some_prior_knowledge, take, trained_by

from balmi.config.settings import Balancing, Model, Training
from balmi.data.splits import Split
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.methods.distillation import new_network
from balmi.networks import data as networks_data
from balmi.networks import trained as trained_module
from balmi.networks.balancing import RULES
from balmi.networks.data import Batches, concatenated
from balmi.networks.losses import SoftTargets
from balmi.networks.trained import predict
from balmi.networks.trainer import Trainer, mean_over_members

MODEL = Model(hidden=8, dropout=0.3)
SETTINGS = Training(epochs=14, patience=3, learning_rate=0.03, seed=5, batch_size=None)
TOLERANCE = 1e-10
EVERY_HEAD = ("mean", "information", "concatenation", "gate")


def case(model=None, fusions=("mean", "concatenation"), soft=None, **settings):
    changed = SETTINGS.model_copy(update=settings)
    return Case(MODEL.model_copy(update=model or {}), changed, fusions, soft=soft)


CASES = {
    "full batch": ("data", Balancing.UNIFORM, case()),
    "minibatches": ("data", Balancing.UNIFORM, case(batch_size=16)),
    "graph": ("graph_data", Balancing.UNIFORM, case()),
    "learned weights": ("data", Balancing.INFORMATION, case(batch_size=16)),
    "learned weights on a graph": ("graph_data", Balancing.INFORMATION, case()),
    "linear path": ("data", Balancing.UNIFORM, case({"linear_path": True}, batch_size=16)),
    "linear path on a graph": ("graph_data", Balancing.UNIFORM, case({"linear_path": True})),
    "every head": ("data", Balancing.INFORMATION, case(None, EVERY_HEAD, batch_size=16)),
    "no joint head": ("data", Balancing.UNIFORM, case(None, (), batch_size=16)),
    "adjusted logits": (
        "data",
        Balancing.UNIFORM,
        case(logit_adjustment=1.5, class_weight_power=0, joint_weight=0.4),
    ),
    "members": ("ensemble", Balancing.INFORMATION, case(batch_size=16)),
}


@pytest.mark.parametrize("name", CASES)
def test_all_replicas_at_once_equal_a_sequential_loop(name, request):
    source, kind, given = CASES[name]
    data = request.getfixturevalue(source)
    trained, together = trained_by(data, given, kind)
    lasted = torch.stack([epoch.active for epoch in trained.history]).sum(dim=0)
    for fold in data.folds.unique().tolist():
        members, logits = sequential_fold(data, fold, given, kind)
        for sequential, expected in zip(members, logits, strict=True):
            replica = sequential.replica
            assert (together[replica] - expected).abs().max() < TOLERANCE
            assert lasted[replica] == len(sequential.history)
            for epoch, other in zip(trained.history, sequential.history, strict=False):
                for part in ("validation_losses", "macro_f1"):
                    difference = getattr(epoch, part)[replica] - getattr(other, part)[0]
                    assert difference.abs().max() < TOLERANCE


def test_the_cases_have_what_they_are_to_show(data, ensemble):
    """Folds end at different epochs, heads are best at different ones, and some lack a part."""
    given = CASES["members"][2]
    found = [sequential_fold(ensemble, fold, given, Balancing.UNIFORM)[0] for fold in range(3)]
    assert [len(members) for members in found] == [3, 3, 3]
    assert len({len(members[0].history) for members in found}) > 1
    assert any(len(set(members[0].best_epochs)) == 2 for members in found)
    assert len({len(split.train) for split in ensemble.splits}) > 2
    assert len(set(data.widths[0])) > 1
    assert not data.available.all()


def test_distillation_equals_a_sequential_loop(data):
    own = data.only("weak")
    generator = torch.Generator().manual_seed(0)
    taught = torch.rand(3, len(data.labels), generator=generator) < 0.8
    soft = SoftTargets(
        logits=torch.randn(3, len(data.labels), 3, generator=generator, dtype=torch.float64),
        taught=taught,
        strength=torch.tensor([0.0, 0.4, 0.7], dtype=torch.float64),
        temperature=2.0,
    )
    given = case(None, (), soft, batch_size=16)
    _, together = trained_by(own, given, Balancing.UNIFORM)
    for replica in range(3):
        _, (expected,) = sequential_fold(own, replica, given, Balancing.UNIFORM)
        has = own.available[replica, :, 0]
        assert (together[replica] - expected)[has].abs().max() < TOLERANCE
    _, unheard = trained_by(own, replace(given, soft=None), Balancing.UNIFORM)
    assert torch.equal(unheard[0], together[0])
    assert not torch.allclose(unheard[1], together[1])


@pytest.mark.parametrize(
    ("kind", "batch_size"),
    [(Balancing.UNIFORM, None), (Balancing.UNIFORM, 8), *((kind, 13) for kind in Balancing)],
)
def test_a_replica_alone_equals_itself_in_company(data, kind, batch_size):
    given = case(batch_size=batch_size, epochs=4)
    known = replace(
        some_prior_knowledge(data, MODEL), teachers=torch.zeros(3, len(data.labels), 4, 8)
    )
    _, together = trained_by(data, given, kind, known)
    for replica in range(3):
        own = replace(take(known, replica), teachers=known.teachers[replica : replica + 1])
        _, found = trained_by(alone(data, replica), given, kind, own)
        assert (found[0] - together[replica]).abs().max() < TOLERANCE


@pytest.mark.parametrize("joined", [False, True])
def test_replicas_of_other_widths_do_not_matter(data, joined):
    assert len(set(data.widths[0])) > 1
    first = concatenated(data) if joined else data
    known = some_prior_knowledge(first, MODEL)
    _, together = trained_by(first, case(), Balancing.UNIFORM, known)
    for replica in range(3):
        single = alone(data, replica)
        single = concatenated(single) if joined else single
        _, found = trained_by(single, case(), Balancing.UNIFORM, take(known, replica))
        assert (found[0] - together[replica]).abs().max() < TOLERANCE


def test_folds_that_are_let_go_keep_their_best_parameters(ensemble):
    """A fold that ends early is the same whether others go on for long or not."""
    short = case(epochs=40, patience=2, batch_size=16)
    trained, together = trained_by(ensemble, short, Balancing.UNIFORM)
    lasted = torch.stack([epoch.active for epoch in trained.history]).sum(dim=0).view(3, 3)
    assert (lasted == lasted[:, :1]).all()
    first, longest = int(lasted[:, 0].argmin()), int(lasted[:, 0].argmax())
    assert lasted[first, 0] + 3 < lasted[longest, 0]
    for fold in (first, longest):
        members = [3 * fold, 3 * fold + 1, 3 * fold + 2]
        own = take(some_prior_knowledge(ensemble, MODEL), *members)
        _, found = trained_by(alone(ensemble, *members), short, Balancing.UNIFORM, own)
        assert (found - together[members]).abs().max() < TOLERANCE
    last = trained.history[-1].losses.view(3, 3, -1)
    assert last[first].isnan().all()
    assert last[longest].isfinite().all()


@pytest.mark.parametrize("kind", Balancing)
def test_every_rule_goes_on_with_the_replicas_that_are_left(data, kind):
    short = case(epochs=40, patience=1, batch_size=16)
    known = replace(
        some_prior_knowledge(data, MODEL), teachers=torch.zeros(3, len(data.labels), 4, 8)
    )
    trained, together = trained_by(data, short, kind, known)
    lasted = torch.stack([epoch.active for epoch in trained.history]).sum(dim=0)
    assert lasted.min() < lasted.max()
    assert trained.network.shape.widths == data.widths
    last = int(lasted.argmax())
    own = replace(take(known, last), teachers=known.teachers[last : last + 1])
    _, found = trained_by(alone(data, last), short, kind, own)
    assert (found[0] - together[last]).abs().max() < TOLERANCE


def test_the_mean_over_members_by_hand():
    nan = torch.nan
    scores = torch.tensor([[1.0, nan], [9.0, nan], [3.0, 4.0], [nan, nan], [torch.inf, 2.0]])
    found = mean_over_members(scores, torch.tensor([5, 0, 5, 5, 0]))
    np.testing.assert_allclose(found[[0, 2, 3]], [[2.0, 4.0]] * 3)
    assert found[[1, 4], 1].tolist() == [2.0, 2.0]


def test_a_modality_without_validation_samples_keeps_its_latest_parameters(data):
    own = data.only("weak")
    available = own.available.clone()
    available[1, data.splits[1].validation] = False
    lacking = replace(own, available=available)
    for fusions in ((), ("mean",)):
        trained, _ = trained_by(lacking, case(None, fusions), Balancing.UNIFORM)
        ends = [sum(bool(epoch.active[replica]) for epoch in trained.history) for replica in (0, 1)]
        assert ends[1] == SETTINGS.patience < ends[0]
        assert trained.history[0].validation_losses[1].isnan().all()
        assert trained.history[0].macro_f1[1].isnan().all()
        assert trained.history[0].macro_f1[0].isfinite().all()
        start = new_network(lacking, MODEL, SETTINGS.seed, "test", fusions)
        latest, _ = trained_by(
            lacking, case(None, fusions, epochs=SETTINGS.patience), Balancing.UNIFORM
        )
        key = "heads.0.top.weight"
        assert (trained.kept[key][0, 1] - start.heads[0].top.weight[1]).abs().max() > 1e-3
        assert torch.equal(trained.kept[key][0, 1], latest.kept[key][0, 1])


@pytest.mark.parametrize("kind", [Balancing.INFORMATION, Balancing.OGM_GE, Balancing.KENDALL])
def test_two_runs_are_bit_equal(data, kind):
    found = []
    for seed in (1, 2):  # of the randomness that a process shares, which must have no say
        torch.manual_seed(seed)
        found.append(trained_by(data, case(batch_size=16, epochs=5), kind)[1])
    assert torch.equal(*found)


@pytest.mark.parametrize("source", ["data", "graph_data"])
def test_test_samples_have_no_say(source, request):
    """Garbling labels and features of test samples changes nothing that was learned."""
    single = alone(request.getfixturevalue(source), 1)
    test = single.splits[0].test
    labels = single.labels.clone()
    labels[test] = (labels[test] + 1) % single.classes
    inputs = tables_of(single)
    for values in inputs:
        values[:, test] = 100.0
    garbled = replace(with_tables(single, inputs), labels=labels)
    one, other = (
        trained_by(each, case(None, EVERY_HEAD), Balancing.INFORMATION)[0]
        for each in (single, garbled)
    )
    assert all(torch.equal(value, other.kept[name]) for name, value in one.kept.items())


def test_minibatches_cover_every_training_sample_once(data):
    generators = [torch.Generator().manual_seed(i) for i in range(3)]
    batches, orders = Batches(data, 8), []
    for _ in range(2):
        steps = list(batches.epoch(generators))
        for replica, split in enumerate(data.splits):
            rows = [seen.rows[replica][seen.counted[replica]] for seen in steps]
            assert max(map(len, rows)) - min(map(len, rows)) <= 1
            assert np.array_equal(np.sort(torch.cat(rows).numpy()), split.train)
        orders.append(torch.cat([seen.rows[0] for seen in steps]))
    assert not torch.equal(*orders)


def test_an_epoch_of_many_samples_is_a_new_draw_of_some(data, monkeypatch):
    monkeypatch.setattr(networks_data, "EPOCH_SAMPLES", 24)
    generators = [torch.Generator().manual_seed(i) for i in range(3)]
    batches, seen = Batches(data, 8), [set() for _ in data.splits]
    for _ in range(40):
        steps = list(batches.epoch(generators))
        assert len(steps) == 3
        for replica, split in enumerate(data.splits):
            rows = torch.cat([view.rows[replica][view.counted[replica]] for view in steps])
            assert len(rows) == len(set(rows.tolist()))
            assert len(rows) == round(24 / data.longest * len(split.train))
            seen[replica].update(rows.tolist())
    assert seen == [set(split.train.tolist()) for split in data.splits]


def test_parts_of_the_replicas_take_as_many_steps_as_all(data):
    generator = torch.Generator().manual_seed(0)
    lengths = [len(split.train) for split in data.splits]
    short = int(np.argmin(lengths))
    size = min(lengths)
    steps = [
        len(list(Batches(each, size).epoch([generator] * len(each.splits))))
        for each in (data, data.take([short]))
    ]
    assert max(lengths) > size
    assert steps == [2, 2]


def broken(data, value=torch.inf):
    inputs = tables_of(data)
    inputs[0][1, data.splits[1].train[0]] = value
    return with_tables(data, inputs)


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_a_loss_that_is_not_finite_fails_with_its_epoch(data, value):
    with pytest.raises(MethodFailed, match="not finite in epoch 1 of test"):
        trained_by(broken(data, value), case(), Balancing.UNIFORM)


def test_a_validation_loss_that_is_not_finite_fails_with_its_epoch(data):
    inputs = tables_of(data)
    inputs[0][1, data.splits[1].validation[0]] = torch.inf
    with pytest.raises(MethodFailed, match="not finite after epoch 1 of test"):
        trained_by(with_tables(data, inputs), case(), Balancing.UNIFORM)


def test_a_replica_without_validation_samples_is_not_applicable(data):
    split = data.splits[0]
    lacking = Split(0, 0, split.fit, split.fit[:0], split.test)
    with pytest.raises(MethodNotApplicable, match="cannot be split again into inner folds"):
        trained_by(replace(alone(data, 0), splits=(lacking,)), case(), Balancing.UNIFORM)


def test_progress_is_told_every_epoch(data):
    calls = []
    network = new_network(data, MODEL, 0, "test", ("mean",))
    rule = RULES[Balancing.UNIFORM](some_prior_knowledge(data, MODEL), SETTINGS)
    trainer = Trainer(network, data, rule, SETTINGS, "test")
    history = trainer.run(lambda *call: calls.append(call)).history
    assert [epoch for epoch, _, _ in calls] == list(range(1, len(history) + 1))
    assert {epochs for _, epochs, _ in calls} == {SETTINGS.epochs}
    going = [active for _, _, active in calls]
    assert going == sorted(going, reverse=True)
    for epoch in history:
        shares = epoch.gradient_share[epoch.active]
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(shares)).double())


def test_predictions_by_blocks_are_those_at_once_and_no_more_than_asked(data, monkeypatch):
    trained, whole = trained_by(data, case(), Balancing.UNIFORM)
    assert not whole.isnan().any()
    monkeypatch.setattr(trained_module, "BLOCK", 7)
    assert (predict(trained, data) - whole).abs().max() < TOLERANCE
    rows = [np.append(split.validation, split.test[:3]) for split in data.splits]
    some = predict(trained, data, rows)
    for replica, asked in enumerate(rows):
        assert (some[replica, asked] - whole[replica, asked]).abs().max() < TOLERANCE
        others = np.setdiff1d(np.arange(len(data.labels)), asked)
        assert some[replica, others].isnan().all()
