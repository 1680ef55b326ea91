"""The job that probes a method: peers are fitted once per fold, networks are restored."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import torch

from balmi.config.methods import NETWORKS
from balmi.data.cohort import read_roster
from balmi.data.files import read_table, write_json, write_table
from balmi.data.splits import read_splits
from balmi.errors import MethodNotApplicable
from balmi.experiments.probes.alterations import empty_probes, probe_table, skipped
from balmi.information.files import read_split_information
from balmi.methods.fitted import TrainedFiles, restored_fold
from balmi.methods.outcome import attempt, read_status
from balmi.methods.peers.registry import PEERS
from balmi.networks.data import replica_data
from balmi.networks.parameters import read_parameters
from balmi.preprocess.files import read_features

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from balmi.config.settings import Method, Settings
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.experiments.probes.alterations import Fit
    from balmi.methods.fitted import FittedNetwork
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.features import Features


def probe(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    settings: Settings,
    trained: TrainedFiles | None,
) -> pd.DataFrame:
    """Return what a method says of the test samples of every fold under every probe.

    Parameters
    ----------
    method
        A peer, or a network method.
    cohort, features, splits
        The cohort, its features and its folds.
    settings
        The settings.
    trained
        What a network method left behind; None for a peer.

    Raises
    ------
    MethodNotApplicable
        Where test samples shape the network on which messages are passed.
    """
    if trained is None:
        return probe_table(method, cohort, features, splits, settings.robustness, _refitted(method))
    recipe = NETWORKS[method]
    if settings.graph.transductive and recipe.passes_messages(settings.model):
        raise MethodNotApplicable(
            "test samples shape the network (advanced.graph.transductive), so that altered ones"
            " would change what was learned"
        )
    members = recipe.members(settings.training)
    data = replica_data(cohort, features, splits, None, torch.device("cpu"), members=members)

    def restored(fold: int, side: TrainingSide) -> FittedNetwork:
        return restored_fold(method, data, fold, side, trained, settings.model, settings.graph)

    return probe_table(method, cohort, features, splits, settings.robustness, restored)


def _refitted(method: Method) -> Fit:
    """Return what fits a peer to a fold again."""
    return lambda fold, side: PEERS[method](side)


def probe_job(
    method: Method,
    settings: Settings,
    inputs: dict[str, Path],
    probes: Path,
    status: Path,
) -> None:
    """Probe a method; write what it says, and how it ended.

    Parameters
    ----------
    method
        The method.
    settings
        The settings.
    inputs
        Files: samples, splits, preprocessing and status; parameters and experts of a network
        method, and information where it asked for any.
    probes, status
        Files to write. `probes` has no rows where the method did not end well, or cannot be
        probed; `status` says why, as a row of ``tables/robustness_status.csv``, or names the
        modalities and folds that were skipped.
    """
    cohort = read_roster(inputs["samples"])
    splits = read_splits(inputs["splits"], cohort)

    def ask() -> pd.DataFrame:
        before = read_status(inputs["status"])
        if before.status != "ok":
            raise MethodNotApplicable(f"{method}: {before.reason}")
        trained = _read(inputs) if method in NETWORKS else None
        features = read_features(inputs["preprocessing"], cohort, splits)
        return probe(method, cohort, features, splits, settings, trained)

    state, table = attempt(method, ask, empty_probes(cohort.classes))
    if state.status == "ok":
        state = replace(state, reason=skipped(cohort, splits))
    write_table(table, probes, "probes")
    write_json([{"kind": "probes", "level": None} | asdict(state)], status)


def _read(inputs: dict[str, Path]) -> TrainedFiles:
    information = inputs.get("information")
    return TrainedFiles(
        parameters=read_parameters(inputs["parameters"])[0],
        experts=read_table(inputs["experts"], "experts"),
        information=None if information is None else read_split_information(information),
    )
