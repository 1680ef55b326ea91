"""Non-linear companions of the Gaussian information: closed forms, invariances, what they see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma
from scipy.stats import binom

from balmi.information import companions
from balmi.information.companions import composite_estimate, ksg
from balmi.information.estimates import permuted_rows
from balmi.information.pairs import gaussian_value, principal_scores, rank_normalise


def by_definition(x, y, k):
    """Equation 8 of Kraskov et al. with all distances written out; Gao et al. where they vanish."""
    terms = []
    for i in range(len(x)):
        dx, dy = np.delete(np.abs(x - x[i]), i), np.delete(np.abs(y - y[i]), i)
        joint = np.maximum(dx, dy)
        reach = np.sort(joint)[k - 1]
        if reach == 0:
            counts = (joint == 0).sum(), (dx == 0).sum() + 1, (dy == 0).sum() + 1
        else:
            counts = k, (dx < reach).sum() + 1, (dy < reach).sum() + 1
        terms.append(digamma(counts[0]) - digamma(counts[1]) - digamma(counts[2]))
    return digamma(len(x)) + np.mean(terms)


def pairs_of(numbers):
    """Return a strategy of two equally long samples."""
    return st.integers(5, 25).flatmap(
        lambda n: st.tuples(*[st.lists(numbers, min_size=n, max_size=n).map(np.array)] * 2)
    )


def bivariate(rho, n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


class TestKsg:
    def test_by_hand(self):
        """Nearest neighbours at 1, 1, 2 and 4, and nobody strictly inside: psi(4) - psi(1)."""
        values = np.array([0.0, 1.0, 3.0, 7.0])
        assert ksg(values, values, neighbours=1) == pytest.approx(1 + 1 / 2 + 1 / 3)

    @given(pairs_of(st.integers(-99, 99).map(float)), st.integers(1, 4))
    def test_is_the_definition(self, pair, k):
        assert ksg(*pair, k) == pytest.approx(by_definition(*pair, k), abs=1e-9)

    @given(pairs_of(st.integers(0, 2).map(float)))
    def test_is_the_definition_where_most_samples_coincide(self, pair):
        assert ksg(*pair) == pytest.approx(by_definition(*pair, 3), abs=1e-9)

    @given(pairs_of(st.integers(-9, 9).map(float)), st.randoms(use_true_random=False))
    def test_neither_order_nor_place_nor_sign_matters(self, pair, random):
        x, y = pair
        order = random.sample(range(len(x)), len(x))
        value = ksg(x, y)
        assert ksg(x[order], y[order]) == pytest.approx(value, abs=1e-9)
        assert ksg(y, x) == pytest.approx(value, abs=1e-9)
        assert ksg(-4 * x + 2, 4 * y) == pytest.approx(value, abs=1e-9)

    @pytest.mark.parametrize("rho", [0.0, 0.5, -0.8, 0.95])
    def test_bivariate_gaussian(self, rho):
        """Means of 40 samples of 400; their standard error is about .008."""
        found = np.mean([ksg(*bivariate(rho, 400, seed)) for seed in range(40)])
        assert found == pytest.approx(-0.5 * np.log1p(-(rho**2)), abs=0.03)

    def test_more_neighbours_vary_less(self):
        few, many = ([ksg(*bivariate(0, 200, s), k) for s in range(40)] for k in (1, 10))
        assert np.std(many) < 0.7 * np.std(few)

    def test_copies_of_a_coin(self):
        coin = np.arange(400) % 2.0
        assert ksg(coin, coin) == pytest.approx(np.log(2), abs=0.01)
        assert ksg(coin, np.arange(400) // 2 % 2.0) == pytest.approx(0, abs=0.02)

    def test_a_constant_knows_nothing(self):
        noise = np.random.default_rng(0).normal(size=30)
        assert ksg(np.ones(30), noise) == pytest.approx(0, abs=1e-9)

    def test_refuses_fewer_samples_than_neighbours(self):
        with pytest.raises(ValueError, match="3 samples are too few for 3 neighbours"):
            ksg(np.arange(3.0), np.arange(3.0))


def deal(n, seed=0):
    """Return folds of five dealt at random."""
    return np.random.default_rng(seed).permutation(np.arange(n) % 5)


def prepared(left, right, components=10):
    """Return views as the workflow prepares them."""
    return [principal_scores(rank_normalise(view), components) for view in (left, right)]


def x_shape(n, rng, features=6, rho=0.9):
    """Return features that measure u and s rho u + e, with a random sign s; about .35 nats."""
    u, sign = rng.normal(size=n), rng.choice([-1, 1], n)
    v = sign * rho * u + np.sqrt(1 - rho**2) * rng.normal(size=n)
    noise = rng.normal(size=(2, n, features)) / 2
    return prepared(u[:, None] + noise[0], v[:, None] + noise[1])


def gaussian_views(n, rng, rho=(0.9, 0.6), extra=2):
    """Return views with the given canonical correlations and columns of noise."""
    left = rng.normal(size=(n, len(rho) + extra))
    right = rng.normal(size=(n, len(rho) + extra))
    rho = np.array(rho)
    right[:, : len(rho)] *= np.sqrt(1 - rho**2)
    right[:, : len(rho)] += rho * left[:, : len(rho)]
    return prepared(left, right)


def value_of(views, fold, seed=0):
    return composite_estimate(*views, fold, 0, np.random.default_rng(seed))


def parts_of(composite):
    return [composite.gaussian, composite.linear, composite.nonlinear, composite.value]


class TestValues:
    def test_gaussian_views(self):
        """Means of eight data sets of 400; standard errors of about .02.

        K sums both components; N holds most of the first, but not the second.
        """
        truth = -0.5 * np.log([1 - 0.81, 1 - 0.36])
        found = []
        for seed in range(8):
            views = gaussian_views(400, np.random.default_rng(seed))
            found.append(value_of(views, deal(400)))
            assert found[-1].gaussian == pytest.approx(gaussian_value(*views), abs=1e-9)
        linear = np.mean([each.linear for each in found])
        nonlinear = np.mean([each.nonlinear for each in found])
        assert linear == pytest.approx(truth.sum(), abs=0.08)
        assert 0.6 * truth[0] < nonlinear < truth[0]

    def test_the_value_is_the_largest(self):
        seen = set()
        for make in (gaussian_views, x_shape, lambda n, rng: rng.normal(size=(2, n, 3))):
            for seed in range(3):
                found = value_of(make(200, np.random.default_rng(seed)), deal(200))
                three = parts_of(found)[:3]
                assert found.value == np.nanmax(three)
                seen.add(int(np.nanargmax(three)))
        assert seen == {0, 1, 2}

    def test_what_is_not_significant_takes_no_part(self):
        values = []
        for seed in range(5):
            found = value_of(np.random.default_rng(seed).normal(size=(2, 200, 4)), deal(200))
            assert np.isnan([found.linear, found.nonlinear]).all()
            assert found.value == found.gaussian
            values.append(found.value)
        assert min(values) < 0 < max(values)

    def test_an_x_shape_is_seen_where_the_gaussian_reads_nothing(self):
        for seed in range(4):
            found = value_of(x_shape(400, np.random.default_rng(seed)), deal(400))
            assert abs(found.gaussian) < 0.06
            assert 0.2 < found.nonlinear < 0.5
            assert found.value == found.nonlinear

    def test_a_wave_on_a_line_is_read_along_linear_components(self):
        """Uniform x and x + uniform noise in [-e, e] share e - log(2 e) nats."""
        rng = np.random.default_rng(0)
        x = rng.uniform(size=(600, 1))
        found = value_of(prepared(x, x + rng.uniform(-0.1, 0.1, size=x.shape)), deal(600))
        assert found.linear == pytest.approx(0.1 - np.log(0.2), abs=0.15)
        assert found.value == found.linear > found.gaussian + 0.15

    def test_what_is_no_more_than_overfitted_is_not_read(self):
        """The first canonical correlation of 20 + 20 independent columns is near .6 in training."""
        for seed in range(4):
            views = np.random.default_rng(seed).normal(size=(2, 200, 20))
            found = value_of(views, deal(200, seed))
            assert np.isnan(found.linear)
            assert found.value < 0.2

    @pytest.mark.parametrize("landmarks", [30, 300])
    def test_companions_of_independent_views_read_nothing_on_average(self, monkeypatch, landmarks):
        """Even where no bar keeps components out. 30 data sets, standard errors below .016.

        Landmarks at the same rows of both modalities, or components that have seen how the samples
        are paired, read more.
        """
        monkeypatch.setattr(companions, "STANDARD_ERRORS", -np.inf)
        monkeypatch.setattr(companions, "LANDMARKS", landmarks)
        found = []
        for seed in range(30):
            rng = np.random.default_rng(seed)
            views = [np.exp(rng.normal(size=(150, 2))) for _ in range(2)]
            found.append(parts_of(value_of(prepared(*views), deal(150, seed)))[1:3])
        assert np.mean(found, axis=0) == pytest.approx([0, 0], abs=0.06)

    def test_independent_views(self):
        found = []
        for seed in range(25):
            views = np.random.default_rng(seed).standard_t(2, size=(2, 200, 5))
            found.append(value_of(prepared(*views), deal(200, seed)).value)
        assert abs(np.mean(found)) <= 0.03
        assert max(found) <= 0.12

    def test_shifts_between_folds_are_not_read(self):
        """Neither shared ones, which the Gaussian reads, nor others, which hide what is shared."""
        fold, rng = deal(300), np.random.default_rng(0)
        x, y = rng.normal(size=(2, 300, 1))
        shift = np.array([-4, -2, 0, 2, 4])[fold, None]
        found = value_of(prepared(x + shift, y + shift), fold)
        assert found.gaussian > 0.5
        assert np.isnan([found.linear, found.nonlinear]).all()
        other = np.array([2, -1, -2, -1, 2])[fold, None]
        found = value_of(prepared(x + shift / 4, x + y / 3 + other / 2), fold)
        assert found.linear > found.gaussian + 0.5

    @staticmethod
    def mean_nonlinear(make):
        found = [value_of(make(np.random.default_rng(s)), deal(200)).nonlinear for s in range(6)]
        return np.mean(np.nan_to_num(found))

    def test_curves_of_leading_components_are_seen_among_many(self, monkeypatch):
        """One latent variable s drives one view, |s| the other, each among 20 components."""

        def make(rng):
            s = rng.normal(size=(200, 1))
            return prepared(*(z + 3 * rng.normal(size=(200, 60)) for z in (s, np.abs(s))), 20)

        few = self.mean_nonlinear(make)
        monkeypatch.setattr(companions, "LEADING_COMPONENTS", 20)
        assert few > self.mean_nonlinear(make) + 0.04
        assert few > 0.15

    def test_a_common_scale_needs_a_strong_ridge(self, monkeypatch):
        """Student-t with two degrees of freedom and nothing else in common: .45 nats."""

        def make(rng):
            scale = np.sqrt(2 / rng.chisquare(2, size=(200, 1)))
            return prepared(*(scale * rng.normal(size=(2, 200, 5))))

        both = self.mean_nonlinear(make)
        monkeypatch.setattr(companions, "KERNEL_RIDGES", companions.KERNEL_RIDGES[:1])
        assert both > self.mean_nonlinear(make) + 0.04
        assert 0.2 < both < 0.45

    def test_views_without_columns_or_variance(self):
        other = np.random.default_rng(0).normal(size=(60, 3))
        for nothing in (other[:, :0], np.ones((60, 2))):
            for views in ((nothing, other), (other, nothing), (nothing, nothing)):
                found = parts_of(value_of(views, deal(60)))
                assert found == pytest.approx([0, np.nan, np.nan, 0], nan_ok=True)


class TestInvariance:
    @pytest.fixture(params=[gaussian_views, x_shape], ids=["gaussian", "x"])
    def views(self, request):
        return request.param(180, np.random.default_rng(3))

    @pytest.fixture(autouse=True)
    def _few_landmarks(self, monkeypatch):
        monkeypatch.setattr(companions, "LANDMARKS", 60)

    def test_modalities_may_trade_places(self, views):
        views[1] = views[1][:, :3]
        one, other = value_of(views, deal(180)), value_of(views[::-1], deal(180))
        assert parts_of(one) == pytest.approx(parts_of(other), abs=1e-9, nan_ok=True)

    def test_columns_may_change_order_and_sign(self, views):
        rng = np.random.default_rng(0)
        changed = [
            view[:, rng.permutation(view.shape[1])] * rng.choice([-1, 1], view.shape[1])
            for view in views
        ]
        one, other = value_of(views, deal(180)), value_of(changed, deal(180))
        assert parts_of(one) == pytest.approx(parts_of(other), abs=1e-9, nan_ok=True)

    def test_samples_may_change_order(self, views):
        rows, fold = np.random.default_rng(0).permutation(180), deal(180)
        one, other = value_of(views, fold), value_of([view[rows] for view in views], fold[rows])
        assert parts_of(one) == pytest.approx(parts_of(other), abs=1e-9, nan_ok=True)

    def test_names_of_folds_do_not_matter_but_folds_do(self, views):
        fold = deal(180)
        one, other = value_of(views, fold), value_of(views, 40 - 7 * fold)
        assert parts_of(one) == pytest.approx(parts_of(other), abs=1e-9, nan_ok=True)
        assert value_of(views, deal(180, 1)).nonlinear != one.nonlinear


class TestNull:
    def test_without_permutations_there_is_none(self):
        assert value_of(gaussian_views(60, np.random.default_rng(0)), deal(60)).null is None

    def test_permuted_values_are_refits(self):
        """They are the values of views whose samples were shuffled beforehand."""
        left, right = x_shape(80, np.random.default_rng(0))
        fold, groups = deal(80), np.arange(80) // 2
        for given_groups in (None, groups):
            rng, again = np.random.default_rng(7), np.random.default_rng(7)
            null = composite_estimate(left, right, fold, 9, rng, given_groups).null
            shuffled = [
                composite_estimate(
                    left, right[permuted_rows(80, given_groups, again)], fold, 0, rng, given_groups
                ).value
                for _ in range(9)
            ]
            assert null.permuted == pytest.approx(shuffled, abs=1e-9)
            assert len(set(null.permuted)) > 5

    def test_an_x_shape_is_significant(self):
        views = x_shape(200, np.random.default_rng(0))
        found = composite_estimate(*views, deal(200), 39, np.random.default_rng(0))
        assert found.null.observed == found.value
        assert found.null.p_value == pytest.approx(1 / 40)

    def test_p_values_of_independent_views_are_uniform(self):
        """40 data sets; each bound is passed by a valid test with probability below .002."""
        p_values = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            views = prepared(*rng.standard_t(2, size=(2, 60, 3)))
            p_values.append(composite_estimate(*views, deal(60, seed), 19, rng).null.p_value)
        for level in (0.05, 0.3, 0.7):
            low, high = binom.ppf([0.001, 0.999], 40, level)
            assert low <= (np.array(p_values) <= level + 1e-9).sum() <= high

    @staticmethod
    def found_in_copies(aware):
        """Return rejections at .05, and how many data sets show a significant component."""
        rejected = shown = 0
        for seed in range(25):
            rng = np.random.default_rng(seed)
            patients = np.repeat(np.arange(25), 3)
            views = prepared(*(rng.normal(size=(25, 3))[patients] for _ in range(2)))
            fold, groups = deal(25, seed)[patients], patients if aware else None
            found = composite_estimate(*views, fold, 19, rng, groups)
            rejected += found.null.p_value <= 0.05
            shown += not np.isnan([found.linear, found.nonlinear]).all()
        return rejected, shown

    def test_is_valid_with_copies_of_one_patient(self):
        rejected, shown = self.found_in_copies(aware=True)
        assert rejected <= binom.ppf(0.999, 25, 0.05)
        assert shown <= 3

    def test_ignoring_patients_finds_what_is_not_there(self):
        rejected, shown = self.found_in_copies(aware=False)
        assert rejected > 12
        assert shown > 3


class TestRefusals:
    views = np.random.default_rng(0).normal(size=(2, 40, 3))

    def test_one_fold(self):
        with pytest.raises(ValueError, match="1 fold is too few: components need a training part"):
            value_of(self.views, np.zeros(40))

    def test_a_fold_that_is_too_small(self):
        fold = np.repeat([0, 1, 2], [18, 4, 18])
        with pytest.raises(ValueError, match="fold 1 has 4 samples, needed are at least 5"):
            value_of(self.views, fold)

    def test_more_columns_than_samples(self):
        wide = np.random.default_rng(0).normal(size=(2, 40, 20))
        with pytest.raises(ValueError, match=r"40 samples are too few for 20 \+ 20 columns"):
            value_of(wide, deal(40))


@pytest.mark.parametrize("shape", [(4, 6, 6), (3, 7, 2), (3, 2, 7), (2, 1, 1)])
def test_the_first_axes_are_the_first_of_all(shape):
    crosses = np.random.default_rng(0).normal(size=shape)
    for first, every in zip(
        companions._first_axes(crosses), companions._all_axes(crosses), strict=True
    ):
        assert first.shape == every[:, :, :1].shape
        assert np.abs((first * every[:, :, :1]).sum(axis=1)) == pytest.approx(1)
    assert not companions._first_axes(np.zeros(shape))[shape[1] < shape[2]].any()
