"""What distillation really does, for every teacher and student.

The complementarity hypothesis (arXiv:2510.13182) predicts where a student gains by a teacher. Here
the gain is observed: every student learns alone and from every teacher, from the same initial
weights, with the same dropout noise and for equally many epochs, whatever was predicted.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from balmi.config.automatic import MANY
from balmi.data.files import write_json, write_table
from balmi.errors import MethodNotApplicable
from balmi.experiments.folds import folds_to_run
from balmi.logs import Progress
from balmi.methods.distillation import Plan, fit_modality, soft_targets, teacher_shift
from balmi.methods.outcome import attempt
from balmi.networks.data import EPOCH_SAMPLES
from balmi.networks.device import device_name
from balmi.networks.heads import macro_f1
from balmi.networks.trained import predict
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from balmi.config.settings import Settings
    from balmi.methods.jobs import TrainingInputs
    from balmi.networks.data import ReplicaData
    from balmi.networks.losses import SoftTargets

GAINS = "gains"


def observable(data: ReplicaData) -> torch.Tensor:
    """Return where a gain can be observed; (replicas, teachers, students), bool.

    A replica's training part and its test part must each hold a sample that has both modalities.
    """
    parts = [(data.mask(part)[..., None] & data.available).double() for part in ("train", "test")]
    shared = [(part.transpose(1, 2) @ part) > 0 for part in parts]
    alone = torch.eye(len(data.modalities), dtype=torch.bool, device=data.labels.device)
    return shared[0] & shared[1] & ~alone


def fit_pairs(
    data: ReplicaData,
    settings: Settings,
    progress: Callable[[str], Callable[[int, int, int], None]],
) -> dict[tuple[str | None, str], torch.Tensor]:
    """Train every modality alone, and by every teacher where a gain can be observed.

    The purpose, and with it the randomness, is that of the student whoever teaches it. No training
    ends before its last epoch; each keeps the parameters of its best validation loss. Of a large
    cohort the epochs are fewer, so that there are as many steps as of one of 2,000 samples.

    Parameters
    ----------
    data
        The replicas' data.
    settings
        The settings. The patience is not used, and the strength of the distillation is used in full
        for every pair.
    progress
        Given the name of a training, returns what to call after its epochs.

    Returns
    -------
    dict of tuple to torch.Tensor
        Teacher (None: alone) and student -> logits of all samples; (replicas, n, classes).

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.networks.trainer.Trainer` does.
    """
    model, training, distillation = settings.model, settings.training, settings.distillation
    epochs = training.epochs
    if training.batch_size is not None:
        epochs = min(epochs, -(-epochs * MANY // min(len(data.labels), EPOCH_SAMPLES)))
    whole = training.model_copy(update={"epochs": epochs, "patience": epochs})
    names, possible = data.modalities, observable(data)
    shift = teacher_shift(data, training, distillation)

    def fit(student: str, soft: SoftTargets | None, title: str) -> torch.Tensor:
        alone = data.only(student)
        purpose = f"{GAINS}/{student}"
        trained = fit_modality(alone, soft, model, whole, purpose, progress(title))
        return predict(trained, alone)[:, :, 0]

    logits = {(None, name): fit(name, None, f"{name} alone") for name in names}
    every = torch.stack(list(logits.values()), dim=1)
    for teacher, student in permutations(range(len(names)), 2):
        if possible[:, teacher, student].any():
            plan = _same_plan(data, teacher, distillation.strength)
            soft = soft_targets(data, every, plan, student, distillation, shift)
            lesson = f"{names[student]} taught by {names[teacher]}"
            logits[names[teacher], names[student]] = fit(names[student], soft, lesson)
    return logits


def _same_plan(data: ReplicaData, teacher: int, strength: float) -> Plan:
    """Return the plan in which one modality teaches in all replicas."""
    shape = (len(data.splits), len(data.modalities))
    teachers = np.zeros((*shape, len(data.modalities)), dtype=bool)
    teachers[:, :, teacher] = True
    return Plan(teachers, np.full(shape, strength))


def observed_gains(
    data: ReplicaData,
    settings: Settings,
    progress: Callable[[str], Callable[[int, int, int], None]],
) -> pd.DataFrame:
    """Return macro-F1 of every student with and without every teacher, on test samples.

    Parameters
    ----------
    data
        The replicas' data.
    settings, progress
        As in `fit_pairs`.

    Returns
    -------
    pandas.DataFrame
        ``pretraining/gains.parquet``: columns teacher, student, repeat, fold, macro_f1 and
        macro_f1_alone, both on the test samples that have both modalities. Both are NaN in a fold
        where there are none to train on or to test on.

    Raises
    ------
    MethodNotApplicable
        Where no gain can be observed in any fold, or `Trainer` raises it.
    MethodFailed
        As `balmi.networks.trainer.Trainer` does.
    """
    if len(data.modalities) < 2:
        raise MethodNotApplicable("a teacher and a student are two modalities, and there is one")
    if settings.distillation.strength == 0:
        raise MethodNotApplicable(
            "advanced.distillation.strength is 0, so that no teacher is heard"
        )
    possible = observable(data)
    if not possible.any():
        reason = "no fold has two modalities together in both training and test samples"
        raise MethodNotApplicable(reason)
    logits = fit_pairs(data, settings, progress)
    pairs = permutations(range(len(data.modalities)), 2)
    tables = [
        _pair_gains(data, logits, teacher, student, possible[:, teacher, student])
        for teacher, student in pairs
    ]
    return pd.concat(tables, ignore_index=True)


def _pair_gains(
    data: ReplicaData,
    logits: dict[tuple[str | None, str], torch.Tensor],
    teacher: int,
    student: int,
    possible: torch.Tensor,
) -> pd.DataFrame:
    """Return the rows of one teacher and student; NaN in replicas where there is nothing to see."""
    pair = data.modalities[teacher], data.modalities[student]
    tested = data.mask("test") & data.available[:, :, teacher] & data.available[:, :, student]
    labels = data.labels.expand(len(data.splits), -1)
    alone = logits[None, pair[1]]

    def scores(of: torch.Tensor) -> np.ndarray:
        f1 = macro_f1(of.argmax(dim=-1), labels, tested, data.classes)
        return f1.masked_fill(~possible, torch.nan).cpu().numpy()

    return pd.DataFrame(
        {
            "teacher": pair[0],
            "student": pair[1],
            "repeat": [split.repeat for split in data.splits],
            "fold": [split.fold for split in data.splits],
            "macro_f1": scores(logits.get(pair, alone)),
            "macro_f1_alone": scores(alone),
        }
    )


def observe_job(inputs: TrainingInputs, gains: Path, status: Path) -> None:
    """Observe the gains on a cohort; write them and how it ended.

    Every pair of modalities trains a network for all epochs, in each of the folds that
    `balmi.experiments.folds.folds_to_run` gives.

    Parameters
    ----------
    inputs
        What the job takes; no information is used.
    gains, status
        Files to write. Where nothing could be observed, `gains` is empty and `status` says why.
    """
    chosen = partial(folds_to_run, run=inputs.settings.robustness)
    data = inputs.load(chosen=chosen).data

    def observe() -> pd.DataFrame:
        return observed_gains(data, inputs.settings, Progress)

    device = device_name(data.labels.device)
    state, table = attempt(GAINS, observe, TABLES["gains"].empty(), device)
    write_table(table, gains, "gains")
    write_json(asdict(state), status)
