"""Joint heads against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Expert
from balmi.networks.fusion import FUSIONS, FusionShape, voters, weighted_logits

SHAPE = FusionShape(modalities=3, hidden=2, classes=2)
# One replica; samples with all modalities, with the first and the last, with one, and with none.
AVAILABLE = torch.tensor([[[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]]], dtype=torch.bool)
LOGITS = torch.tensor([[[1.0, 0.0], [3.0, -1.0], [8.0, 4.0]]] * 4, dtype=torch.float64)[None]
EMBEDDINGS = torch.tensor([[[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]]] * 4, dtype=torch.float64)[None]
NAMES = list(FUSIONS)


def generators(count=1):
    return [torch.Generator().manual_seed(place) for place in range(count)]


def head(name, importance=(1.0, 1.0, 1.0)):
    values = torch.tensor([importance], dtype=torch.float64)
    return FUSIONS[name](generators(), SHAPE, values)


def say(module, logits=LOGITS, embeddings=EMBEDDINGS, available=AVAILABLE):
    with torch.no_grad():
        return module(logits, embeddings, available, lambda hidden: hidden)[0]


def test_every_expert_that_is_a_head_has_one():
    assert set(FUSIONS) == {expert for expert in Expert if expert.is_head}


def test_mean_by_hand():
    expected = [[4.0, 1.0], [4.5, 2.0], [3.0, -1.0], [0.0, 0.0]]
    np.testing.assert_allclose(say(head("mean")), expected)


def test_the_mean_leaves_out_who_is_known_to_know_nothing():
    found = say(head("mean", (0.2, 0.0, 7.0)))
    # The second has no vote beside others, and the only one where it is alone.
    np.testing.assert_allclose(found, [[4.5, 2.0], [4.5, 2.0], [3.0, -1.0], [0.0, 0.0]])
    torch.testing.assert_close(say(head("mean", (0.0, 0.0, 0.0))), say(head("mean")))


def test_voters_by_hand():
    available = torch.tensor([[[1, 1], [0, 1], [1, 0], [0, 0]]] * 2, dtype=torch.bool)
    weights = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    expected = [[[2, 0], [0, 1], [2, 0], [0, 0]], [[1, 1], [0, 1], [1, 0], [0, 0]]]
    assert voters(weights, available).tolist() == expected


def test_information_by_hand():
    # Weights 1, 3 and 0: the third knows nothing, and counts only where nobody else is there.
    found = say(head("information", (1.0, 3.0, 0.0)))
    expected = [[(1 + 9) / 4, -3 / 4], [1.0, 0.0], [3.0, -1.0], [0.0, 0.0]]
    np.testing.assert_allclose(found, expected)
    only = torch.tensor([[[0, 0, 1]] * 4], dtype=torch.bool)
    alone = say(head("information", (1.0, 3.0, 0.0)), available=only)
    np.testing.assert_allclose(alone, [[8.0, 4.0]] * 4)


def test_information_is_the_mean_where_nobody_knows_anything():
    torch.testing.assert_close(say(head("information", (0.0, 0.0, 0.0))), say(head("mean")))


def test_gate_by_hand():
    module = head("gate")
    weights = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]
    biases = [0.0, 0.5, -2.0]
    with torch.no_grad():
        for layer, weight, bias in zip(module.scores, weights, biases, strict=True):
            layer.weight[0, :, 0] = torch.tensor(weight)
            layer.bias.fill_(bias)
    scores = np.array([1.0, -1.0 + 0.5, 3.0 - 2.0])
    logits = LOGITS[0, 0].numpy()
    found = say(module)
    for row, has in enumerate(AVAILABLE[0, :3].numpy()):
        share = np.exp(scores) * has
        np.testing.assert_allclose(found[row], share @ logits / share.sum(), rtol=1e-12)
    np.testing.assert_allclose(found[3], 0)


def test_gate_stands_scores_that_overflow():
    module = head("gate")
    with torch.no_grad():
        module.scores[0].bias.fill_(1e6)
        module.scores[1].bias.fill_(-1e6)
    found = say(module)
    np.testing.assert_allclose(found[0], LOGITS[0, 0, 0])
    np.testing.assert_allclose(found[2], LOGITS[0, 0, 1])


def test_concatenation_by_hand():
    module = head("concatenation")
    embedded, has = EMBEDDINGS[0].numpy(), AVAILABLE[0].numpy()
    inputs = np.hstack([(embedded * has[..., None]).reshape(4, 6), has])
    parts = [
        value[0].detach().numpy()
        for value in (module.hidden.weight, module.hidden.bias, module.top.weight, module.top.bias)
    ]
    expected = np.maximum(inputs @ parts[0] + parts[1], 0) @ parts[2] + parts[3]
    np.testing.assert_allclose(say(module), expected, rtol=1e-12)
    # 'absent' is told apart from 'there, and 0'.
    nothing = torch.zeros_like(EMBEDDINGS)
    there = say(module, embeddings=nothing, available=torch.ones_like(AVAILABLE))
    absent = say(module, embeddings=nothing, available=torch.zeros_like(AVAILABLE))
    assert (there - absent).abs().max() > 1e-3


def test_concatenation_drops_its_hidden_units():
    module = head("concatenation")
    with torch.no_grad():
        silent = module(LOGITS, EMBEDDINGS, AVAILABLE, torch.zeros_like)
    torch.testing.assert_close(silent, module.top.bias.detach().expand(1, 4, 2))


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32), bits=st.integers(0, 2**12 - 1))
def test_absent_modalities_have_no_say_and_all_is_finite(name, seed, bits):
    generator = torch.Generator().manual_seed(seed)
    flags = [(bits >> place) & 1 for place in range(12)]
    available = torch.tensor(flags, dtype=torch.bool).reshape(1, 4, 3)
    absent = ~available[..., None]
    logits = torch.randn(1, 4, 3, 2, generator=generator, dtype=torch.float64)
    embeddings = torch.randn(1, 4, 3, 2, generator=generator, dtype=torch.float64)
    module = head(name, (0.5, 0.0, 2.0))
    first = say(module, logits, embeddings, available)
    other = say(
        module, logits.masked_fill(absent, 1e9), embeddings.masked_fill(absent, -1e9), available
    )
    assert first.isfinite().all()
    torch.testing.assert_close(first, other)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_finite_where_a_sample_has_nothing(name):
    module = head(name)
    logits, embeddings = (part.clone().requires_grad_() for part in (LOGITS, EMBEDDINGS))
    module(logits, embeddings, AVAILABLE, lambda hidden: hidden).square().sum().backward()
    found = [logits.grad, embeddings.grad, *(p.grad for p in module.parameters())]
    assert all(grad.isfinite().all() for grad in found if grad is not None)


@pytest.mark.parametrize("name", NAMES)
def test_replicas_do_not_mix(name):
    importance = torch.tensor([[1.0, 2.0, 3.0], [3.0, 0.0, 1.0]], dtype=torch.float64)
    both = FUSIONS[name](generators(2), SHAPE, importance)
    second = FUSIONS[name](generators(2)[1:], SHAPE, importance[1:])
    doubled = [torch.cat([part, part + 1]) for part in (LOGITS, EMBEDDINGS)]
    available = torch.cat([AVAILABLE, AVAILABLE.flip(1)])
    with torch.no_grad():
        found = both(*doubled, available, lambda hidden: hidden)[1]
    expected = say(second, LOGITS + 1, EMBEDDINGS + 1, AVAILABLE.flip(1))
    torch.testing.assert_close(found, expected)


def test_weighted_logits_by_hand():
    weights = torch.tensor([[[1.0, 3.0, 0.0], [0.0, 0.0, 0.0], [0, 0, 0.2], [2, 2, 4]]])
    expected = [[2.5, -0.75], [0.0, 0.0], [8.0, 4.0], [5.0, 1.75]]
    np.testing.assert_allclose(weighted_logits(LOGITS, weights)[0], expected)
