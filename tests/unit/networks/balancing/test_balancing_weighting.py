"""Rules that weigh the losses, each against numbers computed by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from balancing_driver import Driver

from balmi.config.settings import Balancing, Training
from balmi.networks.balancing import PriorKnowledge
from balmi.networks.balancing.weighting import (
    GradientBlendingRule,
    InformationRule,
    InverseRule,
    UniformRule,
    gradnorm_slope,
)

SETTINGS = Training(balancing_temperature=0.5, balancing_smoothing=0.8)


def double(rows):
    return torch.tensor(rows, dtype=torch.float64)


def known(label, shared, p_value):
    return PriorKnowledge(*(double([row]) for row in (label, shared, p_value)), classes=3, hidden=4)


def scored(*rows):
    """Return an epoch with macro-F1; the joint head's does not count."""
    return SimpleNamespace(macro_f1=double([[*row, 0.99] for row in rows]))


def begin(rule, last=None):
    rule.begin_epoch(last)
    return rule.weight.clone()


def test_uniform_minimises_the_plain_sum(case):
    driver = Driver(case, Balancing.UNIFORM, joint_weight=0.5)
    step, loss, _ = driver.gradients()
    losses = step.losses.detach().numpy()
    np.testing.assert_allclose(loss, losses[:, :3].sum(1) + 0.5 * losses[:, 3:].sum(1))
    assert (begin(UniformRule(known([1.0], [1.0], [0.5]), SETTINGS)) == 1).all()


def test_weights_multiply_the_unimodal_losses(case):
    driver = Driver(case, Balancing.INFORMATION, joint_weight=2)
    driver.rule.begin_epoch(None)
    step, loss, _ = driver.gradients()
    losses, weight = step.losses.detach().numpy(), driver.rule.weight.numpy()
    assert np.ptp(weight) > 0.1
    expected = (weight * losses[:, :3]).sum(1) + 2 * losses[:, 3:].sum(1)
    np.testing.assert_allclose(loss, expected)


def test_information_rule_by_hand():
    rule = InformationRule(known([0.8, 0.2], [0.4, 0.4], [0.02, 0.02]), SETTINGS)
    # g = (0.8 + 0.4) / 2, (0.2 + 0.4) / 2
    first = begin(rule)
    torch.testing.assert_close(first, double([[2 * 0.6 / 0.9, 2 * 0.3 / 0.9]]))
    raw = np.exp([-0.9 / 0.5, -0.5 / 0.5]) * [0.6, 0.3]
    expected = 0.8 * first[0].numpy() + 0.2 * 2 * raw / raw.sum()
    np.testing.assert_allclose(begin(rule, scored([0.9, 0.5]))[0], expected, rtol=1e-12)


def test_a_score_that_could_not_be_taken_counts_as_the_mean_of_the_others():
    settings = SETTINGS.model_copy(update={"balancing_smoothing": 0.0})
    one = known([0.5] * 3, [0.5] * 3, [0.02] * 3)
    parts = [torch.cat([part, part]) for part in (one.label, one.shared, one.p_value)]
    rule = InformationRule(PriorKnowledge(*parts, classes=3, hidden=4), settings)
    weights = begin(rule, scored([0.9, 0.5, np.nan], [np.nan, np.nan, np.nan]))
    raw = np.exp(np.array([-0.9, -0.5, -0.7]) / 0.5)
    np.testing.assert_allclose(weights[0], 3 * raw / raw.sum())
    np.testing.assert_allclose(weights[1], [1, 1, 1])


def test_the_null_gate_silences_an_uninformative_modality():
    rule = InformationRule(known([0.8, 0.3], [0.4, 0.4], [0.02, 0.4]), SETTINGS)
    rule.begin_epoch(None)
    # by F1 alone the useless modality would get the larger weight
    torch.testing.assert_close(begin(rule, scored([0.9, 0.1])), double([[2.0, 0.0]]))


def test_without_any_informative_modality_all_weights_are_zero():
    rule = InformationRule(known([0.0, 0.0], [0.0, 0.0], [0.5, 0.9]), SETTINGS)
    assert begin(rule).count_nonzero() == 0
    assert begin(rule, scored([0.9, 0.1])).count_nonzero() == 0


def test_information_that_could_not_be_measured_counts_as_none():
    rule = InformationRule(known([np.nan, 0.5], [np.nan, 0.0], [1.0, 0.02]), SETTINGS)
    torch.testing.assert_close(begin(rule), double([[0.0, 2.0]]))


def test_inverse_favours_the_strong_by_hand():
    rule = InverseRule(known([0.1, 0.9], [0.0, 0.0], [0.9, 0.9]), SETTINGS)
    torch.testing.assert_close(begin(rule), double([[1.0, 1.0]]))
    raw = np.exp([0.9 / 0.5, 0.5 / 0.5])
    expected = 0.8 + 0.2 * 2 * raw / raw.sum()
    found = begin(rule, scored([0.9, 0.5]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found[0] > found[1]


def blended(start, end, joint_weight=1.0, shape=2):
    """Return the rule after one super-epoch that went from `start` to `end`.

    Both are (training losses, validation losses).
    """
    settings = SETTINGS.model_copy(update={"joint_weight": joint_weight})
    rule = GradientBlendingRule(known([1.0] * shape, [1.0] * shape, [0.5] * shape), settings)
    between = ([9.0] * len(start[0]), [9.0] * len(start[1]))
    assert (begin(rule) == 1).all()
    for losses, held_out in [start, *[between] * 4, end]:
        assert (rule.weight == 1).all()
        rule.begin_epoch(
            SimpleNamespace(losses=double([losses]), validation_losses=double([held_out]))
        )
    return rule


def test_gradient_blending_by_hand():
    rule = blended(
        ([1.0, 1.0, 1.0, 1.2], [1.2, 1.2, 1.3, 1.5]), ([0.5, 0.4, 0.4, 0.6], [0.9, 1.0, 0.8, 1.0])
    )
    # G = .3, .2, and .5 of the mean joint loss; O = .2, .4, .1
    raw = np.array([0.3 / 0.04, 0.2 / 0.16, 0.5 / 0.01])
    size = np.array([1, 1, 2])
    expected = 4 * raw / (size * raw).sum()
    np.testing.assert_allclose(rule.weight[0], expected[:2], rtol=1e-9)
    np.testing.assert_allclose(rule.joint[0], expected[2:], rtol=1e-9)
    losses = double([[0.7, 0.6, 0.5, 0.4]])
    step = SimpleNamespace(losses=losses)
    total = expected @ [0.7, 0.6, 0.5 + 0.4]
    np.testing.assert_allclose(rule.loss(step), [total])


def test_gradient_blending_weighs_nothing_that_does_not_generalise():
    rule = blended(([1.0] * 4, [1.0] * 4), ([0.9, 0.9, 0.7, 0.9], [0.9, 1.1, 0.9, np.nan]), shape=3)
    # O of the first head is 0 and taken as .05; the joint head counts as the mean of the others
    raw = np.array([0.1 / 0.05**2, 0.0, 0.1 / 0.2**2])
    raw = np.append(raw, raw.mean())
    np.testing.assert_allclose(rule.weight[0], 4 * raw[:3] / raw.sum(), atol=1e-12)
    np.testing.assert_allclose(rule.joint[0], 4 * raw[3:] / raw.sum())


def test_gradient_blending_stays_where_no_head_generalises():
    rule = blended(([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]), ([0.5, 0.5, 0.5], [1.1, 1.2, 1.3]))
    assert (rule.weight == 1).all()
    assert (rule.joint == 1).all()


@pytest.mark.parametrize(("joint_weight", "columns"), [(0.0, 3), (1.0, 2)])
def test_gradient_blending_leaves_out_joint_heads_that_do_not_train(joint_weight, columns):
    start = ([1.0] * columns, [1.2] * columns)
    end = ([0.5, 0.4, 0.1][:columns], [0.9, 1.0, 0.3][:columns])
    rule = blended(start, end, joint_weight)
    raw = np.array([0.3 / 0.04, 0.2 / 0.16])
    np.testing.assert_allclose(rule.weight[0], 2 * raw / raw.sum(), rtol=1e-9)


def test_gradnorm_by_hand(case):
    driver = Driver(case, Balancing.GRADNORM, balancing_strength=1.5)
    driver.rule.weight = double([[0.5, 1.0, 1.5], [2.0, 0.8, 0.2]])
    with torch.no_grad():
        driver.rule.learned.copy_(driver.rule.weight)
    step, loss, _ = driver.gradients()
    losses, weight = step.losses.detach().numpy(), driver.rule.weight.numpy()
    np.testing.assert_allclose(loss, (weight * losses[:, :3]).sum(1) + losses[:, 3:].sum(1))
    again = driver.look()
    for replica in range(2):
        norms = []
        for index in range(3):
            layer = driver.network.encoders[index].second.weight
            (gradient,) = torch.autograd.grad(
                again.losses[replica, index], layer, retain_graph=True
            )
            norms.append(np.sqrt((gradient[replica].numpy() ** 2).sum()))
        weighted = weight[replica] * norms
        rate = losses[replica, :3] / np.log(3)
        rate = rate / rate.mean()
        target = weighted.mean() * rate**1.5
        expected = np.sign(weighted - target) * norms
        np.testing.assert_allclose(driver.rule.learned.grad[replica], expected, rtol=1e-9)


def test_gradnorm_slope_of_numbers():
    weight, norms = double([[1.0, 1.0, 1.0]] * 2), double([[2.0, 1.0, 3.0], [2.0, 1.0, 9.0]])
    losses, counted = double([[1.0, 3.0, 2.0]] * 2), torch.tensor([[1, 1, 1], [1, 1, 0]]).bool()
    # mean norm 2, rates .5, 1.5 and 1; targets 1, 3, 2 with alpha = 1, and 1.41, 2.45, 2 with .5
    found = gradnorm_slope(weight, norms, losses, counted, 1.0)
    assert found[0].tolist() == [2.0, -1.0, 3.0]
    # without the third: mean norm 1.5, the same rates: targets .75, 2.25
    assert found[1, :2].tolist() == [2.0, -1.0]
    # alpha = 0: every target is the mean 2; the first is on it
    assert gradnorm_slope(weight, norms, losses, counted, 0.0)[0].tolist() == [0.0, -1.0, 3.0]
    # the first norm, 1.2, lies between its targets 2 * .5^.5 and 2 * .5^2
    norms = double([[1.2, 1.9, 2.9]])
    first = [gradnorm_slope(weight[:1], norms, losses[:1], counted[:1], a)[0, 0] for a in (0.5, 2)]
    assert first == [-1.2, 1.2]


def test_gradnorm_steps_to_weights_that_sum_to_the_number_of_modalities(case):
    driver = Driver(case, Balancing.GRADNORM)
    with torch.no_grad():
        driver.rule.learned.copy_(double([[3.0, -1.0, 1.0], [1.0, 2.0, 3.0]]))
    driver.rule.end_step(driver.look())
    first = np.array([3.0, 0.01, 1.0])
    np.testing.assert_allclose(driver.rule.weight[0], 3 * first / first.sum())
    np.testing.assert_allclose(driver.rule.weight[1], [0.5, 1.0, 1.5])


def test_gradnorm_holds_back_the_modality_whose_gradient_is_too_large(case):
    driver = Driver(case, Balancing.GRADNORM, balancing_strength=0)
    driver.take()
    # with alpha = 0 all norms are to be alike, so that the largest one's weight falls
    first = driver.rule.weight
    assert (driver.rule.learned.grad.argmax(dim=1) == first.argmin(dim=1)).all()
    assert (first.std(dim=1) > 0).all()


def test_kendall_by_hand(case):
    driver = Driver(case, Balancing.KENDALL, joint_weight=0.5)
    spread = np.array([[0.1, -0.2, 0.3, 0.4], [0.0, 0.0, 1.0, -1.0]])
    with torch.no_grad():
        driver.rule.log_variance.copy_(double(spread.tolist()))
    step, loss, _ = driver.gradients()
    losses, factor = step.losses.detach().numpy(), np.exp(-spread)
    unimodal = (factor[:, :3] * losses[:, :3] + spread[:, :3] / 2).sum(1)
    joint = 0.5 * (factor[:, 3] * losses[:, 3:].sum(1) + 2 * spread[:, 3] / 2)
    np.testing.assert_allclose(loss, unimodal + joint)
    slope = np.empty_like(spread)
    slope[:, :3] = 0.5 - factor[:, :3] * losses[:, :3]
    slope[:, 3] = 0.5 * (1 - factor[:, 3] * losses[:, 3:].sum(1))
    np.testing.assert_allclose(driver.rule.log_variance.grad, slope)
    driver.rule.end_step(step)
    np.testing.assert_allclose(driver.rule.weight, factor[:, :3])


def test_kendall_leaves_the_variance_of_an_absent_modality(case):
    driver = Driver(case.without(1), Balancing.KENDALL)
    driver.gradients()
    assert (driver.rule.log_variance.grad[:, 1] == 0).all()
