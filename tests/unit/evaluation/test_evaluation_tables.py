"""Scores per fold, how methods ended, and all tables together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluated import evaluated

from balmi.config.methods import CALLED_FOR
from balmi.config.settings import PrimaryMetric
from balmi.data.files import read_table, write_json, write_table
from balmi.evaluation.classes import class_performance_table
from balmi.evaluation.evaluate import joined, performance_table, status_table
from balmi.evaluation.held_out import DECIDED, as_followed
from balmi.evaluation.metrics import CLASS_METRICS, METRICS, by_class
from balmi.tables.contract import TABLES

KEYS = ["method", "repeat", "fold", "metric"]


def of(predictions, cohort, method, repeat, fold):
    """Return true classes and probabilities of a method's fold."""
    found = (predictions.method == method) & (predictions.repeat == repeat)
    rows = predictions[found & (predictions.fold == fold)]
    label_of = dict(zip(cohort.samples, cohort.labels, strict=True))
    labels = np.array([label_of[name] for name in rows["sample"]])
    return labels, rows[["p:a", "p:b", "p:c"]].to_numpy()


def test_every_metric_of_every_method_and_fold(cohort, predictions):
    table = performance_table(predictions, cohort)
    assert list(table.columns) == [*KEYS, "value"]
    assert len(table) == 3 * 2 * 3 * len(METRICS)
    assert not table.duplicated(KEYS).any()
    values = table.set_index(KEYS)["value"]
    samples = of(predictions, cohort, "two", 1, 2)
    for name, metric in METRICS.items():
        assert values["two", 1, 2, name] == pytest.approx(metric(*samples), abs=1e-12)


def test_every_metric_of_every_class(cohort, predictions):
    table = class_performance_table(predictions, cohort)
    assert list(table.columns) == ["method", "repeat", "fold", "class", "metric", "value"]
    assert len(table) == 3 * 2 * 3 * 3 * len(CLASS_METRICS)
    assert not table.duplicated([*KEYS, "class"]).any()
    values = table.set_index([*KEYS, "class"])["value"]
    samples = of(predictions, cohort, "three", 0, 1)
    for name in CLASS_METRICS:
        found = [values["three", 0, 1, name, letter] for letter in "abc"]
        assert found == pytest.approx(by_class(name, *samples), nan_ok=True)


@pytest.mark.parametrize("make", [performance_table, class_performance_table])
def test_order_of_rows_and_columns_does_not_matter(make, cohort, predictions):
    moved = predictions.sample(frac=1, random_state=5)[predictions.columns[::-1]]
    tables = [make(frame, cohort) for frame in (predictions, moved)]
    keys = [name for name in tables[0] if name != "value"]
    pd.testing.assert_frame_equal(*(table.sort_values(keys, ignore_index=True) for table in tables))


def test_no_predictions_give_tables_with_columns_and_no_rows(cohort, predictions):
    whole = evaluated(predictions, cohort)
    # A cohort of which every method fails leaves no fold, and so no ratio of their sizes.
    empty = evaluated(predictions[:0], cohort)
    assert list(empty) == list(whole)
    for name, table in empty.items():
        assert table.empty
        assert list(table.columns) == list(whole[name].columns)


def test_the_tables_follow_their_contract(cohort, predictions):
    for name, table in evaluated(predictions, cohort).items():
        assert list(table.columns) == list(TABLES[name].empty(cohort.modalities))
        TABLES[name].check(table)


def test_one_fold_and_one_method_have_scores_but_nothing_to_compare(cohort, predicted):
    rng = np.random.default_rng(0)
    tested = predicted(cohort, "one", 0, rng.dirichlet(np.ones(3), 10), rows=slice(10))
    tables = evaluated(tested, cohort)
    assert tables["comparisons"].empty
    assert tables["performance"]["value"].notna().all()
    assert tables["summary"][["lower", "upper"]].isna().all(axis=None)
    assert set(tables["summary"]["folds"]) == {1}


def test_folds_of_one_class_leave_holes_and_no_warning(cohort, predicted):
    """Every group its own class, each left out once: nothing can be ranked in any fold."""
    rng = np.random.default_rng(0)
    tested = pd.concat(
        predicted(cohort, method, cohort.labels, rng.dirichlet(np.ones(3), 24))
        for method in ("one", "two")
    )
    tables = evaluated(tested, cohort)
    undefined = {"macro_auroc", "macro_auprc", "mcc"}
    assert set(tables["comparisons"]["metric"]) == set(METRICS) - undefined
    summary = tables["summary"].set_index(["method", "metric"])
    whole = summary[summary["class"].isna()]
    assert whole.loc[("one", "mcc"), "folds"] == 0
    assert np.isnan(whole.loc[("one", "mcc"), "mean"])
    assert whole.loc[("one", "accuracy"), "folds"] == 3
    # Pooled over the folds of the repeat, every class has a rest to be told from.
    assert len(tables["curves"]) == 2 * 3 * 2 * 51


def test_class_names_that_look_like_numbers_or_empty_cells_survive(tmp_path):
    table = pd.DataFrame({"class": ["1", "NA", None], "metric": "f1", "mean": 0.5})
    write_table(table, tmp_path / "summary.csv")
    found = read_table(tmp_path / "summary.csv")["class"]
    assert found[:2].tolist() == ["1", "NA"]
    assert found.isna().tolist() == [False, False, True]


def test_status_table(tmp_path):
    files = [tmp_path / "b.json", tmp_path / "a.json"]
    for file, status in zip(files, ("ok", "failed"), strict=True):
        write_json(
            {"method": file.stem, "status": status, "reason": None, "device": "cpu", "seconds": 1},
            file,
        )
    table = status_table(files)
    costs = ["seconds", "processor_seconds"]
    assert list(table.columns) == ["method", "status", "reason", "device", *costs]
    assert table["processor_seconds"].isna().all()  # 0.2.0 wrote none
    assert list(table["method"]) == ["b", "a"]
    assert list(table["status"]) == ["ok", "failed"]


def test_joined_keeps_the_types_of_filled_tables(tmp_path):
    filled = pd.DataFrame({"sample": ["x", "y"], "repeat": 0, "fold": [0, 1], "method": "m"})
    tables = {"a": filled, "empty": filled[:0].astype(object), "b": filled}
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.parquet")
    result = joined([tmp_path / f"{name}.parquet" for name in tables], "predictions")
    assert list(result["sample"]) == ["x", "y", "x", "y"]
    assert result["fold"].dtype == np.int64
    assert list(result.index) == [0, 1, 2, 3]
    assert joined([tmp_path / "empty.parquet"], "predictions").empty


class TestAsFollowed:
    def table(self, predictions):
        return predictions.assign(predicted="a", prior_power=1.0)

    def test_accuracy_asks_for_the_most_probable_class(self, predictions, cohort):
        found = as_followed(self.table(predictions), cohort, PrimaryMetric.ACCURACY)
        columns = [f"p:{name}" for name in cohort.classes]
        expected = np.array(cohort.classes)[predictions[columns].to_numpy().argmax(axis=1)]
        assert found["predicted"].tolist() == expected.tolist()
        assert (found["prior_power"] == 0).all()

    def test_other_metrics_leave_the_rule(self, predictions, cohort):
        table = self.table(predictions)
        assert as_followed(table, cohort, PrimaryMetric.MACRO_F1) is table

    def test_balanced_accuracy_asks_the_pools_for_classes_as_if_all_were_as_frequent(
        self, predictions, cohort
    ):
        names = {"one": "pooled", "two": "unimodal-pooled/rna", "three": "stacked-lr"}
        table = self.table(predictions).replace({"method": names})
        found = as_followed(table, cohort, PrimaryMetric.BALANCED_ACCURACY)
        assert found.drop(columns=["predicted", "prior_power"]).equals(
            table.drop(columns=["predicted", "prior_power"])
        )
        other = found["method"] == "stacked-lr"
        assert found[other].equals(table[other])
        columns = [f"p:{name}" for name in cohort.classes]
        for (_, _, _), part in found[~other].groupby(["method", "repeat", "fold"]):
            tested = cohort.positions(part["sample"])
            counts = np.bincount(np.delete(cohort.labels, tested), minlength=3) + 0.5
            expected = (part[columns].to_numpy() / counts).argmax(axis=1)
            assert part["predicted"].tolist() == np.array(cohort.classes)[expected].tolist()
            assert (part["prior_power"] == 1).all()

    def test_no_label_of_a_test_sample_decides_on_a_class(self, predictions, cohort):
        table = predictions[predictions["repeat"] == 0].assign(method="pooled")
        table = table.drop_duplicates("sample")
        garbled = cohort.labels.copy()
        first = cohort.positions(table.loc[table["fold"] == 0, "sample"])
        garbled[first] = (garbled[first] + 1) % 3
        found = [
            as_followed(table, each, PrimaryMetric.BALANCED_ACCURACY)
            for each in (cohort, replace(cohort, labels=garbled))
        ]
        same = table["fold"] == 0
        assert found[0][same].equals(found[1][same])

    def test_tables_that_do_not_tell_are_decided_on_all_the_same(self, predictions, cohort):
        found = as_followed(predictions, cohort, PrimaryMetric.BALANCED_ACCURACY)
        columns = [f"p:{name}" for name in cohort.classes]
        expected = np.array(cohort.classes)[predictions[columns].to_numpy().argmax(axis=1)]
        assert found["predicted"].tolist() == expected.tolist()
        assert (found["prior_power"] == 0).all()

    def test_metrics_with_a_rule_of_their_own_are_those_that_a_final_model_depends_on(self):
        assert set(DECIDED) == set(CALLED_FOR)

    def test_scores_are_those_of_the_classes_decided_on(self, predictions, cohort):
        found = performance_table(self.table(predictions), cohort)
        accuracy = found[found["metric"] == "accuracy"].set_index(["method", "repeat", "fold"])
        for head, part in predictions.groupby(["method", "repeat", "fold"]):
            share = (cohort.labels[cohort.positions(part["sample"])] == 0).mean()
            assert accuracy.loc[head, "value"] == pytest.approx(share)
        older = performance_table(predictions, cohort)
        same = found["metric"].isin(["log_loss", "brier", "ece", "macro_auroc", "macro_auprc"])
        pd.testing.assert_frame_equal(found[same], older[same])
