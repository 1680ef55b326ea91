from dataclasses import replace

import numpy as np
import pytest

from balmi.evaluation.accepted import inputs
from balmi.evaluation.trust import State


@pytest.fixture
def warned(make_cohort):
    def make(*warnings):
        cohort = make_cohort(np.arange(6) % 2)
        return replace(cohort, provenance={"warnings": list(warnings)})

    return make


def test_files_without_a_warning_pass(warned, make_cohort):
    assert inputs(warned()).state is State.PASS
    assert inputs(make_cohort(np.arange(6) % 2)).state is State.PASS


def test_warnings_are_told_in_full(warned):
    found = inputs(warned("datasets.own.samples: labels.csv: 3 samples without a label; left out"))
    assert (found.state, found.value) == (State.CAUTION, "1 warning")
    assert "labels.csv: 3 samples without a label; left out." in found.detail


def test_many_warnings_are_counted(warned):
    found = inputs(warned("one", "two", "three", "four", "five"))
    assert found.value == "5 warnings"
    assert found.detail.endswith("one. two. three. And 2 more.")
