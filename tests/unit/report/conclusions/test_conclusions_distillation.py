"""What was distilled, over numbers of pairs."""

import pytest

from balmi.report.conclusions.distillation import NOTHING_DISTILLED, distilled
from balmi.report.kit.words import LISTED_PAIRS
from balmi.report.sections.information.distillation import Lesson


@pytest.mark.parametrize("pairs", range(10))
def test_pairs_are_listed_and_the_rest_are_counted(pairs):
    told = distilled([Lesson("a", f"b{place}", 1, 2, 0.4) for place in range(pairs)])
    if not pairs:
        assert told == (NOTHING_DISTILLED,)
        return
    assert sum("learned from a in 1 of 2 folds" in text for text in told) == min(
        pairs, LISTED_PAIRS
    )
    rest = pairs - LISTED_PAIRS
    counts = {0: False, 1: "So did 1 more pair of", 2: "So did 2 more pairs of"}.get(max(rest, 0))
    *told, last = told
    assert last.startswith("Each training part decides")
    assert (len(told) > LISTED_PAIRS) is (rest > 0)
    if counts:
        assert told[-1].startswith(counts)


def test_nothing_is_told_where_it_is_not_known():
    assert distilled(None) == ()
