"""The file of fused networks."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from balmi.data.cohort import Cohort
from balmi.data.splits import Split
from balmi.graph.files import read_networks, write_networks

N = 12


@pytest.fixture
def cohort():
    return Cohort(
        samples=np.array([f"s{i:02d}" for i in range(N)]),
        labels=np.arange(N) % 2,
        classes=("x", "y"),
        groups=None,
        values={"a": np.ones((N, 1))},
        features={"a": ("v",)},
        kinds={"a": "generic"},
        provenance={},
    )


@pytest.fixture
def networks():
    rng = np.random.default_rng(0)
    return [csr_array(np.where(rng.random((N, N)) < 0.3, rng.random((N, N)), 0)) for _ in range(4)]


SPLITS = [
    Split(repeat, fold, np.arange(6), np.arange(6, 8), np.arange(8, 12))
    for repeat in range(2)
    for fold in range(2)
]


def test_round_trip(networks, cohort, tmp_path):
    path = tmp_path / "networks.parquet"
    write_networks(networks, SPLITS, cohort, path)
    back = read_networks(path, SPLITS, cohort)
    for found, expected in zip(back, networks, strict=True):
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found.toarray(), expected.toarray())


def test_read_in_the_order_of_the_splits(networks, cohort, tmp_path):
    path = tmp_path / "networks.parquet"
    write_networks(networks, SPLITS, cohort, path)
    back = read_networks(path, SPLITS[::-1], cohort)
    np.testing.assert_array_equal(back[0].toarray(), networks[3].toarray())
    np.testing.assert_array_equal(back[3].toarray(), networks[0].toarray())


def test_an_edge_is_a_row_with_names(networks, cohort, tmp_path):
    path = tmp_path / "networks.parquet"
    write_networks(networks, SPLITS, cohort, path)
    table = pd.read_parquet(path)
    assert list(table.columns) == ["repeat", "fold", "sample", "neighbour", "weight"]
    assert len(table) == sum(network.nnz for network in networks)
    row = table[(table.repeat == 1) & (table.fold == 0)].iloc[0]
    i, j = (int(row[end][1:]) for end in ("sample", "neighbour"))
    assert networks[2][i, j] == row["weight"]


def test_a_network_without_edges(networks, cohort, tmp_path):
    path = tmp_path / "networks.parquet"
    networks[1] = csr_array((N, N))
    write_networks(networks, SPLITS, cohort, path)
    back = read_networks(path, SPLITS, cohort)
    assert [network.nnz for network in back] == [network.nnz for network in networks]
    assert back[1].shape == (N, N)
