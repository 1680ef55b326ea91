"""Steps of AdamW against those of torch's own class."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import balmi
from balmi.networks.optimiser import AdamW

LIBRARY = Path(balmi.__file__).parents[1]
RATE, DECAY = 0.02, 0.1


def parameters():
    """Return parameters of two shapes, always the same."""
    source = torch.Generator().manual_seed(3)
    return [
        torch.nn.Parameter(torch.randn(*shape, generator=source)) for shape in ((4, 5), (2, 3, 4))
    ]


def loss(learned, number):
    """Return a loss of the parameters; the second has no gradient in every third step."""
    first, second = learned
    beside = 0 if number % 3 == 1 else (second - number).square().sum()
    return (first.sin() * (number + 1)).sum() + beside


def advance(learned, optimiser, steps):
    for number in steps:
        optimiser.zero_grad()
        loss(learned, number).backward()
        optimiser.step()


def test_steps_are_torchs_bit_by_bit():
    ours, theirs = parameters(), parameters()
    advance(ours, AdamW(ours, RATE, DECAY), range(12))
    torchs = torch.optim.AdamW(theirs, lr=RATE, weight_decay=DECAY, fused=True)
    advance(theirs, torchs, range(12))
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_the_first_step_by_hand():
    """At first both moments are the gradient's: the step is the rate, whatever the gradient."""
    (learned,) = [torch.nn.Parameter(torch.tensor([2.0, -1.0]))]
    optimiser = AdamW([learned], RATE, DECAY)
    (learned * torch.tensor([3.0, -7.0])).sum().backward()
    optimiser.step()
    expected = [2 * (1 - RATE * DECAY) - RATE, -1 * (1 - RATE * DECAY) + RATE]
    assert learned.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_loaded_state_goes_on_bit_by_bit():
    whole = parameters()
    optimiser = AdamW(whole, RATE, DECAY)
    advance(whole, optimiser, range(5))
    resumed = parameters()
    with torch.no_grad():
        for left, right in zip(resumed, whole, strict=True):
            left.copy_(right)
    other = AdamW(resumed, RATE, DECAY)
    other.load(optimiser.state)
    advance(whole, optimiser, range(5, 9))
    advance(resumed, other, range(5, 9))
    for left, right in zip(whole, resumed, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_a_step_without_any_gradient_changes_nothing():
    learned = parameters()
    AdamW(learned, RATE, DECAY).step()
    for left, right in zip(learned, parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_a_training_loads_no_compiler():
    """It takes two processor seconds in every job."""
    code = """
import sys, torch
from balmi.networks.optimiser import AdamW
learned = torch.nn.Parameter(torch.ones(2))
optimiser = AdamW([learned], .1, .1)
learned.sum().backward()
optimiser.step()
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=LIBRARY).returncode == 0
