"""Run a peer over all folds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pandas as pd

from balmi.methods.outcome import Result, prediction_table
from balmi.methods.peers.registry import PEERS, FoldTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Method
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.preprocess.pipeline import Features

logger = logging.getLogger("balmi")


def fold_task(cohort: Cohort, features: Features, split: Split) -> FoldTask:
    """Return what a peer may see of one fold."""
    return FoldTask(
        features=features.split(split.fit),
        available=features.available,
        labels=cohort.labels,
        groups=cohort.groups,
        classes=len(cohort.classes),
        fit=split.fit,
        test=split.test,
        seed=split.repeat,
    )


def fit_baseline(
    method: Method, cohort: Cohort, features: Features, splits: Sequence[Split]
) -> Result:
    """Fit a peer on the training side of every fold and predict its test samples.

    Parameters
    ----------
    method
        One of `PEERS`.
    cohort, features
        The cohort and its features.
    splits
        The folds.

    Raises
    ------
    MethodNotApplicable
        Where the peer cannot run on this cohort.
    """
    tables = []
    for number, split in enumerate(splits, start=1):
        task = fold_task(cohort, features, split)
        for name, probabilities in PEERS[method](task).items():
            tables.append(prediction_table(name, split, probabilities, cohort))
        logger.info("%s: fold %d of %d", method, number, len(splits))
    return Result(pd.concat(tables, ignore_index=True))
