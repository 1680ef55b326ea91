"""The views: every number and word against a hand computation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_report import (
    INFORMATION,
    TRAINING,
    Names,
    bare_views,
    make_cohort,
    make_experts,
)

from balmi.data.cohort import read_roster
from balmi.data.files import read_table
from balmi.evaluation.verdicts import Verdict, verdict
from balmi.numerals import decimal, signed, with_limits
from balmi.report.kit.words import chance, joined, percent, shortened
from balmi.report.sections.cohort.view import cohort_view
from balmi.report.sections.information.view import information_view
from balmi.report.sections.performance.closeup import rule_told
from balmi.report.sections.performance.design import Design, design_view
from balmi.report.sections.provenance.downloads import csv_text, downloads, embedded
from balmi.report.sections.provenance.view import commit, seeds, versions
from balmi.report.sections.training.view import expert_shares, training_view
from balmi.report.sections.verdict.answers import answers, tiles
from balmi.report.view import build_view


@pytest.fixture(scope="module")
def tables(inputs) -> dict[str, pd.DataFrame]:
    return {name: read_table(path) for name, path in inputs.table_paths.items()}


@pytest.fixture(scope="module")
def view(inputs, tables):
    return build_view(inputs.dataset, read_roster(inputs.samples), tables, inputs.settings)


def information(rows: list[tuple]) -> pd.DataFrame:
    full = [row + (np.nan,) * (len(INFORMATION) - len(row)) for row in rows]
    return pd.DataFrame(full, columns=INFORMATION).fillna({"n": 100})


def about(name: str, value: float, p: float = 0.01) -> tuple:
    return ("label_information", name, None, value, value - 0.05, value + 0.05, 0.02, p)


def apart(first: str, second: str, value: float, half: float = 0.1) -> tuple:
    return ("label_difference", first, second, value, value - half, value + half)


def answered(view_of_information):
    views = bare_views(view_of_information, make_cohort(Names()))
    return {answer.question: answer for answer in answers(views)}, tiles(views)


def test_scores_are_those_of_the_summary(view, tables):
    table = tables["summary"]
    scores = [(row.name, None, row.scores) for row in view.performance.methods]
    scores += [("balanced", row.name, row.scores) for row in view.performance.closeup.classes]
    told = 0
    for name, whose, found in scores:
        of_class = table["class"].isna() if whose is None else table["class"] == whose
        own = table[(table["method"] == name) & of_class].set_index("metric")
        for metric, score in found.items():
            row = own.loc[metric]
            assert (score.mean, score.lower, score.upper) == tuple(row[["mean", "lower", "upper"]])
            assert score.folds == 12
            told += 1
    assert told == 10 * 9 + 4 * 5


def test_verdicts_match_their_intervals(view, tables):
    assert len(view.performance.differences) > 8
    for row in (*view.performance.differences, *view.performance.beside):
        supported = row.primary or row.p_holm <= 0.05
        assert row.verdict == (verdict(row.lower, row.upper) if supported else Verdict.NONE)
        assert row.primary == ((row.method, row.reference) == ("balanced", "unimodal-lr"))
    words = {row.verdict for row in view.performance.differences}
    assert len(words) > 1
    shown = {(row.method, row.reference) for row in view.performance.differences}
    main = tables["comparisons"].query("metric == 'macro_f1' and samples == 'all'")
    assert len(main) == len(shown) + view.performance.other_differences


def test_every_statement_about_a_difference_has_its_verdict(view):
    by_pair = {f"{row.method} − {row.reference}": row for row in view.summary.differences}
    statements = [s for answer in view.summary.answers for s in answer.statements if s.verdict]
    told = [s for s in statements if "log-loss" not in s.text and "among" not in s.text]
    # The primary one is told among the complete samples too.
    assert len(statements) == len(told) + 2
    assert len(told) == len(by_pair) == 5
    for statement in told:
        row = next(row for pair, row in by_pair.items() if f"({pair})" in statement.text)
        assert statement.verdict == row.verdict
        assert with_limits(row.difference, row.lower, row.upper, signed) in statement.text


def test_with_one_modality_tiles_are_scores(view):
    bare = bare_views(view.information, make_cohort(Names()))
    several = replace(bare, performance=view.performance)
    alone = replace(
        several, cohort=replace(several.cohort, modalities=several.cohort.modalities[:1])
    )
    assert any("−" in tile.label for tile in tiles(several))
    labels = [tile.label for tile in tiles(alone)]
    assert not any("−" in label for label in labels)
    assert "macro-F1 of balanced" in labels


def test_confusion_counts_each_sample_once_per_repeat(view):
    confusion = view.performance.closeup.confusion
    assert view.performance.closeup.method == "balanced"
    counts = [row.count for row in view.cohort.classes]
    assert np.sum(confusion.counts, axis=1) == pytest.approx(counts)
    assert np.sum(confusion.shares, axis=1) == pytest.approx(np.ones(len(counts)))


def test_cohort_counts_availability():
    cohort = make_cohort(Names())
    view = cohort_view(cohort)
    available = cohort.available
    assert view.samples == len(available) == sum(row.count for row in view.classes)
    assert view.complete == available.all(axis=1).sum()
    assert [row.samples for row in view.modalities] == list(available.sum(axis=0))
    assert sum(row.count for row in view.patterns) == view.samples
    assert view.patterns[0].lacks == ()
    assert view.dropped == (("samples without a label", 3),)


@pytest.mark.parametrize(
    ("what", "asked"),
    [("samples without a label", False), ("labelled samples without any measurement", True)],
)
def test_ids_are_asked_for_only_where_they_may_disagree(view, what, asked):
    views = bare_views(view.information, make_cohort(Names()))
    cohort = replace(views.cohort, dropped=((what, 3),))
    told = [
        each.text for answer in answers(replace(views, cohort=cohort)) for each in answer.statements
    ]
    (left,) = [text for text in told if text.startswith("Left out")]
    assert left == f"Left out: 3 {what}.{' Do the ids of all tables agree?' if asked else ''}"


def test_repeated_samples_are_counted_with_their_groups():
    view = cohort_view(make_cohort(Names()))
    assert replace(view, samples=444, groups=75).counted == "444 samples of 75 groups"
    assert replace(view, samples=75, groups=75).counted == "75 samples"
    assert replace(view, samples=75, groups=None).counted == "75 samples"


def test_the_cohort_tells_its_controls():
    cohort = make_cohort(Names())
    assert cohort_view(cohort).controls == ()
    control = {"noise": ["rna", "cnv"], "shuffled_labels": True, "seed": 3}
    told = replace(cohort, provenance={**cohort.provenance, "control": control})
    assert cohort_view(told).controls == (
        "rna holds noise in place of its values",
        "cnv holds noise in place of its values",
        "the labels are permuted",
    )


ABC = [about("a", 0.7), about("b", 0.4), about("c", 0.1)]


@pytest.mark.parametrize(
    ("rows", "strongest", "weakest"),
    [
        ([*ABC, apart("a", "b", 0.3), apart("a", "c", 0.6), apart("b", "c", 0.3)], "a", "c"),
        ([*ABC, apart("b", "a", -0.3), apart("c", "a", -0.6), apart("c", "b", -0.3)], "a", "c"),
        ([*ABC, apart("a", "b", 0.05), apart("a", "c", 0.6), apart("b", "c", 0.3)], None, "c"),
        ([*ABC, apart("a", "b", 0.3), apart("a", "c", 0.6), apart("b", "c", 0.05)], "a", None),
        ([*ABC[:2], apart("a", "b", 0.05)], None, None),
        ([about("a", 0.5, p=0.3), about("b", 0.1), apart("a", "b", 0.4)], None, None),
        (ABC[:1], None, None),
        (ABC[:2], None, None),
    ],
)
def test_modalities_are_ranked_only_where_their_difference_is_shown(rows, strongest, weakest):
    view = information_view(information(rows), ["a", "b", "c"])
    assert (view.strongest, view.weakest) == (strongest, weakest)
    told, shown = answered(view)
    headline = told["Which modality carries the information?"].headline
    assert ("carries the" in headline) == bool(strongest or weakest)
    if len(view.label) > 1:
        assert shown[1].value == (strongest or "not separable")


def test_modalities_inside_their_null_are_named():
    rows = [("label_entropy", None, None, 1.0), about("a", 0.5), about("b", 0.01, p=0.4)]
    view = information_view(information(rows), ["a", "b"])
    assert view.inside_null == ("b",)
    assert [row.share for row in view.label] == pytest.approx([0.5, 0.01])
    told, _ = answered(view)
    texts = [s.text for s in told["Which modality carries the information?"].statements]
    assert any("permuted labels give: b." in text for text in texts)


def test_margins_predict_by_their_interval():
    rows = [
        ("complementarity_margin", "a", "b", 0.3, 0.1, 0.5),
        ("complementarity_margin", "b", "a", -0.3, -0.5, -0.1),
        ("complementarity_margin", "a", "c", 0.1, -0.1, 0.3),
        ("complementarity_margin", "c", "a", 0.1),
    ]
    view = information_view(information(rows), ["a", "b", "c"])
    assert [(row.teacher, row.student, row.told) for row in view.margins] == [
        ("a", "b", "predicted to help"),
        ("a", "c", "undecided"),
        ("c", "a", "undecided"),
        ("b", "a", "predicted not to help"),
    ]
    told, _ = answered(view)
    assert "1 of 4 pairs" in told["Is distillation predicted to help?"].headline
    assert view.agreement is None


def test_only_pairs_that_both_show_information_are_predicted_to_help():
    rows = [
        *(about("a", 0.5), about("b", 0.3), about("c", 0.0, p=0.6)),
        ("complementarity_margin", "a", "b", 0.5, 0.1, 0.9),
        ("complementarity_margin", "b", "a", 0.4, 0.1, 0.7),
        ("complementarity_margin", "a", "c", 0.3, 0.1, 0.5),
    ]
    view = information_view(information(rows), ["a", "b", "c"])
    assert [(row.told, row.advised) for row in view.margins] == [
        ("predicted to help", True),
        ("predicted to help", True),
        ("one of the two shows no information", False),
    ]
    assert {row.predicted for row in view.margins} == {"gain"}
    told, _ = answered(view)
    assert "for 2 of 2 pairs." in told["Is distillation predicted to help?"].headline


def test_a_weakest_modality_is_not_named_among_noise():
    rows = [about("a", 0.5), about("b", 0.0, p=0.6), about("c", -0.1, p=0.9)]
    rows += [apart("a", "b", 0.5), apart("a", "c", 0.6), apart("b", "c", 0.2)]
    view = information_view(information(rows), ["a", "b", "c"])
    assert (view.strongest, view.weakest) == ("a", None)


def test_training_shows_epochs_that_half_of_the_replicas_reached(tables, view):
    assert view.training.replicas == 12
    assert view.training.epochs == 37
    assert view.training.longest == 40
    table = tables["training"].query("method == 'balanced' and modality == 'rna' and epoch == 5")
    curve = view.training.panels[0].curves[0]
    expected = np.quantile(table["weight"], [0.1, 0.5, 0.9])
    assert (curve.low[5], curve.middle[5], curve.high[5]) == pytest.approx(tuple(expected))
    shares = next(p for p in view.training.panels if p.quantity == "gradient_share")
    assert [curve.modality for curve in shares.curves] == ["rna", "methylation", "mirna"]
    assert training_view(pd.DataFrame(columns=TRAINING), make_experts([]), ["rna"]) is None
    members = [tables["training"].assign(member=member) for member in range(3)]
    assert training_view(pd.concat(members), make_experts([]), ["rna"]).replicas == 36


def test_experts_stand_by_their_mean_weight():
    shares = expert_shares(make_experts(["balanced"]))
    assert [round(each.mean, 9) for each in shares] == [0.5, 0.3, 0.2]
    first = shares[0]
    assert first.name == "mean of the modalities' logits"
    # Weights of the folds are .49, .50 and .51, each in every repeat.
    assert (first.low, first.high) == pytest.approx((0.49, 0.51), abs=5e-3)
    assert expert_shares(make_experts([])) == ()


def test_text_that_looks_like_something_else_stays_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("quantity,modality,other,estimate\nx,NA,,1\nx,1,nan,\n", encoding="utf-8")
    table = read_table(path)
    assert list(table["modality"]) == ["NA", "1"]
    assert pd.isna(table["other"][0])
    assert table["other"][1] == "nan"
    assert np.isnan(table["estimate"][1])


def test_csv_prefixes_text_only():
    table = pd.DataFrame({"=x": ["=1+1", "-a", "@b", "+c", "d"], "n": [-1.5, 0, 1, 2, 3]})
    lines = csv_text(table).splitlines()
    assert lines == ["'=x,n", "'=1+1,-1.5", "'-a,0.0", "'@b,1.0", "'+c,2.0", "d,3.0"]


def test_downloads_embed_the_smallest_first():
    small, large = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": range(1000)})
    paths = {"large": "l.csv", "small": "s.csv"}
    tables = {"large": large, "small": small}
    made = downloads(tables, embedded(tables, {}), paths, paths, 200)
    assert [(row.name, row.uri is None, row.rows) for row in made] == [
        ("large", True, 1000),
        ("small", False, 1),
    ]


def test_provenance_helpers(tmp_path):
    found = versions()
    assert list(found)[:2] == ["balmi", "python"]
    assert {"torch", "numpy", "scikit-learn", "mudata", "snakemake"} <= set(found)
    assert commit(tmp_path) is None
    settings = {"seed": 1, "training": {"seed": 2}, "evaluation": {"seed": 1}, "methods": []}
    assert seeds(settings) == {"seed": 1, "advanced.training.seed": 2}


def test_words():
    assert (decimal(-0.0221), signed(0.0004), decimal(None)) == ("−0.022", "+0.000", "–")
    assert (decimal(-1e-16), signed(-0.0004)) == ("0.000", "−0.000")
    assert (percent(0.001), percent(0.5)) == ("<1\xa0%", "50\xa0%")
    assert (chance(0.0001), chance(0.05)) == ("<0.001", "0.050")
    assert [joined(list(names)) for names in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert joined(["a", "b", "c"], "or") == "a, b or c"
    assert shortened("x" * 50, 10) == "xxxxxx…xxx"


def test_what_was_distilled_is_told():
    rows = [about("a", 0.5), about("b", 0.3), ("complementarity_margin", "a", "b", 0.3, 0.1, 0.5)]
    plan = pd.DataFrame(
        {
            "repeat": [0, 0, 0, 0],
            "fold": [0, 0, 1, 1],
            "student": ["a", "b", "a", "b"],
            "teacher": [None, "a", None, None],
            "strength": [0.0, 0.4, 0.0, 0.0],
        }
    )
    view = information_view(information(rows), ["a", "b"], plan)
    (lesson,) = view.lessons
    assert (lesson.teacher, lesson.student, lesson.replicas, lesson.of) == ("a", "b", 1, 2)
    told, _ = answered(view)
    texts = [s.text for s in told["Is distillation predicted to help?"].statements]
    assert any("b learned from a in 1 of 2 folds" in text and "0.40 " in text for text in texts)
    told, _ = answered(replace(view, lessons=(lesson,) * 8))
    texts = [s.text for s in told["Is distillation predicted to help?"].statements]
    assert sum("learned from" in text for text in texts) == 6
    assert texts[-2] == "So did 2 more pairs of student and teacher."
    nothing = information_view(information(rows), ["a", "b"], plan.assign(teacher=None))
    told, _ = answered(nothing)
    texts = [s.text for s in told["Is distillation predicted to help?"].statements]
    assert any("Nothing was distilled" in text for text in texts)


@pytest.mark.parametrize(
    ("limits", "word"),
    [((0.01, 0.09), "loss"), ((-0.09, -0.01), "gain"), ((-0.02, 0.05), "no difference")],
)
def test_a_larger_log_loss_is_a_loss(inputs, tables, limits, word):
    comparisons = tables["comparisons"]
    row = {"method": "balanced", "reference": "stacked-lr", "metric": "log_loss", "p": 0.02}
    row |= {"samples": "all", "p_holm": 0.04, "folds": 12, "dealt": 12}
    row |= {"difference": sum(limits) / 2, "lower": limits[0], "upper": limits[1]}
    pair = (comparisons["method"] == "balanced") & (comparisons["reference"] == "stacked-lr")
    others = comparisons[~(pair & (comparisons["metric"] == "log_loss"))]
    changed = pd.concat([others, pd.DataFrame([row])], ignore_index=True)
    made = build_view(
        "x", read_roster(inputs.samples), {**tables, "comparisons": changed}, inputs.settings
    )
    assert made.performance.log_loss.verdict.startswith(word)
    told = next(a for a in made.summary.answers if a.question.startswith("Does combining"))
    statement = next(s for s in told.statements if "log-loss" in s.text)
    assert statement.verdict == made.performance.log_loss.verdict


@pytest.mark.parametrize(
    ("scheme", "folds", "group", "sentence"),
    [
        ("k-fold", [], None, "4 repeats of 3-fold cross-validation: 12 test folds."),
        (
            "k-fold",
            ["site"],
            None,
            "The test folds are those that the dataset names in the column site: 12 test folds.",
        ),
        (
            "leave-one-group-out",
            ["site", "batch"],
            "patient",
            "The test folds are those that the dataset names in the columns site and batch, a"
            " repeat each: 12 test folds.",
        ),
        (
            "leave-one-group-out",
            [],
            "patient",
            "Each of 12 groups (column patient) was held out once: 12 test folds.",
        ),
    ],
)
def test_the_design_is_told_as_it_was(tables, scheme, folds, group, sentence):
    cohort = make_cohort(Names())
    provenance = {**cohort.provenance, "folds": folds, "group": group}
    made = design_view(tables["predictions"], replace(cohort, provenance=provenance), scheme)
    assert made.sentence == sentence
    assert (made.total, made.repeats, made.per_repeat, made.few) == (12, 4, 3, False)


def test_fewer_repeats_of_a_large_cohort_are_explained(tables):
    small = make_cohort(Names())
    large = replace(small, samples=np.arange(3000).astype(str))
    # 10,000 over 3,000 samples: 4 repeats, as dealt.
    told = design_view(tables["predictions"], large, "k-fold", automatic=True).sentence
    assert told == (
        "4 repeats of 3-fold cross-validation: 12 test folds. More would add little: scores"
        " on 1,000 samples vary little (evaluation.repeats is auto)."
    )
    for cohort, automatic in ((small, True), (large, False)):
        made = design_view(tables["predictions"], cohort, "k-fold", automatic)
        assert made.spared is None


@pytest.mark.parametrize(
    ("total", "distinct", "word"),
    [
        (0, 0, None),
        (6, 6, "Not judged: 6 test folds are too few; at least 10 are needed."),
        (25, 9, "Not judged: 25 test folds were dealt, of which 9 differ and count; at least 10"),
        (10, 10, None),
    ],
)
def test_effects_are_put_into_words_only_over_folds_that_compare_methods(total, distinct, word):
    found = Design(2, total, distinct).unjudged
    assert (found or "").startswith(word or "")
    assert (found is None) == (word is None)


def test_uneven_folds_are_counted_not_multiplied(tables):
    predictions = tables["predictions"]
    kept = predictions[(predictions["repeat"] == 0) | (predictions["fold"] < 2)]
    assert design_view(kept, make_cohort(Names()), "k-fold").total == 9


def test_test_sets_that_repeat_count_once(tables):
    """Four repeats of the same three folds are three test sets."""
    first = tables["predictions"].query("repeat == 0")
    again = pd.concat([first.assign(repeat=repeat) for repeat in range(4)])
    made = design_view(again, make_cohort(Names()), "k-fold")
    assert (made.total, made.distinct, made.few) == (12, 3, True)
    assert made.sentence.endswith(": 12 test folds were dealt, of which 3 differ and count.")


def test_bayesian_probabilities_and_holm_are_those_of_the_table(view, tables):
    table = tables["comparisons"].query("samples == 'all'")
    table = table.set_index(["method", "reference", "metric"]).sort_index()
    for row in view.performance.differences:
        cells = table.loc[row.method, row.reference, "macro_f1"]
        found = (row.p, row.p_holm, row.worse, row.equivalent, row.better)
        assert found == tuple(cells[["p", "p_holm", "worse", "equivalent", "better"]])
        assert row.worse + row.equivalent + row.better == pytest.approx(1)


def test_curves_and_bins_are_those_of_the_tables(view, tables):
    closeup = view.performance.closeup
    assert [each.name for each in closeup.curves["roc"]] == list(view.summary.classes)
    own = tables["curves"].query("method == 'balanced' and curve == 'pr' and `class` == 'LumA'")
    curve = next(each for each in closeup.curves["pr"] if each.name == "LumA")
    assert (curve.x, curve.y) == (tuple(own["x"]), tuple(own["y"]))
    assert [row.method for row in closeup.reliability] == ["balanced", "stacked-lr"]
    bins = tables["reliability"].query("method == 'stacked-lr'")
    assert [each.accuracy for each in closeup.reliability[1].bins] == list(bins["accuracy"])
    error = tables["summary"].query("method == 'balanced' and metric == 'ece'")["mean"].item()
    assert closeup.reliability[0].error.mean == error


class TestRule:
    def told(self, tables, metric="macro_f1", **powers):
        predictions = tables["predictions"].copy()
        for method, values in powers.items():
            rows = predictions["method"] == method
            folds = 4 * predictions["repeat"] + predictions["fold"]
            predictions.loc[rows, "prior_power"] = np.where(folds[rows] % 3 == 0, *values)
        return rule_told("balanced", predictions, metric)

    def test_powers_are_counted_by_fold(self, tables):
        folds = tables["predictions"][["repeat", "fold"]].drop_duplicates()
        third = int(((4 * folds["repeat"] + folds["fold"]) % 3 == 0).sum())
        text = self.told(tables, balanced=(0.5, 1.0))
        assert f"1 in {len(folds) - third} and 0.5 in {third} of {len(folds)} folds" in text

    def test_nothing_is_told_of_the_most_probable_class(self, tables):
        assert self.told(tables) is None
        older = tables["predictions"].assign(prior_power=np.nan)
        assert rule_told("balanced", older, "macro_f1") is None

    def test_balanced_accuracy_has_one_power(self, tables):
        text = self.told(tables, "balanced_accuracy", balanced=(1.0, 1.0))
        assert "balanced accuracy is largest so" in text
        assert "macro-F1" not in text
