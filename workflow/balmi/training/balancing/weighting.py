"""Balancing rules: how much each modality's own loss weighs in an epoch.

A rule is a small class with `weights`, for any number of modalities. Every rule's weights sum to
the number of modalities, so that the unimodal losses weigh as much under one rule as under another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from balmi.config.settings import Balancing
from balmi.information.estimates import NULL_LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Training


class BalancingRule(Protocol):
    """What the trainer asks of a rule."""

    def weights(self, macro_f1: torch.Tensor | None) -> torch.Tensor:
        """Return the weights of the coming epoch; (replicas, modalities).

        Parameters
        ----------
        macro_f1
            Each modality's macro-F1 on validation samples after the last epoch, (replicas,
            modalities), NaN where no validation sample has it; None before the first.
        """
        ...


@dataclass(frozen=True)
class Importance:
    """What a rule may know of the modalities besides their performance.

    Parameters
    ----------
    label
        I(Z_m; Y) inside the training part, nats; (replicas, modalities).
    shared
        Mean of I(Z_m; Z_j) over the other modalities j, nats; (replicas, modalities).
    p_value
        Permutation p-value of the label information; (replicas, modalities).
    """

    label: torch.Tensor
    shared: torch.Tensor
    p_value: torch.Tensor


class UniformRule:
    """Every modality weighs 1."""

    def __init__(self, importance: Importance, settings: Training) -> None:
        self._ones = torch.ones_like(importance.label)

    def weights(self, macro_f1: torch.Tensor | None) -> torch.Tensor:
        """Return ones."""
        return self._ones


def known_scores(macro_f1: torch.Tensor) -> torch.Tensor:
    """Replace scores that could not be taken by the mean of the others, which favours nobody."""
    mean = torch.nan_to_num(macro_f1.nanmean(dim=1, keepdim=True))
    return torch.where(macro_f1.isnan(), mean, macro_f1)


class InformationRule:
    """The rule of arXiv:2511.00987 as read here: w_m ~ softmax(-F1_m / T) g_m, gated and smoothed.

    The paper weighs by performance and mutual information; the formula is this project's reading
    of its abstract. g_m is the mean of the information that the modality holds about the label and
    of what it shares with the others. It is 0 where the label information does not exceed its
    permutation null (p above .05): to F1 a weak modality and an uninformative one look alike, and
    without the gate noise would get the largest weight of all. Where no modality passes the gate,
    all weights are 0 and the joint loss alone trains the network.
    """

    def __init__(self, importance: Importance, settings: Training) -> None:
        gate = (importance.p_value <= NULL_LEVEL).to(importance.label.dtype)
        held = torch.nan_to_num(importance.label).clamp(min=0)
        self._importance = gate * (held + importance.shared.clamp(min=0)) / 2
        self._temperature = settings.balancing_temperature
        self._smoothing = settings.balancing_smoothing
        self._smoothed: torch.Tensor | None = None

    def weights(self, macro_f1: torch.Tensor | None) -> torch.Tensor:
        """Return smoothed weights; by importance alone before there is any performance."""
        score = torch.zeros_like(self._importance) if macro_f1 is None else known_scores(macro_f1)
        raw = torch.softmax(-score / self._temperature, dim=1) * self._importance
        total = raw.sum(dim=1, keepdim=True)
        new = raw.shape[1] * raw / torch.where(total > 0, total, torch.ones_like(total))
        if self._smoothed is None:
            self._smoothed = new
        self._smoothed = self._smoothing * self._smoothed + (1 - self._smoothing) * new
        return self._smoothed


RULES: dict[Balancing, Callable[[Importance, Training], BalancingRule]] = {
    Balancing.UNIFORM: UniformRule,
    Balancing.INFORMATION: InformationRule,
}
