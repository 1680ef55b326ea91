"""Gaussian information of pairs: closed forms, invariances, bias, intervals and nulls."""

import numpy as np
import pytest
from scipy.special import digamma
from scipy.stats import binom, norm

from balmi.information.pairs import (
    gaussian_estimate,
    gaussian_value,
    jackknife_interval,
    principal_scores,
    rank_normalise,
    representation,
    wishart_bias,
)


def views_with(correlations, n, extra=0, seed=0):
    """Return two views whose sample canonical correlations are exactly the given ones."""
    rng = np.random.default_rng(seed)
    k = len(correlations)
    raw = rng.normal(size=(n, 2 * k + extra))
    basis = np.linalg.qr(raw - raw.mean(axis=0))[0]
    left = basis[:, :k]
    rho = np.asarray(correlations)
    right = rho * left + np.sqrt(1 - rho**2) * basis[:, k : 2 * k]
    return left, np.hstack([right, basis[:, 2 * k :]])


class TestGaussianValue:
    @pytest.mark.parametrize("rho", [0.0, 0.3, -0.6, 0.99])
    def test_bivariate(self, rho):
        left, right = views_with([rho], 80)
        expected = -0.5 * np.log(1 - rho**2) - wishart_bias(80, 1, 1)
        assert gaussian_value(left, right) == pytest.approx(expected, abs=1e-9)

    def test_several_dimensions_add_up(self):
        left, right = views_with([0.8, 0.5, 0.1], 100, extra=2)
        plug_in = -0.5 * np.log((1 - 0.64) * (1 - 0.25) * (1 - 0.01))
        expected = plug_in - wishart_bias(100, 3, 5)
        assert gaussian_value(left, right) == pytest.approx(expected, abs=1e-9)
        assert gaussian_value(right, left) == pytest.approx(expected, abs=1e-9)

    def test_drawn_from_a_known_covariance(self):
        """Truth by the determinants; a standard error of about .01."""
        rng = np.random.default_rng(0)
        mixing = rng.normal(size=(5, 5))
        covariance = mixing @ mixing.T + np.eye(5)
        truth = 0.5 * np.log(
            np.linalg.det(covariance[:2, :2])
            * np.linalg.det(covariance[2:, 2:])
            / np.linalg.det(covariance)
        )
        drawn = rng.multivariate_normal(np.zeros(5), covariance, size=8000)
        assert gaussian_value(drawn[:, :2], drawn[:, 2:]) == pytest.approx(truth, abs=0.04)

    def test_affine_maps_and_orders_do_not_matter(self):
        rng = np.random.default_rng(0)
        left = rng.normal(size=(60, 3))
        right = left[:, :2] + rng.normal(size=(60, 2))
        value = gaussian_value(left, right)
        mixed = left @ rng.normal(size=(3, 3)) + rng.normal(size=3)
        scaled = right * [1e4, -1e-3] + [5, 7]
        rows, columns = rng.permutation(60), rng.permutation(3)
        assert gaussian_value(mixed, scaled) == pytest.approx(value, abs=1e-8)
        assert gaussian_value(left[rows], right[rows]) == pytest.approx(value, abs=1e-9)
        assert gaussian_value(left[:, columns], right[:, ::-1]) == pytest.approx(value, abs=1e-9)

    def test_columns_that_repeat_others_count_once(self):
        left, right = views_with([0.6, 0.2], 70)
        doubled = np.hstack([left, left @ [[1.0], [2.0]], np.ones((70, 1))])
        assert gaussian_value(doubled, right) == pytest.approx(gaussian_value(left, right))

    def test_a_constant_view_knows_nothing(self):
        other = np.random.default_rng(0).normal(size=(40, 2))
        assert gaussian_value(np.ones((40, 3)), other) == 0
        assert gaussian_value(other[:, :0], other) == 0

    def test_a_view_and_itself_is_large_and_finite(self):
        view = np.random.default_rng(0).normal(size=(40, 1))
        assert 8 < gaussian_value(view, view) < np.inf

    def test_refuses_more_dimensions_than_samples(self):
        rng = np.random.default_rng(0)
        with pytest.raises(ValueError, match="12 samples are too few for 6"):
            gaussian_value(rng.normal(size=(12, 6)), rng.normal(size=(12, 5)))


class TestBias:
    def test_one_dimension_in_closed_form(self):
        """E -1/2 log(1 - r^2) with 1 - r^2 ~ Beta((n - 2)/2, 1/2) of independent samples."""
        expected = -0.5 * (digamma((30 - 2) / 2) - digamma((30 - 1) / 2))
        assert wishart_bias(30, 1, 1) == pytest.approx(expected)

    def test_symmetric_and_asymptotic(self):
        assert wishart_bias(90, 3, 7) == pytest.approx(wishart_bias(90, 7, 3))
        assert wishart_bias(90, 0, 7) == 0
        assert wishart_bias(10**6, 4, 5) == pytest.approx(4 * 5 / (2 * 10**6), rel=1e-3)

    @pytest.mark.parametrize(("n", "p", "q"), [(20, 1, 1), (40, 3, 5), (60, 10, 10)])
    def test_takes_off_what_independent_gaussians_read(self, n, p, q):
        """Unbiased: the mean of 1500 draws is within four of its standard errors of 0."""
        rng = np.random.default_rng(n)
        values = [
            gaussian_value(rng.normal(size=(n, p)), rng.normal(size=(n, q))) for _ in range(1500)
        ]
        assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / np.sqrt(1500))
        assert wishart_bias(n, p, q) > 8 * np.std(values) / np.sqrt(1500)

    def test_takes_off_the_bias_of_dependent_gaussians_too(self):
        rng = np.random.default_rng(0)
        values = []
        for _ in range(1500):
            left = rng.normal(size=(40, 2))
            right = 0.6 * left + 0.8 * rng.normal(size=(40, 2))
            values.append(gaussian_value(left, right))
        error = np.std(values) / np.sqrt(1500)
        assert np.mean(values) == pytest.approx(-2 * np.log(0.8), abs=4 * error)


class TestRanks:
    def test_by_hand(self):
        found = rank_normalise(np.array([[5.0, 1.0], [-3.0, 1.0], [9.0, 4.0]]))
        first = norm.ppf([1.5 / 3, 0.5 / 3, 2.5 / 3])
        second = norm.ppf([1.0 / 3, 1.0 / 3, 2.5 / 3])  # ties share the mean rank 1.5
        assert found == pytest.approx(np.column_stack([first, second]))

    def test_monotone_maps_do_not_matter(self):
        values = np.random.default_rng(0).normal(size=(30, 2))
        assert rank_normalise(np.exp(values)) == pytest.approx(rank_normalise(values))


class TestPrincipalScores:
    def test_at_most_a_tenth_of_the_samples(self):
        values = np.random.default_rng(0).normal(size=(64, 30))
        assert principal_scores(values, 20).shape == (64, 6)
        assert principal_scores(values, 4).shape == (64, 4)
        assert principal_scores(values[:9], 4).shape == (9, 0)

    def test_drops_directions_without_variance(self):
        values = np.random.default_rng(0).normal(size=(80, 2)) @ np.ones((2, 5)) + 3
        assert principal_scores(values, 5).shape == (80, 1)

    def test_hold_the_largest_variance_in_order(self):
        values = np.random.default_rng(0).normal(size=(200, 5)) * [1, 9, 3, 5, 0.1]
        scores = principal_scores(values, 3)
        singular = np.linalg.svd(values - values.mean(axis=0), compute_uv=False)[:3]
        assert np.linalg.norm(scores, axis=0) == pytest.approx(singular)


class TestJackknife:
    values = np.random.default_rng(0).normal(size=20)

    def test_of_a_mean_it_is_the_standard_error(self):
        value, lower, upper = jackknife_interval(
            lambda rows: self.values[rows].mean(), 20, np.random.default_rng(0)
        )
        half = norm.ppf(0.975) * self.values.std(ddof=1) / np.sqrt(20)
        assert value == pytest.approx(self.values.mean())
        assert (lower, upper) == pytest.approx((value - half, value + half))

    def test_groups_are_left_out_as_wholes(self):
        copies = np.tile(np.arange(20), 3)
        values = self.values[copies]
        seen = []

        def mean(rows):
            seen.append(rows)
            return values[rows].mean()

        found = jackknife_interval(mean, 60, np.random.default_rng(0), copies.astype(str))
        once = jackknife_interval(
            lambda rows: self.values[rows].mean(), 20, np.random.default_rng(1)
        )
        assert found == pytest.approx(once)
        left_out = [np.setdiff1d(np.arange(60), rows) for rows in seen[:-1]]
        assert all(len(np.unique(copies[rows])) == 1 and len(rows) == 3 for rows in left_out)

    def test_fewer_groups_than_parts(self):
        groups = np.repeat(np.arange(6), 10)
        values = np.random.default_rng(0).normal(size=6)
        value, lower, upper = jackknife_interval(
            lambda rows: values[groups[rows]].mean(), 60, np.random.default_rng(0), groups
        )
        half = norm.ppf(0.975) * values.std(ddof=1) / np.sqrt(6)
        assert (lower, upper) == pytest.approx((value - half, value + half))

    def test_a_group_that_is_most_of_the_cohort_is_dealt_by_rows(self):
        groups = np.array([0] * 50 + [1, 2, 3])
        fewest = []
        jackknife_interval(
            lambda rows: fewest.append(len(rows)) or 0.0, 53, np.random.default_rng(0), groups
        )
        assert min(fewest) == 50


class TestGaussianEstimate:
    def test_record(self):
        rng = np.random.default_rng(0)
        left = rng.normal(size=(120, 3))
        right = left[:, :2] + rng.normal(size=(120, 2))
        estimate = gaussian_estimate(left, right, 39, rng)
        assert estimate.value == pytest.approx(gaussian_value(left, right))
        assert estimate.lower < estimate.value < estimate.upper
        assert (estimate.n, estimate.components) == (120, 3)
        assert estimate.null.permuted.shape == (39,)
        assert estimate.null.observed == estimate.value
        assert estimate.null.p_value == pytest.approx(1 / 40)

    def test_permuted_values_are_refits(self):
        """The null moves whole samples of one view: its values are those of shuffled views."""
        rng = np.random.default_rng(0)
        left, right = rng.normal(size=(50, 2)), rng.normal(size=(50, 3))
        estimate = gaussian_estimate(left, right, 19, np.random.default_rng(7))
        again = np.random.default_rng(7)
        again.permutation(50)  # the deal of the jackknife
        shuffled = [gaussian_value(left, right[again.permutation(50)]) for _ in range(19)]
        assert estimate.null.permuted == pytest.approx(shuffled, abs=1e-9)

    def test_interval_covers_the_truth(self):
        """60 Gaussian cohorts; fewer than the bound has a probability below .001 at .95."""
        covered = 0
        for seed in range(60):
            rng = np.random.default_rng(seed)
            left = rng.normal(size=(150, 2))
            right = 0.6 * left + 0.8 * rng.normal(size=(150, 2))
            estimate = gaussian_estimate(left, right, 1, rng)
            covered += estimate.lower <= -2 * np.log(0.8) <= estimate.upper
        assert covered >= binom.ppf(0.001, 60, 0.95)

    @staticmethod
    def rejections(aware):
        found = 0
        for seed in range(60):
            rng = np.random.default_rng(seed)
            patients = np.repeat(np.arange(30), 3)
            left, right = (rng.normal(size=(30, 3))[patients] for _ in range(2))
            estimate = gaussian_estimate(left, right, 39, rng, patients if aware else None)
            found += estimate.null.p_value <= 0.05
        return found

    def test_null_is_valid_with_copies_of_one_patient(self):
        assert self.rejections(aware=True) <= binom.ppf(0.999, 60, 0.05)

    def test_ignoring_patients_finds_what_is_not_there(self):
        assert self.rejections(aware=False) > 30


class TestRepresentation:
    def test_two_classes_are_the_ranked_log_odds(self):
        odds = np.random.default_rng(0).normal(size=30)
        p = 1 / (1 + np.exp(-odds))
        found = representation(np.column_stack([p, 1 - p]), np.zeros(30))
        assert found == pytest.approx(rank_normalise(odds[:, None]))

    def test_by_hand(self):
        posteriors = np.array([[0.5, 0.25, 0.25], [0.2, 0.4, 0.4], [0.1, 0.1, 0.8]])
        # log ratios to the geometric mean, up to a shift per column: ranks by hand
        first = [2, 1, 0]  # (2/3) log 2, -(2/3) log 2, -log 2
        second = [1, 2, 0]  # -(1/3) log 2, (1/3) log 2, -log 2
        scores = norm.ppf((np.arange(3) + 0.5) / 3)
        expected = np.column_stack([scores[first], scores[second]])
        assert representation(posteriors, np.zeros(3)) == pytest.approx(expected)

    def test_offsets_of_folds_are_taken_out(self):
        """Pitfall 3: independent posteriors whose folds differ must read nothing.

        Read without folds the offsets give .4 and more; a standard error of about .01.
        """
        pooled, centred = [], []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            fold = rng.permutation(np.arange(200) % 5)
            offsets = 2 * rng.normal(size=(5, 3))
            views = []
            for _ in range(2):
                logits = offsets[fold] + rng.normal(size=(200, 3))
                odds = np.exp(logits)
                views.append(odds / odds.sum(axis=1, keepdims=True))
            pooled.append(gaussian_value(*(representation(view, np.zeros(200)) for view in views)))
            centred.append(gaussian_value(*(representation(view, fold) for view in views)))
        assert np.mean(pooled) > 0.4
        assert np.mean(centred) == pytest.approx(0, abs=0.02)

    def test_posteriors_that_do_not_vary_hold_nothing(self):
        """Every fold has its own prior; rounding errors must not tell folds apart."""
        fold = np.arange(60) % 5
        priors = np.random.default_rng(0).dirichlet(np.ones(3), 5)
        view = representation(priors[fold], fold)
        assert not view.any()
        assert gaussian_value(view, view) == 0
