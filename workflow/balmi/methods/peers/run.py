"""Run a peer over all folds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pandas as pd

from balmi.methods.outcome import Result, prediction_table
from balmi.methods.peers.registry import NEEDS, PEERS, predicted
from balmi.methods.peers.side import TrainingSide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Method
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.preprocess.features import Features
    from balmi.preprocess.fitted import Fitted

logger = logging.getLogger("balmi")


def training_side(cohort: Roster, features: Features, fitted: Fitted, split: Split) -> TrainingSide:
    """Return what a peer may learn from in one fold.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    fitted
        The preprocessing that the fold's training side set.
    split
        The fold.
    """
    return TrainingSide.of(cohort, split, features.apply(fitted, split.fit))


def fit_baseline(
    method: Method, cohort: Roster, features: Features, splits: Sequence[Split]
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
    if method in NEEDS:
        NEEDS[method](features.available)
    tables = []
    for number, split in enumerate(splits, start=1):
        fitted = features.fit(split.fit)
        peer = PEERS[method](training_side(cohort, features, fitted, split))
        tests = features.apply(fitted, split.test)
        for name, probabilities in predicted(method, peer, tests).items():
            tables.append(prediction_table(name, split, probabilities, cohort))
        logger.info("%s: fold %d of %d", method, number, len(splits))
    return Result(pd.concat(tables, ignore_index=True))
