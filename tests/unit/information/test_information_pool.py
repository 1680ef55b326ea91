"""Pooled posteriors: temperatures and weights at their optimum, and nothing held out in them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from balmi.information.crossfit import Block, fold_numbers
from balmi.information.deals import INNER_FOLDS, inner_numbers
from balmi.information.label import entropy, label_estimate, pointwise_information
from balmi.information.members import CHEAP_MEMBERS, MEMBERS, Member, class_prior
from balmi.information.mixing import fit_weights
from balmi.information.pool import (
    PRIOR_WEIGHT,
    SHARPENED,
    Said,
    _candidates,
    best_temperature,
    pool_weights,
    pooled_block,
    pooled_posteriors,
    product,
    tempered,
)

ALL = tuple(MEMBERS.values())
PLAIN = tuple(MEMBERS[name] for name in ("prior", "discriminant", "radial", "logistic"))


class TestTemperature:
    def test_tempered_by_hand(self):
        found = tempered(np.array([[0.2, 0.8], [0.5, 0.5]]), 2.0)
        root = np.sqrt([0.2, 0.8])
        assert found == pytest.approx(np.array([root / root.sum(), [0.5, 0.5]]))
        once = np.array([[0.1, 0.2, 0.7]])
        assert tempered(once, 1.0) == pytest.approx(once)

    def test_a_sure_zero_is_not_final(self):
        assert tempered(np.array([[0.0, 1.0]]), 1.0).min() > 0

    def test_undoes_what_made_posteriors_too_sure(self):
        """Labels drawn from p, posteriors p^3: the best temperature is 3."""
        rng = np.random.default_rng(0)
        posteriors = rng.dirichlet(np.ones(3), 20000)
        labels = (posteriors.cumsum(axis=1) < rng.random((20000, 1))).sum(axis=1)
        sharpened = tempered(posteriors, 1 / 3)
        assert best_temperature(sharpened, labels) == pytest.approx(3, rel=0.05)
        assert best_temperature(posteriors, labels) == pytest.approx(1, rel=0.05)


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

    def test_posteriors_are_a_log_linear_pool_of_tempered_members_and_the_prior(self, white_blocks):
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=90)
        values = rng.normal(size=(90, 3)) + 2 * np.eye(3)[labels]
        blocks = white_blocks(values)
        found, priors = pooled_posteriors(blocks, labels, None, 3, PLAIN)
        assert found.min() > 0
        assert found.sum(axis=1) == pytest.approx(np.ones(90))
        rows = np.arange(72)
        for block in blocks:
            inside = labels[block.train]
            inner = inner_numbers(inside, None)
            within, outside = [], []
            for member in PLAIN:
                learn, other = member.parts(block)
                held = np.empty((72, 3))
                for number in range(INNER_FOLDS):
                    out = inner == number
                    held[out] = member.posterior(learn[~out], inside[~out], learn[out], 3)
                temperature = best_temperature(held, inside)
                within.append(tempered(held, temperature))
                whole = member.posterior(learn, inside, other, 3)
                outside.append(tempered(whole, temperature))
            beyond = [np.log(np.array(each[1:]) / each[0]) for each in (within, outside)]
            weights = fit_weights(beyond[0], inside, within[0])
            both = [
                softmax(np.log(each[0]) + np.tensordot(weights, more, axes=1), axis=1)
                for each, more in zip((within, outside), beyond, strict=True)
            ]
            share = pool_weights(np.array([within[0][rows, inside], both[0][rows, inside]]).T)
            mixed, expected = (
                share[0] * prior + share[1] * said
                for prior, said in zip((within[0], outside[0]), both, strict=True)
            )
            temperature = best_temperature(mixed, inside)
            gain = np.log(tempered(mixed, temperature)[rows, inside] / mixed[rows, inside]).sum()
            if gain > SHARPENED:
                expected = tempered(expected, temperature)
            floor = PRIOR_WEIGHT / 72
            expected = (1 - floor) * expected + floor * outside[0]
            assert found[block.test] == pytest.approx(expected, abs=1e-5)
            assert priors[block.test] == pytest.approx(outside[0])

    def test_the_penalty_is_the_one_that_inner_folds_prefer(self, white_blocks):
        """Of two candidates, one that is right and one that is wrong: the former counts alone."""

        def said(learn, labels, other, classes):
            right = 0.1 + 0.8 * np.eye(2)[(other[:, 0] > 0).astype(int)]
            return np.array([right[:, ::-1], right])

        values = np.random.default_rng(0).normal(size=(90, 1))
        labels = (values[:, 0] > 0).astype(int)
        blocks = white_blocks(values)
        blocks = [
            replace(each, train_scores=values[each.train], test_scores=values[each.test])
            for each in blocks
        ]
        found, _ = pooled_posteriors(
            blocks, labels, None, 2, (MEMBERS["prior"], Member("scores", said))
        )
        assert found[np.arange(90), labels].min() > 0.8

    def test_bags_are_not_trusted_where_a_patient_has_several_samples(self):
        """Every patient twice, labels by patient: out of its bags a forest knows who it is."""
        rng = np.random.default_rng(0)
        values, labels = (
            np.repeat(rng.normal(size=(60, 3)), 2, axis=0),
            np.repeat(np.arange(60) % 2, 2),
        )
        groups, train, test = np.repeat(np.arange(60), 2), np.arange(80), np.arange(80, 120)
        block = Block(train, test, values[train], values[test])
        members = MEMBERS["prior"], MEMBERS["forest"]
        told = {}
        for grouped in (False, True):
            inner = inner_numbers(labels[train], groups[train])
            said, _ = pooled_block(block, labels[train], inner, 2, members, grouped=grouped)
            told[grouped] = np.log(said.likelihoods(labels[train])).mean() + np.log(2)
        assert told[False] > 0.1
        assert abs(told[True]) < 0.03

    def test_a_part_is_a_member_that_costs_nothing(self, white_blocks):
        """Where the whole sees noise, it says nearly what its part says, and pays no prior."""
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=90)
        block = white_blocks(rng.normal(size=(90, 3)))[0]
        inner = inner_numbers(labels[block.train], None)
        sure = 0.05 + 0.85 * np.eye(3)[labels]
        part = Said(sure[block.train], sure[block.test])
        inside = labels[block.train]
        said, _ = pooled_block(block, inside, inner, 3, PLAIN, parts=[part])
        gain = np.log(said.outside[np.arange(18), labels[block.test]])
        assert gain.mean() > np.log(0.9) - 0.01

    def test_what_is_not_judged_is_learned_from_and_weighs_nothing(self, white_blocks):
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=90)
        block = white_blocks(rng.normal(size=(90, 3)) + 2 * np.eye(3)[labels])[0]
        inside = labels[block.train]
        inner = inner_numbers(inside, None)
        one = np.where(inner == 2, inner, -2 - inner)
        judged = inner == 2
        said, prior = pooled_block(block, inside, one, 3, PLAIN)
        assert said.inside.shape == prior.inside.shape == (judged.sum(), 3)
        assert np.isfinite(said.inside).all()
        assert said.outside.shape == (18, 3)
        assert np.log(said.outside[np.arange(18), labels[block.test]]).mean() > -np.log(3) + 0.2
        # A member is the same; what it is weighed on is not.
        everyone = [_candidate_rows(block, inside, each) for each in (inner, one)]
        np.testing.assert_array_equal(everyone[0][judged], everyone[1])


def _candidate_rows(block, labels, inner):
    """Return what one member says of the training samples that it is judged on."""
    (said,) = _candidates(MEMBERS["logistic"], block, labels, inner, 3, grouped=False)
    return said.inside


class TestProduct:
    def test_of_independent_modalities_is_their_product(self):
        """Two modalities of likelihood ratio 4 each: 16 to 1, where the labels agree with that."""
        prior = Said(np.full((34, 2), 0.5), np.full((1, 2), 0.5))
        one = Said(np.tile([0.2, 0.8], (34, 1)), np.array([[0.2, 0.8]]))
        labels = np.array([0] * 2 + [1] * 32)
        found = product(prior, [one, one], labels)
        assert found.outside[0] == pytest.approx([1 / 17, 16 / 17], abs=1e-3)

    def test_of_copies_takes_the_copy_back(self):
        prior = Said(np.full((50, 2), 0.5), np.full((1, 2), 0.5))
        one = Said(np.tile([0.2, 0.8], (50, 1)), np.array([[0.2, 0.8]]))
        labels = np.array([0] * 10 + [1] * 40)
        found = product(prior, [one, one], labels)
        assert found.outside[0] == pytest.approx([0.2, 0.8], abs=5e-3)


class TestLabels:
    @pytest.mark.parametrize("members", [ALL, CHEAP_MEMBERS])
    def test_labels_of_a_fold_shape_none_of_its_posteriors(self, white_blocks, members):
        """Neither through a member, nor through a temperature or a weight."""
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=90)
        blocks = white_blocks(rng.normal(size=(90, 3)) + 2 * np.eye(3)[labels])
        before = pooled_posteriors(blocks, labels, None, 3, members)
        for block in blocks[:2]:
            garbled = labels.copy()
            garbled[block.test] = rng.permutation(garbled[block.test])
            after = pooled_posteriors(blocks, garbled, None, 3, members)
            for one, two in zip(before, after, strict=True):
                np.testing.assert_array_equal(one[block.test], two[block.test])
                assert not np.array_equal(one, two)

    def test_one_group_in_training_leaves_the_prior(self):
        rng = np.random.default_rng(0)
        values, labels = rng.normal(size=(60, 2)), np.arange(60) % 3
        groups = np.repeat([*"ab"], 30)
        halves = np.arange(30), np.arange(30, 60)
        blocks = [Block(a, b, values[a], values[b]) for a, b in (halves, halves[::-1])]
        found, priors = pooled_posteriors(blocks, labels, groups, 3, ALL)
        assert np.array_equal(found, priors)
        assert found == pytest.approx(np.tile(class_prior(labels[:30], 3), (60, 1)))

    def test_perfectly_separable_labels_show_at_most_the_entropy(self, white_blocks):
        labels = np.arange(90) % 3
        values = 50 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(90, 3))
        posteriors, priors = pooled_posteriors(white_blocks(values), labels, None, 3, ALL)
        found = label_estimate(posteriors, priors, labels, None)
        assert entropy(labels) - 0.03 < found.value <= found.upper <= entropy(labels)

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
        posteriors, _ = pooled_posteriors(blocks, labels, None, 3)
        assert (posteriors > 0).all()
        assert posteriors[39, 2] < 0.1

    def test_independent_data_read_nothing(self, white_blocks):
        """Mean of 6 cohorts: the prior as a member keeps it near 0, and pooling adds nothing."""
        values = []
        for seed in range(6):
            rng = np.random.default_rng(seed)
            labels = rng.choice(3, p=[0.5, 0.3, 0.2], size=150)
            blocks = white_blocks(rng.normal(size=(150, 10)))
            posteriors, priors = pooled_posteriors(blocks, labels, None, 3)
            values.append(pointwise_information(posteriors, priors, labels).mean())
        assert -0.03 < np.mean(values) < 0.02

    @pytest.mark.parametrize("members", [ALL, CHEAP_MEMBERS])
    def test_what_does_not_vary_reads_nothing_at_all(self, members):
        """Six classes alike: the best prior is the uniform one, for the posteriors and without."""
        labels = np.random.default_rng(0).integers(6, size=60)
        nothing, fold = np.zeros((60, 0)), fold_numbers(60, None, 5, seed=0)
        blocks = [
            Block(
                np.flatnonzero(fold != k),
                np.flatnonzero(fold == k),
                nothing[fold != k],
                nothing[fold == k],
            )
            for k in range(5)
        ]
        found = pooled_posteriors(blocks, labels, None, 6, members)
        assert pointwise_information(*found, labels) == pytest.approx(np.zeros(60), abs=1e-12)
