"""The two kinds of training jobs: read inputs, train all replicas, write outputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.config.methods import GAINS, NETWORKS, PRETRAINING
from balmi.data.cohort import read_roster
from balmi.data.files import write_json, write_table
from balmi.data.splits import read_splits
from balmi.data.tensors import write_tensors
from balmi.graph.files import read_networks
from balmi.information.files import read_split_information
from balmi.logs import Progress
from balmi.methods.outcome import read_status, write_outcome
from balmi.methods.peers.bases import read_bases
from balmi.methods.stages import pretrain_stage, stack_replicas, train_stage
from balmi.networks.checkpoint import Checkpoints
from balmi.networks.device import choose_device
from balmi.networks.parameters import read_parameters, write_parameters
from balmi.preprocess.files import read_features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from balmi.config.methods import NetworkMethod
    from balmi.config.settings import Method, Settings
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.information.files import SplitInformation
    from balmi.methods.peers.bases import Bases
    from balmi.networks.data import ReplicaData
    from balmi.preprocess.features import Features


@dataclass(frozen=True)
class Loaded:
    """What a training job works on.

    Parameters
    ----------
    cohort, features, splits
        The cohort, its features and its folds.
    data
        The replicas on the job's device.
    information
        What the training parts say; None where the method asks for none of it.
    bases
        The modalities' regressions; None where the method asks for none of them.
    """

    cohort: Roster
    features: Features
    splits: list[Split]
    data: ReplicaData
    information: SplitInformation | None
    bases: Bases | None = None


@dataclass(frozen=True)
class TrainingInputs:
    """What every training job takes.

    Parameters
    ----------
    samples, splits, preprocessing
        Files of who there is, of splits, and what preprocessing learned in them.
    settings
        The settings, with the GPUs that the job was given.
    networks
        File of the fused networks, or None for multilayer perceptrons.
    information
        File of what the training parts say, or None where the method asks for none of it.
    bases
        File of the modalities' regressions, or None where the method asks for none of them.
    """

    samples: Path
    splits: Path
    preprocessing: Path
    settings: Settings
    networks: Path | None = None
    information: Path | None = None
    bases: Path | None = None

    @classmethod
    def of(cls, files: Mapping[str, Path], settings: Settings) -> TrainingInputs:
        """Return the inputs by their names among the files of a job; those that are empty, None."""
        optional = {name: files.get(name) or None for name in ("networks", "information", "bases")}
        needed = (files[name] for name in ("samples", "splits", "preprocessing"))
        return cls(*needed, settings, **optional)

    def load(
        self,
        method: NetworkMethod = GAINS,
        chosen: Callable[[Sequence[Split], int], Sequence[Split]] | None = None,
    ) -> Loaded:
        """Read the files and stack the replicas on the job's device.

        Parameters
        ----------
        method
            What is trained: it says how many networks a fold has at most.
        chosen
            Given the folds and the number of samples, returns the folds that are worked on; all of
            them where None.

        Raises
        ------
        UserError
            Where a GPU was asked for and there is none.
        """
        device = choose_device(self.settings.resources.gpu)
        cohort = read_roster(self.samples)
        splits = read_splits(self.splits, cohort)
        features = read_features(self.preprocessing, cohort, splits)
        fused = self.networks and read_networks(self.networks, splits, cohort)
        bases = self.bases and read_bases(self.bases, cohort, splits)
        if chosen is not None:
            some = set(map(id, chosen(splits, len(cohort.samples))))
            kept = [place for place, split in enumerate(splits) if id(split) in some]
            fused = fused and [fused[place] for place in kept]
            splits = [splits[place] for place in kept]
        model = self.settings.model
        members = method.members(self.settings.training, len(cohort.samples))
        data = stack_replicas(cohort, features, splits, fused, model, device, members)
        information = self.information and read_split_information(self.information)
        return Loaded(cohort, features, splits, data, information, bases)


def _checkpoints(inputs: TrainingInputs, status: Path) -> Checkpoints:
    """Return the folder of a job's checkpoints, beside its outputs."""
    return Checkpoints(
        Path(status).with_name("checkpoints"), inputs.settings.training.checkpoint_every
    )


def pretrain_job(
    inputs: TrainingInputs,
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
    parameters, training, plan, status
        Files to write. Where pretraining cannot run or fails, the first three are empty and
        `status` says why.
    """
    loaded = inputs.load(PRETRAINING)
    checkpoints = _checkpoints(inputs, status)
    parts = loaded.cohort, loaded.data, loaded.information
    done = pretrain_stage(*parts, inputs.settings, Progress, checkpoints)
    write_parameters(done.parameters, parameters)
    write_table(done.plan, plan, "plan")
    write_table(done.training, training, "training")
    write_json(asdict(done.status), status)
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
    regressions: Path,
) -> None:
    """Train a network method; write predictions, history, experts, status and what it learned.

    Parameters
    ----------
    method
        The method.
    inputs
        What the job takes.
    pretrained, pretraining
        Files of pretrained parameters and of the pretraining's status, or None.
    predictions, training, experts, status
        Files to write.
    model, regressions
        Likewise, of what networks and the experts that are regressions have learned.
    """
    loaded = inputs.load(NETWORKS[method])
    checkpoints = _checkpoints(inputs, status)
    before = pretraining and (read_status(pretraining), read_parameters(pretrained)[0])
    state, result, trained = train_stage(
        method,
        loaded.cohort,
        loaded.data,
        loaded.information,
        loaded.bases,
        before,
        inputs.settings,
        Progress,
        checkpoints,
    )
    write_parameters(trained, model)
    write_tensors(result.regressions, regressions)
    write_outcome(state, result, predictions, status, training, experts)
    checkpoints.clear()
