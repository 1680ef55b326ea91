"""Held-out predictions with the true classes beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.methods import RULED
from balmi.config.settings import PrimaryMetric
from balmi.information.members import class_prior
from balmi.methods.deciding import MOST_PROBABLE, Rule, Said
from balmi.methods.outcome import POWER, PREDICTED, PROBABILITY_PREFIX, said_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster

FOLD = ["repeat", "fold"]


@dataclass(frozen=True)
class Predicted:
    """True classes and predicted probabilities of some held-out samples.

    Parameters
    ----------
    labels
        Class codes; shape (n,).
    probabilities
        Shape (n, classes).
    predicted
        Class codes that were decided on; shape (n,).
    """

    labels: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the most probable class; shape (n,)."""
        return self.probabilities.max(axis=1)

    @property
    def correct(self) -> np.ndarray:
        """Whether the most probable class is the true one; shape (n,)."""
        return self.labels == MOST_PROBABLE.classes(self.probabilities)


def held_out(
    predictions: pd.DataFrame, cohort: Roster, by: Sequence[str]
) -> Iterator[tuple[dict[str, object], Predicted]]:
    """Give the predictions of every method, or of every part of it, in the order of the table.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.
    by
        Columns whose values name a part: method, repeat and so on.
    """
    labels = cohort.labels[cohort.positions(predictions["sample"])]
    probabilities = probabilities_of(predictions, cohort.classes)
    predicted = decided(predictions, cohort.classes)
    groups = predictions.groupby(list(by), sort=False).indices
    # `indices` is sorted by name; the first row of a part says where it stands in the table.
    for key, rows in sorted(groups.items(), key=lambda item: item[1].min()):
        names = key if isinstance(key, tuple) else (key,)
        part = Predicted(labels[rows], probabilities[rows], predicted[rows])
        yield dict(zip(by, names, strict=True)), part


def probabilities_of(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return the probabilities of predictions, in the order of the classes; (n, classes)."""
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    return predictions[columns].to_numpy(dtype=float)


def as_followed(predictions: pd.DataFrame, cohort: Roster, followed: PrimaryMetric) -> pd.DataFrame:
    """Return predictions whose classes suit the metric that verdicts follow.

    Accuracy is largest in expectation for the most probable class. Balanced accuracy is for the one
    that would be most probable were all as frequent, which the pools then call. For every other
    metric classes stay as the methods decided.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``, all test samples of every fold among them.
    cohort
        The cohort.
    followed
        The metric.
    """
    if followed not in DECIDED:
        return predictions
    return DECIDED[followed](predictions, cohort)


def _most_probable(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    said = said_columns(Said(probabilities_of(predictions, cohort.classes)), cohort.classes)
    columns = [PREDICTED, POWER]
    return predictions.assign(**said[columns].set_axis(predictions.index))


def _as_if_alike(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return predictions in which the pools call the class of the largest p / pi.

    pi are the frequencies, with half a sample more of each class, of the samples that a fold does
    not test: of those that a method may have learned from.
    """
    codes, power = decided(predictions, cohort.classes), np.zeros(len(predictions))
    if POWER in predictions:
        power[:] = predictions[POWER].fillna(0)
    pools = predictions["method"].str.partition("/")[0].isin(RULED).to_numpy()
    labels = cohort.labels
    rows, count = cohort.positions(predictions["sample"]), len(cohort.classes)
    probabilities = probabilities_of(predictions, cohort.classes)
    for places in predictions.groupby(FOLD, sort=False).indices.values():
        rule = Rule(1.0, class_prior(np.delete(labels, np.unique(rows[places])), count))
        asked = places[pools[places]]
        codes[asked] = rule.classes(probabilities[asked])
        power[asked] = rule.power
    called = np.array(cohort.classes, dtype=object)[codes]
    return predictions.assign(**{PREDICTED: called, POWER: power})


DECIDED: dict[PrimaryMetric, Callable[[pd.DataFrame, Roster], pd.DataFrame]] = {
    PrimaryMetric.ACCURACY: _most_probable,
    PrimaryMetric.BALANCED_ACCURACY: _as_if_alike,
}


def decided(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return the codes of the classes that were decided on; (n,).

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``; of older versions, which do not tell, the most probable
        classes are taken.
    classes
        Class names.
    """
    import pandas as pd

    codes = MOST_PROBABLE.classes(probabilities_of(predictions, classes))
    if PREDICTED not in predictions:
        return codes
    told = pd.Index(classes).get_indexer(predictions[PREDICTED])
    return np.where(predictions[PREDICTED].notna(), told, codes)
