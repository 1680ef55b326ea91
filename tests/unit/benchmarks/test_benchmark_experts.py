"""Regret against simple methods, by hand."""

import numpy as np
import pandas as pd
import pytest

import experts
from balmi.evaluation.metrics import calibration_gaps, ece

PEERS = [str(peer) for peer in experts.PEERS]


def rows(cohort, metric, **scores):
    """Return scores of five repeats of two folds; a list has one score per repeat."""
    made = []
    for method in ("pooled", *PEERS):
        values = scores.get(method.replace("-", "_"), scores["others"])
        for repeat in range(5):
            for fold in range(2):
                value = values[repeat] + 0.001 * fold
                head = {"cohort": cohort, "samples": 90, "rarest": 25, "repeat": repeat}
                cells = {"fold": fold, "method": method, "metric": metric, "value": value}
                made.append(head | cells | {"code": "x"})
    return made


@pytest.fixture
def found():
    """Late fusion is best on repeats 1 and 2, the forest on the others and in all."""
    f1 = rows(
        "a",
        "macro_f1",
        pooled=[0.7] * 5,
        late_fusion=[0.8, 0.8, 0.6, 0.6, 0.6],
        concat_forest=[0.75, 0.7, 0.75, 0.8, 0.7],
        others=[0.5] * 5,
    )
    loss = rows("a", "log_loss", pooled=[0.4] * 5, stacked_lr=[0.3] * 5, others=[0.6] * 5)
    return pd.DataFrame(f1 + loss)


def test_the_method_is_chosen_on_two_repeats_and_judged_on_the_others(found):
    (row,) = experts.regrets(found, "macro_f1").to_dict("records")
    assert row["chosen"] == "late-fusion"
    assert row["regret"] == pytest.approx(0.6 - 0.7)
    assert row["best"] == "concat-forest"
    assert row["hindsight"] == pytest.approx(0.74 - 0.7)
    assert row["own"] == pytest.approx(0.7005)


def test_of_log_loss_less_is_better(found):
    (row,) = experts.regrets(found, "log_loss").to_dict("records")
    assert (row["chosen"], row["best"]) == ("stacked-lr", "stacked-lr")
    assert row["regret"] == pytest.approx(0.1)
    assert row["own"] == pytest.approx(0.4005)


def test_a_loss_is_one_that_holm_supports(found):
    assert experts.regrets(found, "log_loss")["losses"].tolist() == ["stacked-lr"]
    assert experts.regrets(found, "macro_f1")["losses"].tolist() == [""]


def test_the_summary_tells_both_and_the_figure_draws_them(found):
    text = experts.summary(found)
    assert "Mean regret -0.1000 (hindsight +0.0400)" in text
    assert "cohorts with a loss after Holm: 1 of 1" in text
    assert experts.figure(found).startswith("<svg")


def test_gaps_of_folds_add_up_before_they_count():
    """Bin 0: +2 and -2 over the folds of a repeat; bin 1: 5 folds of 3; 300 samples."""
    gaps = {"gap of bin 0": [2, -2, 0, 0, 0], "gap of bin 1": [3] * 5}
    made = pd.DataFrame(
        [
            {"cohort": "a", "samples": 300, "repeat": 0, "fold": fold, "metric": metric, "value": v}
            for metric, values in gaps.items()
            for fold, v in enumerate(values)
        ]
    )
    unfinished = made[made["fold"] < 4].assign(repeat=1)
    found = experts.calibration_errors(pd.concat([made, unfinished]))
    assert found.to_dict() == pytest.approx({"a": 15 / 300})


def test_gaps_are_those_of_the_calibration_error():
    rng = np.random.default_rng(0)
    said = rng.dirichlet([1, 1, 1], 60)
    labels = rng.integers(3, size=60)
    assert np.abs(calibration_gaps(labels, said)).sum() / 60 == pytest.approx(ece(labels, said))
