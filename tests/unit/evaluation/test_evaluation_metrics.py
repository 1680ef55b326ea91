"""Metrics against values computed by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.metrics import CLASS_METRICS, GLOSSES, METRICS, by_class
from balmi.tables.contract import TABLES

LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [
        [0.7, 0.2, 0.1],
        [0.6, 0.3, 0.1],
        [0.3, 0.2, 0.5],
        [0.1, 0.8, 0.1],
        [0.35, 0.25, 0.4],
        [0.2, 0.2, 0.6],
    ]
)
# Predicted: 0 0 2 1 2 2. F1: 2*2/(2*2+0+1), 2*1/(2*1+0+1), 2*1/(2*1+2+0).
# Recall: 2/3, 1/2, 1. Ordered pairs: 8 of 9, 7 of 8, 5 of 5.
# Average precision: recall rises at ranks 1, 2 and 4 of class 0, 1 and 3 of class 1, 1 of class 2.
# Matthews: (4*6 - 2*3 - 1*2 - 3*1) / (6^2 - 3^2 - 2^2 - 1^2), as 3, 2, 1 are and 2, 1, 3 are said.
# Calibration bins: .7 right (gap .3), two of .6 right (.8), .5 wrong, .8 right (.2), .4 wrong.
BY_HAND = {
    "macro_f1": (4 / 5 + 2 / 3 + 1 / 2) / 3,
    "balanced_accuracy": (2 / 3 + 1 / 2 + 1) / 3,
    "accuracy": 4 / 6,
    "macro_auroc": (8 / 9 + 7 / 8 + 1) / 3,
    "macro_auprc": ((1 + 1 + 3 / 4) / 3 + (1 + 2 / 3) / 2 + 1) / 3,
    "mcc": 13 / 22,
    "log_loss": -np.log(0.7 * 0.6 * 0.3 * 0.8 * 0.25 * 0.6) / 6,
    "brier": (0.14 + 0.26 + 0.78 + 0.06 + 0.845 + 0.24) / 6,
    "ece": (0.3 + 0.8 + 0.5 + 0.2 + 0.4) / 6,
}
CLASSES_BY_HAND = {
    "f1": (4 / 5, 2 / 3, 1 / 2),
    "precision": (1, 1, 1 / 3),
    "recall": (2 / 3, 1 / 2, 1),
    "auroc": (8 / 9, 7 / 8, 1),
    "auprc": ((1 + 1 + 3 / 4) / 3, (1 + 2 / 3) / 2, 1),
}


def drawn(seed, samples=40, classes=3):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=samples - classes)])
    return labels, rng.dirichlet(np.ones(classes), samples)


def test_the_registry_is_the_contract():
    assert tuple(METRICS) == TABLES["performance"].columns["metric"].values
    assert tuple(CLASS_METRICS) == TABLES["class_performance"].columns["metric"].values


def test_verdicts_can_follow_every_metric_that_has_a_gloss():
    assert [*PrimaryMetric] == [name for name in METRICS if name in GLOSSES] == [*GLOSSES]
    assert "ece" not in GLOSSES
    for table in ("robustness", "contributions"):
        assert TABLES[table].columns["metric"].values == tuple(PrimaryMetric)


@pytest.mark.parametrize("name", METRICS)
def test_by_hand(name):
    assert METRICS[name](LABELS, PROBABILITIES) == pytest.approx(BY_HAND[name], abs=1e-12)


@pytest.mark.parametrize("name", CLASS_METRICS)
def test_classes_by_hand(name):
    found = by_class(name, LABELS, PROBABILITIES)
    assert found == pytest.approx(CLASSES_BY_HAND[name], abs=1e-12)


def macro_auroc_of_sklearn(labels, probabilities):
    if probabilities.shape[1] == 2:
        return sk.roc_auc_score(labels, probabilities[:, 1])
    return sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")


SKLEARN = {
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(axis=1), average="macro"),
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(axis=1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(axis=1)),
    "macro_auroc": macro_auroc_of_sklearn,
    "macro_auprc": lambda y, p: sk.average_precision_score(np.eye(p.shape[1])[y], p),
    "mcc": lambda y, p: sk.matthews_corrcoef(y, p.argmax(axis=1)),
    "log_loss": lambda y, p: sk.log_loss(y, p, labels=np.arange(p.shape[1])),
}


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("name", SKLEARN)
def test_equal_to_sklearn(name, classes):
    labels, probabilities = drawn(classes, classes=classes)
    expected = SKLEARN[name](labels, probabilities)
    assert METRICS[name](labels, probabilities) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_classes_equal_to_sklearn(name):
    labels, probabilities = drawn(7, samples=30, classes=4)
    score = getattr(sk, f"{name}_score")
    expected = score(labels, probabilities.argmax(axis=1), average=None, zero_division=0)
    assert by_class(name, labels, probabilities) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", CLASS_METRICS)
def test_a_class_that_is_absent_has_no_value(name):
    labels, probabilities = np.array([0, 0, 1]), np.eye(3)[[0, 2, 1]]
    assert np.isnan(by_class(name, labels, probabilities)).tolist() == [False, False, True]


def test_a_class_that_is_alone_cannot_be_told_from_the_rest():
    labels, probabilities = np.zeros(3, dtype=int), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    found = {name: by_class(name, labels, probabilities)[0] for name in CLASS_METRICS}
    assert found["precision"] == 1
    assert (found["recall"], found["f1"]) == pytest.approx((2 / 3, 4 / 5))
    assert np.isnan([found["auroc"], found["auprc"]]).all()
    undefined = [name for name in METRICS if np.isnan(METRICS[name](labels, probabilities))]
    assert undefined == ["macro_auroc", "macro_auprc", "mcc"]


def test_a_class_that_is_never_predicted_has_no_precision_to_praise():
    labels, probabilities = np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]])
    assert by_class("precision", labels, probabilities).tolist() == [0.5, 0]
    assert METRICS["mcc"](labels, probabilities) == 0


class TestAbsentClass:
    """Class 2 is in the cohort but not among the test samples of a fold."""

    labels = np.array([0, 0, 1, 1])
    never = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.3, 0.6, 0.1], [0.1, 0.9, 0.0]])
    once = np.array([[0.9, 0.1, 0.0], [0.2, 0.1, 0.7], [0.3, 0.6, 0.1], [0.1, 0.9, 0.0]])

    def test_never_predicted_it_is_left_out(self):
        # 0: TP 1, FN 1; 1: TP 2, FP 1
        assert METRICS["macro_f1"](self.labels, self.never) == pytest.approx((2 / 3 + 4 / 5) / 2)

    def test_predicted_it_counts_as_zero(self):
        # 0: TP 1, FN 1; 1: TP 2; 2: FP 1
        assert METRICS["macro_f1"](self.labels, self.once) == pytest.approx((2 / 3 + 1 + 0) / 3)

    def test_recall_and_ranking_are_of_the_present_classes(self):
        assert METRICS["balanced_accuracy"](self.labels, self.once) == pytest.approx(3 / 4)
        # class 0: .9 over .3 and .1, .2 over .1 only; class 1: .6 and .9 over .1 and .1
        assert METRICS["macro_auroc"](self.labels, self.once) == pytest.approx((3 / 4 + 1) / 2)

    def test_log_loss_and_calibration_see_all_columns(self):
        expected = -np.log(0.9 * 0.2 * 0.6 * 0.9) / 4
        assert METRICS["log_loss"](self.labels, self.once) == pytest.approx(expected)
        # .9 right twice in one bin, .7 wrong, .6 right
        assert METRICS["ece"](self.labels, self.once) == pytest.approx((0.2 + 0.7 + 0.4) / 4)


def test_ece_cancels_within_a_bin_and_not_between():
    labels = np.array([0, 1, 0])
    probabilities = np.array([[0.62, 0.38], [0.68, 0.32], [1.0, 0.0]])
    # one bin holds .62 right and .68 wrong: |1 - 1.30|; the last bin holds 1 right
    assert METRICS["ece"](labels, probabilities) == pytest.approx(0.30 / 3)


def test_log_loss_of_an_impossible_class_is_finite():
    loss = METRICS["log_loss"](np.array([1]), np.array([[1.0, 0.0]]))
    assert loss == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize("name", METRICS)
def test_perfect_predictions(name):
    labels = np.array([2, 0, 1, 1, 0])
    best = METRICS[name].highest if METRICS[name].more_is_better else METRICS[name].lowest
    assert METRICS[name](labels, np.eye(3)[labels]) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("name", ["mcc", "brier"])
def test_the_worst_predictions_reach_the_other_bound(name):
    labels = np.array([0, 1, 0, 1])
    worst = METRICS[name].lowest if METRICS[name].more_is_better else METRICS[name].highest
    assert METRICS[name](labels, np.eye(2)[1 - labels]) == pytest.approx(worst)


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_sample_and_class_order_do_not_matter(name, seed):
    labels, probabilities = drawn(seed)
    rng = np.random.default_rng(seed)
    order, renamed = rng.permutation(len(labels)), rng.permutation(3)
    value = METRICS[name](labels, probabilities)
    assert METRICS[name](labels[order], probabilities[order]) == pytest.approx(value)
    moved = np.empty_like(probabilities)
    moved[:, renamed] = probabilities
    assert METRICS[name](renamed[labels], moved) == pytest.approx(value)
    assert METRICS[name].lowest <= value <= METRICS[name].highest
