"""The decision behind the headline: one comparison fixed in advance, and what stands before it."""

import numpy as np
import pandas as pd
import pytest
from synthetic_comparisons import (
    EVERY_VERDICT,
    GAIN,
    LOSS,
    METHODS,
    NONE,
    PAIRS,
    checklist,
    comparisons,
    lacking,
    of_the_pool,
    row,
    tables,
)

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.decision import GAINS, Case, Ground, decide
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.primary import BALANCED, POOL, primary
from balmi.evaluation.verdicts import Verdict


@pytest.fixture
def cohort(make_cohort):
    """Sixty samples with both of two modalities."""
    return make_cohort(np.arange(60) % 3, {"rna": 5, "mirna": 4})


@pytest.fixture
def partial(cohort):
    """The same where twenty samples lack one."""
    return lacking(cohort, range(20))


TELLS = {"absence": "caution"}
FOLLOWED = PrimaryMetric.MACRO_F1


class TestPrimary:
    @pytest.mark.parametrize(
        ("methods", "pair"),
        [
            (METHODS, ("balanced", "unimodal-lr")),
            (("stacked-lr", "unimodal-lr", "unimodal-lr/rna"), ("stacked-lr", "unimodal-lr")),
            (("balanced", "stacked-lr"), None),
            (("pooled", "unimodal-pooled", *METHODS), ("pooled", "unimodal-pooled")),
            (("pooled", *METHODS), ("balanced", "unimodal-lr")),
            (("unimodal-pooled", *METHODS), ("balanced", "unimodal-lr")),
            (("pooled", "stacked-lr", "unimodal-lr"), ("stacked-lr", "unimodal-lr")),
            (("concat-lr", "unimodal-lr"), None),
            ((), None),
        ],
    )
    def test_it_follows_from_the_methods_alone(self, methods, pair):
        assert primary(methods) == pair

    @pytest.mark.parametrize("words", EVERY_VERDICT)
    def test_a_gain_is_told_where_the_primary_comparison_shows_it_and_nowhere_else(
        self, cohort, words
    ):
        decision = decide(tables(words), cohort, FOLLOWED)
        assert decision.gain == (words[0] == GAIN)
        assert (decision.method, decision.reference, decision.samples) == (*PAIRS[0], "all")

    @pytest.mark.parametrize("words", EVERY_VERDICT)
    def test_the_pool_is_judged_as_the_network_is(self, cohort, words):
        network = decide(tables(words), cohort, FOLLOWED)
        pool = decide(of_the_pool(tables(words)), cohort, FOLLOWED)
        assert pool.case is network.case
        assert (network.roles, pool.roles) == (BALANCED, POOL)
        assert (pool.method, pool.reference) == ("pooled", "unimodal-pooled")

    def test_the_stack_decides_where_there_is_no_network(self, cohort):
        found = tables((None, GAIN, None))
        found["summary"] = found["summary"][found["summary"]["method"] != "balanced"]
        decision = decide(found, cohort, FOLLOWED)
        assert (decision.case, decision.method) == (Case.STACK_GAINS, "stacked-lr")

    def test_a_stack_does_not_decide_where_the_network_was_not_compared(self, cohort):
        decision = decide(tables((None, GAIN, None)), cohort, FOLLOWED)
        assert (decision.case, decision.gain) == (Case.NOT_COMPARED, False)


@pytest.mark.parametrize(
    ("words", "case"),
    [
        ((GAIN, GAIN, GAIN), Case.NETWORK_ADDS),
        ((GAIN, NONE, GAIN), Case.NETWORK_WINS),
        ((GAIN, LOSS, GAIN), Case.NETWORK_WINS),
        ((GAIN, GAIN, LOSS), Case.STACK_BETTER),
        ((GAIN, GAIN, NONE), Case.STACK_ENOUGH),
        ((GAIN, LOSS, NONE), Case.STACK_LOSES),
        ((GAIN, NONE, NONE), Case.STACK_OPEN),
        ((GAIN, None, None), Case.NETWORK_GAINS),
        ((NONE, GAIN, NONE), Case.ONLY_SECONDARY),
        ((NONE, GAIN, LOSS), Case.ONLY_SECONDARY),
        ((LOSS, GAIN, LOSS), Case.LOSS_BUT_SECONDARY),
        ((LOSS, LOSS, NONE), Case.LOSS),
        ((NONE, LOSS, GAIN), Case.UNSHOWN),
        ((NONE, NONE, NONE), Case.UNSHOWN),
        ((None, None, None), Case.NOT_COMPARED),
    ],
)
def test_verdicts_have_their_case(cohort, words, case):
    assert decide(tables(words), cohort, FOLLOWED).case is case


def test_one_modality_is_enough_only_where_a_gain_is_unlikely(cohort):
    nothing = (NONE, NONE, NONE)
    assert decide(tables(nothing, better=0.05), cohort, FOLLOWED).case is Case.UNLIKELY
    assert decide(tables(nothing, better=0.06), cohort, FOLLOWED).case is Case.UNSHOWN


@pytest.mark.parametrize("metric", PrimaryMetric)
@pytest.mark.parametrize("words", EVERY_VERDICT)
def test_a_case_follows_the_direction_of_the_metric(cohort, metric, words):
    """Where less is better, what lies below zero is the gain."""
    turned = {GAIN: LOSS, NONE: NONE, LOSS: GAIN}
    drawn = words if METRICS[metric].more_is_better else [turned[word] for word in words]
    decision = decide(tables(drawn, metric=str(metric)), cohort, metric)
    assert decision.case is decide(tables(words), cohort, FOLLOWED).case
    assert decision.ground.metric is metric


def test_only_rows_of_the_metric_are_followed(cohort):
    found = tables((GAIN, GAIN, NONE))
    assert decide(found, cohort, PrimaryMetric.LOG_LOSS).case is Case.UNDEFINED
    other = comparisons((GAIN, GAIN, NONE), metric="log_loss")
    found["comparisons"] = pd.concat([found["comparisons"], other], ignore_index=True)
    assert decide(found, cohort, FOLLOWED).case is Case.STACK_ENOUGH
    assert decide(found, cohort, PrimaryMetric.LOG_LOSS).case is Case.LOSS


def followed_in(folds):
    """Return tables whose comparisons by mcc count so many folds of 25, none where it is 0."""
    found = tables((GAIN, GAIN, NONE))
    other = comparisons((GAIN, GAIN, NONE), metric="mcc", folds=folds)
    parts = [found["comparisons"], *([other] if folds else [])]
    found["comparisons"] = pd.concat(parts, ignore_index=True)
    return found


@pytest.mark.parametrize(
    ("folds", "case"),
    [(25, Case.STACK_ENOUGH), (10, Case.STACK_ENOUGH), (9, Case.UNDEFINED), (0, Case.UNDEFINED)],
)
def test_folds_of_one_class_that_leave_the_metric_undefined(cohort, folds, case):
    decision = decide(followed_in(folds), cohort, PrimaryMetric.MCC)
    assert (decision.case, decision.folds, decision.undefined) == (case, 25, 25 - folds)


def test_complete_samples_of_one_class_are_not_said_to_be_few(partial):
    found = followed_in(25)
    rows = found["comparisons"]
    complete = (rows["metric"] == "mcc") & (rows["samples"] == "complete")
    found["comparisons"] = rows[~complete]
    decision = decide(found | {"trust": checklist(absence="caution")}, partial, PrimaryMetric.MCC)
    assert (decision.case, decision.undefined) == (Case.UNDEFINED, 25)


class TestSecondary:
    ground = Ground(PAIRS[0], FOLLOWED)

    @pytest.mark.parametrize(
        ("p_holm", "word"), [(0.05, Verdict.GAIN), (0.051, Verdict.NONE), (np.nan, Verdict.NONE)]
    )
    def test_it_is_supported_after_holm_only(self, p_holm, word):
        assert self.ground.verdict(row(PAIRS[1], GAIN, p_holm=p_holm)) is word

    def test_the_primary_one_is_not_adjusted(self):
        assert self.ground.verdict(row(PAIRS[0], GAIN, p_holm=0.9)) is Verdict.GAIN
        other = row(PAIRS[0], GAIN, p_holm=0.9, metric="accuracy")
        assert self.ground.verdict(other) is Verdict.NONE

    def test_less_loss_is_a_gain(self):
        assert self.ground.verdict(row(PAIRS[2], LOSS, metric="log_loss")) is Verdict.GAIN

    def test_without_an_interval_there_is_no_verdict(self):
        assert self.ground.verdict(row(PAIRS[0], GAIN, lower=np.nan, upper=np.nan)) is None

    def test_few_folds_are_not_judged(self):
        assert self.ground.verdict(row(PAIRS[0], GAIN, folds=9)) is Verdict.UNJUDGED
        assert self.ground.verdict(row(PAIRS[0], GAIN, folds=10)) is Verdict.GAIN

    def test_failed_checks_withhold(self):
        withheld = Ground(PAIRS[0], FOLLOWED, failed=("leak control",))
        assert withheld.verdict(row(PAIRS[0], GAIN, folds=5)) is Verdict.WITHHELD

    def test_a_stack_whose_gain_does_not_outlast_holm_is_no_gain(self, cohort):
        found = tables((NONE, GAIN, NONE))
        found["comparisons"]["p_holm"] = 0.06
        assert decide(found, cohort, FOLLOWED).case is Case.UNSHOWN


class TestAbsence:
    none = (NONE, NONE, NONE)

    def test_where_it_tells_the_complete_samples_decide(self, partial):
        decision = decide(tables(complete=self.none, trust=TELLS), partial, FOLLOWED)
        assert (decision.case, decision.samples) == (Case.UNSHOWN, "complete")
        assert (decision.complete, decision.lacking, decision.tells) == (40, 20, True)
        decision = decide(tables(self.none, (GAIN, GAIN, NONE), trust=TELLS), partial, FOLLOWED)
        assert (decision.case, decision.samples) == (Case.STACK_ENOUGH, "complete")

    def test_over_all_samples_nothing_is_judged_then(self, partial):
        ground = decide(tables(trust=TELLS), partial, FOLLOWED).ground
        assert ground.verdict(row(PAIRS[0], GAIN)) is Verdict.UNJUDGED
        assert ground.verdict(row(PAIRS[0], GAIN, samples="complete")) is Verdict.GAIN

    @pytest.mark.parametrize("state", ["not run", "fail", None])
    def test_only_a_passed_check_shows_that_it_does_not(self, partial, state):
        trust = {} if state is None else {"absence": state}
        found = tables(complete=self.none, trust=trust)
        assert decide(found, partial, FOLLOWED).samples == "complete"

    def test_where_nothing_is_lacking_there_is_nothing_to_tell(self, cohort):
        decision = decide(tables(trust={"absence": "not run"}), cohort, FOLLOWED)
        assert (decision.case, decision.samples, decision.tells) == (
            Case.STACK_ENOUGH,
            "all",
            False,
        )

    def test_a_gain_that_complete_samples_do_not_show_is_told_so(self, partial):
        assert decide(tables(complete=self.none), partial, FOLLOWED).case is Case.ONLY_ALL
        found = tables(complete=(GAIN, GAIN, NONE))
        assert decide(found, partial, FOLLOWED).case is Case.STACK_ENOUGH
        found["comparisons"].loc[found["comparisons"]["samples"] == "complete", "folds"] = 7
        assert decide(found, partial, FOLLOWED).case is Case.ONLY_ALL

    @pytest.mark.parametrize("state", ["pass", "caution"])
    def test_modalities_that_no_sample_shares_cannot_be_judged(self, partial, state):
        decision = decide(tables(complete=(None,) * 3, trust={"absence": state}), partial, FOLLOWED)
        assert (decision.case, decision.gain, decision.samples) == (Case.NOT_SHARED, False, None)
        assert decision.ground.verdict(row(PAIRS[0], GAIN)) is Verdict.UNJUDGED

    @pytest.mark.parametrize("state", ["caution", "pass"])
    @pytest.mark.parametrize(("lacks", "judged"), [(40, True), (41, False), (56, False)])
    def test_a_handful_of_complete_samples_decides_nothing(self, cohort, state, lacks, judged):
        everywhere = (GAIN, GAIN, GAIN)
        found = tables(everywhere, complete=everywhere, trust={"absence": state})
        decision = decide(found, lacking(cohort, range(lacks)), FOLLOWED)
        assert decision.gain == judged
        assert (decision.case is Case.NOT_SHARED) == (not judged)

    def test_few_complete_folds_are_undecided(self, partial):
        found = tables(trust=TELLS)
        found["comparisons"].loc[found["comparisons"]["samples"] == "complete", "folds"] = 7
        decision = decide(found, partial, FOLLOWED)
        assert (decision.case, decision.folds, decision.dealt) == (Case.FEW, 7, 25)

    def test_a_mask_that_alone_predicts_is_told(self, partial):
        ranks = dict.fromkeys(METHODS, 0.45) | {"absence-lr": 0.6}
        decision = decide(tables(auroc=ranks), partial, FOLLOWED)
        assert (decision.case, decision.predicts) == (Case.ONLY_ABSENCE, True)

    @pytest.mark.parametrize(
        ("lower", "case"), [(-0.1, Case.ONLY_ABSENCE), (0.01, Case.STACK_ENOUGH)]
    )
    def test_methods_must_beat_the_mask_among_complete_samples(self, partial, lower, case):
        ranks = dict.fromkeys((*METHODS, "absence-lr"), 0.6)
        found = tables(auroc=ranks, trust=TELLS)
        mask = [
            row((name, "absence-lr"), GAIN, metric="macro_auroc", samples="complete", lower=lower)
            for name in METHODS
        ]
        found["comparisons"] = pd.concat([found["comparisons"], pd.DataFrame(mask)])
        assert decide(found, partial, FOLLOWED).case is case


class TestBeforeAnyVerdict:
    @pytest.mark.parametrize("check", ["leak_control", "label_shuffle", "group_structure"])
    def test_failed_checks_withhold(self, cohort, check):
        decision = decide(tables(trust={check: "fail"}, folds=5), cohort, FOLLOWED)
        assert (decision.case, decision.gain) == (Case.WITHHELD, False)
        assert decision.ground.failed == (check.replace("_", " "),)

    def test_other_checks_do_not(self, cohort):
        trust = dict.fromkeys(("rarest_class", "folds", "calibration"), "fail")
        assert decide(tables(trust=trust), cohort, FOLLOWED).gain

    def test_folds_that_repeat_count_once(self, cohort):
        decision = decide(tables(folds=5), cohort, FOLLOWED)
        assert (decision.case, decision.folds, decision.dealt) == (Case.FEW, 5, 25)
        assert decide(tables(folds=10), cohort, FOLLOWED).gain

    def test_chance(self, cohort):
        assert decide(tables(auroc=0.5), cohort, FOLLOWED).case is Case.NOTHING
        ranks = {**dict.fromkeys(METHODS, 0.4), "snf": 0.51}
        assert decide(tables(auroc=ranks), cohort, FOLLOWED).gain
        assert decide(tables(auroc=float("nan")), cohort, FOLLOWED).gain

    def test_one_modality(self, make_cohort):
        single = make_cohort(np.arange(60) % 3, {"rna": 5})
        assert decide(tables(), single, FOLLOWED).case is Case.ALONE

    def test_without_methods(self, cohort):
        found = tables((None,) * 3, auroc={})
        assert decide(found, cohort, FOLLOWED).case is Case.NOT_COMPARED


def test_no_case_but_a_gain_of_the_primary_comparison_says_gain(partial):
    """Whatever the secondary verdicts, the samples and the checks are."""
    for words in EVERY_VERDICT:
        for trust in ({"absence": "pass"}, TELLS, {"leak_control": "fail"}):
            decision = decide(tables(words, (NONE, GAIN, GAIN), trust=trust), partial, FOLLOWED)
            assert not decision.gain or (decision.samples == "all" and words[0] == GAIN)
            assert decision.gain == (decision.case in GAINS)


def test_comparisons_have_the_words_that_they_were_made_for():
    ground = Ground(PAIRS[0], FOLLOWED)
    for words in EVERY_VERDICT:
        made = comparisons(words).to_dict("records")
        assert tuple(map(ground.verdict, made[:3])) == words
