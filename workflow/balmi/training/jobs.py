"""The two kinds of training jobs: read inputs, train all replicas, write outputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from safetensors.torch import load_file, save_file

from balmi.data.cohort import read_cohort
from balmi.data.files import replace_when_written, write_json, write_table
from balmi.data.splits import read_splits
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.graph.files import read_networks
from balmi.information.files import read_split_information
from balmi.logs import Progress
from balmi.outcome import (
    Result,
    empty_predictions,
    read_status,
    run_method,
    write_outcome,
)
from balmi.preprocess.pipeline import Features
from balmi.training.checkpoint import Checkpoints
from balmi.training.data import replica_data, residual_network
from balmi.training.device import choose_device, device_name
from balmi.training.distillation import (
    PLAN_COLUMNS,
    PRETRAINING,
    Pretrained,
    plan_distillation,
    plan_table,
    pretrain,
)
from balmi.training.methods import NETWORKS, Guidance, train_method
from balmi.training.parts import in_parts, joined

if TYPE_CHECKING:
    import torch

    from balmi.config.settings import Distillation, Method, Model, Preprocessing, Training
    from balmi.data.cohort import Cohort
    from balmi.information.splits import SplitInformation
    from balmi.outcome import Status
    from balmi.training.data import ReplicaData


@dataclass(frozen=True)
class TrainingInputs:
    """What every training job takes.

    Parameters
    ----------
    cohort, splits
        Files of the cohort and its splits.
    networks
        File of the fused networks, or None for multilayer perceptrons.
    information
        File of what the training parts say, or None where the method asks for none of it.
    preprocessing, model, training
        Settings.
    gpus
        GPUs that the job asked for.
    """

    cohort: Path
    splits: Path
    networks: Path | None
    information: Path | None
    preprocessing: Preprocessing
    model: Model
    training: Training
    gpus: int

    def load(self, members: int = 1) -> tuple[Cohort, ReplicaData, SplitInformation | None]:
        """Read the files and stack the replicas on the job's device.

        Parameters
        ----------
        members
            Networks per fold at most.

        Raises
        ------
        UserError
            Where a GPU was asked for and there is none.
        """
        device = choose_device(self.gpus)
        cohort = read_cohort(self.cohort)
        splits = read_splits(self.splits, cohort)
        networks = None
        if self.networks is not None:
            fused = read_networks(self.networks, splits, cohort)
            networks = [residual_network(each, self.model.graph_weight) for each in fused]
        features = Features(cohort, self.preprocessing.max_features)
        data = replica_data(cohort, features, splits, networks, device, members=members)
        information = self.information and read_split_information(self.information)
        return cohort, data, information


def _save(parameters: dict[str, torch.Tensor], path: Path) -> None:
    with replace_when_written(path) as part:
        save_file({key: value.contiguous() for key, value in parameters.items()}, part)


def _checkpoints(inputs: TrainingInputs, status: Path) -> Checkpoints:
    """Return the folder of a job's checkpoints, beside its outputs."""
    return Checkpoints(Path(status).with_name("checkpoints"), inputs.training.checkpoint_every)


def pretrain_job(
    inputs: TrainingInputs,
    distillation: Distillation,
    parameters: Path,
    training: Path,
    plan: Path,
    status: Path,
) -> None:
    """Pretrain every modality and distil; write parameters, history, plan and status.

    Parameters
    ----------
    inputs
        What the job takes.
    distillation
        Settings.
    parameters, training, plan, status
        Files to write. Where pretraining cannot run or fails, the first three are empty and
        `status` says why.
    """
    cohort, data, information = inputs.load(inputs.training.members)
    checkpoints = _checkpoints(inputs, status)
    found = {"parameters": {}, "plan": pd.DataFrame(columns=PLAN_COLUMNS)}
    whole = plan_distillation(information, distillation).take(data.folds.cpu().numpy())

    def fit(replicas: list[int]) -> Pretrained:
        part = whole.take(replicas)
        return pretrain(
            data.take(replicas),
            part,
            inputs.model,
            inputs.training,
            distillation,
            Progress,
            checkpoints,
        )

    def fit_all() -> Result:
        fitted = in_parts(data.folds.tolist(), inputs.training.replicas, fit, PRETRAINING)
        history = pd.concat([each.training for each in fitted], ignore_index=True)
        parameters = joined([each.parameters for each in fitted])
        found.update(parameters=parameters, plan=plan_table(whole, data))
        device = device_name(data.inputs[0].device)
        return Result(empty_predictions(cohort.classes), history, device=device)

    state, result = run_method(PRETRAINING, fit_all, cohort.classes)
    _save(found["parameters"], parameters)
    write_table(found["plan"], plan)
    write_table(result.training, training)
    write_json(asdict(state), status)
    checkpoints.clear()


def _check_pretraining(state: Status) -> None:
    """Pass the end of the pretraining on to the method that builds on it."""
    ends = {"not_applicable": MethodNotApplicable, "failed": MethodFailed}
    if state.status in ends:
        raise ends[state.status](f"pretraining: {state.reason}")


def train_job(
    method: Method,
    inputs: TrainingInputs,
    pretrained: Path | None,
    pretraining: Path | None,
    predictions: Path,
    training: Path,
    experts: Path,
    status: Path,
    model: Path,
) -> None:
    """Train a network method; write predictions, history, experts, status and parameters.

    Parameters
    ----------
    method
        The method.
    inputs
        What the job takes.
    pretrained, pretraining
        Files of pretrained parameters and of the pretraining's status, or None.
    predictions, training, experts, status, model
        Files to write.
    """
    several = NETWORKS[method].several
    cohort, data, information = inputs.load(inputs.training.members if several else 1)
    checkpoints = _checkpoints(inputs, status)
    trained: dict[str, torch.Tensor] = {}
    before = None if pretraining is None else read_status(pretraining)

    def fit() -> Result:
        start = None
        if before is not None:
            _check_pretraining(before)
            start = load_file(pretrained)
        result, parameters = train_method(
            method,
            cohort,
            data,
            Guidance(information, start),
            inputs.model,
            inputs.training,
            Progress(str(method)),
            checkpoints,
        )
        trained.update(parameters)
        return result

    state, result = run_method(method, fit, cohort.classes)
    if before is not None:
        state = replace(state, seconds=round(state.seconds + before.seconds, 3))
    _save(trained, model)
    write_outcome(state, result, predictions, status, training, experts)
    checkpoints.clear()
