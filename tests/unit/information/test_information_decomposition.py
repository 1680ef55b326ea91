"""The decomposition on gates by hand; its solver against certificates and a general one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from balmi.information.decomposition import (
    ATOMS,
    RESOLUTION,
    Decomposition,
    atoms,
    calibrate,
    decompose,
    least_coupling,
    mutual_information,
    rake,
    union_information,
)

BITS = (0, 1)
LOG2 = np.log(2)
# One input of AND tells .311 bits of it: H(1/4) - H(1/2) / 2.
ONE_OF_AND = 2 * LOG2 - 0.75 * np.log(3) - LOG2 / 2
# Equally probable cases (bits of the first, bits of the second, class) and R, U1, U2, S.
GATES = {
    "RDN": ([((a,), (a,), a) for a in BITS], (LOG2, 0, 0, 0)),
    "UNQ": ([((a,), (b,), a) for a in BITS for b in BITS], (0, LOG2, 0, 0)),
    "XOR": ([((a,), (b,), a ^ b) for a in BITS for b in BITS], (0, 0, 0, LOG2)),
    "AND": ([((a,), (b,), a & b) for a in BITS for b in BITS], (ONE_OF_AND, 0, 0, LOG2 / 2)),
    "2UNQ": ([((a,), (b,), 2 * a + b) for a in BITS for b in BITS], (0, LOG2, LOG2, 0)),
    "RDN+XOR": (
        [((r, a), (r, b), 2 * r + (a ^ b)) for r in BITS for a in BITS for b in BITS],
        (LOG2, 0, 0, LOG2),
    ),
    "RDN+UNQ": (
        [((r, a), (r, b), 2 * r + a) for r in BITS for a in BITS for b in BITS],
        (LOG2, LOG2, 0, 0),
    ),
    "none": ([((a,), (b,), y) for a in BITS for b in BITS for y in BITS], (0, 0, 0, 0)),
}
SIZES = [(3, 3, 2), (5, 8, 3), (12, 20, 4), (20, 20, 5), (20, 20, 6), (20, 3, 6), (1, 7, 3)]


def table_of(codes, labels):
    """Return p(atom, class) of equally probable cases."""
    codes = np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    table = np.zeros((codes.max() + 1, labels.max() + 1))
    np.add.at(table, (codes, labels), 1 / len(labels))
    return table


def bits_of(cases):
    """Return the bits of the first, of the second and of both, and the classes."""
    first, second, labels = (np.array(part) for part in zip(*cases, strict=True))
    return first, second, np.hstack([first, second]), labels


def random_tables(left, right, classes, seed, zeros=0.0):
    """Return two tables with the same class margins; a share `zeros` of their cells is empty."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, 2.0))

    def table(count):
        cells = rng.dirichlet(np.full(classes, rng.choice([0.1, 1, 10])), count)
        cells *= rng.dirichlet(np.ones(count))[:, None]
        cells[(rng.random(cells.shape) < zeros) | (cells < 1e-6)] = 0
        cells[:, cells.sum(axis=0) == 0] = 1
        return cells / cells.sum(axis=0) * shares

    return table(left), table(right)


@st.composite
def tables(draw, largest=6):
    sizes = [draw(st.integers(1, largest)) for _ in range(2)]
    classes, seed = draw(st.integers(1, 4)), draw(st.integers(0, 10**6))
    return random_tables(*sizes, classes, seed, draw(st.sampled_from([0.0, 0.3])))


def feasible(coupling, first, second):
    """Move as little as needed to give a coupling its margins (Altschuler et al. 2017)."""
    moved = np.empty_like(coupling)
    for y in range(coupling.shape[2]):
        cells = coupling[..., y]
        for axis, margin in ((1, first[:, y]), (0, second[:, y])):
            over = np.maximum(cells.sum(axis=axis, keepdims=True), 1e-300)
            cells = cells * np.minimum(1, np.expand_dims(margin, axis) / over)
        left = np.maximum(first[:, y] - cells.sum(axis=1), 0)
        right = np.maximum(second[:, y] - cells.sum(axis=0), 0)
        moved[..., y] = cells + np.outer(left, right) / max(left.sum(), 1e-300)
    return moved


def cheapest(cost, left, right):
    """Return the least cost of moving the left margin to the right one."""
    count, other = cost.shape
    rows = np.kron(np.eye(count), np.ones(other))
    columns = np.kron(np.ones(count), np.eye(other))
    # The last margin follows from the others; kept, its rounding error may leave no solution.
    margins = np.vstack([rows, columns])[:-1]
    found = linprog(cost.ravel(), A_eq=margins, b_eq=np.append(left, right)[:-1], method="highs")
    assert found.status == 0
    return found.fun


def certificate(first, second):
    """Return bounds of union information: the least of a tangent, and a feasible coupling's.

    For any p(y|a,b), the mean of log p(y|a,b) - log p(y) lies below the information of every
    coupling, by the divergence between its own p(y|a,b) and this one; it is linear in the coupling.
    """
    shares = first.sum(axis=0)
    cells, u, v = least_coupling(first, second)
    products = u[:, None] * v[None] * shares
    # No coupling fills cells without a product: their price does not matter.
    given = products / np.maximum(products.sum(axis=2, keepdims=True), 1e-300)
    tangent = np.log(np.where(products > 0, given / shares, 1.0))
    lower = sum(cheapest(tangent[..., y], first[:, y], second[:, y]) for y in range(len(shares)))
    coupling = cells[..., None] * products
    moved = feasible(coupling, first, second)
    np.testing.assert_allclose(moved.sum(axis=1), first, atol=1e-12)
    np.testing.assert_allclose(moved.sum(axis=0), second, atol=1e-12)
    return lower, mutual_information(moved.reshape(-1, len(shares)))


class TestMutualInformation:
    def test_by_hand(self):
        assert mutual_information(np.eye(3) / 3) == pytest.approx(np.log(3))
        assert mutual_information(np.outer([0.2, 0.8], [0.3, 0.7])) == pytest.approx(0, abs=1e-15)
        table = np.array([[0.4, 0.1], [0.1, 0.4]])
        expected = 0.8 * np.log(1.6) + 0.2 * np.log(0.4)
        assert mutual_information(table) == pytest.approx(expected)


class TestUnionInformation:
    @pytest.mark.parametrize("gate", GATES)
    def test_gates(self, gate):
        cases, (redundant, unique_first, unique_second, _) = GATES[gate]
        first, second, _, labels = bits_of(cases)
        found = union_information(table_of(first, labels), table_of(second, labels))
        assert found == pytest.approx(redundant + unique_first + unique_second, abs=1e-5)

    @pytest.mark.parametrize("zeros", [0.0, 0.3, 0.6])
    @pytest.mark.parametrize("sizes", SIZES)
    def test_between_its_bounds(self, sizes, zeros):
        first, second = random_tables(*sizes, seed=sum(sizes), zeros=zeros)
        lower, upper = certificate(first, second)
        found = union_information(first, second)
        assert lower - RESOLUTION <= found <= upper + RESOLUTION
        assert upper - lower < 1e-4

    @pytest.mark.parametrize("seed", range(6))
    def test_a_general_solver_finds_the_same(self, seed):
        """The dual: most mean log u + mean log v where sum_y p(y) u_y(a) v_y(b) <= 1."""
        first, second = random_tables(*((3, 3, 2) if seed % 2 else (2, 4, 3)), seed=seed)
        first, second = (
            0.9 * part + 0.1 * part.sum(axis=0) / len(part) for part in (first, second)
        )
        shares, weights = first.sum(axis=0), np.append(first, second)

        def logs_of(flat):
            return np.split(flat.reshape(-1, len(shares)), [len(first)])

        def room(flat):
            left, right = logs_of(flat)
            return 1 - np.einsum("y,ay,by->ab", shares, np.exp(left), np.exp(right)).ravel()

        solved = minimize(
            lambda flat: -weights @ flat,
            np.zeros(len(weights)),
            jac=lambda flat: -weights,
            method="SLSQP",
            constraints={"type": "ineq", "fun": room},
            options={"maxiter": 1000, "ftol": 1e-12},
        )
        assert solved.success
        assert union_information(first, second) == pytest.approx(-solved.fun, abs=1e-4)

    @given(tables())
    @settings(max_examples=20)
    def test_bounds_by_the_parts(self, pair):
        first, second = pair
        shares = first.sum(axis=0)
        parts = mutual_information(first), mutual_information(second)
        free = first[:, None] * second[None] / shares
        found = union_information(first, second)
        assert found >= max(parts)
        assert found <= mutual_information(free.reshape(-1, len(shares))) + RESOLUTION

    @given(tables(), st.integers(0, 1000))
    @settings(max_examples=20)
    def test_orders_do_not_matter(self, pair, seed):
        first, second = pair
        rng = np.random.default_rng(seed)
        found = union_information(first, second)
        assert union_information(second, first) == pytest.approx(found, abs=1e-6)
        classes = rng.permutation(first.shape[1])
        moved = [rng.permutation(table)[:, classes] for table in pair]
        assert union_information(*moved) == pytest.approx(found, abs=1e-6)

    @given(tables(), st.floats(0.05, 0.95))
    @settings(max_examples=20)
    def test_only_posteriors_of_atoms_matter(self, pair, share):
        first, second = pair
        split = np.vstack([share * first[:1], (1 - share) * first[:1], first[1:]])
        found = union_information(first, second)
        assert union_information(split, second) == pytest.approx(found, abs=RESOLUTION)

    @given(tables(), st.integers(0, 1000))
    @settings(max_examples=20)
    def test_noise_on_one_adds_nothing_to_it(self, pair, seed):
        """A modality that is the other seen through a channel: all of it is redundant."""
        first, _ = pair
        channel = np.random.default_rng(seed).dirichlet(np.ones(4), len(first))
        found = union_information(first, channel.T @ first)
        assert found == pytest.approx(mutual_information(first), abs=1e-12)

    def test_a_class_without_mass(self):
        first, second = random_tables(4, 5, 3, seed=0)
        wider = [np.insert(table, 1, 0.0, axis=1) for table in (first, second)]
        assert union_information(*wider) == union_information(first, second)

    def test_margins_must_agree(self):
        first, second = random_tables(3, 3, 2, seed=0)
        with pytest.raises(ValueError, match="class margins differ"):
            union_information(first, second[:, ::-1])
        with pytest.raises(ValueError, match="class margins differ"):
            union_information(first, np.hstack([second, np.zeros((3, 1))]))
        with pytest.raises(ValueError, match="sums to 2"):
            union_information(first, 2 * second)


def random_posteriors(n, classes, seed, spread=1.5):
    """Return posteriors and labels drawn from them."""
    rng = np.random.default_rng(seed)
    weights = np.exp(spread * rng.normal(size=(n, classes)))
    posteriors = weights / weights.sum(axis=1, keepdims=True)
    labels = (rng.random((n, 1)) > posteriors.cumsum(axis=1)[:, :-1]).sum(axis=1)
    labels[:classes] = np.arange(classes)
    return posteriors, labels


class TestRake:
    @given(st.integers(0, 1000), st.integers(2, 5))
    def test_the_mean_is_the_frequencies(self, seed, classes):
        posteriors, _ = random_posteriors(40, classes, seed)
        frequencies = np.random.default_rng(seed).dirichlet(np.full(classes, 3.0))
        raked = rake(posteriors, frequencies)
        np.testing.assert_allclose(raked.mean(axis=0), frequencies, atol=1e-10)
        np.testing.assert_allclose(raked.sum(axis=1), 1, atol=1e-14)
        # The weights of classes are the same in all samples.
        change = np.log(raked / posteriors)
        change -= change[:, :1]
        np.testing.assert_allclose(change, change[:1].repeat(40, axis=0), atol=1e-8)

    def test_what_fits_stays(self):
        posteriors, _ = random_posteriors(30, 3, 0)
        np.testing.assert_allclose(rake(posteriors, posteriors.mean(axis=0)), posteriors, atol=1e-9)

    def test_an_absent_class(self):
        posteriors, _ = random_posteriors(30, 3, 0)
        raked = rake(posteriors, np.array([0.4, 0.0, 0.6]))
        assert (raked[:, 1] == 0).all()
        np.testing.assert_allclose(raked.mean(axis=0), [0.4, 0, 0.6], atol=1e-10)

    def test_arguments_are_left_alone(self):
        posteriors, _ = random_posteriors(30, 3, 0)
        before = posteriors.copy()
        rake(posteriors, np.array([0.2, 0.3, 0.5]))
        np.testing.assert_array_equal(posteriors, before)


class TestCalibrate:
    @given(st.integers(0, 1000), st.integers(2, 5), st.sampled_from([0.3, 1.0, 3.0]))
    def test_it_claims_what_it_shows(self, seed, classes, slope):
        """The two conditions of the highest likelihood."""
        posteriors, labels = random_posteriors(60, classes, seed)
        found = calibrate(rake(posteriors**slope, np.full(classes, 1 / classes)), labels)
        frequencies = np.bincount(labels) / 60
        np.testing.assert_allclose(found.mean(axis=0), frequencies, atol=1e-9)
        shown = np.log(found[np.arange(60), labels]).mean()
        assert (found * np.log(found)).sum(axis=1).mean() == pytest.approx(shown, abs=1e-5)

    @given(st.integers(0, 1000), st.floats(0.2, 2))
    def test_slope_and_weights_of_the_input_do_not_matter(self, seed, slope):
        posteriors, labels = random_posteriors(60, 3, seed)
        changed = posteriors**slope * [1, 2, 5]
        changed /= changed.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(
            calibrate(changed, labels), calibrate(posteriors, labels), atol=1e-6
        )

    def test_likelihood_is_highest(self):
        posteriors, labels = random_posteriors(200, 3, 1)
        found = calibrate(posteriors, labels)
        rows = np.arange(200)
        best = np.log(found[rows, labels]).mean()
        for slope in (0.9, 1.1):
            for weights in ([1, 1, 1], [1, 1.1, 1], [1, 1, 0.9]):
                other = found**slope * weights
                other /= other.sum(axis=1, keepdims=True)
                assert np.log(other[rows, labels]).mean() <= best

    def test_no_signal_or_a_wrong_one_is_the_prior(self):
        labels = np.array([0, 0, 0, 1, 1, 2])
        prior = np.tile([1 / 2, 1 / 3, 1 / 6], (6, 1))
        np.testing.assert_allclose(calibrate(np.full((6, 3), 1 / 3), labels), prior, atol=1e-12)
        wrong = 0.4 - 0.2 * np.eye(3)[labels]
        np.testing.assert_allclose(calibrate(wrong, labels), prior, atol=1e-12)

    @pytest.mark.parametrize("doubt", [1e-12, 1e-3, 0.2])
    def test_classes_that_are_told_apart(self, doubt):
        labels = np.repeat([0, 1, 2], [5, 10, 15])
        posteriors = doubt / 2 + (1 - 1.5 * doubt) * np.eye(3)[labels]
        assert calibrate(posteriors, labels)[np.arange(30), labels].min() > 0.999


class TestAtoms:
    def test_few_rows_are_kept(self):
        rows = np.array([[0.2, 0.8], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8]])
        np.testing.assert_allclose(
            sorted(atoms(rows).tolist()), [[0.15, 0.6], [0.175, 0.075]], atol=1e-15
        )

    @given(st.integers(0, 1000), st.integers(1, 60), st.integers(1, 8))
    def test_mass_is_kept(self, seed, n, count):
        posteriors, _ = random_posteriors(n + 3, 3, seed)
        table = atoms(posteriors, count)
        assert len(table) == min(count, n + 3)
        np.testing.assert_allclose(table.sum(axis=0), posteriors.mean(axis=0), atol=1e-12)
        assert (table > 0).all()

    @given(st.integers(0, 1000), st.integers(2, 5))
    @settings(max_examples=20)
    def test_orders_do_not_matter(self, seed, classes):
        posteriors, _ = random_posteriors(80, classes, seed)
        rng = np.random.default_rng(seed)
        rows, columns = rng.permutation(80), rng.permutation(classes)
        table = atoms(posteriors)
        moved = atoms(posteriors[rows][:, columns])[:, np.argsort(columns)]
        assert table.shape == (ATOMS, classes)
        np.testing.assert_allclose(
            table[np.lexsort(table.T)], moved[np.lexsort(moved.T)], atol=1e-12
        )

    def test_little_is_lost(self):
        posteriors, _ = random_posteriors(500, 3, 0)
        whole = mutual_information(posteriors / 500)
        assert whole - 0.02 < mutual_information(atoms(posteriors)) <= whole


def posteriors_of(codes, labels, classes):
    """Return the posteriors of equally probable cases."""
    table = table_of(codes, labels)
    codes = np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    return (table / table.sum(axis=1, keepdims=True))[codes][:, :classes]


def seen_with_noise(bits, cases, rng, deviation):
    """Return p(class | noisy bits) where each bit is seen as -1 or 1 plus normal noise."""
    seen = 2 * bits - 1 + deviation * rng.normal(size=bits.shape)
    patterns, labels = cases
    distance = ((seen[:, None] - (2 * patterns - 1)) ** 2).sum(axis=2)
    weights = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / (2 * deviation**2))
    posteriors = weights @ np.eye(labels.max() + 1)[labels] + 1e-3
    return posteriors / posteriors.sum(axis=1, keepdims=True)


def values(found):
    return found.redundant, found.unique_first, found.unique_second, found.synergistic


class TestDecompose:
    @pytest.mark.parametrize("gate", GATES)
    def test_gates(self, gate):
        cases, truth = GATES[gate]
        *bits, labels = bits_of(cases * 40)
        known = [posteriors_of(part, labels, labels.max() + 1) for part in bits]
        found = decompose(*known, labels)
        assert values(found) == pytest.approx(truth, abs=2e-3)
        assert found.total == pytest.approx(sum(truth), abs=2e-3)

    @pytest.mark.parametrize("gate", GATES)
    def test_drawn_gates_with_noise_and_blurred_posteriors(self, gate):
        cases, truth = GATES[gate]
        rng = np.random.default_rng(0)
        *every, classes = bits_of(cases)
        drawn = rng.integers(len(cases), size=1000)
        known = [
            seen_with_noise(part[drawn], (part, classes), rng, 0.3) ** power
            for part, power in zip(every, (0.4, 1.0, 0.7), strict=True)
        ]
        known = [part / part.sum(axis=1, keepdims=True) for part in known]
        found = decompose(*known, classes[drawn])
        assert values(found) == pytest.approx(truth, abs=0.05)

    def test_a_modality_twice(self):
        for seed in range(5):
            posteriors, labels = random_posteriors(150, 3, seed)
            found = decompose(posteriors, posteriors, posteriors, labels)
            told = mutual_information(atoms(calibrate(posteriors, labels)))
            assert (found.unique_first, found.unique_second, found.synergistic) == (0, 0, 0)
            assert found.redundant == pytest.approx(told, abs=1e-9)

    @given(st.integers(0, 1000))
    @settings(max_examples=15)
    def test_orders_do_not_matter(self, seed):
        (first, labels), (second, _), (joint, _) = (
            random_posteriors(100, 3, one) for one in (seed, seed + 1, seed + 2)
        )
        first = 0.7 * first + 0.3 * np.eye(3)[labels]
        second = 0.8 * second + 0.2 * np.eye(3)[labels]
        found = decompose(first, second, joint, labels)
        swapped = decompose(second, first, joint, labels)
        assert values(swapped) == pytest.approx(np.array(values(found))[[0, 2, 1, 3]], abs=1e-6)
        rng = np.random.default_rng(seed)
        rows, columns = rng.permutation(100), rng.permutation(3)
        moved = [part[rows][:, columns] for part in (first, second, joint)]
        again = decompose(*moved, np.argsort(columns)[labels[rows]])
        assert values(again) == pytest.approx(values(found), abs=1e-6)

    def test_parts_add_up(self):
        first, labels = random_posteriors(200, 3, 0)
        second = 0.8 * random_posteriors(200, 3, 1)[0] + 0.2 * np.eye(3)[labels]
        found = decompose(first, second, (first + second) / 2, labels)
        frequencies = np.bincount(labels) / 200
        for part, unique in ((first, found.unique_first), (second, found.unique_second)):
            table = atoms(calibrate(part, labels))
            told = mutual_information(table * (frequencies / table.sum(axis=0)))
            assert found.redundant + unique == pytest.approx(told, abs=1e-12)

    def test_synergy_may_be_negative_and_a_poor_joint_classifier_is_no_loss(self):
        *bits, labels = bits_of(GATES["2UNQ"][0] * 40)
        known = [posteriors_of(part, labels, 4) for part in bits]
        found = decompose(*known[:2], np.full((160, 4), 0.25), labels)
        assert found.synergistic == pytest.approx(-LOG2, abs=2e-3)

    @given(st.integers(0, 10**6), st.sampled_from([2, 3, 7, 40]), st.integers(1, 4))
    @settings(max_examples=40)
    def test_hard_and_contradictory_posteriors(self, seed, n, classes):
        rng = np.random.default_rng(seed)
        labels = rng.integers(classes, size=n)
        hard, sparse = np.eye(classes)[rng.integers(classes, size=n)], np.full(classes, 0.05)
        found = decompose(hard, rng.dirichlet(sparse, n), rng.dirichlet(sparse, n), labels)
        assert np.isfinite(values(found)).all()
        # A union is never below its parts nor above their sum, up to what the solver can tell.
        assert min(values(found)[:3]) >= -RESOLUTION
        assert found.total <= np.log(classes) + 1e-9

    def test_one_class(self):
        posteriors, _ = random_posteriors(20, 3, 0)
        found = decompose(posteriors, posteriors[::-1], posteriors, np.full(20, 1))
        assert found == Decomposition(0.0, 0.0, 0.0, 0.0)

    def test_a_class_without_samples(self):
        (first, labels), (second, _) = random_posteriors(90, 3, 0), random_posteriors(90, 3, 1)
        expected = decompose(first, second, first, labels)
        wider = [np.insert(0.9 * part, 1, 0.1, axis=1) for part in (first, second, first)]
        found = decompose(*wider, np.array([0, 2, 3])[labels])
        assert values(found) == pytest.approx(values(expected), abs=1e-9)
