import pytest

from balmi.prediction.card import card
from balmi.prediction.unproven import UNPROVEN, USELESS, unproven

ABOUT = {
    "dataset": "mine",
    "reason": None,
    "method": "pooled",
    "balmi": "0.2.0",
    "label": "subtype",
    "samples": 40,
    "classes": ["a", "b"],
    "class_counts": [20, 20],
    "modalities": [{"name": "rna", "kind": "rna-log", "kept": ["g"], "samples": 40}],
    "rows": {},
    "rows_allowed": True,
    "holds_rows": False,
}


def evaluation(lower=0.43, upper=0.61, other=None):
    auroc = {"class": None, "metric": "macro_auroc", "mean": 0.52, "folds": 10}
    of_class = {"class": "a", "metric": "auroc", "mean": 0.4, "folds": 10}
    of_class |= {"lower": 0.3, "upper": 0.5}
    summary = [of_class, {**auroc, "lower": lower, "upper": upper}]
    return {"primary": "macro_f1", "other": other, "summary": summary, "patterns": []}


def test_a_model_at_chance_is_told_of_with_its_score():
    found = unproven(evaluation())
    assert found == "macro AUROC 0.520 (0.430 to 0.610) on held-out samples, 0.5 by chance"


def test_the_limit_that_is_chance_shows_nothing():
    assert unproven(evaluation(lower=0.5)) is not None


@pytest.mark.parametrize(
    "found",
    [
        evaluation(lower=0.501),
        evaluation(lower=None, upper=None),
        evaluation(other="without experts"),
        {"primary": "macro_f1", "summary": []},
    ],
    ids=["better", "no interval", "another model", "not evaluated"],
)
def test_else_nothing_is_said(found):
    assert unproven(found) is None


def test_the_card_says_it_before_any_score():
    text = card(ABOUT, evaluation(), {})
    start = text.index("## How it performed")
    assert text[start:].split("\n\n")[1].startswith(f"**{UNPROVEN}: macro AUROC 0.5")
    assert f"{USELESS.capitalize()}.**" in text
    assert UNPROVEN not in card(ABOUT, evaluation(lower=0.51), {})
