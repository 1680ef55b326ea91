"""Rules that set how much each modality's own loss weighs.

Where weights sum to the number of modalities, the unimodal losses weigh as much as without a rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from balmi.config.balancing import Balancing
from balmi.information.estimates import NULL_LEVEL
from balmi.networks.balancing.base import BalancingRule
from balmi.networks.balancing.measures import (
    known_scores,
    masked_mean,
    present,
    scaled_to,
)

if TYPE_CHECKING:
    from balmi.config.settings import Training
    from balmi.networks.balancing.base import PriorKnowledge, Step
    from balmi.networks.epoch import Epoch

SUPER_EPOCH = 5  # epochs over which overfitting and generalisation are measured
SMALLEST_OVERFITTING = 0.05  # nats; less is noise, and its inverse square has no bound
SMALLEST_TASK_WEIGHT = 0.01


class UniformRule(BalancingRule):
    """Every modality's loss weighs 1."""


class PerformanceRule(BalancingRule):
    """Weights w_m ~ softmax(s F1_m / T) g_m, smoothed over epochs; their sum is the number M.

    Before there is any macro-F1 the weights follow g alone. Where all g are 0, so are the weights,
    and the joint losses alone train the network.

    Parameters
    ----------
    prior
        What is known of the modalities.
    settings
        Settings of the training.
    importance
        g; at least 0; (replicas, modalities).
    sign
        s: 1 favours strong modalities, -1 weak ones.
    """

    importance: torch.Tensor

    def __init__(
        self, prior: PriorKnowledge, settings: Training, importance: torch.Tensor, sign: int
    ) -> None:
        super().__init__(prior, settings)
        self.sharpness = sign / settings.balancing_temperature
        self.smoothing = settings.balancing_smoothing
        self.register_buffer("importance", importance.to(self.weight))

    def begin_epoch(self, last: Epoch | None) -> None:
        """Weigh by importance alone at first, and then by importance and performance."""
        count = self.weight.shape[1]
        if last is None:
            self.weight = scaled_to(self.importance, count)
            return
        score = known_scores(last.macro_f1[:, :count].to(self.weight))
        raw = torch.softmax(self.sharpness * score, dim=1) * self.importance
        new = scaled_to(raw, count)
        self.weight = self.smoothing * self.weight + (1 - self.smoothing) * new


class InformationRule(PerformanceRule):
    """The rule of arXiv:2511.00987 as read here: w_m ~ softmax(-F1_m / T) g_m, gated and smoothed.

    The paper weighs by performance and mutual information; the formula is this project's reading
    of its abstract. g_m is the mean of the information that the modality holds about the label and
    of what it shares with the others. It is 0 where the label information does not exceed its
    permutation null (p above .05): to F1 a weak modality and an uninformative one look alike, and
    without the gate noise would get the largest weight of all. Where no modality passes the gate,
    all weights are 0 and the joint losses alone train the network.
    """

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        held, shared = (torch.nan_to_num(part).clamp(min=0) for part in (prior.label, prior.shared))
        gate = prior.p_value <= NULL_LEVEL
        super().__init__(prior, settings, gate * (held + shared) / 2, sign=-1)


class InverseRule(PerformanceRule):
    """The negative control, w_m ~ softmax(F1_m / T): it favours the strong modality."""

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings, torch.ones_like(prior.label), sign=1)


class GradientBlendingRule(BalancingRule):
    """Gradient-Blending (Wang, Tran and Feiszli, CVPR 2020, arXiv:1905.12681), online.

    Every head weighs w_k ~ G_k / O_k^2, the inverse overfitting-to-generalisation ratio over O_k:
    G_k is what its validation loss has lost over a super-epoch, O_k what its gap, validation loss
    minus training loss, has gained. All heads weigh as much together as without the rule.

    As read here: both are measured on the heads of the one network that is trained, over
    super-epochs of 5 epochs, the first of which weighs uniformly; the joint heads count as one
    head, by their mean loss; a head that no longer generalises (G_k below 0) weighs 0, and where
    none does, weights stay as they were; O_k is at least .05 nats in absolute value; and a head
    without a validation sample gets the mean of the others.
    """

    joint: torch.Tensor
    start: torch.Tensor
    age: torch.Tensor

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        replicas, count = self.weight.shape
        self.register_buffer("joint", torch.ones(replicas, 1, dtype=torch.float64))
        self.register_buffer("start", torch.zeros(2, replicas, count + 1).double().transpose(0, 1))
        self.register_buffer("age", torch.full((replicas,), -1))

    def begin_epoch(self, last: Epoch | None) -> None:
        """Measure at the end of a super-epoch, and start the next one there."""
        if last is None:
            return
        count = self.weight.shape[1]
        fusions = last.losses.shape[1] - count
        now = torch.stack(
            [self._grouped(part) for part in (last.losses, last.validation_losses)], dim=1
        )
        self.age = self.age + 1
        due = (self.age == SUPER_EPOCH)[:, None]
        size = torch.ones_like(now[:, 0])
        size[:, count] = self.joint_weight * fusions
        new = self._blended(now, size)
        measured = due & (new.sum(dim=1, keepdim=True) > 0)
        self.weight = torch.where(measured, new[:, :count], self.weight)
        self.joint = torch.where(measured, new[:, count:], self.joint)
        self.start = torch.where((due | (self.age == 0)[:, None])[..., None], now, self.start)
        self.age = torch.where(due[:, 0], torch.zeros_like(self.age), self.age)

    def _grouped(self, losses: torch.Tensor) -> torch.Tensor:
        """Return unimodal losses and the mean joint one, NaN without any; (replicas, heads)."""
        losses = losses.to(self.weight)
        count = self.weight.shape[1]
        return torch.cat([losses[:, :count], losses[:, count:].mean(dim=1, keepdim=True)], dim=1)

    def _blended(self, now: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        """Return weights of which `size` times weight sums to the sum of `size`."""
        gained = now - self.start
        generalised = -gained[:, 1]
        overfitted = (gained[:, 1] - gained[:, 0]).abs().clamp(min=SMALLEST_OVERFITTING)
        raw = known_scores(generalised.clamp(min=0) / overfitted.square())
        total = (size * raw).sum(dim=1, keepdim=True)
        return size.sum(dim=1, keepdim=True) * raw / torch.where(total > 0, total, 1.0)

    def loss(self, step: Step) -> torch.Tensor:
        """Return the blended losses; (replicas,)."""
        count = self.weight.shape[1]
        unimodal = (self.weight.to(step.losses) * step.losses[:, :count]).sum(dim=1)
        joint = self.joint_weights().to(step.losses) * step.losses[:, count:].sum(dim=1)
        return unimodal + joint

    def joint_weights(self) -> torch.Tensor:
        """Return the joint weight times what blending makes of it; (replicas,)."""
        return self.joint_weight * self.joint[:, 0]


class GradNormRule(BalancingRule):
    """GradNorm (Chen et al., ICML 2018, arXiv:1711.02257) on the modalities' own losses.

    The weights are learned by L_grad = sum_m |G_m - mean(G) r_m^alpha|, with G_m = w_m |grad L_m|,
    and r_m the loss over its initial value, divided by the mean of that over the modalities; the
    target is held constant. After each step the weights are scaled to sum to M.

    As read here: the paper takes the gradients in the last layer that the tasks share. With one
    encoder per modality there is none, so each loss is taken in the last layer of its own encoder.
    The initial loss is log(classes), which the paper proposes for networks whose start differs,
    and which cancels in r; the weights have the learning rate of the network.
    """

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        self.strength = settings.balancing_strength
        self.learned = nn.Parameter(self.weight.clone())

    def backward(self, total: torch.Tensor, step: Step) -> None:
        """Leave the network's gradients, and that of L_grad in the weights."""
        count = self.weight.shape[1]
        layers = [encoder.second.weight for encoder in step.network.encoders]
        gradients = torch.autograd.grad(step.losses[:, :count].sum(), layers, retain_graph=True)
        total.backward()
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients], dim=1).to(self.weight)
        losses = step.losses[:, :count].detach().to(self.weight)
        self.learned.grad = gradnorm_slope(self.weight, norms, losses, present(step), self.strength)

    @torch.no_grad()
    def end_step(self, step: Step) -> None:
        """Scale the weights to sum to M; none falls to 0 or below."""
        kept = self.learned.clamp(min=SMALLEST_TASK_WEIGHT)
        self.learned.copy_(scaled_to(kept, kept.shape[1]))
        self.weight = self.learned.detach().clone()


def gradnorm_slope(
    weight: torch.Tensor,
    norms: torch.Tensor,
    losses: torch.Tensor,
    counted: torch.Tensor,
    strength: float,
) -> torch.Tensor:
    """Return the derivative of L_grad by the weights; (replicas, modalities).

    Parameters
    ----------
    weight
        w; (replicas, modalities).
    norms
        |grad L_m|, of the unweighted loss; (replicas, modalities).
    losses
        L_m, nats; (replicas, modalities).
    counted
        Modalities that take part in the means; (replicas, modalities), bool.
    strength
        alpha.
    """
    weighted = weight * norms
    mean = masked_mean(losses, counted)[:, None]
    rate = losses / mean.clamp(min=torch.finfo(losses.dtype).tiny)
    target = masked_mean(weighted, counted)[:, None] * rate**strength
    return torch.sign(weighted - target) * norms


class KendallRule(BalancingRule):
    """Weights by homoscedastic uncertainty (Kendall, Gal and Cipolla, CVPR 2018, arXiv:1705.07115).

    The loss is sum_k exp(-s_k) L_k + s_k / 2 with learned log variances s_k, the paper's form for
    classification. As read here, the modalities' heads have one each and the joint heads one
    together, and the sum over the joint heads is multiplied by `joint_weight` as a whole.
    """

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        replicas, count = self.weight.shape
        self.log_variance = nn.Parameter(torch.zeros(replicas, count + 1, dtype=torch.float64))

    def loss(self, step: Step) -> torch.Tensor:
        """Return losses over variances, and what keeps the variances small; (replicas,)."""
        count = self.weight.shape[1]
        spread = self.log_variance.to(step.losses)
        alone, joint = spread[:, :count], spread[:, count:]
        unimodal = torch.exp(-alone) * step.losses[:, :count] + alone / 2 * present(step)
        together = torch.exp(-joint) * step.losses[:, count:] + joint / 2
        return unimodal.sum(dim=1) + self.joint_weight * together.sum(dim=1)

    def joint_weights(self) -> torch.Tensor:
        """Return the joint weight over the joint variance; (replicas,)."""
        return self.joint_weight * torch.exp(-self.log_variance[:, -1].detach())

    def end_step(self, step: Step) -> None:
        """Tell the weights that have come of it."""
        self.weight = torch.exp(-self.log_variance.detach()[:, : self.weight.shape[1]])


RULES = {
    Balancing.UNIFORM: UniformRule,
    Balancing.INFORMATION: InformationRule,
    Balancing.INVERSE: InverseRule,
    Balancing.G_BLENDING: GradientBlendingRule,
    Balancing.GRADNORM: GradNormRule,
    Balancing.KENDALL: KendallRule,
}
