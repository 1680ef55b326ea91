"""Training the networks of a final model: on all samples, as on the training side of a fold.

Each of its networks holds out another inner fold, by which its epoch is chosen; on what was held
out, temperatures and weights are learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.config.methods import NETWORKS
from balmi.data.splits import whole_split
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.logs import Progress
from balmi.methods.experts import restored_experts
from balmi.methods.fitted import TrainedFiles
from balmi.methods.peers.side import TrainingSide
from balmi.methods.pipeline import train_networks
from balmi.methods.recipes import (
    experts_of,
    heads_of,
    importance_of,
    prior_knowledge,
    seen_by,
)
from balmi.prediction.networks import Networks

if TYPE_CHECKING:
    import numpy as np

    from balmi.config.settings import Method, Settings
    from balmi.data.cohort import Cohort
    from balmi.preprocess.features import Features

_ENDS = {"not_applicable": MethodNotApplicable, "failed": MethodFailed}


def fit_networks(
    method: Method, cohort: Cohort, features: Features, rows: np.ndarray, settings: Settings
) -> Networks:
    """Train a network method on some samples, and keep of it what predicts.

    Parameters
    ----------
    method
        One of `balmi.config.methods.NETWORKS`.
    cohort, features
        The cohort and its features.
    rows
        Sorted rows of the samples.
    settings
        The configuration. No GPU is used.

    Raises
    ------
    MethodNotApplicable, MethodFailed
        As the method does, and where networks pass messages on training samples, which no model
        stores.
    """
    if NETWORKS[method].passes_messages(settings.model):
        raise MethodNotApplicable(
            "its networks pass messages on the network of all training samples"
            " (model.graph_weight above 0), which no model stores"
        )
    split = whole_split(rows, cohort, settings.evaluation)
    settings = settings.with_gpus(0)
    trained = train_networks(method, cohort, features, [split], settings, Progress)
    if trained.status.status in _ENDS:
        raise _ENDS[trained.status.status](trained.status.reason)
    model, data = settings.model, trained.data
    names, result = experts_of(method, model), trained.result
    samples = features.apply(features.fit(rows), rows)
    known = None if trained.bases is None else trained.bases.of(split)
    side = TrainingSide.of(cohort, split, samples, known)
    files = TrainedFiles(trained.parameters, result.experts, result.regressions, None)
    temperatures, weights = files.pool(split, names)
    seen = seen_by(method, data)
    return Networks(
        method=str(method),
        widths=tuple(widths[0] for widths in data.widths),
        classes=data.classes,
        hidden=model.hidden,
        linear_path=model.linear_path,
        heads=tuple(map(str, heads_of(method, model))),
        importance=importance_of(prior_knowledge(trained.information, seen, model)).numpy(),
        parameters={name: value.numpy() for name, value in trained.parameters.items()},
        experts=tuple(restored_experts(split, names, result.regressions, side)),
        temperatures=temperatures,
        weights=weights,
    )
