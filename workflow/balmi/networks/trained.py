"""Networks that have been trained, and what they say of samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from balmi.networks.data import view, view_of_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.networks.data import ReplicaData
    from balmi.networks.epoch import Epoch
    from balmi.networks.network import Batch, ReplicaNetwork

BLOCK = 256  # samples of every replica that are predicted at once


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Parameters
    ----------
    network
        The network.
    buffers
        Name of a buffer -> its value for all replicas.
    kept
        Name of a parameter -> its value at the best epoch of every judged head; (heads, replicas,
        ...). Judged are the joint heads, or what the modalities' heads lose together where there
        are none.
    history
        The epochs.
    """

    network: ReplicaNetwork
    buffers: dict[str, torch.Tensor]
    kept: dict[str, torch.Tensor]
    history: list[Epoch]

    def restore(self, head: int) -> ReplicaNetwork:
        """Return the network of all replicas with the parameters of one head's best epoch."""
        for name, parameter in self.network.named_parameters():
            parameter.data = self.kept[name][head].clone()
        for name, buffer in self.network.named_buffers():
            buffer.data = self.buffers[name]
        return self.network


@torch.no_grad()
def predict(
    trained: Trained, data: ReplicaData, rows: Sequence[np.ndarray] | None = None
) -> torch.Tensor:
    """Return every head's logits, each at its own best epoch.

    The modalities' heads are those of the first judged head's best epoch.

    Parameters
    ----------
    trained
        The network.
    data
        The replicas' data.
    rows
        Rows of the cohort that every replica is asked about, or None for all. On a graph all are
        gathered, since messages come from everywhere.

    Returns
    -------
    torch.Tensor
        (replicas, n, modalities + fusions, classes); NaN where a replica was not asked.
    """
    return in_blocks(data, lambda batch: judged_logits(trained.restore, batch), rows)


def in_blocks(
    data: ReplicaData,
    ask: Callable[[Batch], torch.Tensor],
    rows: Sequence[np.ndarray] | None = None,
) -> torch.Tensor:
    """Return what networks say of samples, asked block by block so that few are gathered at once.

    Parameters
    ----------
    data
        The replicas' data.
    ask
        Returns what is wanted of a batch; (replicas, samples, ...).
    rows
        As in `predict`.

    Returns
    -------
    torch.Tensor
        (replicas, n, ...); NaN where a replica was not asked.
    """
    if data.networks is not None:
        return ask(view_of_all(data).batch)
    asked = [np.arange(len(data.labels))] * len(data.splits) if rows is None else rows
    replica = torch.arange(len(asked), device=data.labels.device)[:, None]
    result = None
    # The size of a block does not depend on how many replicas there are: nor do last digits.
    for start in range(0, max(map(len, asked)), BLOCK):
        seen = view(data, [each[start : start + BLOCK] for each in asked])
        said = ask(seen.batch)
        if result is None:
            result = said.new_full((len(asked), len(data.labels), *said.shape[2:]), torch.nan)
        real = seen.counted
        result[replica.expand_as(seen.rows)[real], seen.rows[real]] = said[real]
    return result


def judged_logits(network: Callable[[int], ReplicaNetwork], batch: Batch) -> torch.Tensor:
    """Return every head's logits, each by the network of its own best epoch.

    Parameters
    ----------
    network
        Gives the network of a judged head; the modalities' heads are those of the first.
    batch
        The samples.

    Returns
    -------
    torch.Tensor
        (replicas, samples, modalities + fusions, classes).
    """
    first = network(0)(batch)
    joint = [first.joint[:, :, :1]]
    for head in range(1, first.joint.shape[2]):
        joint.append(network(head)(batch).joint[:, :, head : head + 1])
    return torch.cat([first.unimodal, *joint], dim=2)
