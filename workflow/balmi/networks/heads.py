"""Losses and scores of every head of a network on a view of the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from balmi.networks.losses import (
    class_weights,
    cross_entropy,
    distillation_divergence,
    log_frequencies,
    weighted_mean,
)

if TYPE_CHECKING:
    from balmi.config.settings import Training
    from balmi.networks.data import ReplicaData, View
    from balmi.networks.losses import SoftTargets
    from balmi.networks.network import Outputs


@dataclass(frozen=True)
class Criterion:
    """The loss of a head, as the training part of each replica sets it.

    Parameters
    ----------
    class_weights
        (replicas, classes).
    adjustment
        What is added to the logits: tau times the log class frequency of the logit-adjusted loss
        (Menon et al. 2021, ICLR); (replicas, classes).
    """

    class_weights: torch.Tensor
    adjustment: torch.Tensor

    def sample_weights(self, seen: View, counted: torch.Tensor) -> torch.Tensor:
        """Return the class weight of every sample, 0 where it does not count.

        Parameters
        ----------
        seen
            The samples.
        counted
            Which of them count; (replicas, samples), bool.
        """
        return self.class_weights.gather(1, seen.labels) * counted

    def losses(
        self,
        outputs: Outputs,
        seen: View,
        sample_weights: torch.Tensor,
        soft: SoftTargets | None = None,
    ) -> torch.Tensor:
        """Return the weighted loss of every head; (replicas, modalities + fusions), nats.

        A head that no sample counts for has loss 0.

        Parameters
        ----------
        outputs
            What the network says of the samples.
        seen
            The samples.
        sample_weights
            (replicas, samples).
        soft
            Soft targets for a network of one modality, or None.
        """
        logits = outputs.heads + self.adjustment[:, None, None, :]
        labels = seen.labels.unsqueeze(-1).expand(logits.shape[:3])
        values = cross_entropy(logits, labels)
        if soft is not None:
            values = _softened(values, outputs.heads, soft, seen.rows)
        has = counted_heads(seen, outputs.joint.shape[2])
        return weighted_mean(values, sample_weights.unsqueeze(-1) * has)


def criterion(data: ReplicaData, settings: Training) -> Criterion:
    """Return the loss that the training parts of the replicas ask for."""
    like, part = data.like, data.mask("train")
    weights = class_weights(data.labels, part, data.classes, settings.class_weight_power)
    frequencies = log_frequencies(data.labels, part, data.classes)
    return Criterion(weights.to(like), (settings.logit_adjustment * frequencies).to(like))


def counted_heads(seen: View, fusions: int) -> torch.Tensor:
    """Return which heads can speak of a sample: a modality's where it is there, joint ones if any.

    Returns
    -------
    torch.Tensor
        (replicas, samples, modalities + fusions), bool.
    """
    available = seen.batch.available
    joint = available.any(dim=2, keepdim=True).expand(-1, -1, fusions)
    return torch.cat([available, joint], dim=2)


def _softened(
    hard: torch.Tensor, logits: torch.Tensor, soft: SoftTargets, rows: torch.Tensor
) -> torch.Tensor:
    """Mix the hard loss with the distillation loss where the teacher can speak."""
    replica = torch.arange(len(rows), device=rows.device)[:, None]
    teacher = soft.logits[replica, rows].unsqueeze(2)
    share = (soft.strength[:, None] * soft.taught[replica, rows]).unsqueeze(2)
    return (1 - share) * hard + share * distillation_divergence(logits, teacher, soft.temperature)


def macro_f1(
    predicted: torch.Tensor, labels: torch.Tensor, counted: torch.Tensor, classes: int
) -> torch.Tensor:
    """Return macro-F1 over the classes that are present or predicted, as scikit-learn does.

    Parameters
    ----------
    predicted, labels
        Class codes; (replicas, samples).
    counted
        Which samples count; (replicas, samples), bool.
    classes
        Number of classes.

    Returns
    -------
    torch.Tensor
        (replicas,); 0 where nothing counts.
    """
    cell = labels * classes + predicted
    table = torch.zeros(len(labels), classes * classes, dtype=torch.float64, device=labels.device)
    table.scatter_add_(1, cell, counted.to(torch.float64))
    table = table.reshape(-1, classes, classes)
    hits = table.diagonal(dim1=1, dim2=2)
    total = table.sum(dim=1) + table.sum(dim=2)
    scores = 2 * hits / total.clamp(min=1)
    return scores.sum(dim=1) / (total > 0).sum(dim=1).clamp(min=1)


@torch.no_grad()
def validation_scores(
    outputs: Outputs, seen: View, counted: torch.Tensor, loss: Criterion
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return losses and macro-F1 of every head on the counted samples of a view.

    Both are NaN where no counted sample has the modality; a loss that is NaN for another reason
    becomes infinite.

    Parameters
    ----------
    outputs
        What the network says.
    seen
        The samples.
    counted
        Which of them count; (replicas, samples), bool.
    loss
        The loss.

    Returns
    -------
    tuple of torch.Tensor
        (replicas, modalities + fusions) both.
    """
    losses = loss.losses(outputs, seen, loss.sample_weights(seen, counted))
    has = counted_heads(seen, outputs.joint.shape[2]) & counted.unsqueeze(-1)
    predicted, classes = outputs.heads.argmax(dim=-1), outputs.heads.shape[3]
    scores = [
        macro_f1(predicted[..., head], seen.labels, has[..., head], classes)
        for head in range(has.shape[2])
    ]
    nobody = ~has.any(dim=1)
    losses = torch.nan_to_num(losses, nan=torch.inf, posinf=torch.inf)
    losses = losses.masked_fill(nobody, torch.nan)
    return losses, torch.stack(scores, dim=1).masked_fill(nobody, torch.nan)
