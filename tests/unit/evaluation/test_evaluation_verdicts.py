"""What intervals are called, at and around their boundaries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.evaluation.verdicts import (
    Extremes,
    PairedDifference,
    Prediction,
    Verdict,
    adjusted_away,
    extremes,
    judged,
    prediction,
    stronger,
    verdict,
)

SMALLEST = np.nextafter(0, 1)
ESTIMATES = {"low": 0.1, "high": 0.9, "middle": 0.4}
APART = (
    PairedDifference("low", "high", -0.9, -0.7),
    PairedDifference("low", "middle", -0.4, -0.2),
    PairedDifference("high", "middle", 0.3, 0.7),
)


class TestVerdict:
    @pytest.mark.parametrize(
        ("lower", "upper", "expected"),
        [
            (SMALLEST, 0.05, Verdict.GAIN),
            (0.0, 0.05, Verdict.NONE),
            (-SMALLEST, 0.05, Verdict.NONE),
            (-0.05, -SMALLEST, Verdict.LOSS),
            (-0.05, 0.0, Verdict.NONE),
            (0.0, 0.0, Verdict.NONE),
            (0.2, 0.2, Verdict.GAIN),
            (-np.inf, np.inf, Verdict.NONE),
        ],
    )
    def test_boundaries(self, lower, upper, expected):
        assert verdict(lower, upper) is expected

    def test_less_of_a_loss_is_better(self):
        assert verdict(-0.05, -0.01, more_is_better=False) is Verdict.GAIN
        assert verdict(0.01, 0.05, more_is_better=False) is Verdict.LOSS
        assert verdict(-0.01, 0.05, more_is_better=False) is Verdict.NONE

    @pytest.mark.parametrize("limits", [(0.01, 0.05), (-0.05, -0.01), (-0.1, 0.1)])
    def test_a_failed_control_withholds_every_verdict(self, limits):
        assert verdict(*limits, failed=("leak control",)) is Verdict.WITHHELD
        assert verdict(*limits, failed=()) is not Verdict.WITHHELD

    @pytest.mark.parametrize(
        ("lower", "upper"), [(np.nan, 1.0), (-1.0, np.nan), (np.nan, np.nan), (0.2, 0.1)]
    )
    def test_none_without_an_interval(self, lower, upper):
        with pytest.raises(ValueError, match="no interval"):
            verdict(lower, upper)

    @given(st.floats(-1, 1), st.floats(0, 1))
    def test_swapping_the_methods_turns_it_round(self, middle, half):
        turned = {Verdict.GAIN: Verdict.LOSS, Verdict.LOSS: Verdict.GAIN}
        lower, upper = middle - half, middle + half
        found = verdict(lower, upper)
        assert verdict(-upper, -lower) is turned.get(found, found)
        assert verdict(lower, upper, more_is_better=False) is turned.get(found, found)


class TestJudged:
    @pytest.mark.parametrize(
        ("folds", "p_holm", "failed", "word"),
        [
            (10, 0.05, (), Verdict.GAIN),
            (10, 0.051, (), Verdict.NONE),
            (10, np.nan, (), Verdict.NONE),
            (9, 0.0, (), Verdict.UNJUDGED),
            (9, 0.0, ("leak",), Verdict.WITHHELD),
        ],
    )
    def test_folds_p_and_controls_come_before_the_interval(self, folds, p_holm, failed, word):
        assert judged(0.1, 0.2, folds=folds, p_holm=p_holm, failed=failed) is word

    def test_of_a_loss_less_is_better(self):
        assert judged(0.1, 0.2, folds=10, more_is_better=False) is Verdict.LOSS


class TestPrediction:
    @pytest.mark.parametrize(
        ("lower", "upper", "expected"),
        [
            (0.01, 0.2, "gain"),
            (-0.2, -0.01, "no gain"),
            (-0.1, 0.1, "undecided"),
            (0.0, 0.1, "undecided"),
            (-0.1, 0.0, "undecided"),
            (np.nan, np.nan, "undecided"),
            (-np.inf, np.inf, "undecided"),
        ],
    )
    def test_boundaries(self, lower, upper, expected):
        assert prediction(lower, upper) == expected

    @given(st.floats(-1, 1), st.floats(0, 1))
    def test_turning_a_margin_round_turns_it_round(self, middle, half):
        turned = {Prediction.GAIN: Prediction.NO_GAIN, Prediction.NO_GAIN: Prediction.GAIN}
        lower, upper = middle - half, middle + half
        found = prediction(lower, upper)
        assert prediction(-upper, -lower) is turned.get(found, found)

    def test_words(self):
        assert prediction(0.1, 0.2).words == "predicted to help"
        assert len({each.words for each in Prediction}) == 3


class TestStronger:
    @pytest.mark.parametrize(
        ("lower", "upper", "expected"),
        [(0.1, 0.2, "a"), (-0.2, -0.1, "b"), (0.0, 0.1, None), (-0.1, 0.0, None)],
    )
    def test_boundaries(self, lower, upper, expected):
        assert stronger("a", "b", lower, upper) == expected

    def test_unknown_limits_separate_nothing(self):
        assert stronger("a", "b", np.nan, np.nan) is None


class TestExtremes:
    def test_each_is_named_where_it_differs_from_every_other(self):
        assert extremes(ESTIMATES, APART) == Extremes("high", "low")

    @pytest.mark.parametrize(
        ("left", "expected"),
        [(0, Extremes(None, None)), (1, Extremes("high", None)), (2, Extremes(None, "low"))],
    )
    def test_a_pair_without_a_contrast_is_not_separable(self, left, expected):
        held = [each for place, each in enumerate(APART) if place != left]
        assert extremes(ESTIMATES, held) == expected

    def test_noise_is_never_the_strongest(self):
        assert extremes(ESTIMATES, APART, {"high"}) == Extremes(None, None)

    def test_one_without_information_may_be_the_weakest(self):
        assert extremes(ESTIMATES, APART, {"low"}) == Extremes("high", "low")

    def test_two_without_information_have_no_weakest(self):
        assert extremes(ESTIMATES, APART, {"low", "middle"}) == Extremes("high", None)

    def test_one_modality_has_no_extremes(self):
        assert extremes({"only": 0.5}, ()) == Extremes(None, None)


@pytest.mark.parametrize(
    ("lower", "upper", "p_holm", "expected"),
    [
        (0.01, 0.05, 0.04, False),
        (0.01, 0.05, 0.06, True),
        (-0.05, -0.01, 0.06, True),
        (-0.01, 0.05, 0.06, False),
        (0.0, 0.05, 0.06, False),
    ],
)
def test_where_the_interval_says_one_thing_and_the_adjusted_p_another(
    lower, upper, p_holm, expected
):
    word = judged(lower, upper, folds=25, p_holm=p_holm)
    assert adjusted_away(word, lower, upper) is expected


def test_nothing_is_adjusted_away_without_an_interval_or_with_few_folds():
    assert not adjusted_away(None, None, None)
    assert not adjusted_away(judged(0.01, 0.05, folds=9, p_holm=0.06), 0.01, 0.05)
