"""The single modality that is taken for the best, and whom it tells of."""

from typing import ClassVar

import numpy as np
import pytest
from fold_task import said

from balmi.errors import MethodNotApplicable
from balmi.methods.peers.absence import needs_absence
from balmi.methods.peers.choice import FEWEST_JUDGED, _share, by_the_best, log_losses, ranked
from balmi.preprocess.fitted import Samples


def task_of(make_task, available, strong=3.0, weak=1.6, **changes):
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.arange(90) % 3)
    features = {
        "weak": rng.normal(size=(90, 4)) + weak * np.eye(4)[labels],
        "strong": rng.normal(size=(90, 4)) + strong * np.eye(4)[labels],
    }
    return make_task(features=features, available=available, labels=labels, **changes)


def test_log_losses_by_hand():
    found = log_losses(np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([0, 1]))
    assert found == pytest.approx([np.log(4), np.log(2)])


def order(task):
    """Return the modalities by what their regressions say, the best first."""
    side = task.training
    return ranked(side, {name: side.held_out(name) for name in side.modalities})


def test_a_strong_modality_of_few_samples_is_better_than_a_weak_one_of_all(make_task):
    available = np.ones((90, 2), dtype=bool)
    available[np.random.default_rng(2).permutation(90)[:55], 1] = False
    task = task_of(make_task, available)
    labels = task.labels[task.fit]
    over_all = {name: log_losses(task.held_out(name), labels).mean() for name in task.features}
    assert over_all["weak"] < over_all["strong"]  # what the samples without it would decide
    assert order(task) == ("strong", "weak")


def test_modalities_that_nobody_shares_are_judged_on_their_own_samples(make_task):
    available = np.zeros((90, 2), dtype=bool)
    available[::2, 0] = available[1::2, 1] = True
    assert order(task_of(make_task, available)) == ("strong", "weak")


def test_a_modality_of_one_class_gains_nothing_by_it(make_task):
    """Who has `first` is always of one class: its own samples hold nothing to tell apart."""
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.arange(90) % 3)
    features = {"first": rng.normal(size=(90, 3)), "second": rng.normal(size=(90, 3))}
    features["second"] += 1.5 * np.eye(3)[labels]
    available = np.column_stack([labels == 0, labels != 0])
    assert order(make_task(features=features, available=available, labels=labels)) == (
        "second",
        "first",
    )


def test_a_few_samples_that_have_everything_decide_nothing(make_task):
    """What all have is strong; of the third that has the other, noise reads better by chance."""
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.arange(90) % 2)
    features = {"all": rng.normal(size=(90, 3)), "some": rng.normal(size=(90, 3))}
    features["all"] += 2.5 * np.eye(3)[labels]
    available = np.column_stack([np.ones(90, dtype=bool), rng.random(90) < 0.33])
    task = make_task(features=features, available=available, labels=labels, classes=2)
    assert order(task) == ("all", "some")


class TestShare:
    def test_by_hand(self):
        """Two of four right at .9, both classes equally frequent, whose uncertainty is ln 2."""
        said = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])
        found = _share(said, np.array([0, 1, 1, 0]), 2, whole=True)
        assert found == pytest.approx(1 + (np.log(0.9) + np.log(0.1)) / 2 / np.log(2))

    def test_frequencies_gain_nothing_where_some_are_judged(self):
        labels = np.array([0, 0, 0, 1])
        said = np.tile([0.5, 0.5], (4, 1))  # those of all samples
        assert _share(said, labels, 2, whole=False) == pytest.approx(0)
        assert _share(said, labels, 2, whole=True) < -0.1

    def test_what_nobody_has_comes_last(self, make_task):
        available = np.ones((90, 2), dtype=bool)
        available[:, 1] = False
        assert order(task_of(make_task, available)) == ("weak", "strong")
        for labels in (np.zeros(0, dtype=int), np.zeros(3, dtype=int)):
            assert _share(np.full((len(labels), 2), 0.5), labels, 2, whole=False) == -np.inf

    def test_what_few_have_comes_after_the_others(self, make_task):
        available = np.ones((90, 2), dtype=bool)
        available[FEWEST_JUDGED - 1 :, 1] = False
        task = task_of(make_task, available, strong=8.0)
        assert order(task) == ("weak", "strong")

    def test_where_classes_are_more_even_a_modality_is_no_better_for_it(self, make_task):
        """All cases and a tenth of the controls have `some`, which tells less than `all` does."""
        first = []
        for seed in range(4):
            rng = np.random.default_rng(seed)
            labels = (np.arange(600) % 10 == 0).astype(int)
            features = {name: rng.normal(size=(600, 5)) for name in ("all", "some")}
            for name, shift in (("all", 2.5), ("some", 1.5)):
                features[name][:, 0] += shift * labels
            has = (labels == 1) | (rng.random(600) < 0.1)
            available = np.column_stack([np.ones(600, dtype=bool), has])
            parts = {"fit": np.arange(0, 400), "test": np.arange(400, 600)}
            task = make_task(
                features=features, available=available, labels=labels, classes=2, **parts
            )
            first.append(order(task)[0])
        assert first == ["all"] * 4


class TestByTheBest:
    SAID: ClassVar = {name: np.full((4, 2), value) for name, value in (("a", 0.1), ("b", 0.2))}

    def told(self, ranking, available):
        samples = Samples({name: np.zeros((4, 1)) for name in self.SAID}, np.array(available))
        return by_the_best(ranking, self.SAID, samples)

    def test_every_sample_is_told_by_the_best_that_it_has(self):
        available = [[True, True], [True, False], [False, True], [False, False]]
        assert self.told(("b", "a"), available)[:, 0].tolist() == [0.2, 0.1, 0.2, 0.2]
        assert self.told(("a", "b"), available)[:, 0].tolist() == [0.1, 0.1, 0.2, 0.1]

    def test_where_all_have_the_best_it_is_what_that_says(self):
        assert self.told(("a", "b"), [[True, False]] * 4) is self.SAID["a"]


def test_absence_lr_predicts_the_class_that_lacks_a_modality(make_task):
    labels = np.arange(90) % 3
    available = np.column_stack([np.ones(90, dtype=bool), labels != 2])
    task = make_task(available=available, labels=labels)
    found = said("absence-lr", task)["absence-lr"]
    lacks = ~available[task.test, 1]
    assert (found[lacks].argmax(axis=1) == 2).all()
    assert (found[~lacks, 2] < 0.2).all()


def test_absence_lr_tells_a_pattern_that_no_single_modality_tells(make_task):
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 2, (2, 90)).astype(bool)
    task = make_task(
        available=np.column_stack([first, second]), labels=(first ^ second).astype(int), classes=2
    )
    found = said("absence-lr", task)["absence-lr"].argmax(axis=1)
    assert (found == task.labels[task.test]).all()


def test_absence_lr_sees_no_measurement(make_task):
    task = make_task()
    other = make_task(features={name: x + 5 for name, x in task.features.items()})
    assert said("absence-lr", task)["absence-lr"] == pytest.approx(
        said("absence-lr", other)["absence-lr"]
    )


def test_absence_lr_needs_absence(make_task):
    with pytest.raises(MethodNotApplicable, match="every sample has every modality"):
        needs_absence(make_task(lacking=False).available)
