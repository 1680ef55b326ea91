"""The replica-batched network against networks of plain torch layers."""

from dataclasses import replace

import pytest
import torch

from balmi.models.network import Batch, ReplicaNetwork, Shape, drop, mean_logits, propagate

SHAPE = Shape(modalities=("a", "b"), widths=((5, 5), (3, 3)), classes=4, hidden=6, dropout=0.4)


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
    return hidden @ head.weight[replica] + head.bias[replica]


def test_logits_equal_plain_layers():
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    seen = batch()
    logits = network(seen)
    for replica in range(2):
        for modality in range(2):
            expected = plain_logits(network, seen, replica, modality)
            torch.testing.assert_close(logits.unimodal[replica, :, modality], expected)


def test_joint_logits_are_the_mean_of_what_is_available():
    unimodal = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]], [[1.0, 3.0], [5.0, 7.0]]]])
    available = torch.tensor([[[True, True], [True, False]]])
    expected = torch.tensor([[[3.0, 5.0], [1.0, 3.0]]])
    torch.testing.assert_close(mean_logits(unimodal, available), expected)


def test_a_sample_without_modalities_has_logits_of_zero():
    available = torch.zeros(1, 1, 2, dtype=torch.bool)
    assert mean_logits(torch.ones(1, 1, 2, 3), available).abs().sum() == 0


def test_an_absent_modality_does_not_change_the_joint_logits():
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    seen = batch()
    garbled = [values.clone() for values in seen.inputs]
    garbled[1][:, 0] = 1e6
    first, second = network(seen), network(Batch(garbled, seen.available))
    torch.testing.assert_close(first.joint, second.joint)


def test_initial_weights_do_not_depend_on_company():
    both = ReplicaNetwork(replace(SHAPE, widths=((5, 4), (3, 3))), seeds=(1, 2))
    alone = ReplicaNetwork(replace(SHAPE, widths=((4,), (3,))), seeds=(2,))
    for together, single in zip(both.parameters(), alone.parameters(), strict=True):
        assert torch.equal(together[1:, : single.shape[1]], single)
        assert not together[1:, single.shape[1] :].any()


def test_replicas_do_not_mix_in_gradients():
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    network(batch()).joint[0].sum().backward()
    assert all(parameter.grad[1].abs().sum() == 0 for parameter in network.parameters())
    assert network.heads[0].weight.grad[0].abs().sum() > 0


def test_propagation_equals_a_dense_product():
    dense = torch.rand(2, 3, 3, dtype=torch.float64)
    values = torch.rand(2, 3, 4, dtype=torch.float64)
    block = torch.block_diag(*dense).to_sparse()
    torch.testing.assert_close(propagate(block, values), dense @ values)
    assert propagate(None, values) is values


@pytest.mark.parametrize(("rate", "expected"), [(0.0, [1.0, 1.0]), (0.4, [0.0, 1 / 0.6])])
def test_dropout_by_hand(rate, expected):
    noise = torch.tensor([0.1, 0.4])
    torch.testing.assert_close(drop(torch.ones(2), noise, rate), torch.tensor(expected))


def test_noise_has_one_number_per_hidden_unit_and_layer():
    assert SHAPE.noise_columns == 2 * 6 * 2
    network = ReplicaNetwork(SHAPE, seeds=(1, 2), dtype=torch.float64)
    silent = network(batch(), torch.zeros(2, 7, SHAPE.noise_columns, dtype=torch.float64))
    # noise below the rate everywhere drops every hidden unit: only the heads' biases are left
    for modality in range(2):
        expected = network.heads[modality].bias.expand(2, 7, 4)
        torch.testing.assert_close(silent.unimodal[:, :, modality], expected)
