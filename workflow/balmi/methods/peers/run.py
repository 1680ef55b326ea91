"""Run a peer over all folds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from balmi.logs import followed
from balmi.methods.outcome import Result, attempt, prediction_table
from balmi.methods.peers.registry import NEEDS, PEERS, predicted
from balmi.methods.peers.side import TrainingSide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.config.settings import Method
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.outcome import Status
    from balmi.methods.peers.bases import Bases
    from balmi.methods.peers.registry import FittedPeer
    from balmi.preprocess.features import Features
    from balmi.preprocess.fitted import Fitted, Samples


def training_side(
    cohort: Roster, features: Features, fitted: Fitted, split: Split, bases: Bases | None = None
) -> TrainingSide:
    """Return what a peer may learn from in one fold.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    fitted
        The preprocessing that the fold's training side set.
    split
        The fold.
    bases
        The modalities' regressions, where they were fitted before.

    Raises
    ------
    MethodFailed
        Where fitting the modalities' regressions failed.
    """
    known = None if bases is None else bases.of(split)
    return TrainingSide.of(cohort, split, features.apply(fitted, split.fit), known)


@dataclass(frozen=True)
class Fold:
    """A fold as peers meet it.

    Parameters
    ----------
    split
        The fold.
    side
        Its training side. Peers that are asked one after the other share what it keeps.
    tests
        Its test samples, transformed by what the training side set.
    """

    split: Split
    side: TrainingSide
    tests: Samples

    @classmethod
    def of(
        cls, cohort: Roster, features: Features, split: Split, bases: Bases | None = None
    ) -> Fold:
        """Return a fold of a cohort; parameters and errors as of `training_side`."""
        fitted = features.fit(split.fit)
        side = training_side(cohort, features, fitted, split, bases)
        return cls(split, side, features.apply(fitted, split.test))


def forget(peer: FittedPeer) -> None:
    """Keep nothing of a peer: forests and machines may be larger than the cohort."""


def fit_in_fold(
    method: Method, fold: Fold, cohort: Roster, keep: Callable[[FittedPeer], object] = forget
) -> pd.DataFrame:
    """Fit a peer on the training side of a fold and predict its test samples.

    Parameters
    ----------
    method, cohort, keep
        As in `fit_baseline`.
    fold
        The fold.

    Raises
    ------
    MethodNotApplicable
        Where the peer cannot run on this cohort.
    """
    if method in NEEDS:
        NEEDS[method](cohort.available)
    peer = PEERS[method](fold.side)
    keep(peer)
    said = predicted(method, peer, fold.tests)
    tables = [prediction_table(name, fold.split, each, cohort) for name, each in said.items()]
    return pd.concat(tables, ignore_index=True)


def fit_baseline(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    bases: Bases | None = None,
    keep: Callable[[FittedPeer], object] = forget,
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
    bases
        The modalities' regressions, where they were fitted before.
    keep
        Called with what the peer has learned from each fold, in their order.

    Raises
    ------
    MethodNotApplicable
        Where the peer cannot run on this cohort.
    MethodFailed
        Where it rests on the modalities' regressions, and fitting these failed.
    """
    tables = [
        fit_in_fold(method, Fold.of(cohort, features, split, bases), cohort, keep)
        for split in followed(splits, str(method), "fold")
    ]
    return Result(pd.concat(tables, ignore_index=True))


def baseline_stage(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    bases: Bases | None = None,
) -> tuple[Status, Result]:
    """Fit a peer and predict as `fit_baseline` does; return how it ended, and what it found.

    The time that it took has that of the modalities' regressions in it.
    """
    fit = partial(fit_baseline, method, cohort, features, splits, bases)
    status, result = attempt(method, fit, Result.none(cohort.classes))
    return status if bases is None else status.with_cost_of([bases.status]), result
