"""Whether it can be trusted, over how the checks ended."""

from itertools import product
from types import SimpleNamespace

import pandas as pd
import pytest

from balmi.evaluation.trust import DECISIVE, State
from balmi.report.conclusions.questions import MOST_WORDS
from balmi.report.conclusions.trust import absence_predicts, checked, trusted
from balmi.report.sections.performance.scores import Score
from balmi.report.sections.verdict.trust import trust_view

NAMES = (DECISIVE[0], "folds", "calibration")
ENDS = [ends for length in range(4) for ends in product(State, repeat=length)]


def viewed(ends):
    columns = ["check", "state", "value", "detail"]
    rows = [(name, str(state), None, "") for name, state in zip(NAMES, ends, strict=False)]
    return trust_view(pd.DataFrame(rows, columns=columns))


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("failed", [0, 1, 3])
def test_the_worst_state_decides_and_both_sentences_count_alike(ends, failed):
    view = viewed(ends)
    sentence, state = trusted(view, failed)
    order = (State.FAIL, State.CAUTION, State.NOT_RUN, State.PASS)
    assert state == next((each for each in order if each in ends), State.NOT_RUN)
    assert ("verdicts are withheld" in sentence) is (State.FAIL in ends[:1])
    assert sentence.startswith("All") is (bool(ends) and set(ends) == {State.PASS})
    assert ("failed" in sentence.rpartition(";")[2]) if failed else True
    assert len(sentence.split()) <= MOST_WORDS
    long = checked(view, ["a", "b", "c"][:failed])
    for each, count in view.counts.items():
        assert f"{count} {each}" in long
    assert long.endswith("failed.")
    assert ("no method failed" in long) is not failed


@pytest.mark.parametrize("predicts", [True, False])
def test_absence_is_said_to_predict_only_where_that_is_shown(predicts):
    score = Score(0.8, 0.7, 0.9, 25)
    told = absence_predicts(SimpleNamespace(predicts=predicts), score)
    assert (told is not None) is predicts
    if told is not None:
        assert "macro AUROC of 0.80 (0.70 to 0.90), where chance is .5." in told
