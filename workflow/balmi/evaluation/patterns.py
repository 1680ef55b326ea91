"""How well samples are predicted by which modalities they have.

Samples of one pattern may be of other classes than those of the next, so that a pattern may be
easier by its classes alone. What the pattern itself says of the class stands beside it:
`absence-lr` sees nothing else. Scores are means over samples: a mean over classes, as macro-F1 is,
would be one over other classes in each pattern, and less where a fold holds few of its samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Method
from balmi.data.together import together
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.held_out import FOLD, held_out
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.samples import shown_method
from balmi.evaluation.statistics import mean_over_folds
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster

# Means over samples, defined for a single one; those that every table has come first.
OF_SAMPLES = ("log_loss", "accuracy", "brier")
ALWAYS = OF_SAMPLES[:2]
PATTERN = "modalities"
FEWEST_SAMPLES = 10  # of a pattern, of which an interval is given


def by_pattern(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return predictions with the modalities that their samples have, in the column `PATTERN`."""
    names = np.array(cohort.modalities, dtype=object)
    patterns = np.array([together(names[has]) for has in cohort.available], dtype=object)
    return predictions.assign(**{PATTERN: patterns[cohort.positions(predictions["sample"])]})


def patterns_table(
    predictions: pd.DataFrame, cohort: Roster, split_ratio: float, followed: PrimaryMetric
) -> pd.DataFrame:
    """Return scores of samples by which modalities they have.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for true classes and who has which modality.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.
    followed
        The metric that verdicts follow, which comes first where it is one of `OF_SAMPLES`.

    Returns
    -------
    pandas.DataFrame
        ``tables/patterns.csv``, the most frequent pattern first; without rows where all samples
        have the same modalities. Of fewer than `FEWEST_SAMPLES` there is no interval.
    """
    methods = list(dict.fromkeys(predictions["method"]))
    if not methods or len(np.unique(cohort.available, axis=0)) < 2:
        return TABLES["patterns"].empty()
    compared = dict.fromkeys([shown_method(methods), str(Method.ABSENCE_LR)])
    mine = by_pattern(predictions[predictions["method"].isin(compared)], cohort)
    by = ["method", PATTERN]
    shown = [name for name in OF_SAMPLES if name == followed or name in ALWAYS]
    shown.sort(key=lambda name: name != followed)
    scores = pd.DataFrame(
        {
            **head,
            "metric": name,
            "value": METRICS[name](part.labels, part.probabilities, part.predicted),
        }
        for head, part in held_out(mine, cohort, [*by, *FOLD])
        for name in shown
    )
    # A rare pattern is tested by the same samples in every repeat, which count once.
    scores = pd.concat(
        [
            counted_once(
                scores[scores[PATTERN] == pattern], first_alike(part), [*by, "metric"], ["value"]
            )
            for pattern, part in mine.groupby(PATTERN, sort=False)
        ],
        ignore_index=True,
    )
    tested = mine.groupby(by)["sample"].nunique()
    rows = []
    for (method, pattern, name), values in scores.groupby([*by, "metric"], sort=False)["value"]:
        over_folds = mean_over_folds(values.to_numpy(), split_ratio, *METRICS[name].bounds)
        count = int(tested[method, pattern])
        if count < FEWEST_SAMPLES:
            over_folds = over_folds._replace(lower=np.nan, upper=np.nan)
        rows.append((method, pattern, name, count, *over_folds))
    order = {name: place for place, name in enumerate(compared)}
    rows.sort(key=lambda row: (shown.index(row[2]), -row[3], row[1], order[row[0]]))
    return TABLES["patterns"].of(rows)
