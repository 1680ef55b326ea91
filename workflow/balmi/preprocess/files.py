"""The file of what preprocessing learned from the training side of every fold.

It holds the measurements too, of all features that any fold keeps: what comes after preprocessing
reads it and not the cohort, which may have a hundred times as many.
"""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, issparse

from balmi.config.kinds import Kind
from balmi.data.cohort import Cohort
from balmi.data.files import reading
from balmi.data.measurements import Measurements
from balmi.data.origin import check_origin, origin_header, origin_rows
from balmi.data.tensors import read_tensors, write_tensors
from balmi.preprocess.features import Features
from balmi.preprocess.fitted import Fitted, FittedModality

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from balmi.data.cohort import Roster
    from balmi.data.measurements import Matrix
    from balmi.data.splits import Split

PARTS = tuple(field.name for field in fields(FittedModality))
SPARSE = ("data", "indices", "indptr")
DENSE, VALUES = "dense", "values"


def write_preprocessing(
    features: Features, splits: Sequence[Split], cohort: Roster, path: Path
) -> None:
    """Learn from the training side of every fold, and write what was learned and what is kept.

    Parameters
    ----------
    features, splits, cohort
        The features and folds of a cohort that was read from its file.
    path
        A file of ``<fold>/rows``, the rows learned from; ``<fold>/<modality>/<part>`` for the parts
        of `balmi.preprocess.fitted.FittedModality`, where numbers of kept features count among
        those that any fold keeps; and their transformed measurements, ``values/<modality>/dense``
        or the parts of a CSR array. Its header holds their names, the number of folds,
        `max_features`, and the checksum of the cohort.

    Raises
    ------
    ValueError
        Where the cohort was not read from a file.
    """
    if cohort.checksum is None:
        raise ValueError("a cohort that was read from its file is needed, for its checksum")
    tensors, learned = origin_rows(splits), [features.fit(split.fit).modalities for split in splits]
    names = {}
    for name in cohort.modalities:
        kept = reduce(np.union1d, [fitted[name].kept for fitted in learned]).astype(np.int64)
        names[name] = [str(features.names[name][column]) for column in kept]
        for part, array in _arrays(features.values[name].values[:, kept]).items():
            tensors[f"{VALUES}/{name}/{part}"] = np.ascontiguousarray(array)
        for fold, fitted in enumerate(learned):
            for part in PARTS:
                array = getattr(fitted[name], part)
                told = np.searchsorted(kept, array) if part == "kept" else array
                tensors[f"{fold}/{name}/{part}"] = told
    header = {
        **origin_header(cohort, splits),
        "max_features": features.max_features,
        "names": names,
    }
    write_tensors(tensors, path, header)


def _arrays(values: Matrix) -> dict[str, np.ndarray]:
    """Return the arrays that make a matrix, by name."""
    if issparse(values):
        return {part: getattr(values, part) for part in SPARSE}
    return {DENSE: values}


def read_features(path: Path, cohort: Roster, splits: Sequence[Split]) -> Features:
    """Return the kept features of a cohort, with what `write_preprocessing` wrote as learned.

    Parameters
    ----------
    path
        The file.
    cohort
        The cohort's roster, as read from its file.
    splits
        Its folds.

    Raises
    ------
    UserError
        Where the file is damaged, or was learned from another cohort or from other folds.
    """
    tensors, header = read_tensors(path)
    with reading(path):
        check_origin(path, tensors, header, cohort, splits)
        learned = [
            Fitted(
                {
                    name: FittedModality(*(tensors[f"{fold}/{name}/{part}"] for part in PARTS))
                    for name in cohort.modalities
                }
            )
            for fold in range(header["folds"])
        ]
        kept = _cohort_of_kept(cohort, tensors, header["names"])
    rows = [split.fit for split in splits]
    return Features(kept, header["max_features"], zip(rows, learned, strict=True), chosen=True)


def _cohort_of_kept(
    cohort: Roster, tensors: dict[str, np.ndarray], names: dict[str, list[str]]
) -> Cohort:
    """Return the cohort with the kept features alone, transformed."""
    values = {}
    for name, has in zip(cohort.modalities, cohort.available.T, strict=True):
        rows, start = np.flatnonzero(has), f"{VALUES}/{name}/"
        if start + DENSE in tensors:
            matrix = tensors[start + DENSE]
        else:
            parts = tuple(tensors[f"{start}{part}"] for part in SPARSE)
            matrix = csr_array(parts, shape=(len(rows), len(names[name])))
        values[name] = Measurements(rows, matrix)
    return Cohort(
        samples=cohort.samples,
        labels=cohort.labels,
        classes=cohort.classes,
        groups=cohort.groups,
        values=values,
        features={name: tuple(names[name]) for name in cohort.modalities},
        kinds=dict.fromkeys(cohort.modalities, str(Kind.GENERIC)),
        provenance=cohort.provenance,
        folds=cohort.folds,
    )
