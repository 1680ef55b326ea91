"""Deals to folds: shares of classes, whole groups, and nulls that stay within them."""

import numpy as np
from scipy.stats import binom

from balmi.data.splits import Split
from balmi.information.crossfit import Block, fold_numbers
from balmi.information.deals import (
    GROUPS_PER_FOLD,
    Deal,
    evaluated_folds,
    inner_numbers,
    shared_out,
)
from balmi.information.label import label_null, permuted_labels

COHORTS = 60
MOST = int(binom.ppf(0.999, COHORTS, 0.05))


class TestShares:
    def test_every_fold_gets_its_share_of_every_class(self):
        labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [25, 15, 10]))
        fold = shared_out(labels, None, 5, seed=1)
        assert [np.bincount(labels[fold == k]).tolist() for k in range(5)] == [[5, 3, 2]] * 5
        assert not np.array_equal(fold, shared_out(labels, None, 5, seed=2))

    def test_a_class_of_fewer_members_than_folds_is_dealt_out_one_by_one(self):
        labels = np.repeat([0, 1], [27, 3])
        fold = shared_out(labels, None, 5, seed=0)
        assert len(np.unique(fold)) == 5
        assert np.bincount(fold[labels == 1]).max() == 1

    def test_no_more_folds_than_members_of_the_commonest_class(self):
        labels = np.arange(30) // 3
        assert len(np.unique(shared_out(labels, None, 5, seed=0))) == 3
        assert not shared_out(np.arange(30), None, 5, seed=0).any()

    def test_groups_stay_together(self):
        groups = np.repeat(np.arange(40), 2)
        labels = np.repeat(np.arange(40) % 4, 2)
        fold = shared_out(labels, groups, 5, seed=0)
        assert (fold[::2] == fold[1::2]).all()
        assert [np.bincount(labels[fold == k]).tolist() for k in range(5)] == [[4] * 4] * 5

    def test_few_groups_are_dealt_without_a_look_at_labels(self):
        """Of so few a fold would leave no room for a null within it."""
        count = 5 * GROUPS_PER_FOLD - 1
        groups, labels = np.repeat(np.arange(count), 2), np.arange(2 * count) % 3
        found = shared_out(labels, groups, 5, seed=0)
        assert np.array_equal(found, fold_numbers(2 * count, groups, 5, seed=0))
        assert Deal.of(labels, groups, 5, seed=0).within is None
        more = np.append(groups, count)
        deal = Deal.of(np.append(labels, 0), more, 5, seed=0)
        assert deal.within is deal.fold


class TestDeal:
    def test_inner_folds_are_of_training_samples_and_their_labels(self):
        """Labels held out may be whatever they like, given the folds."""
        labels = np.random.default_rng(0).integers(3, size=60)
        deal = Deal.of(labels, None, 5, seed=0)
        assert sorted(deal.inner) == list(range(5))
        for number, inner in deal.inner.items():
            train = deal.fold != number
            assert (inner[~train] == -1).all()
            assert np.array_equal(inner[train], inner_numbers(labels[train], None))

    def test_one_group_leaves_nothing_to_train_on(self):
        deal = Deal.of(np.arange(30) % 2, np.zeros(30), 5, seed=0)
        assert not deal.fold.any()
        assert (deal.inner[0] == -1).all()

    def test_the_inner_fold_of_most_complete_samples_is_judged_on_alone(self, monkeypatch):
        monkeypatch.setattr("balmi.information.deals.FEWEST_JUDGED", 0)
        labels = np.random.default_rng(0).integers(3, size=60)
        plain = Deal.of(labels, None, 5, seed=0)
        complete = np.zeros(60, dtype=bool)
        complete[plain.inner[0] == 3] = True
        deal = Deal.of(labels, None, 5, 0, complete)
        assert np.array_equal(deal.fold, plain.fold)
        for number, inner in deal.inner.items():
            train = deal.fold != number
            assert (inner[~train] == -1).all()
            (judged,) = np.unique(inner[inner >= 0])
            within = np.bincount(plain.inner[number][complete & train], minlength=5)
            assert within[judged] == within.max()
            # The others stay the folds that they were, below those of held-out samples.
            assert np.array_equal(inner[train] == judged, plain.inner[number][train] == judged)
            others = train & (inner != judged)
            assert np.array_equal(inner[others], -2 - plain.inner[number][others])
        assert (deal.inner[0] >= 0).sum() == complete.sum()

    def test_inner_folds_are_judged_on_until_every_class_is_met(self, monkeypatch):
        """Of class 1 no fold holds more than two training samples: four are six in three folds."""
        labels = np.repeat([0, 1], [50, 10])
        everyone = np.ones(60, dtype=bool)
        folds = {}
        for fewest in (1, 2, 4, 100):
            monkeypatch.setattr("balmi.information.deals.FEWEST_JUDGED", fewest)
            deal = Deal.of(labels, None, 5, 0, everyone)
            for number, inner in deal.inner.items():
                train = deal.fold != number
                judged = inner >= 0
                total = labels[train].sum()
                assert labels[judged].sum() >= min(fewest, total)
                folds.setdefault(fewest, set()).add(len(np.unique(inner[judged])))
        assert folds[1] == {1}
        assert min(folds[4]) > 1
        assert folds[100] == {5}

    def test_a_class_that_only_incomplete_samples_have_is_judged_on(self, monkeypatch):
        monkeypatch.setattr("balmi.information.deals.FEWEST_JUDGED", 4)
        labels = np.repeat([0, 1], [50, 10])
        deal = Deal.of(labels, None, 5, 0, labels == 0)
        for number, inner in deal.inner.items():
            assert labels[inner >= 0].sum() >= min(4, labels[deal.fold != number].sum())

    def test_without_a_complete_sample_all_inner_folds_are_judged_on(self):
        labels = np.random.default_rng(0).integers(3, size=60)
        fold = np.repeat([0, 1], 30)
        deal = Deal.around(fold, labels, None, fold == 0, shared=False)
        assert (deal.inner[0][fold == 1] >= 0).all()


class TestEvaluatedFolds:
    def test_repeats_that_test_every_sample(self):
        """Of two repeats in two folds, the second leaves a sample out."""
        everyone = np.arange(4)

        def split(repeat, fold, test):
            train = np.setdiff1d(everyone, test)
            return Split(repeat, fold, train[:1], train[1:], np.array(test))

        whole = [split(0, 0, [1, 3]), split(0, 1, [0, 2])]
        partial = [split(1, 0, [0, 1]), split(1, 1, [2])]
        (found,) = evaluated_folds([*whole, *partial], 4)
        assert found.tolist() == [1, 0, 1, 0]
        assert evaluated_folds([], 4) == ()


class TestNull:
    def test_permutations_keep_the_shares_of_folds(self):
        labels = np.random.default_rng(0).integers(3, size=60)
        fold = shared_out(labels, None, 5, seed=0)
        permuted = permuted_labels(labels, None, 30, np.random.default_rng(0), fold)
        for row in permuted:
            for k in range(5):
                assert sorted(row[fold == k]) == sorted(labels[fold == k])
        assert len(np.unique(permuted, axis=0)) == 30

    def test_is_valid_where_nothing_is_to_be_found(self):
        """Eight classes of 58 samples, where shares of classes matter most."""
        found = 0
        for seed in range(COHORTS):
            rng = np.random.default_rng(seed)
            labels, values = rng.integers(8, size=58), rng.normal(size=(58, 4))
            deal = Deal.of(labels, None, 5, seed)
            held = [deal.fold == k for k in range(5)]
            sides = [(np.flatnonzero(~out), np.flatnonzero(out)) for out in held]
            blocks = [Block(*side, *(values[rows] for rows in side)) for side in sides]
            found += label_null(blocks, labels, None, 8, 39, rng, deal.within).p_value <= 0.05
        assert found <= MOST
