"""Whether the methods are at chance where there is nothing to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import mean_over_folds
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

METRIC = "macro_auroc"
STRICT = 0.99  # coverage of the interval by which a control fails
# Every fold of this control draws its noise anew, in training and test samples: scores of folds are
# independent, and their interval needs no correction for training samples in common.
INDEPENDENT = frozenset({"leak"})


def control_table(
    controls: Sequence[pd.DataFrame], classes: Sequence[str], split_ratio: float
) -> pd.DataFrame:
    """Return the macro AUROC of every method in every control.

    Parameters
    ----------
    controls
        What each control gave, in any number: columns as in ``predictions.parquet``, control and
        truth.
    classes
        Class names, in the order of the class codes.
    split_ratio
        Test samples over training samples of a fold.

    Returns
    -------
    pandas.DataFrame
        ``tables/controls.csv``. Limits are cut at the metric's bounds. Folds without a value, as
        those of a single class are, are left out; the limits are empty where fewer than two folds
        are left.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    bounds = METRICS[METRIC].bounds
    rows = []
    for predictions in controls:
        for (control, method), part in predictions.groupby(["control", "method"], sort=False):
            folds = [fold for _, fold in part.groupby(["repeat", "fold"])]
            values = np.array([_score(fold, columns, classes) for fold in folds])
            ratio = 0.0 if control in INDEPENDENT else split_ratio
            usual = mean_over_folds(values, ratio, *bounds)
            strict = mean_over_folds(values, ratio, *bounds, level=STRICT)
            rows.append((control, method, METRIC, *usual[:3], strict.lower, usual.folds))
    return TABLES["controls"].of(rows)


def _score(fold: pd.DataFrame, columns: list[str], classes: Sequence[str]) -> float:
    labels = pd.Index(classes).get_indexer(fold["truth"])
    return METRICS[METRIC](labels, fold[columns].to_numpy())
