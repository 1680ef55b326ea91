"""The batched trainer against a sequential loop of plain torch, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from balmi.config.settings import Model, Training
from balmi.data.splits import Split
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.training.balancing import Importance, InformationRule, UniformRule
from balmi.training.data import ReplicaData, concatenated, training_views
from balmi.training.distillation import new_network
from balmi.training.losses import SoftTargets
from balmi.training.seeds import replica_seed
from balmi.training.trainer import Objective, macro_f1, predict, train

MODEL = Model(hidden=8, dropout=0.3)
SETTINGS = Training(epochs=12, patience=4, learning_rate=0.02, seed=5)
TOLERANCE = 1e-10


def silent(epoch, epochs, active):
    pass


def rule(data, kind=UniformRule):
    shape = (len(data.splits), len(data.modalities))
    generator = torch.Generator().manual_seed(1)
    label = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1
    return kind(Importance(label, label / 2, torch.zeros(shape)), SETTINGS)


def alone(data, replica):
    """Return the data of one replica, without the padding that its company needs."""
    widths = [each[replica] for each in data.widths]
    return ReplicaData(
        modalities=data.modalities,
        inputs=tuple(
            values[replica : replica + 1, :, : max(width, 1)]
            for values, width in zip(data.inputs, widths, strict=True)
        ),
        widths=tuple((width,) for width in widths),
        available=data.available[replica : replica + 1],
        labels=data.labels,
        classes=data.classes,
        splits=(data.splits[replica],),
        networks=data.networks and (data.networks[replica],),
    )


class Sequential:
    """One replica trained by plain torch layers, dense graph products and torch.optim."""

    def __init__(self, data, replica, settings, purpose, soft=None):
        self.data, self.replica, self.settings, self.soft = data, replica, settings, soft
        self.split = data.splits[replica]
        batched = new_network(alone(data, replica), MODEL, settings.seed, purpose)
        self.layers = []
        for encoder, head in zip(batched.encoders, batched.heads, strict=True):
            group = []
            for layer in (encoder.first, encoder.second, head):
                plain = torch.nn.Linear(*layer.weight.shape[1:], dtype=torch.float64)
                plain.weight.data = layer.weight[0].detach().T.clone()
                plain.bias.data = layer.bias[0, 0].detach().clone()
                group.append(plain)
            self.layers.append(group)
        seed = (settings.seed, self.split.repeat, self.split.fold)
        self.noise = torch.Generator().manual_seed(replica_seed(*seed, f"{purpose}/dropout"))
        self.network = torch.eye(len(data.labels), dtype=torch.float64)
        if data.networks is not None:
            self.network = torch.from_numpy(data.networks[replica].toarray())

    @property
    def parameters(self):
        return [p for group in self.layers for layer in group for p in layer.parameters()]

    def logits(self, rows, noisy):
        network = self.network[rows][:, rows]
        noise = None
        if noisy:
            count = 2 * MODEL.hidden * len(self.layers)
            noise = torch.rand(len(rows), count, generator=self.noise).double()
        result, at = [], 0
        for values, (first, second, head) in zip(self.data.inputs, self.layers, strict=True):
            hidden = network @ values[self.replica, rows][:, : first.in_features]
            for layer in (first, second):
                if layer is second:
                    hidden = network @ hidden
                hidden = torch.relu(layer(hidden))
                if noisy:
                    part = noise[:, at : at + MODEL.hidden]
                    hidden = hidden * (part >= MODEL.dropout) / (1 - MODEL.dropout)
                    at += MODEL.hidden
            result.append(head(hidden))
        return result

    def losses(self, rows, logits, counted):
        labels = self.data.labels[rows]
        train = self.data.labels[self.split.train]
        share = torch.bincount(train, minlength=self.data.classes).double() / len(train)
        weight = share**self.settings.class_weight_power
        weight = weight / (weight * share).sum()
        available = self.data.available[self.replica, rows]
        has = [available[:, m] for m in range(len(logits))]
        joint = torch.stack([one * mask[:, None] for one, mask in zip(logits, has, strict=True)])
        joint = joint.sum(0) / available.sum(1, keepdim=True).clamp(min=1)
        found = []
        for index, (one, mask) in enumerate(
            zip([*logits, joint], [*has, available.any(1)], strict=True)
        ):
            value = torch.nn.functional.cross_entropy(one, labels, reduction="none")
            if self.soft is not None and index == 0:
                share_soft = self.soft.strength[self.replica]
                kind = self.soft.temperature
                target = torch.softmax(self.soft.logits[self.replica, rows] / kind, 1)
                given = torch.log_softmax(one / kind, 1)
                kl = torch.nn.functional.kl_div(given, target, reduction="none").sum(1)
                value = (1 - share_soft) * value + share_soft * kind**2 * kl
            use = weight[labels] * mask * counted
            found.append((value * use).sum() / use.sum())
        return found, joint

    def run(self, weights_of, joint_weight=1.0):
        optimiser = torch.optim.AdamW(
            self.parameters,
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )
        rows, fit = self.split.train, self.split.fit
        held_out = torch.from_numpy(np.isin(fit, self.split.validation))
        best, kept, stale, f1 = np.inf, None, 0, None
        for _ in range(self.settings.epochs):
            weights = weights_of(f1)
            found, _ = self.losses(rows, self.logits(rows, True), torch.ones(len(rows)))
            total = sum(w * loss for w, loss in zip(weights, found[:-1], strict=True))
            optimiser.zero_grad()
            (total + joint_weight * found[-1]).backward()
            optimiser.step()
            with torch.no_grad():
                logits = self.logits(fit, False)
                soft, self.soft = self.soft, None
                found, _ = self.losses(fit, logits, held_out)
                self.soft = soft
                f1 = self._f1(fit, logits, held_out)
            if found[-1] < best:
                best, stale = float(found[-1]), 0
                kept = [p.detach().clone() for p in self.parameters]
            else:
                stale += 1
            if stale >= self.settings.patience:
                break
        with torch.no_grad():
            for parameter, value in zip(self.parameters, kept, strict=True):
                parameter.copy_(value)
            everything = np.arange(len(self.data.labels))
            logits = self.logits(everything, False)
            return self.losses(everything, logits, torch.ones(len(everything)))[1]

    def _f1(self, rows, logits, counted):
        scores = []
        for modality, one in enumerate(logits):
            mask = (counted & self.data.available[self.replica, rows, modality]).numpy()
            truth = self.data.labels[rows].numpy()[mask]
            scores.append(f1_score(truth, one.argmax(1).numpy()[mask], average="macro"))
        return torch.tensor([scores], dtype=torch.float64)


@pytest.mark.parametrize("kind", [UniformRule, InformationRule])
@pytest.mark.parametrize("source", ["data", "graph_data"])
def test_all_replicas_at_once_equal_a_sequential_loop(source, kind, request):
    data = request.getfixturevalue(source)
    network = new_network(data, MODEL, SETTINGS.seed, "test")
    history = train(network, data, Objective(rule(data, kind)), SETTINGS, "test", silent)
    batched = predict(network, data)[:, :, -1]
    assert len(history) > SETTINGS.patience
    for replica in range(len(data.splits)):
        sequential = Sequential(data, replica, SETTINGS, "test")
        known = rule(data, kind)
        importance = getattr(known, "_importance", torch.ones(len(data.splits), 4))
        single = kind(
            Importance(*[importance[replica : replica + 1]] * 2, torch.zeros(1, 4)), SETTINGS
        )
        expected = sequential.run(lambda f1, single=single: single.weights(f1)[0])
        assert (batched[replica] - expected).abs().max() < TOLERANCE


def test_distillation_equals_a_sequential_loop(data):
    own = data.only("weak")
    generator = torch.Generator().manual_seed(0)
    soft = SoftTargets(
        logits=torch.randn(3, len(data.labels), 3, generator=generator, dtype=torch.float64),
        taught=torch.ones(3, len(data.labels), dtype=torch.bool),
        strength=torch.tensor([0.0, 0.4, 0.7], dtype=torch.float64),
        temperature=2.0,
    )
    network = new_network(own, MODEL, SETTINGS.seed, "kd")
    objective = Objective(rule(own), joint_weight=0.0, soft=soft)
    train(network, own, objective, SETTINGS, "kd", silent)
    batched = predict(network, own)[:, :, 0]
    has = own.available[0, :, 0]
    for replica in range(3):
        sequential = Sequential(own, replica, SETTINGS, "kd", soft)
        expected = sequential.run(lambda f1: torch.ones(1), joint_weight=0.0)
        assert (batched[replica] - expected)[has].abs().max() < TOLERANCE


@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_replica_alone_equals_itself_in_company(data, batch_size):
    settings = SETTINGS.model_copy(update={"batch_size": batch_size})
    network = new_network(data, MODEL, settings.seed, "test")
    train(network, data, Objective(rule(data)), settings, "test", silent)
    together = predict(network, data)
    longest = int(np.argmax([len(split.train) for split in data.splits]))
    single = alone(data, longest)
    network = new_network(single, MODEL, settings.seed, "test")
    train(network, single, Objective(rule(single)), settings, "test", silent)
    assert (predict(network, single)[0] - together[longest]).abs().max() < TOLERANCE


@pytest.mark.parametrize("joined", [False, True])
def test_replicas_of_other_widths_do_not_matter(data, joined):
    assert len(set(data.widths[0])) > 1
    first = concatenated(data) if joined else data
    network = new_network(first, MODEL, SETTINGS.seed, "test")
    train(network, first, Objective(rule(first)), SETTINGS, "test", silent)
    together = predict(network, first)
    for replica in range(3):
        single = concatenated(alone(data, replica)) if joined else alone(data, replica)
        network = new_network(single, MODEL, SETTINGS.seed, "test")
        train(network, single, Objective(rule(single)), SETTINGS, "test", silent)
        assert (predict(network, single)[0] - together[replica]).abs().max() < TOLERANCE


def test_a_modality_without_validation_samples_keeps_its_latest_parameters(data):
    own = data.only("weak")
    available = own.available.clone()
    available[1, data.splits[1].validation] = False
    lacking = replace(own, available=available)
    network = new_network(lacking, MODEL, SETTINGS.seed, "test")
    history = train(network, lacking, Objective(rule(lacking)), SETTINGS, "test", silent)
    ends = [sum(bool(epoch.active[replica]) for epoch in history) for replica in range(3)]
    assert ends[1] == SETTINGS.patience
    assert history[0].validation_losses[1].isnan().all()
    assert history[0].macro_f1[1].isnan().all()
    assert history[0].macro_f1[0].isfinite().all()
    for replica in (0, 1):
        start = new_network(lacking, MODEL, SETTINGS.seed, "test").heads[0].weight[replica]
        assert (network.heads[0].weight[replica] - start).abs().max() > 1e-3


def test_two_runs_are_bit_equal(data):
    found = []
    for _ in range(2):
        network = new_network(data, MODEL, SETTINGS.seed, "test")
        train(network, data, Objective(rule(data)), SETTINGS, "test", silent)
        found.append(predict(network, data))
    assert torch.equal(*found)


def test_test_samples_have_no_say(data):
    """Garbling labels and features of test samples changes nothing that was learned."""
    split = data.splits[1]
    single = alone(data, 1)
    labels = single.labels.clone()
    labels[split.test] = (labels[split.test] + 1) % single.classes
    inputs = []
    for values in single.inputs:
        changed = values.clone()
        changed[:, split.test] = 100.0
        inputs.append(changed)
    garbled = replace(single, inputs=tuple(inputs), labels=labels)
    learned = []
    for each in (single, garbled):
        network = new_network(each, MODEL, SETTINGS.seed, "test")
        train(network, each, Objective(rule(each)), SETTINGS, "test", silent)
        learned.append([parameter.detach() for parameter in network.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*learned, strict=True))


def test_minibatches_cover_every_training_sample_once(data):
    generators = [torch.Generator().manual_seed(i) for i in range(3)]
    epochs = training_views(data, 8, generators)
    orders = []
    for _ in range(2):
        steps = list(next(epochs))
        for replica, split in enumerate(data.splits):
            rows = torch.cat([seen.rows[replica][seen.counted[replica]] for seen in steps])
            assert np.array_equal(np.sort(rows.numpy()), split.train)
        orders.append(torch.cat([seen.rows[0] for seen in steps]))
    assert not torch.equal(*orders)


def test_macro_f1_equals_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (4, 20), generator=generator)
    predicted = torch.randint(0, 4, (4, 20), generator=generator)
    counted = torch.rand(4, 20, generator=generator) < 0.6
    for replica, score in enumerate(macro_f1(predicted, labels, counted, 5)):
        mask = counted[replica]
        expected = f1_score(
            labels[replica][mask], predicted[replica][mask], average="macro", zero_division=0
        )
        assert score == pytest.approx(expected)


def test_a_loss_that_is_not_finite_fails_with_its_epoch(data):
    inputs = tuple(values.clone() for values in data.inputs)
    inputs[0][1, data.splits[1].train[0]] = torch.inf
    broken = replace(data, inputs=inputs)
    network = new_network(broken, MODEL, 0, "test")
    with pytest.raises(MethodFailed, match="not finite in epoch 1 of test"):
        train(network, broken, Objective(rule(broken)), SETTINGS, "test", silent)


def test_a_replica_without_validation_samples_is_not_applicable(data):
    split = data.splits[0]
    lacking = Split(0, 0, split.fit, split.fit[:0], split.test)
    single = alone(data, 0)
    broken = replace(single, splits=(lacking,))
    network = new_network(broken, MODEL, 0, "test")
    with pytest.raises(MethodNotApplicable, match="fewer than 2 members"):
        train(network, broken, Objective(rule(broken)), SETTINGS, "test", silent)


def test_progress_is_told_every_epoch(data):
    calls = []
    network = new_network(data, MODEL, 0, "test")
    history = train(
        network, data, Objective(rule(data)), SETTINGS, "test", lambda *call: calls.append(call)
    )
    assert [epoch for epoch, _, _ in calls] == list(range(1, len(history) + 1))
    assert {epochs for _, epochs, _ in calls} == {SETTINGS.epochs}
    shares = torch.stack([epoch.gradient_share for epoch in history])
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(shares.shape[:2]).double())
