"""What several balancing rules measure of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from balmi.networks.losses import cross_entropy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.networks.balancing.base import Step


def trained_on(step: Step) -> torch.Tensor:
    """Return which samples count for a modality; (replicas, samples, modalities), bool.

    On a graph the step also holds samples that only pass messages, and have no weight.
    """
    return step.seen.batch.available & (step.sample_weights > 0).unsqueeze(-1)


def present(step: Step) -> torch.Tensor:
    """Return which modalities any sample that counts has; (replicas, modalities), bool."""
    return trained_on(step).any(dim=1)


def masked_mean(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the mean over dimension 1 of what counts; 0 where nothing does."""
    kept = torch.where(counted, values, torch.zeros_like(values))
    return kept.sum(dim=1) / counted.sum(dim=1).clamp(min=1)


def mean_of_others(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return for each modality the mean over the other ones that count.

    A modality that does not count, or has no other beside it, gets its own value: compared with
    itself it is neither ahead nor behind.

    Parameters
    ----------
    values
        (replicas, modalities).
    counted
        Which modalities count; (replicas, modalities), bool.
    """
    kept = torch.where(counted, values, torch.zeros_like(values))
    others = counted.sum(dim=1, keepdim=True) - counted.long()
    mean = (kept.sum(dim=1, keepdim=True) - kept) / others.clamp(min=1)
    return torch.where(counted & (others > 0), mean, values)


def scaled_to(raw: torch.Tensor, total: float | torch.Tensor) -> torch.Tensor:
    """Scale non-negative rows to sum to `total`; rows of zeros stay so."""
    sums = raw.sum(dim=1, keepdim=True)
    return total * raw / torch.where(sums > 0, sums, torch.ones_like(sums))


def known_scores(scores: torch.Tensor) -> torch.Tensor:
    """Replace scores that could not be taken by the mean of the others, which favours nobody."""
    mean = torch.nan_to_num(scores.nanmean(dim=1, keepdim=True))
    return torch.where(scores.isnan(), mean, scores)


def log_confidence(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return log p(y) of every head, without a gradient; nats.

    Parameters
    ----------
    logits
        (replicas, samples, heads, classes).
    labels
        Class codes; (replicas, samples).

    Returns
    -------
    torch.Tensor
        (replicas, samples, heads).
    """
    targets = labels.unsqueeze(-1).expand(logits.shape[:-1])
    return -cross_entropy(logits.detach(), targets)


def flat(gradients: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the gradients of several parameters side by side; (replicas, entries)."""
    return torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)
