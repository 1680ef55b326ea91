"""The network methods: which data, start, balancing rule and experts each of them takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from balmi.config.balancing import Balancing
from balmi.config.methods import NETWORKS
from balmi.information.estimates import NULL_LEVEL
from balmi.methods.deciding import Said
from balmi.methods.distillation import ALONE, load_pretrained, new_network, no_prior_knowledge
from balmi.methods.experts import (
    arrays_of_experts,
    expert_rows,
    fit_experts,
    join_members,
    pool_experts,
    samples_of_replica,
)
from balmi.methods.outcome import Result, prediction_table
from balmi.methods.peers.side import TrainingSide
from balmi.networks.balancing import RULES
from balmi.networks.data import concatenated
from balmi.networks.history import history_table
from balmi.networks.parts import in_parts, joined
from balmi.networks.trained import in_blocks, predict
from balmi.networks.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.config.settings import Expert, Method, Model, Settings
    from balmi.data.cohort import Roster
    from balmi.information.files import SplitInformation
    from balmi.methods.peers.bases import Bases
    from balmi.networks.balancing.base import PriorKnowledge
    from balmi.networks.checkpoint import Checkpoints
    from balmi.networks.data import ReplicaData
    from balmi.networks.trained import Trained


@dataclass(frozen=True)
class Guidance:
    """What a method starts from besides the cohort.

    Parameters
    ----------
    information
        What the training parts say, per fold; None where the method asks for none of it.
    pretrained
        Parameters as in `balmi.methods.distillation.Pretrained`; None without pretraining.
    bases
        The modalities' regressions, where they were fitted before.
    """

    information: SplitInformation | None = None
    pretrained: dict[str, torch.Tensor] | None = None
    bases: Bases | None = None

    def take(self, replicas: Sequence[int]) -> Guidance:
        """Return what some replicas start from."""
        if self.pretrained is None:
            return self
        parameters = {name: value[list(replicas)] for name, value in self.pretrained.items()}
        return replace(self, pretrained=parameters)


def prior_knowledge(
    information: SplitInformation | None, data: ReplicaData, model: Model
) -> PriorKnowledge:
    """Return what balancing rules may know of the modalities.

    Parameters
    ----------
    information
        Per fold; None where nothing was measured.
    data
        The replicas' data.
    model
        Settings.
    """
    nothing = no_prior_knowledge(data, model)
    if information is None:
        return nothing
    others = max(information.shared.shape[1] - 1, 1)
    folds = data.folds.cpu()
    return replace(
        nothing,
        label=torch.from_numpy(information.label)[folds],
        shared=torch.from_numpy(information.shared.sum(axis=2) / others)[folds],
        p_value=torch.from_numpy(information.p_value)[folds],
    )


def importance_of(about: PriorKnowledge) -> torch.Tensor:
    """Return the weights of the head `information`; (replicas, modalities).

    What does not exceed its permutation null is none, and what is unknown weighs nothing.
    """
    return torch.nan_to_num(about.label).clamp(min=0) * (about.p_value <= NULL_LEVEL)


def experts_of(method: Method, model: Model) -> tuple[Expert, ...]:
    """Return what a network method's prediction is pooled from."""
    return NETWORKS[method].experts or tuple(model.experts)


def heads_of(method: Method, model: Model) -> list[Expert]:
    """Return the joint heads of a method's network, in their order there."""
    return [expert for expert in experts_of(method, model) if expert.is_head]


def seen_by(method: Method, data: ReplicaData, width: int | None = None) -> ReplicaData:
    """Return the data as the method's network sees them.

    Parameters
    ----------
    method
        The method.
    data
        The replicas' data.
    width
        Features with the padding where the network sees them side by side; those of the widest
        fold of `data` where None.
    """
    return concatenated(data, width) if NETWORKS[method].concatenated else data


@torch.no_grad()
def teacher_embeddings(
    data: ReplicaData, parameters: dict[str, torch.Tensor], model: Model
) -> torch.Tensor:
    """Return what encoders trained alone make of every sample; (replicas, n, modalities, hidden).

    Parameters
    ----------
    data
        The replicas' data.
    parameters
        Pretrained parameters of these replicas.
    model
        Settings.
    """
    network = new_network(data, model, seed=0, purpose="teacher")
    load_pretrained(network, parameters, ALONE)
    return in_blocks(data, lambda batch: network(batch).embeddings)


@dataclass(frozen=True)
class _Fitted:
    """What training a part of the replicas gave."""

    probabilities: np.ndarray
    parameters: dict[str, torch.Tensor]
    history: pd.DataFrame


def _fit(
    method: Method,
    data: ReplicaData,
    guidance: Guidance,
    settings: Settings,
    progress: Callable[[int, int, int], None],
    checkpoints: Checkpoints | None,
) -> _Fitted:
    """Train the replicas of `data`, guided as they are, and predict all samples with them."""
    model, training, start = settings.model, settings.training, guidance.pretrained
    fixed = NETWORKS[method].balancing
    balancing = training.balancing if fixed is None else fixed
    about = prior_knowledge(guidance.information, data, model)
    heads, importance = heads_of(method, model), importance_of(about)
    network = new_network(data, model, training.seed, str(method), heads, importance)
    if start is not None:
        load_pretrained(network, start)
        if balancing is Balancing.UMT:
            about = replace(about, teachers=teacher_embeddings(data, start, model))
    rule = RULES[balancing](about, training)
    trainer = Trainer(network, data, rule, training, str(method))
    trained = trainer.run(progress, checkpoints)
    # Nothing is asked of the others: heads are pooled on what a member held out.
    asked = [np.append(split.validation, split.test) for split in data.splits]
    probabilities = predict(trained, data, asked).double().softmax(dim=-1).cpu().numpy()
    history = history_table(method, "joint", trained.history, data)
    return _Fitted(probabilities, _parameters(trained), history)


def _parameters(trained: Trained) -> dict[str, torch.Tensor]:
    """Return the parameters at every judged head's best epoch, replicas first, on the CPU."""
    return {
        f"{head}/{name}": value[head].cpu()
        for name, value in trained.kept.items()
        for head in range(len(value))
    }


def train_method(
    method: Method,
    cohort: Roster,
    data: ReplicaData,
    guidance: Guidance,
    settings: Settings,
    progress: Callable[[int, int, int], None],
    checkpoints: Checkpoints | None = None,
) -> tuple[Result, dict[str, torch.Tensor]]:
    """Train a network method in all replicas and predict every fold's test samples.

    Parameters
    ----------
    method
        One of `NETWORKS`.
    cohort
        The cohort, for names.
    data
        The replicas' data, with the members that the method asks for.
    guidance
        What it starts from; information is needed where the method has no fixed rule.
    settings
        The settings.
    progress
        Called after every epoch.
    checkpoints
        Where checkpoints are kept, or None.

    Returns
    -------
    tuple of Result and dict
        Predictions with history and experts, and the trained parameters.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.networks.trainer.Trainer` and the rules do.
    """
    if NETWORKS[method].balancing is None and guidance.information is None:
        raise ValueError(f"{method} needs the information of the training parts")
    whole = seen_by(method, data)

    def fit(replicas: list[int]) -> _Fitted:
        part, part_guidance = whole.take(replicas), guidance.take(replicas)
        return _fit(method, part, part_guidance, settings, progress, checkpoints)

    fitted = in_parts(whole.folds.tolist(), settings.training.replicas, fit, str(method))
    probabilities = np.concatenate([part.probabilities for part in fitted])
    experts = experts_of(method, settings.model)
    pooled = _pooled(method, cohort, data, probabilities, experts, guidance.bases)
    history = pd.concat([part.history for part in fitted], ignore_index=True)
    result = replace(pooled, training=history)
    return result, joined([part.parameters for part in fitted])


def _pooled(
    method: Method,
    cohort: Roster,
    data: ReplicaData,
    probabilities: np.ndarray,
    experts: Sequence[Expert],
    bases: Bases | None,
) -> Result:
    """Return predictions and experts of all folds, without a history.

    `probabilities` are those of every replica, sample, head of the network and class.
    """
    folds = data.folds.cpu().numpy()
    predictions, pools, regressions = [], [], {}
    for fold in np.unique(folds):
        replicas = np.flatnonzero(folds == fold)
        first = int(replicas[0])
        members = [data.splits[replica] for replica in replicas]
        heads = join_members(members, probabilities[replicas])
        learn = samples_of_replica(data, first, members[0].fit)
        known = None if bases is None else bases.of(members[0])
        side = TrainingSide.of(cohort, members[0], learn, known)
        fitted = fit_experts(experts, heads.inner, side, members[0].inner)
        pool = pool_experts(fitted, side.labels)
        tests = samples_of_replica(data, first, members[0].test)
        predicted = pool.predict(heads.test, tests)
        predictions.append(prediction_table(method, members[0], Said(predicted), cohort))
        pools.append(expert_rows(method, members[0], experts, pool))
        regressions |= arrays_of_experts(members[0], experts, pool.experts)
    return Result(
        predictions=pd.concat(predictions, ignore_index=True),
        experts=pd.concat(pools, ignore_index=True),
        regressions=regressions,
    )
