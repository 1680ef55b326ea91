"""The stages of a network method, on data in memory: stack replicas, pretrain, train.

Jobs run them one by one and keep what each gives as files; `balmi.methods.pipeline` runs them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.methods.distillation import (
    PRETRAINING,
    Pretrained,
    plan_distillation,
    plan_table,
    pretrain,
)
from balmi.methods.outcome import Result, attempt
from balmi.methods.recipes import Guidance, train_method
from balmi.networks.data import replica_data, residual_network
from balmi.networks.device import device_name
from balmi.networks.parts import in_parts, joined
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from scipy.sparse import csr_array

    from balmi.config.settings import Method, Model, Settings
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.information.files import SplitInformation
    from balmi.methods.outcome import Status
    from balmi.methods.peers.bases import Bases
    from balmi.networks.checkpoint import Checkpoints
    from balmi.networks.data import ReplicaData
    from balmi.preprocess.features import Features

    Epochs = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Pretraining:
    """How the pretraining of a cohort ended, and what it gave.

    Parameters
    ----------
    status
        How it ended.
    parameters
        As in `balmi.methods.distillation.Pretrained`; empty unless it ended well.
    training
        History; without rows unless it ended well.
    plan
        ``pretraining/plan.csv``; without rows unless it ended well.
    """

    status: Status
    parameters: dict[str, torch.Tensor]
    training: pd.DataFrame
    plan: pd.DataFrame


def silent(name: str) -> Epochs:
    """Return what reports no epoch of the training called `name`."""
    return lambda epoch, epochs, active: None


def stack_replicas(
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    fused: Sequence[csr_array] | None,
    model: Model,
    device: torch.device,
    members: int = 1,
) -> ReplicaData:
    """Return the data of all replicas on the device.

    Parameters
    ----------
    cohort, features, splits
        The cohort, its features and its folds.
    fused
        The fused network of every fold, or None for multilayer perceptrons.
    model
        Settings.
    device
        Where tensors are kept.
    members
        Networks per fold at most.
    """
    networks = fused and [residual_network(network, model.graph_weight) for network in fused]
    return replica_data(cohort, features, splits, networks, device, members=members)


def pretrain_stage(
    cohort: Roster,
    data: ReplicaData,
    information: SplitInformation,
    settings: Settings,
    progress: Callable[[str], Epochs] = silent,
    checkpoints: Checkpoints | None = None,
) -> Pretraining:
    """Pretrain every modality and distil, in all replicas.

    Parameters
    ----------
    cohort
        The cohort, for names.
    data
        The data of all replicas, with as many members as ``settings.training`` says.
    information
        What the training parts say.
    settings
        The settings.
    progress
        Given the name of a training, returns what to call after its epochs.
    checkpoints
        Where checkpoints are kept, or None.
    """
    training, distillation = settings.training, settings.distillation
    whole = plan_distillation(information, distillation).take(data.folds.cpu().numpy())

    def fit(replicas: list[int]) -> Pretrained:
        part, plan = data.take(replicas), whole.take(replicas)
        return pretrain(part, plan, settings.model, training, distillation, progress, checkpoints)

    def fit_all() -> tuple[dict[str, torch.Tensor], pd.DataFrame, pd.DataFrame]:
        fitted = in_parts(data.folds.tolist(), training.replicas, fit, PRETRAINING)
        history = pd.concat([part.training for part in fitted], ignore_index=True)
        return joined([part.parameters for part in fitted]), history, plan_table(whole, data)

    none = {}, TABLES["training"].empty(), TABLES["plan"].of([])
    status, result = attempt(PRETRAINING, fit_all, none, device_name(data.labels.device))
    return Pretraining(status, *result)


def _check_pretraining(status: Status) -> None:
    """Pass the end of the pretraining on to the method that builds on it."""
    ends = {"not_applicable": MethodNotApplicable, "failed": MethodFailed}
    if status.status in ends:
        raise ends[status.status](f"pretraining: {status.reason}")


def train_stage(
    method: Method,
    cohort: Roster,
    data: ReplicaData,
    information: SplitInformation | None,
    bases: Bases | None,
    pretrained: tuple[Status, dict[str, torch.Tensor]] | None,
    settings: Settings,
    progress: Callable[[str], Epochs] = silent,
    checkpoints: Checkpoints | None = None,
) -> tuple[Status, Result, dict[str, torch.Tensor]]:
    """Train a network method in all replicas and predict the test samples.

    Parameters
    ----------
    method
        The method.
    cohort
        The cohort, for names.
    data
        The data of all replicas, with the members that the method asks for.
    information
        What the training parts say; None where the method asks for none of it.
    bases
        The modalities' regressions; None where the method asks for none of them.
    pretrained
        How the pretraining ended and its parameters; None for a start from random weights.
    settings
        The settings.
    progress, checkpoints
        As in `pretrain_stage`.

    Returns
    -------
    tuple of Status, Result and dict
        How it ended, with the time of the pretraining and of the modalities' regressions; what it
        found; the trained parameters, none unless it ended well.
    """
    before, start = pretrained or (None, None)

    def fit() -> tuple[Result, dict[str, torch.Tensor]]:
        if before is not None:
            _check_pretraining(before)
        if bases is not None:
            bases.check()
        guidance, after_epoch = Guidance(information, start, bases), progress(str(method))
        return train_method(method, cohort, data, guidance, settings, after_epoch, checkpoints)

    none = Result.none(cohort.classes), {}
    status, (result, trained) = attempt(method, fit, none, device_name(data.labels.device))
    done = [each for each in (before, bases and bases.status) if each is not None]
    return status.with_cost_of(done), result, trained
