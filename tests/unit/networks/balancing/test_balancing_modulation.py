"""Rules that change gradients, each against numbers computed by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from balancing_driver import Driver, make_case
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Balancing
from balmi.networks.balancing.hashing import hashed_normals
from balmi.networks.balancing.modulation import (
    deviation,
    joining_steps,
    mono_modal_responses,
    own_entries,
    pareto_shares,
)
from balmi.networks.network import Outputs


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def mean_confidence(logits, step):
    """Return the mean over samples that have the modality of what `logits` give the true class."""
    available, labels = step.seen.batch.available.numpy(), step.seen.labels.numpy()
    found = np.zeros(available.shape[::2])
    for replica, modality in np.ndindex(found.shape):
        rows = np.flatnonzero(available[replica, :, modality])
        chosen = softmax(logits[replica, rows, modality])[
            np.arange(len(rows)), labels[replica, rows]
        ]
        found[replica, modality] = chosen.mean()
    return found


def ratios_by_hand(confidence):
    others = (confidence.sum(1, keepdims=True) - confidence) / (confidence.shape[1] - 1)
    return confidence / others


def plain_gradients(driver, **settings):
    """Return what the same step leaves without a rule."""
    uniform = Driver(driver.case, Balancing.UNIFORM, **settings)
    uniform.network.load_state_dict(driver.network.state_dict())
    return uniform.gradients()[2]


def check_scaled(found, plain, factors, prefixes):
    for name, gradient in plain.items():
        part, index = name.split(".")[:2]
        expected = gradient
        if part in prefixes:
            expected = gradient * torch.from_numpy(factors[:, int(index)])[:, None, None]
        torch.testing.assert_close(found[name], expected, msg=name)


def test_ogm_by_hand(case):
    driver = Driver(case, Balancing.OGM, balancing_strength=0.3)
    step, _, found = driver.gradients()
    ratio = ratios_by_hand(mean_confidence(step.outputs.unimodal.detach().numpy(), step))
    factors = np.where(ratio > 1, 1 - np.tanh(0.3 * ratio), 1.0)
    assert (factors < 1).any(axis=1).all()
    check_scaled(found, plain_gradients(driver), factors, {"encoders"})


def test_ogm_of_numbers(case):
    driver = Driver(case, Balancing.OGM, balancing_strength=0.5)
    step = driver.look()
    # true-class probabilities .8, .4 and .2 in every sample
    wanted = torch.tensor([0.8, 0.4, 0.2]).double().expand(2, 12, 3)
    label = torch.nn.functional.one_hot(step.seen.labels, 3).unsqueeze(2)
    logits = torch.where(label > 0, wanted.unsqueeze(3), (1 - wanted).unsqueeze(3) / 2).log()
    outputs = Outputs(logits, step.outputs.joint, step.outputs.embeddings)
    factors = driver.rule.factors(replace(step, outputs=outputs))
    expected = [1 - np.tanh(0.5 * 0.8 / 0.3), 1, 1]
    np.testing.assert_allclose(factors, [expected, expected], rtol=1e-12)


def test_ogm_ge_adds_noise_as_large_as_the_gradient_was(case):
    driver = Driver(case, Balancing.OGM_GE, balancing_strength=0.3)
    _, _, found = driver.gradients()
    scaled = Driver(case, Balancing.OGM, balancing_strength=0.3).gradients()[2]
    plain = plain_gradients(driver)
    stream = 0
    for index, encoder in enumerate(driver.network.encoders):
        for name in dict(encoder.named_parameters()):
            stream += 1
            key = f"encoders.{index}.{name}"
            normals = hashed_normals(driver.rule.keys, stream, *plain[key].shape[1:]).numpy()
            for replica in range(2):
                own = case.shape.widths[index][replica] if name == "first.weight" else None
                spread = plain[key][replica, :own].numpy().std()
                expected = scaled[key][replica].numpy().copy()
                expected[:own] += spread * normals[replica, :own]
                np.testing.assert_allclose(found[key][replica], expected, atol=1e-12)
    rest = [key for key in found if not key.startswith("encoders")]
    assert rest
    assert all(torch.equal(found[key], scaled[key]) for key in rest)


def test_ogm_ge_draws_anew_in_every_step(case):
    driver = Driver(case, Balancing.OGM_GE)
    driver.look()
    first = driver.rule.keys
    driver.look()
    assert not torch.equal(first, driver.rule.keys)
    assert len(first.unique()) == 4


def test_padding_is_not_the_replicas_own(case):
    driver = Driver(case, Balancing.OGM_GE)
    masks = {id(parameter): own for parameter, own in own_entries(driver.network, 0)}
    encoder = driver.network.encoders[0]
    first = masks[id(encoder.first.weight)]
    assert first[:, :, 0].tolist() == [[True] * 3, [True, True, False]]
    assert masks[id(encoder.second.weight)].all()
    values = torch.tensor([[[1.0], [2.0], [3.0]], [[1.0], [2.0], [0.0]]])
    np.testing.assert_allclose(deviation(values, first).flatten(), [np.sqrt(2 / 3), 0.5])


def shapley_by_hand(driver, step):
    """Return Shapley values of the joint logits over all orders of the modalities."""
    count, values = len(driver.network.encoders), {}
    for size in range(count + 1):
        for members in itertools.combinations(range(count), size):
            within = torch.tensor([index in members for index in range(count)])
            mask = step.seen.batch.available & within
            fused = driver.network.fuse(step.outputs.unimodal, step.outputs.embeddings, mask)
            values[members] = fused.joint.detach().numpy()
    shares = np.zeros((count, *values[()].shape))
    orders = list(itertools.permutations(range(count)))
    for order in orders:
        for place, modality in enumerate(order):
            before, after = (tuple(sorted(order[: place + more])) for more in (0, 1))
            shares[modality] += (values[after] - values[before]) / len(orders)
    return np.moveaxis(shares, 0, 2)


def test_agm_by_hand(case):
    driver = Driver(case, Balancing.AGM, balancing_strength=0.7)
    running = np.zeros((2, 3))
    for number in range(3):
        step = driver.look()
        shares = shapley_by_hand(driver, step)
        available, labels = step.seen.batch.available.numpy(), step.seen.labels.numpy()
        scores = np.zeros((2, 3))
        for replica, modality in np.ndindex(2, 3):
            rows = np.flatnonzero(available[replica, :, modality])
            each = [
                np.log(softmax(shares[replica, row, modality])[:, labels[replica, row]]).mean()
                for row in rows
            ]
            scores[replica, modality] = np.mean(each)

        def ratio(of):
            return np.exp(of - (of.sum(1, keepdims=True) - of) / 2)

        factors = np.exp(-0.7 * (ratio(scores) - (ratio(running) if number else 1.0)))
        plain = plain_gradients(driver)
        found = driver.gradients()[2]
        check_scaled(found, plain, factors, {"encoders", "heads"})
        running = running * number / (number + 1) + scores / (number + 1)
        np.testing.assert_allclose(driver.rule.running, running)
        driver.optimiser.step()


def test_agm_keeps_the_score_of_a_modality_that_a_batch_lacks(case):
    driver = Driver(case, Balancing.AGM)
    driver.take()
    before = driver.rule.running.clone()
    driver.case = case.without(1)
    driver.take()
    torch.testing.assert_close(driver.rule.running[:, 1], before[:, 1])
    assert (driver.rule.running[:, 0] != before[:, 0]).all()
    assert driver.rule.steps.tolist() == [[2, 1, 2]] * 2


def test_agm_has_a_largest_factor(case):
    driver = Driver(case, Balancing.AGM, balancing_strength=0.1)
    driver.rule.running = torch.tensor([[5.0, 0.0, 0.0]] * 2).double()
    driver.rule.steps = torch.ones(2, 3).double()
    plain = plain_gradients(driver)
    found = driver.gradients()[2]
    # tau = exp(5) lies far more than 10 above any r
    torch.testing.assert_close(
        found["encoders.0.second.weight"], np.e * plain["encoders.0.second.weight"]
    )


def test_agm_has_a_smallest_log_confidence():
    driver = Driver(make_case(2, fusions=()), Balancing.AGM)
    step = driver.look()
    label = torch.nn.functional.one_hot(step.seen.labels, 3).unsqueeze(2).double()
    logits = torch.cat([-100 * label, 0 * label], dim=2)
    outputs = Outputs(logits, step.outputs.joint, step.outputs.embeddings)
    scores = driver.rule.scores(replace(step, outputs=outputs))
    np.testing.assert_allclose(scores, [[np.log(1e-8), np.log(1 / 3)]] * 2, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_coalitions_give_every_modality_every_place_equally_often(count):
    steps = joining_steps(count)
    assert len(steps) == 2 * count**2
    for without, beside, modality in steps:
        assert set(beside) - set(without) == {modality}
    for modality in range(count):
        places = [len(without) for without, _, added in steps if added == modality]
        assert sorted(places) == sorted([*range(count)] * 2)


def test_the_responses_of_all_modalities_add_up_to_the_joint_logits():
    driver = Driver(make_case(4), Balancing.AGM)
    step = driver.look()
    nobody = torch.zeros_like(step.seen.batch.available)
    empty = driver.network.fuse(step.outputs.unimodal, step.outputs.embeddings, nobody).joint
    found = mono_modal_responses(step)
    torch.testing.assert_close(found.sum(dim=2), (step.outputs.joint - empty).detach())
    absent = ~step.seen.batch.available & step.seen.counted[..., None]
    assert absent.any()
    assert found[absent].abs().max() < 1e-12


def test_pareto_shares_of_numbers():
    joint = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]).double()
    alone = torch.tensor([[-1.0, 1.0], [1.0, 1.0], [-3.0, 0.5]]).double()
    found = pareto_shares(joint, alone).numpy()
    # conflict: a = (2 + 1) / 5, h = (.4, .8), |g_j + g_u| = 1
    np.testing.assert_allclose(found[0], 1.5 / np.sqrt(0.8) * np.array([1.2, 0.8]))
    # no conflict: h = g_j + g_u
    np.testing.assert_allclose(found[1], [1.5, 1.5])
    # a = (9.25 + 3) / (1 + 9.25 + 6)
    a = 12.25 / 16.25
    h = 2 * a * joint[2].numpy() + 2 * (1 - a) * alone[2].numpy()
    scale = 1.5 * np.linalg.norm([-2, 0.5]) / np.linalg.norm(h)
    np.testing.assert_allclose(found[2], scale * np.array([2 * a, 2 - 2 * a]))


def test_pareto_shares_are_0_where_no_direction_helps_both():
    joint = torch.tensor([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]]).double()
    alone = torch.tensor([[-1.0, -2.0], [-3.0, -6.0], [0.0, 0.0]]).double()
    assert (pareto_shares(joint, alone) == 0).all()


vectors = st.lists(st.floats(-10, 10, allow_subnormal=False), min_size=3, max_size=3)


@given(vectors, vectors)
def test_pareto_shares_harm_no_objective(joint, alone):
    joint, alone = (torch.tensor([each], dtype=torch.float64) for each in (joint, alone))
    shares = pareto_shares(joint, alone)
    assert (shares >= 0).all()
    combined = shares[:, :1] * joint + shares[:, 1:] * alone
    slack = 1e-6 * (1 + joint.norm() + alone.norm()) ** 2
    assert (combined * joint).sum() >= -slack
    assert (combined * alone).sum() >= -slack
    if combined.count_nonzero():
        torch.testing.assert_close(combined.norm(), 1.5 * (joint + alone).norm())


def test_mmpareto_by_hand():
    conflicts = []
    for seed in range(3):
        driver = Driver(make_case(seed=seed), Balancing.MMPARETO, joint_weight=1.3)
        driver.epoch(0, steps=20)  # untrained heads hardly ever conflict
        _, _, found = driver.gradients()
        step = driver.look()
        each = [list(encoder.parameters()) for encoder in driver.network.encoders]
        for replica, (index, parameters) in itertools.product(range(2), enumerate(each)):
            objectives = (1.3 * step.losses[replica, 3:].sum(), step.losses[replica, index])
            joint, alone = (
                np.concatenate(
                    [
                        gradient[replica].numpy().ravel()
                        for gradient in torch.autograd.grad(loss, parameters, retain_graph=True)
                    ]
                )
                for loss in objectives
            )
            a, full = 0.5, np.linalg.norm(joint + alone)
            if joint @ alone < 0:
                a = np.clip((alone - joint) @ alone / ((joint - alone) ** 2).sum(), 0, 1)
            conflicts.append(joint @ alone < 0)
            h = 2 * a * joint + 2 * (1 - a) * alone
            expected = 1.5 * full * h / max(np.linalg.norm(h), 1e-300)  # encoders may be dead
            names = [
                f"encoders.{index}.{name}"
                for name, _ in driver.network.encoders[index].named_parameters()
            ]
            got = np.concatenate([found[name][replica].numpy().ravel() for name in names])
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-12)
        for name, gradient in plain_gradients(driver, joint_weight=1.3).items():
            if not name.startswith("encoders"):
                torch.testing.assert_close(found[name], gradient)
    assert {True, False} == set(conflicts)
