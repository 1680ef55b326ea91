"""Compare methods on the samples that have every modality that either of the two uses.

Who has a modality may tell of the class. A method that uses it then gains by that alone, and even
among the samples that have everything it knows better how frequent the classes are there. So the
predictions of both are matched to the class frequencies among complete training samples first.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Method
from balmi.evaluation.comparisons import ALL, COMPLETE, adjusted, paired
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.held_out import FOLD
from balmi.evaluation.primary import modality_of
from balmi.evaluation.scoring import performance_table
from balmi.methods.deciding import Rule
from balmi.methods.outcome import POWER, PREDICTED, PROBABILITY_PREFIX
from balmi.methods.peers.priors import class_weights, frequencies, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from balmi.config.settings import PrimaryMetric
    from balmi.data.cohort import Roster
    from balmi.evaluation.comparisons import Row

WITHOUT_MODALITIES = frozenset({str(Method.MAJORITY), str(Method.ABSENCE_LR)})
Needs = frozenset[str]


def modalities_of(method: str, modalities: Sequence[str]) -> Needs:
    """Return the modalities whose measurements a method uses.

    Parameters
    ----------
    method
        Its name in ``predictions.parquet``.
    modalities
        Names of the cohort's modalities.
    """
    if method in WITHOUT_MODALITIES:
        return frozenset()
    alone = modality_of(method)
    return frozenset(modalities if alone is None else {alone})


def _needs(methods: Sequence[str], modalities: Sequence[str]) -> dict[Needs, list[tuple[str, str]]]:
    """Return the pairs of methods by the modalities that the two use."""
    found: dict[Needs, list[tuple[str, str]]] = {}
    for pair in combinations(methods, 2):
        needed = frozenset().union(*(modalities_of(each, modalities) for each in pair))
        found.setdefault(needed, []).append(pair)
    return found


def _matched(predictions: pd.DataFrame, cohort: Roster, complete: np.ndarray) -> pd.DataFrame:
    """Return the predictions of complete samples, matched to what training shows of the classes.

    A fold's target is the class frequencies of its own complete training samples, so that no label
    of its test samples counts. How frequent a method takes the classes to be is read off all of its
    predictions in the repeat, since a fold alone holds too few samples to tell. Classes are decided
    on anew by the method's own rule.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    kept = predictions[complete[cohort.positions(predictions["sample"])]]
    targets = {}
    for fold, part in predictions.groupby(FOLD)["sample"]:
        train = complete.copy()
        train[cohort.positions(part)] = False
        if train.any():
            targets[fold] = frequencies(cohort.labels[train], len(cohort.classes))
    learned = [fold in targets for fold in zip(kept["repeat"], kept["fold"], strict=True)]
    kept = kept.loc[np.array(learned, dtype=bool)].copy()
    values = kept[columns].to_numpy(dtype=float)
    result, codes = values.copy(), np.zeros(len(values), dtype=int)
    powers = np.nan_to_num(kept[POWER].to_numpy(dtype=float)) if POWER in kept else 0 * values[:, 0]
    for (_, repeat), rows in kept.groupby(["method", "repeat"]).indices.items():
        folds = kept["fold"].to_numpy()[rows]
        for fold in np.unique(folds):
            own = rows[folds == fold]
            target = targets[repeat, fold]
            result[own] = weighed(values[own], class_weights(values[rows], target))
            codes[own] = Rule(powers[own[0]], target).classes(result[own])
    told = {PREDICTED: np.array(cohort.classes, dtype=object)[codes]}
    return kept.assign(**told, **dict(zip(columns, result.T, strict=True)))


def _on_complete(
    predictions: pd.DataFrame, cohort: Roster, performance: pd.DataFrame, split_ratio: float
) -> Iterator[Row]:
    """Yield the differences on complete samples of pairs of methods, those alike together."""
    methods = list(dict.fromkeys(predictions["method"]))
    metrics = list(dict.fromkeys(performance["metric"]))
    dealt = len(predictions.drop_duplicates(FOLD))
    for needed, pairs in _needs(methods, cohort.modalities).items():
        used = [name in needed for name in cohort.modalities]
        complete = np.all(cohort.available[:, used], axis=1)
        own = predictions["method"].isin({name for pair in pairs for name in pair})
        if complete.all():
            scores = performance[performance["method"].isin(set(predictions.loc[own, "method"]))]
        else:
            kept = _matched(predictions[own], cohort, complete)
            scores = performance_table(kept, cohort, metrics)
            # Test sets that differ may well hold the same complete samples.
            scores = counted_once(scores, first_alike(kept), ["method", "metric"], ["value"])
        both = {*pairs, *((other, one) for one, other in pairs)}
        for row in paired(scores, split_ratio, COMPLETE, dealt):
            if (row["method"], row["reference"]) in both:
                yield row


def comparisons_of(
    predictions: pd.DataFrame,
    cohort: Roster,
    performance: pd.DataFrame,
    split_ratio: float,
    followed: PrimaryMetric,
) -> pd.DataFrame:
    """Return the comparisons of all methods, on all samples and on complete ones.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort.
    performance
        As `balmi.evaluation.scoring.performance_table` gives it, each test set counted once; its
        metrics are compared.
    split_ratio
        Test samples over training samples of a fold, of all samples.
    followed
        The metric of the primary comparison.

    Returns
    -------
    pandas.DataFrame
        ``tables/comparisons.csv``. Where nobody lacks anything that two methods use, their complete
        row says what that of all samples says, but for an adjusted p of another family.
    """
    dealt = len(predictions.drop_duplicates(FOLD))
    everyone = paired(performance, split_ratio, ALL, dealt)
    complete = _on_complete(predictions, cohort, performance, split_ratio)
    return adjusted([*everyone, *complete], set(predictions["method"]), followed)
