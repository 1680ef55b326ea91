"""The trainer: one loop for every network, all replicas at once.

Replicas share the loop and nothing else: each has its own dropout noise, its own minibatches, its
own best epoch and its own end, so that a replica alone gives the same result as in company.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.training.data import training_views, view
from balmi.training.losses import (
    class_weights,
    cross_entropy,
    distillation_divergence,
    weighted_mean,
)
from balmi.training.seeds import replica_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Training
    from balmi.models.network import ReplicaNetwork
    from balmi.training.balancing import BalancingRule
    from balmi.training.data import ReplicaData, View
    from balmi.training.losses import SoftTargets


@dataclass(frozen=True)
class Epoch:
    """What one epoch left behind; tensors on the CPU.

    Parameters
    ----------
    active
        Which replicas were still training; (replicas,), bool.
    weights
        Weights of the unimodal losses; (replicas, modalities).
    losses, validation_losses
        Unimodal losses, then the joint one, nats; (replicas, modalities + 1). The training loss
        is the mean over the epoch's steps.
    macro_f1
        On validation samples, in the same order; (replicas, modalities + 1), NaN, as the
        validation loss is, where no validation sample has the modality.
    gradient_share
        Share of the encoders' and heads' gradient norm in the epoch's last step; (replicas,
        modalities).
    """

    active: torch.Tensor
    weights: torch.Tensor
    losses: torch.Tensor
    validation_losses: torch.Tensor
    macro_f1: torch.Tensor
    gradient_share: torch.Tensor


@dataclass(frozen=True)
class Objective:
    """What is minimised: joint_weight * joint loss + sum of weighted unimodal losses.

    Parameters
    ----------
    rule
        The balancing rule.
    joint_weight
        Weight of the joint loss, w_0.
    soft
        Soft targets for a network of one modality, or None.
    """

    rule: BalancingRule
    joint_weight: float = 1.0
    soft: SoftTargets | None = None


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


def head_losses(
    network: ReplicaNetwork,
    seen: View,
    weights: torch.Tensor,
    noise: torch.Tensor | None = None,
    soft: SoftTargets | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the class-weighted loss of every head, the heads' logits, and where they count.

    Parameters
    ----------
    network
        The network.
    seen
        Samples of every replica.
    weights
        Class weights; (replicas, classes).
    noise
        Dropout noise, or None outside training.
    soft
        Soft targets, or None.

    Returns
    -------
    tuple of torch.Tensor
        Losses, (replicas, modalities + 1) with the joint head last; logits, (replicas, samples,
        modalities + 1, classes); and a mask of the logits that count, without the class axis.
    """
    heads = network(seen.batch, noise)
    logits = torch.cat([heads.unimodal, heads.joint.unsqueeze(2)], dim=2)
    available = seen.batch.available
    counted = torch.cat([available, available.any(dim=2, keepdim=True)], dim=2)
    labels = seen.labels.unsqueeze(-1).expand(counted.shape)
    values = cross_entropy(logits, labels)
    if soft is not None:
        values = _softened(values, logits, soft, seen.rows)
    sample_weights = weights.gather(1, seen.labels).unsqueeze(-1) * counted
    return weighted_mean(values, sample_weights), logits, counted


def _softened(
    hard: torch.Tensor, logits: torch.Tensor, soft: SoftTargets, rows: torch.Tensor
) -> torch.Tensor:
    """Mix the hard loss with the distillation loss where the teacher can speak."""
    replica = torch.arange(len(rows), device=rows.device)[:, None]
    teacher = soft.logits[replica, rows].unsqueeze(2)
    share = (soft.strength[:, None] * soft.taught[replica, rows]).unsqueeze(2)
    return (1 - share) * hard + share * distillation_divergence(logits, teacher, soft.temperature)


def dropout_noise(
    sizes: list[int], columns: int, generators: list[torch.Generator], like: torch.Tensor
) -> torch.Tensor:
    """Draw every replica's uniform numbers from its own source.

    Drawn on the CPU in float32 wherever and however precisely the network trains, and never for
    padding, so that neither company nor precision nor device changes a replica's stream.

    Parameters
    ----------
    sizes
        Real samples per replica.
    columns
        Numbers per sample.
    generators
        One source of randomness per replica.
    like
        A tensor of the type and device that is wanted.

    Returns
    -------
    torch.Tensor
        (replicas, longest, columns), type and device of `like`.
    """
    noise = torch.zeros(len(sizes), max(sizes), columns)
    for replica, (size, generator) in enumerate(zip(sizes, generators, strict=True)):
        noise[replica, :size] = torch.rand(size, columns, generator=generator)
    return noise.to(device=like.device, dtype=like.dtype)


def _gradient_share(network: ReplicaNetwork) -> torch.Tensor:
    """Return each modality's share of the gradient norm; (replicas, modalities)."""
    norms = []
    for index in range(len(network.encoders)):
        squares = [
            parameter.grad.flatten(1).square().sum(dim=1)
            for parameter in network.modality_parameters(index)
        ]
        norms.append(torch.stack(squares).sum(dim=0).sqrt())
    norm = torch.stack(norms, dim=1)
    return norm / norm.sum(dim=1, keepdim=True).clamp(min=1e-12)


class _Best:
    """Every replica's parameters at its best epoch, and whether it still trains.

    A replica whose modality no validation sample has gets no score: it keeps its latest
    parameters, and ends after as many epochs as the patience.
    """

    def __init__(self, network: ReplicaNetwork, replicas: int, patience: int) -> None:
        self.active = torch.ones(replicas, dtype=torch.bool)
        self._network = network
        self._patience = patience
        self._score = torch.full((replicas,), torch.inf, dtype=torch.float64)
        self._stale = torch.zeros(replicas, dtype=torch.long)
        self._kept = [p.detach().clone() for p in network.parameters()]

    def update(self, score: torch.Tensor) -> None:
        """Keep the parameters of active replicas whose score (lower is better) improved."""
        improved = self.active & (score < self._score)
        self._score = torch.where(improved, score, self._score)
        self._stale = torch.where(improved, torch.zeros_like(self._stale), self._stale + 1)
        keep = improved | (self.active & score.isnan())
        for kept, parameter in zip(self._kept, self._network.parameters(), strict=True):
            kept[keep.to(kept.device)] = parameter.detach()[keep.to(kept.device)]
        self.active = self.active & (self._stale < self._patience)

    def restore(self) -> None:
        """Put the best parameters back into the network."""
        with torch.no_grad():
            for kept, parameter in zip(self._kept, self._network.parameters(), strict=True):
                parameter.copy_(kept)


def train(
    network: ReplicaNetwork,
    data: ReplicaData,
    objective: Objective,
    settings: Training,
    purpose: str,
    progress: Callable[[int, int, int], None],
) -> list[Epoch]:
    """Train all replicas in place; each ends with the parameters of its best validation loss.

    Parameters
    ----------
    network
        The network, with one replica per split of `data`.
    data
        The replicas' data.
    objective
        What is minimised.
    settings
        Optimiser, epochs, patience, batch size, seed.
    purpose
        A name that sets this training's randomness apart from others of the same replicas.
    progress
        Called after every epoch with the epochs done, their largest number, and the number of
        replicas that still train.

    Returns
    -------
    list of Epoch
        The history.

    Raises
    ------
    MethodNotApplicable
        Where a replica has no validation samples.
    MethodFailed
        Where a loss is not finite.
    """
    if any(len(split.validation) == 0 for split in data.splits):
        raise MethodNotApplicable("a class has fewer than 2 members in a training part")
    noise_sources, batch_sources = (
        [
            torch.Generator().manual_seed(
                replica_seed(settings.seed, split.repeat, split.fold, f"{purpose}/{use}")
            )
            for split in data.splits
        ]
        for use in ("dropout", "batches")
    )
    like = data.inputs[0]
    weights = class_weights(
        data.labels, data.mask("train"), data.classes, settings.class_weight_power
    ).to(like.dtype)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    held_out = view(data, [split.fit for split in data.splits])
    in_validation = data.mask("validation").gather(1, held_out.rows) & held_out.counted
    best = _Best(network, len(data.splits), settings.patience)
    views = training_views(data, settings.batch_size, batch_sources)
    history: list[Epoch] = []
    columns = network.shape.noise_columns
    for epoch in range(settings.epochs):
        rule = objective.rule.weights(history[-1].macro_f1[:, :-1] if history else None)
        weight, active = rule.to(like), best.active.to(like.device)
        steps = []
        for seen in next(views):
            noise = dropout_noise(seen.sizes, columns, noise_sources, like)
            losses, _, _ = head_losses(network, seen, weights, noise, objective.soft)
            steps.append(losses.detach())
            each = (weight * losses[:, :-1]).sum(dim=1) + objective.joint_weight * losses[:, -1]
            total = each[active].sum()
            if not torch.isfinite(total):
                raise MethodFailed(f"the loss is not finite in epoch {epoch + 1} of {purpose}")
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            optimiser.step()
        share = _gradient_share(network)
        scores, f1 = _validate(network, held_out, in_validation, weights)
        if scores[active].isinf().any():
            raise MethodFailed(f"the loss is not finite after epoch {epoch + 1} of {purpose}")
        active = best.active
        best.update(scores[:, -1].double().cpu())
        parts = (rule, torch.stack(steps).mean(dim=0), scores, f1, share)
        history.append(Epoch(active, *(part.cpu() for part in parts)))
        progress(epoch + 1, settings.epochs, int(best.active.sum()))
        if not best.active.any():
            break
    best.restore()
    return history


@torch.no_grad()
def _validate(
    network: ReplicaNetwork, held_out: View, counted: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return losses and macro-F1 of every head on the counted samples of a view.

    Both are NaN where no counted sample has the modality; a loss that is NaN for another reason
    becomes infinite.
    """
    _, logits, has = head_losses(network, held_out, weights)
    has = has & counted.unsqueeze(-1)
    labels = held_out.labels.unsqueeze(-1).expand(has.shape)
    sample_weights = weights.gather(1, held_out.labels).unsqueeze(-1) * has
    losses = weighted_mean(cross_entropy(logits, labels), sample_weights)
    predicted = logits.argmax(dim=-1)
    scores = [
        macro_f1(predicted[..., head], held_out.labels, has[..., head], weights.shape[1])
        for head in range(has.shape[2])
    ]
    nobody = ~has.any(dim=1)
    losses = torch.nan_to_num(losses, nan=torch.inf, posinf=torch.inf)
    losses = losses.masked_fill(nobody, torch.nan)
    return losses, torch.stack(scores, dim=1).masked_fill(nobody, torch.nan)


@torch.no_grad()
def predict(network: ReplicaNetwork, data: ReplicaData) -> torch.Tensor:
    """Return every head's logits for all samples; (replicas, n, modalities + 1, classes)."""
    everything = [np.arange(len(data.labels))] * len(data.splits)
    seen = view(data, everything)
    heads = network(seen.batch)
    return torch.cat([heads.unimodal, heads.joint.unsqueeze(2)], dim=2)
