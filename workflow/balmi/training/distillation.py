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

from balmi.config.settings import Teacher
from balmi.information.estimates import NULL_LEVEL
from balmi.models.network import ReplicaNetwork, Shape
from balmi.training.balancing import Importance, UniformRule
from balmi.training.history import history_table
from balmi.training.losses import SoftTargets
from balmi.training.seeds import replica_seed
from balmi.training.trainer import Objective, predict, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Distillation, Model, Training
    from balmi.information.splits import SplitInformation
    from balmi.training.data import ReplicaData
    from balmi.training.trainer import Epoch

PRETRAINING = "pretraining"
PLAN_COLUMNS = ("repeat", "fold", "student", "teacher", "strength")


@dataclass(frozen=True)
class Plan:
    """Who teaches whom, in every replica.

    Parameters
    ----------
    teacher
        Index of each student's teacher, -1 for none; (replicas, modalities).
    strength
        Share of the soft loss; (replicas, modalities), 0 without a teacher.
    """

    teacher: np.ndarray
    strength: np.ndarray


def plan_distillation(information: SplitInformation, settings: Distillation) -> Plan:
    """Choose every student's teacher: the strongest modality whose margin is positive.

    Teacher and student must both exceed their permutation null: noise has nothing to teach, and
    cannot be taught. The strength grows with the margin as strength * margin / I(Z_T; Z_S), which
    lies between 0 and the configured strength; the formula is this project's own.

    Parameters
    ----------
    information
        What the training parts say.
    settings
        Kind of teacher and largest strength.
    """
    label = np.nan_to_num(information.label, nan=-np.inf)
    replicas, count = label.shape
    teacher = np.full((replicas, count), -1)
    strength = np.zeros((replicas, count))
    if settings.teacher is Teacher.NONE:
        return Plan(teacher, strength)
    margin = np.nan_to_num(information.margin, nan=-np.inf)
    informative = information.p_value <= NULL_LEVEL
    for replica in range(replicas):
        for student in range(count):
            able = (margin[replica, :, student] > 0) & (label[replica] > label[replica, student])
            able &= informative[replica]
            if not able.any() or not informative[replica, student]:
                continue
            best = int(np.where(able, label[replica], -np.inf).argmax())
            teacher[replica, student] = best
            ratio = margin[replica, best, student] / information.shared[replica, best, student]
            strength[replica, student] = settings.strength * float(np.clip(ratio, 0, 1))
    return Plan(teacher, strength)


def new_network(data: ReplicaData, model: Model, seed: int, purpose: str) -> ReplicaNetwork:
    """Return an untrained network that fits the data, on the data's device.

    Parameters
    ----------
    data
        The replicas' data.
    model
        Hidden width and dropout.
    seed
        The configured seed.
    purpose
        Sets its initial weights apart from those of other networks.
    """
    shape = Shape(
        modalities=data.modalities,
        widths=data.widths,
        classes=data.classes,
        hidden=model.hidden,
        dropout=model.dropout,
    )
    seeds = [
        replica_seed(seed, split.repeat, split.fold, f"{purpose}/weights") for split in data.splits
    ]
    like = data.inputs[0]
    return ReplicaNetwork(shape, seeds, like.dtype).to(like.device)


@dataclass(frozen=True)
class Pretrained:
    """Pretrained encoders and heads.

    Parameters
    ----------
    parameters
        ``<modality>/<name of the parameter in a network of that modality alone>`` -> tensor.
    training
        History.
    plan
        Columns repeat, fold, student, teacher (empty for none), strength.
    """

    parameters: dict[str, torch.Tensor]
    training: pd.DataFrame
    plan: pd.DataFrame


def pretrain(
    data: ReplicaData,
    information: SplitInformation,
    model: Model,
    training: Training,
    distillation: Distillation,
    progress: Callable[[str], Callable[[int, int, int], None]],
) -> Pretrained:
    """Train every modality alone, then the students that have a teacher.

    Parameters
    ----------
    data
        The replicas' data.
    information
        What the training parts say.
    model, training, distillation
        Settings.
    progress
        Given the name of a training, returns what to call after its epochs.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.training.trainer.train` does.
    """
    plan = plan_distillation(information, distillation)
    networks, logits, tables = {}, [], []

    def fit(name: str, stage: str, soft: SoftTargets | None) -> ReplicaNetwork:
        own = data.only(name)
        purpose = f"{PRETRAINING}/{stage}/{name}"
        network, history = fit_modality(
            own, soft, model, training, purpose, progress(f"{stage} {name}")
        )
        tables.append(
            history_table(PRETRAINING, stage, history, own.modalities, own.splits, joint_weight=0.0)
        )
        return network

    for name in data.modalities:
        networks[name] = fit(name, "teacher", None)
        logits.append(predict(networks[name], data.only(name))[:, :, 0])
    every = torch.stack(logits, dim=1)
    for index, name in enumerate(data.modalities):
        chosen = torch.from_numpy(plan.teacher[:, index] >= 0).to(every.device)
        if chosen.any():
            student = fit(name, "student", soft_targets(data, every, plan, index, distillation))
            _adopt(networks[name], student, chosen)
    parameters = {
        f"{name}/{key}": value.detach().cpu().contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    return Pretrained(parameters, pd.concat(tables, ignore_index=True), _plan_table(plan, data))


def fit_modality(
    own: ReplicaData,
    soft: SoftTargets | None,
    model: Model,
    training: Training,
    purpose: str,
    progress: Callable[[int, int, int], None],
) -> tuple[ReplicaNetwork, list[Epoch]]:
    """Train the encoder and head of one modality in all replicas.

    Parameters
    ----------
    own
        The replicas' data of that modality only.
    soft
        What its teacher says, or None without one.
    model, training
        Settings.
    purpose
        A name that sets its initial weights and randomness apart from those of other trainings.
    progress
        Called after every epoch.

    Returns
    -------
    tuple of ReplicaNetwork and list of Epoch
        The network and its history.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.training.trainer.train` does.
    """
    network = new_network(own, model, training.seed, purpose)
    ones = torch.ones(len(own.splits), 1)
    rule = UniformRule(Importance(ones, ones, ones), training)
    objective = Objective(rule, joint_weight=0.0, soft=soft)
    return network, train(network, own, objective, training, purpose, progress)


def soft_targets(
    data: ReplicaData, logits: torch.Tensor, plan: Plan, student: int, settings: Distillation
) -> SoftTargets:
    """Return what each replica's teacher says to one student.

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
    """
    replica = torch.arange(len(data.splits), device=logits.device)
    teacher = torch.from_numpy(plan.teacher[:, student]).clamp(min=0).to(logits.device)
    has = data.available
    return SoftTargets(
        logits=logits[replica, teacher],
        taught=has[replica, :, teacher] & has[:, :, student],
        strength=torch.from_numpy(plan.strength[:, student]).to(logits),
        temperature=settings.temperature,
    )


@torch.no_grad()
def _adopt(network: ReplicaNetwork, other: ReplicaNetwork, chosen: torch.Tensor) -> None:
    """Take the chosen replicas' parameters from another network of the same shape."""
    for own, new in zip(network.parameters(), other.parameters(), strict=True):
        own[chosen] = new[chosen]


def _plan_table(plan: Plan, data: ReplicaData) -> pd.DataFrame:
    rows = [
        {
            "repeat": split.repeat,
            "fold": split.fold,
            "student": name,
            "teacher": data.modalities[teacher] if teacher >= 0 else None,
            "strength": float(plan.strength[replica, index]),
        }
        for replica, split in enumerate(data.splits)
        for index, name in enumerate(data.modalities)
        for teacher in [int(plan.teacher[replica, index])]
    ]
    return pd.DataFrame(rows, columns=PLAN_COLUMNS)


@torch.no_grad()
def load_pretrained(network: ReplicaNetwork, parameters: dict[str, torch.Tensor]) -> None:
    """Start a network of all modalities from their pretrained encoders and heads.

    Parameters
    ----------
    network
        The network; changed in place.
    parameters
        As in `Pretrained`.

    Raises
    ------
    KeyError
        Where a modality was not pretrained.
    """
    for index, name in enumerate(network.shape.modalities):
        for key, own in (
            *((f"encoders.0.{k}", p) for k, p in network.encoders[index].named_parameters()),
            *((f"heads.0.{k}", p) for k, p in network.heads[index].named_parameters()),
        ):
            own.copy_(parameters[f"{name}/{key}"])
