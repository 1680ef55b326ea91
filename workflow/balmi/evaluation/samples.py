"""Sample by sample: what is predicted of it while it is held out, and which methods miss it.

A sample that every method misses may be mislabelled, or an unusual case of its class, or of a class
that cannot be told apart. Methods share training samples and modalities, so that their agreement is
no independent evidence: the list is one to look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.evaluation.complete import WITHOUT_MODALITIES
from balmi.evaluation.held_out import decided, probabilities_of
from balmi.evaluation.primary import ROLES, roles
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster

PREDICTED, PROBABILITY = "predicted:", "probability:"  # columns, followed by the modality
DECIMALS = 3


@dataclass(frozen=True)
class Votes:
    """What a method says of every sample of a cohort, over its repeats.

    Parameters
    ----------
    tested
        Repeats in which it predicted the sample; (n,).
    right
        Repeats in which it decided on the sample's class; (n,).
    choice
        Code of the class that it decides on most often, of several the more probable one; (n,).
        Without meaning where it never tested the sample.
    mean
        Mean probabilities, 0 where it never tested the sample; (n, classes).
    """

    tested: np.ndarray
    right: np.ndarray
    choice: np.ndarray
    mean: np.ndarray

    @property
    def missed(self) -> np.ndarray:
        """Whether it decides on another class in more than half of the repeats; (n,)."""
        return 2 * self.right < self.tested

    @property
    def of_choice(self) -> np.ndarray:
        """The mean probability of the class that it chooses; (n,)."""
        return self.mean[np.arange(len(self.choice)), self.choice]


def votes_of(predictions: pd.DataFrame, cohort: Roster) -> Iterator[tuple[str, Votes]]:
    """Give what every method says of the samples, one method after the other.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``: held-out samples alone.
    cohort
        The cohort, for the true classes.
    """
    shape = (len(cohort.samples), len(cohort.classes))
    places = cohort.positions(predictions["sample"])
    codes = decided(predictions, cohort.classes)
    probabilities = probabilities_of(predictions, cohort.classes)
    everyone = np.arange(len(cohort.samples))
    for method, rows in predictions.groupby("method", sort=False).indices.items():
        counts, sums = np.zeros(shape), np.zeros(shape)
        np.add.at(counts, (places[rows], codes[rows]), 1)
        np.add.at(sums, places[rows], probabilities[rows])
        tested = counts.sum(axis=1)
        mean = sums / np.maximum(tested, 1)[:, None]
        # Counts are whole, so that half a probability decides between equal ones alone.
        choice = (counts + mean / 2).argmax(axis=1)
        yield str(method), Votes(tested, counts[everyone, cohort.labels], choice, mean)


def shown_method(methods: Sequence[str]) -> str:
    """Return the method whose probabilities stand for a sample, without regard to its scores.

    Parameters
    ----------
    methods
        Methods that have predictions, at least one.
    """
    own = roles(methods).own
    return own if own in methods else methods[0]


def counted_methods(methods: Sequence[str]) -> tuple[str, ...]:
    """Return the methods that a sample is missed by: those that see all modalities.

    Parameters
    ----------
    methods
        Methods that have predictions; those restricted to one modality or to some experts, and
        those that see none, are left out.
    """
    left_out = WITHOUT_MODALITIES | {each.single for each in ROLES}
    return tuple(name for name in methods if "/" not in name and name not in left_out)


def alone_on(modality: str, methods: Sequence[str]) -> str | None:
    """Return the method that predicts by one modality alone, None where none does."""
    names = (f"{each.single}/{modality}" for each in ROLES)
    return next((name for name in names if name in methods), None)


def samples_table(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return what is predicted of every sample while it is held out.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for true classes, groups, and who has which modality.

    Returns
    -------
    pandas.DataFrame
        ``tables/samples.csv``: a row per sample that the shown method tested, in the order of the
        cohort.
    """
    methods = list(dict.fromkeys(predictions["method"]))
    empty = TABLES["per_sample"].empty(cohort.modalities)
    if not methods:
        return empty
    votes = dict(votes_of(predictions, cohort))
    counted = [votes[name] for name in counted_methods(methods)]
    shown = votes[shown_method(methods)]
    rows = np.flatnonzero(shown.tested > 0)
    names = np.array(cohort.classes, dtype=object)
    others = _others(counted, cohort)
    agree = others.max(axis=1)
    cells = {
        "sample": cohort.samples,
        "class": names[cohort.labels],
        "group": np.full(len(names), None)[cohort.labels]
        if cohort.groups is None
        else cohort.groups.astype(object),
        "predicted": names[shown.choice],
        "predicted_p": shown.of_choice.round(DECIMALS),
        "class_p": shown.mean[np.arange(len(cohort.labels)), cohort.labels].round(DECIMALS),
        "right": (shown.right / np.maximum(shown.tested, 1)).round(DECIMALS),
        "methods": sum(((each.tested > 0) * 1 for each in counted), np.zeros_like(agree)),
        "wrong": sum((each.missed * 1 for each in counted), np.zeros_like(agree)),
        "other": np.where(agree > 0, names[others.argmax(axis=1)], None),
        "agree": agree,
    }
    table = TABLES["per_sample"].of(cells)
    for column, modality in enumerate(cohort.modalities):
        alone = votes.get(alone_on(modality, methods) or "")
        told = np.zeros(len(table), dtype=bool)
        if alone is not None:
            told = (alone.tested > 0) & cohort.available[:, column]
        choice, sure = (None, None) if alone is None else (names[alone.choice], alone.of_choice)
        table[f"{PREDICTED}{modality}"] = _where(told, choice)
        table[f"{PROBABILITY}{modality}"] = _where(told, sure).astype(float).round(DECIMALS)
    return table[list(empty)].iloc[rows].reset_index(drop=True)


def _where(told: np.ndarray, cells: np.ndarray | None) -> np.ndarray:
    """Return cells where there are any, and empty ones elsewhere."""
    empty = np.full(len(told), None, dtype=object)
    return empty if cells is None else np.where(told, cells, empty)


def _others(counted: Sequence[Votes], cohort: Roster) -> np.ndarray:
    """Return how many methods decide on each class but the sample's own; (n, classes)."""
    everyone = np.arange(len(cohort.samples))
    found = np.zeros((len(cohort.samples), len(cohort.classes)), dtype=int)
    for each in counted:
        tested = each.tested > 0
        np.add.at(found, (everyone[tested], each.choice[tested]), 1)
    found[everyone, cohort.labels] = 0
    return found
