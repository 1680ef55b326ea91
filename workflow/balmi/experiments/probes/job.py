"""The job that probes a method: peers are fitted once per fold, networks are restored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from balmi.config.methods import NETWORKS
from balmi.config.settings import Graph, Model, Preprocessing, Robustness, Training
from balmi.data.cohort import read_cohort
from balmi.data.files import read_table, write_json, write_table
from balmi.data.splits import read_splits
from balmi.errors import MethodNotApplicable
from balmi.experiments.probes.alterations import empty_probes, probe_table, skipped
from balmi.graph.fusion import fuse_network
from balmi.information.files import read_split_information
from balmi.methods.experts import join_members, pooled, task_of_replica, what_experts_say
from balmi.methods.outcome import attempt, read_status
from balmi.methods.peers.registry import PEERS
from balmi.methods.recipes import experts_of, seen_by
from balmi.methods.restored import restored_networks, take_replicas
from balmi.networks.data import replica_data, residual_network, view_of_all
from balmi.networks.parameters import read_parameters
from balmi.networks.trainer import judged_logits
from balmi.preprocess.pipeline import Features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from scipy.sparse import csr_array

    from balmi.config.settings import Method
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.information.splits import SplitInformation
    from balmi.methods.peers.task import FoldTask
    from balmi.networks.data import ReplicaData


@dataclass(frozen=True)
class ProbeSettings:
    """The settings that probes depend on; each a section of the configuration."""

    preprocessing: Preprocessing
    graph: Graph
    model: Model
    training: Training
    robustness: Robustness

    @classmethod
    def of(cls, sections: Mapping[str, dict[str, object]]) -> ProbeSettings:
        """Return the settings that sections of the configuration hold, by name."""
        kinds = (Preprocessing, Graph, Model, Training, Robustness)
        return cls(*(kind(**sections[kind.__name__.lower()]) for kind in kinds))


@dataclass(frozen=True)
class TrainedFiles:
    """What a network method left behind.

    Parameters
    ----------
    parameters
        As in ``model.safetensors``.
    experts
        As in ``experts.csv``.
    information
        What the training parts say, per fold; None where the method asked for none of it.
    """

    parameters: dict[str, torch.Tensor]
    experts: pd.DataFrame
    information: SplitInformation | None


@dataclass(frozen=True)
class PeerPredictor:
    """Fits a peer on the training side of a fold and predicts its test samples."""

    method: Method

    def __call__(self, fold: int, task: FoldTask) -> np.ndarray:
        """Return probabilities of the task's test samples; (test, classes)."""
        return PEERS[self.method](task)[self.method]


@dataclass(frozen=True)
class NetworkPredictor:
    """Predicts the test samples of a fold by the networks that were trained on it.

    Parameters
    ----------
    method
        A network method.
    data
        The replicas' data without a network, with the members that the method asks for.
    trained
        What it left behind.
    model, graph
        Settings.
    """

    method: Method
    data: ReplicaData
    trained: TrainedFiles
    model: Model
    graph: Graph

    def __post_init__(self) -> None:
        if self._passes_messages and self.graph.transductive:
            raise MethodNotApplicable(
                "test samples shape the network (graph.transductive), so that altered ones would"
                " change what was learned"
            )

    @property
    def _passes_messages(self) -> bool:
        return NETWORKS[self.method].passes_messages(self.model)

    def __call__(self, fold: int, task: FoldTask) -> np.ndarray:
        """Return probabilities of the task's test samples; (test, classes)."""
        replicas = np.flatnonzero(self.data.folds.numpy() == fold).tolist()
        own = extended_data(self.data.take(replicas), fold, task, self._network(task))
        heads = join_members(own.splits, self._probabilities(replicas, own))
        experts = experts_of(self.method, self.model)
        inner = own.splits[0].inner
        said = what_experts_say(experts, heads, task_of_replica(own, task.groups, 0), inner)
        split, table = own.splits[0], self.trained.experts
        here = (table["repeat"] == split.repeat) & (table["fold"] == split.fold)
        pool = table[here].set_index("expert").loc[[str(expert) for expert in experts]]
        return pooled(
            [each.test for each in said], pool["temperature"].to_numpy(), pool["weight"].to_numpy()
        )

    def _network(self, task: FoldTask) -> csr_array | None:
        """Return A' of the fold: altered samples are attached to it as all test samples are."""
        if not self._passes_messages:
            return None
        fused = fuse_network(task.features, task.available, task.fit, self.graph)
        return residual_network(fused, self.model.graph_weight)

    @torch.no_grad()
    def _probabilities(self, replicas: list[int], own: ReplicaData) -> np.ndarray:
        """Return what all heads say; (members, samples, heads, classes)."""
        trained = seen_by(self.method, self.data).take(replicas)
        networks = restored_networks(
            self.method,
            trained,
            take_replicas(self.trained.parameters, replicas),
            self.model,
            self.trained.information,
        )
        seen = as_wide_as(seen_by(self.method, own), trained)
        logits = judged_logits(networks.__getitem__, view_of_all(seen).batch)
        return logits.double().softmax(dim=-1).numpy()


def extended_data(
    data: ReplicaData, fold: int, task: FoldTask, network: csr_array | None
) -> ReplicaData:
    """Return the data of one fold with further test samples.

    Parameters
    ----------
    data
        The members of the fold.
    fold
        Its row in `data.inputs`.
    task
        The fold with further test samples, which stand after those of the cohort.
    network
        A' of all samples, or None.
    """
    further = len(task.labels) - len(data.labels)
    inputs = []
    for values, features in zip(data.inputs, task.features.values(), strict=True):
        wide = values.new_zeros(1, further, values.shape[2])
        wide[0, :, : features.shape[1]] = torch.from_numpy(features[len(data.labels) :])
        inputs.append(torch.cat([values[fold : fold + 1], wide], dim=1))
    # A modality that the fold could not learn from is absent to the network, whoever has it.
    known = torch.tensor(data.widths).T[:, None, :] > 0
    added = torch.from_numpy(task.available[len(data.labels) :])[None] & known
    return replace(
        data,
        inputs=tuple(inputs),
        available=torch.cat([data.available, added], dim=1),
        labels=torch.from_numpy(task.labels),
        splits=tuple(replace(split, test=task.test) for split in data.splits),
        folds=torch.zeros_like(data.folds),
        networks=None if network is None else (network,),
    )


def as_wide_as(data: ReplicaData, other: ReplicaData) -> ReplicaData:
    """Return the data with inputs padded to the widths of others."""
    padded = zip(data.inputs, other.padded, strict=True)
    inputs = (
        torch.nn.functional.pad(values, (0, width - values.shape[2])) for values, width in padded
    )
    return replace(data, inputs=tuple(inputs))


def probe(
    method: Method,
    cohort: Cohort,
    splits: Sequence[Split],
    settings: ProbeSettings,
    trained: TrainedFiles | None,
) -> pd.DataFrame:
    """Return what a method says of the test samples of every fold under every probe.

    Parameters
    ----------
    method
        A peer, or a network method.
    cohort, splits
        The cohort and its folds.
    settings
        Settings.
    trained
        What a network method left behind; None for a peer.

    Raises
    ------
    MethodNotApplicable
        Where test samples shape the network on which messages are passed.
    """
    features = Features(cohort, settings.preprocessing.max_features)
    predict = PeerPredictor(method)
    if trained is not None:
        members = NETWORKS[method].members(settings.training)
        data = replica_data(cohort, features, splits, None, torch.device("cpu"), members=members)
        predict = NetworkPredictor(method, data, trained, settings.model, settings.graph)
    return probe_table(method, cohort, features, splits, settings.robustness, predict)


def probe_job(
    method: Method,
    settings: ProbeSettings,
    inputs: dict[str, Path],
    probes: Path,
    status: Path,
) -> None:
    """Probe a method; write what it says, and how it ended.

    Parameters
    ----------
    method
        The method.
    settings
        Settings.
    inputs
        Files: cohort, splits and status; parameters and experts of a network method, and
        information where it asked for any.
    probes, status
        Files to write. `probes` has no rows where the method did not end well, or cannot be
        probed; `status` says why, as a row of ``tables/robustness_status.csv``, or names the
        modalities and folds that were skipped.
    """
    cohort = read_cohort(inputs["cohort"])
    splits = read_splits(inputs["splits"], cohort)

    def ask() -> pd.DataFrame:
        before = read_status(inputs["status"])
        if before.status != "ok":
            raise MethodNotApplicable(f"{method}: {before.reason}")
        trained = _read(inputs) if method in NETWORKS else None
        return probe(method, cohort, splits, settings, trained)

    state, table = attempt(method, ask, empty_probes(cohort.classes))
    if state.status == "ok":
        state = replace(state, reason=skipped(cohort, splits))
    write_table(table, probes, "probes")
    write_json([{"kind": "probes", "level": None} | asdict(state)], status)


def _read(inputs: dict[str, Path]) -> TrainedFiles:
    information = inputs.get("information")
    return TrainedFiles(
        parameters=read_parameters(inputs["parameters"])[0],
        experts=read_table(inputs["experts"]),
        information=None if information is None else read_split_information(information),
    )
