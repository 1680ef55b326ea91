"""Assemble a cohort from its tables: outer join of samples, with the availability mask as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.cohort import INPUTS, Cohort
from balmi.data.controls import apply_control
from balmi.data.folds import FOLD, check_dealt, check_learnable
from balmi.data.inputs import Inputs
from balmi.data.measurements import Measurements
from balmi.data.reading import read_tables
from balmi.errors import UserError

if TYPE_CHECKING:
    from balmi.config.settings import Dataset


def assemble_cohort(name: str, dataset: Dataset, folds: int | None) -> Cohort:
    """Read, check and join the tables of one dataset.

    Parameters
    ----------
    name
        The dataset's name.
    dataset
        The dataset with its files named.
    folds
        The number of folds that every class must fill; None where every group is a fold.

    Returns
    -------
    Cohort
        Labelled samples with at least one modality, sorted by id; features in the files' order;
        changed by the dataset's control.

    Raises
    ------
    UserError
        With everything that is wrong with the tables, or where permuted labels leave a class
        without training samples.
    """
    tables = read_tables(name, dataset, folds)
    labels = pd.Categorical(tables.samples["label"])
    index = tables.samples.index
    cohort = Cohort(
        samples=index.to_numpy(dtype=str),
        labels=labels.codes.astype(np.int64),
        classes=tuple(map(str, labels.categories)),
        groups=tables.samples["group"].to_numpy(dtype=str) if "group" in tables.samples else None,
        values={
            key: Measurements(index.get_indexer(table.index), table.values)
            for key, table in tables.modalities.items()
        },
        features={key: tuple(table.columns) for key, table in tables.modalities.items()},
        kinds={key: str(file.kind) for key, file in dataset.used.items()},
        provenance={
            "dataset": name,
            "label": dataset.label,
            "group": dataset.group,
            "folds": dataset.folds,
            "dropped": tables.dropped,
            "warnings": [str(caution) for caution in tables.warnings],
            INPUTS: Inputs.of(dataset.files).as_json(),
        },
        folds=_own_folds(tables.samples, len(dataset.folds)),
    )
    changed = apply_control(cohort, dataset.control)
    _check_permuted(changed, folds, f"datasets.{name}.control")
    return changed


def _own_folds(samples: pd.DataFrame, repeats: int) -> np.ndarray | None:
    """Return the folds that the dataset brings; (repeats, n), or None."""
    if not repeats:
        return None
    return np.array([samples[FOLD.format(repeat)].to_numpy(dtype=str) for repeat in range(repeats)])


def _fixed(cohort: Cohort, folds: int | None) -> list[np.ndarray]:
    """Return the test folds that are not drawn: the dataset's own, or all groups; (n,) each."""
    if cohort.folds is not None:
        return list(cohort.folds)
    return [cohort.groups] if folds is None and cohort.groups is not None else []


def _check_permuted(cohort: Cohort, folds: int | None, where: str) -> None:
    """Refuse labels that a control permuted so that a test fold must hold a whole class."""
    fixed = _fixed(cohort, folds)
    labels = np.array(cohort.classes)[cohort.labels]
    allowed = "another control.seed, or no shuffled_labels"
    problems = [
        problem
        for names in fixed
        for problem in check_learnable(labels, names, where, "folds", allowed)
    ]
    if folds is not None and cohort.folds is None and cohort.groups is not None:
        problems += check_dealt(labels, cohort.groups, folds, where, allowed)
    if problems:
        raise UserError(problems)
