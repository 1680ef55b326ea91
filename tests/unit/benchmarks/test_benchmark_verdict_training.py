"""Predictions of the benchmark of the verdict are kept, and made again where anything differs."""

from dataclasses import replace

import numpy as np
import pytest

import verdict_training
from balmi.config.settings import Evaluation, Method
from balmi.data.splits import as_splits, make_splits
from verdict_cohorts import simulated
from verdict_training import Run, kept, predicted


def run_of(method=Method.MAJORITY, folds=3, **changes):
    cohort = simulated(60, 1)
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=folds)), cohort)
    return replace(Run(method, cohort, splits, seed=1), **changes)


def shifted(cohort):
    return replace(cohort, values={name: table + 1 for name, table in cohort.tables.items()})


CHANGES = {
    "the method": run_of(Method.UNIMODAL_LR),
    "the seed": run_of(seed=2),
    "the folds": run_of(folds=4),
    "the values": run_of(cohort=shifted(run_of().cohort)),
    "the labels": run_of(cohort=replace(run_of().cohort, labels=run_of().cohort.labels[::-1])),
    "the groups": run_of(cohort=replace(run_of().cohort, groups=np.repeat(["a", "b"], 30))),
}


class TestKey:
    def test_it_is_the_same_for_the_same_run(self):
        assert run_of().key == run_of().key

    @pytest.mark.parametrize("change", CHANGES)
    def test_it_depends_on(self, change):
        assert CHANGES[change].key != run_of().key

    def test_it_depends_on_the_code(self, monkeypatch):
        before = run_of().key
        monkeypatch.setattr(verdict_training, "code_hash", lambda script: f"other {script.name}")
        assert run_of().key != before

    def test_a_name_changes_no_prediction(self):
        assert run_of(name="another").key == run_of().key


class TestKept:
    def test_what_is_kept_is_not_trained_again(self, tmp_path, monkeypatch):
        first, seconds = kept(run_of(), tmp_path)
        monkeypatch.setattr(verdict_training, "predicted", None)
        again, same = kept(run_of(), tmp_path)
        assert first.equals(again)
        assert seconds == same

    def test_predictions_are_those_of_the_pipeline_under_the_name_asked_for(self, tmp_path):
        table, _ = kept(run_of(name="another"), tmp_path)
        assert set(table["method"]) == {"another"}
        assert table.assign(method="majority").equals(predicted(run_of()))

    def test_a_method_that_does_not_end_well_is_an_error(self):
        single = replace(run_of(), cohort=replace(run_of().cohort, labels=np.arange(60) % 3))
        tiny = replace(single.cohort, labels=np.r_[0, np.ones(59, dtype=int)])
        with pytest.raises(RuntimeError, match="did not end well"):
            predicted(replace(single, method=Method.UNIMODAL_LR, cohort=tiny))
