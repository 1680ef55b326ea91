"""The replica-batched network against networks of plain torch layers."""

from dataclasses import replace

import pytest
import torch

from balmi.networks.layers import ReplicaLinear, select_replicas
from balmi.networks.network import Batch, ReplicaNetwork, Shape, drop, keep_units, propagate

SHAPE = Shape(
    modalities=("a", "b"),
    widths=((5, 5), (3, 3)),
    padded=(5, 3),
    classes=4,
    hidden=6,
    dropout=0.4,
    fusions=("mean", "concatenation"),
)


def batch(replicas=2, samples=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = [
        torch.randn(replicas, samples, width, generator=generator, dtype=torch.float64)
        for width, _ in SHAPE.widths
    ]
    available = torch.ones(replicas, samples, 2, dtype=torch.bool)
    available[:, 0, 1] = False
    return Batch(inputs, available)


def plain_logits(network, seen, replica, modality):
    encoder, head = network.encoders[modality], network.heads[modality]
    hidden = seen.inputs[modality][replica]
    for layer in (encoder.first, encoder.second):
        hidden = torch.relu(hidden @ layer.weight[replica] + layer.bias[replica])
    logits = hidden @ head.top.weight[replica] + head.top.bias[replica]
    if head.path is not None:
        values = seen.inputs[modality][replica]
        logits = logits + values @ head.path.weight[replica] + head.path.bias[replica]
    return logits


@pytest.mark.parametrize("linear_path", [False, True])
def test_logits_equal_plain_layers(linear_path):
    shape = replace(SHAPE, linear_path=linear_path)
    network = ReplicaNetwork(shape, seeds=(1, 2), dtype=torch.float64)
    for head in network.heads:
        if head.path is not None:
            torch.nn.init.uniform_(head.path.weight)
    seen = batch()
    logits = network(seen)
    for replica in range(2):
        for modality in range(2):
            expected = plain_logits(network, seen, replica, modality)
            torch.testing.assert_close(logits.unimodal[replica, :, modality], expected)
    assert logits.heads.shape == (2, 7, 4, 4)
    assert torch.equal(logits.heads[:, :, 2:], logits.joint)


def test_the_linear_path_starts_at_zero():
    plain = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    network = ReplicaNetwork(replace(SHAPE, linear_path=True), (1, 2), torch.float64)
    assert torch.equal(plain(batch()).heads, network(batch()).heads)
    assert not any(head.path.weight.any() or head.path.bias.any() for head in network.heads)


def test_heads_speak_in_the_order_of_their_names():
    other = replace(SHAPE, fusions=("concatenation", "mean"))
    joint = [
        ReplicaNetwork(shape, seeds=(1, 2), dtype=torch.float64)(batch()).joint
        for shape in (SHAPE, other)
    ]
    torch.testing.assert_close(joint[0], joint[1].flip(2))


def test_a_network_without_joint_heads_has_none():
    network = ReplicaNetwork(replace(SHAPE, fusions=()), (1, 2), torch.float64)
    found = network(batch())
    assert found.joint.shape == (2, 7, 0, 4)
    assert torch.equal(found.heads, found.unimodal)


def test_encoders_start_the_same_whatever_the_joint_heads():
    found = [
        ReplicaNetwork(replace(SHAPE, fusions=fusions), (1, 2))
        for fusions in ((), ("gate",), ("concatenation", "mean"))
    ]
    parts = [[*each.encoders.parameters(), *each.heads.parameters()] for each in found]
    assert all(
        torch.equal(a, b) for other in parts[1:] for a, b in zip(parts[0], other, strict=True)
    )


def test_heads_can_be_asked_of_other_modalities():
    """PriorKnowledge logits and embeddings are fused anew where fewer modalities are to be used."""
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    seen = batch()
    whole = network(seen)
    fewer = seen.available.clone()
    fewer[:, :, 0] = False
    expected = network(Batch(seen.inputs, fewer)).joint
    torch.testing.assert_close(
        network.fuse(whole.unimodal, whole.embeddings, fewer).joint, expected
    )


def test_an_absent_modality_does_not_change_the_joint_logits():
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    seen = batch()
    garbled = [values.clone() for values in seen.inputs]
    garbled[1][:, 0] = 1e6
    first, second = network(seen), network(Batch(garbled, seen.available))
    torch.testing.assert_close(first.joint, second.joint)


def test_initial_weights_do_not_depend_on_company():
    shape = replace(SHAPE, widths=((5, 4), (3, 3)))
    both = ReplicaNetwork(shape, seeds=(1, 2))
    one = replace(SHAPE, widths=((4,), (3,)), padded=(4, 3))
    alone = ReplicaNetwork(one, seeds=(2,))
    for together, single in zip(both.parameters(), alone.parameters(), strict=True):
        assert torch.equal(together[1:, : single.shape[1]], single)
        assert not together[1:, single.shape[1] :].any()


def test_initial_weights_lie_within_the_inverse_root_of_the_inputs():
    layer = ReplicaLinear(
        [torch.Generator().manual_seed(0)] * 2, (400, 100), 50, torch.float64, 400
    )
    largest = layer.weight.detach().abs().amax(dim=(1, 2))
    assert (
        (0.99 * torch.tensor([0.05, 0.1]) < largest) & (largest <= torch.tensor([0.05, 0.1]))
    ).all()
    zero = ReplicaLinear([torch.Generator()] * 2, (4, 4), 5, torch.float32, 4, zero=True)
    assert not zero.weight.any()
    assert zero.weight.dtype == torch.float32


def test_replicas_do_not_mix_in_gradients():
    network = ReplicaNetwork(
        replace(SHAPE, fusions=("gate", "concatenation")), (1, 2), torch.float64
    )
    network(batch()).joint[0].sum().backward()
    assert all(parameter.grad[1].abs().sum() == 0 for parameter in network.parameters())
    assert network.heads[0].top.weight.grad[0].abs().sum() > 0


def test_replicas_that_stay_say_what_they_said():
    network = ReplicaNetwork(
        replace(SHAPE, fusions=("information", "gate")),
        seeds=(1, 2),
        dtype=torch.float64,
        importance=torch.tensor([[1.0, 2.0], [5.0, 1.0]]),
    )
    seen, parameters = batch(), list(network.parameters())
    before = network(seen)
    before.joint.sum().backward()
    select_replicas(network, torch.tensor([1]))
    assert all(a is b for a, b in zip(network.parameters(), parameters, strict=True))
    assert all(parameter.grad is None for parameter in parameters)
    last = Batch([values[1:] for values in seen.inputs], seen.available[1:])
    torch.testing.assert_close(network(last).heads, before.heads[1:])


def test_propagation_equals_a_dense_product():
    dense = torch.rand(2, 3, 3, dtype=torch.float64)
    values = torch.rand(2, 3, 4, dtype=torch.float64)
    block = torch.block_diag(*dense).to_sparse()
    torch.testing.assert_close(propagate(block, values), dense @ values)
    assert propagate(None, values) is values


def test_dropout_by_hand():
    kept = keep_units(torch.tensor([0.1, 0.4, 0.9]), 0.4)
    torch.testing.assert_close(kept, torch.tensor([0.0, 1 / 0.6, 1 / 0.6]))
    torch.testing.assert_close(drop(torch.tensor([1.0, 2.0, 3.0]), kept), kept * torch.arange(1, 4))
    values = torch.ones(2)
    assert drop(values, None) is values


def test_without_dropout_noise_has_no_say():
    network = ReplicaNetwork(replace(SHAPE, dropout=0.0), (1, 2), torch.float64)
    noise = torch.zeros(2, 7, SHAPE.noise_columns, dtype=torch.float64)
    assert torch.equal(network(batch(), noise).heads, network(batch()).heads)


def test_noise_has_one_number_per_hidden_unit_and_layer():
    assert SHAPE.noise_columns == 6 * (2 * 2 + 2)
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    silent = network(batch(), torch.zeros(2, 7, SHAPE.noise_columns, dtype=torch.float64))
    # noise below the rate everywhere drops every hidden unit: only the heads' biases are left
    for modality in range(2):
        expected = network.heads[modality].top.bias.expand(2, 7, 4)
        torch.testing.assert_close(silent.unimodal[:, :, modality], expected)
    concatenation = network.fusions[1]
    torch.testing.assert_close(silent.joint[:, :, 1], concatenation.top.bias.expand(2, 7, 4))


def test_every_layer_has_noise_of_its_own():
    """Noise in one part of the columns drops the units of one layer, and of no other."""
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    seen, width = batch(), SHAPE.hidden
    noise = torch.ones(2, 7, SHAPE.noise_columns, dtype=torch.float64)
    whole = network(seen, noise)
    changes = []
    for part in range(6):
        other = noise.clone()
        other[:, :, part * width : (part + 1) * width] = 0
        found = network(seen, other)
        changes.append(
            [not torch.equal(found.heads[:, :, head], whole.heads[:, :, head]) for head in range(4)]
        )
    # Layers of `a`, layers of `b`, nothing for the mean, hidden units of the concatenation.
    a, b = [True, False, True, True], [False, True, True, True]
    assert changes == [a, a, b, b, [False] * 4, [False, False, False, True]]
