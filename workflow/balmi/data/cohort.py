"""The cohort in memory, and its one place on disk: an h5mu file.

A sample may lack a whole modality. Rows of such samples are NaN in memory and absent in the file,
where MuData's own membership masks (``obsm[modality]``) say who has what.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.files import annotated_files, reading, replace_when_written
from balmi.data.folds import FOLD
from balmi.data.formats import KEY, check_format

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from anndata import AnnData
    from mudata import MuData

FORMAT = 2
LARGEST_BLUR = 1e-4  # of a feature's range, that rounding to single precision may cost


@dataclass(frozen=True)
class Cohort:
    """Samples with their labels, groups and measurements.

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
    values
        Modality -> measurements; shape (n, features), rows of absent samples NaN.
    features
        Modality -> feature names.
    kinds
        Modality -> kind of omics.
    provenance
        What is told about the cohort's making: name, dropped samples, control and so on.
    folds
        Names of the test folds that the dataset brings; shape (repeats, n), or None.
    """

    samples: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray | None
    values: dict[str, np.ndarray]
    features: dict[str, tuple[str, ...]]
    kinds: dict[str, str]
    provenance: dict[str, object]
    folds: np.ndarray | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities, in the configured order."""
        return tuple(self.values)

    @property
    def available(self) -> np.ndarray:
        """Which sample has which modality; shape (n, modalities), bool."""
        return np.column_stack([~np.isnan(x).all(axis=1) for x in self.values.values()])

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


def _stored(values: np.ndarray) -> np.ndarray:
    """Return values in single precision, unless that would blur a feature that varies little.

    Parameters
    ----------
    values
        Samples by features; a feature of mean 1e6 and deviation 1 is known to a sixteenth in single
        precision, and one of deviation .01 not at all.
    """
    single = values.astype(np.float32)
    error = np.nanmax(np.abs(single - values), axis=0, initial=0)
    largest = np.nanmax(values, axis=0, initial=-np.inf)
    smallest = np.nanmin(values, axis=0, initial=np.inf)
    varies = largest > smallest
    blurred = error[varies] > LARGEST_BLUR * (largest - smallest)[varies]
    return values if blurred.any() else single


def write_cohort(cohort: Cohort, path: Path) -> None:
    """Write the cohort as h5mu; the file appears only when it is whole."""
    from anndata import AnnData
    from mudata import MuData

    available = cohort.available
    parts = {}
    for column, (name, values) in enumerate(cohort.values.items()):
        has = available[:, column]
        parts[name] = AnnData(
            _stored(values[has]),
            obs=pd.DataFrame(index=pd.Index(cohort.samples[has].astype(str))),
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
    data.uns["balmi"]["sha256"] = _checksum(data)
    with replace_when_written(path) as part, annotated_files():
        data.write_h5mu(part)


def _checksum(data: MuData) -> str:
    """Return a checksum of all that makes a cohort, as the file holds it."""
    about = data.uns["balmi"]
    names = [str(name) for name in about["modalities"]]
    told = [int(about[KEY]), names, str(about["provenance"])]
    digest = hashlib.sha256(json.dumps(told).encode())
    for column in sorted(data.obs.columns):
        digest.update(json.dumps([column, *map(str, data.obs[column])]).encode())
    for name in names:
        part = data.mod[name]
        labels = [*part.obs_names, *part.var_names, str(part.uns["kind"])]
        digest.update(json.dumps([name, part.shape, str(part.X.dtype), *labels]).encode())
        digest.update(np.ascontiguousarray(part.X).data)
    return digest.hexdigest()


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
        full = np.full((len(samples), part.n_vars), np.nan)
        full[pd.Index(samples).get_indexer(part.obs_names)] = part.X
        values[name], kinds[name] = full, str(part.uns["kind"])
        features[name] = tuple(part.var_names)
    return Cohort(
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
