"""What the trainer and a balancing rule tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from balmi.config.settings import Training
    from balmi.networks.data import View
    from balmi.networks.epoch import Epoch
    from balmi.networks.network import Outputs, ReplicaNetwork


@dataclass(frozen=True)
class PriorKnowledge:
    """What a rule may know of the modalities besides their performance.

    Parameters
    ----------
    label
        I(Z_m; Y) inside the training part, nats; (replicas, modalities), NaN where unknown.
    shared
        Mean of I(Z_m; Z_j) over the other modalities j, nats; (replicas, modalities).
    p_value
        Permutation p-value of the label information; (replicas, modalities).
    classes
        Number of classes.
    hidden
        Width of the embeddings.
    teachers
        Embeddings of the pretrained modalities, for every sample of the cohort; (replicas, n,
        modalities, hidden). None without pretraining.
    """

    label: torch.Tensor
    shared: torch.Tensor
    p_value: torch.Tensor
    classes: int
    hidden: int
    teachers: torch.Tensor | None = None


@dataclass(frozen=True)
class Step:
    """One step of the optimiser, before the gradients are taken.

    Parameters
    ----------
    network
        The network that is trained.
    seen
        The samples of the step; `seen.batch.available` is what the rule left of the mask.
    outputs
        What the network says of them.
    losses
        Class-weighted losses of the modalities' heads, then of the joint heads, nats; (replicas,
        modalities + fusions).
    sample_weights
        Class weight of every sample, 0 for padding; (replicas, samples).
    active
        Which replicas still train; (replicas,), bool. Gradients of others have no effect that is
        kept.
    """

    network: ReplicaNetwork
    seen: View
    outputs: Outputs
    losses: torch.Tensor
    sample_weights: torch.Tensor
    active: torch.Tensor


class BalancingRule(nn.Module):
    """A rule that balances the modalities: every hook does nothing unless a rule overrides it.

    All that a rule remembers is a parameter (learned by the network's optimiser) or a buffer with
    a leading replica axis, so that a checkpoint holds it. Replicas never mix.

    Parameters
    ----------
    prior
        What is known of the modalities.
    settings
        Settings of the training.
    """

    weight: torch.Tensor
    noise_columns = 0  # uniform numbers per sample that `available` needs

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__()
        self.joint_weight = settings.joint_weight
        self.register_buffer("weight", torch.ones_like(prior.label, dtype=torch.float64))

    def begin_epoch(self, last: Epoch | None) -> None:
        """Set `weight`, the weights of the unimodal losses in the coming epoch.

        Parameters
        ----------
        last
            The epoch before; None before the first. Its tensors are on the CPU.
        """

    def available(self, mask: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return the availability mask to train on; at most what it was.

        Parameters
        ----------
        mask
            (replicas, samples, modalities), bool.
        noise
            Uniform numbers, drawn per replica; (replicas, samples, `noise_columns`).
        """
        return mask

    def loss(self, step: Step) -> torch.Tensor:
        """Return what is minimised: weighted unimodal losses and the joint ones; (replicas,)."""
        count = self.weight.shape[1]
        unimodal = (self.weight.to(step.losses) * step.losses[:, :count]).sum(dim=1)
        return unimodal + self.joint_weight * step.losses[:, count:].sum(dim=1)

    def backward(self, total: torch.Tensor, step: Step) -> None:
        """Leave gradients in the parameters.

        Parameters
        ----------
        total
            Sum of `loss` over active replicas.
        step
            The step.
        """
        total.backward()

    def joint_weights(self) -> torch.Tensor:
        """Return what every joint head's loss is multiplied by; (replicas,)."""
        return torch.full_like(self.weight[:, 0], self.joint_weight)

    def end_step(self, step: Step) -> None:
        """Look at what the optimiser's step has made of the network."""
