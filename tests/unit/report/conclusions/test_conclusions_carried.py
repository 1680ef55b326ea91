"""Whether performance carried over, over verdicts, intervals and metrics."""

from itertools import product

import numpy as np
import pytest

from balmi.prediction.external import Carried, Compared, Estimate, External
from balmi.report.conclusions.carried import CARRIED, carried_over
from balmi.report.kit.metrics import metric_of

GAPS = [Estimate(None), Estimate(-0.1), Estimate(-0.05, -0.2, 0.1), Estimate(0.2, 0.1, 0.3)]


def found(carried, metric, gap, other=None):
    primary = Compared(metric, Estimate(0.8, 0.7, 0.9), Estimate(0.75, 0.6, 0.85), gap)
    return External(40, 40, primary, carried, (), (), (), (), np.zeros((2, 2)), ("a", "b"), other)


@pytest.mark.parametrize(
    ("carried", "gap", "metric"), list(product(Carried, GAPS, ("macro_f1", "log_loss")))
)
def test_every_verdict_has_its_sentence(carried, gap, metric):
    told = carried_over(found(carried, metric, gap), metric_of(metric), "mine")
    assert set(CARRIED) == set(Carried)
    assert told.endswith(".")
    assert "{" not in told
    assert "on 40 new samples with a known class, and 0.80 (0.70 to 0.90) in the" in told
    assert ("did not carry over" in told) is (carried is Carried.NO)
    assert ("unlikely" in told) is (carried is Carried.YES)
    assert ("too few" in told) is (carried is Carried.FEW)
    assert ("no new sample is of a and b" in told) is (carried is Carried.APART)


@pytest.mark.parametrize(("metric", "worst"), [("macro_f1", "0.200"), ("log_loss", "0.100")])
def test_the_loss_that_is_not_ruled_out_follows_the_direction(metric, worst):
    told = carried_over(found(Carried.OPEN, metric, GAPS[2]), metric_of(metric), "mine")
    assert f"one of up to {worst} is not ruled out" in told


def test_another_method_comes_before_classes_that_are_lacking():
    told = carried_over(
        found(Carried.APART, "macro_f1", GAPS[0], "experts are fewer"), metric_of("macro_f1"), "m"
    )
    assert told.endswith("the two cannot be compared: experts are fewer.")
