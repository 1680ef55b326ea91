"""The view of the comparison: paired differences, scores, and the methods' ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from balmi.evaluation.comparisons import ALL, COMPLETE
from balmi.evaluation.decision import MASK
from balmi.evaluation.primary import SINGLE, STACKED
from balmi.evaluation.verdicts import Verdict
from balmi.report.kit.metrics import metric_of, metrics_of
from balmi.report.kit.words import known
from balmi.report.sections.performance.access import access_view
from balmi.report.sections.performance.closeup import (
    ClassScores,
    CloseUp,
    confusion_view,
    curves_view,
    reliability_view,
    rule_told,
)
from balmi.report.sections.performance.design import Design, design_view
from balmi.report.sections.performance.patterns import patterns_view
from balmi.report.sections.performance.scores import (
    DECIDED,
    GRADED,
    OF_CLASS,
    Score,
    Scores,
    scores_of,
    told_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.evaluation.decision import Decision, Ground
    from balmi.evaluation.primary import Roles
    from balmi.report.kit.metrics import Metric
    from balmi.report.sections.performance.access import AccessView
    from balmi.report.sections.performance.patterns import PatternsView

CALIBRATION, LOG_LOSS = "ece", "log_loss"


@dataclass(frozen=True)
class MethodRow:
    """A method's scores by metric, and what verdicts follow of every (repeat, fold).

    `tested` is the number of samples that it ever predicted.
    """

    name: str
    own: bool
    tested: int
    scores: dict[str, Score]
    folds: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Difference:
    """A paired difference, method minus reference, with its verdict: a gain is an improvement.

    Parameters
    ----------
    method, reference
        Names of methods.
    difference, lower, upper
        Mean over folds with its corrected 95 % interval.
    p, p_holm
        Two-sided p-value, and the same adjusted for the number of references.
    worse, equivalent, better
        Posterior probabilities: worse by more than .01, within .01, better by more than .01.
    verdict
        What it supports, as `balmi.evaluation.decision.Ground` names it; None without an interval.
    samples
        The samples that it is made on: all, or the complete ones.
    folds, dealt
        Test folds that differ and count, and all that were dealt.
    primary
        Whether it is the one that was fixed in advance.
    references
        Methods that this method is compared with: so many comparisons are adjusted for at most.
    """

    method: str
    reference: str
    difference: float | None
    lower: float | None
    upper: float | None
    p: float | None
    p_holm: float | None
    worse: float | None
    equivalent: float | None
    better: float | None
    verdict: str | None
    samples: str
    folds: int
    dealt: int
    primary: bool
    references: int


@dataclass(frozen=True)
class MethodStatus:
    """How a configured method ended; seconds by the clock, and of the processor."""

    name: str
    status: str
    reason: str | None
    device: str | None
    seconds: float | None
    processor_seconds: float | None


@dataclass(frozen=True)
class PerformanceView:
    """What the report tells about the methods.

    Parameters
    ----------
    design
        How samples were held out.
    metrics
        The metrics that the table has, of the predicted class and of the probabilities.
    metric
        The metric that verdicts follow.
    roles
        The predictor that the report is about, the own method.
    methods
        The best by that metric first.
    differences
        The comparisons that answer a question of the report, on the samples that decide.
    beside
        The same on the other samples, complete or all; empty where no sample lacks a modality.
    other_differences
        Number of comparisons of that metric that are only in the download.
    closeup
        Of the own method, or else of the best method; None without methods.
    statuses
        Every configured method.
    log_loss
        Difference in log-loss of the own method and stacked-lr, or None; None too where verdicts
        follow log-loss.
    access
        Where the signal lies; None where no pools were compared.
    patterns
        Scores by which modalities a sample has; None where all have the same.
    """

    design: Design
    metrics: tuple[tuple[Metric, ...], tuple[Metric, ...]]
    metric: Metric
    roles: Roles
    methods: tuple[MethodRow, ...]
    differences: tuple[Difference, ...]
    beside: tuple[Difference, ...]
    other_differences: int
    closeup: CloseUp | None
    statuses: tuple[MethodStatus, ...]
    log_loss: Difference | None
    access: AccessView | None
    patterns: PatternsView | None = None

    @property
    def not_ok(self) -> tuple[MethodStatus, ...]:
        """The methods that gave no result; where nothing is lacking, absence has none to give."""
        idle = (MASK, "not_applicable")
        bad = (row for row in self.statuses if row.status != "ok")
        return tuple(row for row in bad if (row.name, row.status) != idle)

    def difference(self, method: str, reference: str) -> Difference | None:
        """Return the comparison of two methods, or None where it was not made."""
        return _of_pair(self.differences, method, reference)

    def other(self, row: Difference) -> Difference | None:
        """Return the same comparison on the other samples, or None where there is none."""
        return _of_pair(self.beside, row.method, row.reference)


def _of_pair(rows: Sequence[Difference], method: str, reference: str) -> Difference | None:
    return next((row for row in rows if (row.method, row.reference) == (method, reference)), None)


def _methods(
    performance: pd.DataFrame, predictions: pd.DataFrame, scores: Scores, metric: Metric, own: str
) -> list[MethodRow]:
    tested = predictions.groupby("method")["sample"].nunique()
    main = performance[performance["metric"] == metric.key].dropna(subset=["value"])
    points = {
        name: tuple((int(row.repeat), int(row.fold), float(row.value)) for row in part.itertuples())
        for name, part in main.sort_values(["repeat", "fold"]).groupby("method")
    }
    names = (name for name, whose in scores if whose is None)
    rows = [
        MethodRow(
            name, name == own, int(tested.get(name, 0)), scores[name, None], points.get(name, ())
        )
        for name in names
    ]

    def best_first(row: MethodRow) -> tuple[float, str]:
        mean = row.scores[metric.key].mean if metric.key in row.scores else None
        sign = -1 if metric.more_is_better else 1
        return (np.inf if mean is None else sign * mean, row.name)

    return sorted(rows, key=best_first)


def _differences(
    comparisons: pd.DataFrame, ground: Ground, roles: Roles, samples: str
) -> tuple[list[Difference], int]:
    """Return the own method's and the single modality's comparisons, or all without them."""
    of_samples = comparisons["samples"] == samples
    main = comparisons[(comparisons["metric"] == ground.metric) & of_samples]
    own = main["method"] == roles.own
    alone = main["method"].str.contains("/", regex=False)
    linear = (main["method"] == STACKED) & (main["reference"] == SINGLE)
    single = ((main["reference"] == roles.single) | linear) & ~own & ~alone
    chosen = main if not (own | single).any() else main[own | single]
    chosen = chosen.sort_values("method", key=lambda names: names != roles.own, kind="stable")
    references = main["method"].value_counts()
    rows = [
        _difference(cells, ground, int(references[cells["method"]]))
        for cells in chosen.to_dict("records")
    ]
    # Of a long table the page shows the first rows: what decides is among them, and what is lost.
    lost = str(Verdict.LOSS)
    rows.sort(key=lambda row: (not row.primary, (row.method, row.verdict) != (roles.own, lost)))
    return rows, len(main) - len(rows)


def _difference(cells: dict[str, Any], ground: Ground, references: int) -> Difference:
    numbers = ("difference", "lower", "upper", "p", "p_holm", "worse", "equivalent", "better")
    estimates = {name: known(cells[name]) for name in numbers}
    word = ground.verdict(cells)
    return Difference(
        cells["method"],
        cells["reference"],
        **estimates,
        verdict=None if word is None else str(word),
        samples=cells["samples"],
        folds=int(cells["folds"]),
        dealt=int(cells["dealt"]),
        primary=ground.is_primary(cells),
        references=references,
    )


def _log_loss(comparisons: pd.DataFrame, ground: Ground, own: str) -> Difference | None:
    """Return the difference in log-loss of the own method and stacking beside another metric."""
    if ground.metric == LOG_LOSS:
        return None
    wanted = {"method": own, "metric": LOG_LOSS, "samples": ground.followed}
    family = comparisons
    for column, value in wanted.items():
        family = family[family[column] == value]
    records = family[family["reference"] == STACKED].to_dict("records")
    return _difference(records[0], ground, len(family)) if records else None


def differences_view(comparisons: pd.DataFrame, decision: Decision) -> dict[str, Any]:
    """Return the fields of `PerformanceView` that tell differences.

    Parameters
    ----------
    comparisons
        The table of the contract.
    decision
        What the headline is, and what verdicts rest on.
    """
    ground, roles = decision.ground, decision.roles
    differences, others = _differences(comparisons, ground, roles, ground.followed)
    other = ALL if ground.followed == COMPLETE else COMPLETE
    beside = _differences(comparisons, ground, roles, other)[0] if decision.lacking else []
    return {
        "metric": metric_of(ground.metric),
        "roles": roles,
        "differences": tuple(differences),
        "beside": tuple(beside),
        "other_differences": others,
        "log_loss": _log_loss(comparisons, ground, roles.own),
    }


def _closeup(
    rows: Sequence[MethodRow],
    tables: Mapping[str, pd.DataFrame],
    scores: Scores,
    cohort: Roster,
    decision: Decision,
) -> CloseUp | None:
    names = [row.name for row in rows]
    if not names:
        return None
    own = decision.roles.own
    shown = own if own in names else names[0]
    compared = [name for name in dict.fromkeys((shown, STACKED)) if name in names]
    counts = np.bincount(cohort.labels, minlength=len(cohort.classes))
    return CloseUp(
        method=shown,
        classes=tuple(
            ClassScores(name, int(count), told_in(scores[shown, name], OF_CLASS))
            for name, count in zip(cohort.classes, counts, strict=True)
            if (shown, name) in scores
        ),
        confusion=confusion_view(shown, tables["predictions"], cohort),
        curves=curves_view(shown, tables["curves"], cohort.classes),
        reliability=tuple(
            reliability_view(name, tables["reliability"], scores[name, None].get(CALIBRATION))
            for name in compared
        ),
        rule=rule_told(shown, tables["predictions"], decision.ground.metric),
    )


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _statuses(methods: pd.DataFrame) -> tuple[MethodStatus, ...]:
    return tuple(
        MethodStatus(
            cells.method,
            cells.status,
            _text(cells.reason),
            _text(cells.device),
            known(cells.seconds),
            known(cells.processor_seconds),
        )
        for cells in methods.itertuples(index=False)
    )


def performance_view(
    tables: Mapping[str, pd.DataFrame],
    cohort: Roster,
    scheme: str,
    decision: Decision,
    automatic: bool = False,
    quiet: str | None = None,
) -> PerformanceView:
    """Make the view of the methods from the tables of the contract.

    Parameters
    ----------
    tables
        ``performance``, ``comparisons``, ``access``, ``methods``, ``predictions``, ``summary``,
        ``reliability``, ``curves`` and ``patterns``.
    cohort
        The cohort.
    scheme
        ``evaluation.scheme`` of the configuration.
    decision
        What the headline is, and what verdicts rest on.
    automatic
        Whether ``evaluation.repeats`` is left to the number of samples.
    quiet
        Why nothing is concluded, or None where it is.
    """
    scores = scores_of(tables["summary"])
    told = differences_view(tables["comparisons"], decision)
    own = decision.roles.own
    rows = _methods(tables["performance"], tables["predictions"], scores, told["metric"], own)
    metrics = {key for row in rows for key in row.scores}
    return PerformanceView(
        design=design_view(tables["predictions"], cohort, scheme, automatic),
        metrics=tuple(  # type: ignore[arg-type]
            metrics_of(key for key in keys if key in metrics) for keys in (DECIDED, GRADED)
        ),
        methods=tuple(rows),
        **told,
        closeup=_closeup(rows, tables, scores, cohort, decision),
        statuses=_statuses(tables["methods"]),
        access=access_view(tables["access"], quiet),
        patterns=patterns_view(tables["patterns"], cohort.modalities, told["metric"].key),
    )
