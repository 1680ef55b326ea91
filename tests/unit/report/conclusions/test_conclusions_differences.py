"""What a difference is called beside its interval."""

from itertools import product
from types import SimpleNamespace

import pytest

from balmi.evaluation.verdicts import Verdict, judged
from balmi.report.conclusions.differences import (
    HOLM,
    SINGLE,
    adjusted_p,
    decided_by,
    drawn_intervals,
    resolution,
    worded,
)

LIMITS = [(low, high) for low, high in product((-0.2, -0.1, 0.0, 0.1, 0.2), repeat=2) if low < high]
GRID = list(
    product(LIMITS, (0.0, 0.05, 0.051, 1.0), (2, 9, 10, 50), (True, False), ((), ("leak",)))
)


def difference(lower, upper, word, references=17, primary=False, p=None):
    return SimpleNamespace(
        lower=lower, upper=upper, verdict=word, references=references, primary=primary, p_holm=p
    )


@pytest.mark.parametrize(("limits", "p", "folds", "more", "failed"), GRID)
def test_no_interval_beside_zero_is_called_no_difference_without_saying_what_decides(
    limits, p, folds, more, failed
):
    word = judged(*limits, folds=folds, p_holm=p, more_is_better=more, failed=failed)
    excludes = limits[0] > 0 or limits[1] < 0
    differs = word is Verdict.NONE and excludes
    assert decided_by(word, *limits) == (HOLM if differs else None)
    row = difference(*limits, str(word))
    assert worded(row, str(word)) == (f"{word} (Holm)" if differs else str(word))
    assert (drawn_intervals([row]) == SINGLE) is not differs
    if differs:
        assert p > 0.05


def test_a_difference_without_an_interval_has_its_word_alone():
    row = difference(None, None, None)
    assert worded(row, "no interval") == "no interval"
    assert drawn_intervals([row]) == drawn_intervals([]) == SINGLE


def test_the_caption_counts_the_comparisons_that_are_adjusted_for():
    away = difference(0.01, 0.05, str(Verdict.NONE), references=17)
    clear = difference(0.01, 0.05, str(Verdict.GAIN), references=40)
    assert "adjusted for the 17 comparisons" in drawn_intervals([clear, away])


@pytest.mark.parametrize(
    ("primary", "p", "text"),
    [(True, 0.2, ""), (False, None, ""), (False, 0.2, ", adjusted p\xa0=\xa00.200")],
)
def test_only_a_secondary_comparison_tells_its_adjusted_p(primary, p, text):
    assert adjusted_p(difference(0.01, 0.05, None, primary=primary, p=p)) == text


@pytest.mark.parametrize("word", [*Verdict, None])
@pytest.mark.parametrize(("low", "high"), [(None, None), (0.1, 0.1), *LIMITS])
def test_a_resolution_is_told_of_judged_intervals_that_have_a_width(word, low, high):
    word = None if low is None else word
    told = resolution([difference(low, high, word and str(word))], "macro-F1")
    judged_interval = word not in (None, Verdict.UNJUDGED) and low < high
    assert (told is not None) is judged_interval
    if told is not None:
        assert f"±{(high - low) / 2:.3f} macro-F1; a true difference smaller than that" in told


def test_a_resolution_spans_all_intervals():
    rows = [difference(-0.1, 0.1, str(Verdict.NONE)), difference(0.1, 0.14, str(Verdict.GAIN))]
    assert "reach ±0.020 to ±0.100 nats;" in resolution(rows, "nats")
    assert resolution([], "nats") is None
