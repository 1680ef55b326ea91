"""Truths of the benchmark's tasks: closed forms, hand values and independent integration."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import kstest, norm, spearmanr

from gate_tasks import CLOSED_FORMS, RULES, SOFTNESS, atoms_of, broja_union, information, table_of
from label_tasks import (
    gaussian_truth,
    label_tasks,
    measured,
    measurement_covariance,
    real_task,
    ring_task,
    student_task,
    xor_task,
)
from pair_tasks import (
    bimodal,
    cross_information,
    gaussian_information,
    normal_task,
    paired_covariance,
    spiral,
    student_correction,
    swiss_roll,
    wiggly_left,
    wiggly_right,
)
from task import ATOMS, Truth, fixed, information_of_posteriors, monte_carlo
from tasks import KINDS, tasks_of

LN2 = np.log(2)
ALL = [(kind, name) for kind in KINDS for name in tasks_of(kind)]


def entropy(shares):
    shares = np.asarray(shares)[np.asarray(shares) > 0]
    return -(shares * np.log(shares)).sum()


class TestAllTasks:
    @pytest.mark.parametrize(("kind", "name"), ALL)
    def test_equal_seeds_give_equal_data_of_the_declared_shape(self, kind, name):
        task = tasks_of(kind)[name]
        first, again, other = task.draw(40, 3), task.draw(40, 3), task.draw(40, 4)
        for one, same, different in zip(first, again, other, strict=True):
            assert np.array_equal(one, same)
            assert not np.array_equal(one, different)
            assert len(one) == 40
            assert np.isfinite(one).all()
        assert len(first) == {"gate": 3, "table": 1}.get(kind, 2)
        if kind in ("label", "gate", "spectrum-label"):
            assert first[-1].dtype.kind == "i"
            assert first[-1].shape == (40,)

    @pytest.mark.parametrize(("kind", "name"), ALL)
    def test_the_name_tells_the_number_of_features(self, kind, name):
        last = name.rsplit("-", 1)[-1]
        sizes = next((p for p in reversed(name.split("-")) if p[0].isdigit() and "x" in p), last)
        if sizes.replace("x", "").isdigit() and kind in ("label", "pair"):
            widths = [x.shape[1] for x in tasks_of(kind)[name].draw(12, 0) if x.ndim == 2]
            assert widths == [int(size) for size in sizes.split("x")]

    def test_counts_and_flags(self):
        label, pair = (list(tasks_of(kind).values()) for kind in ("label", "pair"))
        assert sum(not task.independent for task in label) >= 8
        dependent = [task for task in pair if not task.independent]
        assert len(dependent) == 22
        assert sum(task.copula_gaussian for task in dependent) == 14
        assert [task.name for task in pair if task.blind_spot] == ["spiral-3x3"]

    @pytest.mark.parametrize("kind", ["label", "pair"])
    def test_truth_is_zero_for_independent_tasks_alone(self, kind):
        for task in tasks_of(kind).values():
            assert (task.truth == pytest.approx(0, abs=1e-9)) == task.independent
            assert task.truth > -1e-9
            assert task.known.error < 0.003


class TestSpectra:
    @pytest.mark.parametrize(("spectrum", "place"), [("decaying", -1), ("rising", 0)])
    def test_the_signal_lies_where_the_name_says(self, spectrum, place):
        """Of the axes of most variance, or of least: the label goes with two of them."""
        x, y = tasks_of("spectrum-label")[f"label-{spectrum}-25-linear"].draw(4000, 0)
        _, axes = np.linalg.eigh(np.cov(x.T))
        told = [abs(np.corrcoef(x @ axis, y)[0, 1]) for axis in axes.T]
        expected = {23, 24} if place else {0, 1}
        assert set(np.argsort(told)[-2:].tolist()) == expected

    def test_truths(self):
        """Linear log-odds of standard deviation 2, by quadrature of one normal variable."""
        z, weights = np.polynomial.hermite_e.hermegauss(101)
        p = 1 / (1 + np.exp(-2 * z))
        entropies = -p * np.log(p) - p[::-1] * np.log(p[::-1])  # p of -z is 1 - p
        expected = LN2 - (weights * entropies).sum() / weights.sum()
        linear = tasks_of("spectrum-label")["label-flat-25-linear"]
        assert linear.truth == pytest.approx(expected, abs=1e-4)
        pair = tasks_of("spectrum-pair")["pair-flat-25-linear"]
        assert pair.truth == pytest.approx(-np.log(0.36))


class TestMonteCarlo:
    def test_mean_and_standard_error_by_hand(self):
        assert monte_carlo(np.array([1.0, 3.0])) == (2.0, 1.0)

    def test_posteriors_by_hand(self):
        """Two equally likely points, each certain of its class: ln 2. Certain of one: 0."""
        assert information_of_posteriors(np.eye(2)).value == pytest.approx(LN2)
        assert information_of_posteriors(np.tile([1.0, 0.0], (5, 1))) == Truth(0.0, 0.0)

    def test_posteriors_are_entropies_apart(self):
        rows = softmax(np.random.default_rng(0).normal(size=(50, 3)), axis=1)
        expected = entropy(rows.mean(axis=0)) - np.mean([entropy(row) for row in rows])
        assert information_of_posteriors(rows).value == pytest.approx(expected)


def integrated(classes):
    """Return I(X; Y) of two equally likely distributions of a number by a sum over a fine grid."""
    x = np.linspace(-30, 30, 200_001)
    parts = [law.pdf(x) for law in classes]
    mixed = np.mean(parts, axis=0)
    own = sum((p * np.log(np.maximum(p, 1e-300))).sum() for p in parts) / 2
    return (own - (mixed * np.log(np.maximum(mixed, 1e-300))).sum()) * (x[1] - x[0])


class TestLabelTasks:
    def test_gaussian_classes_against_quadrature(self):
        """Only the first of two dimensions tells the classes apart."""
        means = np.array([[-0.8, 0.0], [0.8, 0.0]])
        value, error = gaussian_truth(means, np.tile(np.eye(2), (2, 1, 1)), np.full(2, 0.5))
        assert error < 0.002
        assert value == pytest.approx(integrated([norm(-0.8, 1), norm(0.8, 1)]), abs=4 * error)

    def test_far_classes_know_the_label(self):
        shares = np.array([0.2, 0.8])
        means = 50 * np.eye(2)
        value, error = gaussian_truth(means, np.tile(np.eye(2), (2, 1, 1)), shares)
        assert value == pytest.approx(entropy(shares), abs=4 * error)

    def test_features_know_what_their_sufficient_statistic_knows(self):
        """The least-squares estimate of z has the covariance that truths assume."""
        rng = np.random.default_rng(0)
        loadings = rng.normal(size=(3, 40))
        sample = measured(lambda n, rng: (np.zeros((n, 3)), np.zeros(n, int)), loadings, 2.0)
        noise, _ = sample(40_000, rng)
        estimate = noise @ np.linalg.pinv(loadings)
        expected = measurement_covariance(loadings, 2.0)
        assert np.cov(estimate.T) == pytest.approx(expected, abs=0.03 * np.diag(expected).max())

    def test_xor_tends_to_one_bit_and_one_latent_tells_nothing(self):
        few, many = xor_task(10).truth, xor_task(20_000).truth
        assert few < many < LN2
        assert many == pytest.approx(LN2, abs=0.03)
        x, y = xor_task(50).draw(20_000, 0)
        assert abs(spearmanr(x[:, :25].mean(axis=1), y)[0]) < 0.03

    def test_xor_posterior_fits_drawn_labels(self):
        """Log-likelihood of drawn labels: a wrong posterior would fall below the truth."""
        x, y = xor_task(50).draw(60_000, 0)
        seen = np.column_stack([x[:, :25].mean(axis=1), x[:, 25:].mean(axis=1)])
        error = 1 / 5  # of a mean of 25 features with noise 1
        first, second = norm.cdf(seen / (error * np.sqrt(1 + error**2))).T
        differ = first * (1 - second) + (1 - first) * second
        value, error = monte_carlo(np.log(np.where(y == 1, differ, 1 - differ)) + LN2)
        assert value == pytest.approx(xor_task(50).truth, abs=4 * error)

    def test_classes_of_two_scales_against_quadrature(self):
        """N(0, 1) and N(0, 4) in one dimension."""
        covariances = np.array([[[1.0]], [[4.0]]])
        value, error = gaussian_truth(np.zeros((2, 1)), covariances, np.full(2, 0.5))
        assert value == pytest.approx(integrated([norm(0, 1), norm(0, 2)]), abs=4 * error)

    def test_student_noise_tends_to_gaussian_noise(self):
        means, unit = fixed("student-classes-5").normal(size=(3, 5)), np.tile(np.eye(5), (3, 1, 1))
        value, error = gaussian_truth(means, unit, np.full(3, 1 / 3))
        assert student_task(freedom=10**6).truth == pytest.approx(value, abs=5 * error)
        assert student_task(freedom=2).truth < value - 5 * error

    def test_thin_rings_know_the_label(self):
        assert ring_task(3, 0.01).truth == pytest.approx(np.log(3), abs=0.01)
        x, _ = ring_task().draw(20_000, 0)
        assert x.mean(axis=0) == pytest.approx([0, 0], abs=0.1)

    def test_drawn_labels_have_the_declared_shares(self):
        _, y = tasks_of("label")["imbalanced-200"].draw(20_000, 0)
        expected = np.array([419, 140, 130, 46, 34]) / 769
        assert np.bincount(y) / 20_000 == pytest.approx(expected, abs=0.015)

    def test_real_features(self, make_cohort, tmp_path):
        """The task is there where the cohort is; the truth is the mean over its rows."""
        from balmi.data.cohort import write_cohort

        path = tmp_path / "cohort.h5mu"
        assert "softmax-brca-rna" not in [task.name for task in label_tasks(path)]
        write_cohort(make_cohort(np.arange(60) % 2, {"rna": 12}), path)
        assert "softmax-brca-rna" in [task.name for task in label_tasks(path)]
        task = real_task(path)
        x, y = task.draw(30_000, 0)
        rows, row = np.unique(x, axis=0, return_inverse=True)
        assert rows.shape == (60, 12)
        table = np.zeros((60, 4))
        np.add.at(table, (row.ravel(), y), 1 / len(y))
        plug_in_bias = 59 * 3 / (2 * len(y))
        assert information(table) == pytest.approx(task.truth + plug_in_bias, abs=0.02)


class TestPairTasks:
    @pytest.mark.parametrize("rho", [0.0, 0.3, -0.9])
    def test_gaussian_by_hand(self, rho):
        covariance = paired_covariance(3, (rho, rho))
        expected = -np.log(1 - rho**2)
        assert gaussian_information(covariance, 3).value == pytest.approx(expected)

    def test_known_values(self):
        pair = tasks_of("pair")
        single, double = -0.5 * np.log(1 - 0.75**2), -np.log(1 - 0.8**2)
        for name in ("normal-1x1", "bimodal-1x1", "wiggly-1x1", "swiss-roll-2x1"):
            assert pair[name].truth == pytest.approx(single)
        for name in ("normal-25x25-sparse", "half-cube-25x25", "spiral-3x3"):
            assert pair[name].truth == pytest.approx(double)
        assert double == pytest.approx(1.02, abs=0.005)
        assert pair["x-shape-10x10"].truth == pytest.approx(0.41, abs=0.005)

    @pytest.mark.parametrize("name", ["factors-100x100", "normal-5x5-dense"])
    def test_drawn_views_have_the_covariance_behind_the_truth(self, name):
        """Canonical correlations of 20,000 samples, with the leading bias of n samples off."""
        task = tasks_of("pair")[name]
        left, right = task.draw(20_000, 0)
        bases = [np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[0] for x in (left, right)]
        rho = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
        bias = left.shape[1] * right.shape[1] / (2 * 20_000)
        assert -0.5 * np.log1p(-(rho**2)).sum() - bias == pytest.approx(task.truth, abs=0.03)

    def test_factors_limit_what_views_share(self):
        """The views know less than the factors do, and with 500 features almost as much."""
        factors = sum(-0.5 * np.log(1 - rho**2) for rho in (0.9, 0.8, 0.7, 0.6, 0.5))
        truth = tasks_of("pair")["factors-500x500"].truth
        assert 0.97 * factors < truth < factors

    def test_student_correction(self):
        assert student_correction(1, 1, 1) == pytest.approx(np.log(8 * np.pi) - 3)  # Cauchy
        values = [student_correction(freedom, 3, 3) for freedom in (1, 3, 10, 100, 1e5)]
        assert all(np.diff(values) < 0)
        assert values[-1] == pytest.approx(0, abs=1e-4)
        assert values[-1] > 0

    def test_x_shape_by_monte_carlo(self):
        """Drawn from the density, and between what the sign hides and what it would give away."""
        rho, rng = 0.9, np.random.default_rng(0)
        u = rng.normal(size=200_000)
        v = rng.choice([-1, 1], len(u)) * rho * u + np.sqrt(1 - rho**2) * rng.normal(size=len(u))
        parts = [norm.pdf(v, sign * rho * u, np.sqrt(1 - rho**2)) for sign in (-1, 1)]
        value, error = monte_carlo(np.log(np.mean(parts, axis=0) / norm.pdf(v)))
        assert cross_information(rho).value == pytest.approx(value, abs=4 * error)
        known_sign = -0.5 * np.log(1 - rho**2)
        assert known_sign - LN2 < cross_information(rho).value < known_sign

    def test_x_shape_features_average_to_the_assumed_correlation(self):
        left, right = (x.mean(axis=1) for x in tasks_of("pair")["x-shape-10x10"].draw(50_000, 0))
        assert np.corrcoef(left, right)[0, 1] == pytest.approx(0, abs=0.03)
        squares = np.corrcoef(left**2, right**2)[0, 1]
        assert squares == pytest.approx(0.81, abs=0.02)  # rho^2 of normal variables

    def test_maps_can_be_undone(self):
        x = np.linspace(-6, 6, 4001)
        assert (np.diff(wiggly_left(x)) > 0).all()
        assert (np.diff(wiggly_right(x)) > 0).all()
        values = np.random.default_rng(0).normal(size=(500, 3))
        turned = spiral(1, 2, 1 / 3)(values)
        assert spiral(1, 2, -1 / 3)(turned) == pytest.approx(values)
        rolled = swiss_roll(values[:, :1])
        angle = 21 * np.linalg.norm(rolled, axis=1)
        assert norm.ppf((angle / (1.5 * np.pi) - 1) / 2) == pytest.approx(values[:, 0])

    def test_bimodal_margin(self):
        values = bimodal(0.3, 0, 5)(np.random.default_rng(0).normal(size=3000))
        mixture = kstest(values, lambda x: 0.3 * norm.cdf(x) + 0.7 * norm.cdf(x - 5))
        assert mixture.pvalue > 0.01

    def test_independent_columns(self):
        left, right = normal_task("", "", np.eye(4)).sample(30_000, np.random.default_rng(0))
        assert np.corrcoef(left.T, right.T) == pytest.approx(np.eye(4), abs=0.03)


class TestGates:
    @pytest.mark.parametrize("name", RULES)
    def test_solver_agrees_with_values_by_hand(self, name):
        assert atoms_of(table_of(RULES[name])) == pytest.approx(CLOSED_FORMS[name], abs=1e-6)

    def test_and_in_bits(self):
        found = {atom: value / LN2 for atom, value in CLOSED_FORMS["AND"].items()}
        assert found == pytest.approx({"R": 0.3113, "U1": 0, "U2": 0, "S": 0.5}, abs=1e-4)

    def test_soft_gates_by_hand(self):
        """A label replaced by a fair bit in 30 % of cases is one that is flipped in 15 %."""
        left = LN2 - entropy([SOFTNESS / 2, 1 - SOFTNESS / 2])
        for name, atom in (("RDN", "R"), ("UNQ", "U1"), ("XOR", "S")):
            expected = dict.fromkeys(ATOMS, 0.0) | {atom: left}
            truth = tasks_of("gate")[f"soft-{name}"].truth
            assert truth == pytest.approx(expected, abs=1e-6)

    def test_primal_and_dual_meet(self):
        rng = np.random.default_rng(0)
        random = [rng.dirichlet(np.full(24, 0.5)).reshape(2, 4, 3) for _ in range(10)]
        for table in [gate.table for gate in tasks_of("gate").values()] + random:
            assert broja_union(table)[1] == pytest.approx(0, abs=1e-6)

    def test_union_lies_between_its_bounds(self):
        rng = np.random.default_rng(1)
        for _ in range(10):
            table = rng.dirichlet(np.ones(18)).reshape(3, 2, 3)
            first, second = information(table.sum(axis=1)), information(table.sum(axis=0))
            union = broja_union(table)[0]
            assert max(first, second) - 1e-7 <= union <= first + second + 1e-7
            assert union <= information(table.reshape(6, 3)) + 1e-7

    @pytest.mark.parametrize("name", RULES)
    def test_features_show_the_bits_of_the_table(self, name):
        gate = tasks_of("gate")[name]
        left, right, label = gate.draw(4000, 0)
        assert left.shape == right.shape == (4000, 20)
        codes = []
        for view, states in ((left, gate.table.shape[0]), (right, gate.table.shape[1])):
            count = states.bit_length() - 1
            bits = [view[:, place::count].mean(axis=1) > 0 for place in range(count)]
            codes.append(sum(bit.astype(int) << place for place, bit in enumerate(bits)))
        found = np.zeros(gate.table.shape)
        np.add.at(found, (*codes, label), 1 / 4000)
        assert found == pytest.approx(gate.table, abs=0.035)
        assert not found[gate.table == 0].any()
