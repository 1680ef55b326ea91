"""New samples whose class is known, against the cross-validation."""

import numpy as np
import pytest

from balmi.evaluation.metrics import CLASS_METRICS, METRICS
from balmi.prediction import external
from balmi.prediction.external import (
    Carried,
    Compared,
    Estimate,
    Labelled,
    difference,
    validate,
    verdict,
)

CLASSES = ("a", "b")


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(external, "DRAWS", 150)


def inside(mean, lower, upper, metric="accuracy"):
    row = {"class": None, "metric": metric, "mean": mean, "lower": lower, "upper": upper}
    return {"primary": metric, "summary": [{**row, "folds": 10}], "reliability": []}


def labelled(right, wrong, groups=None):
    count = right + wrong
    labels = np.arange(count) % 2
    predicted = np.where(np.arange(count) < right, labels, 1 - labels)
    probabilities = np.where(np.eye(2)[predicted] == 1, 0.8, 0.2)
    return Labelled(labels, predicted, probabilities, groups)


def test_limits_of_a_difference_by_hand():
    """.7 (.6 to .78) outside, .9 (.85 to .93) inside: -.2, by .1 and .03 down, .08 and .05 up."""
    found = difference(Estimate(0.9, 0.85, 0.93), Estimate(0.7, 0.6, 0.78))
    assert found.value == pytest.approx(-0.2)
    assert found.lower == pytest.approx(-0.2 - np.hypot(0.1, 0.03))
    assert found.upper == pytest.approx(-0.2 + np.hypot(0.08, 0.05))


def test_limits_on_one_side_of_the_value_add_nothing_on_the_other():
    found = difference(Estimate(0.9, 0.85, 0.93), Estimate(0.7, 0.72, 0.78))
    assert found.lower == pytest.approx(-0.2 - 0.03)


@pytest.mark.parametrize(
    ("metric", "word"), [("macro_f1", Carried.APART), ("accuracy", Carried.YES)]
)
def test_a_mean_over_classes_needs_them_all(metric, word):
    """No new sample is of c, and two are called so: macro-F1 falls by a third for that alone."""
    held = labelled(200, 0)
    predicted = held.predicted.copy()
    predicted[:2] = 2
    held = Labelled(held.labels, predicted, np.eye(3)[predicted] * 0.9 + 0.1 / 3, None)
    found = validate(held, ("a", "b", "c"), inside(0.97, 0.95, 0.99, metric))
    assert found.carried is word
    assert found.absent == ("c",)
    assert (found.primary.difference.value is None) == (metric == "macro_f1")


def test_draws_that_never_differ_are_no_interval():
    """Of a class all are called right: how sure that is the bootstrap cannot say."""
    found = validate(labelled(30, 0), CLASSES, inside(0.9, 0.85, 0.95, "accuracy"))
    scores = {each.metric: each.external for each in found.classes[0].scores}
    assert scores["recall"] == Estimate(1.0, None, None)
    # Of all calls the share is known well enough: by Wilson, 30 / (30 + 1.96^2).
    assert found.primary.external == Estimate(
        1.0, pytest.approx(30 / (30 + 1.96**2), abs=1e-4), 1.0
    )


def test_a_few_samples_that_are_all_right_are_no_better_than_inside():
    """12 of 12 are right, as they may well be where .86 are."""
    found = validate(labelled(12, 0), CLASSES, inside(0.86, 0.75, 0.97))
    assert found.carried is Carried.OPEN
    found = validate(labelled(400, 0), CLASSES, inside(0.86, 0.75, 0.97))
    assert found.carried is Carried.BETTER


def test_a_class_of_one_sample_leaves_perfect_calls_wide():
    """Of 120 and 1 the mean of Wilson's lower limits is (.969 + .207) / 2."""
    labels = np.array([0] * 120 + [1])
    held = Labelled(labels, labels, np.eye(2)[labels] * 0.9 + 0.05, None)
    found = validate(held, CLASSES, inside(0.95, 0.92, 0.98, "macro_f1"))
    assert found.primary.external.lower == pytest.approx(0.588, abs=0.001)
    assert found.carried is Carried.OPEN
    scores = {each.metric: each.external for each in found.metrics}
    assert scores["macro_auroc"] == Estimate(1.0)
    assert scores["accuracy"].lower == pytest.approx(0.969, abs=0.001)


def test_calls_that_are_all_wrong_have_limits_or_none():
    labels = np.arange(40) % 2
    held = Labelled(labels, 1 - labels, np.eye(2)[1 - labels], None)
    found = validate(held, CLASSES, inside(0.5, 0.4, 0.6, "accuracy"))
    assert found.primary.external.upper == pytest.approx(1.96**2 / (40 + 1.96**2), abs=1e-4)
    scores = {each.metric: each.external for each in found.metrics}
    assert scores["mcc"] == Estimate(-1.0)


def test_what_cannot_be_compared_has_no_difference():
    found = validate(labelled(30, 10), CLASSES, inside(0.9, 0.85, 0.95) | {"other": "they differ"})
    assert found.carried is Carried.APART
    assert {each.difference for each in found.metrics} == {Estimate(None)}


def test_what_was_not_cross_validated_is_not_compared():
    evaluation = inside(0.9, 0.85, 0.95) | {"summary": [], "other": "experts were left out"}
    found = validate(labelled(30, 10), CLASSES, evaluation)
    assert (found.carried, found.other) == (Carried.APART, "experts were left out")


@pytest.mark.parametrize(
    ("metric", "limits", "word"),
    [
        ("accuracy", (-0.3, -0.1), Carried.NO),
        ("accuracy", (-0.05, 0.05), Carried.YES),
        ("accuracy", (-0.2, 0.05), Carried.OPEN),
        ("accuracy", (0.01, 0.1), Carried.BETTER),
        ("log_loss", (0.1, 0.3), Carried.NO),
        ("log_loss", (-0.05, 0.3), Carried.OPEN),
        ("log_loss", (-0.3, -0.1), Carried.BETTER),
        ("accuracy", (None, None), Carried.FEW),
    ],
)
def test_the_verdict_goes_by_the_interval_and_the_direction(metric, limits, word):
    none = Estimate(None)
    assert verdict(Compared(metric, none, none, Estimate(0.0, *limits)), 50) is word
    assert verdict(Compared(metric, none, none, Estimate(0.0, *limits)), 9) is Carried.FEW


def test_counts_shares_and_bins_by_hand():
    found = validate(labelled(30, 10), CLASSES, inside(0.9, 0.85, 0.95))
    assert found.samples == found.units == 40
    assert found.primary.external.value == 0.75
    assert found.confusion.tolist() == [[15, 5], [5, 15]]
    assert found.carried is Carried.NO
    (row,) = found.reliability
    assert (row["confidence"], row["accuracy"], row["samples"]) == (pytest.approx(0.8), 0.75, 40)
    assert [each.samples for each in found.classes] == [20, 20]
    recall = next(each for each in found.classes[0].scores if each.metric == "recall")
    assert recall.external.value == 0.75


def test_scores_are_those_of_the_main_report_and_the_calibration_error_is_not_compared():
    """.8 is told of 40 calls, and .75 of them are right."""
    evaluation = inside(0.03, 0.01, 0.05, "ece") | {"primary": "accuracy"}
    found = validate(labelled(30, 10), CLASSES, evaluation)
    assert [each.metric for each in found.metrics] == list(METRICS)
    assert [each.metric for each in found.classes[0].scores] == list(CLASS_METRICS)
    error = next(each for each in found.metrics if each.metric == "ece")
    assert error.external == Estimate(pytest.approx(0.05))
    assert error.internal == Estimate(0.03, 0.01, 0.05)
    assert error.difference == Estimate(None)


def test_an_interval_covers_as_a_binomial_one_does():
    found = validate(labelled(75, 25), CLASSES, inside(0.75, 0.7, 0.8)).primary.external
    assert found.lower == pytest.approx(0.75 - 1.96 * np.sqrt(0.75 * 0.25 / 100), abs=0.03)
    assert found.upper == pytest.approx(0.75 + 1.96 * np.sqrt(0.75 * 0.25 / 100), abs=0.03)


def test_groups_are_drawn_as_a_whole():
    """Five copies of each sample widen nothing: they are no new patients."""
    alone = labelled(30, 10)
    copies = np.repeat(np.arange(40), 5)
    many = Labelled(
        alone.labels[copies],
        alone.predicted[copies],
        alone.probabilities[copies],
        copies.astype(str),
    )
    plain = validate(alone, CLASSES, inside(0.9, 0.85, 0.95)).primary.external
    found = validate(many, CLASSES, inside(0.9, 0.85, 0.95))
    grouped, width = found.primary.external, plain.upper - plain.lower
    assert grouped.upper - grouped.lower == pytest.approx(width, rel=0.3)
    assert found.units == 40
    assert len(found.groups) == 30
    assert found.groups[0].samples == 5


def test_few_samples_have_a_score_and_no_interval():
    found = validate(labelled(3, 1), CLASSES, inside(0.9, 0.8, 1.0))
    assert found.primary.external == Estimate(0.75)
    assert found.carried is Carried.FEW


def test_one_sample_alone_is_scored():
    assert validate(labelled(1, 0), CLASSES, inside(0.9, 0.8, 1.0)).samples == 1
