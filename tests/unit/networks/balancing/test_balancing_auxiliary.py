"""Rules with a loss of their own, or that drop modalities, against numbers computed by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from balancing_driver import Driver, make_case
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Balancing, Training
from balmi.errors import MethodNotApplicable
from balmi.networks.balancing.auxiliary import ModalityDropoutRule, UmtRule
from balmi.networks.network import Outputs


def uniform_loss(step):
    return step.losses.detach().numpy().sum(1)


def class_means(step):
    """Return sums of embeddings and counts by replica, modality and class."""
    seen, embeddings = step.seen, step.outputs.embeddings.detach().numpy()
    sums, counts = np.zeros((2, 3, 3, 4)), np.zeros((2, 3, 3))
    for replica, row, modality in np.argwhere(seen.batch.available.numpy()):
        label = int(seen.labels[replica, row])
        sums[replica, modality, label] += embeddings[replica, row, modality]
        counts[replica, modality, label] += 1
    return sums, counts


def test_pmr_by_hand(case):
    driver = Driver(case, Balancing.PMR, balancing_strength=0.6, balancing_smoothing=0.75)
    driver.rule.begin_epoch(None)
    parts = []
    for _ in range(2):
        step, loss = driver.take()
        np.testing.assert_allclose(loss, uniform_loss(step))  # no prototypes yet
        parts.append(class_means(step))
    (sums, counts), (more, others) = parts
    assert (counts > 0).all()
    prototypes = (sums + more) / (counts + others)[..., None]
    driver.rule.begin_epoch(case.epochs[0])
    np.testing.assert_allclose(driver.rule.prototypes, prototypes)

    step, loss = driver.take()
    np.testing.assert_allclose(loss, expected_pmr(step, prototypes, case.weights.numpy(), 0.6))
    assert (loss.numpy() > uniform_loss(step)).all()

    sums, counts = class_means(step)
    driver.rule.begin_epoch(case.epochs[1])
    expected = 0.75 * prototypes + 0.25 * sums / counts[..., None]
    np.testing.assert_allclose(driver.rule.prototypes, expected)


def test_pmr_pulls_a_hopeless_modality_no_more_than_fully(case):
    driver = Driver(case, Balancing.PMR, balancing_strength=0.6)
    step = driver.look()
    embeddings = 5 * torch.eye(4).double()[step.seen.labels].unsqueeze(2).expand(2, 12, 3, 4)
    outputs = Outputs(step.outputs.unimodal, step.outputs.joint, embeddings)
    step = replace(step, outputs=outputs)
    # modality 0 takes every class for the next one, the others are right
    prototypes = np.tile(5 * np.eye(4)[:3], (2, 3, 1, 1))
    prototypes[:, 0] = np.roll(prototypes[:, 0], 1, axis=1)
    driver.rule.prototypes = torch.from_numpy(prototypes)
    driver.rule.known[:] = True
    found = driver.rule.loss(step).detach().numpy()
    np.testing.assert_allclose(found, expected_pmr(step, prototypes, case.weights.numpy(), 0.6))
    entropy = np.log(np.exp(5 * np.sqrt(2)) + 2)
    np.testing.assert_allclose(found - uniform_loss(step), 0.6 * entropy, rtol=1e-5)


def test_pmr_leaves_out_classes_that_it_has_not_seen(case):
    driver = Driver(case, Balancing.PMR, balancing_strength=0.6)
    prototypes = np.random.default_rng(4).normal(size=(2, 3, 3, 4))
    known = np.ones((2, 3, 3), dtype=bool)
    known[0, 1, 2] = known[1, 0, 0] = False
    driver.rule.prototypes = torch.from_numpy(prototypes)
    driver.rule.known = torch.from_numpy(known)
    step = driver.look()
    found = driver.rule.loss(step).detach().numpy()
    weights = case.weights.numpy()
    np.testing.assert_allclose(found, expected_pmr(step, prototypes, weights, 0.6, known))
    assert (np.abs(found - expected_pmr(step, prototypes, weights, 0.6)) > 1e-3).all()


def expected_pmr(step, prototypes, weights, strength, known=None):
    """Return the loss of each replica."""
    known = np.ones((2, 3, 3), dtype=bool) if known is None else known
    available, labels = step.seen.batch.available.numpy(), step.seen.labels.numpy()
    embeddings = step.outputs.embeddings.detach().numpy()
    total = uniform_loss(step)
    for replica in range(2):
        confidence, entropy = np.zeros(3), np.zeros(3)
        for modality in range(3):
            seen = known[replica, modality, labels[replica]]
            rows = np.flatnonzero(available[replica, :, modality] & seen)
            probability = []
            for row in rows:
                gap = embeddings[replica, row, modality] - prototypes[replica, modality]
                similarity = np.exp(-np.sqrt((gap**2).sum(1))) * known[replica, modality]
                probability.append(similarity[labels[replica, row]] / similarity.sum())
            confidence[modality] = np.mean(probability)
            own = weights[replica, rows]
            entropy[modality] = -(own * np.log(probability)).sum() / own.sum()
        behind = (confidence.sum() - confidence) / 2 / confidence
        total[replica] += strength * (np.clip(behind - 1, 0, 1) * entropy).sum()
    return total


def test_pmr_knows_only_the_classes_that_it_has_seen(case):
    driver = Driver(case, Balancing.PMR)
    driver.rule.begin_epoch(None)
    # nobody of class 2 has modality 0 in the first epoch
    available = case.seen.batch.available.clone()
    available[:, :, 0] &= case.seen.labels != 2
    driver.case = replace(case, seen=case.seen.restricted(available))
    driver.take()
    driver.rule.begin_epoch(case.epochs[0])
    assert driver.rule.known[:, 0].tolist() == [[True, True, False]] * 2
    driver.case = case
    _, loss = driver.take()
    assert torch.isfinite(loss).all()
    assert all(torch.isfinite(p.grad).all() for p in driver.network.parameters())
    driver.rule.begin_epoch(case.epochs[1])
    assert driver.rule.known.all()


def test_umt_by_hand(case):
    driver = Driver(case, Balancing.UMT, balancing_strength=0.4)
    step, loss, _ = driver.gradients()
    embeddings, rows = step.outputs.embeddings.detach().numpy(), step.seen.rows.numpy()
    expected = uniform_loss(step)
    for replica, modality in np.ndindex(2, 3):
        samples = np.flatnonzero(step.seen.batch.available[replica, :, modality])
        teacher = case.known.teachers[replica, rows[replica, samples], modality].numpy()
        distance = (embeddings[replica, samples, modality] - teacher) ** 2
        expected[replica] += 0.4 * distance.mean()
    np.testing.assert_allclose(loss, expected)


def test_umt_without_teachers_says_why(case):
    with pytest.raises(MethodNotApplicable, match="pretrained"):
        UmtRule(replace(case.known, teachers=None), Training())


def test_modality_dropout_by_hand():
    rule = ModalityDropoutRule(make_case().known, Training(balancing_strength=1))
    mask = torch.tensor([[[1, 1, 1], [1, 1, 1], [1, 1, 0], [0, 0, 1], [0, 0, 0]]]).bool()
    noise = torch.tensor(
        [[[0.2, 0.5, 0.3], [0.1, 0.2, 0.05], [0.1, 0.9, 0.0], [0.9, 0.9, 0.0], [0.5, 0.5, 0.5]]]
    )
    assert rule.noise_columns == 3
    assert rule.available(mask, noise.double()).int().tolist() == [
        [[0, 1, 1], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    ]


@given(st.floats(0, 10), st.integers(0, 1000))
def test_modality_dropout_leaves_every_sample_something_that_it_had(strength, seed):
    case = make_case(seed=seed % 5)
    rule = ModalityDropoutRule(case.known, Training(balancing_strength=strength))
    mask = case.seen.batch.available
    noise = torch.rand(*mask.shape, generator=torch.Generator().manual_seed(seed))
    left = rule.available(mask, noise)
    assert (left <= mask).all()
    assert torch.equal(left.any(dim=2), mask.any(dim=2))
    if strength == 0:
        assert torch.equal(left, mask)


def test_modality_dropout_drops_the_share_that_is_asked_for():
    rule = ModalityDropoutRule(make_case(4).known, Training(balancing_strength=0.5))
    mask = torch.ones(1, 20000, 4, dtype=torch.bool)
    noise = torch.rand(1, 20000, 4, generator=torch.Generator().manual_seed(5))
    share = 1 - rule.available(mask, noise).double().mean().item()
    assert share == pytest.approx(0.15 - 0.15**4 / 4, abs=0.005)
