"""Scores as the summary of the evaluation gives them: nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from balmi.evaluation.metrics import CLASS_METRICS, METRICS
from balmi.report.kit.words import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Those of the predicted class alone, and those of the probabilities.
DECIDED = tuple(name for name, metric in METRICS.items() if not metric.graded)
GRADED = tuple(name for name, metric in METRICS.items() if metric.graded)
OF_CLASS = tuple(CLASS_METRICS)


@dataclass(frozen=True)
class Score:
    """A mean over `folds` folds with its corrected 95 % interval; None where it has none."""

    mean: float | None
    lower: float | None
    upper: float | None
    folds: int


# Method, and class or None -> metric -> score.
Scores = dict[tuple[str, str | None], dict[str, Score]]


def scores_of(summary: pd.DataFrame) -> Scores:
    """Return every score of the summary, the table of the contract."""
    scores: Scores = {}
    for row in summary.to_dict("records"):
        whose = None if pd.isna(row["class"]) else row["class"]
        score = Score(*(known(row[key]) for key in ("mean", "lower", "upper")), int(row["folds"]))
        scores.setdefault((row["method"], whose), {})[row["metric"]] = score
    return scores


def told_in(scores: Mapping[str, Score], keys: Iterable[str]) -> dict[str, Score]:
    """Return the scores of some metrics, in their order."""
    return {key: scores[key] for key in keys if key in scores}
