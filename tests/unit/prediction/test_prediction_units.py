"""Another unit is seen by robust statistics, and another cohort in the same unit is not one."""

import numpy as np
import pytest

from balmi.prediction.units import Usual, look

FEATURES = 60
LEVELS = np.linspace(2, 12, FEATURES)


def cohort(count, seed, shift=0.0):
    """Return logarithms of 60 genes of different levels."""
    return np.random.default_rng(seed).normal(LEVELS + shift, 1, size=(count, FEATURES))


USUAL = Usual.of(cohort(200, 0), cohort(200, 0))
ALL = np.ones(FEATURES, dtype=bool)


def seen(values, usual=USUAL, found=ALL):
    return look(usual, values, values, found)


@pytest.mark.parametrize("count", [1, 2, 10, 100])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_distribution_is_not_odd_however_few_samples(count, seed):
    assert seen(cohort(count, 100 + seed)).found is None


def test_a_small_batch_effect_is_not_odd():
    assert seen(cohort(50, 1, shift=0.5)).found is None


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: np.round(2**x), "counts"),
        (lambda x: 2**x, "deviations from its training median"),
        (lambda x: x - LEVELS, "deviations from its training median"),
        (lambda x: x / (x.max() + 1), "fractions"),
        (lambda x: x * 3.32, "deviations from its training median"),
    ],
    ids=["counts", "not logged", "centred by feature", "fractions", "log10 for log2"],
)
def test_another_unit_is_refused(count, change, words):
    found = seen(change(np.maximum(cohort(count, 2), 0)))
    assert found.severe
    assert words in found.found
    assert found.advice


def test_another_base_of_the_logarithm_is_named():
    found = seen(cohort(50, 3) * np.log(2))
    assert found.found is not None
    assert "0.69 times" in found.advice


def test_a_shift_of_all_values_is_told_with_its_size():
    found = seen(cohort(50, 4, shift=2.0))
    assert found.found is not None
    assert not found.severe
    assert "lie about +2" in found.advice


def test_a_spread_of_standardised_values_is_refused_even_at_the_same_level():
    values = LEVELS + (cohort(50, 5) - LEVELS) * 40
    assert seen(values).severe


def test_values_below_zero_where_training_has_none_are_refused_of_several_samples():
    """Features of one level, standardised: medians and spreads are hardly moved."""
    usual = Usual.of(cohort(200, 0) * 0 + 1.5, np.abs(cohort(200, 0) - LEVELS) + 1)
    values = cohort(30, 8) - LEVELS
    found = seen(values + 1, usual)
    assert found.severe
    assert "below 0" in found.found
    assert "below 0" not in str(seen(values[:1] + 1, usual).found)


def test_features_that_are_mostly_zero_say_nothing_of_spread():
    rng = np.random.default_rng(0)
    sparse = [rng.poisson(0.3, size=(count, FEATURES)) * 1.5 for count in (200, 40)]
    assert seen(sparse[1], Usual.of(sparse[0], sparse[0])).found is None


@pytest.mark.parametrize("deviation", [0.003, 0.01, 0.1, 1.0])
@pytest.mark.parametrize(("trained", "new"), [(2, 9), (9, 2), (2, 2), (9, 9)])
def test_values_that_one_side_has_rounded_to_two_decimals_are_in_the_same_unit(
    deviation, trained, new
):
    draw = np.random.default_rng(5).normal
    before = np.round(draw(LEVELS, deviation, size=(200, FEATURES)), trained)
    for count in (1, 3, 40):
        after = np.round(draw(LEVELS, deviation, size=(count, FEATURES)), new)
        assert seen(after, Usual.of(before, before)).found is None, count


def test_missing_features_are_left_out():
    values = cohort(20, 6)
    values[:, 30:] = np.nan
    assert seen(values, found=ALL & (np.arange(FEATURES) < 30)).found is None


def test_few_features_tell_nothing():
    assert seen(cohort(5, 7) * 99, found=np.arange(FEATURES) < 4).found is None


def test_what_is_known_of_training_samples():
    raw = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 2.5]])
    usual = Usual.of(raw, raw)
    assert usual.medians.tolist() == [2.0, 2.25]
    assert usual.deviations == pytest.approx([1.4826, 1.4826 * 0.25])
    assert (usual.lowest, usual.highest) == (1.0, 3.0)
    assert usual.whole == pytest.approx(0.8)


def test_another_base_of_the_logarithm_is_seen_where_levels_are_near():
    """By levels and spreads together, where neither lies far enough out."""
    levels = np.linspace(-2, 2, FEATURES)
    rng = np.random.default_rng(4)
    trained, new = (rng.normal(levels, 1, size=(count, FEATURES)) for count in (200, 30))
    usual = Usual.of(trained, trained)
    found = seen(new * np.log(2), usual)
    assert found.shift < 1.5
    assert "levels of features are 0.68 times, and their spreads 0.63 times" in found.found
    assert not found.severe
    assert "log2 is 1.44 times ln" in found.advice
    for other in (new, 0.7 * (new - levels) + levels, levels * 0.7 + new - levels):
        assert seen(other, usual).found is None, "levels or spreads alone differ between cohorts"


def test_features_that_were_standardised_among_the_new_samples_are_seen():
    rng = np.random.default_rng(5)
    scales = np.geomspace(0.3, 2, FEATURES)
    trained, new = (rng.normal(0, scales, size=(count, FEATURES)) for count in (200, 30))
    usual = Usual.of(trained, trained)
    for free in (0, 1):
        standardised = (new - new.mean(axis=0)) / new.std(axis=0, ddof=free)
        found = seen(standardised, usual)
        assert "have mean 0 and deviation 1" in found.found
        assert not found.severe
    assert seen(new, usual).found is None
    ones = (trained - trained.mean(axis=0)) / trained.std(axis=0)
    assert seen(standardised, Usual.of(ones, ones)).found is None
