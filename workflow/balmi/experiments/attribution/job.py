"""The job that attributes features: read what was trained, attribute, write tables."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

from balmi.config.methods import NETWORKS
from balmi.config.settings import Expert, Method
from balmi.data.files import read_table, write_json, write_table
from balmi.data.splits import distinct_tests
from balmi.errors import MethodNotApplicable
from balmi.evaluation.statistics import split_ratio
from balmi.experiments.attribution.gradients import attribute_fold
from balmi.experiments.attribution.tables import feature_table, modality_table
from balmi.experiments.attribution.values import value_table
from balmi.logs import followed
from balmi.methods.outcome import attempt, read_status
from balmi.methods.recipes import heads_of
from balmi.methods.restored import restored_networks, take_replicas
from balmi.networks.parameters import read_parameters
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import torch

    from balmi.config.settings import Settings
    from balmi.experiments.attribution.tables import FoldAttribution
    from balmi.methods.jobs import Loaded, TrainingInputs

logger = logging.getLogger("balmi")

ATTRIBUTION = "attribution"
METHOD = Method.BALANCED


def _usable_head(settings: Settings, ended: Path | None) -> Expert:
    """Return the joint head to look at: the mean of logits, else the first.

    The mean adds up what the modalities say, so that a feature speaks for its own modality alone.

    Raises
    ------
    MethodNotApplicable
        Where features cannot be attributed, or nobody asked for it.
    """
    if not settings.attribution.enabled:
        raise MethodNotApplicable("attribution.enabled is false")
    if ended is None:
        raise MethodNotApplicable(f"{METHOD} is not among the methods")
    state = read_status(ended)
    if state.status != "ok":
        raise MethodNotApplicable(f"{METHOD}: {state.reason}")
    heads = heads_of(METHOD, settings.model)
    if not heads:
        raise MethodNotApplicable("advanced.model.experts names no joint head of the network")
    if settings.model.graph_weight > 0:
        reason = "with model.graph_weight above 0 a sample's logits depend on other samples too"
        raise MethodNotApplicable(reason)
    return Expert.MEAN if Expert.MEAN in heads else heads[0]


def attribute_folds(
    loaded: Loaded, parameters: dict[str, torch.Tensor], settings: Settings, head: Expert
) -> list[FoldAttribution]:
    """Attribute to features what every fold's networks say of its held-out samples.

    A fold that tests the same samples as one before it is left out: it is no further evidence.

    Parameters
    ----------
    loaded
        What the networks learned from.
    parameters
        Their parameters.
    settings
        The settings: of the networks, and of the integral.
    head
        The joint head.
    """
    data, model = loaded.data, settings.model
    place = heads_of(METHOD, model).index(head)
    distinct, folds = distinct_tests(data.splits), []
    for split in followed(distinct, "attribution", "fold"):
        key = split.repeat, split.fold
        replicas = [
            replica for replica, each in enumerate(data.splits) if (each.repeat, each.fold) == key
        ]
        part, weights = data.take(replicas), take_replicas(parameters, replicas)
        network = restored_networks(METHOD, part, weights, model, loaded.information)[place]
        fitted = loaded.features.fit(split.fit).modalities
        kept = {name: modality.kept for name, modality in fitted.items()}
        folds.append(attribute_fold(network, place, part, kept, settings.attribution.steps))
    return folds


def attribute_job(
    inputs: TrainingInputs,
    model: Path | None,
    ended: Path | None,
    attribution: Path,
    attribution_modalities: Path,
    attribution_values: Path,
    status: Path,
) -> None:
    """Attribute features; write what is attributed to whom, what samples hold, and how it ended.

    Parameters
    ----------
    inputs
        What the training took.
    model, ended
        Files of the parameters of `balanced` and of how it ended; None where it was not trained.
    attribution, attribution_modalities, attribution_values, status
        Files to write. Where features cannot be attributed the tables have no rows, and `status`
        says why.
    """
    settings = inputs.settings

    def attribute() -> tuple[pd.DataFrame, ...]:
        head = _usable_head(settings, ended)
        loaded = inputs.load(NETWORKS[METHOD])
        logger.info("attributing the joint head %s of %s", head, METHOD)
        folds = attribute_folds(loaded, read_parameters(model)[0], settings, head)
        ratio = split_ratio(read_table(inputs.splits, "splits"))
        cohort, count = loaded.cohort, settings.attribution.features
        table = feature_table(folds, cohort.classes, loaded.features.names, count)
        return (
            table,
            modality_table(folds, cohort.classes, cohort.modalities, count, ratio),
            value_table(table, cohort, loaded.features),
        )

    files = {
        "attribution": attribution,
        "attribution_modalities": attribution_modalities,
        "attribution_values": attribution_values,
    }
    state, tables = attempt(ATTRIBUTION, attribute, tuple(TABLES[name].empty() for name in files))
    for (name, file), table in zip(files.items(), tables, strict=True):
        write_table(table, file, name)
    write_json(asdict(state), status)
