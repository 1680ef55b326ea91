"""Losses per replica and modality."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F


def _class_shares(labels: torch.Tensor, counted: torch.Tensor, classes: int) -> torch.Tensor:
    """Return each class's share of the counted samples; (replicas, classes)."""
    count = counted.to(torch.float64) @ F.one_hot(labels, classes).to(torch.float64)
    return count / count.sum(dim=1, keepdim=True)


def class_weights(
    labels: torch.Tensor, counted: torch.Tensor, classes: int, power: float
) -> torch.Tensor:
    """Return frequency^power per class, scaled so that the counted samples weigh 1 on average.

    Parameters
    ----------
    labels
        Class codes; (samples,).
    counted
        Which samples count, per replica; (replicas, samples), bool.
    classes
        Number of classes.
    power
        Exponent; 0 weighs all classes alike.

    Returns
    -------
    torch.Tensor
        (replicas, classes); 0 for a class that a replica lacks.
    """
    share = _class_shares(labels, counted, classes)
    weights = torch.where(share > 0, share.clamp(min=1e-300) ** power, torch.zeros_like(share))
    return weights / (weights * share).sum(dim=1, keepdim=True)


def log_frequencies(labels: torch.Tensor, counted: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the log of each class's share of the counted samples, 0 for a class without any.

    Parameters
    ----------
    labels
        Class codes; (samples,).
    counted
        Which samples count, per replica; (replicas, samples), bool.
    classes
        Number of classes.

    Returns
    -------
    torch.Tensor
        (replicas, classes).
    """
    share = _class_shares(labels, counted, classes)
    return torch.where(share > 0, share, torch.ones_like(share)).log()


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return -log p(y) per sample: (..., classes) and (...) give (...)."""
    return -logits.log_softmax(dim=-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean over dimension 1; 0 where all weights are 0."""
    total = weights.sum(dim=1)
    return (values * weights).sum(dim=1) / torch.where(total > 0, total, torch.ones_like(total))


@dataclass(frozen=True)
class SoftTargets:
    """What a teacher says to a student of one modality.

    Parameters
    ----------
    logits
        Teacher's logits; (replicas, samples, classes).
    taught
        Samples that the teacher can speak of; (replicas, samples), bool.
    strength
        Share l of the soft loss; (replicas,).
    temperature
        Temperature T of both distributions.
    """

    logits: torch.Tensor
    taught: torch.Tensor
    strength: torch.Tensor
    temperature: float

    def take(self, replicas: torch.Tensor) -> SoftTargets:
        """Return the soft targets of some replicas, given by their places."""
        index = replicas.to(self.logits.device)
        return replace(
            self,
            logits=self.logits[index],
            taught=self.taught[index],
            strength=self.strength[index],
        )


def distillation_divergence(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return T^2 KL(teacher || student) of softened distributions per sample (Hinton et al. 2015).

    Parameters
    ----------
    student, teacher
        Logits; (..., classes).
    temperature
        T.

    Returns
    -------
    torch.Tensor
        Nats times T^2; (...).
    """
    target = (teacher / temperature).log_softmax(dim=-1)
    given = (student / temperature).log_softmax(dim=-1)
    return temperature**2 * (target.exp() * (target - given)).sum(dim=-1)
