"""Scores of every distinct test fold, as it is and changed: what experiments are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.held_out import FOLD, as_followed, held_out
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import split_ratio
from balmi.experiments.probes.alterations import ProbeKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster

ALWAYS = ("macro_f1", "macro_auroc", "log_loss")  # beside the metric that verdicts follow
PROBE = ["method", "kind", "modalities", "level"]


def fold_scores(
    predictions: pd.DataFrame,
    cohort: Roster,
    by: Sequence[str],
    alike: pd.DataFrame,
    metrics: Sequence[str],
) -> pd.DataFrame:
    """Return the metrics of every fold; folds that test the same samples are averaged into one.

    Parameters
    ----------
    predictions
        Columns sample, repeat, fold, those of `by`, and one ``p:<class>`` per class.
    cohort
        The cohort, for the true classes.
    by
        Columns that set predictions of the same fold apart, without empty cells.
    alike
        As `balmi.evaluation.distinct.first_alike` gives it.
    metrics
        Names.

    Returns
    -------
    pandas.DataFrame
        Indexed by `by`, repeat and fold; one column per metric.
    """
    keys = [*by, *FOLD]
    rows = [
        head
        | {name: METRICS[name](part.labels, part.probabilities, part.predicted) for name in metrics}
        for head, part in held_out(predictions, cohort, keys)
    ]
    scores = pd.DataFrame(rows, columns=[*keys, *metrics])
    return counted_once(scores, alike, by, metrics).set_index(keys)


@dataclass(frozen=True)
class Scores:
    """The metrics of every distinct test fold, of all methods that something was asked of.

    Parameters
    ----------
    metrics
        Their names, the columns of all scores.
    whole
        On the samples as they are; indexed by method, repeat and fold.
    unworsened
        As `whole`, of those samples alone that noise and permutation are tried on.
    probed
        Under probes; indexed by method, kind, modalities, level (0 where it is empty), repeat and
        fold.
    shares
        Share of the training samples -> as `whole`.
    ratio
        Test samples over training samples of a fold.
    share_ratios
        The same of every share; NaN where there is none.
    tested
        Which fold has a test sample with which modality; indexed by repeat and fold, a column of
        bool per modality.
    """

    metrics: tuple[str, ...]
    whole: pd.DataFrame
    unworsened: pd.DataFrame
    probed: pd.DataFrame
    shares: dict[float, pd.DataFrame]
    ratio: float
    share_ratios: dict[float, float]
    tested: pd.DataFrame


def all_scores(
    cohort: Roster,
    predictions: pd.DataFrame,
    probes: pd.DataFrame,
    shares: Mapping[float, pd.DataFrame],
    splits: pd.DataFrame,
    followed: PrimaryMetric,
) -> Scores:
    """Return the metrics of every fold, those that test the same samples averaged into one.

    Parameters
    ----------
    cohort
        The cohort.
    predictions
        As in ``predictions.parquet``.
    probes
        As `balmi.experiments.probes.alterations.probe_table` gives them, of all methods.
    shares
        Share of the training samples -> predictions of the methods trained on it.
    splits
        As in ``splits.parquet``.
    followed
        The metric that verdicts follow, which is among the metrics.
    """
    probes = as_followed(probes, cohort, followed)
    shares = {share: as_followed(part, cohort, followed) for share, part in shares.items()}
    every, metrics = ["method"], tuple(dict.fromkeys([*ALWAYS, str(followed)]))
    methods = set(probes["method"]).union(*(table["method"] for table in shares.values()))
    chosen = predictions[predictions["method"].isin(methods)]
    alike = first_alike(predictions)
    whole = fold_scores(chosen, cohort, every, alike, metrics)
    worsened = probes.loc[probes["kind"] != ProbeKind.SUBSET, [*FOLD, "sample"]].drop_duplicates()
    before = chosen.merge(worsened)
    drawn = 0 < len(before) < len(chosen)
    return Scores(
        metrics=metrics,
        whole=whole,
        unworsened=fold_scores(before, cohort, every, alike, metrics) if drawn else whole,
        probed=fold_scores(probes.fillna({"level": 0.0}), cohort, PROBE, alike, metrics),
        shares={
            share: fold_scores(part, cohort, every, alike, metrics)
            for share, part in shares.items()
        },
        ratio=split_ratio(splits),
        share_ratios={
            share: split_ratio(splits.merge(table[FOLD].drop_duplicates()), share)
            for share, table in shares.items()
        },
        tested=_tested(chosen, cohort),
    )


def _tested(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return which fold has a test sample with which modality, as in `Scores`."""
    has = cohort.available[cohort.positions(predictions["sample"])]
    table = pd.DataFrame(has, columns=list(cohort.modalities))
    return table.groupby([predictions[key].to_numpy() for key in FOLD]).any()


def of_method(scores: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return a method's scores, without rows where it has none."""
    return scores[scores.index.get_level_values("method") == method].droplevel("method")


@dataclass(frozen=True)
class Change:
    """One change and what it made of the folds.

    Parameters
    ----------
    kind
        noise, dropped, shuffled or share.
    modality
        The modality that is changed; None for share.
    level
        Standard deviations, or the share; NaN for the other kinds.
    scores
        Indexed by repeat and fold; one column per metric.
    unchanged
        As `scores`, of the same samples without the change.
    ratio
        Test samples over training samples of a fold, for intervals of the value.
    """

    kind: str
    modality: str | None
    level: float
    scores: pd.DataFrame
    unchanged: pd.DataFrame
    ratio: float
