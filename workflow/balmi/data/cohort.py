"""The cohort in memory, and its two places on disk: an h5mu file, and its roster as JSON.

A sample may lack a whole modality. It has no row there, in memory as in the file, where MuData's
own membership masks (``obsm[modality]``) say who has what. The roster is all of a cohort but its
measurements: most jobs need no more.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, issparse

from balmi.data.files import annotated_files, read_json, reading, replace_when_written, write_json
from balmi.data.folds import FOLD
from balmi.data.formats import KEY, check_format
from balmi.data.measurements import Measurements, single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from anndata import AnnData
    from mudata import MuData

FORMAT = 2
INPUTS = "inputs"  # where the provenance has the files that were read


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Samples with their labels and groups, and who has which modality.

    Parameters
    ----------
    samples
        Sample ids, sorted; shape (n,).
    labels
        Class codes; shape (n,), integers into `classes`.
    classes
        Class names, sorted.
    groups
        Group names; shape (n,), or None.
    kinds
        Modality -> kind of omics.
    provenance
        What is told about the cohort's making: name, dropped samples, control and so on.
    folds
        Names of the test folds that the dataset brings; shape (repeats, n), or None.
    available
        Which sample has which modality; shape (n, modalities), bool.
    sizes
        Modality -> number of features, in the configured order.

    Attributes
    ----------
    checksum
        That of the file with the measurements; None of what was not read from a file.
    """

    samples: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray | None
    kinds: dict[str, str]
    provenance: dict[str, object]
    folds: np.ndarray | None = None
    available: np.ndarray
    sizes: dict[str, int]
    # Not taken over by `dataclasses.replace`: what was changed is no longer what was read.
    checksum: str | None = field(init=False, default=None, compare=False)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities, in the configured order."""
        return tuple(self.sizes)

    def positions(self, samples: Sequence[str]) -> np.ndarray:
        """Return the rows of the given sample ids.

        Raises
        ------
        KeyError
            Where an id is not in the cohort.
        """
        rows = pd.Index(self.samples).get_indexer(samples)
        if (rows < 0).any():
            raise KeyError(f"not in the cohort: {np.asarray(samples)[rows < 0][:3]}")
        return rows


@dataclass(frozen=True, kw_only=True)
class Cohort(Roster):
    """Samples with their labels, groups and measurements.

    Parameters
    ----------
    values
        Modality -> measurements, in the configured order; a table of all samples, with rows of NaN
        where one lacks the modality, is taken too.
    features
        Modality -> feature names.
    """

    values: dict[str, Measurements]
    features: dict[str, tuple[str, ...]]
    available: np.ndarray = field(init=False)
    sizes: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.samples)
        values = {
            name: each if isinstance(each, Measurements) else Measurements.of_table(each)
            for name, each in self.values.items()
        }
        available = np.column_stack([each.has(count) for each in values.values()])
        sizes = {name: each.features for name, each in values.items()}
        for name, value in (("values", values), ("available", available), ("sizes", sizes)):
            object.__setattr__(self, name, value)

    @property
    def tables(self) -> dict[str, np.ndarray]:
        """Modality -> a dense copy of all samples, NaN where absent; (n, features)."""
        return {name: each.table(len(self.samples)) for name, each in self.values.items()}


def _read_from(roster: Roster, checksum: str) -> None:
    object.__setattr__(roster, "checksum", checksum)


def write_cohort(cohort: Cohort, path: Path, roster: Path | None = None) -> None:
    """Write the cohort as h5mu, and its roster; each file appears only when it is whole.

    Parameters
    ----------
    cohort
        The cohort. Measurements are written in single precision where that blurs no feature, and
        sparse where they are.
    path
        The h5mu file.
    roster
        The file of `read_roster`; none where None.
    """
    from anndata import AnnData
    from mudata import MuData

    parts = {}
    for name, measured in cohort.values.items():
        parts[name] = AnnData(
            single(measured.values),
            obs=pd.DataFrame(index=pd.Index(cohort.samples[measured.rows].astype(str))),
            var=pd.DataFrame(index=pd.Index(cohort.features[name])),
            uns={"kind": str(cohort.kinds[name])},
        )
    with annotated_files():
        data = MuData(parts)
    order = pd.Index(data.obs_names).get_indexer(cohort.samples)
    labels = pd.Categorical.from_codes(cohort.labels, categories=list(cohort.classes))
    position = np.empty(len(order), dtype=int)
    position[order] = np.arange(len(order))
    data.obs["label"] = labels[position]
    if cohort.groups is not None:
        data.obs["group"] = pd.Categorical(cohort.groups[position])
    for repeat, names in enumerate([] if cohort.folds is None else cohort.folds):
        data.obs[FOLD.format(repeat)] = pd.Categorical(names[position])
    data.uns["balmi"] = {
        KEY: FORMAT,
        "modalities": np.array(cohort.modalities, dtype=object),
        "provenance": json.dumps(cohort.provenance, sort_keys=True),
    }
    checksum = data.uns["balmi"]["sha256"] = _checksum(data)
    with replace_when_written(path) as part, annotated_files():
        data.write_h5mu(part)
    if roster is not None:
        _write_roster(cohort, checksum, roster)


def _checksum(data: MuData) -> str:
    """Return a checksum of all that makes a cohort, as the file holds it.

    The files that it was read from are no part of it: others with the same content make the same.
    """
    about = data.uns["balmi"]
    names = [str(name) for name in about["modalities"]]
    provenance = json.loads(about["provenance"])
    provenance.pop(INPUTS, None)
    told = [int(about[KEY]), names, json.dumps(provenance, sort_keys=True)]
    digest = hashlib.sha256(json.dumps(told).encode())
    for column in sorted(data.obs.columns):
        digest.update(json.dumps([column, *map(str, data.obs[column])]).encode())
    for name in names:
        part = data.mod[name]
        labels = [*part.obs_names, *part.var_names, str(part.uns["kind"])]
        digest.update(json.dumps([name, part.shape, str(part.X.dtype), *labels]).encode())
        arrays = (part.X.data, part.X.indices, part.X.indptr) if issparse(part.X) else (part.X,)
        for array in arrays:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _write_roster(cohort: Cohort, checksum: str, path: Path) -> None:
    about = {
        "samples": cohort.samples.tolist(),
        "labels": cohort.labels.tolist(),
        "classes": list(cohort.classes),
        "groups": None if cohort.groups is None else cohort.groups.tolist(),
        "folds": None if cohort.folds is None else cohort.folds.tolist(),
        "modalities": [
            {
                "name": name,
                "kind": str(cohort.kinds[name]),
                "features": cohort.sizes[name],
                "absent": np.flatnonzero(~has).tolist(),
            }
            for name, has in zip(cohort.modalities, cohort.available.T, strict=True)
        ],
        "provenance": cohort.provenance,
        "sha256": checksum,
    }
    write_json(about, path)


def read_roster(path: Path) -> Roster:
    """Read the roster that `write_cohort` wrote.

    Raises
    ------
    UserError
        Where the file is damaged, or of another version.
    """
    about = read_json(path)
    with reading(path):
        modalities = about["modalities"]
        available = np.ones((len(about["samples"]), len(modalities)), dtype=bool)
        for column, modality in enumerate(modalities):
            available[modality["absent"], column] = False
        groups, folds = about["groups"], about["folds"]
        roster = Roster(
            samples=np.array(about["samples"], dtype=str),
            labels=np.array(about["labels"], dtype=np.int64),
            classes=tuple(about["classes"]),
            groups=None if groups is None else np.array(groups, dtype=str),
            kinds={modality["name"]: modality["kind"] for modality in modalities},
            provenance=about["provenance"],
            folds=None if folds is None else np.array(folds, dtype=str),
            available=available,
            sizes={modality["name"]: modality["features"] for modality in modalities},
        )
        _read_from(roster, about["sha256"])
    return roster


def write_tables(
    samples: pd.DataFrame, modalities: Mapping[str, pd.DataFrame | AnnData], path: Path
) -> None:
    """Write tables of the catalogue as h5mu, in the form in which users may bring their own.

    Parameters
    ----------
    samples
        Columns of samples, indexed by sample id; becomes ``obs``.
    modalities
        Name -> samples by features; becomes ``X`` of each modality, or is it already.
    path
        Where the file is written, whole or not at all.
    """
    from anndata import AnnData
    from mudata import MuData

    parts = {}
    for name, table in modalities.items():
        if isinstance(table, AnnData):
            parts[name] = table
            continue
        obs = pd.DataFrame(index=table.index.astype(str))
        parts[name] = AnnData(table.to_numpy(), obs=obs, var=pd.DataFrame(index=table.columns))
    with replace_when_written(path) as part, annotated_files():
        data = MuData(parts)
        for column in samples.columns:
            data.obs[column] = samples[column].reindex(data.obs_names)
        data.write_h5mu(part)


def read_cohort(path: Path) -> Cohort:
    """Read a cohort that `write_cohort` wrote.

    Raises
    ------
    UserError
        Where the file is damaged, of another version, or no cohort of balmi.
    """
    from mudata import read_h5mu

    with reading(path), annotated_files():
        data = read_h5mu(path)
        about = data.uns.get("balmi", {})
        check_format(path, about.get(KEY), FORMAT)
        if about["sha256"] != _checksum(data):
            raise ValueError("its content is not what its checksum was made of")
    obs = data.obs.sort_index()
    samples = obs.index.to_numpy(dtype=str)
    repeats = takewhile(obs.__contains__, map(FOLD.format, count()))
    folds = [obs[column].to_numpy(dtype=str) for column in repeats]
    values, features, kinds = {}, {}, {}
    for name in (str(name) for name in about["modalities"]):
        part = data.mod[name]
        rows = pd.Index(samples).get_indexer(part.obs_names)
        values[name] = _sorted_rows(rows, csr_array(part.X) if issparse(part.X) else part.X)
        kinds[name], features[name] = str(part.uns["kind"]), tuple(part.var_names)
    cohort = Cohort(
        samples=samples,
        labels=obs["label"].cat.codes.to_numpy(dtype=np.int64),
        classes=tuple(map(str, obs["label"].cat.categories)),
        groups=obs["group"].to_numpy(dtype=str) if "group" in obs else None,
        values=values,
        features=features,
        kinds=kinds,
        provenance=json.loads(about["provenance"]),
        folds=np.array(folds) if folds else None,
    )
    _read_from(cohort, about["sha256"])
    return cohort


def _sorted_rows(rows: np.ndarray, values: np.ndarray | csr_array) -> Measurements:
    """Return measurements by ascending rows, without a copy where they are so already."""
    order = np.argsort(rows)
    ordered = np.array_equal(order, np.arange(len(rows)))
    return Measurements(rows[order], values if ordered else values[order])
