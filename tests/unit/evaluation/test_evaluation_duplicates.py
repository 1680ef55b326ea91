"""Near-copies of samples: found in whatever modality holds them, and not where they are chance."""

from dataclasses import replace

import numpy as np
import pytest

from balmi.data.splits import Split
from balmi.evaluation.duplicates import Copies, by_chance, divided, near_copies, rarity

FEATURES = {"rna": 40, "mirna": 25}


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.arange(60) % 3, FEATURES)


def with_copy(cohort, name, first, second, noise):
    values = cohort.tables[name].copy()
    rng = np.random.default_rng(5)
    values[second] = values[first] + noise * rng.standard_normal(values.shape[1])
    return replace(cohort, values=cohort.tables | {name: values})


def test_independent_samples_are_none(cohort):
    assert near_copies(cohort) == []


@pytest.mark.parametrize("name", ["rna", "mirna"])
def test_a_copy_is_found_in_its_modality(cohort, name):
    assert near_copies(with_copy(cohort, name, 3, 17, 0.01)) == [Copies(name, 3, 17)]


def test_the_threshold_is_a_correlation(cohort):
    """Noise of a tenth of the spread correlates by 1 / sqrt(1.01) = .995, of a fiftieth .9998."""
    assert near_copies(with_copy(cohort, "rna", 3, 17, 0.1)) == []
    assert near_copies(with_copy(cohort, "rna", 3, 17, 0.02)) == [Copies("rna", 3, 17)]


def test_three_of_a_kind_are_three_pairs(cohort):
    copied = with_copy(with_copy(cohort, "rna", 3, 17, 0.0), "rna", 3, 20, 0.0)
    pairs = [(pair.first, pair.second) for pair in near_copies(copied)]
    assert pairs == [(3, 17), (3, 20), (17, 20)]


def test_few_features_tell_nothing(make_cohort):
    cohort = make_cohort(np.arange(300) % 3, {"clinical": 3})
    assert near_copies(cohort) == []


def test_small_modalities_are_looked_at_together(make_cohort):
    """Twelve features alone are too few; a copy has both modalities alike."""
    cohort = make_cohort(np.arange(60) % 3, {"clinical": 12, "protein": 12, "rna": 40})
    assert near_copies(cohort) == []
    one = with_copy(cohort, "clinical", 3, 17, 0.01)
    assert near_copies(one) == []
    both = with_copy(one, "protein", 3, 17, 0.01)
    assert near_copies(both) == [Copies("clinical + protein", 3, 17)]
    lacking = both.tables["protein"].copy()
    lacking[17] = np.nan
    assert near_copies(replace(both, values=both.tables | {"protein": lacking})) == []


def test_small_modalities_that_no_samples_share_are_left_alone(make_cohort):
    cohort = make_cohort(np.arange(60) % 3, {"clinical": 12, "protein": 12})
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["clinical"][:30] = np.nan
    values["protein"][30:] = np.nan
    assert near_copies(replace(cohort, values=values)) == []


def test_samples_that_share_few_levels_are_no_copies(make_cohort):
    """Of 24 features that nearly all samples have at 0, many samples have the same."""
    cohort = make_cohort(np.arange(120) % 3, {"mutations": 12, "clinical": 12})
    rng = np.random.default_rng(2)
    values = {name: (rng.random((120, 12)) < 0.03).astype(float) for name in cohort.modalities}
    assert len(np.unique(np.hstack(list(values.values())), axis=0)) < 100
    assert near_copies(replace(cohort, values=values)) == []


def test_absent_samples_are_no_copies(cohort):
    values = cohort.tables["mirna"].copy()
    values[[4, 9]] = np.nan
    assert near_copies(replace(cohort, values=cohort.tables | {"mirna": values})) == []


def test_divided_are_those_tested_by_each_other():
    split = Split(0, 0, train=np.array([0, 1]), validation=np.array([2]), test=np.array([3, 4]))
    pairs = [Copies("rna", *pair) for pair in ((0, 3), (2, 4), (0, 1), (3, 4), (5, 3))]
    assert divided(pairs, [split]) == pairs[:2]
    assert divided(pairs, []) == []


def test_mutations_that_are_alike_are_no_copies_where_another_modality_tells_them_apart(
    make_cohort,
):
    """Each of 30 genes is mutated in two samples, whose rows are the same."""
    cohort = make_cohort(np.arange(60) % 3, {"rna": 40, "mutation": 30})
    table = np.zeros((60, 30))
    table[np.arange(60), np.arange(60) % 30] = 1
    both = replace(cohort, values=cohort.tables | {"mutation": table})
    assert near_copies(both) == []
    # Without measurements that tell them apart they may be copies.
    lacking = both.tables["rna"].copy()
    lacking[7] = np.nan
    alone = replace(both, values=both.tables | {"rna": lacking})
    assert near_copies(alone) == [Copies("mutation", 7, 37)]
    # A copy in both is found in both.
    copied = with_copy(both, "rna", 7, 37, 0.01)
    assert near_copies(copied) == [Copies("rna", 7, 37), Copies("mutation", 7, 37)]


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_samples_of_a_single_value_are_nobodys_copies(make_cohort, value):
    """Patients without any mutation, or without any count, beside a modality of few features."""
    cohort = make_cohort(np.arange(60) % 3, {"mutation": 200, "protein": 9})
    table = (np.random.default_rng(4).random((60, 200)) < 0.05).astype(float)
    table[[3, 17, 20]] = value
    assert near_copies(replace(cohort, values=cohort.tables | {"mutation": table})) == []
    table[41] = table[40]
    copied = replace(cohort, values=cohort.tables | {"mutation": table})
    assert near_copies(copied) == [Copies("mutation", 40, 41)]


def test_levels_that_no_chance_explains_are_copies_whatever_another_modality_says(make_cohort):
    """Two samples of one patient: the same copy numbers, expression that is only much alike."""
    cohort = make_cohort(np.arange(60) % 3, {"rna": 40, "cnv": 30})
    levels = np.random.default_rng(3).integers(-2, 3, (60, 30)).astype(float)
    levels[37] = levels[7]
    assert near_copies(replace(cohort, values=cohort.tables | {"cnv": levels})) == [
        Copies("cnv", 7, 37)
    ]


def test_chance_shares_one_rare_value_and_not_four():
    """Of 100 samples 4 have each rare value: 5,000 pairs times .0016 is 8; times .0016^4, none."""
    profiles = np.zeros((100, 4))
    profiles[:4] = 1
    rare = rarity(profiles)
    assert rare[[0, 10], 0] == pytest.approx([np.log(0.04), 0])
    assert not by_chance(profiles, rare, 0, 1)
    assert by_chance(profiles[:, :1], rare[:, :1], 0, 1)
    assert by_chance(profiles, rare, 10, 11)
