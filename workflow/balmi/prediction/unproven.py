"""Whether the cross-validation shows that a model's method predicts anything at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from balmi.evaluation.at_chance import CHANCE, RANKING
from balmi.evaluation.metrics import METRICS
from balmi.numerals import with_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

UNPROVEN = "The cross-validation does not show that the model predicts better than chance"
USELESS = "do not use its predictions, whatever their probabilities"


def unproven(evaluation: Mapping[str, Any]) -> str | None:
    """Return the score of a model that is not shown to be better than chance, None where it is.

    It is asked of macro AUROC, whose value by chance is known, as the report of the model's dataset
    does. Where the model is not what was cross-validated, or without an interval, nothing is said.

    Parameters
    ----------
    evaluation
        How the model's method performed (`balmi.prediction.described.evaluation_of`).
    """
    if evaluation.get("other") is not None:
        return None
    for row in evaluation["summary"]:
        if row["metric"] != RANKING or row.get("class") is not None or row["lower"] is None:
            continue
        if row["lower"] <= CHANCE:
            score = with_limits(row["mean"], row["lower"], row["upper"])
            return f"{METRICS[RANKING].title} {score} on held-out samples, {CHANCE} by chance"
    return None
