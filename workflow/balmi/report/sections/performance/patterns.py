"""The view of availability: how well samples are predicted by which modalities they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.config.settings import Method
from balmi.report.kit.amounts import Amount, amount_of
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import combination

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from balmi.report.kit.metrics import Metric

MASK = str(Method.ABSENCE_LR)
FALLBACK = "log_loss"  # where the followed metric is a mean over classes
MAX_PATTERNS = 12


@dataclass(frozen=True)
class Pattern:
    """Samples that have the same modalities.

    `own` is the score of the method that the report is about, `mask` that of what the pattern alone
    says of the class, or None.
    """

    name: str
    samples: int
    own: Amount
    mask: Amount | None


@dataclass(frozen=True)
class PatternsView:
    """Scores by availability.

    Parameters
    ----------
    method
        The method that the report is about.
    metric
        The metric.
    rows
        The most frequent patterns, the most frequent first.
    total
        Patterns that have a score.
    """

    method: str
    metric: Metric
    rows: tuple[Pattern, ...]
    total: int


def patterns_view(
    patterns: pd.DataFrame, modalities: Sequence[str], followed: str
) -> PatternsView | None:
    """Make the view of availability, None where all samples have the same modalities.

    Parameters
    ----------
    patterns
        The table of the contract.
    modalities
        Names of the cohort's modalities.
    followed
        The metric that verdicts follow.
    """
    name = followed if (patterns["metric"] == followed).any() else FALLBACK
    shown = patterns[patterns["metric"] == name]
    own = shown[shown["method"] != MASK]
    if own.empty:
        return None
    columns = ("mean", "lower", "upper")
    rows = shown[shown["method"] == MASK].to_dict("records")
    masks = {row["modalities"]: amount_of(row, columns) for row in rows}
    found = [
        Pattern(
            combination(row["modalities"], modalities),
            int(row["samples"]),
            amount,
            masks.get(row["modalities"]),
        )
        for row in own.to_dict("records")
        if (amount := amount_of(row, columns)) is not None
    ]
    return PatternsView(
        method=str(own["method"].iloc[0]),
        metric=metric_of(name),
        rows=tuple(found[:MAX_PATTERNS]),
        total=len(found),
    )
