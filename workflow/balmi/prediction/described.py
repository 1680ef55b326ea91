"""How the method of a final model performed in the evaluation, and the page that goes with it.

All numbers are read from the tables of the cross-validation: samples are scored by models that have
not seen them, and nothing is computed of what the final model was fitted to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from balmi.config.settings import Method
from balmi.data.files import replace_when_written, write_json
from balmi.data.model_files import CARD, EVALUATION, FORMAT, MODEL, write_sums, write_zip
from balmi.data.together import apart
from balmi.evaluation.held_out import held_out
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.patterns import PATTERN, by_pattern
from balmi.evaluation.statistics import wilson_interval
from balmi.methods.outcome import PREDICTED
from balmi.prediction.card import card
from balmi.prediction.untried import DROPPED, dropped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from balmi.data.cohort import Roster

BY_PATTERN = ("accuracy", "macro_f1", "log_loss")


@dataclass(frozen=True)
class Tables:
    """The tables of the evaluation that are told of.

    Parameters
    ----------
    summary, reliability, predictions, robustness
        As in the contract.
    """

    summary: pd.DataFrame
    reliability: pd.DataFrame
    predictions: pd.DataFrame
    robustness: pd.DataFrame


OTHER = (
    "`final.rows: false` left out experts that hold training samples, while the pool that was"
    " cross-validated has them all, so that its scores, which the report has, may be better"
)


def what_differs(about: Mapping[str, Any]) -> str | None:
    """Return how a model differs from what was cross-validated, None where it does not."""
    pool = about["method"] in (Method.POOLED, Method.UNIMODAL_POOLED)
    return OTHER if pool and not about["rows_allowed"] else None


def evaluation_of(
    method: Method, tables: Tables, cohort: Roster, primary: str, other: str | None = None
) -> dict[str, Any]:
    """Return how a method performed on held-out samples, as JSON can hold it.

    Parameters
    ----------
    method
        The method.
    tables
        The tables of the evaluation.
    cohort
        The cohort, for true classes and who has what.
    primary
        The metric that verdicts follow.
    other
        How the model differs from what was cross-validated, of which no score is then quoted.
    """
    of = {
        name: table[table["method"] == str(method)]
        for name, table in (("summary", tables.summary), ("reliability", tables.reliability))
    }
    columns = ["class", "metric", "mean", "lower", "upper", "folds"]
    predictions = tables.predictions
    predictions = predictions[predictions["method"] == str(method)]
    if other is not None:
        of = {name: table.iloc[:0] for name, table in of.items()}
        predictions = predictions.iloc[:0]
    return {
        "primary": primary,
        "other": other,
        "summary": _records(of["summary"][columns]),
        "reliability": _records(of["reliability"].drop(columns="method")),
        "called": _called(predictions),
        "repeats": int(predictions["repeat"].nunique()),
        "patterns": list(_patterns(predictions, cohort)) if len(predictions) else [],
        DROPPED: _records(dropped(tables.robustness, str(method))) if other is None else [],
    }


def _called(predictions: pd.DataFrame) -> dict[str, float]:
    """Return the share of held-out samples that each class is called for."""
    return {
        str(k): float(v) for k, v in predictions[PREDICTED].value_counts(normalize=True).items()
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(table.to_json(orient="records", double_precision=15))


def _patterns(predictions: pd.DataFrame, cohort: Roster) -> Iterator[dict[str, Any]]:
    """Yield the scores of the samples that have the same modalities, the most frequent first."""
    predictions = by_pattern(predictions, cohort)
    sizes = predictions.groupby(PATTERN)["sample"].nunique()
    scores: dict[str, list[list[float]]] = {pattern: [] for pattern in sizes.index}
    for head, part in held_out(predictions, cohort, [PATTERN, "repeat"]):
        scores[str(head[PATTERN])].append(
            [METRICS[name](part.labels, part.probabilities, part.predicted) for name in BY_PATTERN]
        )
    for pattern in sorted(sizes.index, key=lambda pattern: (-sizes[pattern], pattern)):
        means = dict(zip(BY_PATTERN, np.mean(scores[pattern], axis=0).tolist(), strict=True))
        limits = wilson_interval(means["accuracy"], sizes[pattern])
        yield {
            "modalities": apart(pattern),
            "samples": int(sizes[pattern]),
            **means,
            "accuracy_lower": float(limits[0]),
            "accuracy_upper": float(limits[1]),
        }


def describe_model(
    folder: Path,
    packed: Path,
    tables: Tables,
    cohort: Roster,
    primary: str,
    facts: Mapping[str, Any],
) -> None:
    """Write how a model's method performed, its card, the checksums, and a zip of all.

    Parameters
    ----------
    folder
        Where the model lies.
    packed
        The zip file to write.
    tables, cohort, primary
        As in `evaluation_of`.
    facts
        ``title`` and ``licence`` of the data, None where unknown.
    """
    about = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    other = None if about["reason"] is not None else what_differs(about)
    found = evaluation_of(Method(about["method"]), tables, cohort, primary, other)
    write_json(found, folder / EVALUATION, FORMAT)
    with replace_when_written(folder / CARD) as part:
        part.write_text(card(about, found, facts), encoding="utf-8")
    write_sums(folder)
    write_zip(folder, packed)
