"""How far probabilities miss the frequencies, and what chance alone would miss."""

import numpy as np
import pandas as pd
import pytest

from balmi.evaluation.gap import calibration_gap


def predictions(cohort, *confidences):
    """Return predictions of class a with these confidences, one array per repeat."""
    tables = [
        pd.DataFrame({"sample": cohort.samples, "repeat": repeat, "p:a": p, "p:b": 1 - p})
        for repeat, p in enumerate(confidences)
    ]
    return pd.concat(tables, ignore_index=True)


def test_by_hand(make_cohort):
    # Confidence .95 throughout and 8 of 10 right: |.8 - .95| = .15. By chance each is right with
    # .95: E|K/10 - .95| of a binomial K with 10 draws is .0599 (2 .95 .05 C(9, 9) .95^9 = .0599).
    cohort = make_cohort(np.array([0] * 8 + [1] * 2))
    gap = calibration_gap(predictions(cohort, np.full(10, 0.95)), cohort)
    assert gap.error == pytest.approx(0.15)
    assert gap.expected == pytest.approx(2 * 0.95 * 0.05 * 0.95**9, abs=0.006)


def test_two_repeats_of_the_same_predictions_are_one(make_cohort):
    cohort = make_cohort(np.random.default_rng(0).integers(0, 2, 60))
    p = np.random.default_rng(1).uniform(0.5, 1, 60)
    once, twice = (calibration_gap(predictions(cohort, *[p] * n), cohort) for n in (1, 2))
    assert once == twice


def test_calibrated_probabilities_lie_within_their_null(make_cohort):
    """Of 60 cohorts about 3 exceed the 95th percentile; more than 8 do in under 1 % of runs."""
    outside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.5, 1, 80)
        labels = (rng.random(80) > p).astype(int)
        labels[:2] = 0, 1
        cohort = make_cohort(labels)
        gap = calibration_gap(predictions(cohort, p), cohort)
        outside += gap.error > gap.null95
    assert outside <= 8


def test_sure_and_often_wrong_lies_beyond_it(make_cohort):
    labels = np.random.default_rng(2).integers(0, 2, 200)
    cohort = make_cohort(labels)
    gap = calibration_gap(predictions(cohort, np.full(200, 0.9)), cohort)
    assert gap.error > gap.null95
