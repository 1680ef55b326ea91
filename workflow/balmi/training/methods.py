"""The network methods: which data, which start and which balancing rule each of them takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import torch

from balmi.config.settings import Balancing, Method
from balmi.outcome import Result, prediction_table
from balmi.training.balancing import RULES, Importance
from balmi.training.data import concatenated
from balmi.training.device import device_name
from balmi.training.distillation import load_pretrained, new_network
from balmi.training.history import history_table
from balmi.training.trainer import Objective, predict, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Model, Training
    from balmi.data.cohort import Cohort
    from balmi.information.splits import SplitInformation
    from balmi.training.data import ReplicaData


@dataclass(frozen=True)
class NetworkMethod:
    """How a network method differs from the others.

    Parameters
    ----------
    pretrained
        Whether encoders start from pretraining and distillation.
    balancing
        The rule, or None for the configured one.
    concatenated
        Whether all features go into one encoder.
    """

    pretrained: bool = False
    balancing: Balancing | None = Balancing.UNIFORM
    concatenated: bool = False


NETWORKS: dict[Method, NetworkMethod] = {
    Method.BALANCED: NetworkMethod(pretrained=True, balancing=None),
    Method.UNIFORM: NetworkMethod(),
    Method.CONCAT_MLP: NetworkMethod(concatenated=True),
}


def importance(information: SplitInformation | None, data: ReplicaData) -> Importance:
    """Return what balancing rules may know of the modalities; NaN where nothing was measured.

    Only rules that need no information work without any: NaN passes no gate.
    """
    if information is None:
        nothing = torch.full((len(data.splits), len(data.modalities)), torch.nan)
        return Importance(nothing, nothing, nothing)
    others = max(information.shared.shape[1] - 1, 1)
    return Importance(
        label=torch.from_numpy(information.label),
        shared=torch.from_numpy(information.shared.sum(axis=2) / others),
        p_value=torch.from_numpy(information.p_value),
    )


def train_method(
    method: Method,
    cohort: Cohort,
    data: ReplicaData,
    information: SplitInformation | None,
    pretrained: dict[str, torch.Tensor] | None,
    model: Model,
    training: Training,
    progress: Callable[[int, int, int], None],
) -> tuple[Result, dict[str, torch.Tensor]]:
    """Train a network method in all replicas and predict every replica's test samples.

    Parameters
    ----------
    method
        One of `NETWORKS`.
    cohort
        The cohort, for names.
    data
        The replicas' data.
    information
        What the training parts say; needed where the method has no fixed rule.
    pretrained
        Pretrained parameters; needed where the method starts from them.
    model, training
        Settings.
    progress
        Called after every epoch.

    Returns
    -------
    tuple of Result and dict
        Predictions with history, and the trained parameters.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As `balmi.training.trainer.train` does.
    """
    recipe = NETWORKS[method]
    if recipe.balancing is None and information is None:
        raise ValueError(f"{method} needs the information of the training parts")
    if recipe.concatenated:
        data = concatenated(data)
    network = new_network(data, model, training.seed, str(method))
    if recipe.pretrained:
        load_pretrained(network, pretrained)
    balancing = training.balancing if recipe.balancing is None else recipe.balancing
    known = importance(None if recipe.balancing else information, data)
    objective = Objective(RULES[balancing](known, training))
    history = train(network, data, objective, training, str(method), progress)
    probabilities = predict(network, data)[:, :, -1].double().softmax(dim=-1).cpu().numpy()
    predictions = [
        prediction_table(method, split, probabilities[replica, split.test], cohort)
        for replica, split in enumerate(data.splits)
    ]
    result = Result(
        predictions=pd.concat(predictions, ignore_index=True),
        training=history_table(
            method, "joint", history, data.modalities, data.splits, objective.joint_weight
        ),
        device=device_name(data.inputs[0].device),
    )
    return result, {key: value.cpu() for key, value in network.state_dict().items()}
