"""The data of all replicas as tensors, and views of them: training, validation, everything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import block_diag, csr_array, eye_array

from balmi.networks.inputs import Measured, Prepared, SideBySide
from balmi.networks.network import Batch, propagate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.networks.inputs import Inputs
    from balmi.preprocess.features import Features
    from balmi.preprocess.fitted import Samples


EPOCH_SAMPLES = 5000  # training samples that an epoch of minibatches sees at most
MESSAGES = 2  # layers of an encoder that pass messages


@dataclass(frozen=True)
class ReplicaData:
    """What networks see of a cohort, for every replica.

    Parameters
    ----------
    modalities
        Names.
    inputs
        One per modality: what is gathered of it in every fold.
    available
        Availability mask; (replicas, n, modalities), bool.
    labels
        Class codes; (n,).
    classes
        Number of classes.
    splits
        The replicas.
    folds
        Row of `inputs` and place in `networks` of every replica: the members of a fold share what
        is fitted on its training side; (replicas,).
    widths
        Modality by replica: features before the padding.
    longest
        The most training samples of any replica of the whole evaluation: it sets the number of
        steps per epoch, which must not depend on which replicas train together.
    networks
        A' of each fold, (n, n), or None for multilayer perceptrons.
    """

    modalities: tuple[str, ...]
    inputs: tuple[Inputs, ...]
    available: torch.Tensor
    labels: torch.Tensor
    classes: int
    splits: tuple[Split, ...]
    folds: torch.Tensor
    widths: tuple[tuple[int, ...], ...]
    longest: int
    networks: tuple[csr_array, ...] | None = None

    @property
    def padded(self) -> tuple[int, ...]:
        """Features of each modality with the padding."""
        return tuple(each.width for each in self.inputs)

    @property
    def like(self) -> torch.Tensor:
        """A tensor of no number, on the device and of the type of what is gathered."""
        return torch.empty(0, dtype=self.inputs[0].dtype, device=self.labels.device)

    def standardised(self, fold: int, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        """Return samples of one fold, one tensor per modality; (samples, padded features)."""
        device = self.labels.device
        folds, index = torch.tensor([fold], device=device), torch.from_numpy(rows).to(device)
        return tuple(each.gather(folds, index[None])[0] for each in self.inputs)

    def context(self, replica: int) -> np.ndarray:
        """Return the rows that a replica's training side needs: itself, and its messages' origins.

        Encoders pass messages twice, so that rows two edges away have a say. In a transductive
        network these are test samples too.
        """
        rows = self.splits[replica].fit
        if self.networks is not None:
            network = self.networks[int(self.folds[replica])]
            for _ in range(MESSAGES):
                rows = np.union1d(rows, network[rows].indices)
        return rows

    def only(self, modality: str) -> ReplicaData:
        """Return the same data with one modality."""
        index = self.modalities.index(modality)
        return replace(
            self,
            modalities=(modality,),
            inputs=(self.inputs[index],),
            available=self.available[:, :, index : index + 1],
            widths=(self.widths[index],),
        )

    def take(self, replicas: Sequence[int]) -> ReplicaData:
        """Return the same data with some of the replicas."""
        index = torch.as_tensor(replicas, dtype=torch.long)
        return replace(
            self,
            available=self.available[index.to(self.available.device)],
            splits=tuple(self.splits[replica] for replica in replicas),
            folds=self.folds[index.to(self.folds.device)],
            widths=tuple(tuple(widths[replica] for replica in replicas) for widths in self.widths),
        )

    def mask(self, part: str) -> torch.Tensor:
        """Return which samples lie in a part of each split; (replicas, n), bool."""
        result = torch.zeros(self.available.shape[:2], dtype=torch.bool)
        for replica, split in enumerate(self.splits):
            result[replica, torch.from_numpy(getattr(split, part))] = True
        return result.to(self.labels.device)


def residual_network(network: csr_array, graph_weight: float) -> csr_array:
    """Return A' = (1 - b) I + b A; (n, n)."""
    return csr_array((1 - graph_weight) * eye_array(network.shape[0]) + graph_weight * network)


def replica_data(
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    networks: Sequence[csr_array] | None,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    members: int = 1,
) -> ReplicaData:
    """Preprocess every split by its training side and stack the splits' members as replicas.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    splits
        The folds.
    networks
        A' of each fold, or None.
    device, dtype
        Where and how tensors are kept.
    members
        Replicas per fold at most, each with another validation part.
    """
    fitted = [features.fit(split.fit).modalities for split in splits]
    names = cohort.modalities
    replicas = [split.members(members) for split in splits]
    folds = torch.tensor([fold for fold, part in enumerate(replicas) for _ in part])
    fold_widths = [[len(each[name].kept) for each in fitted] for name in names]
    widths = tuple(tuple(sizes[fold] for fold in folds.tolist()) for sizes in fold_widths)
    learned = torch.tensor(widths).T > 0
    available = torch.from_numpy(features.available)[None] & learned[:, None, :]
    return ReplicaData(
        modalities=names,
        inputs=tuple(
            Measured.of(
                features.values[name],
                len(cohort.samples),
                [each[name] for each in fitted],
                device,
                dtype,
            )
            for name in names
        ),
        available=available.to(device),
        labels=torch.from_numpy(cohort.labels).to(device),
        classes=len(cohort.classes),
        splits=tuple(split for part in replicas for split in part),
        folds=folds.to(device),
        widths=widths,
        longest=max(len(split.train) for part in replicas for split in part),
        networks=None if networks is None else tuple(networks),
    )


def data_of_samples(
    data: ReplicaData, samples: Samples, network: csr_array | None = None
) -> ReplicaData:
    """Return other samples as the networks of one fold see them.

    Parameters
    ----------
    data
        The data of the fold's members, which say how features are padded, and which modalities the
        fold could learn from: any other is absent to the networks, whoever has it.
    samples
        The samples, preprocessed by what the fold's training side says.
    network
        A' of the samples, or None.

    Returns
    -------
    ReplicaData
        With no labels (all 0), and splits of `data` that do not speak of these samples.
    """
    inputs = [
        Prepared.of(matrix, each.width, data.labels.device, each.dtype)
        for each, matrix in zip(data.inputs, samples.features.values(), strict=True)
    ]
    learned = torch.tensor(data.widths).T[:, None, :] > 0
    available = torch.from_numpy(samples.available)[None] & learned
    return replace(
        data,
        inputs=tuple(inputs),
        available=available.to(data.available.device),
        labels=data.labels.new_zeros(len(samples)),
        folds=torch.zeros_like(data.folds),
        networks=None if network is None else (network,),
    )


def concatenated(data: ReplicaData, width: int | None = None) -> ReplicaData:
    """Return the data as one modality: all features side by side, absent ones at their mean 0.

    Parameters
    ----------
    data
        The replicas' data.
    width
        Features with the padding; those of the widest fold where None.
    """
    replica_of = {fold: replica for replica, fold in enumerate(data.folds.tolist())}
    # Of a fold without replicas nothing is gathered: whichever widths it gets.
    replicas = [replica_of.get(fold, 0) for fold in range(max(replica_of) + 1)]
    sizes = [[widths[replica] for replica in replicas] for widths in data.widths]
    return replace(
        data,
        modalities=("concat",),
        inputs=(SideBySide.of(data.inputs, sizes, width),),
        available=data.available.any(dim=2, keepdim=True),
        widths=(tuple(map(sum, zip(*data.widths, strict=True))),),
        networks=None,
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

    def restricted(self, available: torch.Tensor) -> View:
        """Return the same samples with another availability mask."""
        return replace(self, batch=replace(self.batch, available=available))


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
    device = data.labels.device
    size = max(len(row) for row in rows)
    padded = np.zeros((len(rows), size), dtype=np.int64)
    real = np.zeros(padded.shape, dtype=bool)
    for replica, row in enumerate(rows):
        padded[replica, : len(row)] = row
        real[replica, : len(row)] = True
    index, counted = torch.from_numpy(padded).to(device), torch.from_numpy(real).to(device)
    inputs = [each.gather(data.folds, index) for each in data.inputs]
    replica = torch.arange(len(rows), device=device)[:, None]
    network = None
    if data.networks is not None:
        networks = [data.networks[fold] for fold in data.folds.tolist()]
        blocks = [a[row][:, row] for a, row in zip(networks, rows, strict=True)]
        network = _block_diagonal(blocks, size, inputs[0])
        inputs = [propagate(network, values) for values in inputs]
    available = data.available[replica, index] & counted[..., None]
    return View(Batch(inputs, available, network), index, data.labels[index], counted)


def view_of_all(data: ReplicaData) -> View:
    """Return all samples of the cohort, for every replica."""
    return view(data, [np.arange(len(data.labels))] * len(data.splits))


class Batches:
    """The steps of every epoch: all training samples at once, or minibatches newly drawn.

    Every replica takes the same number of steps per epoch, given by the longest, in nearly equal
    minibatches: an optimiser that steps on an empty batch would still decay and drift. Of many
    training samples an epoch is a new draw of `EPOCH_SAMPLES`, so that a network is judged, and a
    training ended, after as many steps as for a few thousand. On a graph all samples are seen that
    messages come from; on which of them the loss is taken is not decided here.

    Parameters
    ----------
    data
        The data.
    batch_size
        Samples per step, or None for all at once.
    """

    def __init__(self, data: ReplicaData, batch_size: int | None) -> None:
        self._data = data
        seen = min(data.longest, EPOCH_SAMPLES)
        self._share = seen / data.longest
        self._steps = None if batch_size is None else -(-seen // batch_size)
        if self._steps is None:
            rows = [split.train for split in data.splits]
            if data.networks is not None:
                rows = [data.context(replica) for replica in range(len(data.splits))]
            self._whole = view(data, rows)

    def epoch(self, generators: Sequence[torch.Generator]) -> Iterator[View]:
        """Yield the views of one epoch.

        Parameters
        ----------
        generators
            One source of randomness per replica.
        """
        if self._steps is None:
            yield self._whole
            return
        orders = [
            np.array_split(self._drawn(split.train, source), self._steps)
            for split, source in zip(self._data.splits, generators, strict=True)
        ]
        for step in range(self._steps):
            yield view(self._data, [order[step] for order in orders])

    def _drawn(self, rows: np.ndarray, source: torch.Generator) -> np.ndarray:
        """Return the rows that a replica sees in an epoch, in random order."""
        order = torch.randperm(len(rows), generator=source).numpy()
        return rows[order[: round(self._share * len(rows))]]
