"""Two sentences of one page never contradict: all that is told, over a grid of cohorts."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from synthetic_comparisons import EVERY_VERDICT, GAIN, LOSS, METHODS, NONE, lacking, row, tables
from synthetic_report import COMPLEMENTARITY, INFORMATION, Names, make_cohort, make_trust
from synthetic_robustness import make_contributions, make_controls, make_robustness, make_status

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.checklist import CHECKS
from balmi.evaluation.decision import Case, decide
from balmi.report.conclusions.combining import headline
from balmi.report.conclusions.questions import MOST_WORDS, conclusions
from balmi.report.sections.cohort.view import cohort_view
from balmi.report.sections.contributions.view import contributions_view
from balmi.report.sections.information.view import information_view
from balmi.report.sections.performance.design import Design
from balmi.report.sections.performance.scores import Score
from balmi.report.sections.performance.view import MethodRow, PerformanceView, differences_view
from balmi.report.sections.robustness.view import robustness_view
from balmi.report.sections.verdict.answers import Views, answers, tiles
from balmi.report.sections.verdict.trust import trust_view
from balmi.report.view import concluded, supports
from balmi.tables.contract import TABLES

MODALITIES = ("rna", "mirna")
FOLLOWED = PrimaryMetric.MACRO_F1

# Patterns that may not stand on one page.
NEVER = (
    ("helps|Combining gains", r"One modality|No gain is shown|Undecided: \d|cannot be judged:"),
    ("helps|Combining gains", r"Verdict withheld|No method is shown|measurements are not shown"),
    (r"helps|Combining gains", r"The network loses|verdict of the primary: (?!gain)"),
    (
        r"(No method is shown|Undecided: \d|Verdict withheld|cannot be judged:)",
        r"\[gain supported\]",
    ),
    (
        r"(No method is shown|Undecided: \d|Verdict withheld|cannot be judged:)",
        r"\[loss supported\]",
    ),
    (
        "No method is shown|measurements are not shown|Verdict withheld",
        r"carries the|(has|knows) more|spread (un)?evenly|carried mostly|predicted to help for"
        r"|^Predicted|exceeds what permuted|shares are nearly even|Of what \w+ carries|[Uu]ndecided"
        r"|adds 0|stands apart|No modality is shown",
    ),
    (
        "is spread evenly over",
        "carries the (most|least)|(has|knows) more|carried mostly|stands apart from none",
    ),
    ("carried mostly by one modality, rna", "mirna carries the most|order of modalities is open"),
    ("carried mostly by one modality, mirna", "^rna carries the most|order of modalities is open"),
    ("carried mostly|spread unevenly", "the modalities are not separable"),
    ("No modality is shown to carry", "carries the|Of what|exceeds what permuted"),
    ("permuted labels give: rna", "rna carries the most"),
    ("predicted to help for", "Undecided: a gain was|Undecided: the intervals|supported for 0 of"),
    ("^Predicted to help", "Undecided: a gain was|Undecided: the intervals|supported for 0 of"),
    (
        "is not predicted to help",
        "^Predicted to help|Undecided: a gain was|Undecided: the intervals",
    ),
    ("Undecided: a gain was predicted", "agree on [1-9]"),
    # The registry and the longer sentences of the same page.
    ("^Yes:", "No gain is shown|One modality (is|may be) enough|verdict of the primary: (?!gain)"),
    ("^Yes:", r"^(No:|Not shown|Undecided: \d|Unanswered|Unranked)"),
    ("^(Not shown|No:)", "Combining helps|primary: gain"),
    ("^Over all samples, but", "Combining helps|verdict of the primary: (?!gain)"),
    ("^Unanswered: (no method|only who)", r"\[(gain|loss) supported\]|carries the"),
    ("^Undecided: 5 distinct", r"\[(gain|loss) supported\]"),
    ("^No answer", r"supported\]|carries the|^Yes"),
    ("does not stand apart", r"^rna carries the most|^mirna carries the most|\[stands apart\]"),
    (r"\[stands apart\]", "order of modalities is open|the modalities are not separable"),
    ("No modality is shown to carry information", "carries the|knows more than any|exceeds what"),
    ("no sign of a leak", "Inconclusive|Something leaks|Above chance|withheld"),
    ("One modality is enough", "No gain is shown"),
)


def information(rows: list[tuple]) -> pd.DataFrame:
    full = [each + (np.nan,) * (len(INFORMATION) - len(each)) for each in rows]
    return pd.DataFrame(full, columns=INFORMATION).fillna({"n": 100})


LABELS = {
    "apart": (0.5, 0.01, 0.3, 0.01, (0.1, 0.3)),
    "reversed": (0.2, 0.01, 0.5, 0.01, (-0.4, -0.2)),
    "alike": (0.5, 0.01, 0.4, 0.01, (-0.1, 0.3)),
    "one": (0.5, 0.01, 0.0, 0.6, (0.3, 0.6)),
    "nothing": (0.02, 0.5, 0.0, 0.6, (-0.1, 0.1)),
    "apart but nothing": (0.2, 0.3, 0.0, 0.6, (0.1, 0.3)),
}
BALANCES = {"even": (0.96, 0.99), "uneven": (0.7, 0.9), "one": (0.1, 0.3), "open": (0.3, 0.99)}
SHARES = {"first": (0.9, 0.1), "second": (0.1, 0.9), "half": (0.5, 0.5), "none": (0.0, -0.1)}
MARGINS = {"gain": (0.2, 0.1, 0.3), "no gain": (-0.2, -0.3, -0.1), "undecided": (0.0, -0.1, 0.1)}
OUTCOMES = {GAIN: (0.02, 0.01, 0.03), NONE: (0.0, -0.01, 0.01), LOSS: (-0.02, -0.03, -0.01)}


@cache
def informed(label: str, balance: str, share: str, predicted: str, outcome: str | None):
    """Return the view of information where these are known."""
    first, p_first, second, p_second, limits = LABELS[label]
    rows = [
        ("label_entropy", None, None, 1.0),
        ("label_information", "rna", None, first, first - 0.05, first + 0.05, 0.05, p_first),
        ("label_information", "mirna", None, second, second - 0.05, second + 0.05, 0.05, p_second),
        ("label_difference", "rna", "mirna", sum(limits) / 2, *limits),
        ("balance", None, None, sum(BALANCES[balance]) / 2, *BALANCES[balance]),
    ]
    for name, value in zip(MODALITIES, SHARES[share], strict=True):
        rows.append(("shapley_information", name, None, value, value - 0.05, value + 0.05))
        rows.append(("shapley_share", name, None, value, value - 0.05, value + 0.05))
    for kind, value in (("redundant", 0.1), ("unique", 0.4)):
        rows.append((f"{kind}_information", "mirna", "rna", value, value - 0.05, value + 0.05))
    rows.append(("unique_of_other", "mirna", "rna", 0.3, 0.2, 0.4))
    seen = (np.nan,) * 3 if outcome is None else OUTCOMES[outcome]
    margins = [
        (*pair, 0.5, 0.3, *MARGINS[predicted], predicted, *seen)
        for pair in (MODALITIES, MODALITIES[::-1])
    ]
    table = pd.DataFrame(margins, columns=COMPLEMENTARITY)
    return information_view(information(rows), MODALITIES, None, table)


def performed(found: dict[str, pd.DataFrame], decision) -> PerformanceView:
    """Return the view of three methods whose scores are not of interest here."""
    score = Score(0.6, 0.5, 0.7, decision.folds)
    scores = {"macro_f1": score, "macro_auroc": score}
    methods = tuple(MethodRow(name, name == METHODS[0], 60, scores, ()) for name in METHODS)
    design = Design(5, decision.dealt, decision.folds)
    told = differences_view(found["comparisons"], decision)
    scored = {"methods": methods, "closeup": None, "statuses": (), "access": None}
    return PerformanceView(design, ((), ()), **scored, **told)


def viewed(found: dict[str, pd.DataFrame], cohort, view) -> Views:
    """Return the views of a page."""
    decision = decide(found, cohort, FOLLOWED)
    performance, trust = performed(found, decision), trust_view(found["trust"])
    return Views(cohort_view(cohort), performance, concluded(view, decision), trust, decision)


def told(views: Views) -> list[str]:
    """Return every sentence of the page, with a verdict's word in brackets behind it."""
    decision, performance, trust = views.decision, views.performance, views.trust
    lines = [headline(decision), *supports(views)]
    for each in conclusions(views):
        assert 0 < len(each.sentence.split()) <= MOST_WORDS
        lines += [each.sentence, f"[{each.state}]"]
    for answer in answers(views):
        lines += [answer.headline]
        lines += [f"{each.text} [{each.verdict}]" for each in answer.statements]
    lines += [f"{each.label} {each.value} [{each.verdict}]" for each in tiles(views)]
    lines += [f"[{each.verdict}]" for each in (*performance.differences, *performance.beside)]
    lines += [each.verdict for each in views.information.contrasts]
    lines += [each.told for each in views.information.margins if each.obstacle is None]
    lines += [each.detail for each in trust.checks]
    main = performance.difference("balanced", "unimodal-lr")
    if main is not None:
        lines.append(f"verdict of the primary: {main.verdict}")
    if views.information.balance is not None:
        lines.append(views.information.balance.sentence)
    return lines


def contradictions(lines: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of sentences that may not stand together."""
    return [
        (one, other)
        for first, second in NEVER
        for one in lines
        if re.search(first, one)
        for other in lines
        if re.search(second, other)
    ]


@pytest.fixture(scope="module")
def cohorts():
    whole = make_cohort(Names(modalities=MODALITIES, samples=60))
    whole = replace(whole, values={name: np.zeros((60, 3)) for name in MODALITIES})
    return SimpleNamespace(whole=whole, partial=lacking(whole, range(20)))


USUAL = ("apart", "uneven", "first", "gain", GAIN)
SETTINGS = (
    {},
    {"trust": {"absence": "caution"}},
    {"trust": {"leak_control": "fail"}},
    {"trust": {"group_structure": "fail", "absence": "pass"}},
    {"auroc": 0.4},
    {"auroc": {**dict.fromkeys(METHODS, 0.4), "absence-lr": 0.6}},
    {"folds": 5},
    {"p_holm": 0.2},
)


@pytest.mark.parametrize("changes", SETTINGS, ids=str)
def test_verdicts_do_not_contradict(cohorts, changes):
    view, cases = informed(*USUAL), set()
    others = [None, (NONE, GAIN, NONE), (LOSS, NONE, NONE), (None, None, None)]
    for words, complete in product(EVERY_VERDICT[::4], others):
        for cohort in (cohorts.whole, cohorts.partial):
            found = tables(words, complete, **changes)
            views = viewed(found, cohort, view)
            lines, decision = told(views), views.decision
            assert contradictions(lines) == [], (words, complete)
            cases.add(decision.case)
            # A gain is promised where the primary comparison shows it, on the samples that decide.
            promised = [line for line in lines if "helps" in line or "Combining gains" in line]
            assert bool(promised) == decision.gain
            assert ("verdict of the primary: gain supported" in lines) or not promised
    assert len(cases) > (2 if changes in ({}, SETTINGS[1], SETTINGS[7]) else 0)


@pytest.mark.parametrize("changes", [{}, {"auroc": 0.4}, {"trust": {"label_shuffle": "fail"}}])
def test_information_does_not_contradict(cohorts, changes):
    found = tables((GAIN, NONE, NONE), **changes)
    grid = [*product(LABELS, BALANCES, SHARES, ["gain"], [GAIN])]
    grid += [*product(LABELS, ["open"], ["half"], MARGINS, [*OUTCOMES, None])]
    base = viewed(found, cohorts.whole, informed(*USUAL))
    for known in grid:
        view = concluded(informed(*known), base.decision)
        assert contradictions(told(replace(base, information=view))) == [], known


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Information is spread evenly over the modalities.", "rna carries the most information."),
        ("Distillation is predicted to help for 6 of 6 pairs.", "a gain is supported for 0 of 6."),
        ("Combining helps by stacking.", "verdict of the primary: no difference shown"),
        ("All controls are compatible with chance: there is no sign of a leak.", "Inconclusive: x"),
    ],
)
def test_what_pages_used_to_say_together_is_found(first, second):
    assert contradictions([second, first])


AT_CHANCE, WIDE = (0.45, 0.55, 0.43), (0.315, 0.691, 0.2)
DOUBTFUL, ABOVE = (0.51, 0.6, 0.49), (0.6, 0.7, 0.58)


@pytest.mark.parametrize("limits", [AT_CHANCE, WIDE, DOUBTFUL, ABOVE], ids=str)
def test_the_checklist_and_the_section_judge_controls_alike(cohorts, limits):
    cells = dict(zip(("lower", "upper", "lower99"), limits, strict=True))
    controls = make_controls(("balanced",)).assign(**cells)
    evidence = SimpleNamespace(controls=controls)
    checked = [CHECKS[name](evidence) for name in ("leak control", "label shuffle")]
    failed = "Verdict withheld." if any(each.state == "fail" for each in checked) else None
    made = {
        "robustness": make_robustness(MODALITIES, ("balanced",)),
        "controls": controls,
        "robustness_status": make_status(("balanced",)),
    }
    settings = {"robustness": {"methods": []}, "primary_metric": FOLLOWED}
    view = robustness_view(made, MODALITIES, settings, failed)
    lines = [line for part in view.told.values() for line in part.sentences]
    assert contradictions([*lines, *(each.detail for each in checked)]) == []
    assert ("no sign of a leak" in " ".join(lines)) == (checked[0].state == "pass")


def test_what_is_withheld_is_withheld_in_every_section(cohorts):
    reason = "Verdict withheld: the leak control failed."
    made = {
        "robustness": make_robustness(MODALITIES, METHODS[:2]),
        "controls": make_controls(METHODS[:2], leak=0.8),
        "robustness_status": make_status(METHODS[:2]),
        "contributions": make_contributions(MODALITIES, METHODS[:2]),
        "embedding": TABLES["embedding"].empty(),
        "attribution": pd.DataFrame(columns=["class", "modality", "rank", "importance"]),
        "attribution_modalities": pd.DataFrame(columns=["class", "modality"]),
    }
    settings = {"robustness": {"methods": []}, "methods": [], "attribution": {"enabled": False}}
    settings |= {"primary_metric": FOLLOWED}
    view = robustness_view(made, MODALITIES, settings, reason)
    assert {line for part in ("noise", "dropped", "share") for line in view.told[part].sentences}
    for part in ("noise", "dropped", "shuffled", "share"):
        assert view.told[part].sentences == (reason,)
    shares = contributions_view(made, cohorts.whole, settings, reason).shares
    assert {each.sentence for each in shares} == {reason}


def test_underestimated_information_is_told_in_the_answer(cohorts):
    found = tables((GAIN, NONE, NONE))
    low = "Information is underestimated here: of rna 0.2 nats are estimated."
    trust = make_trust({"information": "caution"})
    trust.loc[trust["check"] == "information", "detail"] = low
    lines = told(viewed({**found, "trust": trust}, cohorts.whole, informed(*USUAL)))
    assert f"{low} [None]" in lines


def test_a_mask_that_predicts_is_told(cohorts):
    ranks = dict.fromkeys((*METHODS, "absence-lr"), 0.6)
    found = tables(auroc=ranks, trust={"absence": "caution"})
    mask = row(("balanced", "absence-lr"), GAIN, metric="macro_auroc", samples="complete")
    mask |= {"lower": -0.1}
    found["comparisons"] = pd.concat([found["comparisons"], pd.DataFrame([mask])])
    decision = decide(found, cohorts.partial, FOLLOWED)
    assert decision.case is Case.ONLY_ABSENCE
    lines = told(viewed(found, cohorts.partial, informed(*USUAL)))
    assert lines[0].startswith("Who has which modality predicts the class")
    assert contradictions(lines) == []
