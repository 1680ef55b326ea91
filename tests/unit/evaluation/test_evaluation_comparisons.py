"""Paired differences, their interval, their p-values and their posterior."""

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.comparisons import comparison_table
from balmi.evaluation.evaluate import performance_table
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval, correlated_t_test, holm

FOLDS = 3
RATIO = 1 / (FOLDS - 1)
FOLLOWED = PrimaryMetric.MACRO_F1
ONE = np.array([0.8, 0.7, 0.9, 0.75, 0.85, 0.65])
TWO = np.array([0.7, 0.65, 0.8, 0.7, 0.7, 0.7])
POSTERIOR = ["worse", "equivalent", "better"]


def scores(values, metric="macro_f1"):
    """Method -> scores of (repeat, fold) in order, as a table of one metric."""
    rows = [
        {"method": method, "repeat": i // FOLDS, "fold": i % FOLDS, "metric": metric, "value": each}
        for method, column in values.items()
        for i, each in enumerate(column)
    ]
    return pd.DataFrame(rows)


def only(table, method, reference):
    found = table[(table.method == method) & (table.reference == reference)]
    assert len(found) == 1
    return found.iloc[0]


def test_differences_are_paired_and_corrected():
    row = only(comparison_table(scores({"one": ONE, "two": TWO}), RATIO, FOLLOWED), "one", "two")
    expected = corrected_interval(ONE - TWO, 1 / 2)  # two training folds to one test fold
    assert row["difference"] == pytest.approx(np.mean([0.1, 0.05, 0.1, 0.05, 0.15, -0.05]))
    assert tuple(row[["lower", "upper", "p"]]) == pytest.approx(
        (expected.lower, expected.upper, expected.p)
    )
    assert row["folds"] == 6


def test_antisymmetric(cohort, predictions):
    table = comparison_table(performance_table(predictions, cohort), RATIO, FOLLOWED)
    assert len(table) == len(METRICS) * 3 * 2
    keys = ["method", "reference", "metric"]
    swapped = table.rename(columns={"method": "reference", "reference": "method"})
    both = table.merge(swapped, on=keys, suffixes=("", "_back"), validate="one_to_one")
    assert len(both) == len(table)
    assert both["difference"].to_numpy() == pytest.approx(-both["difference_back"].to_numpy())
    assert both["lower"].to_numpy() == pytest.approx(-both["upper_back"].to_numpy())
    for name, back in {"p": "p", "worse": "better", "equivalent": "equivalent"}.items():
        assert both[name].to_numpy() == pytest.approx(both[f"{back}_back"].to_numpy())


def test_p_values_are_adjusted_over_the_references_of_a_method_and_metric(cohort, predictions):
    table = comparison_table(performance_table(predictions, cohort), RATIO, FOLLOWED)
    for _, part in table.groupby(["method", "metric"]):
        assert len(part) == 2
        assert part["p_holm"].to_numpy() == pytest.approx(holm(part["p"]))
    assert (table["p_holm"] > table["p"]).any()


@pytest.mark.parametrize("metric", METRICS)
def test_better_follows_the_direction_of_the_metric(metric):
    table = comparison_table(scores({"one": ONE, "two": TWO}, metric), RATIO, FOLLOWED)
    row = only(table, "one", "two")
    sign = 1 if METRICS[metric].more_is_better else -1
    expected = correlated_t_test(sign * (ONE - TWO), RATIO)
    assert row["difference"] > 0
    assert (row["better"] > row["worse"]) == METRICS[metric].more_is_better
    assert tuple(row[POSTERIOR]) == (expected.worse, expected.equivalent, expected.better)


def test_pairs_by_fold_and_not_by_row():
    table = scores({"one": ONE, "two": TWO})
    first = only(comparison_table(table, RATIO, FOLLOWED), "one", "two")
    for seed in range(5):
        moved = comparison_table(table.sample(frac=1, random_state=seed), RATIO, FOLLOWED)
        again = only(moved, "one", "two")
        assert list(again[:4]) == list(first[:4])
        assert again[4:].astype(float).to_numpy() == pytest.approx(first[4:].astype(float))


def test_a_method_without_rows_is_not_compared():
    table = comparison_table(scores({"one": ONE, "two": TWO, "none": []}), RATIO, FOLLOWED)
    assert set(table["method"]) == {"one", "two"}
    assert comparison_table(scores({"one": ONE}), RATIO, FOLLOWED).empty


def test_a_method_that_lacks_a_fold_is_not_passed_over_in_silence():
    with pytest.raises(ValueError, match="different folds"):
        comparison_table(scores({"one": ONE, "two": TWO[:5]}), RATIO, FOLLOWED)
    table = scores({"one": ONE, "two": TWO})
    elsewhere = (table["method"] == "two") & (table["repeat"] == 1)
    with pytest.raises(ValueError, match="different folds"):
        comparison_table(table.assign(repeat=table["repeat"] + elsewhere), RATIO, FOLLOWED)


def test_folds_in_which_either_has_no_value_do_not_count(caplog):
    table = scores({"one": ONE, "two": TWO, "three": TWO + 0.1})
    table.loc[[0, 7], "value"] = np.nan  # the first fold of `one`, the second of `two`
    found = comparison_table(table, RATIO, FOLLOWED)
    row = only(found, "one", "two")
    assert row["folds"] == 4
    expected = corrected_interval((ONE - TWO)[2:], RATIO)
    assert (row["difference"], row["lower"]) == pytest.approx((expected.mean, expected.lower))
    assert only(found, "three", "one")["folds"] == 5
    assert "macro_f1: undefined in 2 of 6 folds" in caplog.text


def test_a_single_fold_with_a_value_makes_no_comparison():
    table = scores({"one": ONE, "two": TWO})
    table.loc[1:5, "value"] = np.nan
    assert comparison_table(table, RATIO, FOLLOWED).empty


def test_references_with_the_same_scores_in_every_fold_count_once():
    other = ONE[::-1] - 0.02  # another p, and not a twin of anything
    table = scores({"one": ONE, "two": TWO, "twin": TWO, "other": other})
    rows = comparison_table(table, RATIO, FOLLOWED).query("method == 'one'").set_index("reference")
    assert rows.loc["two", "p_holm"] == rows.loc["twin", "p_holm"]
    smaller, larger = sorted(rows.loc[["two", "other"], "p"])
    assert sorted(rows.loc[["two", "other"], "p_holm"]) == pytest.approx(
        [min(1, 2 * smaller), max(min(1, 2 * smaller), larger)]
    )


def test_the_primary_comparison_and_its_twins_are_a_family_of_their_own():
    values = {"balanced": ONE, "unimodal-lr": TWO, "unimodal-lr/rna": TWO, "concat-lr": TWO - 0.02}
    rows = comparison_table(scores(values), RATIO, FOLLOWED).query("method == 'balanced'")
    rows = rows.set_index("reference")
    assert rows["p_holm"].to_numpy() == pytest.approx(rows["p"].to_numpy())
    values["late-fusion"] = ONE[::-1] - 0.02
    rows = comparison_table(scores(values), RATIO, FOLLOWED).query("method == 'balanced'")
    rows = rows.set_index("reference")
    assert rows.loc["unimodal-lr", "p_holm"] == rows.loc["unimodal-lr", "p"]
    secondary = rows.loc[["concat-lr", "late-fusion"]]
    assert secondary["p_holm"].to_numpy() == pytest.approx(holm(secondary["p"]))
    assert (secondary["p_holm"] > secondary["p"]).any()


@pytest.mark.parametrize("metric", PrimaryMetric)
def test_only_the_metric_that_is_followed_has_a_primary_comparison(metric):
    values = {"balanced": ONE, "unimodal-lr": TWO, "concat-lr": ONE[::-1] - 0.02}
    other = PrimaryMetric.MCC if metric == "accuracy" else PrimaryMetric.ACCURACY
    rows = comparison_table(scores(values, metric), RATIO, other).query("method == 'balanced'")
    assert rows["p_holm"].to_numpy() == pytest.approx(holm(rows["p"]))
    assert (rows["p_holm"] > rows["p"]).any()
    rows = comparison_table(scores(values, metric), RATIO, metric).query("method == 'balanced'")
    assert rows["p_holm"].to_numpy() == pytest.approx(rows["p"].to_numpy())
