"""Assemble a cohort from its tables: outer join of samples, with the availability mask as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.checks import read_tables
from balmi.data.cohort import Cohort
from balmi.data.controls import apply_control

if TYPE_CHECKING:
    from balmi.config.settings import Dataset


def assemble_cohort(name: str, dataset: Dataset, folds: int) -> Cohort:
    """Read, check and join the tables of one dataset.

    Parameters
    ----------
    name
        The dataset's name.
    dataset
        The dataset with its files named.
    folds
        The number of folds that every class must fill.

    Returns
    -------
    Cohort
        Labelled samples with at least one modality, sorted by id; features in the files' order;
        changed by the dataset's control.

    Raises
    ------
    UserError
        With everything that is wrong with the tables.
    """
    tables = read_tables(name, dataset, folds)
    labels = pd.Categorical(tables.samples["label"])
    index = tables.samples.index
    cohort = Cohort(
        samples=index.to_numpy(dtype=str),
        labels=labels.codes.astype(np.int64),
        classes=tuple(map(str, labels.categories)),
        groups=tables.samples["group"].to_numpy(dtype=str) if "group" in tables.samples else None,
        values={key: table.reindex(index).to_numpy() for key, table in tables.modalities.items()},
        features={key: tuple(table.columns) for key, table in tables.modalities.items()},
        kinds={key: str(file.kind) for key, file in dataset.used.items()},
        provenance={
            "dataset": name,
            "label": dataset.label,
            "group": dataset.group,
            "dropped": tables.dropped,
        },
    )
    return apply_control(cohort, dataset.control)
