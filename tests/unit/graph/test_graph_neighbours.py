"""Networks on nearest neighbours against their formulas, and what they may cost."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_networks import plain_candidates, plain_pruned, scales_of

from balmi.config.settings import Graph, Simulation
from balmi.data.simulate import simulate_cohort
from balmi.graph import neighbours
from balmi.graph.fusion import fuse_network
from balmi.graph.kernels import Modality
from balmi.graph.neighbours import keep_best, mean_similarity, nearest_core


def drawn(seed, n, modalities):
    """Features of any width, of which a quarter of the samples lacks each modality."""
    rng = np.random.default_rng(seed)
    features = {str(m): rng.normal(size=(n, rng.integers(1, 8))) for m in range(modalities)}
    available = rng.random((n, modalities)) < 0.75
    core = np.sort(rng.permutation(n)[: rng.integers(2, n)])
    return features, available, core


class TestNearest:
    def test_on_a_line(self):
        """Core at 0, 1, 3 and 7; the sample at 2 lies outside, and that at 100 lacks it."""
        values = np.array([0.0, 1, 3, 7, 2, 100])[:, None]
        modality = Modality(values, np.array([True] * 5 + [False]))
        settings = Graph(neighbours=2, kept=1)
        found = nearest_core(modality, np.arange(4), np.array([4, 5]), settings)
        assert found.scale == pytest.approx([2, 1.5, 2.5, 5, 1, 0])
        expected = [[0, 1], [0, 2], [1, 0], [1, 2], [2, 1], [2, 0], [3, 2], [3, 1]]
        assert found.inside.tolist() == expected
        assert sorted(found.outside.tolist()) == [[4, 1], [4, 2]]

    def test_as_many_are_listed_as_are_kept(self):
        values = np.arange(8.0)[:, None] ** 2
        modality = Modality(values, np.ones(8, dtype=bool))
        found = nearest_core(modality, np.arange(8), np.arange(0), Graph(neighbours=2, kept=5))
        assert len(found.inside) == 8 * 5
        assert found.scale == pytest.approx(scales_of(values, 2))


class TestSimilarity:
    def test_mean_over_the_modalities_that_both_have(self):
        """At distance 1 and scales of 1 the similarity is exp(-2); at distance 0 it is 1."""
        near = Modality(np.zeros((3, 2)), np.array([True, True, True]))
        far = Modality(np.array([[0.0], [1.0], [5.0]]), np.array([True, True, False]))
        pairs = np.array([[0, 1], [0, 2], [1, 0]])
        found = mean_similarity(pairs, [near, far], [np.ones(3), np.ones(3)])
        mean = (1 + np.exp(-2)) / 2
        assert found == pytest.approx([mean, 1, mean])

    def test_blocks_do_not_matter(self, monkeypatch):
        features, available, _ = drawn(0, 30, 2)
        modalities = [
            Modality(v, has) for v, has in zip(features.values(), available.T, strict=True)
        ]
        pairs = np.argwhere(available.any(axis=1)[:, None] & available.all(axis=1))
        scales = [np.ones(30)] * 2
        whole = mean_similarity(pairs, modalities, scales)
        monkeypatch.setattr(neighbours, "BLOCK_VALUES", 20)
        assert mean_similarity(pairs, modalities, scales) == pytest.approx(whole)

    def test_the_heaviest_are_kept_and_the_first_of_equals(self):
        pairs = np.array([[2, 0], [0, 3], [0, 1], [0, 2], [2, 1]])
        found = keep_best(pairs, np.array([0.1, 0.5, 0.5, 0.9, 0.3]), 2, 4).toarray()
        expected = np.zeros((4, 4))
        expected[0, 2], expected[0, 1], expected[2, 0], expected[2, 1] = 0.9, 0.5, 0.1, 0.3
        np.testing.assert_array_equal(found, expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    modalities=st.integers(1, 3),
    near=st.integers(1, 6),
    kept=st.integers(1, 6),
)
def test_equals_the_formulas(seed, modalities, near, kept):
    features, available, core = drawn(seed, 22, modalities)
    others = np.setdiff1d(np.arange(22), core)
    settings = Graph(neighbours=near, kept=kept, largest=1)
    found = fuse_network(features, available, core, settings).toarray()
    plain = plain_candidates(features, available, core, near, max(near, kept))
    inner = np.ix_(core, core)
    assert found[inner] == pytest.approx(plain_pruned(plain[inner], kept), abs=1e-12)
    for row in others:
        plain[row, np.argsort(-plain[row])[kept:]] = 0
        expected = plain[row] / (plain[row].sum() or 1)
        assert found[row] == pytest.approx(expected, abs=1e-12)
    assert not found[:, others].any()


def test_a_copy_of_a_modality_changes_nothing():
    features, available, core = drawn(1, 40, 1)
    settings = Graph(neighbours=5, kept=3, largest=1)
    once = fuse_network(features, available, core, settings).toarray()
    twice = fuse_network(
        features | {"copy": features["0"]}, np.repeat(available, 2, axis=1), core, settings
    ).toarray()
    assert twice == pytest.approx(once)


def test_order_of_modalities_and_samples_does_not_matter():
    features, available, core = drawn(2, 40, 3)
    settings = Graph(neighbours=5, kept=3, largest=1)
    found = fuse_network(features, available, core, settings).toarray()
    backwards = dict(reversed(features.items()))
    assert fuse_network(backwards, available[:, ::-1], core, settings).toarray() == pytest.approx(
        found
    )
    order = np.random.default_rng(0).permutation(40)
    moved = {name: values[order] for name, values in features.items()}
    place = np.sort(np.flatnonzero(np.isin(order, core)))
    again = fuse_network(moved, available[order], place, settings).toarray()
    assert again == pytest.approx(found[np.ix_(order, order)])


def test_no_matrix_of_all_pairs_is_made():
    """Not even one of flags, which would take 36 MB; the exact construction takes 8 times more."""
    n = 6000
    rng = np.random.default_rng(0)
    features = {name: rng.normal(size=(n, 3)) for name in "ab"}
    settings = Graph(neighbours=4, kept=3, largest=1)
    tracemalloc.start()
    try:
        network = fuse_network(features, np.ones((n, 2), bool), np.arange(5000), settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert network.nnz > 3 * n
    assert peak < n**2 / 2


@pytest.fixture(scope="module")
def simulated():
    """Return features, mask and labels of a simulated cohort."""
    made = simulate_cohort(Simulation(samples=400, features=40, seed=0))
    index = made.samples.index
    tables = {name: table.reindex(index).to_numpy() for name, table in made.modalities.items()}
    available = np.column_stack([~np.isnan(table).all(axis=1) for table in tables.values()])
    features = {
        name: np.nan_to_num((table - np.nanmean(table, axis=0)) / np.nanstd(table, axis=0))
        for name, table in tables.items()
    }
    return features, available, made.samples["subtype"].to_numpy()


def test_neighbours_are_as_often_of_ones_class_as_in_the_exact_network(simulated):
    """Class homophily of both, within the training samples and from the others."""
    features, available, labels = simulated
    core, others = np.arange(300), np.arange(300, 400)
    exact, sparse = (
        fuse_network(features, available, core, Graph(largest=largest)).toarray() > 0
        for largest in (5000, 1)
    )
    same = labels[:, None] == labels
    for rows in (core, others):
        first, second = (
            (network & same)[rows].sum() / network[rows].sum() for network in (exact, sparse)
        )
        assert second > 0.8
        assert second == pytest.approx(first, abs=0.03)
    overlap = (exact & sparse).sum(axis=1) / (exact | sparse).sum(axis=1)
    assert overlap[core].mean() > 0.5
    assert overlap[others].mean() > 0.8
