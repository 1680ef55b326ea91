"""The log-linear pool against what can be computed by hand, and how its weights are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from balmi.information.mixing import PULL, evidence, fit_weights, pooled

EVEN = np.array([0.5, 0.5])


def told(seed, count, strength, classes=2):
    """Labels, and evidence of an expert that tells of them; (n, classes)."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % classes)
    logits = strength * np.eye(classes)[labels] + rng.normal(size=(count, classes))
    return labels, log_softmax(logits, axis=1) + np.log(classes)


class TestEvidence:
    def test_is_the_log_ratio_to_the_prior(self):
        found = evidence([np.array([[0.8, 0.2]]), np.array([[0.25, 0.75]])], np.array([0.25, 0.75]))
        expected = [[[np.log(3.2), np.log(0.2 / 0.75)]], [[0.0, 0.0]]]
        assert found == pytest.approx(np.array(expected))

    def test_is_finite_where_an_expert_says_never(self):
        found = evidence([np.array([[1.0, 0.0]])], EVEN)
        assert found[0, 0] == pytest.approx([np.log(2), np.log(2e-6)], abs=2e-6)


class TestPooled:
    def test_independent_evidence_multiplies_odds(self):
        """Prior odds 1 to 3, likelihood ratios 6 and 2: posterior odds 4 to 1."""
        prior = np.array([0.25, 0.75])
        said = [np.array([[2 / 3, 1 / 3]]), np.array([[0.4, 0.6]])]  # odds 2 and 2/3
        found = pooled(evidence(said, prior), np.ones(2), prior)
        assert found == pytest.approx(np.array([[0.8, 0.2]]))

    def test_halves_of_one_expert_are_the_expert(self):
        prior, said = np.array([0.2, 0.3, 0.5]), np.array([[0.7, 0.2, 0.1]])
        found = pooled(evidence([said, said], prior), np.array([0.5, 0.5]), prior)
        assert found == pytest.approx(said)

    def test_no_weight_is_the_prior(self):
        prior, said = np.array([0.2, 0.8]), np.array([[0.7, 0.3], [0.1, 0.9]])
        found = pooled(evidence([said], prior), np.zeros(1), prior)
        assert found == pytest.approx(np.tile(prior, (2, 1)))

    @given(seed=st.integers(0, 10_000), experts=st.integers(1, 4), classes=st.integers(2, 5))
    def test_whatever_is_said(self, seed, experts, classes):
        rng = np.random.default_rng(seed)
        prior = rng.dirichlet(np.full(classes, 5.0))
        said = list(rng.dirichlet(np.full(classes, 0.2), size=(experts, 6)))
        weights = rng.exponential(size=experts)
        found = pooled(evidence(said, prior), weights, prior)
        assert found.sum(axis=1) == pytest.approx(np.ones(6))
        assert found.min() >= 0
        order = rng.permutation(classes)
        turned = evidence([each[:, order] for each in said], prior[order])
        assert pooled(turned, weights, prior[order]) == pytest.approx(found[:, order])
        more = evidence([*said, np.tile(prior, (6, 1))], prior)
        assert pooled(more, np.append(weights, 3.0), prior) == pytest.approx(found)


class TestWeights:
    def test_of_one_expert_are_the_optimum_of_one_number(self):
        labels, own = told(0, 60, 1.0)

        def loss(weight):
            logits = np.log(EVEN) + weight * own
            true = log_softmax(logits, axis=1)[np.arange(60), labels].sum()
            return -true + PULL / 2 * (weight - 1) ** 2

        best = minimize_scalar(loss, bounds=(0, 5), method="bounded", options={"xatol": 1e-9}).x
        found = fit_weights(own[None], labels, EVEN)
        assert found == pytest.approx([best], abs=1e-3)
        assert abs(best - 1) > 0.05

    def test_of_three_experts_no_step_does_better(self):
        rng = np.random.default_rng(5)
        labels = rng.permutation(np.arange(60) % 3)
        prior = np.full(3, 1 / 3)
        true = np.eye(3)[labels]
        beyond = np.array(
            [log_softmax(s * true + rng.normal(size=(60, 3)), 1) + np.log(3) for s in (1, 0.5, 0.8)]
        )

        def loss(weights):
            logits = np.log(prior) + np.tensordot(weights, beyond, axes=1)
            likelihood = log_softmax(logits, axis=1)[np.arange(60), labels].sum()
            return -likelihood + PULL / 2 * 3 * ((weights - 1 / 3) ** 2).sum()

        found = fit_weights(beyond, labels, prior)
        assert found.min() > 0.01
        slope = [(loss(found + s) - loss(found - s)) / 2e-5 for s in 1e-5 * np.eye(3)]
        assert slope == pytest.approx(np.zeros(3), abs=0.02)

    def test_a_good_expert_gets_more_than_one_that_says_the_prior(self):
        labels, own = told(1, 400, 2.0)
        found = fit_weights(np.array([own, np.zeros_like(own)]), labels, EVEN)
        assert found[0] > 0.9
        assert found[1] == pytest.approx(0.5, abs=1e-3)  # nothing but the pull decides

    def test_are_never_negative(self):
        labels, own = told(1, 400, 2.0)
        wrong = own[:, ::-1]
        found = fit_weights(np.array([own, wrong]), labels, EVEN)
        assert found[1] == 0
        assert found[0] > 0.5

    def test_follow_the_order_of_experts(self):
        labels, own = told(2, 100, 1.0)
        other = np.random.default_rng(3).normal(size=own.shape)
        beyond = np.array([own, other, own**3 / 4])
        found = fit_weights(beyond, labels, EVEN)
        assert len({round(w, 2) for w in found}) == 3
        for order in ([2, 0, 1], [1, 0, 2]):
            assert fit_weights(beyond[order], labels, EVEN) == pytest.approx(found[order], abs=2e-3)

    def test_copies_share_a_weight(self):
        labels, own = told(4, 2000, 1.5)
        one = fit_weights(own[None], labels, EVEN)
        two = fit_weights(np.array([own, own]), labels, EVEN)
        assert two[0] == pytest.approx(two[1], abs=1e-4)
        assert two.sum() == pytest.approx(one[0], abs=0.01)

    def test_are_pulled_where_samples_are_few_and_free_where_they_are_many(self):
        """One expert is right about all it says and one talks at random: 1 and 0 are best."""

        def of(seed, count):
            rng = np.random.default_rng(seed)
            logits = rng.normal(size=(2, count))
            labels = (rng.random(count) < softmax([logits[0], 0 * logits[0]], axis=0)[1]).astype(
                int
            )
            return np.stack([logits / 2, -logits / 2], axis=-1), labels

        few = np.mean([fit_weights(*of(seed, 20), EVEN) for seed in range(20)], axis=0)
        many = fit_weights(*of(0, 5000), EVEN)
        assert many == pytest.approx([1, 0], abs=0.1)
        away = np.abs(few - 0.5).max() / np.abs(many - 0.5).max()
        assert away < 0.7
        tiny = np.mean([fit_weights(*of(seed, 4), EVEN) for seed in range(20)], axis=0)
        assert tiny == pytest.approx([0.5, 0.5], abs=0.15)
