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
    FoldSide,
    Probe,
    ProbeKind,
    alter,
    assembled,
    empty_probes,
    extended,
    joining_orders,
    probe_table,
    probes_of,
)
from balmi.information.shapley import coalitions
from balmi.methods.peers.run import fold_task
from balmi.preprocess.pipeline import Features

SETTINGS = Robustness(noise=[0.5, 2], seed=4)
SPLIT = Split(1, 2, np.arange(16), np.arange(16, 20), np.arange(20, 30))


@pytest.fixture
def cohort(make_cohort):
    """Return a cohort of which test samples 20 lacks mirna and 21 lacks rna."""
    cohort = make_cohort(np.arange(30) % 3, {"rna": 4, "mirna": 3, "dna": 2})
    values = {name: table.copy() for name, table in cohort.values.items()}
    values["mirna"][20] = values["rna"][21] = np.nan
    values["rna"][22, 1] = np.nan
    return replace(cohort, values=values)


def side_of(cohort, split=SPLIT, seed=4):
    features = Features(cohort, 3)
    fitted = {name: features.fitted(name, split.fit) for name in cohort.modalities}
    return FoldSide(split, fitted, features.available[split.test], seed)


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
    assert set(found.features) == {"rna", "dna"}
    assert not any(values.any() for values in found.features.values())
    assert found.available[:, 1].tolist() == [False] + [True] * 9
    assert not found.available[:, [0, 2]].any()
    assert found.changed.all()
    kept = alter(side_of(cohort), Probe(ProbeKind.SUBSET, ("rna", "dna")))
    assert kept.changed.tolist() == [False] + [True] * 9


def test_noise_is_in_standard_deviations_of_the_training_side_before_scaling(cohort):
    side = side_of(cohort)
    own, has = side.fitted["rna"], side.has("rna")
    found = alter(side, Probe(ProbeKind.NOISE, ("rna",), 2.0))
    draws = side.rng(ProbeKind.NOISE, "rna").standard_normal((9, 3))
    expected = np.zeros((10, 3))
    # In standard deviations of training the noise is the level itself.
    expected[has] = np.clip(own.prepared()[SPLIT.test[has]] + 2 * draws, -10, 10)
    np.testing.assert_allclose(found.features["rna"], expected, atol=1e-12)
    assert list(found.features) == ["rna"]
    assert found.changed.tolist() == has.tolist()
    assert np.abs(alter(side, Probe(ProbeKind.NOISE, ("rna",), 1e6)).features["rna"]).max() == 10


def test_no_noise_changes_no_value(cohort):
    side = side_of(cohort)
    found = alter(side, Probe(ProbeKind.NOISE, ("rna",), 0.0)).features["rna"]
    np.testing.assert_array_equal(found, side.fitted["rna"].prepared()[SPLIT.test])


def test_all_levels_share_their_noise_and_folds_do_not(cohort):
    side = side_of(cohort)
    clean = side.fitted["dna"].prepared()[SPLIT.test]

    def noise(side, level):
        return (
            alter(side, Probe(ProbeKind.NOISE, ("dna",), level)).features["dna"] - clean
        ) / level

    np.testing.assert_allclose(noise(side, 0.5), noise(side, 2.0), atol=1e-10)
    for other in (replace(side, seed=5), replace(side, split=replace(SPLIT, repeat=0))):
        assert not np.allclose(noise(side, 0.5), noise(other, 0.5))


def test_shuffling_permutes_the_rows_of_samples_that_have_the_modality(cohort):
    side = side_of(cohort)
    found = alter(side, Probe(ProbeKind.SHUFFLED, ("mirna",)))
    before, has = side.fitted["mirna"].prepared()[SPLIT.test], side.has("mirna")
    values = found.features["mirna"]
    assert not np.array_equal(values, before)
    np.testing.assert_array_equal(np.sort(values[has], axis=0), np.sort(before[has], axis=0))
    assert sorted(map(tuple, values[has])) == sorted(map(tuple, before[has]))
    assert not values[~has].any()
    assert np.array_equal(found.available, side.available)


def test_only_changed_samples_that_have_something_left_are_appended(cohort):
    side, task = side_of(cohort), fold_task(cohort, Features(cohort, 3), SPLIT)
    asked = [
        Probe(ProbeKind.SUBSET, ()),
        Probe(ProbeKind.SUBSET, ("mirna",)),
        Probe(ProbeKind.SHUFFLED, ("rna",)),
    ]
    altered = [alter(side, each) for each in asked]
    found = extended(task, altered)
    assert len(found.labels) == 30 + 0 + 9 + 9
    assert found.test.tolist() == [*range(20, 30), *range(30, 48)]
    rows = [*range(21, 30), 20, *range(22, 30)]
    np.testing.assert_array_equal(found.labels[30:], cohort.labels[rows])
    np.testing.assert_array_equal(found.features["mirna"][30:39], task.features["mirna"][21:30])
    assert not found.features["rna"][30:39].any()
    np.testing.assert_array_equal(found.available[:30], task.available)
    assert found.groups is None
    # Every sample says its own place, so that places can be followed.
    said = np.repeat(found.test[:, None].astype(float), 3, axis=1)
    nothing, alone, shuffled = assembled(task, altered, said)
    np.testing.assert_array_equal(nothing, np.tile(task.prior, (10, 1)))
    np.testing.assert_array_equal(alone[0], task.prior)  # sample 20 lacks mirna
    assert alone[1:, 0].tolist() == list(range(30, 39))
    assert shuffled[:, 0].tolist() == [39, 21, *range(40, 48)]  # sample 21 lacks rna


def says_available(fold, task):
    """Return probabilities that tell which modalities a sample has, and of which fold."""
    return np.column_stack([task.available[task.test], np.full(len(task.test), fold)]).astype(float)


def test_the_table_of_probes(cohort, monkeypatch):
    cohort = replace(cohort, classes=("rna", "mirna", "dna", "fold"))
    features, other = Features(cohort, 3), replace(SPLIT, fold=0)
    found = probe_table("m", cohort, features, [SPLIT, other], SETTINGS, says_available)
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
    again = probe_table("m", cohort, features, [SPLIT, other], SETTINGS, says_available)
    assert again.equals(found)
