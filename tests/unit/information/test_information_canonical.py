"""Canonical components of all directions: what they find, and what they must not see."""

import numpy as np
import pytest

from balmi.information.canonical import (
    Directions,
    component_information,
    dependence,
    held_out_components,
)
from balmi.information.companions import Wide, composite_estimate
from balmi.information.crossfit import fold_numbers
from balmi.information.estimates import combined_p_value
from balmi.information.pairs import principal_scores, rank_normalise


def folds_of(n, groups=None):
    fold = fold_numbers(n, groups, 5, seed=0)
    return [np.flatnonzero(fold == number) for number in range(5)]


def views(n, width, rho=(), seed=0):
    """Return isotropic views that share as many pairs of directions as `rho` has correlations."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(2, n, width))
    for column, each in enumerate(rho):
        right[:, column] = each * left[:, column] + np.sqrt(1 - each**2) * right[:, column]
    turns = [np.linalg.qr(rng.normal(size=(width, width)))[0] for _ in range(2)]
    return left @ turns[0], right @ turns[1]


def read(left, right, groups=None, most=20):
    units = len(left) if groups is None else len(np.unique(groups))
    found = held_out_components(
        *(Directions.of(rank_normalise(view)) for view in (left, right)),
        *(folds_of(len(left), groups), most, 3 / np.sqrt(units), groups),
    )
    return component_information(*found)


class TestDirections:
    @pytest.mark.parametrize("shape", [(40, 6), (20, 50)])
    def test_white_without_a_ridge(self, shape):
        values = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
        found = Directions.of(values)
        rank = min(shape[1], shape[0] - 1)
        white = found.damped(0)
        assert white.T @ white / len(values) == pytest.approx(np.eye(rank), abs=1e-8)
        assert found.variances.sum() == pytest.approx(values.var(axis=0).sum())

    def test_nothing_that_varies(self):
        found = Directions.of(np.ones((10, 3)))
        assert found.damped(1).shape == (10, 0)

    def test_dependence_is_the_sum_of_squared_cross_covariances(self):
        rng = np.random.default_rng(0)
        sides = [Directions.of(rng.normal(size=(30, 4))) for _ in range(2)]
        rows = rng.permutation(30)
        one, two = (side.damped(1.0) for side in sides)
        expected = ((one.T @ two[rows]) ** 2).sum()
        assert dependence(*sides, rows) == pytest.approx(expected)


class TestComponents:
    def test_two_pairs_among_many_directions_alike(self):
        """Truth 1.02; principal components of 25 directions alike hold no more than their share."""
        found = [read(*views(1000, 25, (0.8, 0.8), seed)) for seed in range(3)]
        assert np.mean(found) == pytest.approx(1.02, abs=0.1)

    def test_more_directions_than_samples(self):
        rng = np.random.default_rng(0)
        factor = rng.normal(size=(150, 1))
        sides = [factor @ rng.normal(size=(1, 300)) + rng.normal(size=(150, 300)) for _ in range(2)]
        assert read(*sides) > 1
        assert np.nan_to_num(read(sides[0], sides[1][::-1])) < 0.1

    def test_independent_views_hold_no_component(self):
        found = [read(*views(150, 20, (), seed)) for seed in range(20)]
        assert np.isnan(found).sum() >= 18
        assert np.nan_to_num(found).max() < 0.15

    def test_copies_of_patients_are_kept_together(self):
        """Each patient three times: dependence within patients is not read as that of views."""
        found, groups = [], np.repeat(np.arange(60), 3)
        for seed in range(20):
            left, right = (np.repeat(view, 3, axis=0) for view in views(60, 5, (), seed))
            found.append(read(left, right, groups))
        assert np.isnan(found).sum() >= 18

    def test_how_held_out_samples_are_paired_shapes_no_component(self):
        """Scores of a fold's samples are the same whatever their pairing, but for their partner."""
        left, right = views(100, 4, (0.8,))
        folds = folds_of(100)
        sides = Directions.of(left), Directions.of(right)
        before = held_out_components(*sides, folds, 1, -1.0)
        order = np.arange(100)
        order[folds[0]] = order[folds[0]][::-1]
        after = held_out_components(
            sides[0], Directions(sides[1].coordinates[order], sides[1].variances), folds, 1, -1.0
        )
        np.testing.assert_allclose(before[0][folds[0]], after[0][folds[0]])
        np.testing.assert_allclose(before[1][folds[0]][::-1], after[1][folds[0]])


class TestComposite:
    @staticmethod
    def found(left, right, seed=0, permutations=19, groups=None):
        ranks = [rank_normalise(view) for view in (left, right)]
        fold = fold_numbers(len(left), groups, 5, seed)
        return composite_estimate(
            *(principal_scores(view, 5) for view in ranks),
            *(fold, permutations, np.random.default_rng(seed), groups),
            Wide(*map(Directions.of, ranks), 20),
        )

    def test_the_largest_is_along_all_directions_where_components_see_little(self):
        found = self.found(*views(400, 40, (0.9, 0.9)))
        assert found.value == found.wide > 0.6
        assert found.gaussian < 0.4
        assert found.null.p_value == pytest.approx(1 / 20)

    def test_false_positives(self):
        """40 independent data sets at level .05: more than six by a valid test in .1 % of cases."""
        p = [self.found(*views(60, 15, (), seed), seed).null.p_value for seed in range(40)]
        assert sum(each <= 0.05 + 1e-9 for each in p) <= 6


def test_combined_p_value_by_hand():
    """The first row is the furthest out, by its second value; the second one is next to it."""
    statistics = np.array([[1.0, 9.0], [4.0, 1.0], [3.0, 2.0], [2.0, 3.0]])
    standard = (statistics - statistics.mean(axis=0)) / statistics.std(axis=0)
    assert standard.max(axis=1).argmax() == 0
    assert combined_p_value(statistics) == 0.25
    assert combined_p_value(statistics[[1, 0, 2, 3]]) == 0.5
    assert combined_p_value(np.ones((5, 2))) == 1
