"""What the page of a prediction shows: every number is computed here, once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from balmi.data.together import apart
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.numerals import counted, decimal, inflected, with_limits
from balmi.prediction.external import validate
from balmi.prediction.untried import incomparable
from balmi.report.conclusions.carried import carried_over
from balmi.report.kit.drawing import Mark, mark_of
from balmi.report.kit.metrics import Metric, metric_of
from balmi.report.kit.words import brief, percent
from balmi.report.predictions.rows import is_judged, labelled, patterns_untried
from balmi.report.predictions.sentences import (
    MOST_ROWS,
    WRONG,
    at_chance,
    remarks,
    supports,
    wrong_calls,
)
from balmi.report.sections.performance.closeup import Bin, Reliability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.prediction.external import Compared, Estimate, External

MOST_NAMED = 100  # missing features of a modality; all are in the file beside the predictions


@dataclass(frozen=True)
class ModalityRow:
    """What was understood of a modality.

    Parameters
    ----------
    name, kind
        Its name and kind of omics.
    samples
        New samples that have it.
    used, missing, extra
        Features of the model, those that the file lacks, those that the model does not know.
    share
        Share of the features that are missing.
    factor, measured
        By which evidence counts for the missing ones, and whether that was measured.
    shift, spread
        As in `balmi.prediction.units.Seen`; None where unknown.
    unit
        What is odd about the unit, in words; None where nothing is.
    absent
        Names of the missing features, `MOST_NAMED` at most.
    """

    name: str
    kind: str
    samples: int
    used: int
    missing: int
    extra: int
    share: float
    factor: float
    measured: bool
    shift: float | None
    spread: float | None
    unit: str | None
    absent: tuple[str, ...]


@dataclass(frozen=True)
class ClassRow:
    """How often a class is predicted, and how often it was among the training samples."""

    name: str
    predicted: int
    share: float
    trained: float


@dataclass(frozen=True)
class FlagRow:
    """Of how many new samples something is to be known.

    Parameters
    ----------
    name, count
        What, and of how many.
    share
        Of those that it could be said of.
    expected
        Whether a few are expected of samples like those of training.
    """

    name: str
    count: int
    share: float
    expected: bool = False


@dataclass(frozen=True)
class Card:
    """A question of the first screen with its answer.

    Parameters
    ----------
    question, sentence
        The question, and the answer in words.
    value, mark
        Its number with the interval, and how the verdict looks; None where there is none.
    figure
        The name of its picture.
    """

    question: str
    sentence: str
    value: str | None
    mark: Mark | None
    figure: str


@dataclass(frozen=True)
class SampleRow:
    """A row of the table of predictions.

    Parameters
    ----------
    judged
        Whether the call can be right or wrong: the class is known, and was not learned from.
    mark
        That the predicted class is not the true one; None where it is, or where that is unknown.
    """

    sample: str
    predicted: str
    label: str | None
    judged: bool
    mark: Mark | None
    probabilities: tuple[float, ...]
    modalities: str
    found: float
    flags: str


@dataclass(frozen=True)
class ExternalView:
    """An external validation.

    Parameters
    ----------
    found
        What was computed.
    mark
        How the verdict looks.
    metric
        The metric that it follows.
    sentence
        The verdict in words.
    wrong
        How many calls are wrong, in words.
    metrics
        Metric -> its scores, in order.
    reliability
        Of the new samples, and inside.
    """

    found: External
    mark: Mark
    metric: Metric
    sentence: str
    wrong: str
    metrics: tuple[tuple[Metric, Compared], ...]
    class_metrics: tuple[Metric, ...]
    reliability: tuple[Reliability, ...]

    @property
    def conclusion(self) -> dict[str, str | None]:
        """The verdict in words, with the score outside and inside."""
        primary = self.found.primary
        inside = (
            ""
            if primary.internal.value is None
            else (f", and {_estimate(primary.internal)} in the cross-validation")
        )
        return {
            "sentence": f"External validation on {counted(self.found.samples, 'sample')}:"
            f" {self.mark.word}.",
            "value": f"{self.metric.title} {_estimate(primary.external)}{inside}",
            "state": self.mark.word,
        }


@dataclass(frozen=True)
class PredictionView:
    """The whole page."""

    name: str
    headline: str
    unproven: dict[str, str | None] | None
    supports: tuple[str, ...]
    method: str
    dataset: str
    version: str
    checksum: str | None
    evaluation: str | None
    trained: int
    samples: int
    whom: str
    classes: tuple[ClassRow, ...]
    class_names: tuple[str, ...]
    modalities: tuple[ModalityRow, ...]
    flagged: int
    judged: int
    flags: tuple[FlagRow, ...]
    remarks: tuple[str, ...]
    rows: tuple[SampleRow, ...]
    external: ExternalView | None

    @property
    def cards(self) -> tuple[Card, ...]:
        """The questions of the first screen; the first is asked where classes are known."""
        most = max(self.classes, key=lambda row: row.predicted)
        called = f"Most often {brief(most.name)}, for {most.predicted:,} of"
        called = f"{called} {counted(self.samples, 'new sample')}."
        if self.judged:
            verb = inflected(self.flagged, "looks", "look")
            unlike = f"{self.flagged:,} of {counted(self.judged, 'sample')} {verb} unlike them."
            share = percent(self.flagged / self.judged)
        else:
            unlike, share = "Training samples were too few to say.", None
        cards = (
            Card("Which classes are predicted?", called, percent(most.share), None, "called"),
            Card("Are they like the training samples?", unlike, share, None, "flags"),
        )
        if self.external is None:
            return cards
        found = self.external.found.primary.external
        word = self.external.mark.word
        value = f"{_estimate(found)}"
        said = f"{word[0].upper()}{word[1:]}, by {self.external.metric.title} on"
        said = f"{said} {counted(self.external.found.samples, 'new sample')}."
        return (
            Card("Did performance carry over?", said, value, self.external.mark, "carried"),
            *cards,
        )

    @property
    def conclusions(self) -> tuple[dict[str, str | None], ...]:
        """What is concluded, a sentence, a number and a state each; a validation comes first."""
        judged = (
            "them" if self.judged == self.samples else f"the {self.judged:,} that could be judged"
        )
        said = f"{self.whom} predicted, {self.flagged:,} of {judged} unlike"
        counts = {"sentence": f"{said} the training samples.", "value": None, "state": None}
        known = () if self.external is None else (self.external.conclusion,)
        return (*known, counts, *((self.unproven,) if self.unproven else ()))

    def as_json(self) -> dict[str, Any]:
        """Return what others tell of the page."""
        return {
            "name": self.name,
            "dataset": self.dataset,
            "model": self.checksum,
            "evaluation": self.evaluation,
            "validation": self.external is not None,
            "conclusions": list(self.conclusions),
        }


def _modalities(about: Mapping[str, Any]) -> tuple[ModalityRow, ...]:
    rows = []
    for each in about["modalities"]:
        seen = each["seen"] or {}
        rows.append(
            ModalityRow(
                name=each["name"],
                kind=about["kinds"][each["name"]],
                samples=each["samples"],
                used=each["used"],
                missing=each["missing"],
                extra=each["extra"],
                share=each["missing"] / each["used"] if each["used"] else 0.0,
                factor=each["factor"],
                measured=each["measured"],
                shift=seen.get("shift"),
                spread=seen.get("spread"),
                unit=seen.get("found"),
                absent=tuple(each.get("absent", [])[:MOST_NAMED]),  # not in files of 0.2.0
            )
        )
    return tuple(rows)


def _flags(
    about: Mapping[str, Any], table: pd.DataFrame, modalities: tuple[ModalityRow, ...]
) -> tuple[FlagRow, ...]:
    """Return of how many samples something is to be known."""
    count, judged = len(table), about["judged"]
    have = table["modalities"].map(apart)

    def of(names: set[str]) -> int:
        return int(have.map(lambda own: not names.isdisjoint(own)).sum())

    lacking = int((have.map(len) < len(modalities)).sum())
    fewer = of({row.name for row in modalities if row.missing})
    odd = of({row.name for row in modalities if row.unit})
    rows = [
        ("lack a modality", lacking),
        ("lack features", fewer),
        ("may be in another unit", odd),
        ("are training samples", about["trained_on"]),
    ]
    unlike = FlagRow(
        "unlike the training samples", about["flagged"], about["flagged"] / max(1, judged), True
    )
    told = tuple(FlagRow(name, number, number / count) for name, number in rows)
    # What rarely is, is told where it is.
    return (unlike,) * bool(judged) + told[:2] + tuple(row for row in told[2:] if row.count)


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) and cell else None


def _samples(table: pd.DataFrame, classes: tuple[str, ...]) -> tuple[SampleRow, ...]:
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    return tuple(
        SampleRow(
            sample=row["sample"],
            predicted=row["class"],
            label=_text(row["label"]),
            judged=row["judged"],
            mark=WRONG if row["judged"] and row["label"] != row["class"] else None,
            probabilities=tuple(float(row[column]) for column in columns),
            modalities=row["modalities"],
            found=float(row["features_found"]),
            flags=_text(row["flags"]) or "",
        )
        for row in table.assign(judged=is_judged(table)).head(MOST_ROWS).to_dict("records")
    )


def _estimate(held: Estimate, form=decimal) -> str:
    return with_limits(held.value, held.lower, held.upper, form)


def _external(
    table: pd.DataFrame, about: Mapping[str, Any], classes: tuple[str, ...]
) -> ExternalView | None:
    held = labelled(table, classes)
    if held is None:
        return None
    evaluation = about["evaluation"]
    other = incomparable(patterns_untried(about, table[is_judged(table)]), len(held))
    if evaluation.get("other") is None and other is not None:
        evaluation = {**evaluation, "other": other}
    found = validate(held, classes, evaluation)
    metric = metric_of(found.primary.metric)
    inside = [
        Bin(row["confidence"], row["accuracy"], row["lower"], row["upper"], row["samples"])
        for row in about["evaluation"]["reliability"]
    ]
    outside = [Bin(**row) for row in found.reliability]
    panels = [Reliability("new samples", None, tuple(outside))]
    panels += [Reliability("cross-validation", None, tuple(inside))] if inside else []
    return ExternalView(
        found=found,
        mark=mark_of(found.carried),
        metric=metric,
        sentence=carried_over(found, metric, about["model"]["dataset"]),
        wrong=wrong_calls(held, len(table)),
        metrics=tuple((metric_of(each.metric), each) for each in found.metrics),
        class_metrics=tuple(metric_of(each.metric) for each in found.classes[0].scores),
        reliability=tuple(panels),
    )


def scores_table(external: ExternalView) -> pd.DataFrame:
    """Return all scores of an external validation as a table for people."""
    held: list[tuple[str | None, Compared]] = [(None, each) for each in external.found.metrics]
    held += [(row.name, each) for row in external.found.classes for each in row.scores]
    rows = []
    for name, each in held:
        row: dict[str, Any] = {"class": name, "metric": each.metric}
        for side in ("external", "internal", "difference"):
            found = getattr(each, side)
            row |= {side: found.value, f"{side}_lower": found.lower, f"{side}_upper": found.upper}
        rows.append(row)
    return pd.DataFrame(rows)


def reliability_table(external: ExternalView) -> pd.DataFrame:
    """Return how often predictions of some probability are right as a table for people."""
    rows = [{"of": row.method, **asdict(each)} for row in external.reliability for each in row.bins]
    return pd.DataFrame(rows, columns=["of", *(field.name for field in fields(Bin))])


def _whom(about: Mapping[str, Any]) -> str:
    """Return how many samples were predicted, and of how many the model has learned already."""
    known = about["trained_on"]
    if not known:
        return counted(about["samples"], "new sample")
    of_them = "all" if known == about["samples"] else f"{known:,}"
    return f"{counted(about['samples'], 'sample')}, {of_them} of them training samples,"


def build_prediction_view(about: Mapping[str, Any], table: pd.DataFrame) -> PredictionView:
    """Return what the page of a prediction shows.

    Parameters
    ----------
    about
        What `balmi.prediction.predict.predict_files` wrote beside the predictions.
    table
        The predictions.
    """
    model = about["model"]
    classes = tuple(model["classes"])
    counts = table["class"].value_counts()
    trained = np.array(model["class_counts"]) / max(1, sum(model["class_counts"]))
    external = _external(table, about, classes)
    modalities, rest = _modalities(about), patterns_untried(about, table)
    whom = _whom(about)
    headline = (
        f"Predictions of {whom} by the model of {brief(model['dataset'])}"
        if external is None
        else f"External validation of the model of {brief(model['dataset'])} on"
        f" {counted(external.found.samples, 'sample')}: {external.mark.word}"
    )
    return PredictionView(
        name=about["name"],
        headline=f"{headline}.",
        unproven=at_chance(about["evaluation"], external and external.found),
        supports=tuple(supports(about, table, rest, modalities, external)),
        method=model["method"],
        dataset=model["dataset"],
        version=model["balmi"],
        checksum=model.get("sha256"),  # not in files of 0.2.0
        evaluation=model.get("evaluation_sha256"),
        trained=model["samples"],
        samples=about["samples"],
        whom=whom,
        classes=tuple(
            ClassRow(name, int(counts.get(name, 0)), counts.get(name, 0) / len(table), float(share))
            for name, share in zip(classes, trained, strict=True)
        ),
        class_names=classes,
        modalities=modalities,
        flagged=about["flagged"],
        judged=about["judged"],
        flags=_flags(about, table, modalities),
        remarks=remarks(about, rest),
        rows=_samples(table, classes),
        external=external,
    )
