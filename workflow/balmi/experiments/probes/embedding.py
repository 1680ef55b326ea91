"""Samples in the plane, by what is predicted of them while they are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from balmi.experiments.probes.alterations import ProbeKind
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from balmi.data.cohort import Roster

SMALLEST_PROBABILITY = 1e-6


def centred_log_ratio(probabilities: np.ndarray) -> np.ndarray:
    """Return log-probabilities minus their mean over classes (Aitchison 1986); shape kept.

    Parameters
    ----------
    probabilities
        (n, classes).
    """
    logs = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    return logs - logs.mean(axis=1, keepdims=True)


def embedding_table(
    cohort: Roster, predictions: pd.DataFrame, probes: pd.DataFrame
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

    Returns
    -------
    pandas.DataFrame
        ``tables/embedding.csv``: columns sample, class, x, y, in the order of the cohort; without
        rows where nothing was probed. The largest loading of an axis is positive.
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
    return pd.DataFrame({"sample": samples, "class": classes, "x": places[:, 0], "y": places[:, 1]})


def _mean_log_ratios(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over repeats of every sample's log-ratios, indexed by sample."""
    ratios = centred_log_ratio(predictions.filter(regex=f"^{PROBABILITY_PREFIX}").to_numpy())
    return pd.DataFrame(ratios).groupby(predictions["sample"].to_numpy()).mean()


def _principal_components(values: np.ndarray) -> np.ndarray:
    """Return two components of every row, 0 where there is no second; (n, 2)."""
    count = min(2, *values.shape)
    pca = PCA(count, svd_solver="full").fit(values)
    loadings = pca.components_
    largest = np.abs(loadings).argmax(axis=1)
    scores = pca.transform(values) * np.sign(loadings[np.arange(count), largest])
    return np.pad(scores, ((0, 0), (0, 2 - count)))
