"""The view of mutual information: what is told of it, and in which words."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_report import (
    COMPLEMENTARITY,
    INFORMATION,
    Names,
    bare_views,
    make_cohort,
    make_complementarity,
    make_information,
)

from balmi.report.conclusions.distillation import prospect
from balmi.report.kit.amounts import Amount, foremost
from balmi.report.kit.words import combination, with_p
from balmi.report.sections.information.decomposition import MAX_DRAWN_PARTS
from balmi.report.sections.information.distillation import MAX_DRAWN_MARGINS, agreement_of
from balmi.report.sections.information.view import MAX_SUBSETS, information_view
from balmi.report.sections.verdict.answers import answers
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from balmi.report.sections.information.view import InformationView

SIX = ("rna", "methylation", "mirna", "protein", "copy-number", "metabolites")
WHICH = "Which modality carries the information?"
OLD = ("label_entropy", "label_information", "label_difference", "pairwise_information")
OLD += ("representation_information", "complementarity_margin")


def table(*rows: tuple) -> pd.DataFrame:
    full = [row + (np.nan,) * (len(INFORMATION) - len(row)) for row in rows]
    return pd.DataFrame(full, columns=INFORMATION).fillna({"n": 100})


def about(name: str, value: float, p: float = 0.01) -> tuple:
    return ("label_information", name, None, value, value - 0.05, value + 0.05, 0.02, p)


def refused(quantity: str, modality: str | None, other: str | None, reason: str) -> tuple:
    empty = (np.nan,) * 5
    return (quantity, modality, other, *empty, 12, np.nan, "not_applicable", reason)


def compared(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COMPLEMENTARITY)


def made(names: Names) -> InformationView:
    return information_view(make_information(names), names.modalities)


def statements(view: InformationView, names: Names) -> tuple[str, list[str]]:
    """Return the headline and the sentences of the first answer."""
    found = answers(bare_views(view, make_cohort(names)))
    answer = next(each for each in found if each.question == WHICH)
    return answer.headline, [statement.text for statement in answer.statements]


def test_contract_columns_are_those_of_the_library():
    assert tuple(COMPLEMENTARITY) == TABLES["complementarity"].names


def test_label_information_has_its_limit_and_its_share():
    rows = [("label_entropy", None, None, 1.0), about("b", 0.4), about("a", -0.1)]
    view = information_view(table(*rows, ("label_extrapolated", "b", None, 0.45)), ["a", "b"])
    found = [(row.modality, row.extrapolated, row.share) for row in view.label]
    assert found == [("a", None, 0.0), ("b", 0.45, pytest.approx(0.4))]


def test_combinations_are_told_by_falling_bound_and_capped():
    three = made(Names())
    assert [row.modality for row in three.subsets] == [
        "methylation + mirna + rna",
        "methylation + rna",
        "mirna + rna",
        "methylation + mirna",
    ]
    assert three.main_subsets == three.subsets
    top = three.subsets[0]
    assert (top.estimate, top.extrapolated) == pytest.approx((0.74, 0.777))
    six = made(Names(modalities=SIX))
    assert len(six.subsets) == 15 + 6 + 1
    assert len(six.main_subsets) == MAX_SUBSETS
    assert [row.modality for row in six.main_subsets[:2]] == ["all modalities", "all but protein"]


@pytest.mark.parametrize(
    ("name", "modalities", "told"),
    [
        ("a+b", "ab", "a + b"),
        ("a+b+c", "abc", "a + b + c"),
        ("a+b+c+d", "dcba", "all modalities"),
        ("a+b+d", "abcd", "all but c"),
        ("a+b", "abcd", "a + b"),
        ("=1+1", ("=1+1", "b", "c", "d"), "=1+1"),
    ],
)
def test_combinations_are_named_for_readers(name, modalities, told):
    assert combination(name, tuple(modalities)) == told


@pytest.mark.parametrize(
    ("needed", "begins"),
    [
        ((90, 90), None),
        ((91, 90), "1 of 2 pairs: more may be shared than stands there. "),
        ((91, 4000), "2 pairs: more may be shared than stands there. "),
    ],
)
def test_with_too_few_samples_for_the_features_a_pair_may_share_more(needed, begins):
    rows = []
    for other, samples in zip("bc", needed, strict=True):
        rows.append(("pairwise_information", "a", other, 0.4, 0.3, 0.5, 0.05, 0.02, 90, 12))
        rows.append(
            ("pairwise_composite", "a", other, 0.6, *[np.nan] * 4, 90, 12, "ok", None, samples)
        )
    view = information_view(table(*rows), ["a", "b", "c"])
    assert [pair.seen_from for pair in view.pairs] == list(needed)
    assert [pair.unseen for pair in view.pairs] == [samples > 90 for samples in needed]
    assert (view.unseen or "").startswith(begins or "")
    assert (view.unseen is None) is (begins is None)


def test_pairs_show_the_composite_beside_its_parts():
    rows = [
        ("pairwise_information", "a", "b", 0.4, 0.3, 0.5, 0.05, 0.02, 90, 12),
        ("pairwise_linear", "a", "b", 0.3),
        ("pairwise_nonlinear", "a", "b", 0.6),
        ("pairwise_wide", "a", "b", 0.5),
        ("pairwise_composite", "a", "b", 0.6, np.nan, np.nan, 0.05, 0.04),
        ("pairwise_information", "a", "c", 0.1),
    ]
    view = information_view(table(*rows), ["a", "b", "c"])
    pair, lone = view.pairs
    assert (pair.gaussian.estimate, pair.linear, pair.nonlinear) == (0.4, 0.3, 0.6)
    assert (pair.wide, lone.wide) == (0.5, None)
    assert (pair.composite, pair.p, pair.n, pair.components) == (0.6, 0.04, 90, 12)
    assert (lone.composite, lone.p, lone.components) == (None, None, None)
    # The heatmap shows composites, so a pair without one has no cell.
    assert set(view.pair_cells) == {("a", "b"), ("b", "a")}


def test_parts_of_pairs_and_of_a_modality_against_the_rest():
    view = made(Names())
    assert [(row.first, row.against, row.rest) for row in view.parts] == [
        ("methylation", "mirna", False),
        ("methylation", "rna", False),
        ("mirna", "rna", False),
        ("methylation", "all others", True),
        ("mirna", "all others", True),
        ("rna", "all others", True),
    ]
    rest = view.parts[-1]
    assert rest.redundant.estimate == pytest.approx(0.8 * 0.175)
    assert rest.synergistic.estimate == pytest.approx(-0.004)
    assert rest.total == pytest.approx(0.7 + 0.2 * 0.175)
    assert view.main_parts == view.parts


def test_drawn_parts_and_margins_are_capped_and_the_rest_stays_in_the_table():
    view = made(Names(modalities=SIX))
    assert len(view.parts) == 15 + 6
    drawn = view.main_parts
    assert len(drawn) == MAX_DRAWN_PARTS + 6
    assert set(drawn) <= set(view.parts)
    left = [row.total for row in view.parts if row not in drawn]
    assert max(left) <= min(row.total for row in drawn if not row.rest)
    assert len(view.margins) == 30
    shown = view.main_margins
    assert len(shown) == MAX_DRAWN_MARGINS
    assert list(shown) == sorted(shown, key=lambda row: -row.estimate)
    left = [abs(row.estimate) for row in view.margins if row not in shown]
    assert max(left) <= min(abs(row.estimate) for row in shown) + 1e-12


@given(st.lists(st.integers(-9, 9)), st.integers(0, 12))
def test_foremost_are_the_largest_in_their_order(items, count):
    found = foremost(list(enumerate(items)), count, lambda item: item[1])
    assert list(found) == sorted(found)
    assert sorted(size for _, size in found) == sorted(sorted(items, reverse=True)[:count])


def shares(*values: float, half: float = 0.05) -> list[tuple]:
    total = sum(max(0.0, value) for value in values) or 1.0
    rows = []
    for name, value in zip("abcdef", values, strict=False):
        share = max(0.0, value) / total
        rows.append(("shapley_information", name, None, value, value - half, value + half))
        rows.append(("shapley_share", name, None, share, share - half, share + half))
    return rows


APART = [("label_difference", "a", "b", 0.3, 0.2, 0.4)]
ALIKE = [("label_difference", "a", "b", 0.1, -0.1, 0.3)]


@pytest.mark.parametrize(
    ("limits", "values", "differences", "words"),
    [
        ((0.96, 0.99), (0.3, 0.3), ALIKE, "spread evenly over the modalities: balance 0.975 (0.96"),
        (
            (0.96, 0.99),
            (0.3, 0.3),
            APART,
            "nearly even, although a knows more than any other",
        ),
        (
            (0.70, 0.90),
            (0.6, 0.2),
            APART,
            "spread unevenly over the modalities: balance 0.80 (0.70",
        ),
        ((0.70, 0.90), (0.6, 0.2), ALIKE, "Whether information is spread evenly is not settled"),
        ((0.20, 0.40), (0.9, 0.1), APART, "carried mostly by one modality, a (90\xa0%): balance"),
        ((0.20, 0.40), (0.9, 0.1), ALIKE, "Whether information is spread evenly is not settled"),
        ((0.20, 0.40), (0.1, 0.9), APART, "spread unevenly over the modalities"),
        (
            (0.20, 0.40),
            (0.5, 0.5),
            APART,
            "spread unevenly over the modalities: balance 0.30 (0.20",
        ),
        ((0.80, 0.98), (0.6, 0.4), APART, "Whether information is spread evenly is not settled"),
        ((0.20, 0.99), (0.6, 0.4), APART, "Whether information is spread evenly is not settled"),
        ((np.nan, np.nan), (0.6, 0.4), APART, "How evenly information is spread is not settled"),
    ],
)
def test_balance_is_worded_by_its_interval_and_by_who_stands_apart(
    limits, values, differences, words
):
    middle = 0.5 if np.isnan(limits).any() else sum(limits) / 2
    rows = [about("a", 0.5), about("b", 0.2), *differences, *shares(*values)]
    rows.append(("balance", None, None, middle, *limits))
    view = information_view(table(*rows), ["a", "b"])
    assert words in view.balance.sentence


def test_shares_that_are_close_beside_a_pair_that_is_separable():
    rows = [about("a", 0.5), about("b", 0.45), about("c", 0.4), *shares(0.3, 0.3, 0.3)]
    rows += [apart("a", "b", 0.05), apart("b", "c", 0.05), apart("a", "c", 0.3)]
    rows.append(("balance", None, None, 0.97, 0.96, 0.98))
    view = information_view(table(*rows), ["a", "b", "c"])
    assert view.strongest is None
    assert "nearly even, although some know more than others" in view.balance.sentence


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [about("a", 0.01, p=0.5), about("b", 0.0, p=0.7), *shares(0.01, 0.0)],
            "No modality is shown to carry information",
        ),
        ([about("a", 0.1), *shares(0.0, -0.01)], "How information is shared out is not settled"),
    ],
    ids=["all inside their null", "nothing to share"],
)
def test_shares_of_nothing_are_not_worded(rows, words):
    rows = [*rows, ("balance", None, None, 0.99, 0.97, 1.0)]
    view = information_view(table(*rows), ["a", "b"])
    assert view.balance.sentence.startswith(words)


def apart(first: str, second: str, value: float) -> tuple:
    return ("label_difference", first, second, value, value - 0.1, value + 0.1)


@pytest.mark.parametrize(
    ("differences", "sentence"),
    [
        (
            [
                apart("mirna", "rna", 0.05),
                *(apart(x, "methylation", 0.5) for x in ("mirna", "rna")),
            ],
            "methylation carries the least information; the others are not separable.",
        ),
        (
            [
                *(apart("mirna", name, 0.05) for name in ("rna", "methylation")),
                apart("rna", "methylation", 0.5),
            ],
            "The order of modalities is open: mirna and rna; mirna and methylation are"
            " not separable.",
        ),
        (
            [apart(*pair, 0.05) for pair in combinations(("mirna", "rna", "methylation"), 2)],
            "The order of modalities is open: the modalities are not separable.",
        ),
    ],
)
def test_pairs_that_are_not_separable_are_named(differences, sentence):
    rows = [about("rna", 0.9), about("mirna", 0.9), about("methylation", 0.4), *differences]
    view = information_view(table(*rows), Names().modalities)
    headline, told = statements(view, Names())
    assert told[0] == sentence
    assert headline.endswith("has the highest estimate, but does not stand apart.")
    words = {"first": 0.5, "not": 0.05}
    for contrast, row in zip(view.contrasts, differences, strict=True):
        expected = f"{row[1]} has more" if row[3] == words["first"] else "not separable"
        assert contrast.verdict == expected


def test_a_bound_below_zero_shows_nothing_whatever_its_p():
    view = information_view(table(about("a", -0.01, p=0.01), about("b", 0.3)), ["a", "b"])
    assert [row.exceeds for row in view.label] == [False, True]


def parts(first: str, second: str, both: float, one: float, two: float) -> list[tuple]:
    kinds = ("redundant_information", "unique_information", "unique_of_other")
    return [
        (kind, first, second, value, value - 0.05, value + 0.05)
        for kind, value in zip(kinds, (both, one, two), strict=True)
    ]


def test_redundancy_is_told_of_the_highest_estimate_against_all_others():
    rows = [about("rna", 0.5), about("mirna", 0.4), about("methylation", 0.3)]
    rows += parts("mirna", "rna", 0.1, 0.2, 0.3)
    rows += parts("rna", "methylation+mirna", 0.41, 0.09, 0.02)
    headline, told = statements(information_view(table(*rows), Names().modalities), Names())
    assert "does not stand apart" in headline
    assert told[-1] == (
        "Of what rna carries, 0.410 (0.360 to 0.460) nats are shared with the others together;"
        " 0.090 (0.040 to 0.140) nats are unique to it."
    )


def test_redundancy_of_two_modalities_is_told_from_either_side():
    names = Names(modalities=("rna", "mirna"))
    rows = [about("rna", 0.5), about("mirna", 0.4), *parts("mirna", "rna", 0.4, 0.3, 0.02)]
    _, told = statements(information_view(table(*rows), names.modalities), names)
    assert told[-1] == (
        "Of what rna carries, 0.400 (0.350 to 0.450) nats are shared with mirna; nothing is shown"
        " to be unique to it."
    )


@pytest.mark.parametrize(
    "rows",
    [
        [about("rna", 0.5), *parts("mirna", "rna", 0.4, 0.3, 0.2)],
        [about("rna", 0.0, p=0.5), *parts("rna", "methylation+mirna", 0.0, 0.1, 0.2)],
        [about("rna", 0.5), *parts("rna", "methylation+mirna", 0.0, 0.1, 0.2)[1:]],
    ],
    ids=["the rest is not known", "no information", "redundancy is missing"],
)
def test_redundancy_is_not_told_without_ground(rows):
    _, told = statements(information_view(table(*rows), Names().modalities), Names())
    assert not [text for text in told if text.startswith("Of what")]


def test_balance_and_redundancy_are_two_sentences_of_the_answer():
    _, told = statements(made(Names()), Names())
    assert told[-2].startswith("Information is spread unevenly")
    assert told[-1].startswith("Of what rna carries, 0.140")


PAIRS = compared(
    ("a", "b", 0.5, 0.1, 0.4, 0.2, 0.6, "gain", 0.05, 0.01, 0.09),
    ("b", "a", 0.5, 0.8, -0.3, -0.5, -0.1, "no gain", 0.05, 0.01, 0.09),
    ("a", "c", 0.5, 0.8, -0.4, -0.5, -0.1, "no gain", -0.05, -0.09, -0.01),
    ("c", "a", 0.5, 0.3, 0.2, 0.1, 0.3, "gain", 0.01, -0.01, 0.03),
    ("b", "c", 0.5, 0.4, 0.1, -0.1, 0.3, "undecided", 0.05, 0.01, 0.09),
    ("c", "b", 0.5, 0.5, 0.0, -0.1, 0.1, "undecided", np.nan, np.nan, np.nan),
)


def test_agreement_counts_only_pairs_whose_intervals_both_exclude_zero():
    view = information_view(table(about("a", 0.5)), "abc", None, PAIRS)
    agrees = {(row.teacher, row.student): row.agrees for row in view.margins}
    assert agrees == {
        ("a", "b"): True,
        ("b", "a"): False,
        ("a", "c"): True,
        ("c", "a"): None,
        ("b", "c"): None,
        ("c", "b"): None,
    }
    found = view.agreement
    assert (found.judged, found.agreeing, found.undecided, found.unobserved) == (3, 2, 2, 1)
    assert found.sentence == (
        "Prediction and observation agree on 2 of 3 pairs that can be judged, where both intervals"
        " exclude zero (2 undecided, 1 not observed)."
    )
    undecided = information_view(table(about("a", 0.5)), "abc", None, PAIRS.iloc[3:5]).agreement
    assert undecided.sentence == (
        "Pair by pair, prediction and observation cannot be compared: of each pair that was"
        " observed, the interval of the margin or of the gain holds zero or is not known (2"
        " undecided)."
    )


def test_observed_gains_have_the_verdict_of_their_interval():
    view = information_view(table(about("a", 0.5)), "abc", None, PAIRS)
    assert [row.outcome for row in view.margins] == [
        "gain supported",
        "no difference shown",
        "gain supported",
        None,
        "gain supported",
        "loss supported",
    ]


def test_compared_margins_replace_those_of_the_information_table():
    rows = [
        ("complementarity_margin", "a", "b", 0.9, 0.8, 1.0),
        ("complementarity_margin", "c", "d", 0.1, -0.1, 0.3),
        ("student_information", "c", "d", 0.25),
        ("representation_information", "d", "c", 0.35),
    ]
    view = information_view(table(*rows), "abcd", None, PAIRS.iloc[:1])
    first, second = view.margins
    assert (first.teacher, first.estimate, first.shared, first.student_label) == (
        "a",
        0.4,
        0.5,
        0.1,
    )
    assert (second.estimate, second.shared, second.student_label) == (0.1, 0.35, 0.25)
    assert (second.predicted, second.observed, second.outcome) == ("undecided", None, None)


def test_nothing_observed_is_no_agreement():
    unseen = PAIRS.assign(observed_gain=np.nan, observed_lower=np.nan, observed_upper=np.nan)
    view = information_view(table(about("a", 0.5)), "abc", None, unseen)
    assert view.agreement is None
    assert {row.predicted for row in view.margins} == {"gain", "no gain", "undecided"}


def test_refusals_are_grouped_by_topic_and_reason():
    few, alone = "12 samples; at least 30 are needed", "all of one class"
    rows = [
        about("a", 0.5),
        refused("label_information", "b", None, few),
        refused("label_extrapolated", "b", None, few),
        refused("label_information", "c", None, alone),
        refused("complementarity_margin", "a", "b", few),
        refused("complementarity_margin", "b", "a", few),
        refused("redundant_information", "a", "b+c", few),
        refused("balance", None, None, few),
    ]
    view = information_view(table(*rows), "abc")
    assert [(row.topic, row.which, row.reason) for row in view.refusals] == [
        ("information about the label", ("b",), few),
        ("information about the label", ("c",), alone),
        ("complementarity margin", ("a → b", "b → a"), few),
        ("redundant, unique and synergistic parts", ("a and b + c",), few),
        ("shares and balance", (), few),
    ]
    assert [row.modality for row in view.label] == ["a"]


def test_with_everything_refused_the_answer_says_why():
    names = Names(refusal="12 samples; at least 30 are needed")
    view = made(names)
    assert view.shown
    assert view.label + view.subsets + view.pairs + view.parts + view.shares == ()
    assert (view.balance, view.margins, view.agreement) == (None, (), None)
    headline, told = statements(view, names)
    assert headline == "Information could not be estimated."
    assert told == ["methylation, mirna and rna: 12 samples; at least 30 are needed."]


def test_tables_with_fewer_quantities_and_columns_still_read():
    full = make_information(Names())
    old = full[full["quantity"].isin(OLD)].drop(columns=["status", "reason"])
    view = information_view(old, Names().modalities)
    new = made(Names())
    assert [row.estimate for row in view.label] == [row.estimate for row in new.label]
    assert [row.estimate for row in view.margins] == [row.estimate for row in new.margins]
    assert [row.gaussian for row in view.pairs] == [row.gaussian for row in new.pairs]
    assert view.subsets + view.parts + view.shares + view.refusals == ()
    assert view.pair_cells == {}
    assert not information_view(full.iloc[:0], Names().modalities).shown


def test_synthetic_margins_agree_between_both_tables():
    view = information_view(
        make_information(Names()), Names().modalities, None, make_complementarity(Names())
    )
    assert [row.estimate for row in view.margins] == [row.estimate for row in made(Names()).margins]
    found = view.agreement
    assert (found.judged, found.agreeing, found.undecided, found.unobserved) == (2, 1, 3, 1)


@pytest.mark.parametrize(
    ("lower", "shown"), [(0.01, True), (1e-16, False), (0.0, False), (-0.1, False), (None, False)]
)
def test_an_amount_is_shown_where_readers_see_its_limit_above_zero(lower, shown):
    assert Amount(0.1, lower, 0.2).shown is shown


def test_p_values_are_told_with_their_letter():
    assert (with_p(0.01), with_p(0.0001)) == ("p\xa0=\xa00.010", "p\xa0<0.001")


def observed(*rows: tuple) -> pd.DataFrame:
    """Return margins beside gains: the sign of the margin, and that of the observed gain."""
    pairs = [(x, y) for x in "abc" for y in "abc" if x != y]
    words = {1: "gain", -1: "no gain", 0: "undecided"}
    return compared(
        *(
            (*pair, 0.5, 0.1, *around(margin), words[margin], *around(gain))
            for pair, (margin, gain) in zip(pairs, rows, strict=False)
        )
    )


def around(sign: int) -> tuple[float, float, float]:
    return 0.2 * sign, 0.2 * sign - 0.1, 0.2 * sign + 0.1


INFORMED = [about("a", 0.5), about("b", 0.5), about("c", 0.5)]


@pytest.mark.parametrize(
    ("rows", "short", "start"),
    [
        (
            [(1, 0)] * 6,
            "undecided",
            "Undecided: a gain was predicted for 6 of 6 pairs and observed for 0.",
        ),
        ([(1, -1)] * 6, "undecided", "Undecided: a gain was predicted for 6 of 6"),
        ([(1, 1)] * 2 + [(1, 0)] * 4, "undecided", "Undecided: a gain was predicted for 6 of 6"),
        ([(1, 1)] * 3 + [(1, 0)] * 3, "6 of 6 pairs", "Distillation is predicted to help for 6"),
        ([(-1, 1)] * 4 + [(0, 0)] * 2, "undecided", "Undecided: a gain was predicted for 0 of 6"),
        ([(-1, 0)] * 6, "0 of 6 pairs", "Distillation is not predicted to help"),
    ],
)
def test_predictions_that_observations_refute_are_undecided(rows, short, start):
    view = information_view(table(*INFORMED), "abc", None, observed(*rows))
    found = prospect(view.margins)
    assert found.short == short
    assert found.sentence.startswith(start)
    refuted = short == "undecided"
    assert any(row.told.startswith("undecided, since") for row in view.margins) == refuted
    assert not (refuted and any(row.advised for row in view.margins))
    # What was predicted is still judged.
    assert view.agreement == agreement_of([replace(row, expected="gain") for row in view.margins])


def test_refuted_gains_are_counted():
    view = information_view(table(*INFORMED), "abc", None, observed(*[(1, 0)] * 6))
    found = prospect(view.margins)
    assert found.sentence == "Undecided: a gain was predicted for 6 of 6 pairs and observed for 0."
    assert found.grounds == (
        "Predicted: a gain for 6 of 6 pairs of teacher and student that show information.",
        "Observed: a gain is supported for 0 of 6 pairs.",
    )


@pytest.mark.parametrize(("n", "told"), [(40, (40, 100)), (100, None)])
def test_estimates_on_part_of_the_samples_are_told(n, told):
    rows = table(("label_entropy", None, None, 1.0), about("a", 0.3)).assign(n=n)
    assert information_view(rows, ["a"], samples=100).drawn == told
    assert information_view(rows, ["a"]).drawn is None
