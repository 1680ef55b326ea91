"""Which folds shares and permuted labels are run in."""

import numpy as np
import pytest

from balmi.config.settings import Evaluation, Method, Robustness, Settings
from balmi.data.splits import as_splits, make_splits
from balmi.experiments.controls.run import run_control
from balmi.experiments.folds import folds_to_run
from balmi.experiments.shares.run import run_share

EVALUATION = Evaluation(repeats=3, folds=4)


def places(splits):
    return [(split.repeat, split.fold) for split in splits]


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.arange(80) % 2, {"rna": 4})


def test_a_cohort_is_run_in_all_folds_of_the_first_repeats(cohort):
    splits = as_splits(make_splits(cohort, EVALUATION), cohort)
    found = folds_to_run(splits, 80, Robustness(repeats=2, in_full_up_to=80))
    assert places(found) == [(repeat, fold) for repeat in range(2) for fold in range(4)]


def test_a_larger_cohort_is_run_in_three_folds_of_them(cohort):
    splits = as_splits(make_splits(cohort, EVALUATION), cohort)
    found = folds_to_run(splits, 81, Robustness(repeats=2, in_full_up_to=80))
    assert places(found) == [(repeat, fold) for repeat in range(2) for fold in range(3)]


@pytest.mark.parametrize(("most", "folds"), [(80, 4), (79, 3)])
def test_shares_and_permuted_labels_are_run_in_them_and_noise_in_all(cohort, most, folds):
    """Test samples are those of the same folds of the evaluation."""
    settings = Settings(evaluation=EVALUATION, robustness=Robustness(in_full_up_to=most))
    splits = as_splits(make_splits(cohort, settings.evaluation), cohort)
    methods = [Method.MAJORITY]
    runs = {
        "share": (run_share(0.5, methods, cohort, settings), folds),
        "labels": (run_control("labels", methods, cohort, splits, settings), folds),
        "leak": (run_control("leak", methods, cohort, splits, settings), 4),
    }
    for found, count in runs.values():
        tested = {cohort.samples[i] for split in splits[:count] for i in split.test}
        assert set(found.predictions["sample"]) == tested
        assert found.predictions["fold"].nunique() == count
        assert [each.status for each in found.statuses] == ["ok"]
