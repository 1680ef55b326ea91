"""The trainer: one loop for every network, all replicas at once.

Folds share the loop and nothing else: each replica has its own dropout noise and its own
minibatches, and the members of a fold have their best epochs and their end in common, so that the
replicas of a fold alone give the same result as in company.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import torch

from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.networks.balancing.base import Step
from balmi.networks.best import Best
from balmi.networks.checkpoint import tensor_hash
from balmi.networks.company import USES, Company
from balmi.networks.epoch import Epoch
from balmi.networks.heads import validation_scores
from balmi.networks.layers import select_replicas
from balmi.networks.optimiser import MOMENTS, AdamW
from balmi.networks.seeds import dropout_noise
from balmi.networks.trained import Trained

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Training
    from balmi.networks.balancing.base import BalancingRule
    from balmi.networks.checkpoint import Checkpoints
    from balmi.networks.data import ReplicaData, View
    from balmi.networks.losses import SoftTargets
    from balmi.networks.network import ReplicaNetwork

STILL_WORTH = 0.85  # below this share of replicas that go on, the others are let go


def gradient_share(network: ReplicaNetwork) -> torch.Tensor:
    """Return each modality's share of the gradient norm; (replicas, modalities)."""
    norms = []
    for index in range(len(network.encoders)):
        squares = [
            parameter.grad.flatten(1).square().sum(dim=1)
            for parameter in network.modality_parameters(index)
            if parameter.grad is not None
        ]
        norms.append(torch.stack(squares).sum(dim=0).sqrt())
    norm = torch.stack(norms, dim=1)
    return norm / norm.sum(dim=1, keepdim=True).clamp(min=1e-12)


def mean_over_members(scores: torch.Tensor, folds: torch.Tensor) -> torch.Tensor:
    """Return the mean score of the members of every replica's fold, NaN left out.

    A member that chose its own best epoch would look better on its validation samples than it is,
    the more the fewer there are; and the pool would trust it too much. Members choose together.

    Parameters
    ----------
    scores
        (replicas, heads).
    folds
        Fold of every replica; (replicas,).

    Returns
    -------
    torch.Tensor
        (replicas, heads); NaN where no member has a score.
    """
    same = (folds[:, None] == folds[None, :]).to(scores.dtype)
    valid = (~scores.isnan()).to(scores.dtype)
    return (same @ scores.nan_to_num()) / (same @ valid).masked_fill(same @ valid == 0, torch.nan)


class Trainer:
    """One training of all replicas, which can stop and go on between any two epochs.

    Parameters
    ----------
    network
        The network, with one replica per split of `data`; it is trained in place.
    data
        The replicas' data.
    rule
        What balances the modalities.
    settings
        Optimiser, epochs, patience, batch size, seed.
    purpose
        A name that sets this training's randomness apart from others of the same replicas.
    soft
        Soft targets for a network of one modality, or None.

    Raises
    ------
    MethodNotApplicable
        Where a replica has no validation samples.
    """

    def __init__(
        self,
        network: ReplicaNetwork,
        data: ReplicaData,
        rule: BalancingRule,
        settings: Training,
        purpose: str,
        soft: SoftTargets | None = None,
    ) -> None:
        if any(len(split.validation) == 0 for split in data.splits):
            reason = "the samples of a training part cannot be split again into inner folds"
            raise MethodNotApplicable(f"{reason} that leave every class in training")
        device = data.labels.device
        self._network, self._rule = network, rule.to(device)
        self._shape = network.shape
        self._buffers = {name: value.clone() for name, value in network.named_buffers()}
        self._settings, self._purpose = settings, purpose
        self._optimiser = AdamW(
            [*network.parameters(), *rule.parameters()],
            settings.learning_rate,
            settings.weight_decay,
        )
        self._best = Best(network, max(1, len(network.shape.fusions)), settings.patience)
        self._history: list[Epoch] = []
        self._whole = Company.of(data, settings, purpose, soft)
        self._present = torch.arange(len(data.splits))
        self._company = self._whole

    def run(
        self,
        progress: Callable[[int, int, int], None],
        checkpoints: Checkpoints | None = None,
    ) -> Trained:
        """Train to the end.

        Parameters
        ----------
        progress
            Called after every epoch with the epochs done, their largest number, and the number of
            replicas that still train.
        checkpoints
            Where checkpoints are kept, and gone on from; none where None.

        Raises
        ------
        MethodFailed
            Where a loss is not finite.
        """
        name = "" if checkpoints is None else self._fingerprint()
        checkpoint = None if checkpoints is None else checkpoints.load(name)
        if checkpoint is not None:
            self._load(checkpoint[0])
        while len(self._history) < self._settings.epochs and self._best.active.any():
            self._history.append(self._epoch())
            self._let_go()
            done, going = len(self._history), bool(self._best.active.any())
            progress(done, self._settings.epochs, int(self._best.active.sum()))
            ended = done == self._settings.epochs or not going
            if checkpoints and (ended or done % checkpoints.every == 0):
                checkpoints.save(name, self._state(), {"epochs": done})
        self._network.shape = self._shape
        return Trained(self._network, self._buffers, self._best.kept, self._history)

    def _epoch(self) -> Epoch:
        company, present = self._company, self._present
        self._rule.begin_epoch(self._history[-1].take(present) if self._history else None)
        before = self._best.active.clone()
        active = before[present].to(company.loss.class_weights.device)
        losses = [self._step(seen, active) for seen in company.batches.epoch(company.orders)]
        share = gradient_share(self._network)
        with torch.no_grad():
            outputs = self._network(company.held_out.batch)
        scores, f1 = validation_scores(
            outputs, company.held_out, company.in_validation, company.loss
        )
        if scores[active].isinf().any():
            self._fail("after")
        count = self._rule.weight.shape[1]
        judged = scores[:, count:] if scores.shape[1] > count else scores.nanmean(1, keepdim=True)
        judged = mean_over_members(judged.double().cpu(), company.data.folds.cpu())
        self._best.update(judged, present)
        weights = self._rule.weight, self._rule.joint_weights()
        parts = (*weights, torch.stack(losses).mean(dim=0), scores, f1, share)
        return Epoch(before, *(self._spread(part) for part in parts))

    def _step(self, seen: View, active: torch.Tensor) -> torch.Tensor:
        company, columns = self._company, self._network.shape.noise_columns
        noise = dropout_noise(
            seen.sizes,
            columns + self._rule.noise_columns,
            company.noise,
            company.loss.class_weights,
        )
        seen = seen.restricted(self._rule.available(seen.batch.available, noise[:, :, columns:]))
        outputs = self._network(seen.batch, noise[:, :, :columns])
        counted = company.in_training.gather(1, seen.rows) & seen.counted
        weights = company.loss.sample_weights(seen, counted)
        losses = company.loss.losses(outputs, seen, weights, company.soft)
        step = Step(self._network, seen, outputs, losses, weights, active)
        total = self._rule.loss(step)[active].sum()
        if not torch.isfinite(total):
            self._fail("in")
        self._optimiser.zero_grad()
        self._rule.backward(total, step)
        self._optimiser.step()
        self._rule.end_step(step)
        return losses.detach()

    def _spread(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the present replicas among all, NaN elsewhere, on the CPU."""
        values = values.detach().cpu()
        result = values.new_full((len(self._best.active), *values.shape[1:]), torch.nan)
        result[self._present] = values
        return result

    def _let_go(self) -> None:
        """Compute no longer for replicas that have ended, once there are enough of them."""
        going = self._best.active[self._present]
        if 0 < going.sum() <= STILL_WORTH * len(going):
            self._select(torch.nonzero(going)[:, 0])

    def _select(self, places: torch.Tensor) -> None:
        """Leave only some of the present replicas, given by their places."""
        select_replicas(self._network, places)
        shape, kept = self._network.shape, places.tolist()
        widths = tuple(tuple(sizes[place] for place in kept) for sizes in shape.widths)
        self._network.shape = replace(shape, widths=widths)
        select_replicas(self._rule, places)
        for state in self._optimiser.state.values():
            for key in MOMENTS:
                state[key] = state[key][places.to(state[key].device)]
        self._present = self._present[places]
        self._company = self._whole.take(self._present)

    def _fail(self, when: str) -> None:
        epoch = len(self._history) + 1
        raise MethodFailed(f"the loss is not finite {when} epoch {epoch} of {self._purpose}")

    def _fingerprint(self) -> str:
        """Return a hash of all that the training starts from; only before its first epoch."""
        data, soft = self._whole.data, self._whole.soft
        targets = [] if soft is None else [soft.logits, soft.taught, soft.strength]
        rows = [torch.from_numpy(split.train) for split in data.splits]
        held_out = [torch.from_numpy(split.validation) for split in data.splits]
        graph = [
            torch.from_numpy(part)
            for network in data.networks or ()
            for part in (network.data, network.indices, network.indptr)
        ]
        start = [*self._network.state_dict().values(), *self._rule.state_dict().values()]
        inputs = [tensor for each in data.inputs for tensor in each.tensors]
        cohort = [*inputs, data.available, data.labels, data.folds]
        tensors = [*cohort, *rows, *held_out, *graph, *start]
        settings = self._settings.model_dump_json(exclude=set(self._settings.idle))
        words = (self._purpose, settings, self._network.shape, type(self._rule).__name__)
        words += () if soft is None else (soft.temperature,)
        return tensor_hash([*tensors, *targets], torch.__version__, *words)

    def _state(self) -> dict[str, torch.Tensor]:
        """Return all that changes from epoch to epoch, by name."""
        company = self._whole
        generators = dict(zip(USES, (company.noise, company.orders), strict=True))
        history = {
            field.name: torch.stack([getattr(epoch, field.name) for epoch in self._history])
            for field in fields(Epoch)
        }
        return {
            "present": self._present,
            **{f"network/{key}": value for key, value in self._network.state_dict().items()},
            **{f"rule/{key}": value for key, value in self._rule.state_dict().items()},
            **{f"best/{key}": value for key, value in self._best.state().items()},
            **{f"history/{key}": value for key, value in history.items()},
            **{
                f"optimiser/{index}/{key}": value
                for index, state in self._optimiser.state.items()
                for key, value in state.items()
            },
            **{
                f"generators/{use}": torch.stack([generator.get_state() for generator in sources])
                for use, sources in generators.items()
            },
        }

    def _load(self, tensors: dict[str, torch.Tensor]) -> None:
        def under(name: str) -> dict[str, torch.Tensor]:
            start = f"{name}/"
            return {
                key.removeprefix(start): value
                for key, value in tensors.items()
                if key.startswith(start)
            }

        self._select(tensors["present"])
        self._network.load_state_dict(under("network"))
        self._rule.load_state_dict(under("rule"))
        self._best.load(under("best"))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in under("optimiser").items():
            index, key = name.split("/")
            moments.setdefault(int(index), {})[key] = value
        self._optimiser.load(moments)
        company = self._whole
        for use, sources in zip(USES, (company.noise, company.orders), strict=True):
            for generator, state in zip(sources, tensors[f"generators/{use}"], strict=True):
                # A copy: torch takes a state from the start of its storage, whatever the row.
                generator.set_state(state.clone())
        history = under("history")
        epochs = len(history["active"])
        self._history = [
            Epoch(**{key: value[epoch] for key, value in history.items()})
            for epoch in range(epochs)
        ]
