"""Losses against values computed by hand."""

import numpy as np
import pytest
import torch

from balmi.networks.losses import (
    class_weights,
    cross_entropy,
    distillation_divergence,
    log_frequencies,
    weighted_mean,
)


def test_class_weights_by_hand():
    labels = torch.tensor([0, 0, 0, 0, 1, 2])
    counted = torch.tensor([[True, True, True, True, True, False]])
    # shares .8 and .2; to the power -1/2: 1.118 and 2.236; their mean over samples is 1.3416
    weights = class_weights(labels, counted, 3, -0.5)
    mean = 0.8 * 0.8**-0.5 + 0.2 * 0.2**-0.5
    expected = [0.8**-0.5 / mean, 0.2**-0.5 / mean, 0.0]
    np.testing.assert_allclose(weights[0], expected, rtol=1e-12)


def test_class_weights_of_power_zero_are_one():
    weights = class_weights(torch.tensor([0, 1, 1]), torch.ones(1, 3, dtype=torch.bool), 2, 0.0)
    torch.testing.assert_close(weights, torch.ones(1, 2).double())


def test_log_frequencies_by_hand():
    labels = torch.tensor([0, 0, 0, 1, 2])
    counted = torch.tensor([[True, True, True, True, False], [False, False, True, True, True]])
    found = log_frequencies(labels, counted, 3)
    expected = np.log([[0.75, 0.25, 1.0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_cross_entropy_by_hand():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    value = cross_entropy(logits, torch.tensor([1]))
    assert value.item() == pytest.approx(np.log(4), rel=1e-6)


def test_weighted_mean_by_hand_and_without_weight():
    values = torch.tensor([[1.0, 4.0], [1.0, 4.0]])
    weights = torch.tensor([[3.0, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(weighted_mean(values, weights), torch.tensor([1.75, 0.0]))


def test_distillation_divergence_by_hand():
    teacher, student = np.array([2.0, 0.0]), np.array([0.0, 0.0])
    soft = np.exp(teacher / 2) / np.exp(teacher / 2).sum()
    expected = 4 * (soft * np.log(soft / 0.5)).sum()
    value = distillation_divergence(torch.from_numpy(student), torch.from_numpy(teacher), 2.0)
    assert value.item() == pytest.approx(expected)


def test_distillation_divergence_is_zero_for_equal_logits_and_positive_otherwise():
    logits = torch.tensor([[1.0, -2.0, 0.3]])
    assert distillation_divergence(logits, logits + 5, 2.0).abs().max() < 1e-6
    assert distillation_divergence(-logits, logits, 2.0) > 0
