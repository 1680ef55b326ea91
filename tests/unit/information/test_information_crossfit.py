"""Cross-fitted posteriors: what they equal, and what they must not see."""

import numpy as np
import pytest
from scipy.optimize import minimize

from balmi.information.crossfit import (
    CHEAP_MEMBERS,
    MEMBERS,
    Block,
    class_prior,
    cross_fit_blocks,
    discriminant_posteriors,
    fold_numbers,
    pool_weights,
    pooled_posteriors,
)
from balmi.information.label import pointwise_information
from balmi.preprocess.pipeline import Features


class TestFolds:
    def test_cover_all_samples_evenly(self):
        fold = fold_numbers(23, None, 5, seed=1)
        assert sorted(np.bincount(fold)) == [4, 4, 5, 5, 5]
        assert np.array_equal(fold, fold_numbers(23, None, 5, seed=1))
        assert not np.array_equal(fold, fold_numbers(23, None, 5, seed=2))

    def test_groups_stay_together(self):
        groups = np.random.default_rng(0).integers(12, size=60).astype(str)
        fold = fold_numbers(60, groups, 4, seed=0)
        assert all(len(np.unique(fold[groups == group])) == 1 for group in np.unique(groups))
        assert len(np.unique(fold)) == 4

    def test_no_more_folds_than_groups(self):
        groups = np.repeat(["a", "b", "c"], 20)
        assert len(np.unique(fold_numbers(60, groups, 5, seed=0))) == 3
        assert set(fold_numbers(60, np.repeat("a", 60), 5, seed=0)) == {0}
        assert len(np.unique(fold_numbers(3, None, 5, seed=0))) == 3


class TestBlocks:
    @pytest.fixture
    def parts(self, cohort_of):
        rng = np.random.default_rng(0)
        values = rng.normal(size=(60, 12)) @ rng.normal(size=(12, 12))
        values[::7] = np.nan
        cohort = cohort_of({"a": values}, rng.integers(2, size=60))
        rows = np.flatnonzero(cohort.available[:, 0])[:45]
        return cohort, rows, fold_numbers(45, None, 5, seed=0)

    def test_white_in_the_training_part(self, parts):
        cohort, rows, fold = parts
        blocks = cross_fit_blocks(Features(cohort, 100), "a", rows, fold, 50)
        assert sorted(np.concatenate([block.test for block in blocks])) == list(range(45))
        for block in blocks:
            assert not set(block.train) & set(block.test)
            n, k = block.train_scores.shape
            assert (n, k) == (36, 36 // 5)
            assert block.train_scores.mean(axis=0) == pytest.approx(np.zeros(k), abs=1e-10)
            second = block.train_scores.T @ block.train_scores / n
            assert second == pytest.approx(np.eye(k), abs=1e-8)
            assert block.test_scores.shape == (9, k)

    def test_held_out_samples_shape_nothing(self, parts):
        cohort, rows, fold = parts
        before = cross_fit_blocks(Features(cohort, 8), "a", rows, fold, 5)
        held_out = rows[fold == 2]
        outside = np.setdiff1d(np.flatnonzero(cohort.available[:, 0]), rows)
        cohort.values["a"][held_out] *= 50
        cohort.values["a"][outside] = 1e3
        after = cross_fit_blocks(Features(cohort, 8), "a", rows, fold, 5)
        np.testing.assert_array_equal(before[2].train_scores, after[2].train_scores)
        assert not np.allclose(before[2].test_scores, after[2].test_scores)
        assert not np.allclose(before[1].train_scores, after[1].train_scores)

    def test_a_direction_that_only_varies_outside_training_is_dropped(self, cohort_of):
        rng = np.random.default_rng(0)
        values = rng.normal(size=(100, 3))
        values[:, 2] = values[:, 1]
        values[-20:, 2] += 1
        cohort = cohort_of({"a": values}, rng.integers(2, size=100))
        fold = np.repeat(np.arange(5), 20)
        block = cross_fit_blocks(Features(cohort, 10), "a", np.arange(100), fold, 10)[4]
        assert block.train_scores.shape[1] == 2
        assert np.abs(block.test_scores).max() < 10

    def test_nothing_that_varies_leaves_no_component(self, cohort_of):
        cohort = cohort_of({"a": np.ones((50, 4))}, np.arange(50) % 3)
        fold = fold_numbers(50, None, 5, seed=0)
        blocks = cross_fit_blocks(Features(cohort, 10), "a", np.arange(50), fold, 10)
        assert all(block.train_scores.shape == (40, 0) for block in blocks)
        for members in (tuple(MEMBERS.values()), CHEAP_MEMBERS):
            found = pooled_posteriors(blocks, cohort.labels, 3, members)
            for block in blocks:
                prior = class_prior(cohort.labels[block.train], 3)
                assert found[block.test] == pytest.approx(np.tile(prior, (10, 1)))


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
        found = discriminant_posteriors(block.train_scores, labellings, block.test_scores, 3)
        for labels, posterior in zip(labellings, found, strict=True):
            expected = plain_discriminant(block.train_scores, labels, block.test_scores, 3)
            assert posterior == pytest.approx(expected, abs=1e-10)

    def test_many_labellings_equal_one_by_one(self, block, labellings):
        together = discriminant_posteriors(block.train_scores, labellings, block.test_scores, 3)
        alone = [
            discriminant_posteriors(block.train_scores, labels[None], block.test_scores, 3)[0]
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
            block.train_scores, labels[None, block.train], block.test_scores, 2
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
            before = member(block, labels[block.train], classes)
            np.testing.assert_array_equal(before, member(block, garbled[block.train], classes))
            other = np.zeros_like(labels[block.train])
            assert not np.allclose(before, member(block, other, classes))


class TestPool:
    @pytest.mark.parametrize("seed", range(4))
    def test_weights_are_the_optimum(self, seed):
        rng = np.random.default_rng(seed)
        likelihoods = rng.beta([2, 1, 4], [2, 1, 3], size=(300, 3))
        weights = pool_weights(likelihoods)
        optimum = minimize(
            lambda w: -np.log(likelihoods @ w).mean(),
            np.full(3, 1 / 3),
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-12},
        )
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)
        assert -np.log(likelihoods @ weights).mean() == pytest.approx(optimum.fun, abs=2e-4)

    def test_the_better_member_takes_all(self):
        likelihoods = np.column_stack([np.full(50, 0.2), np.full(50, 0.9)])
        assert pool_weights(likelihoods) == pytest.approx([0, 1], abs=1e-12)

    def test_posteriors_are_mixtures_of_the_members(self, white_blocks):
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=90)
        values = rng.normal(size=(90, 3)) + 2 * np.eye(3)[labels]
        blocks = white_blocks(values)
        found = pooled_posteriors(blocks, labels, 3)
        assert found.min() > 0
        assert found.sum(axis=1) == pytest.approx(np.ones(90))
        members = np.stack(
            [
                np.concatenate([member(block, labels[block.train], 3) for block in blocks])
                for member in MEMBERS.values()
            ]
        )
        order = np.concatenate([block.test for block in blocks])
        number = np.repeat(np.arange(5), 18)
        likelihoods = members[:, np.arange(90), labels[order]].T
        for held_out in range(5):
            weights = 0.99 * pool_weights(likelihoods[number != held_out])
            weights[list(MEMBERS).index("prior")] += 0.01
            mixed = np.tensordot(weights, members[:, number == held_out], axes=1)
            assert found[order[number == held_out]] == pytest.approx(mixed)

    def test_a_class_absent_from_a_training_part(self):
        """The only member of class 2 is held out: finite, and priced by the prior."""
        rng = np.random.default_rng(0)
        train, test = np.arange(30), np.arange(30, 40)
        values = rng.normal(size=(40, 2))
        blocks = [
            Block(train, test, values[train], values[test]),
            Block(test, train, values[test], values[train]),
        ]
        labels = np.concatenate([np.arange(39) % 2, [2]])
        posteriors = pooled_posteriors(blocks, labels, 3)
        assert (posteriors > 0).all()
        assert posteriors[39, 2] < 0.1

    def test_independent_data_read_nothing(self, white_blocks):
        """Mean of 30 cohorts: the prior as a member keeps it near 0, and pooling adds nothing."""
        values = []
        for seed in range(30):
            rng = np.random.default_rng(seed)
            labels = rng.choice(3, p=[0.5, 0.3, 0.2], size=150)
            blocks = white_blocks(rng.normal(size=(150, 10)))
            posteriors = pooled_posteriors(blocks, labels, 3)
            values.append(pointwise_information(posteriors, labels).mean())
        assert -0.03 < np.mean(values) < 0.01


def test_an_interaction_is_seen_by_the_kernel_member_only(white_blocks):
    """The sign of a product carries one bit that no linear classifier can read."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 2))
    labels = (values[:, 0] * values[:, 1] > 0).astype(int)
    right = dict.fromkeys(MEMBERS, 0.0)
    for block in white_blocks(values):
        for name, member in MEMBERS.items():
            guess = member(block, labels[block.train], 2).argmax(axis=1)
            right[name] += (guess == labels[block.test]).sum() / len(labels)
    assert right["kernel"] > 0.85
    assert max(right["discriminant"], right["logistic"]) < 0.6


def test_kernel_scores_are_white_in_training_and_learn_nothing_held_out(white_blocks):
    values = np.random.default_rng(1).normal(size=(100, 3))
    first = white_blocks(values)[0]
    learn, _ = first.kernel_scores
    np.testing.assert_allclose(np.cov(learn.T, bias=True), np.eye(learn.shape[1]), atol=1e-6)
    garbled = Block(first.train, first.test, first.train_scores, 5 * first.test_scores)
    np.testing.assert_array_equal(learn, garbled.kernel_scores[0])
