"""Peers against the same computations written with scikit-learn alone, and their leaks."""

from dataclasses import replace

import numpy as np
import pytest
from fold_task import FoldTask, said
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from balmi.config.methods import METHODS, NETWORKS
from balmi.config.settings import Method
from balmi.errors import MethodNotApplicable
from balmi.methods.peers import side as side_module
from balmi.methods.peers.registry import PEERS


def lr():
    return LogisticRegression(C=0.1, max_iter=5000, tol=1e-8)


def close(expected):
    """Both solvers stop near the optimum, and not on the same side of it."""
    return pytest.approx(expected, abs=5e-3)


def inner(seed=3):
    return StratifiedKFold(5, shuffle=True, random_state=seed)


def logs(parts):
    return np.log(np.maximum(np.hstack(parts), 1e-6))


class TestAgainstScikitLearn:
    """Complete samples: every peer is a few lines of scikit-learn."""

    @pytest.fixture
    def task(self, make_task):
        return make_task(lacking=False)

    def test_concat(self, task):
        x, y = np.hstack([task.features["a"], task.features["b"]]), task.labels
        expected = lr().fit(x[task.fit], y[task.fit]).predict_proba(x[task.test])
        assert said("concat-lr", task)["concat-lr"] == close(expected)

    def test_late_fusion(self, task):
        y = task.labels[task.fit]
        each = [
            lr().fit(x[task.fit], y).predict_proba(x[task.test]) for x in task.features.values()
        ]
        found = said("late-fusion", task)["late-fusion"]
        assert found == close((each[0] + each[1]) / 2)

    def test_stacked(self, task):
        y, held_out, outer = task.labels[task.fit], [], []
        for x in task.features.values():
            held_out.append(
                cross_val_predict(lr(), x[task.fit], y, cv=inner(), method="predict_proba")
            )
            outer.append(lr().fit(x[task.fit], y).predict_proba(x[task.test]))
        expected = lr().fit(logs(held_out), y).predict_proba(logs(outer))
        assert said("stacked-lr", task)["stacked-lr"] == close(expected)

    def test_unimodal(self, task):
        y, losses, found = task.labels[task.fit], {}, said("unimodal-lr", task)
        for name, x in task.features.items():
            held_out = cross_val_predict(lr(), x[task.fit], y, cv=inner(), method="predict_proba")
            losses[name] = log_loss(y, held_out)
            expected = lr().fit(x[task.fit], y).predict_proba(x[task.test])
            assert found[f"unimodal-lr/{name}"] == close(expected)
        assert list(found) == ["unimodal-lr", "unimodal-lr/a", "unimodal-lr/b"]
        best = min(losses, key=losses.get)
        assert found["unimodal-lr"] is found[f"unimodal-lr/{best}"]

    def test_every_configured_peer_is_here(self):
        assert set(PEERS) == set(METHODS) - set(NETWORKS)


class TestAbsentModality:
    @pytest.fixture
    def task(self, make_task):
        return make_task()

    def has(self, task, rows):
        return task.available[rows, 1]

    def prior(self, task):
        return np.bincount(task.labels[task.fit], minlength=3) / len(task.fit)

    def of_b(self, task):
        """Predictions of modality b, learned from those who have it."""
        learn = task.fit[self.has(task, task.fit)]
        x = task.features["b"]
        return lr().fit(x[learn], task.labels[learn]).predict_proba(x[task.test])

    def test_some_lack_b_on_both_sides(self, task):
        assert 0 < self.has(task, task.fit).sum() < 60
        assert 0 < self.has(task, task.test).sum() < 30

    def test_unimodal_gives_the_training_prior(self, task):
        found = said("unimodal-lr", task)["unimodal-lr/b"]
        has = self.has(task, task.test)
        assert found[~has] == pytest.approx(np.tile(self.prior(task), ((~has).sum(), 1)))
        assert found[has] == close(self.of_b(task)[has])

    def test_late_fusion_skips_it(self, task):
        found = said("late-fusion", task)["late-fusion"]
        alone = said("unimodal-lr", task)
        has = self.has(task, task.test)
        assert found[~has] == pytest.approx(alone["unimodal-lr/a"][~has])
        both = (alone["unimodal-lr/a"] + alone["unimodal-lr/b"]) / 2
        assert found[has] == pytest.approx(both[has])

    def test_concat_sees_the_mean(self, task):
        x = np.hstack(list(task.features.values()))
        assert not x[~task.available[:, 1], 6:].any()
        expected = lr().fit(x[task.fit], task.labels[task.fit]).predict_proba(x[task.test])
        assert said("concat-lr", task)["concat-lr"] == close(expected)

    def test_stacked_sees_the_prior(self, task):
        y, held_out = task.labels, []
        for column, x in enumerate(task.features.values()):
            part = np.tile(self.prior(task), (60, 1))
            for learn, rows in inner().split(task.fit, y[task.fit]):
                mine = task.fit[learn][task.available[task.fit[learn], column]]
                model = lr().fit(x[mine], y[mine])
                for row in rows:
                    if task.available[task.fit[row], column]:
                        part[row] = model.predict_proba(x[[task.fit[row]]])[0]
            assert task.held_out("ab"[column]) == close(part)
            held_out.append(part)
        alone = said("unimodal-lr", task)
        outer = logs([alone["unimodal-lr/a"], alone["unimodal-lr/b"]])
        expected = lr().fit(logs(held_out), y[task.fit]).predict_proba(outer)
        assert said("stacked-lr", task)["stacked-lr"] == close(expected)

    def test_features_of_samples_that_lack_it_are_not_read(self, task):
        garbled = {name: x.copy() for name, x in task.features.items()}
        garbled["b"][~task.available[:, 1]] = 1e3
        other = replace(task, features=garbled)
        for peer in ("stacked-lr", "unimodal-lr", "late-fusion"):
            found, expected = said(peer, other), said(peer, task)
            for name in expected:
                np.testing.assert_array_equal(found[name], expected[name])

    def test_a_modality_without_features_is_the_prior(self, task):
        empty = {**task.features, "c": np.zeros((90, 0))}
        other = replace(
            task, features=empty, available=np.column_stack([task.available, np.ones(90, bool)])
        )
        prior = np.tile(self.prior(task), (30, 1))
        assert said("unimodal-lr", other)["unimodal-lr/c"] == pytest.approx(prior)
        for peer in PEERS:
            for probabilities in said(peer, other).values():
                assert probabilities.sum(axis=1) == pytest.approx(np.ones(30))

    def test_a_modality_of_no_training_sample_is_the_prior(self, task):
        available = task.available.copy()
        available[task.fit, 1] = False
        other = replace(task, available=available)
        found = said("unimodal-lr", other)["unimodal-lr/b"]
        assert found == pytest.approx(np.tile(self.prior(task), (30, 1)))
        for peer in PEERS:
            for probabilities in said(peer, other).values():
                assert probabilities.sum(axis=1) == pytest.approx(np.ones(30))


class TestOneClass:
    """All training samples are of class 1 of three."""

    @pytest.fixture
    def task(self, make_task):
        return replace(make_task(), labels=np.ones(90, dtype=int))

    @pytest.mark.parametrize("peer", PEERS)
    def test_is_what_a_peer_says_if_it_says_anything(self, task, peer):
        refusing = {"stacked-lr", "stacked-lr-balanced", "unimodal-lr", "vcdn"}
        if peer in refusing:
            with pytest.raises(MethodNotApplicable, match="fewer than 2 members"):
                said(peer, task)
            return
        found = said(peer, task)[peer]
        assert (found.argmax(axis=1) == 1).all()
        assert found.sum(axis=1) == pytest.approx(np.ones(30))


ANY = [(peer, lacking) for peer in PEERS for lacking in (True, False)]
ANY.remove((Method.ABSENCE_LR, False))


@pytest.mark.parametrize(("peer", "lacking"), ANY)
def test_probabilities(make_task, peer, lacking):
    for probabilities in said(peer, make_task(lacking)).values():
        assert probabilities.shape == (30, 3)
        assert probabilities.min() >= 0
        assert probabilities.max() <= 1
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(30))


class TestLeaks:
    @pytest.mark.parametrize("peer", PEERS)
    def test_labels_of_test_samples_are_not_read(self, make_task, peer):
        task = make_task()
        labels = task.labels.copy()
        labels[task.test] = (labels[task.test] + 1) % 3
        found, expected = said(peer, replace(task, labels=labels)), said(peer, task)
        assert list(found) == list(expected)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])

    @pytest.mark.parametrize("peer", PEERS)
    def test_a_test_sample_changes_only_its_own_prediction(self, make_task, peer):
        task = make_task()
        features = {name: x.copy() for name, x in task.features.items()}
        for x in features.values():
            x[task.test[4]] = 30.0
        found, expected = said(peer, replace(task, features=features)), said(peer, task)
        others = np.arange(30) != 4
        for name in expected:
            np.testing.assert_array_equal(found[name][others], expected[name][others])

    def test_held_out_predictions_do_not_know_their_label(self, make_task):
        """Noise in 400 features can be memorised: in sample nearly all is right, held out not."""
        noise = {"a": np.random.default_rng(1).normal(size=(90, 400))}
        task = make_task(lacking=False, features=noise)
        y = task.labels[task.fit]
        in_sample = task.of_fit("a")
        held_out = task.held_out("a")
        assert (in_sample.argmax(axis=1) == y).mean() > 0.95
        assert (held_out.argmax(axis=1) == y).mean() < 0.55
        assert log_loss(y, held_out) > 0.9

    def test_stacking_trusts_no_memorised_modality(self, make_task):
        """Beside a weak real modality, one of noise with many features gets little weight."""
        task = make_task(lacking=False)
        rng = np.random.default_rng(1)
        task = replace(
            task, features={"real": task.features["a"], "noise": rng.normal(size=(90, 400))}
        )
        y = task.labels[task.fit]
        rows = [task.of_fit(name) for name in task.features]
        outer = [task.of_tests(name) for name in task.features]
        memorised = lr().fit(logs(rows), y).predict_proba(logs(outer))
        loss = {
            "stacked": log_loss(task.labels[task.test], said("stacked-lr", task)["stacked-lr"]),
            "in sample": log_loss(task.labels[task.test], memorised),
        }
        assert loss["stacked"] < loss["in sample"] - 0.1

    def test_the_best_modality_is_chosen_inside_the_training_part(self, make_task):
        """b is perfect on test samples and noise in training: a is chosen."""
        task = make_task(lacking=False)
        rng = np.random.default_rng(0)
        b = rng.normal(size=(90, 3))
        b[task.test] = 10 * np.eye(3)[task.labels[task.test]]
        found = said("unimodal-lr", replace(task, features={**task.features, "b": b}))
        assert found["unimodal-lr"] is found["unimodal-lr/a"]

    def test_and_not_by_how_well_it_is_memorised(self, make_task):
        task = make_task(lacking=False)
        noise = np.random.default_rng(0).normal(size=(90, 400))
        features = {"noise": noise, "a": task.features["a"]}
        found = said("unimodal-lr", replace(task, features=features))
        assert found["unimodal-lr"] is not found["unimodal-lr/noise"]


class TestInnerFolds:
    def test_part_the_training_side(self, make_task):
        side = make_task().training
        folds = side.inner_folds
        assert len(folds) == 5
        held_out = np.concatenate([rows for _, rows in folds])
        assert sorted(held_out) == list(range(60))
        for learn, rows in folds:
            assert sorted(np.concatenate([learn, rows])) == list(range(60))
            assert set(np.bincount(side.labels[rows])) <= {3, 4, 5}

    def test_groups_stay_together(self, make_task):
        groups = np.array([f"patient-{i // 3}" for i in range(90)])
        side = make_task(groups=groups).training
        folds = side.inner_folds
        assert len(folds) == 5
        for learn, rows in folds:
            assert not set(side.groups[learn]) & set(side.groups[rows])
        assert sorted(np.concatenate([rows for _, rows in folds])) == list(range(60))

    def test_without_groups_they_would_not(self, make_task):
        groups = np.array([f"patient-{i // 3}" for i in range(90)])
        task = make_task()
        own = groups[task.fit]
        assert any(set(own[learn]) & set(own[rows]) for learn, rows in task.training.inner_folds)

    def test_copies_of_a_patient_do_not_help_held_out_predictions(self, make_task):
        """Noise, three copies of every patient: with groups nothing is found."""
        rng = np.random.default_rng(0)
        patients = np.repeat(np.arange(30), 3)
        features = {"a": rng.normal(size=(30, 60))[patients]}
        labels = rng.permutation(np.arange(30) % 3)[patients]
        fit, test = np.arange(75), np.arange(75, 90)
        parts = {"features": features, "labels": labels, "fit": fit, "test": test}
        aware = make_task(lacking=False, groups=patients.astype(str), **parts)
        blind = make_task(lacking=False, **parts)
        right = [
            (task.held_out("a").argmax(axis=1) == labels[fit]).mean() for task in (aware, blind)
        ]
        assert right[0] < 0.55
        assert right[1] > 0.95

    def test_fewer_folds_for_rare_classes(self, make_task):
        task = make_task()
        labels = task.labels.copy()
        labels[task.fit] = np.arange(60) % 2
        labels[task.fit[:3]] = 2
        side = replace(task, labels=labels).training
        assert len(side.inner_folds) == 3
        assert all((side.labels[rows] == 2).sum() == 1 for _, rows in side.inner_folds)

    def test_fewer_folds_of_many_samples(self, make_task, monkeypatch):
        for most, folds in ((60, 5), (59, 3)):
            monkeypatch.setattr(side_module, "MANY_SAMPLES", most)
            assert len(make_task().training.inner_folds) == folds

    @pytest.mark.parametrize("members", [0, 1])
    @pytest.mark.parametrize(
        "peer", ["stacked-lr", "stacked-lr-balanced", "unimodal-lr", "concat-svm", "vcdn"]
    )
    def test_not_applicable_without_two_members(self, make_task, peer, members):
        task = make_task()
        labels = np.arange(90) % 2
        labels[task.fit[:members]] = 2
        with pytest.raises(MethodNotApplicable, match="fewer than 2 members in a training part"):
            said(peer, replace(task, labels=labels))

    @pytest.mark.parametrize("members", [0, 1])
    @pytest.mark.parametrize(
        "peer",
        [
            *("majority", "concat-lr", "concat-lr-balanced", "concat-forest", "concat-boosting"),
            *("late-fusion", "snf"),
        ],
    )
    def test_peers_without_inner_folds_still_run(self, make_task, peer, members):
        task = make_task()
        labels = 1 + np.arange(90) % 2
        labels[task.fit[:members]] = 0
        found = said(peer, replace(task, labels=labels))[peer]
        assert found.shape == (30, 3)
        assert found.sum(axis=1) == pytest.approx(np.ones(30))
        if peer not in {"concat-lr-balanced", "snf"} or not members:
            assert found[:, 0].max() < (0.3 if members else 0.05)

    def test_a_class_that_an_inner_part_lacks(self, make_task):
        """All of class 2 is one patient: held out it has probability 0, and stacking goes on."""
        groups = np.array([f"patient-{i:02d}" for i in range(90)])
        task = make_task(lacking=False)
        labels = np.arange(90) % 2
        labels[task.fit[:4]] = 2
        groups[task.fit[:4]] = "the one"
        task = replace(task, labels=labels, groups=groups)
        held_out = task.held_out("a")
        assert (held_out[:4, 2] == 0).all()
        assert (held_out[4:, 2] > 0).any()
        found = said("stacked-lr", task)["stacked-lr"]
        assert np.isfinite(found).all()
        assert found.sum(axis=1) == pytest.approx(np.ones(30))


def test_majority_is_the_prior(make_task):
    task = make_task()
    assert said("majority", task)["majority"] == pytest.approx(np.tile(task.prior, (30, 1)))


def test_prior_is_of_the_training_side():
    labels = np.array([0, 0, 0, 1, 2, 2, 2, 2])
    task = FoldTask(
        features={},
        available=np.ones((8, 0), dtype=bool),
        labels=labels,
        groups=None,
        classes=4,
        fit=np.arange(4),
        test=np.arange(4, 8),
        seed=0,
    )
    assert task.prior == pytest.approx([0.75, 0.25, 0, 0])
