"""The view of what could not be estimated, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from balmi.report.kit.words import combination

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL_TOPIC = "information about the label"
MARGIN_TOPIC = "complementarity margin"
TOPICS = {
    "label_information": LABEL_TOPIC,
    "label_extrapolated": LABEL_TOPIC,
    "subset_information": "information of several modalities together",
    "subset_extrapolated": "information of several modalities together",
    "label_difference": "difference of two modalities",
    "pairwise_information": "G, in a Gaussian model",
    "pairwise_linear": "K, along linear directions",
    "pairwise_nonlinear": "N, along non-linear directions",
    "pairwise_wide": "R, along all directions",
    "pairwise_composite": "the largest of G, K, N and R",
    "representation_information": "information shared about the label",
    "student_information": MARGIN_TOPIC,
    "complementarity_margin": MARGIN_TOPIC,
    "redundant_information": "redundant, unique and synergistic parts",
    "unique_information": "redundant, unique and synergistic parts",
    "unique_of_other": "redundant, unique and synergistic parts",
    "synergistic_information": "redundant, unique and synergistic parts",
    "shapley_information": "shares and balance",
    "shapley_share": "shares and balance",
    "balance": "shares and balance",
}
NO_REASON = "no reason given"
MAX_WHICH, MAX_REFUSALS = 6, 12


@dataclass(frozen=True)
class Refusal:
    """What was not estimated for one reason: the topic, and of which modalities or pairs."""

    topic: str
    which: tuple[str, ...]
    reason: str


def _which(topic: str, row: Mapping[str, object], modalities: Sequence[str]) -> str | None:
    sides = [str(row[side]) for side in ("modality", "other") if not pd.isna(row[side])]
    names = [combination(side, modalities) for side in sides]
    return (" → " if topic == MARGIN_TOPIC else " and ").join(names) or None


def refusals_view(information: pd.DataFrame, modalities: Sequence[str]) -> tuple[Refusal, ...]:
    """Return what the table names without an estimate, one entry per topic and reason."""
    refused: dict[tuple[str, str], dict[str, None]] = {}
    for row in information[information["estimate"].isna()].to_dict("records"):
        topic = TOPICS.get(row["quantity"], row["quantity"].replace("_", " "))
        reason = row.get("reason")
        text = reason if isinstance(reason, str) else NO_REASON
        which = refused.setdefault((topic, text), {})
        name = _which(topic, row, modalities)
        if name is not None:
            which[name] = None
    return tuple(Refusal(topic, tuple(which), reason) for (topic, reason), which in refused.items())
