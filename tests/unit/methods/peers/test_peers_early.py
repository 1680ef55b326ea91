"""Peers on all features side by side."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from fold_task import said
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.svm import SVC

from balmi.errors import MethodNotApplicable
from balmi.methods.peers import early
from balmi.methods.peers.early import fit_machine, side_by_side


def blobs(seed, count, classes, apart=2.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % classes)
    return rng.normal(size=(count, 5)) + apart * np.eye(5)[labels], labels


def test_balanced_regression_is_scikit_learns(make_task):
    task = make_task(lacking=False)
    task = replace(task, labels=np.where(np.arange(90) % 7 == 0, 2, task.labels % 2))
    values = side_by_side(task.samples)
    model = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000, class_weight="balanced")
    model.fit(values[task.fit], task.labels[task.fit])
    found = said("concat-lr-balanced", task)["concat-lr-balanced"]
    assert found == pytest.approx(model.predict_proba(values[task.test]), abs=5e-3)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_highest_score_of_the_machine_is_its_class(classes):
    values, labels = blobs(0, 100, classes, apart=3.0)
    rows, _ = blobs(1, 60, classes, apart=3.0)
    predicted = SVC().fit(values, labels).predict(rows)
    scores = fit_machine(values, labels, classes).scores(rows)
    assert scores.shape == (60, classes)
    assert (scores.argmax(axis=1) == predicted).mean() > 0.97


def test_scores_of_two_classes_are_its_margin():
    values, labels = blobs(0, 60, 2)
    margin = SVC().fit(values, labels).decision_function(values)
    scores = fit_machine(values, labels, 2).scores(values)
    assert scores == pytest.approx(np.column_stack([-margin, margin]))


def test_scores_of_three_classes_are_mean_margins_over_the_others():
    values, labels = blobs(0, 60, 3)
    pairs = SVC(decision_function_shape="ovo").fit(values, labels).decision_function(values)
    first, second, third = pairs.T  # 0 over 1, 0 over 2, 1 over 2
    expected = np.column_stack([first + second, third - first, -second - third]) / 2
    assert fit_machine(values, labels, 3).scores(values) == pytest.approx(expected)


def test_a_class_that_the_machine_has_not_seen_scores_lowest():
    values, labels = blobs(0, 60, 2)
    scores = fit_machine(values, labels + 1, 4).scores(values)
    for absent in (0, 3):
        assert scores[:, absent] == pytest.approx(scores[:, 1:3].min(axis=1))
    assert not fit_machine(values, np.zeros(60, int), 2).scores(values).any()


def test_the_machine_is_calibrated_on_what_it_has_not_learned(make_task):
    """Noise: a machine separates what it has learned, and its probabilities stay near chance."""
    noise = {"a": np.random.default_rng(1).normal(size=(90, 200))}
    task = make_task(lacking=False, features=noise)
    found = said("concat-svm", task)["concat-svm"]
    assert log_loss(task.labels[task.test], found) < np.log(3) + 0.15
    learned = noise["a"][task.fit]
    scores = fit_machine(learned, task.labels[task.fit], task.classes).scores(learned)
    assert (scores.argmax(axis=1) == task.labels[task.fit]).mean() > 0.95


@pytest.mark.parametrize("peer", ["concat-svm", "concat-forest", "concat-boosting"])
def test_finds_what_is_plain(make_task, peer):
    rng = np.random.default_rng(0)
    task = make_task(lacking=False)
    task = replace(task, features={"a": rng.normal(size=(90, 4)) + 6 * np.eye(4)[task.labels]})
    found = said(peer, task)[peer]
    assert (found.argmax(axis=1) == task.labels[task.test]).mean() > 0.9


def test_the_forest_gives_every_class_something(make_task):
    rng = np.random.default_rng(0)
    task = make_task(lacking=False)
    task = replace(task, features={"a": rng.normal(size=(90, 4)) + 20 * np.eye(4)[task.labels]})
    found = said("concat-forest", task)["concat-forest"]
    assert found.min() == pytest.approx(task.prior.min() / 41)
    assert found.max() == pytest.approx((40 + task.prior.max()) / 41)


@pytest.mark.parametrize("peer", ["concat-forest", "concat-boosting"])
def test_is_the_same_at_every_run(make_task, peer):
    first, second = said(peer, make_task())[peer], said(peer, make_task())[peer]
    np.testing.assert_array_equal(first, second)


def test_boosting_without_its_library_says_so(make_task, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MethodNotApplicable, match="lightgbm cannot be imported: "):
        said("concat-boosting", make_task())


def test_boosting_without_openmp_says_so(make_task, monkeypatch):
    class Broken:
        def find_spec(self, name, *_):
            if name == "lightgbm":
                raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(MethodNotApplicable, match="libgomp"):
        said("concat-boosting", make_task())


def test_too_many_samples_for_a_kernel_machine_are_refused_before_it_starts(make_task, monkeypatch):
    task = make_task(lacking=False)
    monkeypatch.setattr(early, "MOST_OF_MACHINE", len(task.fit))
    assert said("concat-svm", task)
    monkeypatch.setattr(early, "MOST_OF_MACHINE", len(task.fit) - 1)
    monkeypatch.setattr(early, "fit_machine", None)
    with pytest.raises(MethodNotApplicable, match=f"every two of {len(task.fit)} training samples"):
        said("concat-svm", task)


@pytest.mark.parametrize("peer", ["concat-forest", "concat-boosting"])
def test_trees_of_many_samples_learn_from_draws(make_task, monkeypatch, peer):
    task = make_task(lacking=False)
    whole = said(peer, task)[peer]
    monkeypatch.setattr(early, "MOST_PER_TREE", len(task.fit))
    np.testing.assert_array_equal(said(peer, task)[peer], whole)
    monkeypatch.setattr(early, "MOST_PER_TREE", len(task.fit) // 2)
    drawn = said(peer, task)[peer]
    assert not np.array_equal(drawn, whole)
    assert drawn.sum(axis=1) == pytest.approx(np.ones(len(drawn)))
