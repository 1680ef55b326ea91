"""What samples hold of the features that the networks go by, for a look at the data themselves."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.measurements import dense
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from balmi.data.cohort import Roster
    from balmi.preprocess.features import Features

MOST_FEATURES, MOST_SAMPLES = 24, 500
VALUE = "value:"  # what the name of a column begins with, before modality and feature
PLACES = 1  # decimals of a standardised value: a colour tells no more


def foremost(attribution: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the features that move the prediction of any class most, class by class.

    Parameters
    ----------
    attribution
        As in ``tables/attribution.csv``.

    Returns
    -------
    list of tuple of str
        Modality and feature, at most `MOST_FEATURES` of them: by the class for which they matter
        most, in the order of the table, and then by importance.
    """
    held = attribution[attribution["importance"] > 0]
    order = held.sort_values("importance", ascending=False, kind="stable")
    order = order.drop_duplicates(["modality", "feature"]).head(MOST_FEATURES)
    classes = {name: place for place, name in enumerate(dict.fromkeys(attribution["class"]))}
    order = order.sort_values("class", key=lambda names: names.map(classes), kind="stable")
    return list(zip(order["modality"], order["feature"], strict=True))


def drawn(samples: np.ndarray) -> np.ndarray:
    """Return rows of at most `MOST_SAMPLES` samples, by checksums of their ids: always the same."""
    rows = np.arange(len(samples))
    if len(rows) <= MOST_SAMPLES:
        return rows
    keys = [sha256(str(name).encode()).hexdigest() for name in samples]
    return np.sort(np.argsort(keys, kind="stable")[:MOST_SAMPLES])


def standardised(values: np.ndarray) -> np.ndarray:
    """Return values in standard deviations from their mean, NaN where not measured; (n,)."""
    if np.isnan(values).all():
        return values
    deviation = np.nanstd(values)
    return (values - np.nanmean(values)) / (deviation if deviation > 0 else 1.0)


def value_table(attribution: pd.DataFrame, cohort: Roster, features: Features) -> pd.DataFrame:
    """Return what samples hold of the foremost features.

    Nothing is learned from these numbers: they are standardised over the samples that have them.

    Parameters
    ----------
    attribution
        As in ``tables/attribution.csv``.
    cohort
        The cohort.
    features
        Its features, transformed as their kind asks for.

    Returns
    -------
    pandas.DataFrame
        ``tables/attribution_values.csv``; without rows where there is no feature.
    """
    chosen = foremost(attribution)
    if not chosen:
        return TABLES["attribution_values"].empty()
    rows = drawn(cohort.samples)
    columns = {"sample": cohort.samples[rows]}
    for modality, feature in chosen:
        measured = features.values[modality]
        column = list(features.names[modality]).index(feature)
        whole = np.full(len(cohort.samples), np.nan)
        whole[measured.rows] = dense(measured.values[:, [column]])[:, 0]
        columns[f"{VALUE}{modality}:{feature}"] = np.round(standardised(whole)[rows], PLACES)
    return pd.DataFrame(columns)
