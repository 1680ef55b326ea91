"""Association of absence with the class: by hand, by level, and in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from balmi.evaluation.absence import (
    NOBODY,
    absence_finding,
    absence_table,
    chi_square,
    cramers_v,
    permutation_p,
)
from balmi.evaluation.statistics import holm
from balmi.evaluation.trust import State

NO_PREDICTIONS = pd.DataFrame({"method": []})


def lacking(make_cohort, labels, **who):
    """Return a cohort whose modalities some samples lack: modality -> which."""
    cohort = make_cohort(np.asarray(labels), dict.fromkeys([*who, "always"], 3))
    values = {name: table.copy() for name, table in cohort.tables.items()}
    for name, without in who.items():
        values[name][np.asarray(without)] = np.nan
    return replace(cohort, values=values)


def test_chi_square_is_scipys():
    table = np.array([[10, 4, 7], [3, 12, 6]])
    assert chi_square(table) == pytest.approx(chi2_contingency(table, correction=False).statistic)
    assert chi_square(np.stack([table, table])).shape == (2,)


def test_cramers_v_by_hand():
    """Chi-square of [[30, 10], [10, 30]] is 20: phi^2 is 1/4 - 1/79, and the sizes 2 - 1/79."""
    expected = np.sqrt((1 / 4 - 1 / 79) / (2 - 1 / 79 - 1))
    table = np.array([[30, 10], [10, 30]])
    assert cramers_v(table) == pytest.approx(expected)
    assert cramers_v(table) < association(table, correction=False)
    assert cramers_v(np.array([[20, 20], [20, 20]])) == 0


def test_a_permutation_p_is_small_where_absence_is_the_class_and_even_otherwise():
    assert permutation_p(np.array([[20, 0], [0, 20]]), 0) == pytest.approx(1 / 10_000)
    assert permutation_p(np.array([[10, 10], [10, 10]]), 0) == 1
    rng = np.random.default_rng(0)
    tables = [np.histogram2d(*rng.integers(0, 2, (2, 60)), bins=2)[0] for _ in range(300)]
    found = [permutation_p(table.astype(int), 1, permutations=199) for table in tables]
    assert np.mean(np.array(found) <= 0.05) <= 0.08
    assert np.mean(np.array(found) <= 0.5) > 0.3


def test_a_row_per_modality_that_some_lack_and_one_of_the_pattern(make_cohort):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    cohort = lacking(make_cohort, labels, rna=labels == 1, protein=rng.random(90) < 0.3)
    table = absence_table(cohort).set_index(pd.Index(["rna", "protein", "pattern"]))
    assert table["modality"].iloc[:2].tolist() == ["rna", "protein"]
    assert pd.isna(table.loc["pattern", "modality"])
    assert table.loc["rna", "lacking"] == 30
    assert table.loc["rna", "cramers_v"] > 0.9
    assert table.loc["protein", "p"] > 0.05
    assert table["p_holm"].to_numpy() == pytest.approx(holm(table["p"]))
    assert absence_finding(table, NO_PREDICTIONS, cohort).state == State.CAUTION
    told = absence_finding(table.loc[["pattern"]], NO_PREDICTIONS, cohort).value
    lacking_any = int((~cohort.available.all(axis=1)).sum())
    assert told.startswith("the whole pattern:")
    assert told.endswith(f"{lacking_any} samples lack something")


def test_one_modality_that_some_lack_is_the_pattern(make_cohort):
    cohort = lacking(make_cohort, np.arange(60) % 2, rna=np.arange(60) < 20)
    assert len(absence_table(cohort)) == 1


def test_a_cohort_without_absence_passes(make_cohort):
    cohort = make_cohort(np.arange(30) % 3)
    table = absence_table(cohort)
    assert table.empty
    found = absence_finding(table, NO_PREDICTIONS, cohort)
    assert (found.state, found.value) == (State.PASS, NOBODY)


def test_absence_at_random_passes_with_what_was_measured(make_cohort):
    rng = np.random.default_rng(3)
    cohort = lacking(make_cohort, np.arange(90) % 3, rna=rng.random(90) < 0.3)
    found = absence_finding(absence_table(cohort), NO_PREDICTIONS, cohort)
    assert found.state == State.PASS
    assert "rna: Cramer's V" in found.value


def absence_predictions(cohort, signal, repeats=1):
    """Return what `absence-lr` says in five folds, the same of every repeat."""
    rng, count = np.random.default_rng(3), len(cohort.samples)
    second = np.where(cohort.labels == 1, signal, -signal) + rng.normal(0, 0.1, count)
    once = pd.DataFrame(
        {
            "method": "absence-lr",
            "sample": cohort.samples,
            "fold": np.arange(count) // 2 % 5,
            "predicted": np.array(cohort.classes)[(second > 0).astype(int)],
            "p:a": 0.5 - second,
            "p:b": 0.5 + second,
        }
    )
    return pd.concat([once.assign(repeat=repeat) for repeat in range(repeats)])


@pytest.fixture
def at_random(make_cohort):
    rng = np.random.default_rng(3)
    return lacking(make_cohort, np.arange(90) % 2, rna=rng.random(90) < 0.3)


@pytest.mark.parametrize(("signal", "state"), [(0.3, State.CAUTION), (0.0, State.PASS)])
def test_what_absence_predicts_counts_where_permutations_show_nothing(at_random, signal, state):
    predictions = absence_predictions(at_random, signal)
    found = absence_finding(absence_table(at_random), predictions, at_random)
    assert found.state == state
    assert found.detail.startswith("Who has which modality predicts") is (state is State.CAUTION)
    assert ("macro AUROC of 1.000 (" in found.value) is (state is State.CAUTION)
    assert "Cramer's V" in (found.detail if state is State.CAUTION else found.value)


@pytest.mark.parametrize("signal", [0.02, 0.04, 0.06])
def test_test_sets_that_repeat_are_no_further_evidence_of_absence(at_random, signal):
    table = absence_table(at_random)
    once, often = (
        absence_finding(table, absence_predictions(at_random, signal, repeats), at_random)
        for repeats in (1, 4)
    )
    assert once == often


def test_a_weak_association_in_one_class_is_found(make_cohort):
    rng = np.random.default_rng(4)
    labels = np.arange(150) % 3
    cohort = lacking(make_cohort, labels, rna=rng.random(150) < np.where(labels == 2, 0.8, 0.25))
    table = absence_table(cohort)
    assert table["p_holm"].iloc[0] < 0.01
    assert "rna" in absence_finding(table, NO_PREDICTIONS, cohort).value
