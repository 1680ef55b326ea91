"""The view of robustness: what is said follows from the intervals, and absence has a reason."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_robustness import (
    CONTROLS,
    ROBUSTNESS,
    make_controls,
    make_robustness,
    make_status,
    settings,
)

from balmi.report.kit.metrics import metric_of
from balmi.report.sections.robustness.figures import (
    MAX_DRAWN,
    looks,
    robustness_figures,
    value_range,
)
from balmi.report.sections.robustness.view import (
    NO_RESULT,
    RobustnessView,
    lacking,
    robustness_view,
)

NAMES = ("rna", "methylation", "mirna")
METHODS = ("balanced", "stacked-lr")


def view(
    robustness: pd.DataFrame | None = None,
    controls: pd.DataFrame | None = None,
    failure: str | None = None,
    followed: str = "macro_f1",
) -> RobustnessView:
    table = make_robustness(NAMES, METHODS, followed) if robustness is None else robustness
    held = make_controls(METHODS) if controls is None else controls
    status = make_status(METHODS, failure)
    tables = {"robustness": table, "controls": held, "robustness_status": status}
    return robustness_view(tables, NAMES, settings(followed))


def effect(lower: float, upper: float) -> pd.DataFrame:
    """Return one dropped modality with this interval."""
    middle = (lower + upper) / 2
    cells = ("balanced", "dropped", "rna", None, "macro_f1", 0.5, 0.4, 0.6)
    return pd.DataFrame([(*cells, middle, lower, upper, 5)], columns=ROBUSTNESS)


def test_lost_modalities_are_told_from_their_intervals():
    (sentence,) = view().told["dropped"].sentences
    # Dropping takes .8 of what a modality adds: .32, .14 and nothing.
    assert sentence == (
        "For balanced: without rna macro-F1 falls by 0.256 (0.226 to 0.286); without methylation"
        " macro-F1 falls by 0.112 (0.082 to 0.142); losing mirna is not shown to matter."
    )


@given(st.floats(-0.5, 0.5), st.floats(0, 0.5))
def test_a_fall_is_told_only_where_the_interval_excludes_zero(lower, width):
    (sentence,) = view(effect(lower, lower + width)).told["dropped"].sentences
    assert ("falls" in sentence) == (lower + width < 0)
    assert ("rises" in sentence) == (lower > 0)
    assert ("not shown" in sentence) == (lower <= 0 <= lower + width)


@pytest.mark.parametrize(
    ("followed", "name", "verb", "still"),
    [
        ("balanced_accuracy", "balanced accuracy", "falls", "lower"),
        ("mcc", "Matthews correlation", "falls", "lower"),
        ("log_loss", "log-loss", "rises", "higher"),
        ("brier", "Brier score", "rises", "higher"),
    ],
)
def test_what_harms_follows_the_direction_of_the_metric(followed, name, verb, still):
    found = view(followed=followed)
    (sentence,) = found.told["dropped"].sentences
    assert sentence == (
        f"For balanced: without rna {name} {verb} by 0.256 (0.226 to 0.286); without methylation"
        f" {name} {verb} by 0.112 (0.082 to 0.142); losing mirna is not shown to matter."
    )
    sentence = " ".join(found.told["noise"].sentences)
    assert "noise on methylation is shown to harm from 0.5 standard deviations on" in sentence
    assert "noise on mirna is not shown to harm up to 4 standard deviations" in sentence
    first, _ = found.told["share"].sentences
    assert f"training samples: {name} " in first
    assert first.endswith(f"still {still} than with all: more samples are likely to help.")
    drawn = [part for each in robustness_figures(found, NAMES).values() for part in each.parts]
    assert all("macro-F1" not in part.inline.lower() for part in drawn)
    assert all(name.lower() in part.inline.lower() for part in drawn)


def test_noise_is_told_from_the_first_level_that_harms():
    sentence = " ".join(view().told["noise"].sentences)
    # .14 (1 - exp(-.5 / 1.5)) = .040 with half an interval of .03.
    assert "noise on methylation is shown to harm from 0.5 standard deviations on" in sentence
    assert "at 4 the difference is −0.130 (−0.160 to −0.100)" in sentence
    assert "noise on mirna is not shown to harm up to 4 standard deviations" in sentence


def test_training_shares_are_told_for_every_method():
    first, second = view().told["share"].sentences
    # .22 (1 - .1)^2 = .178 and .22 (1 - .5)^2 = .055.
    assert first.startswith("balanced with 10\N{NO-BREAK SPACE}% of the training samples")
    assert "−0.178 (−0.208 to −0.148)" in first
    assert first.endswith("still lower than with all: more samples are likely to help.")
    assert second.startswith("stacked-lr with 10")


def test_a_control_above_chance_is_named():
    rows = view(controls=make_controls(METHODS, leak=0.8))
    words = ["above chance"] * 2 + ["not above chance"] * 2
    assert [row.reading for row in rows.controls] == words
    (sentence,) = rows.told["controls"].sentences
    assert sentence == (
        "Above chance on data without signal: balanced and stacked-lr on noise that holds the"
        " labels of test samples alone. Something leaks."
    )


def test_a_control_without_an_interval_is_not_judged():
    controls = make_controls(METHODS).assign(lower=None, upper=None, lower99=None)
    rows = view(controls=controls)
    assert {row.reading for row in rows.controls} == {"not judged"}
    assert rows.told["controls"].sentences == ("4 controls of 4 cannot be judged.",)


@pytest.mark.parametrize(
    ("chosen", "part", "reason"),
    [
        ({"methods": []}, "noise", "Not run: robustness.methods is empty."),
        ({"methods": ["snf"]}, "share", "Not run: none of robustness.methods is among methods."),
        ({"noise": []}, "noise", "Not run: robustness.noise is empty."),
        ({"shares": []}, "share", "Not run: robustness.shares is empty."),
        ({"controls": False}, "controls", "Not run: robustness.controls is false."),
        ({}, "dropped", NO_RESULT),
    ],
)
def test_what_was_not_run_has_a_reason(chosen, part, reason):
    tables = {
        "robustness": pd.DataFrame(columns=ROBUSTNESS),
        "controls": pd.DataFrame(columns=CONTROLS),
        "robustness_status": make_status(()),
    }
    empty = robustness_view(tables, NAMES, settings(**chosen))
    assert empty.told[part].reason == reason
    assert not empty.told[part].sentences
    assert not robustness_figures(empty, NAMES)


def test_one_fold_has_no_interval_and_no_verdict():
    table = make_robustness(NAMES, METHODS)
    limits = ["lower", "upper", "difference_lower", "difference_upper"]
    table[limits] = float("nan")
    found = view(table)
    assert found.told["dropped"].sentences == ("One fold gives no interval, so nothing is shown.",)
    figures = robustness_figures(found, NAMES)
    assert set(figures) == {"noise", "lost", "share"}
    assert all("NaN" not in part.inline for each in figures.values() for part in each.parts)


def test_all_panels_share_one_range_that_holds_every_band():
    found = view()
    least, most = value_range(found)
    # The lowest band: rna at 4, .69 - .298 - .04 = .352; the highest .71 + .04 = .75.
    assert (least, most) == (0.35, 0.75)
    charts = [part.chart for part in robustness_figures(found, NAMES)["noise"].parts]
    scales = (chart.to_dict()["layer"][0]["encoding"]["y"]["scale"] for chart in charts)
    domains = {tuple(scale["domain"]) for scale in scales}
    assert domains == {(least, most)}


def test_no_more_methods_are_drawn_than_looks_tell_apart():
    many = ("balanced", "stacked-lr", "a", "b", "c", "d")
    table = pd.concat(
        [make_robustness(NAMES, ["balanced"]).assign(method=name) for name in reversed(many)]
    )
    found = view(table)
    assert found.methods == many
    assert list(looks(found)) == list(many[:MAX_DRAWN])
    assert len(found.lost) == len(NAMES) * len(many)


@pytest.mark.parametrize(("followed", "sign"), [("macro_f1", 1), ("log_loss", -1)])
def test_tables_begin_with_what_harms_most(followed, sign):
    found = view(followed=followed)
    lost = [sign * dropped.difference.estimate for _, _, dropped, _ in found.lost]
    assert lost == sorted(lost)
    noisy = [sign * sweep.effects[-1].difference.estimate for _, sweep in found.noisy]
    assert noisy == sorted(noisy)
    assert len(noisy) == len(NAMES) * len(METHODS)


def test_bands_end_where_macro_f1_ends():
    table = make_robustness(NAMES, METHODS)
    table.loc[table["metric"] == "macro_f1", "upper"] = 1.2
    found = view(table)
    assert value_range(found)[1] == 1
    chart = robustness_figures(found, NAMES)["share"].chart.to_dict()
    records = chart["datasets"][chart["layer"][0]["data"]["name"]]
    assert {row["upper"] for row in records} == {1}


@pytest.mark.parametrize(
    ("followed", "ends"),
    [("mcc", (-1, 1)), ("log_loss", (0, 3.7)), ("brier", (0, 2)), ("macro_auroc", (0, 1))],
)
def test_the_range_ends_where_the_metric_ends(followed, ends):
    table = make_robustness(NAMES, METHODS, followed)
    chosen = table["metric"] == followed
    table.loc[chosen, ["lower", "upper"]] = (-1.2, 3.7)
    assert value_range(view(table, followed=followed)) == ends


def test_runs_without_a_result_are_told_with_the_reason():
    assert not view().unfinished
    found = view(failure="out of memory").unfinished
    assert [(row.method, row.status, row.reason) for row in found] == [
        (method, "failed", "out of memory") for method in METHODS
    ]
    assert {row.what for row in found} == {"10\N{NO-BREAK SPACE}% of the training samples"}


def test_several_modalities_that_are_not_shown_to_matter_are_alternatives():
    table = make_robustness(NAMES, METHODS)
    idle = table["modality"] != "rna"
    table.loc[idle, ["difference_lower", "difference_upper"]] = (-0.1, 0.1)
    found = view(table).told
    ending = "losing methylation or mirna is not shown to matter."
    assert found["dropped"].sentences[0].endswith(ending)
    ending = "noise on methylation or mirna is not shown to harm up to 4 standard deviations."
    assert found["noise"].sentences[-1].endswith(ending)


@pytest.mark.parametrize(("half", "wide"), [(0.05, False), (0.3, True)])
def test_wide_intervals_of_controls_are_told(half, wide):
    controls = make_controls(METHODS).assign(lower=0.5 - half, upper=0.5 + half)
    (sentence,) = view(controls=controls).told["controls"].sentences
    assert sentence.startswith("No control is shown to be above" if wide else "All controls")
    assert ("too wide to exclude a leak" in sentence) == wide


def test_a_metric_without_a_value_is_told_from_methods_without_a_result():
    scores = pd.DataFrame({"metric": ["macro_f1", "log_loss"]})
    assert lacking(scores, metric_of("macro_f1")) == NO_RESULT
    assert lacking(scores.iloc[:0], metric_of("mcc")) == NO_RESULT
    assert lacking(scores, metric_of("mcc")).startswith(
        "No result: Matthews correlation has no value in the test folds"
    )
