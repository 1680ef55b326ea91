"""Corrected intervals and the words that they support."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from balmi.evaluation.statistics import (
    REGION,
    combined_interval,
    corrected_interval,
    correlated_t_test,
    held_out_ratio,
    holm,
    mean_over_folds,
    split_ratio,
    wilson_interval,
)
from balmi.evaluation.verdicts import Verdict, verdict


def test_by_hand():
    # Mean .25, variance .05/3; (1/4 + 1/4) .05/3 = 1/120; t = .25 sqrt(120) = sqrt(7.5), 3 df.
    interval = corrected_interval(np.array([0.1, 0.2, 0.3, 0.4]), 1 / 4)
    half = 3.182446305 * np.sqrt(1 / 120)
    assert interval.mean == pytest.approx(0.25)
    assert interval.lower == pytest.approx(0.25 - half, abs=1e-8)
    assert interval.upper == pytest.approx(0.25 + half, abs=1e-8)
    # Student's distribution with 3 degrees of freedom in closed form, s = t / sqrt(3)
    s = np.sqrt(2.5)
    assert interval.p == pytest.approx(1 - 2 / np.pi * (s / (1 + s**2) + np.arctan(s)), abs=1e-12)


def test_without_correction_it_is_the_t_test():
    values = np.random.default_rng(0).normal(0.3, 1, 12)
    interval = corrected_interval(values, 0.0)
    test = stats.ttest_1samp(values, 0)
    low, high = test.confidence_interval(0.95)
    expected = (values.mean(), low, high, test.pvalue)
    assert (interval.mean, interval.lower, interval.upper, interval.p) == pytest.approx(expected)


@pytest.mark.parametrize("values", [[], [0.1], [0.1, np.nan], [0.1, np.inf]])
def test_refuses_what_has_no_interval(values):
    with pytest.raises(ValueError, match="at least two folds with finite values"):
        corrected_interval(np.array(values), 0.25)


@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.5, 0.0), (-0.5, 0.0)])
def test_no_spread(value, p):
    interval = corrected_interval(np.full(5, value), 0.25)
    assert (interval.lower, interval.mean, interval.upper, interval.p) == (value, value, value, p)


def test_limits_and_p_agree():
    rng = np.random.default_rng(1)
    for _ in range(200):
        interval = corrected_interval(rng.normal(0.05, 0.1, 10), 0.25)
        assert (interval.p < 0.05) == (verdict(interval.lower, interval.upper) is not Verdict.NONE)


def test_a_higher_level_is_wider():
    values = np.arange(6.0)
    narrow, wide = (corrected_interval(values, 0.25, level) for level in (0.8, 0.99))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert wide.p == narrow.p


def test_coverage_on_scores_that_folds_correlate():
    """Scores of correlation n_test / (n_test + n_train), the model of the correction.

    There the statistic is Student's exactly: coverage .95, with a Monte Carlo error of .0035 in
    4000 draws; the uncorrected interval covers far less.
    """
    rng = np.random.default_rng(2)
    folds, repeats, correlation, draws = 5, 5, 1 / 5, 4000
    shared = rng.normal(size=(draws, 1)) * np.sqrt(correlation)
    own = rng.normal(size=(draws, folds * repeats)) * np.sqrt(1 - correlation)
    covered = dict.fromkeys((1 / (folds - 1), 0.0), 0)
    for values in 0.7 + shared + own:
        for fraction in covered:
            interval = corrected_interval(values, fraction)
            covered[fraction] += interval.lower <= 0.7 <= interval.upper
    assert covered[1 / (folds - 1)] / draws == pytest.approx(0.95, abs=0.012)
    assert covered[0.0] / draws < 0.75


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (0.01, 0.05, Verdict.GAIN),
        (-0.05, -0.01, Verdict.LOSS),
        (-0.01, 0.05, Verdict.NONE),
        (0.0, 0.05, Verdict.NONE),
        (-0.05, 0.0, Verdict.NONE),
        (0.0, 0.0, Verdict.NONE),
        (0.2, 0.2, Verdict.GAIN),
    ],
)
def test_verdict(lower, upper, expected):
    assert verdict(lower, upper) is expected


@pytest.mark.parametrize(
    ("lower", "upper"), [(np.nan, 1.0), (-1.0, np.nan), (np.nan, np.nan), (0.2, 0.1)]
)
def test_no_verdict_without_an_interval(lower, upper):
    with pytest.raises(ValueError, match="no interval"):
        verdict(lower, upper)


def test_test_fraction_by_hand():
    """Folds of 2 and 4 out of 6 samples, predicted by two methods."""
    predictions = pd.DataFrame(
        {
            "method": ["a", "b"] * 6,
            "repeat": 0,
            "fold": np.repeat([0, 1], [4, 8]),
            "sample": np.repeat(list("uvwxyz"), 2),
        }
    )
    assert held_out_ratio(predictions, 6) == pytest.approx((2 / 4 + 4 / 2) / 2)


def test_split_ratio_by_hand():
    """Of 7 samples, 2 and 4 test; validation samples train, and an unused one does not."""
    parts = ["test"] * 2 + ["train"] * 3 + ["validation", "unused"]
    other = ["test"] * 4 + ["train", "validation", "unused"]
    splits = pd.DataFrame(
        {"repeat": 0, "fold": np.repeat([0, 1], 7), "sample": list("tuvwxyz") * 2}
    ).assign(part=[*parts, *other])
    assert split_ratio(splits) == pytest.approx((2 / 4 + 4 / 2) / 2)
    assert split_ratio(splits, 0.5) == pytest.approx((2 / 2 + 4 / 1) / 2)


def test_mean_over_cohorts_by_hand():
    """Squared errors (1/2 + 1/2) .02 = .02 and (1/2 + 1/2) .08 = .08: error sqrt(.1) / 2.

    Welch and Satterthwaite: .1^2 / (.02^2 + .08^2) = .01 / .0068 degrees of freedom.
    """
    interval = combined_interval([np.array([0.1, 0.3]), np.array([0.2, 0.6])], [0.5, 0.5])
    half = stats.t.ppf(0.975, 0.01 / 0.0068) * np.sqrt(0.1) / 2
    assert interval.mean == pytest.approx(0.3)
    assert (interval.lower, interval.upper) == pytest.approx((0.3 - half, 0.3 + half))
    assert interval.p == pytest.approx(2 * stats.t.sf(0.6 / np.sqrt(0.1), 0.01 / 0.0068))


def test_one_cohort_is_the_corrected_interval():
    values = np.array([0.1, 0.2, 0.4])
    assert combined_interval([values], [0.25]) == corrected_interval(values, 0.25)


@pytest.mark.parametrize("cohorts", [[], [np.array([0.1, 0.2]), np.array([0.1])]])
def test_no_mean_over_cohorts_without_folds(cohorts):
    with pytest.raises(ValueError, match="at least two folds"):
        combined_interval(cohorts, [0.25] * len(cohorts))


def test_holm_by_hand():
    # Sorted .01, .02, .025, .2 times 4, 3, 2, 1: .04, .06, .05, .2; the third rises to the second.
    assert holm([0.025, 0.01, 0.2, 0.02]) == pytest.approx([0.06, 0.04, 0.2, 0.06])
    assert holm([0.6, 0.5]) == pytest.approx([1, 1])
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_p_value_and_bonferroni(p_values):
    values, adjusted = np.array(p_values), holm(p_values)
    assert (adjusted >= values).all()
    assert (adjusted <= np.minimum(values * len(values), 1)).all()
    order = np.argsort(values)
    assert (np.diff(adjusted[order]) >= 0).all()


def test_posterior_by_hand():
    """Student's with 3 degrees of freedom around .25, of scale sqrt(1 / 120), in closed form."""
    posterior = correlated_t_test(np.array([0.1, 0.2, 0.3, 0.4]), 1 / 4)

    def below(limit):
        s = (limit - 0.25) * np.sqrt(120 / 3)
        return 0.5 + (s / (1 + s**2) + np.arctan(s)) / np.pi

    assert posterior.worse == pytest.approx(below(-0.01), abs=1e-12)
    assert posterior.better == pytest.approx(1 - below(0.01), abs=1e-12)
    assert posterior.equivalent == pytest.approx(below(0.01) - below(-0.01), abs=1e-12)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12), st.floats(0.01, 1))
def test_posterior_sums_to_one_and_turns_round(values, ratio):
    one, other = (correlated_t_test(sign * np.array(values), ratio) for sign in (1, -1))
    assert one.worse + one.equivalent + one.better == pytest.approx(1)
    assert min(one.worse, one.equivalent, one.better) >= 0
    assert (one.worse, one.equivalent, one.better) == pytest.approx(
        (other.better, other.equivalent, other.worse), abs=1e-9
    )


def test_without_a_region_the_posterior_is_the_one_sided_p_value():
    values = np.random.default_rng(3).normal(0.05, 0.1, 15)
    posterior = correlated_t_test(values, 0.25, region=0.0)
    assert posterior.equivalent == pytest.approx(0, abs=1e-12)
    assert posterior.worse == pytest.approx(corrected_interval(values, 0.25).p / 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-0.02, (1, 0, 0)), (0.0, (0, 1, 0)), (REGION, (0, 1, 0)), (0.02, (0, 0, 1))],
)
def test_posterior_without_spread(value, expected):
    posterior = correlated_t_test(np.full(4, value), 0.25)
    assert (posterior.worse, posterior.equivalent, posterior.better) == expected


@pytest.mark.parametrize("values", [[0.1], [0.1, np.nan]])
def test_no_posterior_without_folds(values):
    with pytest.raises(ValueError, match="at least two folds with finite values"):
        correlated_t_test(np.array(values), 0.25)


def test_rare_errors_of_the_posterior():
    """Of no true difference, `better` above .95 in at most 5 % of the cases, as the region is safe.

    Folds correlate as the correction assumes; 2000 draws.
    """
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(2000, 1)) * np.sqrt(1 / 5)
    own = rng.normal(size=(2000, 10)) * np.sqrt(4 / 5)
    better = [correlated_t_test(row, 1 / 4).better for row in 0.05 * (shared + own)]
    assert np.mean(np.array(better) > 0.95) < 0.05


@pytest.mark.parametrize(("right", "count"), [(0, 5), (3, 5), (5, 5), (41, 60)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_of_whole_counts_is_that_of_scipy(right, count, level):
    expected = stats.binomtest(right, count).proportion_ci(level, method="wilson")
    found = wilson_interval(right / count, count, level)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.floats(0, 1), st.floats(0.2, 500))
def test_wilson_holds_the_share_and_narrows(share, count):
    lower, upper = wilson_interval(share, count)
    assert 0 <= lower <= share + 1e-12
    assert share - 1e-12 <= upper <= 1
    narrow = wilson_interval(share, 2 * count)
    assert narrow[1] - narrow[0] < upper - lower


def test_means_over_folds_by_hand():
    single = mean_over_folds(np.array([0.3, np.nan]), 0.25)
    assert (single.mean, single.folds) == (0.3, 1)
    assert np.isnan([single.lower, single.upper]).all()
    none = mean_over_folds(np.array([np.nan]), 0.25)
    assert np.isnan(none[:3]).all()
    assert none.folds == 0
    values = np.array([0.9, 1.0, np.nan, 0.6])
    whole = mean_over_folds(values, 0.25)
    expected = corrected_interval(values[[0, 1, 3]], 0.25)
    assert whole == (expected.mean, expected.lower, expected.upper, 3)
    assert mean_over_folds(values, 5.0, 0.0, 1.0)[1:3] == (0.0, 1.0)
    assert mean_over_folds(values, 0.25, level=0.99).lower < whole.lower
