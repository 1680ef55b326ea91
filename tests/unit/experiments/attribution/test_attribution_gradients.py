"""Integrated gradients against networks whose attribution is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from given_inputs import Given
from hypothesis import given, settings
from hypothesis import strategies as st

from balmi.data.splits import Split
from balmi.experiments.attribution import gradients
from balmi.experiments.attribution.gradients import FoldLogits, attribute_fold, integrated_gradients
from balmi.networks.data import ReplicaData
from balmi.networks.layers import select_replicas
from balmi.networks.network import Batch, ReplicaNetwork, Shape

FUSIONS = ("mean", "concatenation", "gate")
WIDTHS = (5, 3)


def network_of(members=1, seed=0, classes=3, linear_path=False):
    shape = Shape(
        modalities=("rna", "mirna"),
        widths=tuple((width,) * members for width in WIDTHS),
        padded=WIDTHS,
        classes=classes,
        hidden=6,
        dropout=0.4,
        fusions=FUSIONS,
        linear_path=linear_path,
    )
    seeds = range(seed, seed + members)
    return ReplicaNetwork(shape, list(seeds), torch.float64).eval().requires_grad_(False)


def samples_of(count=7, seed=0, classes=3):
    """Return inputs, mask and labels; the first sample has both modalities, the second one."""
    generator = torch.Generator().manual_seed(seed)
    available = torch.rand(count, 2, generator=generator) < 0.7
    available[0] = True
    available[1] = torch.tensor([True, False])
    inputs = [
        torch.randn(count, width, generator=generator, dtype=torch.float64) * available[:, [place]]
        for place, width in enumerate(WIDTHS)
    ]
    return inputs, available, torch.randint(classes, (count,), generator=generator)


def linear_network():
    """Return a network whose logits are W x: encoders say nothing."""
    network = network_of(linear_path=True)
    for parameter in network.parameters():
        parameter.zero_()
    weights = torch.zeros(5, 3, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
    weights[0][0] = torch.tensor([3.0, 0.0, 0.0])
    weights[0][1] = torch.tensor([2.0, 2.0, 2.0])
    weights[1][2] = torch.tensor([0.0, -6.0, 0.0])
    for head, weight in zip(network.heads, weights, strict=True):
        head.path.weight.copy_(weight[None])
    return network


def test_attributions_of_a_linear_network_by_hand():
    inputs = [torch.zeros(2, width, dtype=torch.float64) for width in WIDTHS]
    inputs[0][:, 0], inputs[0][:, 1], inputs[1][0, 2] = 2.0, 5.0, 1.0
    available = torch.tensor([[True, True], [True, False]])
    logits = FoldLogits(linear_network(), 0)
    found = integrated_gradients(logits, inputs, available, torch.tensor([1, 0]), 8)
    # W less its mean over classes: feature 0 speaks for class 0 by 2 and against class 1 by 1, and
    # feature 1, which speaks for all classes alike, for none. With both modalities each has half.
    np.testing.assert_allclose(found[0][0], [2 * -1 / 2, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[1][0], [0, 0, 1 * -4 / 2], atol=1e-6)
    np.testing.assert_allclose(found[0][1], [2 * 2, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(found[1][1], 0)


@pytest.mark.parametrize("head", range(len(FUSIONS)))
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), members=st.integers(1, 3))
def test_attributions_add_up_to_the_difference_from_the_baseline(head, seed, members):
    logits = FoldLogits(network_of(members, seed), head)
    inputs, available, labels = samples_of(seed=seed)
    found = integrated_gradients(logits, inputs, available, labels, 200)
    at_sample = logits(*inputs, available)
    at_baseline = logits(*(torch.zeros_like(values) for values in inputs), available)
    expected = (at_sample - at_baseline).gather(1, labels[:, None])[:, 0]
    np.testing.assert_allclose(sum(each.sum(dim=1) for each in found), expected, atol=5e-3)


@pytest.mark.parametrize("head", range(len(FUSIONS)))
def test_what_a_sample_lacks_is_attributed_nothing(head):
    inputs, available, labels = samples_of()
    logits = FoldLogits(network_of(members=2), head)
    found = integrated_gradients(logits, inputs, available, labels, 16)
    for place, values in enumerate(found):
        assert (values[~available[:, place]] == 0).all()
        assert (values[available[:, place]] != 0).any()


def test_networks_together_are_attributed_the_mean_of_each_alone():
    inputs, available, labels = samples_of()
    together = integrated_gradients(FoldLogits(network_of(3), 1), inputs, available, labels, 16)
    alone = []
    for member in range(3):
        network = network_of(3)
        select_replicas(network, torch.tensor([member]))
        network.shape = replace(network.shape, widths=tuple((width,) for width in WIDTHS))
        logits = FoldLogits(network, 1)
        alone.append(integrated_gradients(logits, inputs, available, labels, 16))
    for place, values in enumerate(together):
        expected = torch.stack([each[place] for each in alone]).mean(dim=0)
        np.testing.assert_allclose(values, expected, atol=1e-9)


def test_logits_are_those_of_the_network_without_dropout_less_their_mean():
    network = network_of(2)
    inputs, available, _ = samples_of()
    batch = Batch([values.repeat(2, 1, 1) for values in inputs], available.repeat(2, 1, 1))
    joint = network(batch).joint[:, :, 2].mean(dim=0)
    found = FoldLogits(network, 2)(*inputs, available)
    np.testing.assert_allclose(found, joint - joint.mean(dim=1, keepdim=True), atol=1e-12)
    np.testing.assert_allclose(found.sum(dim=1), 0, atol=1e-12)


def test_small_batches_change_nothing(monkeypatch):
    inputs, available, labels = samples_of()
    logits = FoldLogits(network_of(2), 1)
    whole = integrated_gradients(logits, inputs, available, labels, 16)
    monkeypatch.setattr(gradients, "LARGEST_BATCH", 8 * 2 * 3 * len(labels))
    parts = integrated_gradients(logits, inputs, available, labels, 16)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_a_fold_counts_its_held_out_samples_and_its_own_features_only():
    inputs, available, _ = samples_of(count=6)
    labels = torch.tensor([0, 1, 0, 1, 2, 0])
    split = Split(0, 0, train=np.array([1, 4]), validation=np.array([5]), test=np.array([0, 2, 3]))
    data = ReplicaData(
        modalities=("rna", "mirna"),
        # Another fold stands first.
        inputs=tuple(Given(torch.stack([values + 9, values])) for values in inputs),
        available=available[None],
        labels=labels,
        classes=3,
        splits=(split,),
        folds=torch.tensor([1]),
        widths=((4,), (3,)),
        longest=2,
    )
    network = network_of()
    kept = {"rna": np.array([0, 2, 3, 8]), "mirna": np.array([1, 4, 5])}
    found = attribute_fold(network, 0, data, kept, 16)
    rows = torch.from_numpy(split.test)
    held_out = [values[rows] for values in inputs]
    each = integrated_gradients(FoldLogits(network, 0), held_out, available[rows], labels[rows], 16)
    assert found.samples.tolist() == [2, 1, 0]
    assert found.kept == kept
    for name, values in zip(data.modalities, each, strict=True):
        own = values[:, : len(kept[name])].numpy()
        np.testing.assert_allclose(
            found.size[name][:2], [np.abs(own[:2]).mean(axis=0), abs(own[2])]
        )
        np.testing.assert_allclose(found.signed[name][:2], [own[:2].mean(axis=0), own[2]])
