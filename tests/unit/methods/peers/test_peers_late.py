"""Peers that join the modalities' class probabilities."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from fold_task import said
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from balmi.errors import MethodNotApplicable
from balmi.methods.peers.late import fit_vcdn, outer_product
from balmi.methods.peers.side import TrainingSide
from balmi.methods.peers.stacking import meta_features


def test_meta_features_by_hand():
    left, right = np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]])
    expected = [[np.log(0.25), np.log(0.75), np.log(1e-6), 0]]
    assert meta_features([left, right]) == pytest.approx(np.array(expected))


def test_balanced_stacking_is_scikit_learns_upper_regression(make_task):
    task = make_task()
    labels = task.labels[task.fit]
    inner = meta_features([task.held_out(name) for name in task.features])
    outer = [task.of_tests(name) for name in task.features]
    model = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000, class_weight="balanced")
    expected = model.fit(inner, labels).predict_proba(meta_features(outer))
    found = said("stacked-lr-balanced", task)["stacked-lr-balanced"]
    assert found == pytest.approx(expected, abs=5e-3)


def test_outer_product_by_hand():
    left, right = np.array([[0.2, 0.8]]), np.array([[0.1, 0.9]])
    assert outer_product([left, right]) == pytest.approx(np.array([[0.02, 0.18, 0.08, 0.72]]))
    assert outer_product([left]) == pytest.approx(left)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 4))
def test_an_outer_product_has_the_modalities_as_margins(seed, modalities, classes):
    rng = np.random.default_rng(seed)
    parts = list(rng.dirichlet(np.ones(classes), size=(modalities, 3)))
    cells = outer_product(parts).reshape(3, *[classes] * modalities)
    for number, part in enumerate(parts):
        others = tuple(axis + 1 for axis in range(modalities) if axis != number)
        assert cells.sum(axis=others) == pytest.approx(part)


def test_vcdn_sees_what_needs_two_modalities(make_task):
    """The label is whether two binary modalities agree: no mean of both says anything of it."""
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 2, size=(2, 600))
    rows = np.arange(600)
    task = make_task(
        features={"a": left[:, None], "b": right[:, None]},
        available=np.ones((600, 2), dtype=bool),
        labels=(left == right).astype(int),
        classes=2,
        fit=rows[:400],
        test=rows[400:],
    )

    def known(modality, samples):
        return np.eye(2)[samples.features[modality][:, 0]]

    class Known(TrainingSide):
        def held_out(self, modality):
            return known(modality, self.samples)

        def base(self, modality):
            return SimpleNamespace(predict=partial(known, modality))

    found = fit_vcdn(Known(**vars(task.training))).predict(task.tests)
    assert (found.argmax(axis=1) == task.labels[task.test]).mean() > 0.95


def test_vcdn_refuses_too_many_combinations(make_task):
    task = make_task(lacking=False)
    copies = {f"m{number}": task.features["a"] for number in range(8)}
    task = replace(task, features=copies, available=np.ones((90, 8), dtype=bool))
    with pytest.raises(
        MethodNotApplicable, match="3 classes to the power of 8 modalities are 6,561"
    ):
        fit_vcdn(task.training)


def test_vcdn_is_the_same_at_every_run_and_differs_by_seed(make_task):
    first, second = said("vcdn", make_task())["vcdn"], said("vcdn", make_task())["vcdn"]
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, said("vcdn", replace(make_task(), seed=4))["vcdn"])
