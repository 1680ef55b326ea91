"""The view of the comparison: scores, paired differences, folds and confusions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from balmi.config.settings import Method
from balmi.evaluation.statistics import corrected_interval, split_ratio
from balmi.evaluation.verdicts import verdict
from balmi.outcome import PROBABILITY_PREFIX
from balmi.report.words import known

if TYPE_CHECKING:
    import pandas as pd

    from balmi.data.cohort import Cohort

OWN = str(Method.BALANCED)
SINGLE = str(Method.UNIMODAL_LR)
STACKED = str(Method.STACKED_LR)
MAIN_METRIC = "macro_f1"


@dataclass(frozen=True)
class Metric:
    """A metric as people read it, and whether more of it is better."""

    key: str
    name: str
    more_is_better: bool


METRICS = (
    Metric("macro_f1", "macro-F1", True),
    Metric("accuracy", "accuracy", True),
    Metric("balanced_accuracy", "balanced accuracy", True),
    Metric("macro_auroc", "macro AUROC", True),
    Metric("log_loss", "log-loss (nats)", False),
    Metric("ece", "calibration error", False),
)


@dataclass(frozen=True)
class Score:
    """A mean over folds with its corrected 95 % interval; None where a fold has no value."""

    mean: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class MethodRow:
    """A method's scores by metric, and its macro-F1 of every (repeat, fold).

    `tested` is the number of samples that it ever predicted.
    """

    name: str
    own: bool
    tested: int
    scores: dict[str, Score]
    folds: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Difference:
    """A paired difference, method minus reference, with its verdict: a gain is an improvement."""

    method: str
    reference: str
    difference: float | None
    lower: float | None
    upper: float | None
    p: float | None
    verdict: str | None


@dataclass(frozen=True)
class Confusion:
    """Counts per repeat, rows the true and columns the predicted class, and their row shares."""

    method: str
    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class MethodStatus:
    """How a configured method ended; seconds of wall-clock time."""

    name: str
    status: str
    reason: str | None
    device: str | None
    seconds: float | None


@dataclass(frozen=True)
class PerformanceView:
    """What the report tells about the methods.

    Parameters
    ----------
    repeats, folds
        Size of the cross-validation, as found in the table.
    metrics
        The metrics that the table has.
    methods
        By falling macro-F1.
    differences
        The comparisons that answer a question of the report.
    other_differences
        Number of comparisons of macro-F1 that are only in the download.
    confusion
        Of the own method, or else of the method with the highest macro-F1.
    statuses
        Every configured method.
    log_loss
        Difference in log-loss of the own method and stacked-lr, or None.
    """

    repeats: int
    folds: int
    metrics: tuple[Metric, ...]
    methods: tuple[MethodRow, ...]
    differences: tuple[Difference, ...]
    other_differences: int
    confusion: Confusion | None
    statuses: tuple[MethodStatus, ...]
    log_loss: Difference | None

    @property
    def not_ok(self) -> tuple[MethodStatus, ...]:
        """The methods that gave no result."""
        return tuple(row for row in self.statuses if row.status != "ok")

    def difference(self, method: str, reference: str) -> Difference | None:
        """Return the comparison of two methods, or None where it was not made."""
        pairs = {(row.method, row.reference): row for row in self.differences}
        return pairs.get((method, reference))

    def score(self, method: str) -> Score | None:
        """Return a method's macro-F1, or None where it has none."""
        return next((row.scores[MAIN_METRIC] for row in self.methods if row.name == method), None)


def _score(values: np.ndarray, fraction: float) -> Score:
    """Return the mean over folds; a fold without a value leaves the score undefined."""
    if not len(values) or not np.isfinite(values).all():
        return Score(None, None, None)
    if len(values) < 2:
        return Score(float(values.mean()), None, None)
    interval = corrected_interval(values, fraction)
    return Score(interval.mean, interval.lower, interval.upper)


def _methods(
    performance: pd.DataFrame,
    predictions: pd.DataFrame,
    metrics: tuple[Metric, ...],
    fraction: float,
) -> list[MethodRow]:
    tested = predictions.groupby("method")["sample"].nunique()
    rows = []
    for name, table in performance.groupby("method", sort=True):
        scores = {
            metric.key: _score(
                table.loc[table["metric"] == metric.key, "value"].to_numpy(), fraction
            )
            for metric in metrics
        }
        main = table[table["metric"] == MAIN_METRIC].sort_values(["repeat", "fold"])
        cells = zip(main["repeat"], main["fold"], main["value"], strict=True)
        points = tuple((int(r), int(f), float(v)) for r, f, v in cells if np.isfinite(v))
        count = int(tested.get(name, 0))
        rows.append(MethodRow(str(name), str(name) == OWN, count, scores, points))
    return sorted(rows, key=_by_falling_score)


def _by_falling_score(row: MethodRow) -> tuple[float, str]:
    mean = row.scores[MAIN_METRIC].mean if MAIN_METRIC in row.scores else None
    return (np.inf if mean is None else -mean, row.name)


def _differences(comparisons: pd.DataFrame) -> tuple[list[Difference], int]:
    """Return the own method's and the single modality's comparisons, or all without them."""
    main = comparisons[comparisons["metric"] == MAIN_METRIC]
    own = main["method"] == OWN
    alone = main["method"].str.startswith(f"{SINGLE}/")
    single = (main["reference"] == SINGLE) & ~own & ~alone
    chosen = main if not (own | single).any() else main[own | single]
    chosen = chosen.sort_values("method", key=lambda names: names != OWN, kind="stable")
    rows = [_difference(cells) for cells in chosen.itertuples(index=False)]
    return rows, len(main) - len(rows)


def _difference(cells: Any, sign: int = 1) -> Difference:
    """Return a row of comparisons; `sign` is -1 for a metric of which less is better."""
    lower, upper = known(cells.lower), known(cells.upper)
    word = None
    if lower is not None and upper is not None:
        word = str(verdict(*sorted((sign * lower, sign * upper))))
    return Difference(
        method=cells.method,
        reference=cells.reference,
        difference=known(cells.difference),
        lower=lower,
        upper=upper,
        p=known(cells.p),
        verdict=word,
    )


def _log_loss(comparisons: pd.DataFrame) -> Difference | None:
    """Return the difference in log-loss of the own method and stacking, or None."""
    pair = (comparisons["method"] == OWN) & (comparisons["reference"] == STACKED)
    found = comparisons[pair & (comparisons["metric"] == "log_loss")]
    return None if found.empty else _difference(next(found.itertuples(index=False)), sign=-1)


def _confusion(method: str, predictions: pd.DataFrame, cohort: Cohort) -> Confusion:
    table = predictions[predictions["method"] == method]
    true = cohort.labels[cohort.positions(table["sample"].to_numpy(dtype=str))]
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    counts = np.zeros((len(columns), len(columns)))
    np.add.at(counts, (true, table[columns].to_numpy().argmax(axis=1)), 1)
    counts /= max(table["repeat"].nunique(), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
    return Confusion(
        method=method,
        classes=cohort.classes,
        counts=tuple(tuple(map(float, row)) for row in counts),
        shares=tuple(tuple(map(float, row)) for row in shares),
    )


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def performance_view(
    performance: pd.DataFrame,
    comparisons: pd.DataFrame,
    methods: pd.DataFrame,
    predictions: pd.DataFrame,
    cohort: Cohort,
    training_share: float = 1.0,
) -> PerformanceView:
    """Make the view of the methods from the tables of the contract.

    Parameters
    ----------
    performance, comparisons, methods, predictions
        The tables.
    cohort
        The cohort.
    training_share
        Share of the training samples that was used.
    """
    found = set(performance["metric"])
    metrics = tuple(metric for metric in METRICS if metric.key in found)
    folds = int(performance["fold"].nunique())
    fraction = split_ratio(predictions, len(cohort.samples), training_share)
    rows = _methods(performance, predictions, metrics, fraction)
    names = [row.name for row in rows]
    shown = OWN if OWN in names else next(iter(names), None)
    differences, others = _differences(comparisons)
    return PerformanceView(
        repeats=int(performance["repeat"].nunique()),
        folds=folds,
        metrics=metrics,
        methods=tuple(rows),
        differences=tuple(differences),
        other_differences=others,
        confusion=None if shown is None else _confusion(shown, predictions, cohort),
        statuses=tuple(
            MethodStatus(
                cells.method,
                cells.status,
                _text(cells.reason),
                _text(cells.device),
                known(cells.seconds),
            )
            for cells in methods.itertuples(index=False)
        ),
        log_loss=_log_loss(comparisons),
    )
