"""Multimodal networks that hold all replicas at once.

Every parameter has a leading replica axis, so that one batched matrix product serves all folds and
repeats of an evaluation. Replicas never mix: a replica's result does not depend on its company.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from balmi.networks.fusion import FUSIONS, FusionShape
from balmi.networks.layers import ReplicaLinear

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Shape:
    """The shape of a network.

    Parameters
    ----------
    modalities
        Names.
    widths
        Modality by replica: features that the replica has; others are padded with zeros.
    padded
        Features per modality with the padding, the same for every part of the replicas.
    classes
        Number of classes.
    hidden
        Width of all hidden layers.
    dropout
        Share of hidden units dropped in training.
    fusions
        The joint heads, names of `balmi.networks.fusion.FUSIONS`.
    linear_path
        Whether a modality's logits are W x + f(x) instead of f(x).
    """

    modalities: tuple[str, ...]
    widths: tuple[tuple[int, ...], ...]
    padded: tuple[int, ...]
    classes: int
    hidden: int
    dropout: float
    fusions: tuple[str, ...] = ()
    linear_path: bool = False

    @property
    def encoder_noise(self) -> int:
        """Uniform numbers that one sample's dropout needs in one encoder."""
        return 2 * self.hidden

    @property
    def noise_columns(self) -> int:
        """Uniform numbers that one sample's dropout needs."""
        return self.encoder_noise * len(self.modalities) + self.hidden * len(self.fusions)


@dataclass(frozen=True)
class Batch:
    """Samples of every replica.

    Parameters
    ----------
    inputs
        One tensor per modality; (replicas, samples, features). On a graph they are propagated
        already, A'X.
    available
        Availability mask; (replicas, samples, modalities), bool.
    network
        A' of all replicas as one sparse block-diagonal matrix, or None for a multilayer perceptron;
        (replicas * samples, replicas * samples).
    """

    inputs: Sequence[torch.Tensor]
    available: torch.Tensor
    network: torch.Tensor | None = None


@dataclass(frozen=True)
class Outputs:
    """What a network says.

    Parameters
    ----------
    unimodal
        Logits of the modalities' heads; (replicas, samples, modalities, classes). Rows of absent
        modalities mean nothing.
    joint
        Logits of the joint heads; (replicas, samples, fusions, classes).
    embeddings
        What the encoders make of the modalities; (replicas, samples, modalities, hidden).
    """

    unimodal: torch.Tensor
    joint: torch.Tensor
    embeddings: torch.Tensor

    @property
    def heads(self) -> torch.Tensor:
        """All heads, joint ones last; (replicas, samples, modalities + fusions, classes)."""
        return torch.cat([self.unimodal, self.joint], dim=2)


def propagate(network: torch.Tensor | None, values: torch.Tensor) -> torch.Tensor:
    """Pass messages: A'H for every replica; H unchanged without a network."""
    if network is None:
        return values
    replicas, samples, width = values.shape
    flat = torch.sparse.mm(network, values.reshape(replicas * samples, width))
    return flat.reshape(replicas, samples, width)


def keep_units(noise: torch.Tensor, rate: float) -> torch.Tensor:
    """Return what units are multiplied by: 0 where the uniform noise is below `rate`, else more."""
    return (noise >= rate).to(noise.dtype).mul_(1 / (1 - rate))


def drop(values: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
    """Multiply units by what `keep_units` gave; all kept where there is None."""
    return values if kept is None else values * kept


class Encoder(nn.Module):
    """Two layers on one modality: H1 = relu(A'X W1), H2 = relu(A'H1 W2), dropout after each.

    With A' = (1 - b)I + bA this is the residual graph convolution of arXiv:2511.00987 as read
    here; without a network it is a multilayer perceptron.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        widths: Sequence[int],
        padded: int,
        hidden: int,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.first = ReplicaLinear(generators, widths, hidden, dtype, padded)
        self.second = ReplicaLinear(generators, [hidden] * len(widths), hidden, dtype, hidden)

    def forward(
        self,
        values: torch.Tensor,
        network: torch.Tensor | None,
        kept: torch.Tensor | None,
    ) -> torch.Tensor:
        """Encode (replicas, samples, width) as (replicas, samples, hidden).

        `kept` holds what both layers' units are multiplied by, or is None outside training.
        """
        halves = (None, None) if kept is None else kept.chunk(2, dim=2)
        hidden = drop(torch.relu(self.first(values)), halves[0])
        hidden = torch.relu(self.second(propagate(network, hidden)))
        return drop(hidden, halves[1])


class Head(nn.Module):
    """Logits of one modality: a linear layer on its embedding, and W x where there is such a path.

    W starts at 0, so that a network with the path starts as the one without it.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        widths: Sequence[int],
        padded: int,
        shape: Shape,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        hidden, classes = shape.hidden, shape.classes
        self.top = ReplicaLinear(generators, [hidden] * len(widths), classes, dtype, hidden)
        self.path = None
        if shape.linear_path:
            self.path = ReplicaLinear(generators, widths, classes, dtype, padded, zero=True)

    def forward(self, embedding: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return logits; (replicas, samples, classes)."""
        logits = self.top(embedding)
        return logits if self.path is None else logits + self.path(values)


class ReplicaNetwork(nn.Module):
    """An encoder and a head per modality, and joint heads.

    Parameters
    ----------
    shape
        The network's shape.
    seeds
        One seed per replica, for the initial weights.
    dtype
        Floating-point type.
    importance
        Weight of each modality in the head `information`; (replicas, modalities). All alike where
        None.
    """

    def __init__(
        self,
        shape: Shape,
        seeds: Sequence[int],
        dtype: torch.dtype = torch.float32,
        importance: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        self.shape = shape
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        sizes = list(zip(shape.widths, shape.padded, strict=True))
        self.encoders = nn.ModuleList(
            Encoder(generators, widths, padded, shape.hidden, dtype) for widths, padded in sizes
        )
        self.heads = nn.ModuleList(
            Head(generators, widths, padded, shape, dtype) for widths, padded in sizes
        )
        if importance is None:
            importance = torch.ones(len(seeds), len(shape.modalities))
        # Made last, so that encoders start the same whatever the joint heads.
        self.fusions = nn.ModuleList(
            FUSIONS[name](
                generators,
                FusionShape(len(shape.modalities), shape.hidden, shape.classes),
                importance.to(dtype),
            )
            for name in shape.fusions
        )

    def forward(self, batch: Batch, noise: torch.Tensor | None = None) -> Outputs:
        """Return the logits of all heads.

        Parameters
        ----------
        batch
            Samples of every replica.
        noise
            Uniform numbers for dropout, (replicas, samples, `Shape.noise_columns`); None outside
            training.
        """
        shape, count = self.shape, len(self.encoders)
        sizes = [shape.encoder_noise] * count + [shape.hidden] * len(self.fusions)
        parts = [None] * len(sizes)
        if noise is not None and shape.dropout > 0:
            parts = keep_units(noise, shape.dropout).split(sizes, dim=2)
        embedded = [
            encoder(values, batch.network, part)
            for encoder, values, part in zip(
                self.encoders, batch.inputs, parts[:count], strict=True
            )
        ]
        logits = [
            head(embedding, values)
            for head, embedding, values in zip(self.heads, embedded, batch.inputs, strict=True)
        ]
        unimodal, embeddings = torch.stack(logits, dim=2), torch.stack(embedded, dim=2)
        return self.fuse(unimodal, embeddings, batch.available, parts[count:])

    def fuse(
        self,
        unimodal: torch.Tensor,
        embeddings: torch.Tensor,
        available: torch.Tensor,
        kept: Sequence[torch.Tensor | None] | None = None,
    ) -> Outputs:
        """Return what the joint heads say of logits and embeddings that are known.

        Parameters
        ----------
        unimodal
            (replicas, samples, modalities, classes).
        embeddings
            (replicas, samples, modalities, hidden).
        available
            Modalities to use; (replicas, samples, modalities), bool.
        kept
            What the hidden units of every joint head are multiplied by, (replicas, samples,
            hidden) each, or None.
        """
        parts = [None] * len(self.fusions) if kept is None else kept
        joint = [
            fusion(
                unimodal,
                embeddings,
                available,
                partial(drop, kept=part),
            )
            for fusion, part in zip(self.fusions, parts, strict=True)
        ]
        empty = unimodal[:, :, :0]
        return Outputs(unimodal, torch.stack(joint, dim=2) if joint else empty, embeddings)

    def modality_parameters(self, index: int) -> list[nn.Parameter]:
        """Return the parameters of one modality's encoder and head."""
        return [*self.encoders[index].parameters(), *self.heads[index].parameters()]
