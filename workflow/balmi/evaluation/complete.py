"""Compare methods on the samples that have every modality that either of the two uses.

Who has a modality may tell of the class. A method that uses it then gains by that alone, and even
among the samples that have everything it knows better how frequent the classes are there. So the
predictions of both are matched to the class frequencies among complete training samples first.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.baselines.priors import frequencies, matched
from balmi.config.settings import Method
from balmi.evaluation.comparisons import COLUMNS, COMPLETE, comparison_table
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.scoring import performance_table
from balmi.outcome import PROBABILITY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pandas as pd

    from balmi.data.cohort import Cohort

WITHOUT_MODALITIES = frozenset({str(Method.MAJORITY), str(Method.ABSENCE_LR)})
ALONE = f"{Method.UNIMODAL_LR}/"
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
    alone = method.removeprefix(ALONE)
    return frozenset({alone} if method != alone else modalities)


def _needs(methods: Sequence[str], modalities: Sequence[str]) -> dict[Needs, list[tuple[str, str]]]:
    """Return the pairs of methods by the modalities that the two use."""
    found: dict[Needs, list[tuple[str, str]]] = {}
    for pair in combinations(methods, 2):
        needed = frozenset().union(*(modalities_of(each, modalities) for each in pair))
        found.setdefault(needed, []).append(pair)
    return found


def _matched(predictions: pd.DataFrame, cohort: Cohort, complete: np.ndarray) -> pd.DataFrame:
    """Return the predictions of complete samples, matched to the frequencies that training shows.

    One set of weights per method serves all folds, since a fold holds too few samples to tell what
    class frequencies a method implies.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    rows = cohort.positions(predictions["sample"])
    kept = predictions[complete[rows]].copy()
    seen = {}
    for fold, part in predictions.groupby(FOLD)["sample"]:
        train = complete.copy()
        train[cohort.positions(part)] = False
        if train.any():
            seen[fold] = frequencies(cohort.labels[train], len(cohort.classes))
    learned = [fold in seen for fold in zip(kept["repeat"], kept["fold"], strict=True)]
    kept = kept.loc[np.array(learned, dtype=bool)]
    for _, part in kept.groupby("method", sort=False):
        wanted = np.mean([seen[fold] for fold in zip(part["repeat"], part["fold"], strict=True)], 0)
        kept.loc[part.index, columns] = matched(part[columns].to_numpy(dtype=float), wanted)
    return kept


def complete_tables(
    predictions: pd.DataFrame,
    cohort: Cohort,
    split_ratio: float,
    same: pd.DataFrame,
    metrics: Collection[str] = tuple(METRICS),
) -> Iterator[pd.DataFrame]:
    """Yield the comparisons on complete samples, method pairs that need the same ones together.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort.
    split_ratio
        Test samples over training samples of a fold, of all samples.
    same
        The comparisons on all samples, which are those on complete ones where nobody lacks
        anything that the two methods use.
    metrics
        Names of the metrics; all where not given.
    """
    predictions = predictions.reset_index(drop=True)
    methods = list(dict.fromkeys(predictions["method"]))
    dealt = len(predictions.drop_duplicates(FOLD))
    for needed, pairs in _needs(methods, cohort.modalities).items():
        used = [name in needed for name in cohort.modalities]
        complete = cohort.available[:, used].all(axis=1)
        if complete.all():
            table = same.assign(samples=COMPLETE)
        else:
            names = {name for pair in pairs for name in pair}
            own = predictions[predictions["method"].isin(names)]
            kept = _matched(own, cohort, complete)
            scores = performance_table(kept, cohort, metrics)
            # Test sets that differ may well hold the same complete samples.
            scores = counted_once(scores, first_alike(kept), ["method", "metric"], ["value"])
            table = comparison_table(
                scores, split_ratio, samples=COMPLETE, dealt=dealt, methods=methods
            )
        both = {*pairs, *((other, one) for one, other in pairs)}
        asked = [pair in both for pair in zip(table["method"], table["reference"], strict=True)]
        if any(asked):
            yield table.loc[asked, list(COLUMNS)]
