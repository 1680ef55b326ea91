"""The file of what preprocessing learned from the training side of every fold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.files import reading
from balmi.data.tensors import read_tensors, write_tensors
from balmi.errors import Problem, UserError
from balmi.preprocess.features import Features
from balmi.preprocess.fitted import Fitted, FittedModality

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split

PARTS = tuple(field.name for field in fields(FittedModality))


def write_preprocessing(
    features: Features, splits: Sequence[Split], cohort: Cohort, path: Path
) -> None:
    """Learn from the training side of every fold, and write what was learned.

    Parameters
    ----------
    features, splits, cohort
        The features, folds and measurements of a cohort.
    path
        A file of ``<fold>/rows``, the rows learned from, and ``<fold>/<modality>/<part>`` for the
        parts of `balmi.preprocess.fitted.FittedModality`. Its header holds the number of folds,
        `max_features`, and a checksum of the cohort.
    """
    tensors = {}
    for fold, split in enumerate(splits):
        tensors[f"{fold}/rows"] = split.fit
        for name, fitted in features.fit(split.fit).modalities.items():
            for part in PARTS:
                tensors[f"{fold}/{name}/{part}"] = getattr(fitted, part)
    header = {
        "cohort": _checksum(cohort),
        "folds": len(splits),
        "max_features": features.max_features,
    }
    write_tensors(tensors, path, header)


def read_features(path: Path, cohort: Cohort, splits: Sequence[Split]) -> Features:
    """Return the features of a cohort, with what `write_preprocessing` wrote as already learned.

    Raises
    ------
    UserError
        Where the file is damaged, or was learned from another cohort or from other folds.
    """
    tensors, header = read_tensors(path)
    with reading(path):
        if header["cohort"] != _checksum(cohort):
            raise _other(path, "another cohort")
        rows = [tensors[f"{fold}/rows"] for fold in range(header["folds"])]
        expected = [split.fit for split in splits]
        if len(rows) != len(expected) or not all(map(np.array_equal, rows, expected)):
            raise _other(path, "other folds")
        learned = [
            Fitted(
                {
                    name: FittedModality(*(tensors[f"{fold}/{name}/{part}"] for part in PARTS))
                    for name in cohort.modalities
                }
            )
            for fold in range(header["folds"])
        ]
    return Features(cohort, header["max_features"], zip(rows, learned, strict=True))


def _checksum(cohort: Cohort) -> str:
    """Return a checksum of all that preprocessing may learn from."""
    digest = hashlib.sha256(json.dumps([*map(str, cohort.samples)]).encode())
    for name, values in cohort.values.items():
        about = [name, str(cohort.kinds[name]), values.shape, *map(str, cohort.features[name])]
        digest.update(json.dumps(about).encode())
        digest.update(np.ascontiguousarray(values, dtype=np.float64).data)
    return digest.hexdigest()


def _other(path: Path, what: str) -> UserError:
    allowed = "the file of this cohort and its folds: delete it and run again, and it is made anew"
    return UserError(Problem(str(path), f"learned from {what}", allowed))
