"""Rules that change the gradients of each modality's encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from balmi.config.balancing import Balancing
from balmi.networks.balancing.base import BalancingRule
from balmi.networks.balancing.hashing import KEY_COLUMNS, hashed_normals, replica_keys
from balmi.networks.balancing.measures import (
    flat,
    log_confidence,
    masked_mean,
    mean_of_others,
    present,
    trained_on,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from balmi.config.settings import Training
    from balmi.networks.balancing.base import PriorKnowledge, Step
    from balmi.networks.network import ReplicaNetwork

SMALLEST_LOG_CONFIDENCE = -18.420681  # log 1e-8
LARGEST_DIFFERENCE = 10.0  # of discrepancy ratios, inside an exponential
RESCALING = 1.5
STATIONARY = 1e-4


def scale_gradients(parameters: Sequence[nn.Parameter], factor: torch.Tensor) -> None:
    """Multiply each replica's gradients by its factor; (replicas,)."""
    for parameter in parameters:
        parameter.grad.mul_(factor.to(parameter.grad)[:, None, None])


def own_entries(network: ReplicaNetwork, index: int) -> Iterator[tuple[nn.Parameter, torch.Tensor]]:
    """Yield an encoder's parameters, each with a mask of what is no padding.

    Masks are (replicas, rows, 1), bool.
    """
    encoder = network.encoders[index]
    for parameter in encoder.parameters():
        rows = torch.arange(parameter.shape[1], device=parameter.device)
        widths = [len(rows)] * len(parameter)
        if parameter is encoder.first.weight:
            widths = network.shape.widths[index]
        real = rows < torch.tensor(widths, device=rows.device)[:, None]
        yield parameter, real.unsqueeze(-1)


def deviation(values: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return each replica's standard deviation over entries that are its own; (replicas, 1, 1)."""
    real = real.expand_as(values)
    count = real.sum(dim=(1, 2), keepdim=True).clamp(min=1)
    mean = (values * real).sum(dim=(1, 2), keepdim=True) / count
    square = ((values - mean).square() * real).sum(dim=(1, 2), keepdim=True) / count
    return square.sqrt()


class OgmRule(BalancingRule):
    """On-the-fly gradient modulation (OGM; Peng et al., CVPR 2022, arXiv:2203.15332).

    The discrepancy ratio rho_m is the modality's mean probability of the true class over the mean
    of the other modalities' ones. Where it exceeds 1, the gradients of the modality's encoder are
    multiplied by k_m = 1 - tanh(alpha rho_m).

    As read here: probabilities are those of the modality's own head; means stand in for the
    paper's sums, since modalities may be available in different numbers of samples; and with more
    than two modalities each is compared with the mean of the others. The paper trains by stochastic
    gradient descent; the optimiser here divides by the gradients' running size, which takes back
    whatever stays of a factor that is the same for many steps.
    """

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        self.strength = settings.balancing_strength

    def factors(self, step: Step) -> torch.Tensor:
        """Return k, 1 where the modality is not ahead; (replicas, modalities)."""
        confidence = log_confidence(step.outputs.unimodal, step.seen.labels).exp()
        mean = masked_mean(confidence, trained_on(step))
        others = mean_of_others(mean, present(step))
        ratio = mean / others.clamp(min=torch.finfo(mean.dtype).tiny)
        return torch.where(ratio > 1, 1 - torch.tanh(self.strength * ratio), torch.ones_like(ratio))

    def backward(self, total: torch.Tensor, step: Step) -> None:
        """Scale the gradients of the encoders."""
        total.backward()
        for encoder, factor in zip(step.network.encoders, self.factors(step).T, strict=True):
            scale_gradients(list(encoder.parameters()), factor)


class OgmGeRule(OgmRule):
    """OGM with generalisation enhancement (OGM-GE; Peng et al., CVPR 2022, arXiv:2203.15332).

    After the scaling, Gaussian noise with mean 0 and the standard deviation that the gradient had
    before is added to every encoder's gradients, scaled or not. As read here, the deviation is
    that over the entries of one parameter of one replica.
    """

    noise_columns = KEY_COLUMNS
    keys: torch.Tensor

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        self.register_buffer("keys", torch.zeros(len(prior.label), KEY_COLUMNS).long())

    def available(self, mask: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Take the keys of the step's noise; the mask stays."""
        self.keys = replica_keys(noise)
        return mask

    def backward(self, total: torch.Tensor, step: Step) -> None:
        """Scale the gradients of the encoders and add noise."""
        total.backward()
        stream = 0
        for index, factor in enumerate(self.factors(step).T):
            for parameter, real in own_entries(step.network, index):
                spread = deviation(parameter.grad, real) * real
                stream += 1
                normals = hashed_normals(self.keys, stream, *parameter.shape[1:])
                scale_gradients([parameter], factor)
                parameter.grad.add_(spread * normals.to(spread))


def joining_steps(count: int) -> list[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """Return coalitions with and without a modality, for its Shapley value.

    They are those of all cyclic orders of the modalities and their reverses, in which every
    modality has every place equally often: all orders up to three modalities, 2M of them above.

    Returns
    -------
    list of tuple
        Members without the modality, sorted; members with it; and the modality.
    """
    steps = []
    for start in range(count):
        forward = [(start + place) % count for place in range(count)]
        for order in (forward, forward[::-1]):
            steps += [
                (tuple(sorted(order[:place])), tuple(sorted(order[: place + 1])), order[place])
                for place in range(count)
            ]
    return steps


def mono_modal_responses(step: Step) -> torch.Tensor:
    """Return each modality's Shapley value of the joint heads' logits.

    Without joint heads it is what the modality's own head says.

    Returns
    -------
    torch.Tensor
        (replicas, samples, modalities, fusions, classes), without a gradient; fusions is 1 where
        there is no joint head.
    """
    outputs, available = step.outputs, step.seen.batch.available
    unimodal = outputs.unimodal.detach()
    if outputs.joint.shape[2] == 0:
        return unimodal.unsqueeze(3)
    count = available.shape[2]
    steps = joining_steps(count)
    values: dict[tuple[int, ...], torch.Tensor] = {}
    for members in {m for without, beside, _ in steps for m in (without, beside)}:
        within = torch.zeros(count, dtype=torch.bool, device=available.device)
        within[list(members)] = True
        fused = step.network.fuse(unimodal, outputs.embeddings.detach(), available & within)
        values[members] = fused.joint.detach()
    shares = [torch.zeros_like(outputs.joint) for _ in range(count)]
    for without, beside, modality in steps:
        shares[modality] += (values[beside] - values[without]) / (2 * count)
    return torch.stack(shares, dim=2)


class AgmRule(BalancingRule):
    """Adaptive gradient modulation (AGM; Li et al., ICCV 2023, arXiv:2308.07686).

    Each modality's part in the joint logits is its Shapley value over coalitions of modalities,
    and s_m the mean log probability of the true class by that part. The gradients of the modality
    are multiplied by exp(-alpha (r_m - tau_m)), with the discrepancy ratio r_m = exp(s_m - mean of
    the others' s) and the reference tau_m, the same of the running means of s over all steps.

    As read here: the factor multiplies the gradients of the modality's encoder and head; with more
    than three modalities the Shapley values are taken over cyclic orders; several joint heads are
    averaged in s; tau is 1 in the first step, log probabilities are at least log 1e-8, and
    tau - r at most 10.
    """

    running: torch.Tensor
    steps: torch.Tensor

    def __init__(self, prior: PriorKnowledge, settings: Training) -> None:
        super().__init__(prior, settings)
        self.strength = settings.balancing_strength
        self.register_buffer("running", torch.zeros_like(self.weight))
        self.register_buffer("steps", torch.zeros_like(self.weight))

    def scores(self, step: Step) -> torch.Tensor:
        """Return s; (replicas, modalities), 0 where nobody has the modality."""
        responses = mono_modal_responses(step)
        flattened = log_confidence(responses.flatten(2, 3), step.seen.labels)
        confidence = flattened.clamp(min=SMALLEST_LOG_CONFIDENCE).unflatten(2, responses.shape[2:4])
        return masked_mean(confidence.mean(dim=3), trained_on(step)).to(self.weight)

    def backward(self, total: torch.Tensor, step: Step) -> None:
        """Scale the gradients of encoders and heads, and remember the scores."""
        total.backward()
        score, has = self.scores(step), present(step)
        ratio = torch.exp(score - mean_of_others(score, has))
        met = self.steps > 0
        reference = torch.exp(self.running - mean_of_others(self.running, met))
        difference = (reference - ratio).clamp(max=LARGEST_DIFFERENCE)
        for index, factor in enumerate(torch.exp(self.strength * difference).T):
            scale_gradients(step.network.modality_parameters(index), factor)
        self.steps = self.steps + has
        change = (score - self.running) / self.steps.clamp(min=1)
        self.running = self.running + change * has


class MmParetoRule(BalancingRule):
    """MMPareto (Wei and Hu, ICML 2024, arXiv:2405.17730): gradients that harm no objective.

    On each encoder, g_j is the gradient of the joint losses and g_u that of the modality's own.
    Where their cosine is at least 0, h = g_j + g_u. Where they conflict, h = 2 a g_j +
    2 (1 - a) g_u with the a in [0, 1] of the smallest norm, a = (g_u - g_j) g_u / |g_j - g_u|^2.
    The encoder's gradient becomes 1.5 |g_j + g_u| h / |h|: the smallest norm would also take away
    the noise from which stochastic gradient descent generalises.

    As read here: cosine, a and norms are those of a whole encoder; an encoder where h all but
    vanishes (|h| below 1e-4 |g_j + g_u|), which no direction improves for both, gets 0.
    """

    def backward(self, total: torch.Tensor, step: Step) -> None:
        """Combine the gradients of every encoder."""
        count = self.weight.shape[1]
        unimodal_loss = (self.weight.to(step.losses) * step.losses[:, :count])[step.active].sum()
        encoders = [list(encoder.parameters()) for encoder in step.network.encoders]
        inputs = [parameter for parameters in encoders for parameter in parameters]
        unimodal = iter(torch.autograd.grad(unimodal_loss, inputs, retain_graph=True))
        total.backward()
        for parameters in encoders:
            alone = [next(unimodal) for _ in parameters]
            # The loss is the sum of both, so that no second pass for the joint losses is needed.
            joint = [p.grad - g for p, g in zip(parameters, alone, strict=True)]
            shares = pareto_shares(flat(joint), flat(alone)).unbind(dim=1)
            for parameter, *gradients in zip(parameters, joint, alone, strict=True):
                parameter.grad = sum(
                    share[:, None, None] * gradient
                    for share, gradient in zip(shares, gradients, strict=True)
                )


def pareto_shares(joint: torch.Tensor, alone: torch.Tensor) -> torch.Tensor:
    """Return the factors of both gradients in their combination; (replicas, 2).

    Parameters
    ----------
    joint, alone
        Gradients of the joint losses and of the modality's own; (replicas, entries).
    """
    product = (joint * alone).sum(dim=1)
    joint_square, alone_square = joint.square().sum(dim=1), alone.square().sum(dim=1)
    smallest = torch.finfo(joint.dtype).tiny
    distance = joint_square + alone_square - 2 * product
    share = ((alone_square - product) / distance.clamp(min=smallest)).clamp(0, 1)
    share = torch.where(product < 0, share, torch.full_like(share, 0.5))
    shares = 2 * torch.stack([share, 1 - share], dim=1)
    norm = (shares[:, :1] * joint + shares[:, 1:] * alone).norm(dim=1)
    full = (joint + alone).norm(dim=1)
    scale = RESCALING * full / norm.clamp(min=smallest)
    scale = torch.where(norm > STATIONARY * full, scale, torch.zeros_like(scale))
    return shares * scale[:, None]


RULES = {
    Balancing.OGM: OgmRule,
    Balancing.OGM_GE: OgmGeRule,
    Balancing.AGM: AgmRule,
    Balancing.MMPARETO: MmParetoRule,
}
