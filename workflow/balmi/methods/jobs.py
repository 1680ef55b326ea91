"""The two kinds of training jobs: read inputs, train all replicas, write outputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.config.methods import NETWORKS
from balmi.data.cohort import read_cohort
from balmi.data.files import write_json, write_table
from balmi.data.splits import read_splits
from balmi.graph.files import read_networks
from balmi.information.files import read_split_information
from balmi.logs import Progress
from balmi.methods.outcome import read_status, write_outcome
from balmi.methods.stages import pretrain_stage, stack_replicas, train_stage
from balmi.networks.checkpoint import Checkpoints
from balmi.networks.device import choose_device
from balmi.networks.parameters import read_parameters, write_parameters

if TYPE_CHECKING:
    from balmi.config.settings import Distillation, Method, Model, Preprocessing, Training
    from balmi.data.cohort import Cohort
    from balmi.information.splits import SplitInformation
    from balmi.networks.data import ReplicaData


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
        fused = self.networks and read_networks(self.networks, splits, cohort)
        sections = self.preprocessing, self.model
        data = stack_replicas(cohort, splits, fused, *sections, device, members)
        information = self.information and read_split_information(self.information)
        return cohort, data, information


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
    sections = inputs.model, inputs.training, distillation
    found = pretrain_stage(cohort, data, information, *sections, Progress, checkpoints)
    write_parameters(found.parameters, parameters)
    write_table(found.plan, plan, "plan")
    write_table(found.training, training, "training")
    write_json(asdict(found.status), status)
    checkpoints.clear()


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
    cohort, data, information = inputs.load(NETWORKS[method].members(inputs.training))
    checkpoints = _checkpoints(inputs, status)
    before = pretraining and (read_status(pretraining), read_parameters(pretrained)[0])
    state, result, trained = train_stage(
        method,
        cohort,
        data,
        information,
        before,
        inputs.model,
        inputs.training,
        Progress,
        checkpoints,
    )
    write_parameters(trained, model)
    write_outcome(state, result, predictions, status, training, experts)
    checkpoints.clear()
