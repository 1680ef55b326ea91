"""What the experts of the pool see, and what they say of samples that they have not learned."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss

from balmi.methods.peers.early import fit_machine
from balmi.methods.pooled import learners
from balmi.methods.pooled.experts import (
    ALL,
    SUMS,
    Access,
    equal_blocks,
    experts_of_all,
    experts_of_modality,
)
from balmi.methods.pooled.imputing import filled_to_learn
from balmi.methods.pooled.learners import taught
from balmi.preprocess.fitted import Samples

OF_ONE = ("linear", "forest", "svm", "products")


def noise(seed, count, features=6, classes=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, features)), rng.permutation(np.arange(count) % classes)


def everyone(side):
    return np.ones(len(side), dtype=bool)


def all_of(side):
    single = [each for name in side.modalities for each in experts_of_modality(side, name)]
    return [*single, *experts_of_all(side)]


class TestNames:
    def test_and_what_each_sees(self, make_task):
        found = {each.name: each.modality for each in all_of(make_task().training)}
        assert found == {
            **{f"{kind}/{name}": name for name in "ab" for kind in OF_ONE},
            **dict.fromkeys(["stacked", *ALL, *SUMS]),
        }

    def test_and_at_what_level(self, make_task):
        found = {each.name: each.access for each in all_of(make_task().training)}
        linear = {"linear/a", "linear/b", "stacked", "concat-lr"}
        joint = {"concat-forest", "concat-svm", "concat-products"}
        assert {name for name, access in found.items() if access is Access.LINEAR} == linear
        assert {name for name, access in found.items() if access is Access.JOINT} == joint

    def test_sums_of_one_modality_are_not_made(self, make_task):
        task = make_task(lacking=False)
        side = replace(task, features={"a": task.features["a"]}, available=task.available[:, :1])
        assert not {each.name for each in experts_of_all(side.training)} & set(SUMS)

    def test_a_modality_without_features_has_none(self, make_task):
        task = make_task(lacking=False)
        task = replace(task, features={"a": task.features["a"], "b": np.zeros((90, 0))})
        assert not list(experts_of_modality(task.training, "b"))
        assert len(all_of(task.training)) == len(OF_ONE) + 1 + len(ALL)

    @pytest.mark.parametrize("of", [[], [1]])
    def test_a_modality_that_samples_of_one_class_have_has_none(self, make_task, of):
        task = make_task()
        available = task.available.copy()
        available[:, 1] = np.isin(task.labels, of)
        side = replace(task, available=available).training
        assert side.samples.has("b").any() == bool(of)
        assert not list(experts_of_modality(side, "b"))
        assert len(list(experts_of_modality(side, "a"))) == len(OF_ONE)

    def test_no_features_at_all_leave_nobody(self, make_task):
        task = make_task(lacking=False)
        empty = {name: np.zeros((90, 0)) for name in task.features}
        side = replace(task, features=empty).training
        assert not list(experts_of_all(side))


class TestHeldOut:
    def test_every_expert_gives_probabilities_of_both_sides(self, make_task):
        task = make_task()
        for expert in all_of(task.training):
            for said in (expert.held_out, expert.fitted.predict(task.tests)):
                assert said.sum(axis=1) == pytest.approx(np.ones(len(said)))
                assert said.min() >= 0
            assert len(expert.held_out) == 60

    def test_a_sample_that_lacks_the_modality_gets_the_prior(self, make_task):
        task = make_task()
        side = task.training
        for expert in experts_of_modality(side, "b"):
            for said, samples in (
                (expert.held_out, side.samples),
                (expert.fitted.predict(task.tests), task.tests),
            ):
                has = samples.has("b")
                assert 0 < has.sum() < len(has)
                assert said[~has] == pytest.approx(np.tile(side.prior, ((~has).sum(), 1)))
                assert not np.allclose(said[has], side.prior, atol=0.01)

    def test_out_of_fold_asks_what_learned_from_the_others(self, make_task):
        side = make_task().training
        has, asked = side.samples.has("b"), []
        numbers = np.arange(60.0)[:, None]

        def learn(values, labels):
            learned = values[:, 0].astype(int)
            np.testing.assert_array_equal(labels, side.labels[learned])

            def said(others):
                asked.extend(others[:, 0].astype(int))
                assert not set(learned) & set(others[:, 0].astype(int))
                assert has[learned].all()
                return np.tile([1.0, 0, 0], (len(others), 1))

            return said

        found, _ = taught(side, numbers, has, learn)
        assert sorted(asked) == np.flatnonzero(has).tolist()
        assert found[has] == pytest.approx(np.tile([1.0, 0, 0], (has.sum(), 1)))
        assert found[~has] == pytest.approx(np.tile(side.prior, ((~has).sum(), 1)))

    @pytest.mark.parametrize(("fewest", "lessons"), [(60, 5), (49, 5), (48, 4), (13, 2), (12, 1)])
    def test_lessons_end_where_enough_are_judged(self, make_task, monkeypatch, fewest, lessons):
        """Five inner folds of twelve samples."""
        monkeypatch.setattr(learners, "JUDGED", fewest)
        monkeypatch.setattr(learners, "FEWEST", 1)
        side = make_task().training
        has, learned = np.ones(60, dtype=bool), []

        def learn(values, labels):
            learned.append(len(labels))
            return lambda others: np.tile([1.0, 0, 0], (len(others), 1))

        found, _ = taught(side, np.zeros((60, 1)), has, learn)
        assert learned == [48] * lessons + [60]
        told = np.isin(
            np.arange(60), np.concatenate([here for _, here in side.base_folds[:lessons]])
        )
        np.testing.assert_array_equal(np.isnan(found).any(axis=1), ~told)

    def test_lessons_go_on_until_every_class_is_judged(self, make_task, monkeypatch):
        """Of a class whose members are all in the last fold nobody would be judged before."""
        monkeypatch.setattr(learners, "JUDGED", 12)
        side = make_task().training
        labels = np.zeros(60, dtype=int)
        labels[side.base_folds[3][1][:2]] = 1
        labels[side.base_folds[2][1][:3]] = 2

        class Side:
            base_folds, classes = side.base_folds, 3

            def __len__(self):
                return 60

        own = Side()
        own.labels = labels
        assert len(learners._lessons(own)) == 4
        monkeypatch.setattr(learners, "MANY_SAMPLES", 30)
        own.labels = np.where(np.arange(60) % 2, labels, 2)
        ((_, here),) = learners._lessons(own)
        assert len(np.unique(own.labels[here])) == max(
            len(np.unique(own.labels[each])) for _, each in side.base_folds
        )

    @pytest.mark.parametrize(("fewest", "lessons"), [(60, 5), (30, 3), (12, 5)])
    def test_a_machine_is_calibrated_by_other_folds_however_many(
        self, make_task, monkeypatch, fewest, lessons
    ):
        """One lesson alone would leave none to calibrate by: then all are held out."""
        side = make_task().training
        values, has = side.samples.features["a"], np.ones(60, dtype=bool)
        whole, _ = learners.machine(side, values, has)
        monkeypatch.setattr(learners, "JUDGED", fewest)
        monkeypatch.setattr(learners, "FEWEST", 1)
        found, _ = learners.machine(side, values, has)
        told = np.concatenate([here for _, here in side.base_folds[:lessons]])
        assert np.isnan(np.delete(found, told, axis=0)).all()
        assert not np.isnan(found[told]).any()
        if lessons == 5:
            np.testing.assert_array_equal(found, whole)

    def test_many_samples_take_one_lesson_from_a_draw(self, make_task, monkeypatch):
        monkeypatch.setattr(learners, "MANY_SAMPLES", 30)
        side = make_task().training
        has, lessons = side.samples.has("b"), []
        numbers = np.arange(60.0)[:, None]

        def learn(values, labels):
            lessons.append(values[:, 0].astype(int))
            return lambda others: np.tile([1.0, 0, 0], (len(others), 1))

        found, said = taught(side, numbers, has, learn)
        rest, here = side.base_folds[0]
        few = [np.bincount(side.labels[rest[has[rest]]])[k] for k in range(3)]
        assert len(lessons) == 1
        assert np.bincount(side.labels[lessons[0]]).tolist() == [min(20, each) for each in few]
        assert set(lessons[0]) <= set(rest[has[rest]])
        told = np.isin(np.arange(60), here) & has
        np.testing.assert_array_equal(np.isnan(found).any(axis=1), has & ~told)
        assert found[told] == pytest.approx(np.tile([1.0, 0, 0], (told.sum(), 1)))
        assert found[~has] == pytest.approx(np.tile(side.prior, ((~has).sum(), 1)))
        assert said(numbers[:2]).shape == (2, 3)

    @pytest.mark.parametrize("learner", [learners.regression, learners.products])
    def test_labels_of_a_fold_do_not_reach_what_is_said_of_it(self, make_task, learner):
        side = make_task(lacking=False).training
        here = side.base_folds[1][1]
        labels = side.labels.copy()
        labels[here] = (labels[here] + 1) % 3
        garbled = replace(side, labels=labels)
        garbled.__dict__["base_folds"] = side.base_folds
        values = equal_blocks(side.samples)
        found, expected = (learner(each, values, everyone(side))[0] for each in (garbled, side))
        np.testing.assert_array_equal(found[here], expected[here])
        assert not np.allclose(np.delete(found, here, 0), np.delete(expected, here, 0))

    @pytest.mark.parametrize(
        ("expert", "memorised"),
        [("concat-lr", 0.7), ("concat-forest", 0.99), ("concat-products", 0.9)],
    )
    def test_noise_is_not_said_to_be_known(self, fold_of, expert, memorised):
        """All of them memorise some of 50 features; held out, none beats the prior."""
        values, labels = noise(0, 240, 50)
        task = fold_of({"a": values}, labels, 240)
        _, learn, table = ALL[expert]
        side = task.training
        held_out, whole = learn(side, table(side.samples), everyone(side))
        assert log_loss(labels, held_out) > np.log(2) - 0.02
        assert (whole(table(task.samples)).argmax(axis=1) == labels).mean() > memorised

    def test_noise_is_not_known_to_the_machine(self, fold_of):
        values, labels = noise(0, 240, 50)
        side = fold_of({"a": values}, labels, 240).training
        scores = fit_machine(values, labels, 2, cost=learners.COST).scores(values)
        assert (scores.argmax(axis=1) == labels).mean() > 0.95
        held_out, whole = learners.machine(side, values, everyone(side))
        assert log_loss(labels, held_out) > np.log(2) - 0.02
        others, new = noise(1, 240, 50)
        assert log_loss(new, whole(others)) < np.log(2) + 0.05

    def test_copies_of_a_patient_are_no_evidence(self, fold_of):
        """Three copies of every patient: a bag lacks a sample and holds its copies."""
        patients = np.repeat(np.arange(70), 3)
        values, labels = noise(1, 70, 10)
        parts = ({"a": values[patients]}, labels[patients], 210)
        right = []
        for groups in (None, patients.astype(str)):
            side = fold_of(*parts, groups=groups).training
            held_out, _ = learners.forest(side, side.samples.features["a"], everyone(side))
            right.append((held_out.argmax(axis=1) == side.labels).mean())
        assert right[0] > 0.9
        assert right[1] < 0.62

    def test_the_forest_gives_every_class_something(self, fold_of):
        rng = np.random.default_rng(0)
        labels = np.arange(90) % 3
        values = rng.normal(size=(90, 3)) + 20 * np.eye(3)[labels]
        side = fold_of({"a": values}, labels, 90).training
        held_out, whole = learners.forest(side, values, everyone(side))
        assert whole(values).min() == pytest.approx(1 / 3 / 41)
        assert 0.01 < held_out.min() < 0.05  # a third of the trees: the vote of the prior is more
        assert (held_out.argmax(axis=1) == labels).all()

    def test_trees_of_many_samples_draw_some(self, make_task, monkeypatch):
        side = make_task(lacking=False).training
        values = side.samples.features["a"]
        monkeypatch.setattr(learners, "MOST_PER_TREE", 10)
        held_out, whole = learners.forest(side, values, everyone(side))
        assert whole.forest.max_samples == 10
        assert held_out.sum(axis=1) == pytest.approx(np.ones(60))
        # 40 trees x (1 - 1/60) ** 10 of them know nothing of a sample.
        assert held_out.min() >= 1 / 3 / (40 * (59 / 60) ** 10 + 1) - 1e-9


class TestEqualBlocks:
    def test_squared_distances_are_means_over_the_features_of_a_block(self):
        rng = np.random.default_rng(0)
        features = {"a": rng.normal(size=(2, 9)), "b": rng.normal(size=(2, 400))}
        features["c"] = np.zeros((2, 0))
        first, second = equal_blocks(Samples(features, np.ones((2, 3), dtype=bool)))
        expected = sum(((features[n][0] - features[n][1]) ** 2).mean() for n in "ab")
        assert ((first - second) ** 2).sum() == pytest.approx(expected)


class TestKernel:
    @pytest.fixture
    def rings(self, fold_of):
        rng = np.random.default_rng(0)
        labels = rng.permutation(np.arange(300) % 2)
        angle, radius = rng.uniform(0, 2 * np.pi, 300), 1 + 1.5 * labels
        values = (radius * np.array([np.cos(angle), np.sin(angle)])).T
        values += 0.15 * rng.normal(size=(300, 2))
        return fold_of({"a": values}, labels, 200)

    @pytest.mark.parametrize("most", [200, 199])
    def test_finds_rings_by_the_machine_or_what_stands_in_for_it(self, rings, monkeypatch, most):
        monkeypatch.setattr(learners, "MANY_SAMPLES", most)
        monkeypatch.setattr(learners, "LANDMARKS", 60)
        monkeypatch.setattr(learners, "machine" if most == 199 else "landmarks", None)
        side = rings.training
        held_out, said = learners.kernel(side, equal_blocks(side.samples), everyone(side))
        probabilities = said(equal_blocks(rings.tests))
        judged = ~np.isnan(held_out).any(axis=1)
        assert judged.all() == (most == 200)
        assert (held_out.argmax(axis=1) == side.labels)[judged].mean() > 0.95
        assert (probabilities.argmax(axis=1) == rings.labels[rings.test]).mean() > 0.95


def test_experts_of_all_learn_from_filled_gaps(make_task):
    """The regression is that of the filled table, and not of zeros."""
    task = make_task()
    side = task.training
    expert = next(each for each in experts_of_all(side) if each.name == "concat-lr")
    filled = np.hstack(list(filled_to_learn(side).features.values()))
    expected = learners.regression(side, filled, everyone(side))[0]
    np.testing.assert_array_equal(expert.held_out, expected)
    zeros = np.hstack(list(side.samples.features.values()))
    assert not np.allclose(expected, learners.regression(side, zeros, everyone(side))[0], atol=0.01)


class TestMeanKernel:
    def test_one_block_is_the_radial_kernel_of_scikit_learn(self):
        rng = np.random.default_rng(0)
        values, labels = rng.normal(size=(60, 5)), np.arange(60) % 3
        kernel = learners.MeanKernel.of([slice(None)], values)
        found, expected = (fit_machine(values, labels, 3, kernel=k) for k in (kernel, None))
        others = rng.normal(size=(20, 5))
        assert found.scores(others) == pytest.approx(expected.scores(others), abs=2e-3)

    def test_is_a_sum_of_functions_of_each_block(self):
        """So f(a, b) - f(a', b) does not depend on b."""
        rng = np.random.default_rng(0)
        values, labels = rng.normal(size=(80, 4)), np.arange(80) % 2
        kernel = learners.MeanKernel.of([slice(0, 2), slice(2, 4)], values)
        machine = fit_machine(values, labels, 2, kernel=kernel)
        a, b = rng.normal(size=(2, 2)), rng.normal(size=(10, 2))
        scores = [machine.scores(np.hstack([np.tile(row, (10, 1)), b]))[:, 1] for row in a]
        assert np.ptp(scores[0]) > 0.01
        assert np.ptp(scores[0] - scores[1]) < 1e-9


class TestProducts:
    def rows(self, count=200):
        rng = np.random.default_rng(0)
        values = rng.normal(size=(count, 4))
        return values, rng

    def test_within_blocks_no_product_of_two_is_seen(self, fold_of):
        values, _ = self.rows(400)
        labels = (values[:, 0] * values[:, 2] > 0).astype(int)
        side = fold_of({"a": values}, labels, 400).training
        both, _ = learners.products(side, values, everyone(side))
        within, _ = learners.products(side, values, everyone(side), [slice(0, 2), slice(2, 4)])
        assert (both.argmax(axis=1) == labels).mean() > 0.85
        assert (within.argmax(axis=1) == labels).mean() < 0.6

    def test_a_direction_of_rounding_errors_is_left_out(self, fold_of):
        """Fractions sum to 1; a test sample whose empty cell was filled breaks the sum."""
        values, rng = self.rows()
        labels = (values[:, 0] > 0).astype(int)
        fractions = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
        side = fold_of({"a": fractions}, labels, 200).training
        _, said = learners.products(side, fractions, everyone(side))
        broken = fractions.copy()
        broken[:, 3] += 0.02 * rng.random(200)
        assert np.abs(said(broken) - said(fractions)).max() < 0.1


class TestAtPrior:
    def test_the_mean_word_out_of_fold_is_the_prior(self, make_task):
        side = make_task().training
        has = side.samples.has("b")
        for expert in experts_of_modality(side, "b"):
            told = has & ~np.isnan(expert.held_out).any(axis=1)
            assert expert.held_out[told].mean(axis=0) == pytest.approx(side.prior, abs=1e-6)

    @pytest.mark.parametrize("having", [0, 3])
    def test_of_a_class_that_few_have_nothing_is_said(self, fold_of, having):
        rng = np.random.default_rng(0)
        labels = rng.permutation(np.arange(150) % 3)
        available = np.ones((150, 2), dtype=bool)
        available[np.flatnonzero(labels == 2)[having:], 1] = False
        features = {name: rng.normal(size=(150, 4)) for name in "ab"}
        side = fold_of(features, labels, 150, available).training
        has = side.samples.has("b")
        for expert in experts_of_modality(side, "b"):
            said = expert.fitted.predict(side.samples)[has]
            assert said[:, 2] == pytest.approx(np.full(has.sum(), side.prior[2]))
            assert said.sum(axis=1) == pytest.approx(np.ones(has.sum()))

    def test_a_modality_that_all_have_is_left_as_it_is(self, make_task):
        side = make_task().training
        expert = next(iter(experts_of_modality(side, "a")))
        np.testing.assert_array_equal(expert.fitted.weights, np.ones(3))
