"""Where the signal lies: pools by what their experts may see, compared with those that see less.

Nothing (class frequencies), one modality, sums of linear functions of each modality, sums of any
functions of each, and all of them together. A pool that sees more and is shown to predict better
says that there is something to see; one that is shown not to predict noticeably better says that
there is not.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from balmi.config.automatic import FEWEST_FOLDS
from balmi.config.methods import ANY_SUMS, LINEAR_SUMS
from balmi.config.settings import Method
from balmi.evaluation.comparisons import COMPLETE
from balmi.evaluation.complete import comparisons_of
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.statistics import holm
from balmi.evaluation.verdicts import Verdict, judged
from balmi.methods.deciding import Said
from balmi.methods.outcome import said_columns
from balmi.methods.peers.priors import frequencies
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster

NOTHING, ONE, LINEAR, ADDITIVE, JOINT = "nothing", "one", "linear", "additive", "joint"
# The method behind every level, from the least that is seen to the most.
LEVELS = {
    ONE: str(Method.UNIMODAL_POOLED),
    LINEAR: LINEAR_SUMS,
    ADDITIVE: ANY_SUMS,
    JOINT: str(Method.POOLED),
}
LOSS, SCORE = "log_loss", "macro_f1"
# What a pool that sees more may gain at most for the gain not to be noticeable: a share of what the
# pool that sees less says beyond class frequencies, from `LEAST` to `MOST` nats. With a gain of the
# latter the true class is a twentieth more probable.
SHARE, LEAST, MOST = 0.15, 0.01, 0.05


class Access(StrEnum):
    """What is shown of where the signal lies."""

    ONE = "one modality suffices"
    LINEAR = "modalities add up linearly"
    ADDITIVE = "nonlinear within modalities"
    JOINT = "modalities interact"
    NONE = "none is shown"


ORDER = (NOTHING, *LEVELS)
SUFFICIENT = {
    **{ONE: Access.ONE, LINEAR: Access.LINEAR},
    **{ADDITIVE: Access.ADDITIVE, JOINT: Access.JOINT},
}


def access_table(
    predictions: pd.DataFrame, cohort: Roster, ratio: float, followed: PrimaryMetric
) -> pd.DataFrame:
    """Return what every level gains over every lower one on complete samples.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.
    ratio
        Test samples over training samples of a fold.
    followed
        The metric that verdicts follow.

    Returns
    -------
    pandas.DataFrame
        ``tables/access.csv``; without rows where a level has no predictions, as of a single
        modality, where there is nothing to combine.
    """
    names = {method: level for level, method in LEVELS.items()}
    own = predictions[predictions["method"].isin(names)]
    if len(cohort.modalities) < 2 or set(own["method"]) != set(names):
        return TABLES["access"].empty()
    told = pd.concat([own.replace({"method": names}), _by_frequencies(own, cohort)])
    told = told.reset_index(drop=True)
    metrics = tuple(dict.fromkeys([LOSS, SCORE, str(followed)]))
    alike = first_alike(told)
    scores = performance_table(told, cohort, metrics)
    once = counted_once(scores, alike, ["method", "metric"], ["value"])
    compared = comparisons_of(told, cohort, once, ratio, followed)
    compared = compared[compared["samples"] == COMPLETE].set_index(
        ["metric", "method", "reference"]
    )
    rows = []
    for metric in metrics:
        # Whoever calls one class for all is beaten in most metrics of classes by calls at random.
        levels = ORDER if METRICS[metric].graded else tuple(LEVELS)
        found = [
            _gain(compared.loc[(metric, more, less)], metric, less, more)
            for less, more in combinations(levels, 2)
            if (metric, more, less) in compared.index
        ]
        adjusted = holm([row["p"] for row in found])
        rows += [row | {"p_holm": p} for row, p in zip(found, adjusted, strict=True)]
    return TABLES["access"].of(rows)


def _by_frequencies(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return what the class frequencies outside of a fold say of its test samples."""
    method = LEVELS[JOINT]
    rows = predictions[predictions["method"] == method].reset_index(drop=True)
    values = np.empty((len(rows), len(cohort.classes)))
    places = cohort.positions(rows["sample"])
    for here in rows.groupby(FOLD).indices.values():
        others = np.ones(len(cohort.samples), dtype=bool)
        others[places[here]] = False
        values[here] = frequencies(cohort.labels[others], len(cohort.classes))
    return rows.assign(method=NOTHING, **said_columns(Said(values), cohort.classes))


def _gain(row: pd.Series, metric: str, less: str, more: str) -> dict[str, Any]:
    """Return a difference as a gain, whatever the direction of the metric."""
    sign = 1 if METRICS[metric].more_is_better else -1
    lower, upper = sorted([sign * row["lower"], sign * row["upper"]])
    gain = {"gain": sign * row["difference"], "lower": lower, "upper": upper}
    head = {"metric": metric, "less": less, "more": more}
    return head | gain | {"p": row["p"], "folds": row["folds"]}


def where_the_signal_lies(access: pd.DataFrame) -> Access:
    """Name the least that must be seen to lose nothing noticeable, in log-loss.

    It is the lowest level over which no higher one is shown to gain, by its interval and by its p
    after Holm over all pairs. Nothing is shown where that is class frequencies, or where the
    interval of a higher level reaches a noticeable gain.

    Parameters
    ----------
    access
        As `access_table` gives it.
    """
    rows = access[(access["metric"] == LOSS) & (access["folds"] >= FEWEST_FOLDS)]
    surpassed = {
        row.less
        for row in rows.itertuples()
        if judged(row.lower, row.upper, folds=row.folds, p_holm=row.p_holm) is Verdict.GAIN
    }
    level = next(level for level in ORDER if level not in surpassed)
    if level == NOTHING or not (level == JOINT or level in set(rows["less"])):
        return Access.NONE
    own = rows.loc[(rows["less"] == NOTHING) & (rows["more"] == level), "gain"].max()
    higher = rows.loc[rows["less"] == level, "upper"]
    noticeable = min(max(SHARE * own, LEAST), MOST)
    return SUFFICIENT[level] if (higher <= noticeable).all() else Access.NONE
