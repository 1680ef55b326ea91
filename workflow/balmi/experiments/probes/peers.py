"""The job of a peer that is probed: in every fold it is fitted, and asked of altered samples.

What it has learned from a fold is forgotten before the next: forests and machines of all folds
together may be larger than all else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.experiments.probes.alterations import empty_probes, probe_table
from balmi.experiments.probes.outcome import attempt_probes, write_probes
from balmi.logs import followed
from balmi.methods.outcome import Result, attempt, merged, write_outcome
from balmi.methods.peers.bases import read_bases
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.files import read_features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from balmi.config.settings import Method, Robustness
    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.outcome import Status
    from balmi.methods.peers.bases import Bases
    from balmi.methods.peers.registry import FittedPeer
    from balmi.preprocess.features import Features


@dataclass
class Part:
    """What one of the two tasks gave in the folds so far.

    Parameters
    ----------
    empty
        What stands for its table where it did not end well in every fold.
    tables, ends
        Its table and how it ended, of every fold.
    """

    empty: pd.DataFrame
    tables: list[pd.DataFrame] = field(default_factory=list)
    ends: list[Status] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether it has ended well in all folds so far."""
        return all(end.status == "ok" for end in self.ends)

    @property
    def status(self) -> Status:
        """How it ended in all folds."""
        return merged(self.ends)

    @property
    def table(self) -> pd.DataFrame:
        """The rows of all folds; none where a fold did not end well."""
        return pd.concat(self.tables, ignore_index=True) if self.well else self.empty


def fit_and_probe(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    settings: Robustness,
    bases: Bases | None = None,
) -> tuple[Part, Part]:
    """Fit a peer in every fold, predict its test samples, and altered ones.

    Parameters
    ----------
    method
        The peer.
    cohort, features, splits
        The cohort, its features and its folds.
    settings
        Levels of noise, seed.
    bases
        The modalities' regressions, where they were fitted before.

    Returns
    -------
    tuple of Part
        Of fitting, whose table are predictions, and of probing. Fitting ends at the first fold that
        does not end well, and so does probing, without which fitting goes on.
    """
    fitting, probing = (
        Part(Result.none(cohort.classes).predictions),
        Part(empty_probes(cohort.classes)),
    )
    for split in followed(splits, str(method), "fold"):
        learned: list[FittedPeer] = []

        def fit(split: Split = split, learned: list[FittedPeer] = learned) -> pd.DataFrame:
            kept = learned.append
            return fit_baseline(method, cohort, features, [split], bases, kept).predictions

        def ask(split: Split = split, learned: list[FittedPeer] = learned) -> pd.DataFrame:
            return probe_table(method, cohort, features, [split], settings, lambda *_: learned[0])

        _do(fitting, str(method), fit)
        if not fitting.well:
            break
        if probing.well:
            _do(probing, str(method), ask)
    return fitting, probing


def _do(part: Part, name: str, work: Callable[[], pd.DataFrame]) -> None:
    status, table = attempt(name, work, part.empty)
    part.ends.append(status)
    part.tables.append(table)


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
        Files to write, as `balmi.experiments.probes.outcome.write_probes` does.
    """
    cohort = read_roster(inputs["samples"])
    splits = read_splits(inputs["splits"], cohort)
    features = read_features(inputs["preprocessing"], cohort, splits)
    bases = read_bases(inputs["bases"], cohort, splits) if inputs.get("bases") else None
    fitting, probing = fit_and_probe(method, cohort, features, splits, settings, bases)
    ended = fitting.status if bases is None else fitting.status.with_cost_of([bases.status])
    write_outcome(ended, Result(fitting.table), predictions, status)
    if fitting.well:
        write_probes(probing.status, probing.table, cohort, splits, probes, probes_status)
    else:
        attempt_probes(ended, lambda: probing.empty, cohort, splits, probes, probes_status)
