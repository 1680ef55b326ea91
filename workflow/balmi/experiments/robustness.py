"""What worse test samples and fewer training samples do to predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.data.files import read_json
from balmi.data.together import together
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import mean_over_folds
from balmi.experiments.probes.alterations import ProbeKind
from balmi.experiments.probes.changes import probe_changes
from balmi.experiments.scores import all_scores, of_method
from balmi.experiments.shares.changes import share_changes
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster
    from balmi.experiments.scores import Change, Scores


def robustness_table(scores: Scores, modalities: Sequence[str]) -> pd.DataFrame:
    """Return what every change does to every method that was probed or trained again.

    Folds that leave a metric undefined do not count, nor do folds without a test sample that has
    the changed modality. A value and its difference are of the same
    folds. The difference between a share and the whole takes the share's ratio of test to training
    samples, the larger and more cautious one of the two.

    Parameters
    ----------
    scores
        As `all_scores` gives them.
    modalities
        Names, in the cohort's order.

    Returns
    -------
    pandas.DataFrame
        ``tables/robustness.csv``. The first level of noise is 0 and the last share 1: no change.
    """
    rows = []
    for method in scores.whole.index.unique("method"):
        whole = of_method(scores.whole, method)
        changes = [
            *probe_changes(modalities, method, whole, scores),
            *share_changes(scores, method, whole),
        ]
        rows += [
            (method, *_row(change, name))
            for change in changes
            for name in scores.metrics
            if _folds(change, name).any()
        ]
    return TABLES["robustness"].of(rows)


def dropped_table(
    cohort: Roster,
    predictions: pd.DataFrame,
    probes: pd.DataFrame,
    splits: pd.DataFrame,
    followed: PrimaryMetric,
) -> pd.DataFrame:
    """Return what methods lose where test samples lack one modality more.

    These rows need neither training on fewer samples nor controls, for which a final model would
    have to wait.

    Parameters
    ----------
    cohort, predictions, probes, splits, followed
        As `balmi.experiments.scores.all_scores` takes them; probes of those methods alone that are
        asked about.

    Returns
    -------
    pandas.DataFrame
        The rows ``dropped`` of ``tables/robustness.csv``.
    """
    names = cohort.modalities
    rests = [together(other for other in names if other != name) for name in names]
    without = probes[(probes["kind"] == ProbeKind.SUBSET) & probes["modalities"].isin(rests)]
    table = robustness_table(all_scores(cohort, predictions, without, {}, splits, followed), names)
    return table[table["kind"] == "dropped"].reset_index(drop=True)


def _folds(change: Change, metric: str) -> np.ndarray:
    """Return which folds of a change have a value, and one without it; (folds,), bool."""
    before = change.unchanged[metric].reindex(change.scores.index)
    return (np.isfinite(change.scores[metric]) & np.isfinite(before)).to_numpy()


def _row(change: Change, name: str) -> tuple[object, ...]:
    """Return a row of the table, without the method."""
    kept = _folds(change, name)
    values = change.scores[name].to_numpy()[kept]
    before = change.unchanged[name].reindex(change.scores.index).to_numpy()[kept]
    head = change.kind, change.modality, change.level, name
    return (
        *head,
        *mean_over_folds(values, change.ratio, *METRICS[name].bounds)[:3],
        *mean_over_folds(values - before, change.ratio)[:3],
        len(values),
    )


def run_status_table(files: Sequence[Path]) -> pd.DataFrame:
    """Return how the methods ended in training shares and controls.

    Parameters
    ----------
    files
        As `balmi.methods.pipeline.Outcomes` writes them.

    Returns
    -------
    pandas.DataFrame
        ``tables/robustness_status.csv``.
    """
    rows = [row for file in files for row in read_json(file)]
    return TABLES["robustness_status"].of(rows)
