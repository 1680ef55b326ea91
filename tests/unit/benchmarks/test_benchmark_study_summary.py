"""The study's tables on made scores whose differences are known by hand."""

from itertools import product

import pandas as pd
import pytest

from balmi.evaluation.statistics import Interval
from balmi.evaluation.verdicts import Verdict
from study.accept import Requirement, requirements
from study.compare import Cell, Scores
from study.plan import load_study
from study.summarise import between, called, effect, number, stands, summarise

CONFIG = {
    "phase": "confirm",
    "phases": {"confirm": {"seed": 100, "summary": "results/study"}},
    "settings": {"evaluation": {"repeats": 2, "folds": 2}},
    "cohorts": {
        "kipan": {"weakest": "mirna"},
        "lgg": {"weakest": "rna", "shuffled_labels": True},
        "simulated-interaction": {},
    },
    "derived": {
        "controls": ["noise", "shuffled", "without", "duplicated"],
        "shares": [0.1],
        "variants": ["balanced", "stacked-lr"],
    },
    "variants": {
        "balanced": {},
        "stacked-lr": {},
        "no-teacher": {"distillation": {"teacher": "none"}},
        "rule-uniform": {"training": {"balancing": "uniform"}},
        "rule-ogm": {"reference": "rule-uniform", "training": {"balancing": "ogm"}},
    },
}
WIGGLE = (0.0, 0.01, -0.01, 0.0)  # over folds, the same for all
LEVELS = {"balanced": 0.70, "stacked-lr": 0.68, "no-teacher": 0.69, "rule-uniform": 0.65}
LEVELS["rule-ogm"] = 0.60


@pytest.fixture(scope="module")
def study():
    return load_study(CONFIG)


def made(study, moved):
    """Return scores: a level per variant, moved for some cells, and log-loss 1 less macro-F1."""
    rows = []
    for name, cohort in study.cohorts.items():
        for variant, (place, step) in product(cohort.variants, enumerate(WIGGLE)):
            # The folds of `no-teacher` vary by their own, so that its difference is unsure.
            own = (0.04, -0.05, 0.05, -0.04)[place] if variant == "no-teacher" else 0
            value = LEVELS[variant] + moved.get((name, variant), 0) + step + own
            fold = {"repeat": place // 2, "fold": place % 2}
            aside = moved.get((name, variant, "macro_auroc"), 0)
            scores = {"macro_f1": value, "log_loss": 1 - value, "macro_auroc": 0.5 + step + aside}
            rows += [
                {"cohort": name, "variant": variant, **fold, "metric": metric, "value": score}
                for metric, score in scores.items()
            ]
    ratios = dict.fromkeys(study.cohorts, 1.0)
    return Scores(pd.DataFrame(rows), ratios)


def ended(study):
    rows = [
        (name, variant, "ok", None, 9.0)
        for name, cohort in study.cohorts.items()
        for variant in cohort.variants
    ]
    return pd.DataFrame(rows, columns=["cohort", "variant", "status", "reason", "seconds"])


def test_differences_by_hand(study):
    scores = made(study, {("kipan", "balanced"): 0.02})
    gap = scores.gap("kipan", "balanced", "stacked-lr", "macro_f1")
    assert (gap.mean, gap.lower, gap.upper) == pytest.approx((0.04, 0.04, 0.04))
    mean = scores.gap(["kipan", "lgg"], "balanced", "stacked-lr", "log_loss")
    assert mean.mean == pytest.approx(-0.03)
    # Around .01 by -.04, .05, -.05, .04: variance .0082 / 3, times 1/4 + 1.
    error = (0.0082 / 3 * 1.25) ** 0.5
    unsure = scores.gap("lgg", "balanced", "no-teacher", "macro_f1")
    assert unsure.mean == pytest.approx(0.01)
    assert unsure.upper - unsure.mean == pytest.approx(3.182446 * error, rel=1e-6)


def test_what_was_not_run_has_no_difference(study):
    scores = made(study, {})
    assert scores.gap("kipan", "balanced", "snf", "macro_f1") is None
    assert scores.gap(["kipan", "tcga-brca"], "balanced", "stacked-lr", "macro_f1") is None
    assert scores.gap([], "balanced", "stacked-lr", "macro_f1") is None


def test_pairs_need_the_same_folds(study):
    scores = made(study, {})
    short = scores.table[~((scores.table["variant"] == "stacked-lr") & (scores.table["fold"] == 1))]
    with pytest.raises(ValueError, match="different folds"):
        Scores(short, scores.ratios).gap("kipan", "balanced", "stacked-lr", "macro_f1")


def test_requirements_by_hand(study):
    moved = {
        ("kipan", "balanced"): -0.026,  # -.006 less stacking
        ("kipan-noise", "balanced"): 0.011,
        ("lgg-share-0.1", "balanced"): -0.029,  # -.009
        ("simulated-interaction", "balanced"): 0.25,
        ("simulated-interaction", "stacked-lr", "macro_auroc"): 0.01,
    }
    wanted = requirements(study, made(study, moved))
    found = {each.what: each for each in wanted}
    kipan = found["kipan: macro-F1 less that of `stacked-lr`"]
    assert (kipan.met, kipan.margin) == (False, pytest.approx(-0.001))
    assert found["lgg: macro-F1 less that of `stacked-lr`"].margin == pytest.approx(0.025)
    mean = found["mean over 2 cohorts: macro-F1 less that of `stacked-lr`"]
    assert (mean.met, mean.value) == (True, pytest.approx(0.007))
    noise = "distance of macro-F1 with {} from that without the modality"
    assert found[f"kipan: {noise.format('noise')}"].met is False
    assert found[f"kipan: {noise.format('shuffled')}"].met is True
    share = "a tenth of the training samples: macro-F1 less that of `stacked-lr`"
    assert found[f"lgg, {share}"].margin == pytest.approx(0.001)
    assert found["simulated-interaction: macro-F1"].value == pytest.approx(0.95)
    peer = found["simulated-interaction: distance of `stacked-lr` from chance, macro-AUROC"]
    assert (peer.met, peer.value) == (True, pytest.approx(0.01))
    absent = [each for each in wanted if each.met is None]
    assert [each.what[:15] for each in absent] == ["tcga-brca-trio:"] * 2


@pytest.mark.parametrize(
    ("value", "lowest", "strict", "met"),
    [(0.0, True, False, True), (0.0, True, True, False), (0.1, False, False, False)],
)
def test_bounds(value, lowest, strict, met):
    assert Requirement("x", 0, value, lowest, strict).met is met


def test_words():
    sure, unsure = Interval(0.02, 0.01, 0.03, 0.02), Interval(0.02, -0.01, 0.05, 0.2)
    assert called(sure, "macro_f1") is Verdict.GAIN
    assert called(sure, "log_loss") is Verdict.LOSS
    assert effect(sure, "macro_f1", stands=True) == "adds"
    assert effect(sure, "macro_f1", stands=False) == "adds, but not after Holm"
    assert effect(sure, "log_loss", stands=True) == "costs"
    assert effect(unsure, "macro_f1", stands=False) == "nothing shown"
    # Two comparisons: .02 * 2 = .04 and max(.04, .2) = .2; what is absent is not counted.
    assert stands([unsure, None, sure]) == [False, False, True]
    assert stands([sure, sure, sure]) == [False, False, False]
    assert between(sure) == "+0.020 (+0.010 to +0.030)"
    assert [number(-0.0001, signed=True), number(None)] == ["0.000", "–"]


def test_the_whole_text(study):
    scores = made(study, {("kipan-without", "balanced"): -0.01})
    ends = ended(study)
    ends.loc[0, ["status", "reason"]] = ["failed", "the loss is not finite"]
    text = summarise(study, scores, ends)
    assert "| kipan | balanced | failed | the loss is not finite |" in text
    assert "| kipan-noise less kipan-without | `balanced` | +0.010 (+0.010 to +0.010) |" in text
    assert "| kipan-duplicated less kipan | `balanced` | 0.000 (0.000 to 0.000) |" in text
    assert "| lgg-shuffled-labels | `balanced` | 0.700 | 0.300 | 0.000 (" in text
    parts, rules = text.split("## What each part")[1].split("## Balancing rules")
    part = next(line for line in parts.splitlines() if line.startswith("| `no-teacher`"))
    assert part.count("| +0.010 (-0.") == 4
    assert part.endswith("| nothing shown |")
    rule = next(line for line in rules.splitlines() if line.startswith("| `rule-ogm`"))
    assert rule.count("-0.050 (-0.050 to -0.050) †") == 4
    assert rule.endswith("| costs |")
    assert "rule-" not in parts
    assert "`no-teacher`" not in rules.split("## Controls")[0]
    shares = text.split("## Fewer training samples")[1]
    assert "| kipan | 0.1 | 0.700 | 0.680 | +0.020 (+0.020 to +0.020) | gain supported |" in shares
    assert "Made by `make study PHASE=confirm`" in text
    assert scores.mean(Cell("kipan", "balanced"), "macro_f1") == pytest.approx(0.70)
