"""Cohorts of the benchmark of the verdict: they have the structure that they are named for."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

import verdict_cohorts as cohorts
from verdict_cohorts import measured, plan, simulated

STRUCTURED = (
    cohorts.absent_in_a_class,
    cohorts.absent_more_often,
    cohorts.batch_follows_class,
    cohorts.repeated_measures,
    cohorts.uneven_patients,
    cohorts.few_sites,
    cohorts.uneven_groups,
    cohorts.rare_class,
    cohorts.copied_samples,
    cohorts.disjoint,
)
SEEDS = range(12)


def labels_by_group(cohort):
    return [set(cohort.labels[cohort.groups == group]) for group in np.unique(cohort.groups)]


class TestPlain:
    def test_classes_have_their_shares(self):
        cohort = simulated(200, 1)
        assert np.bincount(cohort.labels).tolist() == [100, 60, 40]
        assert cohort.modalities == ("first", "second")

    def test_the_nearest_corner_tells_the_class_as_often_as_planted(self):
        """Corners are sqrt(3) separations apart: with 4 each side errs by under .001."""
        cohort = simulated(4000, 2, {"first": 8.0})
        values = cohort.tables["first"]
        means = np.stack([values[cohort.labels == code].mean(axis=0) for code in range(3)])
        nearest = ((values[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        assert (nearest == cohort.labels).mean() > 0.99

    def test_without_separation_nothing_is_planted(self):
        cohort = simulated(4000, 3, {"first": 0.0})
        values = cohort.tables["first"]
        gap = values[cohort.labels == 0].mean(axis=0) - values[cohort.labels == 1].mean(axis=0)
        error = values.std(axis=0) * np.sqrt(1 / 2000 + 1 / 1200)
        assert np.abs(gap / error).max() < 4


@pytest.mark.parametrize("draw", [simulated, *STRUCTURED])
def test_cohorts_differ_by_seed_alone(draw):
    one, same, other = (draw(60, seed).tables["first"] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other, equal_nan=True)


class TestPlan:
    def test_half_of_the_cohorts_are_noise_and_the_others_have_one_signal(self):
        signals = [[s for s in plan(seed).signal.values() if s] for seed in SEEDS]
        assert [len(each) for each in signals] == [0, 1] * 6

    def test_every_modality_has_the_signal_in_turn(self):
        found = {name for seed in range(48) for name, s in plan(seed).signal.items() if s}
        assert found == {"first", "second", "third"}

    def test_a_third_has_three_modalities(self):
        assert [len(plan(seed).modalities) for seed in SEEDS] == [2] * 8 + [3] * 4


@pytest.mark.parametrize("draw", STRUCTURED)
@pytest.mark.parametrize("seed", SEEDS)
class TestEveryStructure:
    def test_every_sample_has_a_modality_and_every_class_members(self, draw, seed):
        cohort = draw(160, seed)
        assert cohort.available.any(axis=1).all()
        assert np.bincount(cohort.labels, minlength=3).min() >= 5
        assert np.all(np.diff(np.unique(cohort.samples, return_index=True)[1]) == 1)

    def test_groups_can_be_dealt_into_five_folds(self, draw, seed):
        cohort = draw(160, seed)
        if cohort.groups is not None:
            for code in range(3):
                assert len(np.unique(cohort.groups[cohort.labels == code])) >= 4


class TestStructures:
    def test_a_class_lacks_the_last_modality(self):
        cohort = cohorts.absent_in_a_class(160, 3)
        lacking = ~cohort.available
        assert not lacking[:, 0].any()
        (target,) = np.unique(cohort.labels[lacking[:, 1]])
        np.testing.assert_array_equal(lacking[:, 1], cohort.labels == target)

    def test_a_class_lacks_it_more_often(self):
        cohort = cohorts.absent_more_often(3000, 3)
        lacking = ~cohort.available[:, 1]
        shares = sorted(lacking[cohort.labels == code].mean() for code in range(3))
        assert shares == pytest.approx([0.25, 0.25, 0.8], abs=0.05)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_each_modality_alone_tells_the_batch(self, seed):
        """Three clusters are the same in whichever modality they are found."""
        cohort = cohorts.batch_follows_class(160, seed)
        mixture = GaussianMixture(3, covariance_type="tied", n_init=10, random_state=0)
        found = [mixture.fit_predict(values) for values in cohort.tables.values()]
        assert all(adjusted_rand_score(found[0], other) == 1 for other in found[1:])
        assert 0.05 < adjusted_rand_score(found[0], cohort.labels) < 0.6

    def test_a_patient_has_one_class(self):
        for draw in (cohorts.repeated_measures, cohorts.uneven_patients):
            assert all(len(own) == 1 for own in labels_by_group(draw(160, 7)))

    def test_patients_have_four_samples_or_one_to_thirty(self):
        even, uneven = (
            np.unique(draw(1400, 7).groups, return_counts=True)[1]
            for draw in (cohorts.repeated_measures, cohorts.uneven_patients)
        )
        assert set(even) == {4}
        assert uneven.min() == 1
        assert uneven.max() in range(25, 31)

    def test_sites_have_every_class(self):
        cohort = [cohorts.few_sites(160, seed) for seed in (0, 8, 16)]
        assert [len(np.unique(each.groups)) for each in cohort] == [7, 6, 5]
        assert all(own == {0, 1, 2} for each in cohort for own in labels_by_group(each))

    def test_groups_are_patients_and_sites_in_turn(self):
        names = [len(np.unique(cohorts.uneven_groups(160, seed).groups)) for seed in (0, 4, 8, 12)]
        assert names == [22, 7, 22, 6]

    def test_a_class_is_rare(self):
        assert np.bincount(cohorts.rare_class(200, 1).labels).tolist() == [112, 80, 8]

    @pytest.mark.parametrize(("seed", "features"), [(0, 40), (8, 12)])
    def test_a_quarter_of_the_samples_are_copies(self, seed, features):
        cohort = cohorts.copied_samples(160, seed)
        values = cohort.tables["first"]
        scaled = (values - values.mean(axis=0)) / values.std(axis=0)
        far = ((scaled[:, None] - scaled[None]) ** 2).mean(axis=2) + np.eye(160) * 9
        near = far < 0.02
        # Of k copies of one sample and the sample itself, all but one are copies.
        families = {
            tuple(np.flatnonzero(row | (np.arange(160) == at))) for at, row in enumerate(near)
        }
        assert sum(len(each) - 1 for each in families) == 40
        assert all(len(set(cohort.labels[list(each)])) == 1 for each in families)
        assert values.shape[1] == features

    def test_no_sample_has_two_modalities(self):
        for seed in SEEDS:
            assert (cohorts.disjoint(160, seed).available.sum(axis=1) == 1).all()

    def test_all_modalities_of_every_fourth_disjoint_cohort_measure_the_class(self):
        """Class means of what measures it lie about two standard errors of hundreds apart."""
        cohort = cohorts.disjoint(4000, 3)
        for column, values in enumerate(cohort.tables.values()):
            has = cohort.available[:, column]
            means = [values[has & (cohort.labels == code)].mean(axis=0) for code in (0, 1)]
            assert np.abs(means[0] - means[1]).max() > 1


def test_a_modality_is_measured_with_the_features_asked_for():
    rng = np.random.default_rng(0)
    assert measured(np.zeros(5, dtype=int), 1.0, rng, features=7).shape == (5, 7)
