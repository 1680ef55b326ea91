"""The pool as a whole: its leaks, interactions between modalities, absence and small classes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss

from balmi.errors import MethodNotApplicable
from balmi.information.mixing import evidence, fit_weights
from balmi.methods.deciding import fit_rule
from balmi.methods.pooled import learners
from balmi.methods.pooled.experts import Access
from balmi.methods.pooled.method import RESTRICTED, Pool, fit_pooled, fit_unimodal_pooled

BOTH = [fit_pooled, fit_unimodal_pooled]


def whole_of(side):
    return fit_pooled(side).whole


def told(fitted, samples):
    """Return the probabilities of a pool, or of several by name."""
    found = fitted.predict(samples)
    if isinstance(found, dict):
        return {name: said.probabilities for name, said in found.items()}
    return found.probabilities


def right(probabilities, labels):
    return balanced_accuracy_score(labels, probabilities.argmax(axis=1))


def check(probabilities, count, classes):
    assert probabilities.shape == (count, classes)
    assert probabilities.min() > 0
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(count))


class TestLeaks:
    def test_the_test_side_changes_nothing_that_is_learned(self, make_task):
        task = make_task()
        rng = np.random.default_rng(0)
        features = {name: values.copy() for name, values in task.features.items()}
        for values in features.values():
            values[task.test] = 50 * rng.normal(size=(30, values.shape[1]))
        labels, available = task.labels.copy(), task.available.copy()
        labels[task.test] = (labels[task.test] + 1) % 3
        available[task.test] = available[task.test][:, ::-1]
        garbled = replace(task, features=features, labels=labels, available=available)
        expected, found = whole_of(task.training), whole_of(garbled.training)
        np.testing.assert_array_equal(found.weights, expected.weights)
        np.testing.assert_array_equal(found.held_out, expected.held_out)
        assert found.rule.power == expected.rule.power
        np.testing.assert_array_equal(told(found, task.tests), told(expected, task.tests))

    @pytest.mark.parametrize("fit", BOTH)
    def test_samples_are_predicted_each_for_itself(self, make_task, fit):
        task = make_task()
        pool, tests = fit(task.training), task.tests

        def said(samples):
            return next(iter(told(pool, samples).values()))

        whole = said(tests)
        assert 0 < tests.has("b").sum() < 30
        order = np.random.default_rng(0).permutation(30)
        assert said(tests.take(order)) == pytest.approx(whole[order], abs=1e-9)
        for row in range(0, 30, 5):
            assert said(tests.take(np.array([row]))) == pytest.approx(whole[[row]], abs=1e-9)

    def test_noise_is_not_worse_than_the_prior(self, fold_of):
        """Nor is it said to be better: held-out predictions do not know their labels."""
        rng = np.random.default_rng(0)
        labels = rng.permutation(np.arange(400) % 2)
        features = {"a": rng.normal(size=(400, 20)), "b": rng.normal(size=(400, 10))}
        task = fold_of(features, labels, 150)
        pool = whole_of(task.training)
        assert log_loss(labels[150:], told(pool, task.tests)) < np.log(2) + 0.03
        assert log_loss(labels[:150], pool.held_out) > np.log(2) - 0.05


class TestInteractions:
    """Neither modality says anything by itself; together they say it all."""

    def labels(self, kind, a, b):
        if kind == "agree":
            return (np.abs(a - b) < 0.95).astype(int)
        return (a * b > 0).astype(int)

    @pytest.mark.parametrize("kind", ["signs", "product", "agree"])
    def test_are_found_and_not_silenced(self, fold_of, kind):
        rng = np.random.default_rng(1)
        a, b = rng.normal(size=(500, 3)), rng.normal(size=(500, 3))
        if kind == "signs":
            a[:, 0] = rng.choice([-1, 1], 500) + 0.2 * a[:, 0].clip(-2, 2)
            b[:, 0] = rng.choice([-1, 1], 500) + 0.2 * b[:, 0].clip(-2, 2)
        labels = self.labels(kind, a[:, 0], b[:, 0])
        task = fold_of({"a": a, "b": b}, labels, 200)
        assert 0.4 < labels.mean() < 0.6
        tests, pool = labels[200:], whole_of(task.training)
        found = told(pool, task.tests)
        assert right(found, tests) > 0.8
        single = told(fit_unimodal_pooled(task.training), task.tests)
        assert right(single["unimodal-pooled"], tests) < 0.6
        # Nor do they say anything by sums of what each of them says.
        for restricted in fit_pooled(task.training).restricted.values():
            # Far from the mean of either, two modalities agree less often.
            assert right(told(restricted, task.tests), tests) < (0.7 if kind == "agree" else 0.6)
        # The pool is about as good as the best of its experts.
        best = min(log_loss(tests, each.fitted.predict(task.tests)) for each in pool.experts)
        assert log_loss(tests, found) < best + 0.05

    def test_signals_that_add_up_are_added(self, fold_of):
        rng = np.random.default_rng(2)
        labels = rng.permutation(np.arange(500) % 2)
        sign = 2 * labels[:, None] - 1
        features = {n: rng.normal(size=(500, 4)) + 0.6 * sign * np.eye(4)[0] for n in "abc"}
        task = fold_of(features, labels, 200)
        found = told(whole_of(task.training), task.tests)
        single = told(fit_unimodal_pooled(task.training), task.tests)
        assert (
            log_loss(labels[200:], found) < log_loss(labels[200:], single["unimodal-pooled"]) - 0.1
        )


class TestAbsence:
    @pytest.fixture
    def telling(self, fold_of):
        """Noise; 9 of 10 samples of a class have b, and 4 of 10 of the other."""
        rng = np.random.default_rng(2)
        labels = rng.permutation(np.arange(900) % 2)
        available = np.ones((900, 2), dtype=bool)
        available[:, 1] = rng.random(900) < np.where(labels == 1, 0.9, 0.4)
        features = {"a": rng.normal(size=(900, 5)), "b": rng.normal(size=(900, 5))}
        return fold_of(features, labels, 200, available)

    OF_ALL = frozenset({"concat-lr", "concat-forest", "concat-svm", "concat-products"})

    def knowing(self, task):
        """Return who is better than the class frequencies by more than .02 nats."""
        tests, pool = task.labels[task.test], whole_of(task.training)
        said = {each.name: each.fitted.predict(task.tests) for each in pool.experts}
        said["pooled"] = told(pool, task.tests)
        said |= told(fit_unimodal_pooled(task.training), task.tests)
        assert len(said) == 19
        assert said.keys() >= self.OF_ALL
        prior = log_loss(tests, np.tile(task.prior, (len(tests), 1)))
        return {name for name, each in said.items() if log_loss(tests, each) < prior - 0.02}

    def test_who_lacks_what_tells_nothing_to_whoever_fills_gaps(self, telling):
        assert not self.knowing(telling) & self.OF_ALL

    def test_who_lacks_what_tells_nothing(self, telling):
        assert self.knowing(telling) == set()

    @pytest.mark.parametrize("fit", BOTH)
    def test_samples_that_have_one_modality_are_predicted_by_it(self, make_task, fit):
        task = make_task(lacking=False)
        rng, signal = np.random.default_rng(0), 2.5 * np.eye(3)[task.labels]
        task = replace(task, features={n: rng.normal(size=(90, 3)) + signal for n in "ab"})
        pool, labels = fit(task.training), task.labels[task.test]
        for column in (0, 1):
            available = np.arange(2)[None] == np.full((90, 1), column)
            features = {
                name: values * available[:, [i]]
                for i, (name, values) in enumerate(task.features.items())
            }
            found = told(pool, replace(task, features=features, available=available).tests)
            found = found.get("pooled", found.get("unimodal-pooled/" + "ab"[column]))
            check(found, 30, 3)
            assert right(found, labels) > 0.75

    def test_an_expert_of_an_absent_modality_adds_nothing(self, make_task):
        task = make_task()
        side = task.training
        whole = whole_of(side)
        of_b = [each.modality == "b" for each in whole.experts]
        assert sum(of_b) == 4
        kept = [each for each, out in zip(whole.experts, of_b, strict=True) if not out]
        weights = whole.weights[~np.array(of_b)]
        rest = replace(whole, experts=tuple(kept), weights=weights)
        lacks = ~task.tests.has("b")
        found, expected = told(whole, task.tests), told(rest, task.tests)
        assert found[lacks] == pytest.approx(expected[lacks])
        assert whole.weights[of_b].sum() > 0.01
        assert not np.allclose(found[~lacks], expected[~lacks], atol=1e-3)


class TestClasses:
    def test_two_classes(self, make_task):
        task = make_task(classes=2)
        task = replace(task, labels=task.labels % 2)
        check(told(whole_of(task.training), task.tests), 30, 2)

    @pytest.mark.parametrize("members", [0, 1, 2])
    @pytest.mark.parametrize("fit", BOTH)
    def test_a_class_of_few_members(self, make_task, fit, members):
        task = make_task()
        labels = np.arange(90) % 2
        labels[task.fit[:members]] = 2
        task = replace(task, labels=labels)
        assert (task.training.labels == 2).sum() == members
        pool = fit(task.training)
        for said in told(pool, task.tests).values():
            check(said, 30, 3)
            assert said[:, 2].mean() < 0.2

    @pytest.mark.parametrize("counts", [(11, 1), (10, 2), (4, 4, 4), (5, 5, 1, 1), (2, 1)])
    def test_a_cohort_of_a_dozen(self, fold_of, counts):
        rng = np.random.default_rng(0)
        classes, learn = len(counts), sum(counts)
        labels = rng.permutation(np.repeat(np.arange(classes), counts))
        labels = np.concatenate([labels, np.zeros(4, dtype=int)])
        count = len(labels)
        features = {"a": rng.normal(size=(count, 30)), "b": rng.normal(size=(count, 20))}
        available = np.column_stack([np.ones(count, dtype=bool), rng.random(count) > 0.4])
        task = fold_of(features, labels, learn, available, classes=classes)
        check(told(whole_of(task.training), task.tests), 4, classes)

    @pytest.fixture
    def of_one_group(self, fold_of):
        """Three classes far apart, of seven groups; one has all training samples of class 2."""
        rng = np.random.default_rng(0)
        groups = rng.permutation(np.repeat(np.arange(7), 50))
        labels = np.where(groups == 6, 2, np.arange(350) % 2)
        labels[250:] = np.arange(100) % 3
        features = {n: rng.normal(size=(350, 5)) + 3 * np.eye(5)[labels] for n in "ab"}
        return fold_of(features, labels, 250, groups=groups.astype(str))

    @pytest.mark.parametrize("fit", BOTH)
    def test_a_class_of_one_group(self, of_one_group, fit):
        """Whoever says of its members out of fold has never seen the class."""
        side, tests = of_one_group.training, of_one_group.tests
        assert any(2 not in side.labels[rest] for rest, _ in side.base_folds)
        fitted = fit(side)
        for pool in fitted.pools.values() if fit is fit_unimodal_pooled else [fitted.whole]:
            np.testing.assert_array_equal(pool.judged, side.labels < 2)
            found = told(pool, tests)
            check(found, 100, 3)
            assert right(found, of_one_group.labels[250:]) > 0.9

    @pytest.mark.parametrize("fit", BOTH)
    def test_one_group_is_refused(self, make_task, fit):
        with pytest.raises(MethodNotApplicable, match="only one group in a training part"):
            fit(make_task(groups=np.full(90, "the one")).training)

    def test_no_expert_is_the_smoothed_prior(self, make_task):
        task = make_task()
        expected = (np.bincount(task.training.labels, minlength=3) + 0.5) / 61.5
        pool = Pool.of([], task.training)
        assert told(pool, task.tests) == pytest.approx(np.tile(expected, (30, 1)))
        assert pool.held_out == pytest.approx(np.tile(expected, (60, 1)))


class TestOnePool:
    def test_names_and_choice(self, make_task):
        """b is noise in training and perfect on tests: a is chosen."""
        task = make_task(lacking=False)
        b = np.random.default_rng(0).normal(size=(90, 3))
        b[task.test] = 10 * np.eye(3)[task.labels[task.test]]
        task = replace(task, features={**task.features, "b": b})
        found = told(fit_unimodal_pooled(task.training), task.tests)
        names = ["unimodal-pooled", "unimodal-pooled/a", "unimodal-pooled/b"]
        assert list(found) == names
        assert found["unimodal-pooled"] is found["unimodal-pooled/a"]

    def test_who_lacks_the_best_is_told_by_the_next(self, make_task):
        """Some lack b, which is the better one here."""
        task = make_task()
        b = task.features["b"] + 3 * np.eye(4)[task.labels]
        task = replace(task, features={**task.features, "b": b})
        fitted = fit_unimodal_pooled(task.training)
        found = told(fitted, task.tests)
        first, second = fitted.ranking
        assert first == "b"
        has = task.tests.has(first)
        assert 0 < has.sum() < len(has)
        best = np.where(
            has[:, None], found[f"unimodal-pooled/{first}"], found[f"unimodal-pooled/{second}"]
        )
        np.testing.assert_array_equal(found["unimodal-pooled"], best)

    def test_the_rule_is_chosen_for_what_the_best_say_out_of_fold(self, make_task):
        task = make_task()
        fitted = fit_unimodal_pooled(task.training)
        first, second = (fitted.pools[name] for name in fitted.ranking)
        has = task.training.samples.has(fitted.ranking[0])
        said = np.where(has[:, None], first.held_out, second.held_out)
        known = np.where(has, first.judged, second.judged)
        assert fitted.rule.power == fit_rule(said[known], first.prior).power


class TestDecision:
    def test_is_that_of_the_largest_expected_macro_f1(self, make_task):
        task = make_task()
        pool = whole_of(task.training)
        expected = fit_rule(pool.held_out[pool.judged], pool.prior)
        assert pool.rule.power == expected.power
        said = pool.predict(task.tests)
        np.testing.assert_array_equal(said.classes, expected.classes(said.probabilities))

    def test_rare_classes_are_predicted(self, fold_of):
        """One in ten is of the class, and features tell little: it is never the most probable."""
        rng = np.random.default_rng(0)
        labels = (rng.random(900) < 0.1).astype(int)
        a = rng.normal(size=(900, 3)) + 1.2 * labels[:, None] * np.eye(3)[0]
        task = fold_of({"a": a, "b": rng.normal(size=(900, 3))}, labels, 300)
        said = whole_of(task.training).predict(task.tests)
        assert said.probabilities.argmax(axis=1).mean() < 0.05
        assert 0.05 < said.classes.mean() < 0.5
        tests = labels[300:]
        assert (
            balanced_accuracy_score(tests, said.classes) > right(said.probabilities, tests) + 0.05
        )


class TestRestricted:
    def test_pools_have_the_experts_of_their_level(self, make_task):
        task = make_task()
        fitted = fit_pooled(task.training)
        assert list(fitted.restricted) == list(RESTRICTED)
        for name, access in RESTRICTED.items():
            kept = [each.name for each in fitted.whole.experts if each.access <= access]
            assert [each.name for each in fitted.restricted[name].experts] == kept
        linear = {"linear/a", "linear/b", "stacked", "concat-lr"}
        assert {each.name for each in fitted.restricted["pooled/linear"].experts} == linear
        assert all(
            each.access < Access.JOINT for each in fitted.restricted["pooled/additive"].experts
        )

    def test_all_are_said_at_once_as_each_says_alone(self, make_task):
        task = make_task()
        fitted = fit_pooled(task.training)
        found = told(fitted, task.tests)
        assert list(found) == ["pooled", *RESTRICTED]
        np.testing.assert_array_equal(found["pooled"], told(fitted.whole, task.tests))
        for name, pool in fitted.restricted.items():
            np.testing.assert_array_equal(found[name], told(pool, task.tests))


class TestManySamples:
    def test_are_weighed_on_those_that_no_expert_has_learned_from(self, make_task, monkeypatch):
        side = make_task(lacking=False).training
        usual = whole_of(side)
        monkeypatch.setattr(learners, "MANY_SAMPLES", 30)
        pool = whole_of(side)
        assert len(pool.experts) == len(usual.experts)
        assert np.isfinite(pool.held_out).all()
        here = side.base_folds[0][1]
        np.testing.assert_array_equal(np.flatnonzero(pool.judged), here)
        said = np.array([each.held_out[here] for each in pool.experts])
        expected = fit_weights(evidence(said, pool.prior), side.labels[here], pool.prior)
        assert pool.weights == pytest.approx(expected)
        assert (told(pool, make_task(lacking=False).tests).argmax(axis=1) >= 0).all()

    def test_modalities_are_chosen_where_all_experts_are_judged(self, fold_of, monkeypatch):
        """Of a, only experts that are judged on a fold know; the regression of b knows a little."""
        rng = np.random.default_rng(0)
        labels = rng.permutation(np.arange(400) % 2)
        radius = 1 + 1.5 * labels
        angle = rng.uniform(0, 2 * np.pi, 400)
        a = (radius * np.array([np.cos(angle), np.sin(angle)])).T + 0.2 * rng.normal(size=(400, 2))
        b = rng.normal(size=(400, 3)) + 0.7 * labels[:, None] * np.eye(3)[0]
        task = fold_of({"a": a, "b": b}, labels, 300)
        monkeypatch.setattr(learners, "MANY_SAMPLES", 150)
        assert fit_unimodal_pooled(task.training).ranking[0] == "a"
