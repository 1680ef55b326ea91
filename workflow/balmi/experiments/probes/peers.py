"""The job of peers that are probed, or rest on each other: in every fold they are fitted and asked.

What they have learned from a fold is forgotten before the next: forests and machines of all folds
together may be larger than all else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

import pandas as pd

from balmi.data.cohort import read_roster
from balmi.data.splits import read_splits
from balmi.experiments.probes.alterations import empty_probes, probe_table
from balmi.experiments.probes.outcome import attempt_probes, write_probes
from balmi.logs import followed
from balmi.methods.outcome import Result, attempt, merged, write_outcome
from balmi.methods.peers.bases import read_bases
from balmi.methods.peers.run import Fold, fit_in_fold
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


@dataclass(frozen=True)
class Job:
    """What a peer gave in one job: its predictions and, where it was probed, what that gave.

    Parameters
    ----------
    fitting
        Of fitting, whose table are predictions. It ends at the first fold that does not end well.
    probing
        Of probing; None where that was not asked for. It ends where fitting does, and without it
        fitting goes on.
    """

    fitting: Part
    probing: Part | None


def fit_and_probe(
    methods: Mapping[Method, bool],
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    settings: Robustness,
    bases: Bases | None = None,
) -> dict[Method, Job]:
    """Fit peers in every fold, predict its test samples and, where asked for, altered ones.

    Parameters
    ----------
    methods
        The peers -> whether each is probed. What one has learned of single modalities is there for
        those that come after it (`balmi.methods.peers.side.TrainingSide.lesson`).
    cohort, features, splits
        The cohort, its features and its folds.
    settings
        Levels of noise, seed.
    bases
        The modalities' regressions, where they were fitted before.

    Returns
    -------
    dict of Method to Job
        Method -> what it gave.
    """
    none, unprobed = Result.none(cohort.classes).predictions, empty_probes(cohort.classes)
    jobs = {
        method: Job(Part(none), Part(unprobed) if probed else None)
        for method, probed in methods.items()
    }
    for split in followed(splits, " and ".join(methods), "fold"):
        fold = cache(partial(Fold.of, cohort, features, split, bases))
        for method, job in jobs.items():
            if job.fitting.well:
                _fit_and_probe_in_fold(method, job, fold, cohort, features, settings)
    return jobs


def _fit_and_probe_in_fold(
    method: Method,
    job: Job,
    fold: Callable[[], Fold],
    cohort: Roster,
    features: Features,
    settings: Robustness,
) -> None:
    """Fit a peer in one more fold, and probe it; `fold` makes what peers share of it, once."""
    learned: list[FittedPeer] = []

    def fit() -> pd.DataFrame:
        return fit_in_fold(method, fold(), cohort, learned.append)

    def ask() -> pd.DataFrame:
        known, split = lambda *_: learned[0], fold().split
        return probe_table(method, cohort, features, [split], settings, known)

    _do(job.fitting, str(method), fit)
    if job.fitting.well and job.probing is not None and job.probing.well:
        _do(job.probing, str(method), ask)


def _do(part: Part, name: str, work: Callable[[], pd.DataFrame]) -> None:
    status, table = attempt(name, work, part.empty)
    part.ends.append(status)
    part.tables.append(table)


def fit_peers_job(
    methods: Sequence[Method],
    probed: Sequence[Method],
    settings: Robustness,
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Sequence[Path]],
) -> None:
    """Fit peers, predict and probe them; write what they say, and how all of it ended.

    The cost of a peer has that of those before it in it, on which it rests.

    Parameters
    ----------
    methods
        The peers.
    probed
        Those of them that are probed.
    settings
        Levels of noise, seed.
    inputs
        Files: samples, splits, preprocessing, and bases where the peers rest on any.
    outputs
        Files to write: predictions and status of every peer, as a peer that is not probed writes
        them; probes and probes_status of every one that is probed, as
        `balmi.experiments.probes.outcome.write_probes` does.
    """
    cohort = read_roster(inputs["samples"])
    splits = read_splits(inputs["splits"], cohort)
    features = read_features(inputs["preprocessing"], cohort, splits)
    bases = read_bases(inputs["bases"], cohort, splits) if inputs.get("bases") else None
    asked = {method: method in probed for method in methods}
    jobs = fit_and_probe(asked, cohort, features, splits, settings, bases)
    before = [] if bases is None else [bases.status]
    for method, *files in zip(methods, outputs["predictions"], outputs["status"], strict=True):
        fitting = jobs[method].fitting
        ended = fitting.status.with_cost_of(before)
        before.append(fitting.status)
        write_outcome(ended, Result(fitting.table), *files)
    for method, *files in zip(probed, outputs["probes"], outputs["probes_status"], strict=True):
        _write_probes(jobs[method], cohort, splits, *files)


def _write_probes(
    job: Job, cohort: Roster, splits: Sequence[Split], probes: Path, status: Path
) -> None:
    """Write what a peer says of altered samples, or that it did not end well and was not asked."""
    fitting, probing = job.fitting, job.probing
    if fitting.well:
        write_probes(probing.status, probing.table, cohort, splits, probes, status)
    else:
        attempt_probes(fitting.status, lambda: probing.empty, cohort, splits, probes, status)
