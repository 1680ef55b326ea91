"""A network method that has learned from one fold, and predicts samples that it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from balmi.config.methods import NETWORKS
from balmi.graph.fusion import fuse_network
from balmi.methods.experts import (
    Pool,
    restored_experts,
    samples_of_replica,
)
from balmi.methods.recipes import experts_of, seen_by
from balmi.methods.restored import restored_networks, take_replicas
from balmi.networks.data import data_of_samples, residual_network, view_of_all
from balmi.networks.trained import judged_logits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from scipy.sparse import csr_array

    from balmi.config.settings import Expert, Graph, Method, Model
    from balmi.data.splits import Split
    from balmi.information.files import SplitInformation
    from balmi.methods.peers.bases import Bases
    from balmi.methods.peers.side import TrainingSide
    from balmi.networks.data import ReplicaData
    from balmi.networks.network import ReplicaNetwork
    from balmi.preprocess.fitted import Samples


@dataclass(frozen=True)
class TrainedFiles:
    """What a network method left behind.

    Parameters
    ----------
    parameters
        As in ``model.safetensors``.
    experts
        As in ``experts.csv``.
    regressions
        What the experts that are regressions have learned, as in ``regressions.safetensors``.
    information
        What the training parts say, per fold; None where the method asked for none of it.
    bases
        The modalities' regressions; None where the method asked for none of them.
    """

    parameters: dict[str, torch.Tensor]
    experts: pd.DataFrame
    regressions: dict[str, np.ndarray]
    information: SplitInformation | None
    bases: Bases | None = None

    def pool(self, split: Split, experts: Sequence[Expert]) -> tuple[np.ndarray, np.ndarray]:
        """Return the temperatures and weights that some experts had in a fold; (experts,) each."""
        table = self.experts
        here = table[(table["repeat"] == split.repeat) & (table["fold"] == split.fold)]
        named = here.set_index("expert").loc[[str(expert) for expert in experts]]
        return named["temperature"].to_numpy(), named["weight"].to_numpy()


@dataclass(frozen=True)
class FoldNetworks:
    """The trained networks of one fold's members.

    Parameters
    ----------
    method
        A network method.
    data
        The data of the members, which say how features are padded and what is known.
    width
        Features of the first input of the networks, with the padding.
    networks
        As `balmi.methods.restored.restored_networks` gives them.
    side
        The training side, on whose network messages are passed.
    model, graph
        Settings.
    """

    method: Method
    data: ReplicaData
    width: int
    networks: list[ReplicaNetwork]
    side: TrainingSide
    model: Model
    graph: Graph

    def heads(self, samples: Samples) -> np.ndarray:
        """Return what all heads say of samples; (members, n, heads, classes).

        Where messages are passed, each sample is attached to the network of the training samples by
        edges of its own.
        """
        if not NETWORKS[self.method].passes_messages(self.model):
            return self._said(data_of_samples(self.data, samples))
        both = self.side.samples.followed_by(samples)
        return self._said(data_of_samples(self.data, both, self._network(both)))[
            :, len(self.side) :
        ]

    def _network(self, samples: Samples) -> csr_array:
        """Return A' of the training samples, and of those behind them that are attached to them."""
        core = np.arange(len(self.side))
        fused = fuse_network(samples.features, samples.available, core, self.graph)
        return residual_network(fused, self.model.graph_weight)

    @torch.no_grad()
    def _said(self, data: ReplicaData) -> np.ndarray:
        batch = view_of_all(seen_by(self.method, data, self.width)).batch
        logits = judged_logits(self.networks.__getitem__, batch)
        return logits.double().softmax(dim=-1).numpy()


@dataclass(frozen=True)
class FittedNetwork:
    """A network method that has learned from one fold: its networks and the pool of its experts."""

    networks: FoldNetworks
    pool: Pool

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes).

        Parameters
        ----------
        samples
            Preprocessed by what the training side says.
        """
        heads = self.networks.heads(samples).mean(axis=0)
        return self.pool.predict(heads, as_networks_see(samples, self.networks.data))


def as_networks_see(samples: Samples, data: ReplicaData) -> Samples:
    """Return samples in the precision of a fold's networks, and with the modalities known there."""
    return samples_of_replica(data_of_samples(data, samples), 0, np.arange(len(samples)))


def restored_fold(
    method: Method,
    data: ReplicaData,
    fold: int,
    side: TrainingSide,
    trained: TrainedFiles,
    model: Model,
    graph: Graph,
) -> FittedNetwork:
    """Return a network method as it had learned from one fold.

    Nothing is fitted: networks, regressions and the pool's weights are those that it left behind.

    Parameters
    ----------
    method
        A network method.
    data
        The replicas' data without a network, with the members that the method asks for.
    fold
        Number of the fold.
    side
        Its training side.
    trained
        What the method left behind.
    model, graph
        Settings.
    """
    replicas = np.flatnonzero(data.folds.numpy() == fold).tolist()
    members, seen = data.take(replicas), seen_by(method, data)
    restored = restored_networks(
        method,
        seen.take(replicas),
        take_replicas(trained.parameters, replicas),
        model,
        trained.information,
    )
    networks = FoldNetworks(method, members, seen.padded[0], restored, side, model, graph)
    names, split = experts_of(method, model), members.splits[0]
    if trained.bases is not None:
        side = replace(side, known=trained.bases.of(split))
    experts = restored_experts(split, names, trained.regressions, side)
    return FittedNetwork(networks, Pool(experts, *trained.pool(split, names)))
