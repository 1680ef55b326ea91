"""How a model does on new samples whose class is known, beside its cross-validation.

Scores of new samples have percentile bootstrap intervals (Efron 1979), over groups where samples
have groups; where draws never differ, Wilson's take their place. Their difference
from the mean over test folds has an interval by the method of variance estimates recovery (Zou and
Donner 2008, Statistics in Medicine 27:1693): with d = external - internal, the lower limit is

    d - sqrt((external - external_lower)^2 + (internal_upper - internal)^2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from balmi.evaluation.metrics import (
    CALIBRATION_BINS,
    CLASS_METRICS,
    METRICS,
    calibration_bins,
)
from balmi.evaluation.statistics import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Score = Callable[[np.ndarray, np.ndarray, np.ndarray], float]

# Larger the fewer samples there are, and once more in draws of them: neither an interval of draws
# nor the distance from a mean over folds says anything.
OF_SIZE = ("ece",)
SHARE = "accuracy"
OF_CALLS = ("macro_f1", "balanced_accuracy", "mcc")
OF_ALL_CLASSES = ("macro_f1", "balanced_accuracy", "macro_auroc", "macro_auprc")
DRAWS = 400
FEWEST = 10  # labelled samples, or groups of them, of which an interval is told
MARGIN = 0.1  # of the metric: a loss beyond it matters
MOST_GROUPS = 30


class Carried(StrEnum):
    """What is said of whether performance carried over."""

    YES = "carried over"
    OPEN = "no loss shown"
    NO = "did not carry over"
    BETTER = "better than inside"
    FEW = "too few to tell"
    APART = "not comparable"


@dataclass(frozen=True)
class Estimate:
    """A score with its 95 % interval, None where there is none."""

    value: float | None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Compared:
    """A score on new samples, beside that of the cross-validation.

    Parameters
    ----------
    metric
        Its name.
    internal, external, difference
        Mean over test folds, score on the new samples, external minus internal.
    """

    metric: str
    internal: Estimate
    external: Estimate
    difference: Estimate


@dataclass(frozen=True)
class OfClass:
    """Scores of a class, and how many new samples are of it."""

    name: str
    samples: int
    scores: tuple[Compared, ...]


@dataclass(frozen=True)
class OfGroup:
    """A group's new samples and the share of them that is called right."""

    name: str
    samples: int
    accuracy: Estimate


@dataclass(frozen=True)
class Labelled:
    """New samples whose class is known.

    Parameters
    ----------
    labels, predicted
        Class codes; (n,).
    probabilities
        (n, classes).
    groups
        Names of groups, None of a sample without one, (n,); None where there are none.
    """

    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    groups: np.ndarray | None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def units(self) -> np.ndarray:
        """Number of the group of every sample, its own where there are none; (n,)."""
        units = np.arange(len(self))
        if self.groups is not None:
            named = np.array([name is not None for name in self.groups])
            names = self.groups[named].astype(str)
            _, first, of = np.unique(names, return_index=True, return_inverse=True)
            units[named] = np.flatnonzero(named)[first][of.reshape(-1)]
        return np.unique(units, return_inverse=True)[1].reshape(-1)


@dataclass(frozen=True)
class External:
    """What new samples with classes say of a model.

    Parameters
    ----------
    samples, units
        How many there are, and how many groups of them, or as many.
    primary
        The metric that verdicts follow.
    carried
        Whether its value carried over.
    metrics, classes, groups
        Scores.
    reliability
        As in ``reliability.csv``, of the new samples.
    confusion
        Rows the true class, columns the predicted one; (classes, classes).
    absent
        Classes of the model that no new sample is of, though others are called so or may be.
    other
        How the model differs from what was cross-validated, None where it does not.
    """

    samples: int
    units: int
    primary: Compared
    carried: Carried
    metrics: tuple[Compared, ...]
    classes: tuple[OfClass, ...]
    groups: tuple[OfGroup, ...]
    reliability: tuple[dict[str, float], ...]
    confusion: np.ndarray
    absent: tuple[str, ...] = ()
    other: str | None = None


def _draws(units: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return rows of bootstrap draws of whole units."""
    rng = np.random.default_rng([seed, 5])
    count = int(units.max()) + 1
    rows = [np.flatnonzero(units == unit) for unit in range(count)]
    picks = rng.integers(count, size=(DRAWS, count))
    return [np.concatenate([rows[unit] for unit in pick]) for pick in picks]


def _score(score: Score, held: Labelled, draws: Sequence[np.ndarray] | None) -> Estimate:
    value = score(held.labels, held.probabilities, held.predicted)
    if np.isnan(value) or draws is None:
        return Estimate(None if np.isnan(value) else float(value))
    found = [score(held.labels[r], held.probabilities[r], held.predicted[r]) for r in draws]
    known = np.array(found)[~np.isnan(found)]
    if len(known) < len(draws) / 2:
        return Estimate(float(value))
    lower, upper = np.quantile(known, [0.025, 0.975])
    return Estimate(float(value), float(lower), float(upper))


def _varied(found: Estimate) -> Estimate:
    """Return an estimate without limits where draws never differ: they say not how sure it is."""
    return Estimate(found.value) if found.lower == found.upper else found


def _of_all(found: Estimate, metric: str, held: Labelled) -> Estimate:
    """Return the score of all classes, with limits of its own where draws never differ.

    Of 12 samples that are called right, draws say 1 as of 1,200 do. Accuracy has Wilson's limits
    then, for as many units. Where every call is right, so have other scores of calls the mean of
    Wilson's limits of the classes, which is that of the mean recall: a class of one sample leaves
    it wide. Of all else nothing is said.
    """
    if found.value is None or found.lower is None or found.lower != found.upper:
        return found
    units = held.units
    if metric == SHARE:
        lower, upper = np.round(wilson_interval(found.value, len(np.unique(units))), 12)
        return Estimate(found.value, float(lower), float(upper))
    if metric not in OF_CALLS or (held.labels != held.predicted).any():
        return Estimate(found.value)
    sizes = [len(np.unique(units[held.labels == code])) for code in np.unique(held.labels)]
    lower = np.mean([wilson_interval(1.0, size)[0] for size in sizes])
    return Estimate(found.value, float(lower), found.value)


def difference(internal: Estimate, external: Estimate) -> Estimate:
    """Return external minus internal, with limits where both have them."""
    if internal.value is None or external.value is None:
        return Estimate(None)
    d = external.value - internal.value
    ends = internal.lower, internal.upper, external.lower, external.upper
    if any(end is None for end in ends):
        return Estimate(d)
    low, high, lower, upper = (float(end) for end in ends if end is not None)
    # Percentile limits may lie on one side of the value.
    below = np.hypot(max(external.value - lower, 0), max(high - internal.value, 0))
    above = np.hypot(max(upper - external.value, 0), max(internal.value - low, 0))
    return Estimate(d, float(d - below), float(d + above))


def verdict(compared: Compared, units: int) -> Carried:
    """Return whether a score carried over.

    Parameters
    ----------
    compared
        The score, inside and outside.
    units
        Samples, or groups of them, that the external one rests on.
    """
    found = compared.difference
    if found.value is None or found.lower is None or found.upper is None or units < FEWEST:
        return Carried.FEW
    better = METRICS[compared.metric].more_is_better
    worst, best = (found.lower, found.upper) if better else (-found.upper, -found.lower)
    if best < 0:
        return Carried.NO
    if worst > 0:
        return Carried.BETTER
    return Carried.YES if worst > -MARGIN else Carried.OPEN


def _internal(evaluation: Mapping[str, Any]) -> dict[tuple[str | None, str], Estimate]:
    return {
        (row["class"], row["metric"]): Estimate(row["mean"], row["lower"], row["upper"])
        for row in evaluation["summary"]
    }


def _reliability(held: Labelled) -> tuple[dict[str, float], ...]:
    confidence = held.probabilities.max(axis=1)
    correct = held.labels == held.probabilities.argmax(axis=1)
    bins, rows = calibration_bins(confidence), []
    for number in range(CALIBRATION_BINS):
        inside = bins == number
        if inside.any():
            accuracy, count = float(correct[inside].mean()), int(inside.sum())
            lower, upper = wilson_interval(accuracy, count)
            mean = float(confidence[inside].mean())
            rows.append(
                {"confidence": mean, "accuracy": accuracy, "lower": float(lower)}
                | {"upper": float(upper), "samples": float(count)}
            )
    return tuple(rows)


def validate(
    held: Labelled, classes: Sequence[str], evaluation: Mapping[str, Any], seed: int = 0
) -> External:
    """Score new samples, and compare with the cross-validation.

    Parameters
    ----------
    held
        The samples; at least one.
    classes
        Names of the model's classes.
    evaluation
        How the model's method performed inside (`balmi.prediction.described.evaluation_of`).
    seed
        Of the bootstrap.
    """
    inside, units = _internal(evaluation), held.units
    count = int(units.max()) + 1
    draws = _draws(units, seed) if count >= FEWEST else None
    names = dict.fromkeys([evaluation["primary"], *METRICS])
    absent = tuple(np.array(classes)[np.bincount(held.labels, minlength=len(classes)) == 0])

    def compared(metric: str, external: Estimate, name: str | None = None) -> Compared:
        internal = inside.get((name, metric), Estimate(None))
        # A mean over classes is another mean where some are not there.
        other = name is None and absent and metric in OF_ALL_CLASSES
        other = other or metric in OF_SIZE or evaluation.get("other") is not None
        gap = Estimate(None) if other else difference(internal, external)
        return Compared(metric, internal, external, gap)

    metrics = tuple(
        compared(
            name,
            _of_all(_score(METRICS[name], held, None if name in OF_SIZE else draws), name, held),
        )
        for name in names
    )
    primary = metrics[0]
    apart = evaluation.get("other") is not None or (absent and primary.metric in OF_ALL_CLASSES)
    return External(
        samples=len(held),
        units=count,
        primary=primary,
        carried=Carried.APART if apart else verdict(primary, count),
        metrics=tuple(sorted(metrics, key=lambda each: list(METRICS).index(each.metric))),
        classes=tuple(
            OfClass(
                name,
                int((held.labels == code).sum()),
                tuple(
                    compared(metric, _varied(_score(_of_class(metric, code), held, draws)), name)
                    for metric in CLASS_METRICS
                ),
            )
            for code, name in enumerate(classes)
        ),
        groups=tuple(_groups(held)),
        reliability=_reliability(held),
        confusion=_confusion(held, len(classes)),
        absent=absent,
        other=evaluation.get("other"),
    )


def _of_class(metric: str, code: int) -> Score:
    function = CLASS_METRICS[metric].function

    def score(labels: np.ndarray, probabilities: np.ndarray, predicted: np.ndarray) -> float:
        return function(labels == code, predicted == code, probabilities[:, code])

    return score


def _groups(held: Labelled) -> list[OfGroup]:
    """Return the groups of the new samples, the largest first, `MOST_GROUPS` at most."""
    if held.groups is None:
        return []
    of = np.array(["" if name is None else str(name) for name in held.groups])
    names, counts = np.unique(of[of != ""], return_counts=True)
    found = []
    for place in np.argsort(-counts, kind="stable")[:MOST_GROUPS]:
        inside = of == names[place]
        share = float((held.labels == held.predicted)[inside].mean())
        limits = wilson_interval(share, int(counts[place]))
        estimate = Estimate(share, float(limits[0]), float(limits[1]))
        found.append(OfGroup(str(names[place]), int(counts[place]), estimate))
    return found


def _confusion(held: Labelled, classes: int) -> np.ndarray:
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (held.labels, held.predicted), 1)
    return table
