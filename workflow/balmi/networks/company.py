"""Replicas that train together: their data, their randomness, their steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.networks.data import Batches, view
from balmi.networks.heads import criterion
from balmi.networks.seeds import replica_generators

if TYPE_CHECKING:
    import torch

    from balmi.config.settings import Training
    from balmi.networks.data import ReplicaData, View
    from balmi.networks.heads import Criterion
    from balmi.networks.losses import SoftTargets

USES = ("dropout", "batches")  # of randomness


@dataclass(frozen=True)
class Company:
    """All that a trainer needs of the replicas that train together.

    Parameters
    ----------
    data
        Their data.
    noise, orders
        Sources of randomness of each, for dropout and for minibatches.
    loss
        The loss of each.
    batches
        Their steps.
    held_out
        Their validation samples.
    in_training
        Training samples among the cohort; (replicas, n), bool.
    in_validation
        Validation samples among `held_out`; (replicas, samples), bool.
    soft
        Soft targets, or None.
    """

    data: ReplicaData
    noise: list[torch.Generator]
    orders: list[torch.Generator]
    loss: Criterion
    batches: Batches
    held_out: View
    in_training: torch.Tensor
    in_validation: torch.Tensor
    soft: SoftTargets | None
    settings: Training

    @classmethod
    def of(
        cls,
        data: ReplicaData,
        settings: Training,
        purpose: str,
        soft: SoftTargets | None,
    ) -> Company:
        """Return the company of all replicas of `data`, with new sources of randomness."""
        sources = [
            replica_generators(settings.seed, data.splits, f"{purpose}/{use}") for use in USES
        ]
        return cls._with(data, settings, soft, *sources)

    @classmethod
    def _with(
        cls,
        data: ReplicaData,
        settings: Training,
        soft: SoftTargets | None,
        noise: list[torch.Generator],
        orders: list[torch.Generator],
    ) -> Company:
        # Without a graph a sample's logits are its own, and only validation samples are needed.
        rows = [split.validation for split in data.splits]
        if data.networks is not None:
            rows = [data.context(replica) for replica in range(len(data.splits))]
        held_out = view(data, rows)
        in_validation = data.mask("validation").gather(1, held_out.rows) & held_out.counted
        return cls(
            data=data,
            noise=noise,
            orders=orders,
            loss=criterion(data, settings),
            batches=Batches(data, settings.batch_size),
            held_out=held_out,
            in_training=data.mask("train"),
            in_validation=in_validation,
            soft=soft,
            settings=settings,
        )

    def take(self, replicas: torch.Tensor) -> Company:
        """Return the company of some replicas, who go on with their own randomness."""
        places = replicas.tolist()
        return self._with(
            self.data.take(places),
            self.settings,
            self.soft and self.soft.take(replicas),
            [self.noise[place] for place in places],
            [self.orders[place] for place in places],
        )
