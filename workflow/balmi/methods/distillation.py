"""Pretraining of every modality, and distillation of weak ones from stronger ones.

Each modality first learns alone. Then every student for which the complementarity hypothesis
(arXiv:2510.13182) predicts a gain learns again from its strongest teacher: distil where
I(Z_T; Z_S) > I(Z_S; Y). Both are estimated inside the replica's own training part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from balmi.config.balancing import Balancing
from balmi.config.settings import Teacher
from balmi.data.together import together
from balmi.information.estimates import NULL_LEVEL
from balmi.networks.balancing import RULES
from balmi.networks.balancing.base import PriorKnowledge
from balmi.networks.history import history_table
from balmi.networks.losses import SoftTargets, log_frequencies
from balmi.networks.network import ReplicaNetwork, Shape
from balmi.networks.seeds import replica_seed
from balmi.networks.trained import predict
from balmi.networks.trainer import Trainer
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.config.settings import Distillation, Model, Training
    from balmi.information.files import SplitInformation
    from balmi.networks.checkpoint import Checkpoints
    from balmi.networks.data import ReplicaData
    from balmi.networks.trained import Trained

PRETRAINING = "pretraining"
BALANCED = {Teacher.CLASS_BALANCED}
ALONE, READY = "alone", "ready"


@dataclass(frozen=True)
class Plan:
    """Who teaches whom, in every replica.

    Parameters
    ----------
    teachers
        Which modalities teach a student; (replicas, students, teachers), bool.
    strength
        Share of the soft loss; (replicas, students), 0 without a teacher.
    """

    teachers: np.ndarray
    strength: np.ndarray

    def take(self, replicas: Sequence[int]) -> Plan:
        """Return the plan of some replicas."""
        return Plan(self.teachers[replicas], self.strength[replicas])


def _strongest(able: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Keep the able teacher that knows most about the label, if it knows more than the student."""
    student = np.swapaxes(label[:, None], 1, 2)
    candidates = able & (label[:, None, :] > student)
    best = np.where(candidates, label[:, None, :], -np.inf).argmax(axis=2)
    return candidates & (np.arange(able.shape[2]) == best[..., None])


def _everyone(able: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Keep all able teachers."""
    return able


def _nobody(able: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Keep no teacher."""
    return np.zeros_like(able)


CHOICES: dict[Teacher, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    Teacher.STRONGEST: _strongest,
    Teacher.ENSEMBLE: _everyone,
    Teacher.CLASS_BALANCED: _everyone,
    Teacher.NONE: _nobody,
}


def plan_distillation(information: SplitInformation, settings: Distillation) -> Plan:
    """Choose every student's teachers among the modalities whose margin is positive.

    Teacher and student must both exceed their permutation null: noise has nothing to teach, and
    cannot be taught. The strength grows with the margin as strength * margin / I(Z_T; Z_S), which
    lies between 0 and the configured strength; of several teachers the mean is taken. The formula
    is this project's own.

    Parameters
    ----------
    information
        What the training parts say.
    settings
        Kind of teacher and largest strength.
    """
    label = np.nan_to_num(information.label, nan=-np.inf)
    # [replica, teacher, student] becomes [replica, student, teacher].
    margin = np.swapaxes(np.nan_to_num(information.margin, nan=-np.inf), 1, 2)
    shared = np.swapaxes(information.shared, 1, 2)
    informative = information.p_value <= NULL_LEVEL
    able = (margin > 0) & informative[:, None, :] & informative[:, :, None]
    able &= ~np.eye(label.shape[1], dtype=bool)
    teachers = CHOICES[settings.teacher](able, label)
    ratio = np.divide(margin, shared, out=np.zeros_like(shared), where=teachers & (shared > 0))
    count = np.maximum(teachers.sum(axis=2), 1)
    strength = settings.strength * np.clip(ratio, 0, 1).sum(axis=2) / count
    return Plan(teachers, strength)


def new_network(
    data: ReplicaData,
    model: Model,
    seed: int,
    purpose: str,
    fusions: Sequence[str] = (),
    importance: torch.Tensor | None = None,
) -> ReplicaNetwork:
    """Return an untrained network that fits the data, on the data's device.

    Parameters
    ----------
    data
        The replicas' data.
    model
        Hidden width, dropout and linear path.
    seed
        The configured seed.
    purpose
        Sets its initial weights apart from those of other networks.
    fusions
        Its joint heads.
    importance
        Weights of the head `information`; (replicas, modalities).
    """
    shape = Shape(
        modalities=data.modalities,
        widths=data.widths,
        padded=data.padded,
        classes=data.classes,
        hidden=model.hidden,
        dropout=model.dropout,
        fusions=tuple(fusions),
        linear_path=model.linear_path,
    )
    seeds = [replica_seed(seed, split, f"{purpose}/weights") for split in data.splits]
    like = data.like
    return ReplicaNetwork(shape, seeds, like.dtype, importance).to(like.device)


@dataclass(frozen=True)
class Pretrained:
    """Pretrained encoders and heads.

    Parameters
    ----------
    parameters
        ``<stage>/<modality>/<name of the parameter in a network of that modality alone>`` ->
        tensor. The stage is ``alone``, before any modality was taught, or ``ready``.
    training
        History.
    """

    parameters: dict[str, torch.Tensor]
    training: pd.DataFrame


def pretrain(
    data: ReplicaData,
    plan: Plan,
    model: Model,
    training: Training,
    distillation: Distillation,
    progress: Callable[[str], Callable[[int, int, int], None]],
    checkpoints: Checkpoints | None = None,
) -> Pretrained:
    """Train every modality alone, then the students that have a teacher.

    Parameters
    ----------
    data
        The replicas' data.
    plan
        Who teaches whom.
    model, training, distillation
        Settings.
    progress
        Given the name of a training, returns what to call after its epochs.
    checkpoints
        Where checkpoints are kept, or None.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.networks.trainer.Trainer` does.
    """
    networks, logits, tables = {}, [], []

    def fit(part: ReplicaData, name: str, stage: str, soft: SoftTargets | None) -> Trained:
        alone = part.only(name)
        purpose = f"{PRETRAINING}/{stage}/{name}"
        after_epoch = progress(f"{stage} {name}")
        trained = fit_modality(alone, soft, model, training, purpose, after_epoch, checkpoints)
        tables.append(history_table(PRETRAINING, stage, trained.history, alone))
        return trained

    for name in data.modalities:
        trained = fit(data, name, "teacher", None)
        logits.append(predict(trained, data.only(name))[:, :, 0])
        networks[name] = trained.restore(0)
    every = torch.stack(logits, dim=1)
    parameters = _named(ALONE, networks)
    shift = teacher_shift(data, training, distillation)
    for index, name in enumerate(data.modalities):
        chosen = torch.from_numpy(np.flatnonzero(plan.teachers[:, index].any(axis=1)))
        if len(chosen):
            soft = soft_targets(data, every, plan, index, distillation, shift).take(chosen)
            student = fit(data.take(chosen.tolist()), name, "student", soft)
            _adopt(networks[name], student.restore(0), chosen)
    parameters |= _named(READY, networks)
    return Pretrained(parameters, pd.concat(tables, ignore_index=True))


def _named(stage: str, networks: dict[str, ReplicaNetwork]) -> dict[str, torch.Tensor]:
    """Return copies of all parameters, on the CPU, as `Pretrained` names them."""
    return {
        f"{stage}/{name}/{key}": value.detach().cpu().clone()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }


def fit_modality(
    data: ReplicaData,
    soft: SoftTargets | None,
    model: Model,
    training: Training,
    purpose: str,
    progress: Callable[[int, int, int], None],
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Train the encoder and head of one modality in all replicas.

    Parameters
    ----------
    data
        The replicas' data of that modality only.
    soft
        What its teacher says, or None without one.
    model, training
        Settings.
    purpose
        A name that sets its initial weights and randomness apart from those of other trainings.
    progress
        Called after every epoch.
    checkpoints
        Where checkpoints are kept, or None.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.networks.trainer.Trainer` does.
    """
    network = new_network(data, model, training.seed, purpose)
    rule = RULES[Balancing.UNIFORM](no_prior_knowledge(data, model), training)
    return Trainer(network, data, rule, training, purpose, soft).run(progress, checkpoints)


def no_prior_knowledge(data: ReplicaData, model: Model) -> PriorKnowledge:
    """Return what rules know where nothing was measured: NaN, which passes no gate."""
    nothing = torch.full((len(data.splits), len(data.modalities)), torch.nan, dtype=torch.float64)
    return PriorKnowledge(nothing, nothing, nothing, data.classes, model.hidden)


def balanced_shift(data: ReplicaData, training: Training) -> torch.Tensor:
    """Return what class-balanced soft targets take off a teacher's logits; (replicas, classes).

    A network whose loss weighs classes by frequency^p learns from classes of frequency^(1 + p):
    that much of their log is taken off, so that no class is likelier for being frequent (Menon et
    al. 2021, ICLR, applied to a teacher). The logit-adjusted loss has taken off its own part.
    """
    frequencies = log_frequencies(data.labels, data.mask("train"), data.classes)
    left = 1 + training.class_weight_power - training.logit_adjustment
    return left * frequencies


def teacher_shift(
    data: ReplicaData, training: Training, distillation: Distillation
) -> torch.Tensor | None:
    """Return what the configured teacher takes off its logits; None for nothing."""
    return balanced_shift(data, training) if distillation.teacher in BALANCED else None


def soft_targets(
    data: ReplicaData,
    logits: torch.Tensor,
    plan: Plan,
    student: int,
    settings: Distillation,
    shift: torch.Tensor | None = None,
) -> SoftTargets:
    """Return what each replica's teachers say to one student: the mean of their logits.

    Parameters
    ----------
    data
        The replicas' data.
    logits
        What every modality says alone; (replicas, modalities, n, classes).
    plan
        Who teaches whom.
    student
        Index of the student.
    settings
        Temperature.
    shift
        What is taken off the teachers' logits, (replicas, classes), or None.
    """
    teaches = torch.from_numpy(plan.teachers[:, student]).to(logits.device)
    has = data.available
    speaks = (has & teaches[:, None, :]).transpose(1, 2).unsqueeze(-1).to(logits.dtype)
    targets = (logits * speaks).sum(dim=1) / speaks.sum(dim=1).clamp(min=1)
    if shift is not None:
        targets = targets - shift[:, None, :].to(targets)
    return SoftTargets(
        logits=targets,
        taught=(speaks.sum(dim=1) > 0).squeeze(-1) & has[:, :, student],
        strength=torch.from_numpy(plan.strength[:, student]).to(logits),
        temperature=settings.temperature,
    )


@torch.no_grad()
def _adopt(network: ReplicaNetwork, other: ReplicaNetwork, chosen: torch.Tensor) -> None:
    """Take over the parameters of a network that has the chosen replicas only."""
    for parameter, new in zip(network.parameters(), other.parameters(), strict=True):
        parameter[chosen.to(parameter.device)] = new


def plan_table(plan: Plan, data: ReplicaData) -> pd.DataFrame:
    """Return ``pretraining/plan.csv``: a row per fold and student, whatever the number of members.

    Parameters
    ----------
    plan
        Who teaches whom, in every replica.
    data
        The replicas' data, for names.

    Returns
    -------
    pandas.DataFrame
        Columns repeat, fold, student, teacher (empty for none, several joined by +) and strength.
    """
    rows = [
        {
            "repeat": split.repeat,
            "fold": split.fold,
            "student": name,
            "teacher": together(np.array(data.modalities)[plan.teachers[replica, index]]) or None,
            "strength": float(plan.strength[replica, index]),
        }
        for replica, split in enumerate(data.splits)
        for index, name in enumerate(data.modalities)
        if split.member == 0
    ]
    return TABLES["plan"].of(rows)


@torch.no_grad()
def load_pretrained(
    network: ReplicaNetwork, parameters: dict[str, torch.Tensor], stage: str = READY
) -> None:
    """Start a network of all modalities from their pretrained encoders and heads.

    Parameters
    ----------
    network
        The network; changed in place.
    parameters
        As in `Pretrained`.
    stage
        `ALONE` or `READY`.

    Raises
    ------
    KeyError
        Where a modality was not pretrained.
    """
    for index, name in enumerate(network.shape.modalities):
        for key, parameter in (
            *((f"encoders.0.{k}", p) for k, p in network.encoders[index].named_parameters()),
            *((f"heads.0.{k}", p) for k, p in network.heads[index].named_parameters()),
        ):
            parameter.copy_(parameters[f"{stage}/{name}/{key}"])
