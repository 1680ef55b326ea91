"""The job that attributes features: read what was trained, attribute, write tables."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Expert, Method
from balmi.data.files import write_json, write_table
from balmi.data.splits import distinct_tests
from balmi.errors import MethodNotApplicable
from balmi.experiments.attribution.gradients import attribute_fold
from balmi.experiments.attribution.tables import feature_table, modality_table
from balmi.methods.outcome import attempt, read_status
from balmi.methods.recipes import heads_of
from balmi.methods.restored import restored_networks, take_replicas
from balmi.networks.parameters import read_parameters
from balmi.preprocess.pipeline import Features
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import torch

    from balmi.config.settings import Attribution
    from balmi.data.cohort import Cohort
    from balmi.experiments.attribution.tables import FoldAttribution
    from balmi.information.splits import SplitInformation
    from balmi.methods.jobs import TrainingInputs
    from balmi.networks.data import ReplicaData

logger = logging.getLogger("balmi")

ATTRIBUTION = "attribution"
METHOD = Method.BALANCED


def _usable_head(inputs: TrainingInputs, settings: Attribution, ended: Path | None) -> Expert:
    """Return the joint head to look at: the mean of logits, else the first.

    The mean adds up what the modalities say, so that a feature speaks for its own modality alone.

    Raises
    ------
    MethodNotApplicable
        Where features cannot be attributed, or nobody asked for it.
    """
    if not settings.enabled:
        raise MethodNotApplicable("attribution.enabled is false")
    if ended is None:
        raise MethodNotApplicable(f"{METHOD} is not among the methods")
    state = read_status(ended)
    if state.status != "ok":
        raise MethodNotApplicable(f"{METHOD}: {state.reason}")
    heads = heads_of(METHOD, inputs.model)
    if not heads:
        raise MethodNotApplicable("model.experts names no joint head of the network")
    if inputs.model.graph_weight > 0:
        reason = "with model.graph_weight above 0 a sample's logits depend on other samples too"
        raise MethodNotApplicable(reason)
    return Expert.MEAN if Expert.MEAN in heads else heads[0]


def attribute_folds(
    cohort: Cohort,
    data: ReplicaData,
    parameters: dict[str, torch.Tensor],
    information: SplitInformation,
    inputs: TrainingInputs,
    head: Expert,
    steps: int,
) -> list[FoldAttribution]:
    """Attribute to features what every fold's networks say of its held-out samples.

    A fold that tests the same samples as one before it is left out: it is no further evidence.

    Parameters
    ----------
    cohort
        The cohort.
    data
        The data that the networks learned from.
    parameters
        Their parameters.
    information
        What the training parts say.
    inputs
        Settings.
    head
        The joint head.
    steps
        Points of the quadrature.
    """
    features = Features(cohort, inputs.preprocessing.max_features)
    place = heads_of(METHOD, inputs.model).index(head)
    distinct, found = distinct_tests(data.splits), []
    for done, split in enumerate(distinct, start=1):
        key = split.repeat, split.fold
        replicas = [
            replica for replica, each in enumerate(data.splits) if (each.repeat, each.fold) == key
        ]
        part, own = data.take(replicas), take_replicas(parameters, replicas)
        network = restored_networks(METHOD, part, own, inputs.model, information)[place]
        fit = part.splits[0].fit
        kept = {name: features.fitted(name, fit).kept for name in cohort.modalities}
        found.append(attribute_fold(network, place, part, kept, steps))
        logger.info("attributed features in fold %d of %d", done, len(distinct))
    return found


def attribute_job(
    inputs: TrainingInputs,
    settings: Attribution,
    model: Path | None,
    ended: Path | None,
    attribution: Path,
    attribution_modalities: Path,
    status: Path,
) -> None:
    """Attribute features; write what is attributed to them, to modalities, and how it ended.

    Parameters
    ----------
    inputs
        What the training took.
    settings
        Steps of the integral and features to list.
    model, ended
        Files of the parameters of `balanced` and of how it ended; None where it was not trained.
    attribution, attribution_modalities, status
        Files to write. Where features cannot be attributed both tables have no rows, and `status`
        says why.
    """

    def attribute() -> tuple[pd.DataFrame, pd.DataFrame]:
        head = _usable_head(inputs, settings, ended)
        cohort, data, information = inputs.load(inputs.training.members)
        logger.info("attributing the joint head %s of %s", head, METHOD)
        parameters, _ = read_parameters(model)
        folds = attribute_folds(cohort, data, parameters, information, inputs, head, settings.steps)
        ratio = float(np.mean([len(each.test) / len(each.fit) for each in data.splits]))
        classes, count = cohort.classes, settings.features
        return (
            feature_table(folds, classes, cohort.features, count),
            modality_table(folds, classes, cohort.modalities, count, ratio),
        )

    none = TABLES["attribution"].empty(), TABLES["attribution_modalities"].empty()
    state, (features, modalities) = attempt(ATTRIBUTION, attribute, none)
    write_table(features, attribution, "attribution")
    write_table(modalities, attribution_modalities, "attribution_modalities")
    write_json(asdict(state), status)
