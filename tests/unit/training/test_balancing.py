"""Balancing rules, each against one step computed by hand."""

import numpy as np
import pytest
import torch

from balmi.config.settings import Balancing, Training
from balmi.training.balancing import RULES, Importance, InformationRule

SETTINGS = Training(balancing_temperature=0.5, balancing_smoothing=0.8)


def importance(label, shared, p_value):
    return Importance(
        *(torch.tensor([row], dtype=torch.float64) for row in (label, shared, p_value))
    )


def test_information_rule_by_hand():
    rule = InformationRule(importance([0.8, 0.2], [0.4, 0.4], [0.02, 0.02]), SETTINGS)
    # g = (0.8 + 0.4) / 2, (0.2 + 0.4) / 2; before any score softmax(0) weighs alike
    first = rule.weights(None)
    torch.testing.assert_close(first, torch.tensor([[2 * 0.6 / 0.9, 2 * 0.3 / 0.9]]).double())
    raw = np.exp([-0.9 / 0.5, -0.5 / 0.5]) * [0.6, 0.3]
    new = 2 * raw / raw.sum()
    expected = 0.8 * first[0].numpy() + 0.2 * new
    second = rule.weights(torch.tensor([[0.9, 0.5]], dtype=torch.float64))
    np.testing.assert_allclose(second[0], expected, rtol=1e-12)


def test_a_score_that_could_not_be_taken_counts_as_the_mean_of_the_others():
    settings = SETTINGS.model_copy(update={"balancing_smoothing": 0.0})
    known = importance([0.5] * 3, [0.5] * 3, [0.02] * 3)
    scores = torch.tensor([[0.9, 0.5, np.nan], [np.nan, np.nan, np.nan]], dtype=torch.float64)
    both = Importance(*(torch.cat([part, part]) for part in vars(known).values()))
    weights = InformationRule(both, settings).weights(scores)
    raw = np.exp(np.array([-0.9, -0.5, -0.7]) / 0.5)
    np.testing.assert_allclose(weights[0], 3 * raw / raw.sum())
    np.testing.assert_allclose(weights[1], [1, 1, 1])


def test_the_null_gate_silences_an_uninformative_modality():
    rule = InformationRule(importance([0.8, 0.3], [0.4, 0.4], [0.02, 0.4]), SETTINGS)
    # by F1 alone the useless modality would get the larger weight
    weights = rule.weights(torch.tensor([[0.9, 0.1]], dtype=torch.float64))
    torch.testing.assert_close(weights, torch.tensor([[2.0, 0.0]]).double())


def test_without_any_informative_modality_all_weights_are_zero():
    rule = InformationRule(importance([0.0, 0.0], [0.0, 0.0], [0.5, 0.9]), SETTINGS)
    assert rule.weights(None).abs().sum() == 0


def test_information_that_could_not_be_measured_counts_as_none():
    rule = InformationRule(importance([np.nan, 0.5], [0.0, 0.0], [1.0, 0.02]), SETTINGS)
    torch.testing.assert_close(rule.weights(None), torch.tensor([[0.0, 2.0]]).double())


@pytest.mark.parametrize("balancing", list(Balancing))
@pytest.mark.parametrize("count", [1, 2, 5])
def test_weights_sum_to_the_number_of_modalities(balancing, count):
    generator = torch.Generator().manual_seed(count)
    label, shared = torch.rand(2, 3, count, generator=generator, dtype=torch.float64)
    rule = RULES[balancing](Importance(label, shared, torch.zeros(3, count)), SETTINGS)
    for scores in (None, torch.rand(3, count, generator=generator, dtype=torch.float64)):
        weights = rule.weights(scores)
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(dim=1), torch.full((3,), count).double())


def test_every_rule_of_the_configuration_exists():
    assert set(RULES) == set(Balancing)
