"""The peers of the benchmark against values that are known for them."""

import numpy as np
import pytest
from scipy.special import digamma

import peers
from peers import infonce, ksg, mine, ross, univariate


class TestRoss:
    def test_by_hand(self):
        """With k limited to the class, radii are 1, 1 and 2, 1.5, 2, and borders do not count."""
        x = np.array([[0.0], [1.0], [10.0], [11.5], [12.0]])
        y = np.array([0, 0, 1, 1, 1])
        k, sizes, near = [1, 1, 2, 2, 2], [2, 2, 3, 3, 3], [1, 1, 2, 2, 2]
        expected = digamma(5) + np.mean(digamma(k) - digamma(sizes) - digamma(near))
        assert ross(x, y, 0)["ross"] == pytest.approx(expected)

    def test_a_class_of_one_sample_is_left_out(self):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(40, 2)), np.arange(40) % 2
        alone = ross(np.vstack([x, x.mean(axis=0)]), np.append(y, 2), 0)["ross"]
        assert np.isfinite(alone)
        assert alone == pytest.approx(ross(x, y, 0)["ross"], abs=0.05)

    def test_separated_classes(self):
        rng = np.random.default_rng(0)
        y = rng.integers(3, size=600)
        found = ross(20 * np.eye(3)[y] + rng.normal(size=(600, 3)), y, 0)
        assert found["ross"] == pytest.approx(np.log(3), abs=0.03)


class TestUnivariate:
    def test_sum_counts_copies_and_the_best_does_not(self):
        rng = np.random.default_rng(0)
        y = rng.integers(2, size=400)
        signal = y + 0.3 * rng.normal(size=400)
        copies = univariate(np.column_stack([signal] * 3), y, 0)
        assert copies["sum"] == pytest.approx(3 * copies["best"], rel=0.05)
        assert 0.4 < copies["best"] < np.log(2) + 0.05


class TestKsg:
    @pytest.mark.parametrize("rho", [0.0, 0.9])
    def test_gaussian_pair(self, rho):
        rng = np.random.default_rng(0)
        left = rng.normal(size=(1500, 1))
        right = rho * left + np.sqrt(1 - rho**2) * rng.normal(size=(1500, 1))
        found = ksg(left, right, 0)
        assert found["raw"] == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.06)
        assert found["components"] == pytest.approx(found["raw"], abs=1e-9)

    def test_scales_do_not_matter(self):
        rng = np.random.default_rng(0)
        left = rng.normal(size=(100, 2))
        right = left + rng.normal(size=(100, 2))
        assert ksg(left * [1, 1e4], right, 0) == pytest.approx(ksg(left, right, 0))


class TestNeural:
    @pytest.mark.parametrize("bound", [infonce, mine])
    def test_reads_dependence_below_the_truth_and_repeats(self, bound, monkeypatch):
        monkeypatch.setattr(peers, "STEPS", 120)
        rng = np.random.default_rng(0)
        left = rng.normal(size=(300, 2))
        right = left + 0.5 * rng.normal(size=(300, 2))
        (value,) = bound(left, right, 1).values()
        truth = np.log(5)  # 2 * 1/2 log(1 + 1 / 0.25)
        assert 0.3 < value < truth + 0.1
        assert bound(left, right, 1) == bound(left, right, 1)
