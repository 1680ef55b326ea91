"""Similarity network fusion against its formulas, and what a network must not see."""

import numpy as np
import pytest

from balmi.config.settings import Graph
from balmi.data.cohort import Cohort
from balmi.data.splits import Split
from balmi.graph.fusion import fuse_kernels, fuse_network, fuse_splits, scaled_kernel
from balmi.preprocess.pipeline import Features

SETTINGS = Graph(neighbours=4, kept=3, iterations=3)


def kernel_of(values, neighbours):
    """Scaled kernel written pair by pair."""
    n = len(values)
    distance = np.array([[np.linalg.norm(a - b) for b in values] for a in values])
    nearest = [
        np.mean(sorted(distance[i, j] for j in range(n) if j != i)[:neighbours]) for i in range(n)
    ]
    kernel = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            eps = (nearest[i] + nearest[j] + distance[i, j]) / 3
            kernel[i, j] = np.exp(-(distance[i, j] ** 2) / (0.5 * eps**2))
    return kernel


def full(w):
    """P of Wang et al. (2014), equation 2: one half on the diagonal."""
    n = len(w)
    p = np.empty_like(w)
    for i in range(n):
        total = sum(w[i, k] for k in range(n) if k != i)
        for j in range(n):
            p[i, j] = 0.5 if i == j else w[i, j] / (2 * total)
    return p


def local(w, neighbours):
    """S of equation 3; the neighbours of a sample include it."""
    s = np.zeros_like(w)
    for i in range(len(w)):
        near = sorted(range(len(w)), key=lambda j: -w[i, j])[:neighbours]
        for j in near:
            s[i, j] = w[i, j] / sum(w[i, k] for k in near)
    return s


def plain_fusion(kernels, neighbours, iterations):
    """Equations 4 and 5, each network diffused by the mean of the others, then renormalised."""
    p = [full(w) for w in kernels]
    s = [local(w, neighbours) for w in kernels]
    for _ in range(iterations):
        new = []
        for v in range(len(kernels)):
            others = sum(p[k] for k in range(len(kernels)) if k != v) / (len(kernels) - 1)
            diffused = s[v] @ others @ s[v].T
            new.append(full((diffused + diffused.T) / 2))
        p = new
    fused = sum(p) / len(p)
    return (fused + fused.T) / 2


def plain_pruned(fused, kept):
    """The largest `kept` per row, joined with its transpose, and D^-1/2 W D^-1/2."""
    n = len(fused)
    pruned = np.zeros_like(fused)
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: -fused[i, j])
        for j in order[:kept]:
            pruned[i, j] = fused[i, j]
    for i in range(n):
        for j in range(i):
            pruned[i, j] = pruned[j, i] = max(pruned[i, j], pruned[j, i])
    degree = pruned.sum(axis=1)
    return np.array(
        [[pruned[i, j] / np.sqrt(degree[i] * degree[j]) for j in range(n)] for i in range(n)]
    )


class TestKernel:
    def test_three_points_by_hand(self):
        """Points 0, 1 and 3; nearest neighbours at 1, 1 and 2."""
        distances = np.array([[0.0, 1, 3], [1, 0, 2], [3, 2, 0]])
        scale = np.array([1.0, 1, 2])
        # eps: (1+1+1)/3 = 1, (1+2+3)/3 = 2, (1+2+2)/3 = 5/3
        near, far, middle = np.exp([-1 / 0.5, -9 / (0.5 * 4), -4 / (0.5 * 25 / 9)])
        expected = [[1, near, far], [near, 1, middle], [far, middle, 1]]
        assert scaled_kernel(distances, scale, scale) == pytest.approx(np.array(expected))

    def test_rows_and_columns_have_scales_of_their_own(self):
        found = scaled_kernel(np.array([[2.0, 4.0]]), np.array([3.0]), np.array([1.0, 5.0]))
        assert found == pytest.approx(np.exp([[-4 / (0.5 * 4), -16 / (0.5 * 16)]]))

    @pytest.mark.parametrize("factor", [1e-3, 1e3])
    def test_has_no_unit(self, factor):
        values = np.random.default_rng(0).normal(size=(6, 3))
        assert kernel_of(factor * values, 2) == pytest.approx(kernel_of(values, 2))
        distances = np.abs(np.subtract.outer(values[:, 0], values[:, 0]))
        scale = distances.mean(axis=1)
        assert scaled_kernel(factor * distances, factor * scale, factor * scale) == pytest.approx(
            scaled_kernel(distances, scale, scale)
        )

    def test_copies_are_alike(self):
        assert (scaled_kernel(np.zeros((2, 2)), np.zeros(2), np.zeros(2)) == 1).all()


class TestFusion:
    @pytest.fixture
    def kernels(self):
        rng = np.random.default_rng(0)
        return [kernel_of(rng.normal(size=(9, p)), 3) for p in (2, 5, 3)]

    @pytest.mark.parametrize("count", [2, 3])
    @pytest.mark.parametrize("iterations", [0, 1, 3])
    def test_equals_the_formulas(self, kernels, count, iterations):
        found = fuse_kernels(kernels[:count], 4, iterations)
        assert found == pytest.approx(plain_fusion(kernels[:count], 4, iterations), abs=1e-12)

    def test_one_modality_is_its_normalised_kernel(self, kernels):
        p = full(kernels[0])
        assert fuse_kernels(kernels[:1], 4, 3) == pytest.approx((p + p.T) / 2)

    def test_symmetric_and_not_negative(self, kernels):
        fused = fuse_kernels(kernels, 4, 3)
        assert (fused == fused.T).all()
        assert fused.min() >= 0
        assert fused.diagonal() == pytest.approx(np.full(9, 0.5))

    def test_order_of_modalities_and_samples_does_not_matter(self, kernels):
        fused = fuse_kernels(kernels, 4, 3)
        assert fuse_kernels(kernels[::-1], 4, 3) == pytest.approx(fused)
        order = np.random.default_rng(1).permutation(9)
        moved = fuse_kernels([kernel[np.ix_(order, order)] for kernel in kernels], 4, 3)
        assert moved == pytest.approx(fused[np.ix_(order, order)])

    def test_arguments_are_left_as_they_are(self, kernels):
        before = [kernel.copy() for kernel in kernels]
        fuse_kernels(kernels, 4, 3)
        assert all((a == b).all() for a, b in zip(before, kernels, strict=True))

    def test_structure_of_either_modality_is_kept(self):
        """One modality parts two clusters and the other does not: nearest neighbours do."""
        shares = []
        for seed in range(5):
            rng = np.random.default_rng(seed)
            cluster = np.repeat([0, 1], 10)
            clear = kernel_of(rng.normal(size=(20, 2)) + 6 * cluster[:, None], 5)
            blurred = kernel_of(rng.normal(size=(20, 2)), 5)
            fused = fuse_kernels([clear, blurred], 5, 3)
            np.fill_diagonal(fused, 0)
            nearest = np.argsort(-fused, axis=1)[:, :3]
            shares.append((cluster[nearest] == cluster[:, None]).mean())
        assert np.mean(shares) > 0.7  # 9/19 by chance


@pytest.fixture
def prepared():
    """Two modalities of 20 samples; 4 lack the first one, 3 the second, nobody both."""
    rng = np.random.default_rng(0)
    features = {"a": rng.normal(size=(20, 3)), "b": rng.normal(size=(20, 6))}
    available = np.ones((20, 2), dtype=bool)
    available[[1, 4, 12, 17], 0] = False
    available[[2, 13, 18], 1] = False
    for column, values in enumerate(features.values()):
        values[~available[:, column]] = 0
    train = np.array([0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 14, 19])
    return features, available, train


class TestNetwork:
    def test_of_one_modality_equals_the_formulas(self):
        values = np.random.default_rng(0).normal(size=(14, 3))
        train = np.array([0, 2, 3, 5, 6, 8, 9, 11, 13])
        others = np.setdiff1d(np.arange(14), train)
        found = fuse_network({"a": values}, np.ones((14, 1), bool), train, SETTINGS).toarray()
        p = full(kernel_of(values[train], 4))
        expected = plain_pruned((p + p.T) / 2, 3)
        assert found[np.ix_(train, train)] == pytest.approx(expected, abs=1e-12)
        distance = np.linalg.norm(values[:, None] - values[train], axis=2)
        scale = np.sort(distance[train], axis=1)[:, 1:5].mean(axis=1)
        for row in others:
            own = np.sort(distance[row])[:4].mean()
            eps = (own + scale + distance[row]) / 3
            similarity = np.exp(-(distance[row] ** 2) / (0.5 * eps**2))
            similarity[np.argsort(-similarity)[3:]] = 0
            assert found[row, train] == pytest.approx(similarity / similarity.sum())

    def test_of_two_modalities_with_absent_ones_equals_the_formulas(self, prepared):
        """A pair that a modality does not see has the mean similarity of those that do."""
        features, available, train = prepared
        found = fuse_network(features, available, train, SETTINGS).toarray()
        seen = np.full((2, 12, 12), np.nan)
        for m, values in enumerate(features.values()):
            has = np.flatnonzero(available[train, m])
            seen[m][np.ix_(has, has)] = kernel_of(values[train[has]], 4)
        for m in range(2):
            hidden = np.isnan(seen[m])
            seen[m][hidden] = np.nan_to_num(seen[1 - m][hidden], nan=0)
        expected = plain_pruned(plain_fusion(list(seen), 4, 3), 3)
        assert found[np.ix_(train, train)] == pytest.approx(expected, abs=1e-12)

    def test_edges_lead_to_training_samples_only(self, prepared):
        features, available, train = prepared
        network = fuse_network(features, available, train, SETTINGS).toarray()
        others = np.setdiff1d(np.arange(20), train)
        assert not network[:, others].any()
        assert network.min() >= 0
        assert np.isfinite(network).all()
        block = network[np.ix_(train, train)]
        assert block == pytest.approx(block.T, abs=1e-15)
        assert not block.diagonal().any()
        assert ((block > 0).sum(axis=1) >= 3).all()
        assert np.linalg.eigvalsh(block).max() == pytest.approx(1)  # that of D^-1/2 W D^-1/2
        assert network[others].sum(axis=1) == pytest.approx(np.ones(8))
        assert ((network[others] > 0).sum(axis=1) == 3).all()

    def test_samples_outside_training_change_only_their_own_rows(self, prepared):
        features, available, train = prepared
        before = fuse_network(features, available, train, SETTINGS).toarray()
        others = np.setdiff1d(np.arange(20), train)
        garbled = {name: values.copy() for name, values in features.items()}
        garbled["a"][others[0]] = 40.0
        garbled["b"][others[0]] = -7.0
        after = fuse_network(garbled, available, train, SETTINGS).toarray()
        np.testing.assert_array_equal(after[train], before[train])
        np.testing.assert_array_equal(after[others[1:]], before[others[1:]])
        garbled = {name: values.copy() for name, values in features.items()}
        for values in garbled.values():
            values[others] = np.random.default_rng(5).normal(size=values[others].shape)
        after = fuse_network(garbled, available, train, SETTINGS).toarray()
        np.testing.assert_array_equal(after[train], before[train])
        assert not np.allclose(after[others], before[others])

    def test_what_a_sample_lacks_is_not_read(self, prepared):
        features, available, train = prepared
        before = fuse_network(features, available, train, SETTINGS).toarray()
        for column, values in enumerate(features.values()):
            values[~available[:, column]] = 1e6
        after = fuse_network(features, available, train, SETTINGS).toarray()
        np.testing.assert_array_equal(after, before)

    def test_a_sample_with_one_modality_is_attached_by_it(self, prepared):
        features, available, train = prepared
        network = fuse_network(features, available, train, SETTINGS).toarray()
        only_b = fuse_network({"b": features["b"]}, available[:, 1:], train, SETTINGS).toarray()
        for row in (12, 17):
            assert network[row] == pytest.approx(only_b[row])
        for row in (1, 4):
            assert network[row].sum() > 0.3

    @pytest.mark.parametrize("empty", ["no feature", "no training sample"])
    def test_a_modality_that_says_nothing_is_skipped(self, prepared, empty):
        features, available, train = prepared
        features["c"] = np.zeros((20, 0 if empty == "no feature" else 2))
        mask = np.column_stack([available, np.ones(20, bool)])
        if empty != "no feature":
            mask[train, 2] = False
        found = fuse_network(features, mask, train, SETTINGS).toarray()
        without = fuse_network(
            {name: features[name] for name in "ab"}, available, train, SETTINGS
        ).toarray()
        others = np.setdiff1d(np.arange(20), train)
        assert found[others] == pytest.approx(without[others])
        assert np.isfinite(found).all()
        assert not found[:, others].any()

    def test_a_sample_that_nobody_can_be_compared_with_has_no_edge(self):
        """It has the one modality that no training sample has."""
        rng = np.random.default_rng(0)
        features = {"a": rng.normal(size=(10, 2)), "b": rng.normal(size=(10, 2))}
        available = np.ones((10, 2), dtype=bool)
        available[:, 1] = False
        available[9] = [False, True]
        network = fuse_network(features, available, np.arange(8), SETTINGS).toarray()
        assert not network[9].any()
        assert network[8].sum() == pytest.approx(1)

    def test_few_training_samples(self):
        values = np.random.default_rng(0).normal(size=(4, 2))
        network = fuse_network({"a": values}, np.ones((4, 1), bool), np.arange(3), Graph())
        dense = network.toarray()
        assert (dense[:3, :3] > 0).sum() == 6
        assert dense[3].sum() == pytest.approx(1)


class TestManyFeatures:
    """With a thousand features every distance is large: similarities must not vanish."""

    @pytest.fixture
    def cohort(self):
        rng = np.random.default_rng(0)
        labels = rng.integers(3, size=80)
        latent = rng.normal(size=(80, 10)) + 3 * np.eye(10)[labels]
        features = {}
        for name, width in (("wide", 1500), ("narrow", 20)):
            values = latent @ rng.normal(size=(10, width)) + 3 * rng.normal(size=(80, width))
            features[name] = (values - values.mean(axis=0)) / values.std(axis=0)
        return features, labels

    def test_a_wide_modality_alone(self, cohort):
        features, _ = cohort
        available, train = np.ones((80, 1), bool), np.arange(60)
        network = fuse_network({"a": features["wide"]}, available, train, Graph(kept=5)).toarray()
        assert network[60:].sum(axis=1) == pytest.approx(np.ones(20))
        assert np.linalg.eigvalsh(network[:60, :60]).max() == pytest.approx(1)

    def test_a_narrow_modality_does_not_outshout_a_wide_one(self, cohort):
        """Both are heard: attached edges differ from those of the narrow modality alone."""
        features, labels = cohort
        available, train = np.ones((80, 2), bool), np.arange(60)
        fused, narrow = (
            fuse_network(part, available[:, : len(part)], train, Graph(kept=5)).toarray()
            for part in (features, {"narrow": features["narrow"]})
        )
        share = ((fused[60:] > 0) & (narrow[60:] > 0)).sum() / (narrow[60:] > 0).sum()
        assert share < 0.9
        same = labels[60:, None] == labels[:60]
        assert fused[60:, :60][same].sum() > narrow[60:, :60][same].sum()

    def test_samples_that_lack_the_wide_modality_are_no_hubs(self, cohort):
        """Their similarities come from the narrow one, whose numbers must be comparable."""
        features, _ = cohort
        available, train = np.ones((80, 2), bool), np.arange(60)
        available[:15, 0] = False
        network = fuse_network(features, available, train, Graph(kept=5)).toarray()[15:60, :60]
        share = (network[:, :15] > 0).sum() / (network > 0).sum()
        assert share < 1.3 * 15 / 60


class TestSplits:
    @pytest.fixture
    def cohort(self):
        rng = np.random.default_rng(0)
        values = {name: rng.normal(size=(30, 5)) for name in "ab"}
        values["b"][::6] = np.nan
        return Cohort(
            samples=np.array([f"s{i:02d}" for i in range(30)]),
            labels=np.arange(30) % 2,
            classes=("x", "y"),
            groups=None,
            values=values,
            features=dict.fromkeys("ab", tuple("vwxyz")),
            kinds=dict.fromkeys("ab", "generic"),
            provenance={},
        )

    splits = (
        Split(0, 0, np.arange(16), np.arange(16, 20), np.arange(20, 30)),
        Split(0, 1, np.arange(14, 30), np.arange(10, 14), np.arange(10)),
    )

    def test_one_network_per_split(self, cohort):
        networks = fuse_splits(Features(cohort, 4), self.splits, SETTINGS)
        assert len(networks) == 2
        for network, split in zip(networks, self.splits, strict=True):
            assert network.shape == (30, 30)
            others = np.setdiff1d(np.arange(30), split.train)
            assert network[:, others].nnz == 0
            assert network.sum(axis=1)[others] == pytest.approx(np.ones(14))

    def test_test_samples_shape_neither_scaling_nor_edges(self, cohort):
        before = fuse_splits(Features(cohort, 4), self.splits, SETTINGS)
        for replica, split in enumerate(self.splits):
            values = {name: x.copy() for name, x in cohort.values.items()}
            for x in values.values():
                x[split.test] = 100 * x[split.test] + 3
            garbled = Cohort(**{**vars(cohort), "values": values})
            after = fuse_splits(Features(garbled, 4), [split], SETTINGS)[0].toarray()
            expected = before[replica].toarray()
            np.testing.assert_array_equal(after[split.fit], expected[split.fit])
            assert not np.allclose(after[split.test], expected[split.test])

    def test_labels_are_not_read(self, cohort):
        other = Cohort(**{**vars(cohort), "labels": 1 - cohort.labels})
        pairs = zip(
            fuse_splits(Features(cohort, 4), self.splits, SETTINGS),
            fuse_splits(Features(other, 4), self.splits, SETTINGS),
            strict=True,
        )
        assert all((a != b).nnz == 0 for a, b in pairs)
