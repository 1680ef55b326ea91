"""The data of all replicas as tensors, and views of them: training, validation, everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import block_diag, csr_array, eye_array

from balmi.models.network import Batch, propagate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.preprocess.pipeline import Features


@dataclass(frozen=True)
class ReplicaData:
    """What networks see of a cohort, for every replica.

    Parameters
    ----------
    modalities
        Names.
    inputs
        One tensor per modality; (replicas, n, features), narrower replicas padded with zeros.
    available
        Availability mask; (replicas, n, modalities), bool.
    labels
        Class codes; (n,).
    classes
        Number of classes.
    splits
        The replicas.
    widths
        Modality by replica: features before the padding.
    networks
        A' of each replica, (n, n), or None for multilayer perceptrons.
    """

    modalities: tuple[str, ...]
    inputs: tuple[torch.Tensor, ...]
    available: torch.Tensor
    labels: torch.Tensor
    classes: int
    splits: tuple[Split, ...]
    widths: tuple[tuple[int, ...], ...]
    networks: tuple[csr_array, ...] | None = None

    @property
    def longest(self) -> int:
        """The most training samples of any replica."""
        return max(len(split.train) for split in self.splits)

    def only(self, modality: str) -> ReplicaData:
        """Return the same data with one modality."""
        index = self.modalities.index(modality)
        return ReplicaData(
            modalities=(modality,),
            inputs=(self.inputs[index],),
            available=self.available[:, :, index : index + 1],
            labels=self.labels,
            classes=self.classes,
            splits=self.splits,
            widths=(self.widths[index],),
            networks=self.networks,
        )

    def mask(self, part: str) -> torch.Tensor:
        """Return which samples lie in a part of each split; (replicas, n), bool."""
        result = torch.zeros(self.available.shape[:2], dtype=torch.bool)
        for replica, split in enumerate(self.splits):
            result[replica, torch.from_numpy(getattr(split, part))] = True
        return result.to(self.labels.device)


def _padded(tables: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stack tables of the same rows, narrower ones padded with zeros; at least one column."""
    width = max(1, *(table.shape[1] for table in tables))
    stacked = tables[0].new_zeros(len(tables), len(tables[0]), width)
    for replica, table in enumerate(tables):
        stacked[replica, :, : table.shape[1]] = table
    return stacked


def residual_network(network: csr_array, graph_weight: float) -> csr_array:
    """Return A' = (1 - b) I + b A; (n, n)."""
    return csr_array((1 - graph_weight) * eye_array(network.shape[0]) + graph_weight * network)


def replica_data(
    cohort: Cohort,
    features: Features,
    splits: Sequence[Split],
    networks: Sequence[csr_array] | None,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> ReplicaData:
    """Preprocess every split by its training side and stack the splits as replicas.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    splits
        The replicas.
    networks
        A' of each replica, or None.
    device, dtype
        Where and how tensors are kept.
    """
    prepared = [features.split(split.fit) for split in splits]
    names = cohort.modalities
    widths = tuple(tuple(values[name].shape[1] for values in prepared) for name in names)
    known = torch.tensor(widths).T > 0
    available = torch.from_numpy(features.available)[None] & known[:, None, :]
    return ReplicaData(
        modalities=names,
        inputs=tuple(
            _padded([torch.from_numpy(values[name]).to(dtype) for values in prepared]).to(device)
            for name in names
        ),
        available=available.to(device),
        labels=torch.from_numpy(cohort.labels).to(device),
        classes=len(cohort.classes),
        splits=tuple(splits),
        widths=widths,
        networks=None if networks is None else tuple(networks),
    )


def concatenated(data: ReplicaData) -> ReplicaData:
    """Return the data as one modality: all features side by side, absent ones at their mean 0."""
    tables = [
        torch.cat(
            [
                values[replica, :, : widths[replica]]
                for values, widths in zip(data.inputs, data.widths, strict=True)
            ],
            dim=1,
        )
        for replica in range(len(data.splits))
    ]
    return ReplicaData(
        modalities=("concat",),
        inputs=(_padded(tables),),
        available=data.available.any(dim=2, keepdim=True),
        labels=data.labels,
        classes=data.classes,
        splits=data.splits,
        widths=(tuple(table.shape[1] for table in tables),),
    )


@dataclass(frozen=True)
class View:
    """Some samples of every replica, ready for the network.

    Parameters
    ----------
    batch
        What the network takes.
    rows
        Rows of the cohort; (replicas, samples).
    labels
        Class codes; (replicas, samples).
    counted
        Which samples are real and not padding; (replicas, samples), bool.
    """

    batch: Batch
    rows: torch.Tensor
    labels: torch.Tensor
    counted: torch.Tensor

    @property
    def sizes(self) -> list[int]:
        """Real samples per replica; they stand before the padding."""
        return self.counted.sum(dim=1).tolist()


def _block_diagonal(blocks: Sequence[csr_array], size: int, like: torch.Tensor) -> torch.Tensor:
    padded = [csr_array((b.data, b.indices, b.indptr), shape=b.shape) for b in blocks]
    for block in padded:
        block.resize(size, size)
    whole = block_diag(padded, format="coo")
    indices = torch.from_numpy(np.stack(whole.coords).astype(np.int64))
    values = torch.from_numpy(whole.data).to(like.dtype)
    return torch.sparse_coo_tensor(
        indices, values, whole.shape, is_coalesced=True, check_invariants=False
    ).to(like.device)


def view(data: ReplicaData, rows: Sequence[np.ndarray]) -> View:
    """Gather samples of every replica, padded to the same number.

    Parameters
    ----------
    data
        The data.
    rows
        Rows of every replica, in any number. With a network they must hold every row that their
        edges lead to.
    """
    size = max(len(row) for row in rows)
    device = data.labels.device
    index = torch.zeros(len(rows), size, dtype=torch.long)
    counted = torch.zeros(len(rows), size, dtype=torch.bool)
    for replica, row in enumerate(rows):
        index[replica, : len(row)] = torch.from_numpy(row)
        counted[replica, : len(row)] = True
    index, counted = index.to(device), counted.to(device)
    replica = torch.arange(len(rows), device=device)[:, None]
    inputs = [values[replica, index] for values in data.inputs]
    network = None
    if data.networks is not None:
        blocks = [a[row][:, row] for a, row in zip(data.networks, rows, strict=True)]
        network = _block_diagonal(blocks, size, inputs[0])
        inputs = [propagate(network, values) for values in inputs]
    available = data.available[replica, index] & counted[..., None]
    return View(Batch(inputs, available, network), index, data.labels[index], counted)


def training_views(
    data: ReplicaData, batch_size: int | None, generators: Sequence[torch.Generator]
) -> Iterator[list[View]]:
    """Yield the views of every epoch, without end: one view, or minibatches newly drawn.

    Every replica takes the same number of steps per epoch, given by the longest, in nearly equal
    minibatches: an optimiser that steps on an empty batch would still decay and drift.

    Parameters
    ----------
    data
        The data.
    batch_size
        Samples per step, or None for all at once.
    generators
        One source of randomness per replica.
    """
    if batch_size is None:
        whole = [view(data, [split.train for split in data.splits])]
        while True:
            yield whole
    steps = -(-data.longest // batch_size)
    while True:
        orders = [
            np.array_split(
                split.train[torch.randperm(len(split.train), generator=g).numpy()], steps
            )
            for split, g in zip(data.splits, generators, strict=True)
        ]
        yield (view(data, [order[step] for order in orders]) for step in range(steps))
