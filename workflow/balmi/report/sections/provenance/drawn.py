"""What figures show, as tables: for where a page has no room for the table behind a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from balmi.numerals import counted
from balmi.report.kit.words import joined
from balmi.report.sections.performance.confusion_figure import NAME as CONFUSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.report.sections.cohort.view import CohortView
    from balmi.report.sections.performance.closeup import Confusion
    from balmi.report.sections.performance.view import PerformanceView
    from balmi.report.sections.samples.view import SamplesView
    from balmi.report.sections.training.view import TrainingView
    from balmi.report.view import View

AVAILABILITY = "availability"  # no table of the contract: who has what is in the cohort


def availability(cohort: CohortView) -> pd.DataFrame:
    """Return a row per pattern of availability, and one of all others.

    A pattern has 1 for each modality that its samples have, and 0 for each that they lack.

    Parameters
    ----------
    cohort
        The view of the cohort.
    """
    names = [row.name for row in cohort.modalities]
    rows = [
        {
            "pattern": f"without {joined(row.lacks)}" if row.lacks else "all modalities",
            **{f"has {name}": int(name not in row.lacks) for name in names},
            "samples": row.count,
        }
        for row in cohort.patterns
    ]
    kinds, samples = cohort.other_patterns
    if kinds:
        others = {"pattern": f"others ({counted(kinds, 'pattern')})", "samples": samples}
        return pd.DataFrame([*rows, others]).astype({f"has {name}": "Int64" for name in names})
    return pd.DataFrame(rows)


def _comparisons(view: PerformanceView, table: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons that are drawn."""
    drawn = {(row.method, row.reference, row.samples) for row in view.differences}
    followed = table[table["metric"] == view.metric.key]
    keys = zip(followed["method"], followed["reference"], followed["samples"], strict=True)
    return followed[[key in drawn for key in keys]]


def _confusion(confusion: Confusion) -> pd.DataFrame:
    """Return a row per true and predicted class."""
    rows = zip(confusion.classes, confusion.counts, confusion.shares, strict=True)
    return pd.DataFrame(
        [
            {"true": true, "predicted": predicted, "samples_per_repeat": count, "share": share}
            for true, counts, shares in rows
            for predicted, count, share in zip(confusion.classes, counts, shares, strict=True)
        ]
    )


def _training(view: TrainingView) -> pd.DataFrame:
    """Return medians and bands by epoch."""
    return pd.DataFrame(
        [
            {
                "method": view.method,
                "quantity": panel.quantity,
                "modality": curve.modality,
                "epoch": epoch,
                "low": low,
                "median": middle,
                "high": high,
            }
            for panel in view.panels
            for curve in panel.curves
            for epoch, low, middle, high in zip(
                curve.epochs, curve.low, curve.middle, curve.high, strict=True
            )
        ]
    )


def _samples(view: SamplesView, table: pd.DataFrame) -> pd.DataFrame:
    """Return the samples that have a mark or a row."""
    return table[table["sample"].isin(view.names)]


def drawn_tables(view: View, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return by name what figures show of tables that may be large, and of no table.

    Parameters
    ----------
    view
        The view of a dataset.
    tables
        The tables of the contract that it is made from.
    """
    drawn = {AVAILABILITY: availability(view.cohort)}
    if view.performance.differences:
        drawn["comparisons"] = _comparisons(view.performance, tables["comparisons"])
    if view.performance.closeup is not None:
        drawn[CONFUSION] = _confusion(view.performance.closeup.confusion)
    if view.samples is not None:
        drawn["per_sample"] = _samples(view.samples, tables["per_sample"])
    if view.training is not None:
        drawn["training"] = _training(view.training)
    return drawn
