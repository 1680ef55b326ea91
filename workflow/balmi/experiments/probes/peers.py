"""The job of a peer that is probed: it is fitted once, predicts test samples, and altered ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.experiments.probes.alterations import probe_table
from balmi.experiments.probes.outcome import attempt_probes
from balmi.methods.outcome import write_outcome
from balmi.methods.peers.bases import read_bases
from balmi.methods.peers.run import baseline_stage
from balmi.preprocess.files import read_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from balmi.config.settings import Method, Robustness
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.peers.registry import FittedPeer
    from balmi.preprocess.features import Features


def probe_peer(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    settings: Robustness,
    learned: Sequence[FittedPeer],
) -> pd.DataFrame:
    """Return what a peer says of the test samples of every fold under every probe.

    Parameters
    ----------
    method
        The peer.
    cohort, features, splits
        The cohort, its features and its folds.
    settings
        Levels of noise, seed.
    learned
        The peer as it has learned from each fold.
    """
    return probe_table(method, cohort, features, splits, settings, lambda fold, side: learned[fold])


def fit_probed_job(
    method: Method,
    settings: Robustness,
    inputs: Mapping[str, Path],
    predictions: Path,
    status: Path,
    probes: Path,
    probes_status: Path,
) -> None:
    """Fit a peer, predict and probe it; write what it says, and how both ended.

    What it has learned from all folds is in memory until it has been probed.

    Parameters
    ----------
    method
        The peer.
    settings
        Levels of noise, seed.
    inputs
        Files: samples, splits, preprocessing, and bases where the peer rests on any.
    predictions, status
        Files to write, as a peer that is not probed does.
    probes, probes_status
        Files to write, as `balmi.experiments.probes.outcome.attempt_probes` does.
    """
    cohort = read_roster(inputs["samples"])
    splits = read_splits(inputs["splits"], cohort)
    features = read_features(inputs["preprocessing"], cohort, splits)
    bases = read_bases(inputs["bases"], cohort, splits) if inputs.get("bases") else None
    learned: list[FittedPeer] = []
    ended, result = baseline_stage(method, cohort, features, splits, bases, learned.append)
    write_outcome(ended, result, predictions, status)

    def ask() -> pd.DataFrame:
        return probe_peer(method, cohort, features, splits, settings, learned)

    attempt_probes(ended, ask, cohort, splits, probes, probes_status)
