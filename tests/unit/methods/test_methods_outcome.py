import json
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest

from balmi.data.splits import Split
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.methods.deciding import Rule, Said
from balmi.methods.outcome import (
    Result,
    Status,
    attempt,
    empty_predictions,
    prediction_table,
    read_status,
    write_outcome,
)
from balmi.tables.contract import TABLES

BUSY = """
import time
end = time.thread_time() + 0.2
while time.thread_time() < end:
    pass
"""


def predictions() -> pd.DataFrame:
    row = {"sample": "s1", "repeat": 0, "fold": 1, "method": "m", "predicted": "b"}
    return pd.DataFrame([row | {"prior_power": 0.0, "p:a": 0.25, "p:b": 0.75}])


def test_a_method_that_runs_is_ok():
    result = Result(predictions())
    status, found = attempt("m", lambda: result, Result.none(["a", "b"]), "cuda")
    assert found is result
    assert (status.method, status.status, status.reason, status.device) == ("m", "ok", None, "cuda")
    assert status.seconds >= 0


def test_time_of_the_processor_is_that_of_threads_and_child_processes_and_not_of_waiting():
    def by_a_child():
        subprocess.run([sys.executable, "-c", BUSY], check=True)

    def by_a_thread():
        thread = threading.Thread(target=exec, args=(BUSY, {}))
        thread.start()
        thread.join()

    spent = [attempt("m", work, None)[0] for work in (by_a_child, by_a_thread)]
    waited, _ = attempt("m", lambda: time.sleep(0.4), None)
    assert all(0.15 < status.processor_seconds < 0.2 + status.seconds for status in spent)
    assert waited.seconds >= 0.4
    assert waited.processor_seconds < 0.2


def test_costs_of_other_work_are_added_and_unknown_ones_make_the_sum_unknown():
    one, two = (Status("m", "ok", None, "cpu", *costs) for costs in ((1.0, 2.0), (0.5, 0.25)))
    assert one.with_cost_of([two, two]) == Status("m", "ok", None, "cpu", 2.0, 2.5)
    old = Status("m", "ok", None, "cpu", 4.0)
    assert one.with_cost_of([old]) == Status("m", "ok", None, "cpu", 5.0, None)
    assert one.with_cost_of(iter([])) == one
    assert one.with_cost_of(iter([two, two])) == one.with_cost_of([two, two])


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (MethodNotApplicable("a class has 1 member"), "not_applicable"),
        (MethodFailed("the loss is not finite"), "failed"),
    ],
)
def test_a_method_that_does_not_run_leaves_its_reason_and_no_rows(error, state):
    def fit():
        raise error

    status, result = attempt("m", fit, Result.none(["a", "b"]))
    assert (status.status, status.reason) == (state, str(error))
    assert result.predictions.empty
    assert list(result.predictions) == [*TABLES["predictions"].names, "p:a", "p:b"]
    assert result.training.empty
    assert result.experts.empty


def test_a_programming_error_is_no_outcome():
    def fit():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt("m", fit, Result.none(["a", "b"]))


@pytest.mark.parametrize("reason", [None, "macro-F1 of 0 – ‘ß’"])
def test_status_is_read_as_it_was_written(tmp_path, reason):
    status = Status("m", "failed", reason, None, 1.25)
    result = Result(predictions())
    names = "p.parquet", "s.json", "t.parquet", "e.csv"
    files = [tmp_path / name for name in names]
    write_outcome(status, result, *files)
    assert read_status(files[1]) == status
    pd.testing.assert_frame_equal(pd.read_parquet(files[0]), result.predictions)
    assert list(pd.read_parquet(files[2])) == list(TABLES["training"].names)
    assert list(pd.read_csv(files[3])) == list(TABLES["experts"].names)


def test_peers_write_no_history_and_no_experts(tmp_path):
    write_outcome(
        Status("m", "ok", None, "cpu", 0.0),
        Result(predictions()),
        tmp_path / "p.parquet",
        tmp_path / "s.json",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.parquet", "s.json"]


def test_a_status_without_a_number_is_refused(tmp_path):
    status = Status("m", "ok", None, "cpu", float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        write_outcome(status, Result(predictions()), tmp_path / "p.parquet", tmp_path / "s.json")
    assert not (tmp_path / "s.json").exists()


def test_status_is_plain_json(tmp_path):
    write_outcome(
        Status("m", "ok", None, "cpu", 2.0, 1.5),
        Result(predictions()),
        tmp_path / "p.parquet",
        tmp_path / "s.json",
    )
    content = json.loads((tmp_path / "s.json").read_text())
    assert content == {
        "method": "m",
        "status": "ok",
        "reason": None,
        "device": "cpu",
        "seconds": 2.0,
        "processor_seconds": 1.5,
        "format": 1,
    }


def test_empty_tables_join_with_full_ones_without_changing_types():
    full = predictions()
    both = pd.concat([empty_predictions(["a", "b"]), full], ignore_index=True)
    assert both["repeat"].dtype == np.int64
    assert both["p:a"].dtype == np.float64
    assert TABLES["training"].empty()["epoch"].dtype == np.int64
    assert TABLES["experts"].empty()["weight"].dtype == np.float64


def test_prediction_table_names_samples_and_classes(make_cohort):
    cohort = make_cohort(np.array([0, 1, 0, 1]))
    split = Split(2, 1, np.array([0]), np.array([1]), np.array([2, 3]))
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    said = Said(probabilities, Rule(0.5, np.array([0.95, 0.05])))
    table = prediction_table("m", split, said, cohort)
    assert table.to_dict("list") == {
        "sample": ["s0002", "s0003"],
        "repeat": [2, 2],
        "fold": [1, 1],
        "method": ["m", "m"],
        "predicted": ["a", "b"],
        "prior_power": [0.5, 0.5],
        "p:a": [0.9, 0.2],
        "p:b": [0.1, 0.8],
    }
