"""The trainer's arithmetic once more: one replica, plain torch layers, and a loop over epochs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import torch
from given_inputs import Given
from sklearn.metrics import f1_score

from balmi.methods.distillation import new_network
from balmi.networks.balancing import RULES, PriorKnowledge
from balmi.networks.seeds import replica_seed
from balmi.networks.trained import predict
from balmi.networks.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Balancing, Model, Training
    from balmi.networks.balancing import BalancingRule
    from balmi.networks.data import ReplicaData
    from balmi.networks.losses import SoftTargets
    from balmi.networks.trained import Trained


@dataclass(frozen=True)
class Case:
    """What one training takes."""

    model: Model
    training: Training
    fusions: tuple[str, ...] = ("mean", "concatenation")
    purpose: str = "test"
    soft: SoftTargets | None = None


def silent(epoch: int, epochs: int, active: int) -> None:
    """Tell nobody."""


def some_prior_knowledge(data: ReplicaData, model: Model) -> PriorKnowledge:
    """Return measurements that differ between modalities and replicas; one knows nothing."""
    generator = torch.Generator().manual_seed(1)
    shape = (len(data.splits), len(data.modalities))
    label = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.1
    label[0, 1:][-1:] = 0
    return PriorKnowledge(label, label / 2, torch.zeros_like(label), data.classes, model.hidden)


def take(known: PriorKnowledge, *replicas: int) -> PriorKnowledge:
    """Return what is known of some replicas."""
    parts = {name: getattr(known, name)[list(replicas)] for name in ("label", "shared", "p_value")}
    return replace(known, **parts)


def alone(data: ReplicaData, *replicas: int) -> ReplicaData:
    """Return the data of replicas of one fold, without the padding that their company needs."""
    own = data.take(replicas)
    fold, rows = int(own.folds[0]), np.arange(len(data.labels))
    return replace(
        own,
        inputs=tuple(
            Given(values[None, :, : max(widths[0], 1)])
            for values, widths in zip(data.standardised(fold, rows), own.widths, strict=True)
        ),
        folds=torch.zeros_like(own.folds),
        networks=data.networks and (data.networks[fold],),
    )


def trained_by(
    data: ReplicaData, case: Case, kind: Balancing, known: PriorKnowledge | None = None
) -> tuple[Trained, torch.Tensor]:
    """Train all replicas at once; return what was trained, and the logits of all heads."""
    known = known or some_prior_knowledge(data, case.model)
    network = new_network(
        data, case.model, case.training.seed, case.purpose, case.fusions, known.label
    )
    rule = RULES[kind](known, case.training)
    trainer = Trainer(network, data, rule, case.training, case.purpose, case.soft)
    trained = trainer.run(silent)
    return trained, predict(trained, data)


def plain_layer(layer: torch.nn.Module) -> torch.nn.Linear:
    """Return the only replica of a replica layer as a plain layer."""
    plain = torch.nn.Linear(*layer.weight.shape[1:], dtype=torch.float64)
    plain.weight.data = layer.weight[0].detach().T.clone()
    plain.bias.data = layer.bias[0, 0].detach().clone()
    return plain


class Sequential:
    """One replica trained by plain torch layers, dense graph products and torch.optim."""

    def __init__(self, data: ReplicaData, replica: int, case: Case, known: PriorKnowledge) -> None:
        self.case, self.soft, self.replica = case, case.soft, replica
        self.data = alone(data, replica)
        self.split = self.data.splits[0]
        self.importance = known.label[replica]
        network = new_network(self.data, case.model, case.training.seed, case.purpose, case.fusions)
        self.encoders = [
            (plain_layer(each.first), plain_layer(each.second)) for each in network.encoders
        ]
        self.tops = [plain_layer(head.top) for head in network.heads]
        self.paths = [head.path and plain_layer(head.path) for head in network.heads]
        self.fusions = []
        for name, module in zip(case.fusions, network.fusions, strict=True):
            own = {
                "mean": lambda module: [],
                "information": lambda module: [],
                "concatenation": lambda module: [module.hidden, module.top],
                "gate": lambda module: list(module.scores),
            }
            self.fusions.append([plain_layer(layer) for layer in own[name](module)])
        self.noise, self.orders = (
            torch.Generator().manual_seed(
                replica_seed(case.training.seed, self.split, f"{case.purpose}/{use}")
            )
            for use in ("dropout", "batches")
        )
        self.network = None
        if self.data.networks is not None:
            self.network = torch.from_numpy(self.data.networks[0].toarray())

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        groups = [*self.encoders, self.tops, [p for p in self.paths if p], *self.fusions]
        return [p for group in groups for layer in group for p in layer.parameters()]

    def context(self) -> np.ndarray:
        """Return the training side and all rows at most two edges away."""
        reached = np.zeros(len(self.data.labels))
        reached[self.split.fit] = 1
        for _ in range(2):
            reached = reached + self.network.numpy().T @ reached
        return np.flatnonzero(reached)

    def pass_on(self, rows: np.ndarray, values: torch.Tensor) -> torch.Tensor:
        return values if self.network is None else self.network[rows][:, rows] @ values

    def drop(self, values: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        rate = self.case.model.dropout
        return values if noise is None else values * (noise >= rate) / (1 - rate)

    def heads(self, rows: np.ndarray, noisy: bool) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return the logits of all heads, and which modalities are there."""
        hidden_width, count = self.case.model.hidden, len(self.encoders)
        parts = [None] * (2 * count + len(self.fusions))
        if noisy:
            columns = hidden_width * len(parts)
            noise = torch.rand(len(rows), columns, generator=self.noise).double()
            parts = list(noise.split(hidden_width, dim=1))
        has = self.data.available[0, rows]
        embedded, unimodal = [], []
        for index, (first, second) in enumerate(self.encoders):
            values = self.pass_on(rows, self.data.inputs[index].values[0, rows])
            hidden = self.drop(torch.relu(first(values)), parts[2 * index])
            hidden = torch.relu(second(self.pass_on(rows, hidden)))
            embedded.append(self.drop(hidden, parts[2 * index + 1]))
            logits = self.tops[index](embedded[-1])
            path = self.paths[index]
            unimodal.append(logits if path is None else logits + path(values))
        joint = [
            getattr(self, name)(unimodal, embedded, has, layers, part)
            for name, layers, part in zip(
                self.case.fusions, self.fusions, parts[2 * count :], strict=True
            )
        ]
        return unimodal + joint, has

    def mean(self, unimodal, embedded, has, layers, noise):
        return self.weighted(unimodal, self.votes(self.importance > 0, has))

    def information(self, unimodal, embedded, has, layers, noise):
        return self.weighted(unimodal, self.votes(self.importance, has))

    def gate(self, unimodal, embedded, has, layers, noise):
        scores = torch.cat([layer(e) for layer, e in zip(layers, embedded, strict=True)], dim=1)
        return self.weighted(unimodal, scores.exp() * has)

    def concatenation(self, unimodal, embedded, has, layers, noise):
        hidden, top = layers
        kept = [e * has[:, m : m + 1] for m, e in enumerate(embedded)]
        values = torch.relu(hidden(torch.cat([*kept, has.double()], dim=1)))
        return top(self.drop(values, noise))

    @staticmethod
    def votes(weights: torch.Tensor, has: torch.Tensor) -> torch.Tensor:
        own = has * weights.double()
        return torch.stack(
            [mine if mine.sum() > 0 else all_.double() for mine, all_ in zip(own, has, strict=True)]
        )

    @staticmethod
    def weighted(logits: list[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
        total = sum(one * weights[:, m : m + 1] for m, one in enumerate(logits))
        return total / weights.sum(dim=1, keepdim=True)

    def losses(self, rows, heads, has, counted, soft=None):
        """Return every head's loss on the counted rows; NaN where there are none."""
        settings, labels = self.case.training, self.data.labels[rows]
        train = self.data.labels[self.split.train]
        share = torch.bincount(train, minlength=self.data.classes).double() / len(train)
        weight = share**settings.class_weight_power
        weight = weight / (weight * share).sum()
        masks = [*has.T, *[has.any(1)] * len(self.fusions)]
        found = []
        for logits, mask in zip(heads, masks, strict=True):
            adjusted = logits + settings.logit_adjustment * share.log()
            value = torch.nn.functional.cross_entropy(adjusted, labels, reduction="none")
            if soft is not None:
                value = self.softened(value, logits, rows, soft)
            use = weight[labels] * mask * counted
            found.append((value * use).sum() / use.sum())
        return torch.stack(found)

    def softened(self, hard, logits, rows, soft):
        kind = soft.temperature
        part = soft.strength[self.replica] * soft.taught[self.replica, rows]
        target = torch.softmax(soft.logits[self.replica, rows] / kind, 1)
        given = torch.log_softmax(logits / kind, 1)
        kl = torch.nn.functional.kl_div(given, target, reduction="none").sum(1)
        return (1 - part) * hard + part * kind**2 * kl

    def steps(self) -> list[np.ndarray]:
        """Return the rows of every step of an epoch."""
        train, size = self.split.train, self.case.training.batch_size
        if size is None:
            return [train if self.network is None else self.context()]
        count = int(np.ceil(self.data.longest / size))
        order = torch.randperm(len(train), generator=self.orders).numpy()
        return np.array_split(train[order], count)

    def begin(self, weights_of: Callable[[SimpleNamespace | None], torch.Tensor]) -> None:
        """Start; `weights_of` gives the weights of an epoch, given the last one."""
        settings = self.case.training
        self.weights_of, self.history = weights_of, []
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def train_epoch(self) -> torch.Tensor:
        """Train for an epoch; return what the judged heads lose on validation samples."""
        count = len(self.encoders)
        weights = self.weights_of(self.history[-1] if self.history else None)
        for rows in self.steps():
            heads, has = self.heads(rows, noisy=True)
            counted = torch.from_numpy(np.isin(rows, self.split.train))
            found = self.losses(rows, heads, has, counted, self.soft)
            total = (weights * found[:count]).sum()
            self.optimiser.zero_grad()
            (total + self.case.training.joint_weight * found[count:].sum()).backward()
            self.optimiser.step()
        self.history.append(self.validate())
        scores = self.history[-1].validation_losses[0]
        return scores[count:] if self.fusions else scores.mean(0, keepdim=True)

    def validate(self) -> SimpleNamespace:
        """Return losses and macro-F1 on validation samples as the last epoch's."""
        rows = self.split.validation if self.network is None else self.context()
        counted = torch.from_numpy(np.isin(rows, self.split.validation))
        with torch.no_grad():
            heads, has = self.heads(rows, noisy=False)
            found = self.losses(rows, heads, has, counted)
        labels, scores = self.data.labels[rows].numpy(), []
        masks = [*has.T, *[has.any(1)] * len(self.fusions)]
        for logits, mask in zip(heads, masks, strict=True):
            use = (mask & counted).numpy()
            predicted = logits.argmax(1).numpy()[use]
            scores.append(f1_score(labels[use], predicted, average="macro", zero_division=0))
        return SimpleNamespace(
            macro_f1=torch.tensor([scores], dtype=torch.float64), validation_losses=found[None]
        )

    def restored(self, kept: list[list[torch.Tensor]]) -> torch.Tensor:
        everything, found = np.arange(len(self.data.labels)), []
        count = len(self.encoders)
        for index, values in enumerate(kept):
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.data = value.clone()
            with torch.no_grad():
                heads, _ = self.heads(everything, noisy=False)
            found += heads[:count] if index == 0 else []
            found += heads[count + index : count + index + 1]
        return torch.stack(found, dim=1)


def run_together(members: list[Sequential], patience: int, epochs: int) -> list[torch.Tensor]:
    """Train the members of a fold; return the logits of all heads at the best epochs they share.

    Every member gets `best_epochs`, those of the judged heads.
    """
    judged = max(1, len(members[0].fusions))
    best, stale, best_epochs = [np.inf] * judged, 0, [-1] * judged
    kept = [[None] * judged for _ in members]
    for epoch in range(epochs):
        scores = torch.stack([member.train_epoch() for member in members]).mean(dim=0)
        improved = [index for index in range(judged) if scores[index] < best[index]]
        for index in improved:
            best[index], best_epochs[index] = float(scores[index]), epoch
            for own, member in zip(kept, members, strict=True):
                own[index] = [p.detach().clone() for p in member.parameters]
        stale = 0 if improved else stale + 1
        if stale >= patience:
            break
    for member in members:
        member.best_epochs = best_epochs
    return [member.restored(own) for own, member in zip(kept, members, strict=True)]


def sequential_fold(
    data: ReplicaData, fold: int, case: Case, kind: Balancing
) -> tuple[list[Sequential], list[torch.Tensor]]:
    """Train the members of a fold by plain torch; return them, and the logits of all heads."""
    known = some_prior_knowledge(data, case.model)
    members = []
    for replica in np.flatnonzero(data.folds.numpy() == fold).tolist():
        member = Sequential(data, replica, case, known)
        member.begin(weights_by(RULES[kind](take(known, replica), case.training)))
        members.append(member)
    return members, run_together(members, case.training.patience, case.training.epochs)


def weights_by(rule: BalancingRule) -> Callable[[SimpleNamespace | None], torch.Tensor]:
    """Return what gives a replica's weights, given its last epoch."""

    def weights(last: SimpleNamespace | None) -> torch.Tensor:
        rule.begin_epoch(last)
        return rule.weight[0]

    return weights
