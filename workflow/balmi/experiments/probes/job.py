"""The job that probes a network method: its networks and experts are restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from balmi.config.methods import NETWORKS
from balmi.data.cohort import read_roster
from balmi.data.files import read_table
from balmi.data.splits import read_splits
from balmi.data.tensors import read_tensors
from balmi.errors import MethodNotApplicable
from balmi.experiments.probes.alterations import probe_table
from balmi.experiments.probes.outcome import attempt_probes
from balmi.information.files import read_split_information
from balmi.methods.fitted import TrainedFiles, restored_fold
from balmi.methods.outcome import read_status
from balmi.methods.peers.bases import read_bases
from balmi.networks.data import replica_data
from balmi.networks.parameters import read_parameters
from balmi.preprocess.files import read_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from balmi.config.settings import Method, Settings
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.fitted import FittedNetwork
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.features import Features


def probe(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    settings: Settings,
    trained: TrainedFiles,
) -> pd.DataFrame:
    """Return what a network method says of the test samples of every fold under every probe.

    Parameters
    ----------
    method
        A network method.
    cohort, features, splits
        The cohort, its features and its folds.
    settings
        The settings.
    trained
        What the method left behind.

    Raises
    ------
    MethodNotApplicable
        Where test samples shape the network on which messages are passed.
    """
    recipe = NETWORKS[method]
    if settings.graph.transductive and recipe.passes_messages(settings.model):
        raise MethodNotApplicable(
            "test samples shape the network (advanced.graph.transductive), so that altered ones"
            " would change what was learned"
        )
    members = recipe.members(settings.training, len(cohort.samples))
    data = replica_data(cohort, features, splits, None, torch.device("cpu"), members=members)

    def restored(fold: int, side: TrainingSide) -> FittedNetwork:
        return restored_fold(method, data, fold, side, trained, settings.model, settings.graph)

    return probe_table(method, cohort, features, splits, settings.robustness, restored)


def probe_job(
    method: Method,
    settings: Settings,
    inputs: Mapping[str, Path],
    probes: Path,
    status: Path,
) -> None:
    """Probe a network method; write what it says, and how it ended.

    Parameters
    ----------
    method
        The method.
    settings
        The settings.
    inputs
        Files: samples, splits, preprocessing; status, parameters, experts and regressions of the
        method; and information and bases where it asked for any.
    probes, status
        Files to write, as `balmi.experiments.probes.outcome.attempt_probes` does.
    """
    cohort = read_roster(inputs["samples"])
    splits = read_splits(inputs["splits"], cohort)

    def ask() -> pd.DataFrame:
        features = read_features(inputs["preprocessing"], cohort, splits)
        trained = _read(inputs, cohort, splits)
        return probe(method, cohort, features, splits, settings, trained)

    attempt_probes(read_status(inputs["status"]), ask, cohort, splits, probes, status)


def _read(inputs: Mapping[str, Path], cohort: Roster, splits: Sequence[Split]) -> TrainedFiles:
    information, bases = inputs.get("information"), inputs.get("bases")
    return TrainedFiles(
        parameters=read_parameters(inputs["parameters"])[0],
        experts=read_table(inputs["experts"], "experts"),
        regressions=read_tensors(inputs["regressions"])[0],
        information=None if information is None else read_split_information(information),
        bases=None if bases is None else read_bases(bases, cohort, splits),
    )
