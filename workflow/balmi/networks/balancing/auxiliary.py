"""Rules that add a loss, or take modalities away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from balmi.config.balancing import Balancing
from balmi.errors import MethodNotApplicable
from balmi.networks.balancing.base import BalancingRule
from balmi.networks.balancing.measures import masked_mean, mean_of_others, trained_on
from balmi.networks.losses import weighted_mean

if TYPE_CHECKING:
    from balmi.config.settings import Training
    from balmi.networks.balancing.base import PriorKnowledge, Step
    from balmi.networks.epoch import Epoch

SMALLEST_DISTANCE = 1e-12  # squared; the root has no gradient at 0
DROPPED = 0.3


class PmrRule(BalancingRule):
    """Prototypical modal rebalance (PMR; Fan et al., CVPR 2023, arXiv:2211.07089).

    A modality's prototype of a class is the mean embedding of its samples; p(y | z) is a softmax of
    minus the distances to the prototypes. Its cross-entropy L_m joins the loss where the modality
    is slow: alpha clip(rho_m - 1, 0, 1) L_m, with rho_m the mean probability of the true class
    among the other modalities over the modality's own.

    As read here: prototypes are those of the epoch before, gathered in its steps and smoothed over
    epochs, so that the first epoch has none; L_m is weighted by class as the other losses are; with
    more than two modalities each is compared with the mean of the others; and the paper's entropy
    term, which slows the fast modality in the first epochs, is left out.
    """

    prototypes: torch.Tensor
    known: torch.Tensor
    sums: torch.Tensor
    counts: torch.Tensor

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        self.strength = settings.balancing_strength
        self.smoothing = settings.balancing_smoothing
        cells = (*self.weight.shape, prior.classes)
        for name in ("prototypes", "sums"):
            self.register_buffer(name, torch.zeros(*cells, prior.hidden, dtype=torch.float64))
        self.register_buffer("counts", torch.zeros(cells, dtype=torch.float64))
        self.register_buffer("known", torch.zeros(cells, dtype=torch.bool))

    def begin_epoch(self, last: Epoch | None) -> None:
        """Make prototypes of what the last epoch gathered."""
        met = self.counts > 0
        new = self.sums / self.counts.clamp(min=1).unsqueeze(-1)
        smoothed = self.smoothing * self.prototypes + (1 - self.smoothing) * new
        smoothed = torch.where(self.known.unsqueeze(-1), smoothed, new)
        self.prototypes = torch.where(met.unsqueeze(-1), smoothed, self.prototypes)
        self.known = self.known | met
        self.sums, self.counts = torch.zeros_like(self.sums), torch.zeros_like(self.counts)

    def loss(self, step: Step) -> torch.Tensor:
        """Return the uniform loss and the slow modalities' cross-entropy; (replicas,)."""
        values, counted = self._cross_entropy(step)
        confidence = masked_mean(torch.exp(-values.detach()), counted)
        has = counted.any(dim=1)
        others = mean_of_others(confidence, has)
        behind = others / confidence.clamp(min=torch.finfo(confidence.dtype).tiny)
        slowness = (behind - 1).clamp(0, 1) * has
        weights = step.sample_weights.to(values).unsqueeze(-1) * counted
        added = (slowness * weighted_mean(values, weights)).sum(dim=1)
        return super().loss(step) + self.strength * added

    def _cross_entropy(self, step: Step) -> tuple[torch.Tensor, torch.Tensor]:
        """Return -log p(y | z) and where it counts; (replicas, samples, modalities)."""
        embeddings = step.outputs.embeddings
        difference = embeddings.unsqueeze(3) - self.prototypes.to(embeddings).unsqueeze(1)
        distance = (difference.square().sum(dim=-1) + SMALLEST_DISTANCE).sqrt()
        known = self.known.unsqueeze(1).expand(distance.shape)
        lowest = torch.finfo(distance.dtype).min
        logits = (-distance).masked_fill(~known, lowest)
        label = step.seen.labels[..., None, None].expand(*distance.shape[:3], 1)
        counted = trained_on(step) & known.gather(3, label).squeeze(3)
        values = -logits.log_softmax(dim=-1).gather(3, label).squeeze(3)
        return torch.where(counted, values, torch.zeros_like(values)), counted

    @torch.no_grad()
    def end_step(self, step: Step) -> None:
        """Gather the embeddings of every class."""
        classes = self.counts.shape[2]
        member = torch.nn.functional.one_hot(step.seen.labels, classes).to(self.sums)
        member = member.unsqueeze(2) * trained_on(step).unsqueeze(3)
        embeddings = step.outputs.embeddings.to(self.sums)
        self.sums = self.sums + torch.einsum("rnmc,rnmh->rmch", member, embeddings)
        self.counts = self.counts + member.sum(dim=1)


class UmtRule(BalancingRule):
    """Uni-modal teachers (UMT; Du et al., arXiv:2106.11059, ICML 2023, arXiv:2305.01233).

    Every encoder is held to what the encoder of the same modality, trained alone, makes of the
    sample: alpha sum_m |z_m - z_m^teacher|^2 / hidden, the mean over samples that have the
    modality, joins the loss. As read here, all samples weigh alike, and the student's embedding is
    the one of the training step, dropout included.

    Raises
    ------
    MethodNotApplicable
        Where no modality was pretrained, so that there is no teacher.
    """

    teachers: torch.Tensor

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        if prior.teachers is None:
            raise MethodNotApplicable(
                "balancing by `umt` needs modalities that were pretrained alone, as teachers"
            )
        self.strength = settings.balancing_strength
        self.register_buffer("teachers", prior.teachers.detach())

    def loss(self, step: Step) -> torch.Tensor:
        """Return the uniform loss and the distance to the teachers; (replicas,)."""
        replica = torch.arange(len(self.teachers), device=step.seen.rows.device)[:, None]
        embeddings = step.outputs.embeddings
        teacher = self.teachers[replica, step.seen.rows].to(embeddings)
        distance = (embeddings - teacher).square().mean(dim=-1)
        added = masked_mean(distance, trained_on(step)).sum(dim=1)
        return super().loss(step) + self.strength * added


class ModalityDropoutRule(BalancingRule):
    """Drop each modality of a sample with probability min(.3 alpha, 1), never the last that it has.

    As read here after ModDrop (Neverova et al., TPAMI 2016, arXiv:1501.00102): a dropped modality
    is missing to the joint heads and to its own, and of a sample whose modalities would all go,
    the one with the largest random number stays.
    """

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        self.noise_columns = prior.label.shape[1]
        self.rate = min(DROPPED * settings.balancing_strength, 1.0)

    def available(self, mask: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return the mask without what is dropped."""
        drawn = noise.masked_fill(~mask, -1)
        largest = drawn >= drawn.amax(dim=2, keepdim=True)
        return mask & ((drawn >= self.rate) | largest)


RULES = {
    Balancing.PMR: PmrRule,
    Balancing.UMT: UmtRule,
    Balancing.MODALITY_DROPOUT: ModalityDropoutRule,
}
