"""Where the signal lies, on the page."""

from itertools import combinations

import pandas as pd
import pytest

from balmi.data.cohort import read_roster
from balmi.data.files import read_table
from balmi.evaluation.access import ORDER, Access
from balmi.evaluation.verdicts import Verdict
from balmi.report.conclusions.signal import LIES, synergy_told
from balmi.report.kit.amounts import Amount
from balmi.report.sections.information.decomposition import Parts
from balmi.report.sections.performance.access import SEES, access_view
from balmi.report.view import build_view

QUESTION = "Where does the signal lie?"


def access(*gaining):
    """Return a table where the named levels gain over every one before them."""
    rows = []
    for metric in ("macro_f1", "log_loss"):
        for less, more in combinations(ORDER, 2):
            gains = any(
                ORDER.index(less) < ORDER.index(each) <= ORDER.index(more) for each in gaining
            )
            limits = (0.1, 0.3) if gains else (-0.004, 0.006)
            cells = {"gain": sum(limits) / 2, "lower": limits[0], "upper": limits[1]}
            tests = {"p": 0.001 if gains else 0.7, "p_holm": 0.01 if gains else 1.0, "folds": 25}
            rows.append({"metric": metric, "less": less, "more": more} | cells | tests)
    return pd.DataFrame(rows)


GAINING = {
    Access.ONE: ("one",),
    Access.LINEAR: ("one", "linear"),
    Access.ADDITIVE: ("one", "linear", "additive"),
    Access.JOINT: ("joint",),
    Access.NONE: (),
}


def parts(synergy, lower):
    amount = Amount(synergy, lower, synergy + 0.05)
    none = Amount(0.0, -0.02, 0.02)
    return (Parts("rna", "protein", False, none, none, none, amount, 100),)


class TestView:
    @pytest.mark.parametrize("found", Access)
    def test_log_loss_decides_and_comes_first(self, found):
        view = access_view(access(*GAINING[found]), None)
        assert view.found is found
        assert [row.metric.key for row in view.gains] == ["log_loss"] * 10 + ["macro_f1"] * 10
        told = [(row.less, row.more, row.verdict) for row in view.told[:-1]]
        assert (view.told[-1].less, view.told[-1].more) == (SEES["one"], SEES["joint"])
        words = [Verdict.GAIN if each in GAINING[found] else Verdict.NONE for each in ORDER[1:]]
        seen = [SEES[each] for each in ORDER]
        assert told == list(zip(seen[:-1], seen[1:], words, strict=True))

    def test_a_gain_that_holm_does_not_support_is_none(self):
        view = access_view(access("one").assign(p_holm=0.06), None)
        assert {row.verdict for row in view.gains} == {Verdict.NONE}

    def test_of_few_folds_neither_the_answer_nor_a_row_says_anything(self):
        view = access_view(access("one").assign(folds=9), None)
        assert view.found is Access.NONE
        assert {row.verdict for row in view.gains} == {Verdict.UNJUDGED}

    def test_nothing_is_concluded_where_the_page_is_silent(self):
        view = access_view(access("one"), "A check failed.")
        assert view.found is Access.NONE
        assert {row.verdict for row in view.gains} == {Verdict.UNJUDGED}

    def test_without_pools_there_is_none(self):
        assert access_view(access().iloc[:0], None) is None


class TestSynergy:
    def test_is_told_beside_an_interaction(self):
        told = synergy_told(access_view(access("joint"), None), parts(0.2, 0.1))
        assert "shows synergy of rna and protein as well: 0.200 (0.100 to 0.250) nats" in told

    def test_disagreement_is_told_either_way(self):
        without = synergy_told(access_view(access("joint"), None), parts(0.02, -0.03))
        assert (
            "The pools show an interaction, and the decomposition of information shows no synergy"
            in without
        )
        adding = synergy_told(access_view(access("one", "linear"), None), parts(0.2, 0.1))
        assert "The pools show no interaction." in adding

    def test_nothing_is_told_where_neither_shows_any(self):
        assert synergy_told(access_view(access("one"), None), parts(0.02, -0.03)) is None
        assert synergy_told(access_view(access("joint"), None), ()) is None


@pytest.fixture(scope="module")
def tables(inputs):
    return {name: read_table(path) for name, path in inputs.table_paths.items()}


class TestPage:
    def answers(self, inputs, tables):
        cohort = read_roster(inputs.samples)
        made = build_view(inputs.dataset, cohort, tables, inputs.settings)
        return {answer.question: answer for answer in made.summary.answers}

    @pytest.mark.parametrize("found", Access)
    def test_the_answer_is_a_sentence_and_five_gains(self, inputs, tables, found):
        told = self.answers(inputs, {**tables, "access": access(*GAINING[found])})
        answer = told[QUESTION]
        assert answer.headline == LIES[found]
        steps = [each for each in answer.statements if each.verdict is not None]
        assert len(steps) == 5
        assert steps[0].text.startswith("One modality against class frequencies: ")
        assert list(told)[1:3] == ["Does combining help?", QUESTION]

    def test_there_is_none_where_no_pools_were_compared(self, inputs, tables):
        assert QUESTION not in self.answers(inputs, {**tables, "access": access().iloc[:0]})

    def test_a_failed_control_leaves_it_open(self, inputs, tables):
        trust = tables["trust"].copy()
        trust.loc[trust["check"] == "leak control", "state"] = "fail"
        told = self.answers(inputs, {**tables, "trust": trust, "access": access("joint")})
        assert told[QUESTION].statements == ()
        assert told[QUESTION].headline not in LIES.values()
