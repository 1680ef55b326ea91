"""Probes: which there are, and what they make of test samples."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Robustness
from balmi.data.splits import Split
from balmi.experiments.probes import alterations as module
from balmi.experiments.probes.alterations import (
    Altered,
    Probe,
    ProbeKind,
    alter,
    answers,
    empty_probes,
    held_out_side,
    joining_orders,
    probe_table,
    probes_of,
)
from balmi.information.shapley import coalitions
from balmi.preprocess.features import Features
from balmi.preprocess.fitted import Samples

SETTINGS = Robustness(noise=[0.5, 2], seed=4)
SPLIT = Split(1, 2, np.arange(16), np.arange(16, 20), np.arange(20, 30))


@pytest.fixture
def cohort(make_cohort):
    """Return a cohort of which test samples 20 lacks mirna and 21 lacks rna."""
    cohort = make_cohort(np.arange(30) % 3, {"rna": 4, "mirna": 3, "dna": 2})
    values = {name: table.copy() for name, table in cohort.tables.items()}
    values["mirna"][20] = values["rna"][21] = np.nan
    values["rna"][22, 1] = np.nan
    return replace(cohort, values=values)


def side_of(cohort, split=SPLIT, seed=4):
    features = Features(cohort, 3)
    return held_out_side(features, features.fit(split.fit), split, seed)


def same_but(samples, others, name):
    """Return whether samples are the same but for the features of one modality."""
    rest = [each for each in samples.features if each != name]
    same = all(np.array_equal(samples.features[each], others.features[each]) for each in rest)
    return same and np.array_equal(samples.available, others.available)


def subsets(found):
    return [each.modalities for each in found if each.kind is ProbeKind.SUBSET]


def test_probes_of_two_modalities():
    found = probes_of(["a", "b"], SETTINGS)
    noise = [(name, level) for name in "ab" for level in (0.5, 2)]
    assert found[:3] == [
        Probe(ProbeKind.SUBSET, each, found[0].level) for each in ((), ("a",), ("b",))
    ]
    assert [(each.modalities[0], each.level) for each in found[3:7]] == noise
    assert [each.modalities for each in found[7:]] == [("a",), ("b",)]
    assert {each.kind for each in found[7:]} == {ProbeKind.SHUFFLED}


def test_one_modality_alone_can_only_be_dropped_for_nothing():
    assert subsets(probes_of(["a"], SETTINGS)) == [()]


def test_up_to_five_modalities_all_subsets_are_probed():
    found = subsets(probes_of(list("abcde"), SETTINGS))
    assert len(found) == len(set(found)) == 2**5 - 1


@given(st.integers(6, 9), st.integers(0, 5))
def test_of_more_modalities_those_that_the_orders_need(count, seed):
    names, settings = list("abcdefghi"[:count]), Robustness(seed=seed)
    found = set(subsets(probes_of(names, settings)))
    needed = coalitions(joining_orders(count, settings))
    assert len(found) < 2**count - 1 or count < 8
    for part in needed - {frozenset(range(count))}:
        assert tuple(names[place] for place in sorted(part)) in found
    assert {(name,) for name in names} <= found
    assert {tuple(other for other in names if other != name) for name in names} <= found


def test_a_subset_makes_the_others_unavailable(cohort):
    found = alter(side_of(cohort), Probe(ProbeKind.SUBSET, ("mirna",)))
    samples, before = found.samples, side_of(cohort).samples
    assert not any(samples.features[name].any() for name in ("rna", "dna"))
    np.testing.assert_array_equal(samples.features["mirna"], before.features["mirna"])
    assert samples.available[:, 1].tolist() == [False] + [True] * 9
    assert not samples.available[:, [0, 2]].any()
    assert found.changed.all()
    kept = alter(side_of(cohort), Probe(ProbeKind.SUBSET, ("rna", "dna")))
    assert kept.changed.tolist() == [False] + [True] * 9


def test_noise_is_in_standard_deviations_of_the_training_side_before_scaling(cohort):
    side = side_of(cohort)
    has = side.samples.has("rna")
    found = alter(side, Probe(ProbeKind.NOISE, ("rna",), 2.0))
    draws = side.rng(ProbeKind.NOISE, "rna").standard_normal((9, 3))
    expected = np.zeros((10, 3))
    # In standard deviations of training the noise is the level itself.
    expected[has] = np.clip(side.samples.features["rna"][has] + 2 * draws, -10, 10)
    np.testing.assert_allclose(found.samples.features["rna"], expected, atol=1e-12)
    assert same_but(found.samples, side.samples, "rna")
    assert found.changed.tolist() == has.tolist()
    loud = alter(side, Probe(ProbeKind.NOISE, ("rna",), 1e6)).samples.features["rna"]
    assert np.abs(loud).max() == 10


def test_no_noise_changes_no_value(cohort):
    side = side_of(cohort)
    found = alter(side, Probe(ProbeKind.NOISE, ("rna",), 0.0)).samples.features["rna"]
    np.testing.assert_array_equal(found, side.samples.features["rna"])


def test_all_levels_share_their_noise_and_folds_do_not(cohort):
    side = side_of(cohort)
    clean = side.samples.features["dna"]

    def noise(side, level):
        noisy = alter(side, Probe(ProbeKind.NOISE, ("dna",), level)).samples
        return (noisy.features["dna"] - clean) / level

    np.testing.assert_allclose(noise(side, 0.5), noise(side, 2.0), atol=1e-10)
    for other in (replace(side, seed=5), replace(side, split=replace(SPLIT, repeat=0))):
        assert not np.allclose(noise(side, 0.5), noise(other, 0.5))


def test_shuffling_permutes_the_rows_of_samples_that_have_the_modality(cohort):
    side = side_of(cohort)
    found = alter(side, Probe(ProbeKind.SHUFFLED, ("mirna",)))
    before, has = side.samples.features["mirna"], side.samples.has("mirna")
    values = found.samples.features["mirna"]
    assert not np.array_equal(values, before)
    np.testing.assert_array_equal(np.sort(values[has], axis=0), np.sort(before[has], axis=0))
    assert sorted(map(tuple, values[has])) == sorted(map(tuple, before[has]))
    assert not values[~has].any()
    assert same_but(found.samples, side.samples, "mirna")


def test_only_changed_samples_that_have_something_left_are_asked_for(cohort):
    side = side_of(cohort)
    asked = [
        Probe(ProbeKind.SUBSET, ()),
        Probe(ProbeKind.SUBSET, ("mirna",)),
        Probe(ProbeKind.SHUFFLED, ("rna",)),
    ]
    altered = [alter(side, each) for each in asked]
    calls = []

    def predict(samples):
        """Say the place of every sample, so that places can be followed."""
        calls.append(samples)
        return np.repeat(100.0 + np.arange(len(samples))[:, None], 3, axis=1)

    original = np.repeat(np.arange(10.0)[:, None], 3, axis=1)
    prior = np.array([0.5, 0.3, 0.2])
    nothing, alone, shuffled = answers(predict, original, altered, prior)
    (samples,) = calls
    assert len(samples) == 0 + 9 + 9
    mirna = side.samples.features["mirna"]
    np.testing.assert_array_equal(samples.features["mirna"][:9], mirna[1:])
    assert not samples.features["rna"][:9].any()
    np.testing.assert_array_equal(nothing, np.tile(prior, (10, 1)))
    np.testing.assert_array_equal(alone[0], prior)  # sample 20 lacks mirna
    assert alone[1:, 0].tolist() == list(range(100, 109))
    assert shuffled[:, 0].tolist() == [109, 1, *range(110, 118)]  # sample 21 lacks rna


def test_nothing_is_asked_for_where_no_sample_is_changed():
    samples = Samples({"a": np.zeros((2, 1))}, np.ones((2, 1), dtype=bool))
    original = np.array([[0.2, 0.8], [0.6, 0.4]])
    altered = [Altered(samples, np.zeros(2, dtype=bool))]
    (found,) = answers(None, original, altered, np.array([0.5, 0.5]))
    np.testing.assert_array_equal(found, original)


class SaysAvailable:
    """Probabilities that tell which modalities a sample has, and of which fold it was asked."""

    def __init__(self, fold, side):
        self.fold = fold

    def predict(self, samples):
        return np.column_stack([samples.available, np.full(len(samples), self.fold)]).astype(float)


def test_the_table_of_probes(cohort, monkeypatch):
    cohort = replace(cohort, classes=("rna", "mirna", "dna", "fold"))
    features, other = Features(cohort, 3), replace(SPLIT, fold=0)
    found = probe_table("m", cohort, features, [SPLIT, other], SETTINGS, SaysAvailable)
    probes = probes_of(cohort.modalities, SETTINGS)
    assert len(found) == 2 * 10 * len(probes)
    assert list(found) == list(empty_probes(cohort.classes))
    assert found["level"].dtype == np.float64
    assert found["level"].notna().sum() == 2 * 10 * 3 * 2
    some = found[(found["modalities"] == "rna+dna") & (found["fold"] == 2)]
    assert some["sample"].tolist() == cohort.samples[20:].tolist()
    assert some["p:mirna"].sum() == 0
    assert some["p:rna"].sum() == 9
    assert set(found.loc[found["fold"] == 0].query("kind == 'noise'")["p:fold"]) == {1}
    # Parts of the probes give the same as all at once.
    monkeypatch.setattr(module, "LARGEST", 1)
    again = probe_table("m", cohort, features, [SPLIT, other], SETTINGS, SaysAvailable)
    assert again.equals(found)


def test_many_test_samples_are_made_worse_by_a_draw(cohort, monkeypatch):
    """Which is the same for every method; what a missing modality costs is asked of everyone."""
    cohort = replace(cohort, classes=("rna", "mirna", "dna", "fold"))
    features = Features(cohort, 3)
    monkeypatch.setattr(module, "FEWEST", 0)
    given = features, [SPLIT], SETTINGS, SaysAvailable
    whole = probe_table("m", cohort, *given)
    monkeypatch.setattr(module, "MADE_WORSE", 6)
    found = probe_table("m", cohort, *given)
    subset = whole["kind"] == "subset"
    assert found[found["kind"] == "subset"].equals(whole[subset].reset_index(drop=True))
    worse = found[found["kind"] != "subset"]
    assert set(worse["kind"]) == {"noise", "shuffled"}
    drawn = worse.groupby(["kind", "modalities", "level"], dropna=False)["sample"].agg(tuple)
    assert len(set(drawn)) == 1
    assert len(drawn.iloc[0]) == 6
    assert set(drawn.iloc[0]) < set(cohort.samples[20:])
    again = probe_table("n", cohort, *given)
    assert again["sample"].tolist() == found["sample"].tolist()
