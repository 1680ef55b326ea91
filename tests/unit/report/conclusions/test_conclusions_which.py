"""Which modality carries the information: the short answer and the full one never differ."""

from __future__ import annotations

import re
from itertools import product
from types import SimpleNamespace

import pytest

from balmi.evaluation.decision import NOTHING_LEARNED, Case
from balmi.evaluation.verdicts import Foremost
from balmi.report.conclusions.combining import silence
from balmi.report.conclusions.which import WHICH, carries, ranking

NAMES = ("rna", "mirna", "protein")


def viewed(case: Case, exceeds: tuple[bool | None, ...], ends, separable, modalities=3):
    rows = tuple(
        SimpleNamespace(modality=NAMES[at], estimate=0.9 - 0.3 * at, exceeds=each)
        for at, each in enumerate(exceeds)
    )
    pairs = [(a, b) for at, a in enumerate(rows) for b in rows[at + 1 :]]
    contrasts = tuple(
        SimpleNamespace(first=a.modality, second=b.modality, separable=each)
        for (a, b), each in zip(pairs, separable, strict=False)
    )
    information = SimpleNamespace(
        label=rows,
        strongest=ends[0],
        weakest=ends[1],
        inside_null=tuple(row.modality for row in rows if row.exceeds is False),
        contrasts=contrasts,
    )
    decision = SimpleNamespace(case=case, ground=SimpleNamespace(failed=("leak control",)))
    cohort = SimpleNamespace(modalities=NAMES[:modalities])
    return SimpleNamespace(decision=decision, information=information, cohort=cohort)


def said(sentence: str) -> tuple[str | None, str | None]:
    """Return which modality a sentence says to carry the most, and which the least."""
    both = re.match(r"(\w+) carries the most information, (\w+) the least", sentence)
    if both:
        return both[1], both[2]
    ends = (re.search(rf"(\w+) carries the {word}", sentence) for word in ("most", "least"))
    most, least = (None if end is None else end[1] for end in ends)
    return most, least


@pytest.mark.parametrize("number", range(4))
def test_the_short_and_the_full_answer_name_the_same(number):
    states, cases = set(), (Case.UNSHOWN, Case.FEW, Case.WITHHELD, *NOTHING_LEARNED)
    grid = product(cases, product((True, False, None), repeat=number), product((0, 1), repeat=5))
    for case, exceeds, (top, low, *separable) in grid:
        # As `balmi.evaluation.verdicts.extremes` gives them.
        strongest = NAMES[0] if top and number > 1 and exceeds[0] is not False else None
        weakest = NAMES[number - 1] if low and number > 1 and False not in exceeds[:-1] else None
        views = viewed(case, exceeds, (strongest, weakest), map(bool, separable))
        (short, state), full = carries(views), ranking(views)
        assert said(short)[0] in (said(full)[0], None)
        if silence(views.decision) is not None:
            assert full == silence(views.decision)
            assert said(short) == (None, None)
            continue
        assert said(short) == said(full) == (strongest, weakest)
        assert (state is Foremost.APART) == (strongest is not None)
        assert ("order of modalities is open" in full) == (
            number > 1 and strongest is None and weakest is None
        )
        assert ("nothing to rank" in full) == (number == 1)
        states.add(state)
    assert len(states) >= (1 if number == 0 else 3)


def test_of_a_cohort_of_one_modality_nothing_is_left_out():
    views = viewed(Case.ALONE, (True,), (None, None), (), modalities=1)
    assert ranking(views) == "There is one modality, so there is nothing to rank."
    views = viewed(Case.UNSHOWN, (True,), (None, None), ())
    assert ranking(views).startswith("Information could be estimated for rna only")


def test_every_sentence_names_only_who_may_be_named():
    for wording in WHICH.values():
        apart = wording.state is Foremost.APART
        assert ("{top} carries the most" in wording.short) == apart
        assert ("{top} carries the most" in wording.full) == apart
