"""Attributions of all folds put together: which features, which modalities, and how stable.

Every fold keeps features of its own, so that folds are aligned by feature; a feature that a fold
did not keep has no part in what its networks say, and counts 0 there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from balmi.evaluation.statistics import mean_over_folds
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class FoldAttribution:
    """What the networks of one fold attribute to features, on its held-out samples.

    Parameters
    ----------
    samples
        Held-out samples of every class; (classes,).
    kept
        Modality -> numbers of the features that the fold's preprocessing kept; (kept,).
    size, signed
        Modality -> mean over the samples of a class of absolute and of signed attributions, in
        logits; (classes, kept). Rows of classes without samples mean nothing.
    """

    samples: np.ndarray
    kept: dict[str, np.ndarray]
    size: dict[str, np.ndarray]
    signed: dict[str, np.ndarray]


@dataclass(frozen=True)
class Aligned:
    """Attributions to one modality's features for one class, in the folds that have the class.

    Parameters
    ----------
    features
        Numbers of the features that any fold kept, ascending; (features,).
    kept
        Which fold kept which feature; (folds, features), bool.
    size, signed
        As in `FoldAttribution`, 0 where a fold did not keep the feature; (folds, features).
    """

    features: np.ndarray
    kept: np.ndarray
    size: np.ndarray
    signed: np.ndarray


def aligned(folds: Sequence[FoldAttribution], modality: str, code: int) -> Aligned:
    """Put the folds side by side, feature by feature.

    Parameters
    ----------
    folds
        All folds.
    modality
        The modality.
    code
        Class code.
    """
    features = np.unique(np.concatenate([fold.kept[modality] for fold in folds]))
    having = [fold for fold in folds if fold.samples[code]]
    size, signed = np.zeros((2, len(having), len(features)))
    kept = np.zeros(size.shape, dtype=bool)
    for row, fold in enumerate(having):
        places = np.searchsorted(features, fold.kept[modality])
        kept[row, places] = True
        size[row, places] = fold.size[modality][code]
        signed[row, places] = fold.signed[modality][code]
    return Aligned(features, kept, size, signed)


def listed(size: np.ndarray, count: int) -> np.ndarray:
    """Return which features are among each fold's largest; (folds, features), bool.

    Parameters
    ----------
    size
        Absolute attributions; (folds, features).
    count
        Features listed per fold at most; none to which nothing is attributed.
    """
    rank = rankdata(-size, method="ordinal", axis=1)
    return (rank <= count) & (size > 0)


def stability(size: np.ndarray, kept: np.ndarray) -> float:
    """Return the mean Spearman correlation of the folds' absolute attributions.

    Two folds are compared on the features that both of them kept. Those that neither kept count 0
    in both, and would correlate folds whose attributions have nothing to do with each other. Folds
    share training samples, so that it is an upper bound of what another cohort would show.

    Parameters
    ----------
    size
        Absolute attributions; (folds, features).
    kept
        Which fold kept which feature; (folds, features), bool.

    Returns
    -------
    float
        Mean over all pairs of folds; NaN where there is none. Pairs in which all attributions of a
        fold are alike have no order, and do not count.
    """
    correlations = []
    for one, other in combinations(range(len(size)), 2):
        pair = size[[one, other]][:, kept[one] & kept[other]]
        if pair.size and (np.ptp(pair, axis=1) > 0).all():
            correlations.append(np.corrcoef(rankdata(pair, axis=1))[0, 1])
    return float(np.mean(correlations)) if correlations else np.nan


def overlap(size: np.ndarray, count: int) -> float:
    """Return the mean Jaccard index of the folds' listed features.

    Parameters
    ----------
    size
        Absolute attributions; (folds, features). Folds that attribute nothing do not count.
    count
        Features listed per fold at most.

    Returns
    -------
    float
        Mean over all pairs of folds; NaN where there are no more features than are listed, so that
        all lists are the same, or fewer than two folds.
    """
    if size.shape[1] <= count:
        return np.nan
    chosen = listed(size, count)
    chosen = chosen[chosen.any(axis=1)].astype(int)
    both, lengths = chosen @ chosen.T, chosen.sum(axis=1)
    pairs = (both / (lengths[:, None] + lengths - both))[np.triu_indices(len(lengths), k=1)]
    return float(pairs.mean()) if pairs.size else np.nan


def feature_table(
    folds: Sequence[FoldAttribution],
    classes: Sequence[str],
    features: Mapping[str, Sequence[str]],
    count: int,
) -> pd.DataFrame:
    """Return the features of largest attribution, for every class and modality.

    Parameters
    ----------
    folds
        All folds.
    classes
        Class names.
    features
        Modality -> names of all its features.
    count
        Features listed per class and modality at most; none to which nothing is attributed.

    Returns
    -------
    pandas.DataFrame
        ``tables/attribution.csv``.
    """
    parts = []
    for (code, name), modality in product(enumerate(classes), features):
        attributions = aligned(folds, modality, code)
        if not attributions.size.size:
            continue
        importance = attributions.size.mean(axis=0)
        order = np.argsort(-importance, kind="stable")[:count]
        order = order[importance[order] > 0]
        keeping = [np.isin(attributions.features[order], fold.kept[modality]) for fold in folds]
        columns = {
            "class": name,
            "modality": modality,
            "feature": np.asarray(features[modality], dtype=object)[attributions.features[order]],
            "rank": np.arange(1, len(order) + 1),
            "importance": importance[order],
            "direction": attributions.signed.mean(axis=0)[order],
            "top": listed(attributions.size, count).mean(axis=0)[order],
            "kept": np.mean(keeping, axis=0),
        }
        parts.append(TABLES["attribution"].typed(columns))
    return pd.concat(parts, ignore_index=True) if parts else TABLES["attribution"].empty()


def modality_table(
    folds: Sequence[FoldAttribution],
    classes: Sequence[str],
    modalities: Sequence[str],
    count: int,
    fraction: float,
) -> pd.DataFrame:
    """Return each modality's share of all that is attributed, and how stable its features are.

    Parameters
    ----------
    folds
        All folds.
    classes, modalities
        Names.
    count
        Features listed per fold.
    fraction
        Test samples over training samples of a fold.

    Returns
    -------
    pandas.DataFrame
        ``tables/attribution_modalities.csv``; a class of which no fold attributes anything has no
        rows.
    """
    rows = []
    for code, name in enumerate(classes):
        by_modality = {modality: aligned(folds, modality, code) for modality in modalities}
        total = sum(attributions.size.sum(axis=1) for attributions in by_modality.values())
        if not np.any(total > 0):
            continue
        for modality, attributions in by_modality.items():
            share = attributions.size.sum(axis=1)[total > 0] / total[total > 0]
            over_folds = mean_over_folds(share, fraction, 0.0, 1.0)
            rows.append(
                {
                    "class": name,
                    "modality": modality,
                    "share": float(share.mean()),
                    "lower": over_folds.lower,
                    "upper": over_folds.upper,
                    "stability": stability(attributions.size, attributions.kept),
                    "overlap": overlap(attributions.size, count),
                }
            )
    return TABLES["attribution_modalities"].typed(rows)
