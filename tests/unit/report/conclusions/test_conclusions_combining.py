"""The headline: every case has its sentence, and none promises more than was decided."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from synthetic_comparisons import EVERY_VERDICT, GAIN, LOSS, NONE, lacking, tables

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.decision import GAINS, Case, Ground, decide
from balmi.evaluation.decision import Decision as Decided
from balmi.evaluation.primary import BALANCED, POOL, Roles
from balmi.report.conclusions.combining import CASES, headline, helped, silence, silent_word

FOLLOWED = PrimaryMetric.MACRO_F1


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.arange(60) % 3, {"rna": 5, "mirna": 4})


def decided(case: Case, samples: str | None = "all", roles: Roles = BALANCED) -> Decided:
    pair = (roles.own, roles.single)
    ground = Ground(pair, FOLLOWED, failed=("leak control",))
    return Decided(
        case, roles, ground, *pair, samples, 12, 25, 8, 40, 20, samples == "complete", False
    )


@pytest.mark.parametrize("case", list(Case))
def test_every_case_has_one_sentence(case):
    assert set(CASES) == set(Case)
    text = headline(decided(case))
    assert text[0].isupper()
    assert text.endswith(".")
    among = headline(decided(case, "complete"))
    assert among.startswith("Judged among the 40 samples with all modalities alone")
    assert "since lacking one may predict the class. " in among


@pytest.mark.parametrize("case", list(Case))
def test_the_predictor_has_its_name(case):
    network, pool = (headline(decided(case, roles=roles)) for roles in (BALANCED, POOL))
    for sentence, noun, other in ((network, "network", "pool"), (pool, "pool", "network")):
        assert "{" not in sentence
        assert noun in sentence or sentence == network == pool
        assert other not in sentence


@pytest.mark.parametrize(
    ("metric", "amount"),
    [
        (PrimaryMetric.MACRO_F1, "macro-F1"),
        (PrimaryMetric.MCC, "Matthews correlation"),
        (PrimaryMetric.LOG_LOSS, "nats of log-loss"),
        (PrimaryMetric.BRIER, "Brier score"),
    ],
)
def test_what_is_unlikely_is_told_in_the_metric_that_is_followed(cohort, metric, amount):
    found = tables((NONE, NONE, NONE), better=0.05, metric=str(metric))
    assert headline(decide(found, cohort, metric)) == (
        f"One modality is enough: combining is unlikely to be better by more than .01 {amount}."
    )


def test_folds_without_a_value_are_counted():
    assert headline(decided(Case.UNDEFINED)).startswith(
        "Undecided: macro-F1 has no value in 8 of 12 test folds, whose samples are of one class."
    )


@pytest.mark.parametrize("case", list(Case))
def test_only_a_shown_gain_reads_so(case):
    text = headline(decided(case))
    assert ("helps" in text or text.startswith("Combining gains")) == (case in GAINS)


def test_the_words_of_every_combination_of_verdicts(cohort):
    for words in EVERY_VERDICT:
        told = headline(decide(tables(words), cohort, FOLLOWED))
        assert ("helps" in told) == (words[0] == GAIN), words
        assert told.startswith("One modality") or words[0] == GAIN or words[1] == GAIN


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ((GAIN, GAIN, GAIN), "Combining helps, and the network adds to the linear stack."),
        ((GAIN, GAIN, NONE), "Combining helps, and the linear stack is enough"),
        ((GAIN, LOSS, NONE), "Combining helps with the network, while the linear stack loses"),
        ((NONE, GAIN, NONE), "No gain is shown: the comparison that was fixed in advance"),
        ((LOSS, GAIN, LOSS), "The network loses against one modality. That the linear stack gains"),
        ((LOSS, NONE, NONE), "One modality is enough: combining loses against it."),
        ((NONE, NONE, NONE), "One modality may be enough"),
    ],
)
def test_cases_read_so(cohort, words, start):
    assert headline(decide(tables(words), cohort, FOLLOWED)).startswith(start)


def test_folds_that_repeat_are_told(cohort):
    told = headline(decide(tables(folds=5), cohort, FOLLOWED))
    assert told == (
        "Undecided: 25 test folds were dealt, of which 5 differ and count; at least 10 are needed."
    )
    told = headline(decide(tables(folds=6, dealt=6), cohort, FOLLOWED))
    assert told == "Undecided: 6 test folds are too few; at least 10 are needed."


def test_failed_checks_are_named(cohort):
    trust = {"leak_control": "fail", "group_structure": "fail"}
    told = headline(decide(tables(trust=trust), cohort, FOLLOWED))
    assert told.startswith(
        "Verdict withheld: the leak control and the check of the group structure failed."
    )


def test_a_gain_over_all_samples_only_is_told_so(cohort):
    partial = lacking(cohort, range(20))
    told = headline(decide(tables(complete=(NONE, GAIN, NONE)), partial, FOLLOWED))
    assert told.startswith("Combining gains over one modality across all samples, but among the 40")
    assert "helps" not in told


def test_modalities_that_no_sample_shares(cohort):
    apart = lacking(lacking(cohort, range(30)), range(30, 60), modality=1)
    told = headline(decide(tables(complete=(None,) * 3), apart, FOLLOWED))
    assert told.startswith("Whether combining gains cannot be judged: no sample has all modalities")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, None),
        ({"trust": {"label_shuffle": "fail"}}, "verdict withheld"),
        ({"auroc": 0.4}, "cannot be judged"),
    ],
)
def test_modalities_are_ranked_only_where_something_predicts(cohort, changes, word):
    decision = decide(tables(**changes), cohort, FOLLOWED)
    assert silent_word(decision) == word
    assert (silence(decision) is None) == (word is None)


# What a sentence says of combining, by how it begins, short and in full.
STANCES = {
    "yes": ("Yes: combining helps", "Combining helps"),
    "where modalities are lacking": ("Over all samples, but", "Combining gains over one modality"),
    "undecided": ("Undecided: ", "Undecided: "),
    "no": ("No: (combining loses|a gain of)", "One modality is enough"),
    "no, but secondary": ("No: the .* loses; a secondary gain", "The .* loses .* secondary result"),
    "not shown": ("Not shown: one modality may be enough", "One modality may be enough"),
    "not shown, but secondary": ("Not shown: only a secondary", "No gain .* secondary result"),
    "withheld": ("No answer: a decisive check failed", "Verdict withheld: "),
    "unanswered": ("Unanswered: ", "No method is|Who has|Neither the|Whether combining"),
    "one modality": ("There is one modality", "There is one modality"),
}


@pytest.mark.parametrize("case", list(Case))
def test_the_short_and_the_full_sentence_say_the_same(case):
    for roles, metric in product((BALANCED, POOL), PrimaryMetric):
        pair = (roles.own, roles.single)
        decision = replace(decided(case, roles=roles), ground=Ground(pair, metric, ("leak",)))
        short, full = helped(decision), headline(decision)
        stances = {
            said: [name for name, begins in STANCES.items() if re.match(begins[place], said)]
            for place, said in enumerate((short, full))
        }
        assert len(set(map(tuple, stances.values()))) == 1, stances
        assert len(stances[short]) == 1, stances
        assert "{" not in short + full
