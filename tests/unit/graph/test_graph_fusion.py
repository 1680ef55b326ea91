"""Similarity network fusion against its formulas, and what a network must not see."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from plain_networks import full, kernel_of, plain_fusion, plain_pruned

from balmi.config.settings import Graph
from balmi.data.cohort import Cohort
from balmi.data.splits import Split
from balmi.errors import UserError
from balmi.graph import fusion
from balmi.graph.fusion import core_rows, fuse_kernels, fuse_network, fuse_splits
from balmi.preprocess.features import Features

SETTINGS = Graph(neighbours=4, kept=3, iterations=3)
SPARSE = SETTINGS.model_copy(update={"largest": 1})
BOTH = pytest.mark.parametrize("settings", [SETTINGS, SPARSE], ids=["exact", "neighbours"])


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

    def test_samples_are_attached_in_blocks(self, prepared, monkeypatch):
        features, available, core = prepared
        whole = fuse_network(features, available, core, SETTINGS).toarray()
        monkeypatch.setattr(fusion, "BLOCK_PAIRS", 3 * len(core))
        parts = fuse_network(features, available, core, SETTINGS).toarray()
        assert parts == pytest.approx(whole, abs=1e-14)


@BOTH
class TestEitherConstruction:
    """What holds of the exact networks and of those on nearest neighbours."""

    def test_edges_lead_to_core_samples_only(self, prepared, settings):
        features, available, core = prepared
        network = fuse_network(features, available, core, settings).toarray()
        others = np.setdiff1d(np.arange(20), core)
        assert not network[:, others].any()
        assert network.min() >= 0
        assert np.isfinite(network).all()
        block = network[np.ix_(core, core)]
        assert block == pytest.approx(block.T, abs=1e-15)
        assert not block.diagonal().any()
        assert ((block > 0).sum(axis=1) >= 3).all()
        assert np.linalg.eigvalsh(block).max() == pytest.approx(1)  # that of D^-1/2 W D^-1/2
        assert network[others].sum(axis=1) == pytest.approx(np.ones(8))
        assert ((network[others] > 0).sum(axis=1) == 3).all()

    def test_samples_outside_the_core_change_only_their_own_rows(self, prepared, settings):
        features, available, core = prepared
        before = fuse_network(features, available, core, settings).toarray()
        others = np.setdiff1d(np.arange(20), core)
        garbled = {name: values.copy() for name, values in features.items()}
        garbled["a"][others[0]] = 40.0
        garbled["b"][others[0]] = -7.0
        after = fuse_network(garbled, available, core, settings).toarray()
        np.testing.assert_array_equal(after[core], before[core])
        np.testing.assert_array_equal(after[others[1:]], before[others[1:]])
        garbled = {name: values.copy() for name, values in features.items()}
        for values in garbled.values():
            values[others] = np.random.default_rng(5).normal(size=values[others].shape)
        after = fuse_network(garbled, available, core, settings).toarray()
        np.testing.assert_array_equal(after[core], before[core])
        assert not np.allclose(after[others], before[others])

    def test_what_a_sample_lacks_is_not_read(self, prepared, settings):
        features, available, core = prepared
        before = fuse_network(features, available, core, settings).toarray()
        for column, values in enumerate(features.values()):
            values[~available[:, column]] = 1e6
        after = fuse_network(features, available, core, settings).toarray()
        np.testing.assert_array_equal(after, before)

    def test_a_sample_with_one_modality_is_attached_by_it(self, prepared, settings):
        features, available, core = prepared
        network = fuse_network(features, available, core, settings).toarray()
        only_b = fuse_network({"b": features["b"]}, available[:, 1:], core, settings).toarray()
        for row in (12, 17):
            assert network[row] == pytest.approx(only_b[row])
        for row in (1, 4):
            assert network[row].sum() > 0.3

    @pytest.mark.parametrize("empty", ["no feature", "no core sample"])
    def test_a_modality_that_says_nothing_is_skipped(self, prepared, empty, settings):
        features, available, core = prepared
        features["c"] = np.zeros((20, 0 if empty == "no feature" else 2))
        mask = np.column_stack([available, np.ones(20, bool)])
        if empty != "no feature":
            mask[core, 2] = False
        found = fuse_network(features, mask, core, settings).toarray()
        without = fuse_network(
            {name: features[name] for name in "ab"}, available, core, settings
        ).toarray()
        np.testing.assert_array_equal(found, without)

    def test_a_sample_that_nobody_can_be_compared_with_has_no_edge(self, settings):
        """It has the one modality that no core sample has."""
        rng = np.random.default_rng(0)
        features = {"a": rng.normal(size=(10, 2)), "b": rng.normal(size=(10, 2))}
        available = np.ones((10, 2), dtype=bool)
        available[:, 1] = False
        available[9] = [False, True]
        network = fuse_network(features, available, np.arange(8), settings).toarray()
        assert not network[9].any()
        assert network[8].sum() == pytest.approx(1)

    def test_a_small_core(self, settings):
        values = np.random.default_rng(0).normal(size=(4, 2))
        network = fuse_network({"a": values}, np.ones((4, 1), bool), np.arange(3), settings)
        dense = network.toarray()
        assert (dense[:3, :3] > 0).sum() == 6
        assert dense[3].sum() == pytest.approx(1)

    @pytest.mark.parametrize("size", [1, 0])
    def test_a_core_without_pairs(self, settings, size):
        values = np.random.default_rng(0).normal(size=(4, 2))
        network = fuse_network({"a": values}, np.ones((4, 1), bool), np.arange(size), settings)
        assert not network[:size].toarray().any()
        assert network.sum(axis=1)[size:] == pytest.approx(np.full(4 - size, float(size)))

    def test_copies_of_a_sample(self, settings):
        values = np.repeat(np.random.default_rng(0).normal(size=(4, 3)), 6, axis=0)
        core = np.setdiff1d(np.arange(24), [0, 6, 12, 18])
        dense = fuse_network({"a": values}, np.ones((24, 1), bool), core, settings).toarray()
        assert np.isfinite(dense).all()
        alike = np.repeat(np.arange(4), 6)
        assert (alike[np.argwhere(dense)[:, 0]] == alike[np.argwhere(dense)[:, 1]]).all()


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


UNUSED = np.array([9, 19, 29])
SPLITS = (
    Split(0, 0, np.arange(9), np.arange(10, 16), np.r_[16:19, 20:29], np.arange(15) % 3, (0, 1, 2)),
    Split(0, 1, np.r_[14:19, 20:29], np.arange(10, 14), np.arange(9)),
)


class TestSplits:
    """Three rows lie in no part of a split."""

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

    @staticmethod
    def garbled(cohort, rows, rng):
        """Return the cohort with other features in some rows; what is absent stays so."""
        values = {name: x.copy() for name, x in cohort.tables.items()}
        for x in values.values():
            noise = rng.normal(rng.normal(), 10 ** rng.uniform(-2, 2), x[rows].shape)
            x[rows] = np.where(np.isnan(x[rows]), np.nan, noise)
        return replace(cohort, values=values)

    @BOTH
    def test_one_network_per_split_over_training_and_validation(self, cohort, settings):
        networks = fuse_splits(Features(cohort, 4), SPLITS, settings)
        assert len(networks) == 2
        for network, split in zip(networks, SPLITS, strict=True):
            assert network.shape == (30, 30)
            others = np.setdiff1d(np.arange(30), split.fit)
            assert network[:, others].nnz == 0
            assert network.sum(axis=1)[others] == pytest.approx(np.ones(len(others)))
            block = network[split.fit][:, split.fit].toarray()
            assert block == pytest.approx(block.T, abs=1e-15)
            assert ((block > 0).sum(axis=1) >= 3).all()
            assert (network[split.validation][:, split.train] > 0).sum()
            assert (network[split.train][:, split.validation] > 0).sum()

    def test_too_many_samples_are_refused_by_their_number(self, cohort, monkeypatch):
        largest = max(len(split.fit) for split in SPLITS)
        monkeypatch.setattr(fusion, "MOST_SAMPLES", largest - 1)
        with pytest.raises(UserError) as caught:
            fuse_splits(Features(cohort, 4), SPLITS, Graph())
        (problem,) = caught.value.problems
        assert problem.where == "model.graph_weight"
        assert f"{largest} samples in a training part" in problem.found

    @BOTH
    def test_members_share_their_folds_network(self, cohort, settings):
        members = SPLITS[0].members(3)
        assert len({tuple(member.validation) for member in members}) == 3
        networks = fuse_splits(Features(cohort, 4), members, settings)
        for network in networks[1:]:
            np.testing.assert_array_equal(network.toarray(), networks[0].toarray())

    @BOTH
    @given(seed=st.integers(0, 2**32 - 1), place=st.integers(0, 1))
    @hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_samples_outside_a_fold_never_shape_its_network(self, cohort, settings, seed, place):
        """Neither scaling nor edges change with the features of test and unused samples."""
        split, features = SPLITS[place], Features(cohort, 4)
        others = np.setdiff1d(np.arange(30), split.fit)
        before = fuse_splits(features, [split], settings)[0].toarray()
        changed = self.garbled(cohort, others, np.random.default_rng(seed))
        after = fuse_splits(Features(changed, 4), [split], settings)[0].toarray()
        np.testing.assert_array_equal(after[split.fit], before[split.fit])
        assert not np.allclose(after[others], before[others])

    @BOTH
    def test_transductive_networks_hold_test_samples(self, cohort, settings):
        features, split = Features(cohort, 4), SPLITS[0]
        both = settings.model_copy(update={"transductive": True})
        network = fuse_splits(features, [split], both)[0].toarray()
        core = np.setdiff1d(np.arange(30), UNUSED)
        np.testing.assert_array_equal(core_rows(split, transductive=True), core)
        by_hand = fuse_network(features.split(split.fit), features.available, core, settings)
        np.testing.assert_array_equal(network, by_hand.toarray())
        assert not network[:, UNUSED].any()
        assert network[UNUSED].sum(axis=1) == pytest.approx(np.ones(3))
        assert network[np.ix_(split.fit, split.test)].any()
        garbled = Features(self.garbled(cohort, split.test, np.random.default_rng(0)), 4)
        after = fuse_splits(garbled, [split], both)[0].toarray()
        assert not np.allclose(after[split.fit], network[split.fit])

    @BOTH
    @pytest.mark.parametrize("transductive", [False, True])
    def test_labels_are_not_read(self, cohort, settings, transductive):
        chosen = settings.model_copy(update={"transductive": transductive})
        other = replace(cohort, labels=1 - cohort.labels)
        pairs = zip(
            fuse_splits(Features(cohort, 4), SPLITS, chosen),
            fuse_splits(Features(other, 4), SPLITS, chosen),
            strict=True,
        )
        assert all((a != b).nnz == 0 for a, b in pairs)

    @pytest.mark.parametrize("transductive", [False, True])
    def test_the_size_of_the_core_decides_the_construction(self, cohort, transductive, caplog):
        """Unused samples do not count."""
        split, features = SPLITS[0], Features(cohort, 4)
        size = 27 if transductive else 15
        exact = SETTINGS.model_copy(update={"transductive": transductive, "largest": size})
        beyond = exact.model_copy(update={"largest": size - 1})
        with caplog.at_level("INFO", logger="balmi"):
            found = [fuse_splits(features, [split], each)[0] for each in (exact, beyond)]
        unlimited = SETTINGS.model_copy(update={"transductive": transductive})
        reference = fuse_splits(features, [split], unlimited)[0]
        assert (found[0] != reference).nnz == 0
        assert (found[1] != reference).nnz > 0
        among = "test samples among them" if transductive else "no test sample among them"
        assert caplog.messages[:2] == [
            f"network 1 of 1: {size} samples, {among}; fused exactly, at most"
            f" advanced.graph.largest ({size})",
            f"network 1 of 1: {size} samples, {among}; fused on nearest neighbours, above"
            f" advanced.graph.largest ({size - 1})",
        ]
