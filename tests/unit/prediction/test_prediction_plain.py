"""What stands for objects of scikit-learn says what they say."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from balmi.methods.peers.early import fit_machine
from balmi.methods.pooled.learners import MeanKernel
from balmi.prediction.converted import converted
from balmi.prediction.plain import Trees, WithProducts


@pytest.fixture(params=[2, 3, 5], ids="{} classes".format)
def lesson(request):
    """Return features of 80 samples to learn from and of 30 others, and labels of the first."""
    rng = np.random.default_rng(request.param)
    labels = np.arange(80) % request.param
    values = rng.normal(size=(110, 9)) + np.vstack([np.eye(9)[labels], np.zeros((30, 9))])
    return values[:80], labels, values[80:]


@pytest.mark.parametrize("draw", [None, 40])
def test_trees_vote_as_the_forest(lesson, draw):
    values, labels, others = lesson
    forest = RandomForestClassifier(15, random_state=0, max_samples=draw).fit(values, labels + 2)
    trees = converted(forest)
    assert trees.classes_.tolist() == sorted(set(labels + 2))
    assert len(trees.estimators_) == 15
    assert trees.predict_proba(others) == pytest.approx(forest.predict_proba(others), abs=1e-6)


def test_a_tree_of_one_leaf_votes_for_its_class():
    forest = RandomForestClassifier(3, random_state=0).fit(np.ones((4, 1)), np.array([0, 0, 1, 1]))
    trees = converted(forest)
    assert (trees.roots < 0).all()
    assert trees.predict_proba(np.zeros((2, 1))) == pytest.approx(
        forest.predict_proba(np.zeros((2, 1)))
    )


def test_a_sample_goes_left_at_the_threshold_and_right_above():
    trees = Trees(
        classes_=np.array([0, 1]),
        roots=np.array([0]),
        features=np.array([1]),
        thresholds=np.array([0.5]),
        left=np.array([-1]),
        right=np.array([-2]),
        votes=np.array([[1.0, 0.0], [0.25, 0.75]]),
    )
    found = trees.predict_proba(np.array([[9, 0.5], [9, 0.6]]))
    assert found.tolist() == [[1.0, 0.0], [0.25, 0.75]]


@pytest.mark.parametrize("own", [False, True], ids=["radial", "mean kernel"])
def test_margins_are_those_of_the_machine(lesson, own):
    values, labels, others = lesson
    kernel = MeanKernel.of([slice(0, 4), slice(4, 9)], values) if own else None
    machine = fit_machine(values, labels, labels.max() + 2, cost=3.0, kernel=kernel)
    written = converted(machine)
    assert len(written.learned) == 0
    assert len(written.machine.vectors) < len(values) or labels.max() > 1
    assert written.scores(others) == pytest.approx(machine.scores(others), abs=1e-9)


def test_a_machine_of_one_class_stays_what_it_is():
    written = converted(fit_machine(np.ones((3, 2)), np.zeros(3, int), 2))
    assert written.scores(np.ones((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_transforms_are_those_of_scikit_learn(lesson):
    values, _, others = lesson
    parts = [
        PCA(4).fit(values),
        Nystroem(gamma=0.1, n_components=20, random_state=0).fit(values),
        make_pipeline(
            StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()
        ).fit(values),
    ]
    for part in parts:
        assert converted(part).transform(others) == pytest.approx(part.transform(others), abs=1e-9)


def test_products_come_in_the_order_of_the_columns():
    found = WithProducts(3).transform(np.array([[2.0, 3.0, 5.0]]))
    assert found.tolist() == [[2, 3, 5, 4, 6, 10, 9, 15, 25]]
