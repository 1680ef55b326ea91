"""The card of a model: one page of Markdown on what it is, what it is worth and what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from balmi.evaluation.metrics import CLASS_METRICS, METRICS
from balmi.numerals import counted, decimal, with_limits
from balmi.prediction.unproven import UNPROVEN, USELESS, unproven

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHOWN = ("macro_f1", "balanced_accuracy", "accuracy", "macro_auroc", "log_loss", "ece")
OF_CLASS = ("recall", "precision", "f1", "auroc")
MOST_PATTERNS = 8
_NOT_FOR = (
    "Decisions about a patient without further validation: it was tested on held-out samples of one"
    " cohort alone, unless a validation on others is reported.",
    "Classes other than those named here: every sample gets one of them, whatever it is.",
    "Measurements in another unit or normalisation than those that were trained on, or of another"
    " platform that is not shown to agree. `snakemake predict` checks units and says which samples"
    " look unlike the training samples; it cannot see everything.",
    "A population with other class frequencies without recalibration: probabilities rest on those"
    " of the training samples.",
    "Statements on causes, or on single features.",
)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _interval(row: Mapping[str, Any]) -> str:
    return with_limits(row["mean"], row["lower"], row["upper"])


def card(about: Mapping[str, Any], evaluation: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Return the text of a card.

    Parameters
    ----------
    about
        What the model says of itself (`balmi.data.model_files`).
    evaluation
        How its method performed (`balmi.prediction.described.evaluation_of`).
    facts
        ``title`` and ``licence`` of the data, None where unknown.
    """
    title = facts.get("title") or about["dataset"]
    if about["reason"] is not None:
        return (
            f"# No model of {title}\n\n`{about['method']}` gave no model: {about['reason']}."
            " Another `final.method` may.\n"
        )
    parts = [
        f"# Model of {title}",
        _trained(about, facts),
        "## How it performed",
        _performed(evaluation),
        _by_class(about, evaluation),
        _by_pattern(evaluation),
        "## What it must not be used for",
        "\n".join(f"- {line}" for line in _NOT_FOR),
        "## What is stored of patients",
        _stored(about),
        "## How to use it",
        "`snakemake predict --configfile predict.yaml`, with this folder or a zip of it under"
        " `predict.(name).model`. `sha256sum -c SHA256SUMS` checks its files. No part of it is a"
        " program or a pickle.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _trained(about: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    classes = ", ".join(
        f"{name} ({count})"
        for name, count in zip(about["classes"], about["class_counts"], strict=True)
    )
    modalities = _table(
        ("modality", "kind", "features used", "training samples that have it"),
        (
            (each["name"], each["kind"], len(each["kept"]), each["samples"])
            for each in about["modalities"]
        ),
    )
    return (
        f"`{about['method']}` of balmi {about['balmi']} predicts `{about['label']}`. It was trained"
        f" on all {counted(about['samples'], 'labelled sample')} of the dataset"
        f" `{about['dataset']}`: {classes}. Licence of the data:"
        f" {facts.get('licence') or 'not stated; ask whoever the data are from'}.\n\n{modalities}"
    )


def _performed(evaluation: Mapping[str, Any]) -> str:
    if evaluation.get("other") is not None:
        return f"Not evaluated as it is: {evaluation['other']}."
    rows = {row["metric"]: row for row in evaluation["summary"] if row["class"] is None}
    if not rows:
        return "Not evaluated: nothing is known of its worth."
    folds = max(row["folds"] for row in rows.values())
    table = _table(
        ("metric", "mean over test folds (95 % interval)"),
        (
            (
                METRICS[name].title + (", less is better" * (not METRICS[name].more_is_better)),
                _interval(rows[name]),
            )
            for name in SHOWN
            if name in rows
        ),
    )
    score = unproven(evaluation)
    warning = f"**{UNPROVEN}: {score}. {USELESS.capitalize()}.**\n\n" if score else ""
    return (
        f"{warning}By cross-validation of the whole method, {counted(folds, 'test fold')}: each was"
        " predicted by models that had not seen it, with preprocessing, weights and calibration"
        " learned without it. The model here has learned from all samples; no score of the samples"
        " that it learned from is quoted. Scores are means over test folds; the calibration error"
        f" of a small fold is larger than that of all of them together.\n\n{table}"
    )


def _by_class(about: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    rows = {(row["class"], row["metric"]): row for row in evaluation["summary"]}
    found = [name for name in about["classes"] if (name, OF_CLASS[0]) in rows]
    if not found:
        return ""
    return _table(
        ("class", *(CLASS_METRICS[metric].title for metric in OF_CLASS)),
        ((name, *(_interval(rows[name, metric]) for metric in OF_CLASS)) for name in found),
    )


def _by_pattern(evaluation: Mapping[str, Any]) -> str:
    patterns = evaluation["patterns"]
    if len(patterns) < 2:
        return ""
    table = _table(
        ("modalities that a sample has", "samples", "accuracy (95 % interval)", "log-loss"),
        (
            (
                ", ".join(each["modalities"]),
                each["samples"],
                with_limits(*(each[f"accuracy{end}"] for end in ("", "_lower", "_upper"))),
                decimal(each["log_loss"]),
            )
            for each in patterns[:MOST_PATTERNS]
        ),
    )
    more = len(patterns) - MOST_PATTERNS
    return table + (f"\n\nAnd {counted(more, 'rarer pattern')}." if more > 0 else "")


def _stored(about: Mapping[str, Any]) -> str:
    summaries = (
        "Means, medians, deviations, principal axes, coefficients and thresholds of trees are"
        " summaries of the training samples; a threshold lies between the values of two of them."
    )
    if not about["rows"] and not about["holds_rows"]:
        why = "" if about["rows_allowed"] else " (`final.rows: false` left out what needs them)"
        return f"No measurements of single training samples{why}. {summaries}"
    counts = ", ".join(f"{name} of {count}" for name, count in about["rows"].items())
    held = f": {counts}" if counts else ""
    return (
        f"**Measurements of single training samples, without names{held}.** They are support"
        " vectors of kernel machines and donors of what a new sample lacks. Whoever has this folder"
        " has them: pass it on only as the data may be passed on. `final.rows: false` trains a"
        f" model without these experts. {summaries}"
    )
