"""The scaled kernel against its formula."""

import numpy as np
import pytest
from plain_networks import distances_of, kernel_of, scales_of

from balmi.graph.kernels import scaled_kernel


class TestKernel:
    def test_three_points_by_hand(self):
        """Points 0, 1 and 3; nearest neighbours at 1, 1 and 2."""
        distances = np.array([[0.0, 1, 3], [1, 0, 2], [3, 2, 0]])
        scale = np.array([1.0, 1, 2])
        # eps: (1+1+1)/3 = 1, (1+2+3)/3 = 2, (1+2+2)/3 = 5/3
        near, far, middle = np.exp([-1 / 0.5, -9 / (0.5 * 4), -4 / (0.5 * 25 / 9)])
        expected = np.array([[1, near, far], [near, 1, middle], [far, middle, 1]])
        assert scaled_kernel(distances, scale[:, None], scale) == pytest.approx(expected)
        left, right = np.array([0, 0, 1]), np.array([1, 2, 2])
        pairs = scaled_kernel(distances[left, right], scale[left], scale[right])
        assert pairs == pytest.approx(np.array([near, far, middle]))

    def test_rows_and_columns_have_scales_of_their_own(self):
        found = scaled_kernel(np.array([[2.0, 4.0]]), np.array([[3.0]]), np.array([1.0, 5.0]))
        assert found == pytest.approx(np.exp([[-4 / (0.5 * 4), -16 / (0.5 * 16)]]))

    def test_equals_the_formula(self):
        values = np.random.default_rng(0).normal(size=(7, 3))
        scale = scales_of(values, 3)
        found = scaled_kernel(distances_of(values), scale[:, None], scale)
        assert found == pytest.approx(kernel_of(values, 3))

    @pytest.mark.parametrize("factor", [1e-3, 1e3])
    def test_has_no_unit(self, factor):
        values = np.random.default_rng(0).normal(size=(6, 3))
        distances, scale = distances_of(values), scales_of(values, 2)
        found = scaled_kernel(factor * distances, factor * scale[:, None], factor * scale)
        assert found == pytest.approx(scaled_kernel(distances, scale[:, None], scale))

    def test_copies_are_alike(self):
        assert (scaled_kernel(np.zeros((2, 2)), np.zeros((2, 1)), np.zeros(2)) == 1).all()
