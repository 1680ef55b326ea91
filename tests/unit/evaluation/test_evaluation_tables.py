"""Tables of scores and of paired differences."""

import numpy as np
import pandas as pd
import pytest

from balmi.data.cohort import Cohort
from balmi.data.files import write_json, write_table
from balmi.evaluation.evaluate import comparison_table, joined, performance_table, status_table
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval

FOLDS = 3
RATIO = 1 / (FOLDS - 1)


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    return Cohort(
        samples=np.array([f"s{i:02d}" for i in range(24)]),
        labels=np.tile([0, 1, 2], 8),
        classes=("ash", "birch", "cedar"),
        groups=None,
        values={"a": rng.normal(size=(24, 2))},
        features={"a": ("x", "y")},
        kinds={"a": "generic"},
        provenance={},
    )


@pytest.fixture
def predictions(cohort):
    """Three methods on two repeats of three folds, rows in no order."""
    rng = np.random.default_rng(1)
    tables = []
    for method in ("one", "two", "three"):
        for repeat in range(2):
            for fold, test in enumerate(np.array_split(rng.permutation(24), FOLDS)):
                values = rng.dirichlet(np.ones(3), len(test))
                columns = {f"p:{name}": values[:, k] for k, name in enumerate(cohort.classes)}
                head = {"sample": cohort.samples[test], "repeat": repeat, "fold": fold}
                tables.append(pd.DataFrame({**head, "method": method, **columns}))
    return pd.concat(tables, ignore_index=True).sample(frac=1, random_state=0)


def test_every_metric_of_every_method_and_fold(cohort, predictions):
    table = performance_table(predictions, cohort)
    assert list(table.columns) == ["method", "repeat", "fold", "metric", "value"]
    assert len(table) == 3 * 2 * FOLDS * len(METRICS)
    keys = ["method", "repeat", "fold", "metric"]
    assert not table.duplicated(keys).any()
    values = table.set_index(keys)["value"]
    rows = predictions[
        (predictions.method == "two") & (predictions.repeat == 1) & (predictions.fold == 2)
    ]
    label_of = dict(zip(cohort.samples, cohort.labels, strict=True))
    labels = np.array([label_of[name] for name in rows["sample"]])
    probabilities = rows[["p:ash", "p:birch", "p:cedar"]].to_numpy()
    for name, metric in METRICS.items():
        expected = metric(labels, probabilities)
        assert values["two", 1, 2, name] == pytest.approx(expected, abs=1e-12)


def test_order_of_rows_and_columns_does_not_matter(cohort, predictions):
    keys = ["method", "repeat", "fold", "metric"]
    moved = predictions.sample(frac=1, random_state=5)[predictions.columns[::-1]]
    tables = [
        performance_table(frame, cohort).sort_values(keys, ignore_index=True)
        for frame in (predictions, moved)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_no_predictions_give_empty_tables(cohort, predictions):
    table = performance_table(predictions[:0], cohort)
    assert table.empty
    assert list(table.columns) == ["method", "repeat", "fold", "metric", "value"]
    assert comparison_table(table, RATIO).empty


def scores(values):
    """Method -> scores of (repeat, fold) in order, as a table of one metric."""
    rows = [
        {"method": method, "repeat": i // FOLDS, "fold": i % FOLDS, "metric": "m", "value": value}
        for method, column in values.items()
        for i, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


ONE = np.array([0.8, 0.7, 0.9, 0.75, 0.85, 0.65])
TWO = np.array([0.7, 0.65, 0.8, 0.7, 0.7, 0.7])


def only(table, method, reference):
    found = table[(table.method == method) & (table.reference == reference)]
    assert len(found) == 1
    return found.iloc[0]


def test_differences_are_paired_and_corrected():
    row = only(comparison_table(scores({"one": ONE, "two": TWO}), RATIO), "one", "two")
    expected = corrected_interval(ONE - TWO, 1 / 2)  # two training folds to one test fold
    assert row["difference"] == pytest.approx(np.mean([0.1, 0.05, 0.1, 0.05, 0.15, -0.05]))
    assert tuple(row[["lower", "upper", "p"]]) == pytest.approx(
        (expected.lower, expected.upper, expected.p)
    )


def test_antisymmetric(cohort, predictions):
    table = comparison_table(performance_table(predictions, cohort), RATIO)
    assert len(table) == len(METRICS) * 3 * 2
    assert list(table.columns) == [
        *("method", "reference", "metric", "difference", "lower", "upper", "p")
    ]
    keys = ["method", "reference", "metric"]
    swapped = table.rename(columns={"method": "reference", "reference": "method"})
    both = table.merge(swapped, on=keys, suffixes=("", "_back"), validate="one_to_one")
    assert len(both) == len(table)
    assert both["difference"].to_numpy() == pytest.approx(-both["difference_back"].to_numpy())
    assert both["lower"].to_numpy() == pytest.approx(-both["upper_back"].to_numpy())
    assert both["p"].to_numpy() == pytest.approx(both["p_back"].to_numpy())


def test_pairs_by_fold_and_not_by_row():
    table = scores({"one": ONE, "two": TWO})
    first = only(comparison_table(table, RATIO), "one", "two")
    for seed in range(5):
        moved = comparison_table(table.sample(frac=1, random_state=seed), RATIO)
        again = only(moved, "one", "two")
        assert list(again[:3]) == list(first[:3])
        assert again[3:].astype(float).to_numpy() == pytest.approx(first[3:].astype(float))


def test_a_method_without_rows_is_not_compared():
    table = comparison_table(scores({"one": ONE, "two": TWO, "none": []}), RATIO)
    assert set(table["method"]) == {"one", "two"}
    assert comparison_table(scores({"one": ONE}), RATIO).empty


def test_a_method_that_lacks_a_fold_is_not_passed_over_in_silence():
    with pytest.raises(ValueError, match="different folds"):
        comparison_table(scores({"one": ONE, "two": TWO[:5]}), RATIO)


@pytest.mark.parametrize("methods", [("one",), ("one", "two")])
def test_a_metric_that_a_fold_leaves_undefined_has_no_comparison(methods, caplog):
    table = scores({"one": ONE, "two": TWO})
    first = (table["repeat"] == table["repeat"][0]) & (table["fold"] == table["fold"][0])
    table.loc[first & table["method"].isin(methods), "value"] = np.nan
    assert comparison_table(table, RATIO).empty
    assert "a fold has no value" in caplog.text


def test_status_table(tmp_path):
    files = [tmp_path / "b.json", tmp_path / "a.json"]
    for file, status in zip(files, ("ok", "failed"), strict=True):
        write_json(
            {"method": file.stem, "status": status, "reason": None, "device": "cpu", "seconds": 1},
            file,
        )
    table = status_table(files)
    assert list(table.columns) == ["method", "status", "reason", "device", "seconds"]
    assert list(table["method"]) == ["b", "a"]
    assert list(table["status"]) == ["ok", "failed"]


def test_joined_keeps_the_types_of_filled_tables(tmp_path):
    filled = pd.DataFrame({"sample": ["x", "y"], "fold": [0, 1]})
    tables = {"a": filled, "empty": filled[:0].astype(object), "b": filled}
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.parquet")
    result = joined([tmp_path / f"{name}.parquet" for name in tables])
    assert list(result["sample"]) == ["x", "y", "x", "y"]
    assert result["fold"].dtype == np.int64
    assert list(result.index) == [0, 1, 2, 3]
    assert joined([tmp_path / "empty.parquet"]).empty
