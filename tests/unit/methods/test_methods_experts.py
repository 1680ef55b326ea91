"""Experts: who says what of whom, and what their pool makes of it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from fold_task import FoldTask
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from balmi.config.settings import Expert
from balmi.data.splits import Split
from balmi.errors import MethodNotApplicable
from balmi.information.pool import tempered
from balmi.methods.experts import (
    Candidate,
    HeldOut,
    expert_rows,
    fit_learned,
    fit_linear,
    join_members,
    pool_experts,
)
from balmi.methods.peers.logistic import INVERSE_PENALTY
from balmi.tables.contract import TABLES

CLASSES = 3


@st.composite
def folds(draw):
    """Return a split with inner folds, some of which cannot be held out, and its cohort's size."""
    count = draw(st.integers(8, 40))
    order = draw(st.permutations(range(count)))
    size = draw(st.integers(4, count - 1))
    fit, test = np.sort(order[:size]), np.sort(order[size:])
    number = draw(st.integers(2, min(5, size)))
    inner = np.array(draw(st.permutations([place % number for place in range(size)])))
    usable = draw(st.lists(st.integers(0, number - 1), min_size=1, unique=True))
    usable = tuple(sorted(usable))
    first = inner == usable[0]
    split = Split(0, 0, fit[~first], fit[first], test, inner.astype(np.int32), usable)
    return split, count


@given(folds(), st.integers(1, 6))
def test_what_is_held_out_comes_from_a_member_that_has_not_learned_from_it(fold, wanted):
    split, count = fold
    members = split.members(wanted)
    # Every member says its number and the row that it speaks of.
    said = np.stack(
        [np.column_stack([np.full(count, own), np.arange(count)]) for own in range(len(members))]
    ).astype(float)
    found = join_members(members, said)
    filled = ~np.isnan(found.inner).any(axis=1)
    for place in np.flatnonzero(filled):
        who, row = found.inner[place].astype(int)
        assert row == split.fit[place]
        assert row in members[who].validation
        assert row not in members[who].train
    assert filled.sum() == sum(len(member.validation) for member in members)
    assert np.isnan(found.inner[~filled]).all()
    expected = np.column_stack([np.full(len(split.test), (len(members) - 1) / 2), split.test])
    np.testing.assert_allclose(found.test, expected)


def test_axes_between_samples_and_classes_are_kept():
    inner = np.array([0, 1, 0, 1], dtype=np.int32)
    split = Split(0, 0, np.array([1, 3]), np.array([0, 2]), np.array([4]), inner, (0, 1))
    said = np.random.default_rng(0).random((2, 5, 3, 2))
    found = join_members(split.members(2), said)
    np.testing.assert_array_equal(found.inner, np.stack([said[i % 2, i] for i in range(4)]))
    np.testing.assert_allclose(found.test, said[:, 4:].mean(axis=0))


def task_of(seed=0, count=90, fit=60, widths=(8, 5), signal=0.6, lacking=()):
    """Return a fold of which some samples lack the second modality, and its inner folds."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % CLASSES)
    features = {
        f"m{place}": rng.standard_normal((count, width))
        + signal * np.eye(CLASSES)[labels] @ rng.standard_normal((CLASSES, width))
        for place, width in enumerate(widths)
    }
    available = np.ones((count, len(widths)), dtype=bool)
    available[list(lacking), 1] = False
    inner = rng.permutation(np.arange(fit) % 5)
    rows = np.arange(count)
    task = FoldTask(features, available, labels, None, CLASSES, rows[:fit], rows[fit:], seed)
    return task, inner


@dataclass(frozen=True)
class Parrot:
    """An expert that says the same of any samples."""

    always: np.ndarray

    def predict(self, heads, samples):
        return self.always


def parrot(inner, always):
    return Candidate(Parrot(always), inner)


def log_loss(probabilities, labels):
    return -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-6)).mean()


def test_the_linear_expert_knows_nothing_of_labels_that_are_noise():
    """With more features than samples, what has been learned from is told almost without fail.

    The folds are stratified: of a class that is held out fewer are left, which is known of labels.
    """
    losses, known = [], []
    for seed in range(8):
        task, inner = task_of(seed, widths=(60, 60), signal=0.0)
        found = fit_linear(None, task.training, inner)
        losses.append(log_loss(found.inner, task.labels[task.fit]))
        known.append((found.inner.argmax(axis=1) == task.labels[task.fit]).mean())
    assert np.mean(losses) > np.log(CLASSES) - 0.05
    assert np.mean(known) == pytest.approx(1 / CLASSES, abs=0.1)


def test_the_linear_expert_never_reads_labels_of_test_samples():
    task, inner = task_of(lacking=(0, 5, 70))
    labels = task.labels.copy()
    labels[task.test] = labels[task.test][::-1]
    found, other = (
        fit_linear(None, replace(task, labels=each).training, inner)
        for each in (task.labels, labels)
    )
    assert np.array_equal(found.inner, other.inner)
    assert np.array_equal(
        found.expert.predict(None, task.tests), other.expert.predict(None, task.tests)
    )
    np.testing.assert_allclose(found.inner.sum(axis=1), 1)


def unimodal_of(task, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.dirichlet(np.ones(CLASSES), size=(len(task.labels), len(task.features)))
    values[np.arange(len(values)), 0, task.labels] += 1
    values /= values.sum(axis=2, keepdims=True)
    return HeldOut(values[task.fit], values[task.test])


def test_a_sample_has_no_say_in_what_the_learned_expert_says_of_it():
    task, inner = task_of()
    unimodal = unimodal_of(task)
    found = fit_learned(unimodal.inner, task.training, inner)
    assert not np.isnan(found.inner).any()
    for place in range(0, 60, 7):
        labels = task.labels.copy()
        labels[task.fit[place]] = (labels[task.fit[place]] + 1) % CLASSES
        other = fit_learned(unimodal.inner, replace(task, labels=labels).training, inner)
        same = inner == inner[place]
        assert np.array_equal(found.inner[same], other.inner[same])
        assert not np.array_equal(found.inner[~same], other.inner[~same])
        said = [each.expert.predict(unimodal.test, task.tests) for each in (found, other)]
        assert not np.array_equal(*said)


def test_the_learned_expert_is_a_logistic_regression_on_log_probabilities():
    task, inner = task_of()
    unimodal = unimodal_of(task)
    found = fit_learned(unimodal.inner, task.training, inner)
    learn, rows = (np.log(part.reshape(len(part), -1)) for part in (unimodal.inner, unimodal.test))
    labels = task.labels[task.fit]

    def fitted(kept):
        return LogisticRegression(C=INVERSE_PENALTY, tol=1e-8, max_iter=5000).fit(
            learn[kept], labels[kept]
        )

    said = found.expert.predict(unimodal.test, task.tests)
    np.testing.assert_allclose(said, fitted(inner >= 0).predict_proba(rows), atol=1e-3)
    here = inner == 2
    expected = fitted(~here).predict_proba(learn[here])
    np.testing.assert_allclose(found.inner[here], expected, atol=1e-3)


def test_the_learned_expert_says_nothing_where_no_member_has_spoken():
    task, inner = task_of()
    unimodal = unimodal_of(task)
    unimodal.inner[inner >= 3] = np.nan
    found = fit_learned(unimodal.inner, task.training, inner)
    assert np.isnan(found.inner[inner >= 3]).all()
    assert np.isfinite(found.inner[inner < 3]).all()
    unimodal.inner[inner >= 1] = np.nan
    with pytest.raises(MethodNotApplicable, match="two members"):
        fit_learned(unimodal.inner, task.training, inner)


def test_a_perfect_expert_takes_all_weight_from_one_that_knows_nothing():
    labels = np.arange(30) % CLASSES
    perfect = np.eye(CLASSES)[labels] * 0.97 + 0.01
    uniform = np.full((30, CLASSES), 1 / CLASSES)
    test = np.array([[0.9, 0.05, 0.05]]), np.array([[1 / 3] * 3])
    pool = pool_experts([parrot(perfect, test[0]), parrot(uniform, test[1])], labels)
    np.testing.assert_allclose(pool.weights, [1, 0], atol=1e-12)
    # Always right, and less sure than it might be: the lowest temperature, e^-1.5.
    assert pool.temperatures[0] == pytest.approx(np.exp(-1.5), rel=0.02)
    np.testing.assert_allclose(pool.predict(None, None), tempered(test[0], pool.temperatures[0]))


def test_experts_that_are_right_in_turns_share_the_weight():
    labels = np.zeros(40, dtype=int)
    right, wrong = [0.8, 0.2], [0.4, 0.6]
    turns = np.arange(40) % 4 == 0  # the first expert is right in a quarter
    first, second = (np.where(own[:, None], right, wrong).astype(float) for own in (turns, ~turns))
    test = np.array([[0.5, 0.5], [0.9, 0.1]])
    pool = pool_experts([parrot(first, test), parrot(second, test[::-1])], labels)
    inner = [
        tempered(each, temperature)[:, 0]
        for each, temperature in zip((first, second), pool.temperatures, strict=True)
    ]
    weights = np.linspace(0, 1, 100_001)[:, None]
    losses = -np.log(weights * inner[0][:4] + (1 - weights) * inner[1][:4]).sum(axis=1)
    assert pool.weights[0] == pytest.approx(weights[losses.argmin(), 0], abs=2e-3)
    outside = [tempered(test, pool.temperatures[0]), tempered(test[::-1], pool.temperatures[1])]
    expected = pool.weights[0] * outside[0] + pool.weights[1] * outside[1]
    np.testing.assert_allclose(pool.predict(None, None), expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.floats(0, 0.7))
def test_weights_are_shares_and_predictions_are_probabilities(seed, count, missing):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, size=20)
    experts = []
    for _ in range(count):
        inner = rng.dirichlet(np.full(CLASSES, 0.3), size=20)
        inner[1:][rng.random(19) < missing] = np.nan
        experts.append(parrot(inner, rng.dirichlet(np.full(CLASSES, 0.3), size=7)))
    pool = pool_experts(experts, labels)
    assert pool.weights.min() >= 0
    assert pool.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(pool.predict(None, None).sum(axis=1), 1)
    assert (pool.predict(None, None) >= 0).all()
    # Samples of which an expert says nothing tell nothing of the others either.
    garbled = [parrot(each.inner.copy(), each.expert.always) for each in experts]
    unknown = np.any([np.isnan(each.inner).any(axis=1) for each in experts], axis=0)
    for each in garbled:
        silent = np.isnan(each.inner).any(axis=1)
        each.inner[unknown & ~silent] = 1 / CLASSES
    other = pool_experts(garbled, np.where(unknown, 0, labels))
    assert np.array_equal(pool.weights, other.weights)


def test_a_single_expert_is_tempered_and_nothing_else():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, size=200)
    sure = np.eye(CLASSES)[np.where(rng.random(200) < 0.6, labels, rng.integers(0, 3, 200))]
    sure = 0.98 * sure + 0.02 / CLASSES
    test = rng.dirichlet(np.ones(CLASSES), size=9)
    pool = pool_experts([parrot(sure, test)], labels)
    assert pool.weights.tolist() == [1.0]
    assert pool.temperatures[0] > 1.5  # it was surer than it was right
    np.testing.assert_allclose(pool.predict(None, None), tempered(test, pool.temperatures[0]))
    assert np.array_equal(pool.predict(None, None).argmax(axis=1), test.argmax(axis=1))


def test_the_rows_of_a_fold():
    pool = pool_experts([parrot(np.eye(3), np.eye(3))] * 2, np.arange(3))
    split = Split(2, 1, np.array([0]), np.array([1]), np.array([2]))
    table = expert_rows("balanced", split, [Expert.LINEAR, Expert.GATE], pool)
    assert list(table) == list(TABLES["experts"].names)
    assert table["expert"].tolist() == ["linear", "gate"]
    assert table[["method", "repeat", "fold"]].drop_duplicates().values.tolist() == [
        ["balanced", 2, 1]
    ]
    np.testing.assert_allclose(table["weight"], [0.5, 0.5])
