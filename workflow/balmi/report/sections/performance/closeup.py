"""The view of one method close up: its classes, confusions, curves, and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.held_out import FOLD, decided
from balmi.evaluation.metrics import CALIBRATION_BINS
from balmi.methods.outcome import POWER
from balmi.numerals import counted
from balmi.report.kit.words import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.report.sections.performance.scores import Score

CURVES = ("roc", "pr")
MAX_BANDS = 8  # classes whose intervals can be kept apart in one picture
LINES = ("x", "y", "lower", "upper")


@dataclass(frozen=True)
class ClassScores:
    """A class against the rest: its samples, and its scores by metric."""

    name: str
    samples: int
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class Confusion:
    """Counts per repeat, rows the true and columns the predicted class, and their row shares."""

    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ClassCurve:
    """A curve of a class against the rest, at places from 0 to 1.

    `lower` and `upper` are the limits of its pointwise 95 % interval, empty where it has none.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same probability: its mean, and the share that is right.

    `samples` is their number per repeat; the limits are those of a 95 % interval of `accuracy`.
    """

    confidence: float
    accuracy: float
    lower: float
    upper: float
    samples: float

    @property
    def left(self) -> float:
        """The lower edge of the bin, which holds its own mean."""
        return min(int(self.confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1) / CALIBRATION_BINS

    @property
    def right(self) -> float:
        """The upper edge."""
        return self.left + 1 / CALIBRATION_BINS


@dataclass(frozen=True)
class Reliability:
    """How far a method's probabilities can be believed: its bins, and its calibration error."""

    method: str
    error: Score | None
    bins: tuple[Bin, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of all predictions in every bin."""
        total = sum(each.samples for each in self.bins)
        return tuple(each.samples / total for each in self.bins)


@dataclass(frozen=True)
class CloseUp:
    """What the report tells about one method beyond its scores.

    Parameters
    ----------
    method
        Its name.
    classes
        In the order of the cohort; only those that have scores.
    confusion
        Its confusions.
    curves
        ``roc`` and ``pr`` -> curves of the classes.
    reliability
        Of the method, and of what it is compared with.
    rule
        How it decides on a class, in a sentence; None where that is the most probable one.
    """

    method: str
    classes: tuple[ClassScores, ...]
    confusion: Confusion
    curves: Mapping[str, tuple[ClassCurve, ...]]
    reliability: tuple[Reliability, ...]
    rule: str | None

    @property
    def banded(self) -> bool:
        """Whether the curves are drawn with their intervals."""
        drawn = self.curves[CURVES[0]]
        return len(drawn) <= MAX_BANDS and any(curve.lower for curve in drawn)


def rule_told(method: str, predictions: pd.DataFrame, metric: str) -> str | None:
    """Say by which powers of class frequencies a method decides, None where it never does.

    Parameters
    ----------
    method
        Its name.
    predictions
        The table of the contract; of older versions, which do not tell, nothing is said.
    metric
        The metric that verdicts follow.
    """
    table = predictions[predictions["method"] == method]
    powers = table.drop_duplicates(FOLD)[POWER].dropna().astype(float)
    if not (powers > 0).any():
        return None
    if metric == PrimaryMetric.BALANCED_ACCURACY and (powers == 1).all():
        return (
            "A class is called where its probability, divided by its training frequency, is"
            " largest: where probabilities are right, balanced accuracy is largest so."
        )
    counts = powers.value_counts().sort_index(ascending=False)
    told = joined([f"{power:g} in {count}" for power, count in counts.items()])
    return (
        "A class is called where its probability, divided by its training frequency to a power, is"
        " largest. Each fold chose the power that promises the largest macro-F1 by the"
        f" probabilities of its inner folds: {told} of {counted(len(powers), 'fold')}. Power 0"
        " calls the most probable class."
    )


def confusion_view(method: str, predictions: pd.DataFrame, cohort: Roster) -> Confusion:
    """Count the confusions of a method."""
    table = predictions[predictions["method"] == method]
    true = cohort.labels[cohort.positions(table["sample"].to_numpy(dtype=str))]
    classes = len(cohort.classes)
    counts = np.zeros((classes, classes))
    np.add.at(counts, (true, decided(table, cohort.classes)), 1)
    counts /= max(table["repeat"].nunique(), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
    return Confusion(
        classes=cohort.classes,
        counts=tuple(tuple(map(float, row)) for row in counts),
        shares=tuple(tuple(map(float, row)) for row in shares),
    )


def _class_curve(name: str, part: pd.DataFrame) -> ClassCurve:
    shown = ["x", "y"] if part[["lower", "upper"]].isna().any(axis=None) else list(LINES)
    return ClassCurve(name, *(tuple(map(float, part[column])) for column in shown))


def curves_view(
    method: str, curves: pd.DataFrame, classes: Sequence[str]
) -> dict[str, tuple[ClassCurve, ...]]:
    """Return a method's curves by kind; a class that was never held out has none."""
    table = curves[curves["method"] == method]
    by_kind = {}
    for kind in CURVES:
        parts = dict(iter(table[table["curve"] == kind].groupby("class")))
        by_kind[kind] = tuple(_class_curve(name, parts[name]) for name in classes if name in parts)
    return by_kind


def reliability_view(method: str, reliability: pd.DataFrame, error: Score | None) -> Reliability:
    """Return a method's bins.

    Parameters
    ----------
    method
        Its name.
    reliability
        The table of the contract.
    error
        Its expected calibration error.
    """
    table = reliability[reliability["method"] == method]
    columns = ["confidence", "accuracy", "lower", "upper", "samples"]
    bins = (Bin(*map(float, row)) for row in table[columns].itertuples(index=False))
    return Reliability(method, error, tuple(bins))
