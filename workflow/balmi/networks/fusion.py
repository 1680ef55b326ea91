"""Joint heads: how the modalities that a sample has become one prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from balmi.config.settings import Expert
from balmi.networks.layers import ReplicaLinear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Dropout = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class FusionShape:
    """What a joint head has to know: number of modalities, hidden width, number of classes."""

    modalities: int
    hidden: int
    classes: int


def weighted_logits(logits: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean of the modalities' logits; 0 where a sample has no weight.

    Parameters
    ----------
    logits
        (replicas, samples, modalities, classes).
    weights
        At least 0, and 0 for absent modalities; (replicas, samples, modalities).

    Returns
    -------
    torch.Tensor
        (replicas, samples, classes).
    """
    total = weights.sum(dim=2, keepdim=True)
    share = weights / torch.where(total > 0, total, torch.ones_like(total))
    return (logits * share.unsqueeze(-1)).sum(dim=2)


def voters(weights: torch.Tensor, available: torch.Tensor) -> torch.Tensor:
    """Return the weights of the modalities that a sample has; all alike where all of them are 0.

    Parameters
    ----------
    weights
        At least 0; (replicas, modalities).
    available
        (replicas, samples, modalities), bool.

    Returns
    -------
    torch.Tensor
        (replicas, samples, modalities).
    """
    has = available.to(weights.dtype)
    votes = has * weights[:, None, :]
    return torch.where(votes.sum(dim=2, keepdim=True) > 0, votes, has)


class MeanLogits(nn.Module):
    """The mean of the available modalities' logits.

    A modality whose importance is known to be 0 has no vote where another has one: noise would
    count as much as signal.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], shape: FusionShape, importance: torch.Tensor
    ) -> None:
        super().__init__()
        self.register_buffer("informative", (importance > 0).to(importance.dtype))

    def forward(
        self,
        unimodal: torch.Tensor,
        embeddings: torch.Tensor,
        available: torch.Tensor,
        dropout: Dropout,
    ) -> torch.Tensor:
        """Return joint logits; (replicas, samples, classes)."""
        return weighted_logits(unimodal, voters(self.informative, available))


class InformationLogits(nn.Module):
    """The mean of the logits, each modality weighing by what it knows about the label.

    Where none of a sample's modalities knows anything, all of them weigh alike.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], shape: FusionShape, importance: torch.Tensor
    ) -> None:
        super().__init__()
        self.register_buffer("importance", importance.clone())

    def forward(
        self,
        unimodal: torch.Tensor,
        embeddings: torch.Tensor,
        available: torch.Tensor,
        dropout: Dropout,
    ) -> torch.Tensor:
        """Return joint logits; (replicas, samples, classes)."""
        return weighted_logits(unimodal, voters(self.importance, available))


class Concatenation(nn.Module):
    """A hidden layer on the embeddings side by side, which can represent interactions.

    Absent modalities are 0, and the availability mask is an input beside the embeddings: without
    it, 'absent' and 'average' would look alike.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], shape: FusionShape, importance: torch.Tensor
    ) -> None:
        super().__init__()
        inputs = shape.modalities * (shape.hidden + 1)
        replicas, dtype = len(generators), importance.dtype
        self.hidden = ReplicaLinear(generators, [inputs] * replicas, shape.hidden, dtype, inputs)
        self.top = ReplicaLinear(
            generators, [shape.hidden] * replicas, shape.classes, dtype, shape.hidden
        )

    def forward(
        self,
        unimodal: torch.Tensor,
        embeddings: torch.Tensor,
        available: torch.Tensor,
        dropout: Dropout,
    ) -> torch.Tensor:
        """Return joint logits; (replicas, samples, classes)."""
        has = available.to(embeddings.dtype)
        beside = (embeddings * has.unsqueeze(-1)).flatten(2)
        hidden = torch.relu(self.hidden(torch.cat([beside, has], dim=2)))
        return self.top(dropout(hidden))


class Gate(nn.Module):
    """The mean of the logits, weighed per sample by what the embeddings say of themselves.

    The weights are a softmax over the available modalities of a linear score of each embedding.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], shape: FusionShape, importance: torch.Tensor
    ) -> None:
        super().__init__()
        replicas, dtype = len(generators), importance.dtype
        self.scores = nn.ModuleList(
            ReplicaLinear(generators, [shape.hidden] * replicas, 1, dtype, shape.hidden)
            for _ in range(shape.modalities)
        )

    def forward(
        self,
        unimodal: torch.Tensor,
        embeddings: torch.Tensor,
        available: torch.Tensor,
        dropout: Dropout,
    ) -> torch.Tensor:
        """Return joint logits; (replicas, samples, classes)."""
        scores = [score(embeddings[:, :, index]) for index, score in enumerate(self.scores)]
        scores = torch.cat(scores, dim=2)
        # Not minus infinity: a sample without any modality would become NaN.
        lowest = torch.finfo(scores.dtype).min
        weights = torch.softmax(scores.masked_fill(~available, lowest), dim=2)
        return weighted_logits(unimodal, weights * available)


FUSIONS: dict[str, Callable[[Sequence[torch.Generator], FusionShape, torch.Tensor], nn.Module]] = {
    Expert.MEAN: MeanLogits,
    Expert.INFORMATION: InformationLogits,
    Expert.CONCATENATION: Concatenation,
    Expert.GATE: Gate,
}
