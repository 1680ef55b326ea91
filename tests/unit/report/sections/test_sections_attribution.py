"""The view of attribution: shares, features, and why there are none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic_report import LONG, SCRIPT, Names, make_cohort
from synthetic_robustness import merged, robustness_tables, settings

from balmi.report.kit.amounts import Amount
from balmi.report.sections.attribution.figures import attribution_figure, attribution_figures
from balmi.report.sections.attribution.view import (
    MAX_FEATURES,
    NOT_ATTRIBUTED,
    ModalityShare,
    attribution_view,
)

METHODS = ("balanced", "stacked-lr")


def test_the_leading_modality_needs_intervals_apart(cohort, tables):
    view = attribution_view(tables, cohort, settings()).attributions
    assert view.sentences[0] == "The largest share, apart from all others': rna in every class."
    wide = tables["attribution_modalities"].assign(lower=0.0, upper=1.0)
    other = attribution_view(tables | {"attribution_modalities": wide}, cohort, settings())
    assert other.attributions.sentences[0].startswith("In no class")


def test_features_are_the_foremost_of_every_class_and_modality():
    cohort = make_cohort(Names(classes=tuple("abcdefghijklmnopqrst"), samples=400))
    names = tuple(f"f{place}" for place in range(20))
    wide = dict.fromkeys(cohort.modalities, names)
    tables = robustness_tables(replace(cohort, features=wide), METHODS)
    view = attribution_view(tables, cohort, settings()).attributions
    # 450 rows for 20 classes and 3 modalities: seven of each.
    assert view.listed == MAX_FEATURES // 60 == 7
    assert len(view.features) == 20 * 3 * 7
    assert view.total == 20 * 3 * 20
    assert {row.rank for row in view.features} == set(range(1, 8))


def test_features_without_any_importance_are_not_listed(cohort, tables):
    idle = tables["attribution"].copy()
    idle.loc[idle["modality"] == "mirna", "importance"] = 0.0
    view = attribution_view(tables | {"attribution": idle}, cohort, settings()).attributions
    assert {row.modality for row in view.features} == {"rna", "methylation"}


def test_stability_is_told_without_overlap(cohort, tables):
    shares = tables["attribution_modalities"].assign(overlap=float("nan"))
    view = attribution_view(tables | {"attribution_modalities": shares}, cohort, settings())
    assert view.attributions.sentences[1] == (
        "Between folds importances correlate with 0.40 to 0.60 (Spearman): the less, the less a"
        " single feature means."
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"attribution": {"enabled": False}}, "Not run: attribution.enabled"),
        ({"methods": ["stacked-lr"]}, "Not run: balanced, whose networks"),
        ({}, NOT_ATTRIBUTED),
    ],
)
def test_what_is_missing_has_a_reason(cohort, tables, change, reason):
    empty = {name: table[:0] for name, table in tables.items()}
    view = attribution_view(empty, cohort, {**settings(), **merged(change)})
    assert view.reason.startswith(reason)
    assert attribution_figures(view, cohort.modalities) == {}


def test_hostile_names_are_text():
    cohort = make_cohort(Names(classes=(SCRIPT, LONG), modalities=(SCRIPT, "=1+1"), feature=SCRIPT))
    view = attribution_view(robustness_tables(cohort, METHODS), cohort, settings())
    (figure,) = attribution_figures(view, cohort.modalities).values()
    assert "<script" not in figure.inline
    assert figure.inline.count("<svg") == 1


def test_any_number_of_modalities_is_drawn_in_shapes_that_the_engine_knows():
    names = tuple(f"m{place}" for place in range(10))
    rows = [ModalityShare("a", name, Amount(0.1, 0.05, 0.15), None, None) for name in names]
    figure = attribution_figure(rows, names)
    assert "undrawn" not in figure.inline
    looks = {(entry.colour, entry.shape) for entry in figure.legend}
    assert len(looks) == len(names)
