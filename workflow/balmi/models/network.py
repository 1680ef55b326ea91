"""Multimodal networks that hold all replicas at once.

Every parameter has a leading replica axis, so that one batched matrix product serves all folds and
repeats of an evaluation. Replicas never mix: a replica's result does not depend on its company.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

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
    classes
        Number of classes.
    hidden
        Width of both hidden layers.
    dropout
        Share of hidden units dropped in training.
    """

    modalities: tuple[str, ...]
    widths: tuple[tuple[int, ...], ...]
    classes: int
    hidden: int
    dropout: float

    @property
    def noise_columns(self) -> int:
        """Uniform numbers that one sample's dropout needs."""
        return 2 * self.hidden * len(self.modalities)


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
class Logits:
    """Logits of the heads.

    Parameters
    ----------
    unimodal
        (replicas, samples, modalities, classes); rows of absent modalities mean nothing.
    joint
        (replicas, samples, classes).
    """

    unimodal: torch.Tensor
    joint: torch.Tensor


class ReplicaLinear(nn.Module):
    """A linear layer per replica.

    Weights are drawn for the inputs that a replica has, and are 0 for its padding, where they stay
    0: a replica starts the same whatever the width of its company.

    Parameters
    ----------
    generators
        One source of randomness per replica, for the initial weights.
    fan_in
        Inputs of each replica.
    fan_out
        Outputs.
    dtype
        Floating-point type.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        fan_in: Sequence[int],
        fan_out: int,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        weight = torch.zeros(len(fan_in), max(1, *fan_in), fan_out, dtype=dtype)
        bias = torch.zeros(len(fan_in), 1, fan_out, dtype=dtype)
        for replica, (generator, own) in enumerate(zip(generators, fan_in, strict=True)):
            draw = torch.rand(own + 1, fan_out, generator=generator, dtype=torch.float64)
            values = (draw * 2 - 1) * max(own, 1) ** -0.5
            weight[replica, :own] = values[:-1]
            bias[replica, 0] = values[-1]
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (replicas, samples, fan_in) to (replicas, samples, fan_out)."""
        return torch.baddbmm(self.bias, values, self.weight)


def propagate(network: torch.Tensor | None, values: torch.Tensor) -> torch.Tensor:
    """Pass messages: A'H for every replica; H unchanged without a network."""
    if network is None:
        return values
    replicas, samples, width = values.shape
    flat = torch.sparse.mm(network, values.reshape(replicas * samples, width))
    return flat.reshape(replicas, samples, width)


def drop(values: torch.Tensor, noise: torch.Tensor | None, rate: float) -> torch.Tensor:
    """Drop units whose uniform noise is below `rate`; all kept where there is no noise."""
    if noise is None or rate == 0:
        return values
    return values * (noise >= rate) / (1 - rate)


class Encoder(nn.Module):
    """Two layers on one modality: H1 = relu(A'X W1), H2 = relu(A'H1 W2), dropout after each.

    With A' = (1 - b)I + bA this is the residual graph convolution of arXiv:2511.00987 as read
    here; without a network it is a multilayer perceptron.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        widths: Sequence[int],
        hidden: int,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.first = ReplicaLinear(generators, widths, hidden, dtype)
        self.second = ReplicaLinear(generators, [hidden] * len(widths), hidden, dtype)

    def forward(
        self,
        values: torch.Tensor,
        network: torch.Tensor | None,
        noise: torch.Tensor | None,
        rate: float,
    ) -> torch.Tensor:
        """Encode (replicas, samples, width) as (replicas, samples, hidden).

        `noise` holds both layers' uniform numbers side by side, or is None outside training.
        """
        halves = (None, None) if noise is None else noise.chunk(2, dim=2)
        hidden = drop(torch.relu(self.first(values)), halves[0], rate)
        hidden = torch.relu(self.second(propagate(network, hidden)))
        return drop(hidden, halves[1], rate)


def mean_logits(unimodal: torch.Tensor, available: torch.Tensor) -> torch.Tensor:
    """Fuse by the mean of the available modalities' logits; 0 where a sample has none.

    Parameters
    ----------
    unimodal
        (replicas, samples, modalities, classes).
    available
        (replicas, samples, modalities), bool.

    Returns
    -------
    torch.Tensor
        (replicas, samples, classes).
    """
    has = available.unsqueeze(-1).to(unimodal.dtype)
    return (unimodal * has).sum(dim=2) / has.sum(dim=2).clamp(min=1)


class ReplicaNetwork(nn.Module):
    """An encoder and a head per modality, and a joint head: the mean of the logits.

    Parameters
    ----------
    shape
        The network's shape.
    seeds
        One seed per replica, for the initial weights.
    dtype
        Floating-point type.
    """

    def __init__(
        self, shape: Shape, seeds: Sequence[int], dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.shape = shape
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.encoders = nn.ModuleList(
            Encoder(generators, widths, shape.hidden, dtype) for widths in shape.widths
        )
        self.heads = nn.ModuleList(
            ReplicaLinear(generators, [shape.hidden] * len(widths), shape.classes, dtype)
            for widths in shape.widths
        )

    def forward(self, batch: Batch, noise: torch.Tensor | None = None) -> Logits:
        """Return the logits of all heads.

        Parameters
        ----------
        batch
            Samples of every replica.
        noise
            Uniform numbers for dropout, (replicas, samples, `Shape.noise_columns`); None outside
            training.
        """
        count = len(self.encoders)
        parts = [None] * count if noise is None else noise.chunk(count, dim=2)
        logits = [
            head(encoder(values, batch.network, part, self.shape.dropout))
            for encoder, head, values, part in zip(
                self.encoders, self.heads, batch.inputs, parts, strict=True
            )
        ]
        unimodal = torch.stack(logits, dim=2)
        return Logits(unimodal, mean_logits(unimodal, batch.available))

    def modality_parameters(self, index: int) -> list[nn.Parameter]:
        """Return the parameters of one modality's encoder and head."""
        return [*self.encoders[index].parameters(), *self.heads[index].parameters()]
