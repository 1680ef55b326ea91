"""The best epoch of every judged head and replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from balmi.networks.network import ReplicaNetwork


class Best:
    """Every replica's parameters at the best epoch of each head, and whether it still trains.

    A replica ends when none of its heads has got better for as many epochs as the patience. A head
    that no validation sample can judge (its score is NaN) keeps the latest parameters.

    Parameters
    ----------
    network
        The network that is trained.
    heads
        Number of judged heads.
    patience
        Epochs without a better score before the end.
    """

    def __init__(self, network: ReplicaNetwork, heads: int, patience: int) -> None:
        parameters = dict(network.named_parameters())
        replicas = len(next(iter(parameters.values())))
        self._network = network
        self._patience = patience
        self._score = torch.full((replicas, heads), torch.inf, dtype=torch.float64)
        self._stale = torch.zeros(replicas, dtype=torch.long)
        self.active = torch.ones(replicas, dtype=torch.bool)
        self.kept = {
            name: torch.stack([value.detach()] * heads) for name, value in parameters.items()
        }

    def update(self, score: torch.Tensor, replicas: torch.Tensor) -> None:
        """Keep the parameters of active replicas' heads whose score improved.

        Parameters
        ----------
        score
            Lower is better; (present, heads).
        replicas
            The replicas that are still present in the network; (present,).
        """
        going = self.active[replicas, None]
        best, stale = self._score[replicas], self._stale[replicas]
        improved = going & (score < best)
        self._score[replicas] = torch.where(improved, score, best)
        stale = torch.where(improved.any(dim=1), torch.zeros_like(stale), stale + 1)
        self._stale[replicas] = stale
        keep = improved | (going & score.isnan())
        for name, parameter in self._network.named_parameters():
            for head, kept in enumerate(self.kept[name]):
                chosen = keep[:, head]
                kept[replicas[chosen].to(kept.device)] = parameter.detach()[chosen.to(kept.device)]
        self.active[replicas] = self.active[replicas] & (stale < self._patience)

    def state(self) -> dict[str, torch.Tensor]:
        """Return all of it by name, for a checkpoint."""
        tensors = {"score": self._score, "stale": self._stale, "active": self.active}
        return tensors | {f"kept/{name}": value for name, value in self.kept.items()}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Take over what `state` gave."""
        self._score, self._stale, self.active = (
            state[name] for name in ("score", "stale", "active")
        )
        for name, value in self.kept.items():
            value.copy_(state[f"kept/{name}"])
