"""The registry of conclusions, over the whole range of what it may be given."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest

import balmi.report
from balmi.config.settings import PrimaryMetric
from balmi.evaluation.decision import GAINS, NOTHING_LEARNED, Case, Decision, Ground
from balmi.evaluation.primary import BALANCED, POOL
from balmi.evaluation.trust import DECISIVE, LABEL_SOURCE, State
from balmi.evaluation.verdicts import Foremost, Verdict
from balmi.report.conclusions.combining import CASES, Keep
from balmi.report.conclusions.distillation import OUTLOOKS
from balmi.report.conclusions.questions import (
    ANSWERS,
    KEEP,
    MOST_WORDS,
    Question,
    conclusions,
    keep,
)
from balmi.report.conclusions.signal import LIES
from balmi.report.conclusions.trust import TRUST, Checked
from balmi.report.conclusions.which import WHICH, Which
from balmi.report.kit.drawing import MARKS
from balmi.report.kit.words import shortened
from balmi.report.sections.information.label import LabelInformation
from balmi.report.sections.verdict.trust import Check, TrustView

NAMES = ("r" * 60, "methylation.450k-" + "m" * 43, "p")


def words(sentence: str) -> int:
    return len(sentence.split())


def decided(
    case=Case.UNSHOWN, roles=POOL, metric=PrimaryMetric.MACRO_F1, samples="all"
) -> Decision:
    ground = Ground((roles.own, roles.single), metric)
    rows = (roles.own, roles.single, samples)
    return Decision(case, roles, ground, *rows, 12, 250, 118, 12345, 20, False, False)


def label(estimate: float, exceeds: bool | None, name: str) -> LabelInformation:
    limits = (estimate - 0.1, estimate + 0.1)
    return LabelInformation(name, estimate, *limits, None, None, None, 90, None, exceeds)


def viewed(decision=None, rows=(), ends=(None, None), trust=(), failed=(), lost=0, row=None, n=3):
    """Return what conclusions are drawn from; nothing else of a page counts."""
    null = tuple(each.modality for each in rows if each.exceeds is False)
    strongest, weakest = ends
    return SimpleNamespace(
        decision=decision or decided(),
        cohort=SimpleNamespace(modalities=NAMES[:n]),
        information=SimpleNamespace(
            label=tuple(rows),
            strongest=strongest,
            weakest=weakest,
            inside_null=null,
            contrasts=(),
        ),
        performance=SimpleNamespace(
            difference=lambda *pair: row,
            not_ok=[SimpleNamespace(status="failed")] * lost,
        ),
        trust=TrustView(
            tuple(Check(f"c{at}", str(s), None, "") for at, s in enumerate(trust)), failed
        ),
    )


def difference(verdict: str | None, samples: str = "all") -> SimpleNamespace:
    return SimpleNamespace(
        difference=0.018, lower=-0.031, upper=0.067, verdict=verdict, samples=samples
    )


def test_every_case_has_a_sentence():
    assert set(CASES) == set(Case)
    assert set(WHICH) == set(Which)
    assert set(TRUST) == set(Checked)
    assert [str(each) for each in ANSWERS] == [each.question for each in conclusions(viewed())]


@pytest.mark.parametrize("case", list(Case))
def test_whether_combining_helps_is_one_short_sentence(case):
    for roles, metric in product((POOL, BALANCED), PrimaryMetric):
        decision = decided(case, roles, metric)
        told = ANSWERS[Question.HELPS](viewed(decision, row=difference("no difference shown")))
        assert 0 < words(told.sentence) <= MOST_WORDS
        assert told.sentence[0].isupper()
        assert told.sentence.endswith(".")
        assert "{" not in told.sentence
        # A gain is named where it is shown and nowhere else.
        gains = told.sentence.startswith("Yes: combining helps") or case is Case.ONLY_ALL
        assert gains == (case in GAINS)
        assert told.state in MARKS
        assert told.value.startswith("+0.018 (−0.031 to +0.067) ")


def test_the_verdict_of_the_deciding_difference_is_the_state():
    for word in Verdict:
        told = ANSWERS[Question.HELPS](viewed(row=difference(str(word))))
        assert told.state == word
    ask = ANSWERS[Question.HELPS]
    assert ask(viewed(decided(Case.WITHHELD))).state == Verdict.WITHHELD
    assert ask(viewed(decided(Case.NOT_COMPARED))).state == Verdict.UNJUDGED
    assert ask(viewed(decided(Case.NOT_COMPARED))).value is None
    assert ask(viewed(row=difference(None))).state == Verdict.UNJUDGED


def test_of_one_modality_no_difference_is_told():
    told = ANSWERS[Question.HELPS](
        viewed(decided(Case.ALONE), row=difference("gain supported"), n=1)
    )
    assert (told.value, told.state) == (None, Verdict.UNJUDGED)


def test_complete_samples_are_counted_where_they_decide():
    told = ANSWERS[Question.HELPS](
        viewed(decided(samples="complete"), row=difference("no difference shown", "complete"))
    )
    assert told.value.endswith("macro-F1, 12,345 complete samples")


EXCEEDS = (True, False, None)


@pytest.mark.parametrize("number", range(4))
def test_which_modality_is_one_short_sentence(number):
    cases = (Case.UNSHOWN, Case.NETWORK_ADDS, Case.FEW, Case.ALONE, Case.WITHHELD, *NOTHING_LEARNED)
    seen = set()
    for case, exceeds in product(cases, product(EXCEEDS, repeat=number)):
        rows = [label(0.9 - 0.3 * at, each, NAMES[at]) for at, each in enumerate(exceeds)]
        tops = [None, NAMES[0]] if number > 1 and exceeds[0] is not False else [None]
        lows = [None, NAMES[number - 1]] if number > 1 and False not in exceeds[:-1] else [None]
        for ends, n in product(product(tops, lows), {max(number, 1), 3}):
            views = viewed(decided(case), rows, ends, n=n)
            told = ANSWERS[Question.WHICH](views)
            assert 0 < words(told.sentence) <= MOST_WORDS
            assert "{" not in told.sentence
            assert told.state in MARKS
            silent = case is Case.WITHHELD or case in NOTHING_LEARNED
            apart = told.state == Foremost.APART
            assert apart == (ends[0] is not None and not silent)
            if apart:
                assert told.sentence.startswith(f"{shortened(NAMES[0], 40)} carries the most")
            # Who stands apart is said of nobody else, and of nobody where nothing is concluded.
            assert ("carries the most" in told.sentence) == apart
            if silent or not number:
                assert told.value is None
                assert not any(shortened(name, 40) in told.sentence.split() for name in NAMES)
            if number > 1 and not silent and not any(each is not False for each in exceeds):
                assert told.state == Foremost.NOTHING
            seen.add(told.sentence)
    assert len(seen) > 2


def test_the_highest_estimate_above_chance_is_named():
    rows = [label(0.9, False, "noise"), label(0.5, True, "rna"), label(0.4, True, "mirna")]
    told = ANSWERS[Question.WHICH](viewed(rows=rows))
    expected = "rna has the highest estimate above chance, but does not stand apart."
    assert told.sentence == expected
    plain = ANSWERS[Question.WHICH](viewed(rows=rows[1:]))
    assert plain.sentence == expected.replace(" above chance", "")
    assert told.state == "not separable"
    assert told.value == "0.50 (0.40 to 0.60) nats"


def test_every_case_says_what_to_keep():
    assert {wording.keep for wording in CASES.values()} == set(KEEP) == set(Keep)


@pytest.mark.parametrize("case", list(Case))
def test_what_to_keep_is_one_short_sentence_that_agrees_with_the_answers(case):
    rows = [label(0.9, True, NAMES[0]), label(0.5, True, NAMES[1])]
    for top, n in product((None, NAMES[0]), (2, 3)):
        views = viewed(decided(case), rows, (top, None), n=n)
        kept, helps, which = keep(views), *(ANSWERS[each](views) for each in list(Question)[1::-1])
        assert 0 < words(kept.sentence) <= MOST_WORDS
        assert "{" not in kept.sentence
        assert (kept.value, kept.state) == (None, None)
        # A modality is named only where it is shown to carry the most, and never where all help.
        named = shortened(NAMES[0], 40) in kept.sentence
        assert named <= (which.state == Foremost.APART)
        assert not (named and case in GAINS)
        # Several are kept where a gain is shown, and one where the answer says so.
        assert (("both" if n == 2 else "more than one") in kept.sentence) == (case in GAINS)
        assert kept.sentence.startswith("No answer") == (
            case is Case.WITHHELD or case in NOTHING_LEARNED
        )
        if "may be enough" in helps.sentence:
            assert "may be enough" in kept.sentence
        if "unlikely" in helps.sentence:
            assert "one modality is enough" in kept.sentence.lower()


@pytest.mark.parametrize("case", list(Case))
def test_no_modality_is_advised_where_none_is_shown_to_carry_information(case):
    rows = [label(0.1, False, NAMES[0]), label(0.0, False, NAMES[1])]
    views = viewed(decided(case), rows)
    kept, which = (answer(views) for answer in (keep, ANSWERS[Question.WHICH]))
    assert 0 < words(kept.sentence) <= MOST_WORDS
    assert "which one" not in kept.sentence
    if which.state == Foremost.NOTHING and case not in GAINS:
        alike = Foremost.APART not in KEEP[CASES[case].keep]
        assert alike or "shown to carry information" in kept.sentence


@pytest.mark.parametrize("case", [Case.FEW, Case.ALONE, Case.WITHHELD])
def test_of_one_modality_there_is_nothing_to_choose(case):
    views = viewed(decided(case), [label(0.9, True, NAMES[0])], (None, None), n=1)
    expected = Keep.WITHHELD if case is Case.WITHHELD else Keep.ALONE
    assert keep(views).sentence == KEEP[expected][None]


def test_what_the_classes_were_derived_from_stands_beside_what_to_keep():
    views = viewed(rows=[label(0.9, True, "rna")], n=2)
    source = Check(LABEL_SOURCE, str(State.CAUTION), "derived from rna", "")
    views.trust = TrustView((source,), ())
    told = keep(views)
    assert (told.value, told.state) == ("The classes were derived from rna.", State.CAUTION)


@pytest.mark.parametrize("lost", [0, 1, 23])
def test_the_checklist_is_one_short_sentence(lost):
    ends = set()
    for states in product(State, repeat=3):
        for failed in [(), *((each,) for each in DECISIVE), DECISIVE]:
            told = ANSWERS[Question.TRUST](viewed(trust=states, failed=failed, lost=lost))
            assert 0 < words(told.sentence) <= MOST_WORDS
            assert "{" not in told.sentence
            assert told.state in list(State)
            assert told.sentence.startswith("No:") == bool(failed)
            assert f"{lost} method" in told.sentence or not lost
            if not failed:
                order = (State.FAIL, State.CAUTION, State.NOT_RUN, State.PASS)
                assert told.state == next(each for each in order if each in states)
                assert told.sentence.startswith("All 3 checks") == (set(states) == {State.PASS})
            counts = re.findall(r"(\d+) ([a-z ]+)", told.value)
            assert {word: int(count) for count, word in counts} == {
                str(each): states.count(each) for each in states
            }
            ends.add(told.sentence)
    assert len(ends) > 5


def test_nothing_checked_is_no_pass():
    told = ANSWERS[Question.TRUST](viewed())
    assert (told.sentence, told.value, told.state) == (
        "Unknown: nothing was checked.",
        None,
        "not run",
    )


def test_where_a_verdict_is_withheld_all_three_say_so():
    withheld = replace(decided(Case.WITHHELD), ground=Ground(("a", "b"), PrimaryMetric.MACRO_F1))
    rows = [label(0.9, True, "rna"), label(0.5, True, "mirna")]
    views = viewed(withheld, rows, ("rna", "mirna"), [State.FAIL], ("leak control",))
    told = conclusions(views)
    assert [each.state for each in told] == [Verdict.WITHHELD, Verdict.WITHHELD, State.FAIL]
    assert all(each.sentence.startswith("No") for each in told)


@pytest.mark.parametrize(
    "sentence", [*LIES.values(), *(text for _, text in OUTLOOKS.values())], ids=str
)
def test_other_answers_are_as_short(sentence):
    filled = re.sub(r"\{(pairs)\}", "120 pairs", sentence)
    assert words(filled) <= MOST_WORDS


# What a conclusion of these questions reads like; a question ends otherwise.
CONCLUDES = re.compile(
    r"combining (helps|gains|loses)|carries (the|information)|(is|may be) enough|stands? apart"
    r"|spread (un)?evenly|seems? to leak|(not|is|are) shown to|predicted to help"
    r"|verdict withheld|no (gain|difference) is shown|cannot be judged",
    re.IGNORECASE,
)


def test_nothing_is_concluded_outside_the_registry():
    report = Path(balmi.report.__file__).parent
    written = [
        (path.relative_to(report), node.value)
        for path in sorted(report.rglob("*.py"))
        if "conclusions" not in path.parts
        for node in strings(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert len(written) > 1000
    assert [each for each in written if CONCLUDES.search(each[1]) and each[1][-1] != "?"] == []


def strings(tree: ast.AST) -> list[ast.Constant]:
    """Return the texts of a module, without those that document it."""
    about = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in about
    ]
