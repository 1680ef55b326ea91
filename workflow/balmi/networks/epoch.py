"""What one epoch of training leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Epoch:
    """What one epoch left behind; tensors on the CPU.

    Parameters
    ----------
    active
        Which replicas were still training; (replicas,), bool.
    weights
        Weights of the unimodal losses; (replicas, modalities).
    joint_weight
        Weight of every joint head's loss; (replicas,).
    losses, validation_losses
        Losses of the modalities' heads, then of the joint heads, nats; (replicas, modalities +
        fusions). The training loss is the mean over the epoch's steps.
    macro_f1
        On validation samples, in the same order; (replicas, modalities + fusions), NaN, as the
        validation loss is, where no validation sample has the modality.
    gradient_share
        Share of the encoders' and heads' gradient norm in the epoch's last step; (replicas,
        modalities).
    """

    active: torch.Tensor
    weights: torch.Tensor
    joint_weight: torch.Tensor
    losses: torch.Tensor
    validation_losses: torch.Tensor
    macro_f1: torch.Tensor
    gradient_share: torch.Tensor

    def take(self, replicas: torch.Tensor) -> Epoch:
        """Return the epoch of some replicas."""
        return Epoch(*(getattr(self, field.name)[replicas] for field in fields(self)))
