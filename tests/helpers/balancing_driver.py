"""A tiny network in training, driven as the trainer drives it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import torch

from balmi.config.settings import Balancing, Training
from balmi.networks.balancing import RULES, PriorKnowledge, Step
from balmi.networks.data import View
from balmi.networks.losses import cross_entropy, weighted_mean
from balmi.networks.network import Batch, ReplicaNetwork, Shape

CLASSES, HIDDEN, SAMPLES, COHORT = 3, 4, 12, 16
WIDTHS = ((3, 2), (2, 2), (4, 3), (2, 3))
FUSIONS = ("mean", "concatenation")
SEEDS = (11, 12)
REAL = (12, 11)  # samples; the rest is padding


@dataclass(frozen=True)
class Case:
    """What a training starts from: two replicas, the second narrower and with padding."""

    shape: Shape
    seeds: tuple[int, ...]
    seen: View
    weights: torch.Tensor
    known: PriorKnowledge
    epochs: tuple[SimpleNamespace, ...]

    def alone(self, replica: int) -> Case:
        """Return the case of one replica, without the padding of its company."""
        one = slice(replica, replica + 1)
        widths = tuple(each[one] for each in self.shape.widths)
        batch = self.seen.batch
        inputs = [
            values[one, :, : width[0]] for values, width in zip(batch.inputs, widths, strict=True)
        ]
        real = int(self.seen.counted[replica].sum())
        view = View(
            Batch([values[:, :real] for values in inputs], batch.available[one, :real]),
            *(part[one, :real] for part in (self.seen.rows, self.seen.labels, self.seen.counted)),
        )
        known = {
            name: value[one] if isinstance(value, torch.Tensor) else value
            for name, value in vars(self.known).items()
        }
        padded = tuple(width[0] for width in widths)
        return Case(
            replace(self.shape, widths=widths, padded=padded),
            self.seeds[one],
            view,
            self.weights[one, :real],
            PriorKnowledge(**known),
            tuple(
                SimpleNamespace(**{key: value[one] for key, value in vars(epoch).items()})
                for epoch in self.epochs
            ),
        )

    def without(self, modality: int) -> Case:
        """Return the case in which nobody has a modality."""
        available = self.seen.batch.available.clone()
        available[:, :, modality] = False
        return replace(self, seen=self.seen.restricted(available))


def make_case(modalities: int = 3, fusions: tuple[str, ...] = FUSIONS, seed: int = 0) -> Case:
    """Return a case of noise in which some samples lack modalities, but none all of them."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*size: int) -> torch.Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    replicas, widths = len(SEEDS), WIDTHS[:modalities]
    padded = tuple(max(width) for width in widths)
    counted = torch.arange(SAMPLES) < torch.tensor(REAL)[:, None]
    available = noise(replicas, SAMPLES, modalities) > -0.7
    available[:, :, 0] |= ~available.any(dim=2)
    available &= counted[..., None]
    inputs = []
    for width, columns in zip(widths, padded, strict=True):
        values = noise(replicas, SAMPLES, columns)
        own = torch.arange(columns) < torch.tensor(width)[:, None]
        inputs.append(values * own[:, None] * counted[..., None])
    labels = torch.arange(SAMPLES).repeat(replicas, 1) % CLASSES
    labels[1] = labels[1].flip(0)
    rows = torch.stack([torch.randperm(COHORT, generator=generator) for _ in SEEDS])[:, :SAMPLES]
    known = PriorKnowledge(
        label=noise(replicas, modalities).abs(),
        shared=noise(replicas, modalities).abs(),
        p_value=torch.full((replicas, modalities), 0.02, dtype=torch.float64),
        classes=CLASSES,
        hidden=HIDDEN,
        teachers=noise(replicas, COHORT, modalities, HIDDEN),
    )
    heads = modalities + len(fusions)
    epochs = tuple(
        SimpleNamespace(
            losses=1.5 - 0.1 * epoch + 0.1 * noise(replicas, heads),
            validation_losses=1.5 - 0.05 * epoch + 0.1 * noise(replicas, heads),
            macro_f1=noise(replicas, heads).sigmoid(),
        )
        for epoch in range(8)
    )
    shape = Shape(
        modalities=tuple(f"m{index}" for index in range(modalities)),
        widths=widths,
        padded=padded,
        classes=CLASSES,
        hidden=HIDDEN,
        dropout=0.0,
        fusions=fusions,
    )
    weights = torch.tensor([1.2, 0.9, 0.7], dtype=torch.float64)[labels] * counted
    view = View(Batch(inputs, available), rows, labels, counted)
    return Case(shape, SEEDS, view, weights, known, epochs)


class Driver:
    """Trains a case by a rule; noise of every replica comes from a source of its own."""

    def __init__(self, case: Case, balancing: Balancing, **settings: object) -> None:
        self.case = case
        self.settings = Training(balancing=balancing, **settings)
        self.network = ReplicaNetwork(case.shape, case.seeds, torch.float64)
        self.rule = RULES[balancing](case.known, self.settings)
        self.optimiser = torch.optim.AdamW(
            [*self.network.parameters(), *self.rule.parameters()], lr=0.02, weight_decay=0.01
        )
        self.sources = [torch.Generator().manual_seed(seed) for seed in case.seeds]
        self.active = torch.ones(len(case.seeds), dtype=torch.bool)

    def look(self) -> Step:
        """Return the next step, before the gradients."""
        seen = self.case.seen
        noise = torch.zeros(*seen.rows.shape, self.rule.noise_columns)
        for replica, (size, source) in enumerate(zip(seen.sizes, self.sources, strict=True)):
            noise[replica, :size] = torch.rand(size, noise.shape[2], generator=source)
        seen = seen.restricted(self.rule.available(seen.batch.available, noise.double()))
        outputs = self.network(seen.batch)
        available = seen.batch.available
        joint = available.any(dim=2, keepdim=True).expand(-1, -1, outputs.joint.shape[2])
        labels = seen.labels.unsqueeze(-1).expand(outputs.heads.shape[:3])
        counted = torch.cat([available, joint], dim=2) * self.case.weights.unsqueeze(-1)
        losses = weighted_mean(cross_entropy(outputs.heads, labels), counted)
        return Step(self.network, seen, outputs, losses, self.case.weights, self.active)

    def take(self) -> tuple[Step, torch.Tensor]:
        """Take a step of the optimiser; return it and each replica's loss."""
        step = self.look()
        loss = self.rule.loss(step)
        self.optimiser.zero_grad(set_to_none=True)
        self.rule.backward(loss[self.active].sum(), step)
        self.optimiser.step()
        self.rule.end_step(step)
        return step, loss.detach()

    def epoch(self, number: int, steps: int = 2) -> None:
        """Train an epoch; the rule hears of the one before it."""
        self.rule.begin_epoch(self.case.epochs[number - 1] if number else None)
        for _ in range(steps):
            self.take()

    def gradients(self) -> tuple[Step, torch.Tensor, dict[str, torch.Tensor]]:
        """Return the next step, its loss and the gradients that the rule leaves."""
        step = self.look()
        loss = self.rule.loss(step)
        self.network.zero_grad(set_to_none=True)
        self.rule.backward(loss[self.active].sum(), step)
        found = {key: value.grad.clone() for key, value in self.network.named_parameters()}
        return step, loss.detach(), found
