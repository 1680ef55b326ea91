"""Samples in the plane: by their features, and by what is predicted of them while held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from balmi.data.splits import as_splits
from balmi.experiments.probes.alterations import ProbeKind
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.preprocess.files import read_features
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.preprocess.features import Features

SMALLEST_PROBABILITY = 1e-6
DECIMALS = 4  # of places


def centred_log_ratio(probabilities: np.ndarray) -> np.ndarray:
    """Return log-probabilities minus their mean over classes (Aitchison 1986); shape kept.

    Parameters
    ----------
    probabilities
        (n, classes).
    """
    logs = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    return logs - logs.mean(axis=1, keepdims=True)


def feature_places(cohort: Roster, features: Features, split: Split) -> np.ndarray:
    """Return the first two principal components of the features of all modalities; (n, 2).

    Features are chosen, imputed and scaled as the training samples of one fold say; no label is
    looked at. Those of a modality are divided by the square root of their number, so that every
    modality has the same weight, and are 0, the training mean, where a sample lacks it.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    split
        The fold.

    Returns
    -------
    numpy.ndarray
        A row per sample of the cohort; NaN where no feature was kept. The largest loading of an
        axis is positive.
    """
    blocks = [values for values in features.split(split.fit).values() if values.shape[1]]
    if not blocks:
        return np.full((len(cohort.samples), 2), np.nan)
    weighed = (values * values.dtype.type(values.shape[1] ** -0.5) for values in blocks)
    return _principal_components(np.hstack(list(weighed)), "randomized")


def read_places(preprocessing: Path, cohort: Roster, splits: pd.DataFrame) -> np.ndarray:
    """Return `feature_places` of the first fold from its files; (n, 2).

    Parameters
    ----------
    preprocessing
        ``preprocessing.safetensors``.
    cohort
        The cohort.
    splits
        As in ``splits.parquet``.
    """
    folds = as_splits(splits, cohort)
    return feature_places(cohort, read_features(preprocessing, cohort, folds), folds[0])


def embedding_table(
    cohort: Roster,
    predictions: pd.DataFrame,
    probes: pd.DataFrame,
    features: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the first two principal components of held-out log-probabilities.

    Side by side stand the centred log-ratios of what a method says of a sample by all modalities
    and by each alone, averaged over repeats. Those by a modality alone are centred over the samples
    that have it, and are 0 for the others.

    Parameters
    ----------
    cohort
        The cohort.
    predictions
        As in ``predictions.parquet``.
    probes
        As `balmi.experiments.probes.alterations.probe_table` gives them. Of several methods the
        first counts.
    features
        As `feature_places` gives them; None leaves their columns empty.

    Returns
    -------
    pandas.DataFrame
        ``tables/embedding.csv``: columns sample, class, x, y, features_x and features_y, places to
        four decimals, in the order of the cohort; without rows where nothing was probed. The
        largest loading of an axis is positive.
    """
    if probes.empty:
        return TABLES["embedding"].empty()
    method = probes["method"].iloc[0]
    whole = _mean_log_ratios(predictions[predictions["method"] == method])
    alone = probes[(probes["method"] == method) & (probes["kind"] == ProbeKind.SUBSET)]
    rows = np.sort(cohort.positions(whole.index))
    samples = cohort.samples[rows]
    blocks = [whole.loc[samples].to_numpy()]
    for column, name in enumerate(cohort.modalities):
        probed = alone[alone["modalities"] == name]
        has = cohort.available[rows, column]
        if len(probed) and has.any():
            ratios = _mean_log_ratios(probed).loc[samples].to_numpy()
            blocks.append(np.where(has[:, None], ratios - ratios[has].mean(axis=0), 0.0))
    places = _principal_components(np.hstack(blocks))
    classes = np.array(cohort.classes)[cohort.labels[rows]]
    before = np.full((len(cohort.samples), 2), np.nan) if features is None else features
    columns = {"x": places[:, 0], "y": places[:, 1]}
    columns |= {"features_x": before[rows, 0], "features_y": before[rows, 1]}
    drawn = pd.DataFrame(columns).round(DECIMALS)
    return pd.DataFrame({"sample": samples, "class": classes}).join(drawn)


def _mean_log_ratios(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over repeats of every sample's log-ratios, indexed by sample."""
    ratios = centred_log_ratio(predictions.filter(regex=f"^{PROBABILITY_PREFIX}").to_numpy())
    return pd.DataFrame(ratios).groupby(predictions["sample"].to_numpy()).mean()


def _principal_components(values: np.ndarray, solver: str = "full") -> np.ndarray:
    """Return two components of every row, 0 where there is no second; (n, 2)."""
    count = min(2, *values.shape)
    pca = PCA(count, svd_solver=solver, random_state=0).fit(values)
    loadings = pca.components_
    largest = np.abs(loadings).argmax(axis=1)
    scores = pca.transform(values) * np.sign(loadings[np.arange(count), largest])
    return np.pad(scores, ((0, 0), (0, 2 - count)))
