import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array, issparse

from balmi.data.measurements import Measurements, dense, row_blocks, single, single_valued

TABLE = np.array([[1.0, np.nan], [np.nan, np.nan], [0.0, 2.0], [3.0, 0.0]])


def test_a_sample_that_has_nothing_has_no_row():
    measured = Measurements.of_table(TABLE)
    assert measured.rows.tolist() == [0, 2, 3]
    np.testing.assert_array_equal(measured.values, TABLE[[0, 2, 3]])
    assert measured.has(4).tolist() == [True, False, True, True]
    np.testing.assert_array_equal(measured.table(4), TABLE)


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_samples_are_found_in_any_order(form):
    measured = Measurements(np.array([1, 2, 5]), form(np.array([[1.0, 0], [0, 2], [5, 5]])))
    assert measured.places(np.array([5, 0, 1, 6])).tolist() == [2, -1, 0, -1]
    assert dense(measured.of(np.array([5, 0, 1]))).tolist() == [[5, 5], [1, 0]]
    turned = measured.reordered(np.array([5, 3, 1]))
    assert turned.rows.tolist() == [0, 2]
    assert dense(turned.values).tolist() == [[5, 5], [1, 0]]
    assert dense(measured.columns(np.array([1])).values).tolist() == [[0], [2], [5]]
    assert issparse(turned.values) == (form is csr_array)


def test_of_a_modality_that_nobody_has_there_is_nothing():
    measured = Measurements(np.zeros(0, dtype=int), np.zeros((0, 3)))
    assert measured.places(np.arange(4)).tolist() == [-1] * 4
    assert np.isnan(measured.table(4)).all()
    assert measured.of(np.arange(4)).shape == (0, 3)


def test_rows_without_measurements_are_refused():
    with pytest.raises(ValueError, match="2 rows for 3 samples"):
        Measurements(np.arange(2), np.zeros((3, 1)))


@given(st.integers(0, 30), st.integers(0, 5), st.integers(1, 20))
def test_blocks_are_all_rows_once(rows, columns, cells):
    blocks = list(row_blocks(np.zeros((rows, columns)), cells))
    taken = np.concatenate([np.arange(rows)[block] for block in blocks] or [np.zeros(0)])
    assert taken.tolist() == list(range(rows))
    assert all((b.stop - b.start) * columns <= cells or b.stop - b.start == 1 for b in blocks)


def test_single_precision_where_it_blurs_nothing():
    fine = np.column_stack([1e6 + 0.01 * np.arange(5), np.arange(5)])
    np.testing.assert_array_equal(single(fine), fine)
    assert single(fine).dtype == np.float64
    assert single(fine[:, 1:]).dtype == np.float32
    assert single(np.full((3, 2), np.nan)).dtype == np.float32
    assert single(csr_array(fine)).dtype == np.float32
    held = np.zeros((2, 2), dtype=np.float32)
    assert single(held) is held


@given(arrays(float, (7, 3), elements=st.floats(-9, 9)), st.integers(1, 8))
def test_whether_it_blurs_does_not_depend_on_blocks(values, cells):
    from unittest.mock import patch

    from balmi.data import measurements

    whole = single(values).dtype
    blocks = lambda matrix, _: row_blocks(matrix, cells)  # noqa: E731
    with patch.object(measurements, "row_blocks", blocks):
        assert single(values).dtype == whole


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_which_samples_have_a_single_value(form):
    values = form(np.array([[0, 0, 0], [2, 2, 2], [0, 2, 2], [-1, 0, 0], [1.5, 1.5, 1.5]]))
    assert single_valued(values).tolist() == [True, True, False, False, True]
