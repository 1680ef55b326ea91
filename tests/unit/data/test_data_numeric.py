"""A sparse table says of its cells what the same table says of them when it is dense."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import coo_matrix, csc_matrix, csr_array, issparse

from balmi.config.kinds import Kind
from balmi.data import table_checks
from balmi.data.files import annotated_files
from balmi.data.numeric import NumericTable
from balmi.data.plausible import implausible
from balmi.data.readers import load_measurements
from balmi.data.table_checks import _range_problem, check_modality, to_numeric
from balmi.errors import UserError

CELLS = st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, -1.0, 0.5, -9.0, 99.0, 1e20, 1e39])


def table_of(values):
    """Return a table of an array or matrix with numbers for names."""
    index = pd.Index([f"s{row}" for row in range(values.shape[0])])
    return NumericTable.of(values, index, pd.Index([f"f{c}" for c in range(values.shape[1])]))


@settings(max_examples=150, deadline=None)
@given(
    cells=arrays(float, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=CELLS),
    kind=st.sampled_from(list(Kind)),
)
def test_sparse_and_dense_tables_are_judged_alike(monkeypatch_blocks, cells, kind):
    dense, sparse = table_of(cells), table_of(csr_array(cells))
    told = [check_modality(table, None, kind, "here")[1] for table in (dense, sparse)]
    assert told[0] == told[1]
    if not any(cells[cells > 1e38]):
        assert implausible(dense, kind) == implausible(sparse, kind)


@pytest.fixture(scope="module")
def monkeypatch_blocks():
    """Look at a few cells at once, so that every table has several blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("balmi.data.numeric.CHECKED", 5)
        yield


@pytest.mark.parametrize("form", [coo_matrix, csc_matrix, csr_array])
def test_values_of_any_sparse_form(form):
    cells = np.array([[0, 3.0, 0], [1.0, 0, 0]])
    table = table_of(form(cells)).floating()
    assert issparse(table.values)
    np.testing.assert_array_equal(table.to_numpy(), cells)
    assert table.unstored == 4
    assert table.search(lambda cell: cell > 0, 1) == (2, [(0, 1)])
    assert table.search(lambda cell: cell < 1, 9) == (4, [(0, 0), (0, 2), (1, 1), (1, 2)])


def test_an_empty_cell_makes_a_sparse_table_dense():
    table = table_of(csr_array(np.array([[0, np.nan], [1, 0]]))).floating()
    assert not issparse(table.values)
    assert list(table.measured()) == [True, True]


@pytest.mark.parametrize(
    ("kind", "precise"),
    [("int8", "float32"), ("int64", "float64"), ("float16", "float32"), ("float64", "float64")],
)
def test_precision_holds_every_value(kind, precise):
    assert table_of(np.ones((2, 2), dtype=kind)).floating().values.dtype == precise


def test_zeros_that_are_not_stored_are_out_of_a_range_too(monkeypatch):
    class Positive:
        range = type("Range", (), {"low": 1, "high": 9, "whole": False, "description": "1 to 9"})

    monkeypatch.setitem(table_checks.KINDS, Kind.CNV, Positive)
    table = table_of(csr_array(np.array([[2.0, 0], [0, 3]])))
    (problem,) = _range_problem(table, Kind.CNV, "here")
    assert problem.found == (
        "2 cells outside what cnv holds: row 's0', column 'f1': 0.0; row 's1', column 'f0': 0.0"
    )


def test_numbers_of_a_frame_are_taken_as_they_are():
    frame = pd.DataFrame({"a": np.array([1, 2], "float32"), "b": np.array([1, 2], "int8")})
    assert to_numeric(frame, "here")[0].values.dtype == np.float32


@pytest.fixture
def layered(tmp_path):
    """Return an h5ad file with a sparse layer beside its X."""
    from anndata import AnnData

    path = tmp_path / "layers.h5ad"
    data = AnnData(np.full((2, 2), 0.5), obs=pd.DataFrame(index=["s", "t"]))
    data.layers["counts"] = csr_array(np.array([[0, 3.0], [1, 0]]))
    with annotated_files():
        data.write_h5ad(path)
    return path


def test_a_layer_is_read_in_place_of_x_and_stays_sparse(layered):
    table = load_measurements(layered, layer="counts").table
    assert issparse(table.values)
    np.testing.assert_array_equal(table.to_numpy(), [[0, 3], [1, 0]])
    np.testing.assert_array_equal(load_measurements(layered).table.to_numpy(), 0.5)


def test_raw_is_a_layer_with_features_of_its_own(tmp_path):
    from anndata import AnnData

    whole = AnnData(csr_array(np.array([[0, 3.0, 1], [1, 0, 2]])))
    whole.obs_names, whole.var_names = ["s1", "s2"], ["g1", "g2", "g3"]
    few = whole[:, :2].copy()
    few.raw, few.X = whole, np.full((2, 2), 0.5)
    with annotated_files():
        few.write_h5ad(tmp_path / "a.h5ad")
    table = load_measurements(tmp_path / "a.h5ad", layer="raw").table
    assert list(table.columns) == ["g1", "g2", "g3"]
    np.testing.assert_array_equal(table.to_numpy(), [[0, 3, 1], [1, 0, 2]])
    assert load_measurements(tmp_path / "a.h5ad").table.shape == (2, 2)
    with pytest.raises(UserError, match=r"no layer 'rw' in the file(.|\n)*one of 'raw'"):
        load_measurements(tmp_path / "a.h5ad", layer="rw")


def test_a_layer_that_is_not_there(layered, tmp_path):
    with pytest.raises(UserError, match=r"no layer 'count' in the file(.|\n)*nearest: 'counts'"):
        load_measurements(layered, layer="count")
    (tmp_path / "a.csv").write_text("id,a\ns,1\n")
    with pytest.raises(UserError, match="a layer, 'counts', of a file that has none"):
        load_measurements(tmp_path / "a.csv", layer="counts")
