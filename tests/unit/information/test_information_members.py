"""The classifiers of the pool: what they equal, and what they must not see."""

import numpy as np
import pytest

from balmi.information.crossfit import Block
from balmi.information.members import (
    CHEAP_MEMBERS,
    MEMBERS,
    cheap_posteriors,
    class_prior,
    discriminant_posteriors,
)
from balmi.information.pool import _candidates


def test_class_prior_by_hand():
    assert class_prior(np.array([0, 0, 2]), 3) == pytest.approx(np.array([2.5, 0.5, 1.5]) / 4.5)


def plain_discriminant(train, labels, test, classes):
    """Shrunken linear discriminant analysis written sample by sample."""
    n, k = train.shape
    means = np.zeros((classes, k))
    within = np.zeros((k, k))
    for c in range(classes):
        members = train[labels == c]
        if len(members):
            means[c] = members.mean(axis=0)
            within += sum(np.outer(x - means[c], x - means[c]) for x in members) / n
    mixed = n / (n + k) * within + k / (n + k) * np.eye(k)
    posterior = np.empty((len(test), classes))
    for i, x in enumerate(test):
        density = np.empty(classes)
        for c in range(classes):
            distance = (x - means[c]) @ np.linalg.inv(mixed) @ (x - means[c])
            prior = ((labels == c).sum() + 0.5) / (n + 0.5 * classes)
            density[c] = prior * np.exp(-distance / 2)
        posterior[i] = density / density.sum()
    return posterior


class TestDiscriminant:
    @pytest.fixture
    def block(self, white_blocks):
        values = np.random.default_rng(0).normal(size=(50, 4)) * [1, 2, 3, 4] + 5
        return white_blocks(values)[0]

    @pytest.fixture
    def labellings(self):
        rng = np.random.default_rng(1)
        labels = rng.integers(3, size=(6, 40))
        labels[4] = labels[4] % 2  # class 2 absent
        labels[5] = 1
        return labels

    def test_equals_the_plain_computation(self, block, labellings):
        found = discriminant_posteriors(block.white_scores[0], labellings, block.white_scores[1], 3)
        for labels, posterior in zip(labellings, found, strict=True):
            expected = plain_discriminant(block.white_scores[0], labels, block.white_scores[1], 3)
            assert posterior == pytest.approx(expected, abs=1e-10)

    def test_many_labellings_equal_one_by_one(self, block, labellings):
        together = discriminant_posteriors(
            block.white_scores[0], labellings, block.white_scores[1], 3
        )
        alone = [
            discriminant_posteriors(block.white_scores[0], labels[None], block.white_scores[1], 3)[
                0
            ]
            for labels in labellings
        ]
        assert together == pytest.approx(np.array(alone), abs=1e-12)
        assert together.sum(axis=2) == pytest.approx(np.ones((6, 10)))

    def test_close_to_the_truth_where_its_model_holds(self, white_blocks):
        """Two Gaussian classes at -1 and 1: the posterior is logistic in 2x."""
        rng = np.random.default_rng(2)
        labels = rng.integers(2, size=4000)
        values = rng.normal(size=(4000, 1)) + 2 * labels[:, None] - 1
        block = white_blocks(values)[0]
        found = discriminant_posteriors(
            block.white_scores[0], labels[None, block.train], block.white_scores[1], 2
        )[0, :, 1]
        truth = 1 / (1 + np.exp(-2 * values[block.test, 0]))
        assert np.abs(found - truth).max() < 0.03


@pytest.mark.parametrize("classes", [2, 3])
def test_the_own_label_does_not_enter_a_held_out_posterior(white_blocks, classes):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 5))
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=60 - classes)])
    blocks = white_blocks(values)
    for member in MEMBERS.values():
        for block in blocks:
            garbled = labels.copy()
            garbled[block.test] = (garbled[block.test] + 1) % classes
            learn, other = member.parts(block)
            before = member.posterior(learn, labels[block.train], other, classes)
            after = member.posterior(learn, garbled[block.train], other, classes)
            np.testing.assert_array_equal(before, after)
            constant = np.zeros_like(labels[block.train])
            assert not np.allclose(before, member.posterior(learn, constant, other, classes))


def test_an_interaction_is_seen_by_members_that_are_not_linear(white_blocks):
    """The sign of a product carries one bit that no linear classifier can read."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 2))
    labels = (values[:, 0] * values[:, 1] > 0).astype(int)
    right = dict.fromkeys(MEMBERS, 0.0)
    for block in white_blocks(values):
        for name, member in MEMBERS.items():
            learn, other = member.parts(block)
            said = member.posterior(learn, labels[block.train], other, 2)
            guess = said.reshape(-1, len(other), 2)[0].argmax(axis=1)
            right[name] += (guess == labels[block.test]).sum() / len(labels)
    curved = {"radial", "kernel", "trees", "forest", "machine"}
    assert min(right[name] for name in curved) > 0.85
    assert max(right[name] for name in right.keys() - curved) < 0.6


def test_cheap_posteriors_are_those_of_the_members(white_blocks):
    rng = np.random.default_rng(0)
    block = white_blocks(rng.normal(size=(60, 3)))[1]
    labellings = rng.integers(3, size=(4, 60))
    found = cheap_posteriors(block, labellings, 3)
    for number, labels in enumerate(labellings):
        alone = []
        for member in CHEAP_MEMBERS:
            learn, other = member.parts(block)
            said = member.posterior(learn, labels[block.train], other, 3)
            alone += list(said.reshape(-1, len(other), 3))
        assert len(alone) == len(found)
        for posteriors, expected in zip(found, alone, strict=True):
            np.testing.assert_allclose(posteriors[number], expected)


@pytest.mark.parametrize("name", MEMBERS)
def test_without_components_or_with_one_class_a_member_says_the_prior(name):
    def said(values, labels):
        block = Block(np.arange(40), np.arange(7), values, values[:7])
        inner = np.arange(40) // 8
        found = _candidates(MEMBERS[name], block, labels, inner, 3, grouped=True)
        return np.array([each.outside for each in found]).reshape(-1, 3)

    labels = np.array([0, 1, 1, 2] * 10)
    found, prior = said(np.zeros((40, 0)), labels), class_prior(labels, 3)
    assert found == pytest.approx(np.tile(prior, (len(found), 1)))
    alike = np.ones(40, dtype=int)
    found = said(np.random.default_rng(0).normal(size=(40, 2)), alike)
    assert found == pytest.approx(np.tile(class_prior(alike, 3), (len(found), 1)), abs=0.01)


def test_a_machine_is_calibrated_on_what_it_has_not_learned():
    """Noise in many directions: a machine separates what it has learned, and says the prior."""
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(110, 200)), rng.integers(2, size=110)
    block = Block(np.arange(80), np.arange(80, 110), values[:80], values[80:])
    (found,) = _candidates(
        MEMBERS["machine"], block, labels[:80], np.arange(80) % 5, 2, grouped=False
    )
    assert np.abs(found.inside - 0.5).max() < 0.25
    assert np.abs(found.outside - 0.5).max() < 0.25


def test_pools_of_few_samples_leave_out_who_sees_what_others_see():
    serving = {n: {name for name, each in MEMBERS.items() if each.serves(n)} for n in (149, 150)}
    assert serving[150] - serving[149] == {"discriminant", "logistic", "trees", "wide"}
    assert serving[149] - serving[150] == {"wide-logistic"}
    assert all(member.serves(1) and member.serves(10**6) for member in CHEAP_MEMBERS)
