"""How probing a method ends: a table of what it says, and a status."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from balmi.data.files import write_json, write_table
from balmi.errors import MethodNotApplicable
from balmi.experiments.probes.alterations import empty_probes, skipped
from balmi.methods.outcome import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.outcome import Status


def attempt_probes(
    ended: Status,
    ask: Callable[[], pd.DataFrame],
    cohort: Roster,
    splits: Sequence[Split],
    probes: Path,
    status: Path,
) -> None:
    """Probe a method; write what it says, and how it ended.

    Parameters
    ----------
    ended
        How the method itself ended. One that did not end well is not asked.
    ask
        Returns what the method says, as `balmi.experiments.probes.alterations.probe_table` does.
    cohort, splits
        The cohort and its folds.
    probes, status
        Files to write. `probes` has no rows where the method did not end well, or cannot be
        probed; `status` says why, as a row of ``tables/robustness_status.csv``, or names the
        modalities and folds that were skipped.
    """

    def ask_if_well() -> pd.DataFrame:
        if ended.status != "ok":
            raise MethodNotApplicable(f"{ended.method}: {ended.reason}")
        return ask()

    state, table = attempt(ended.method, ask_if_well, empty_probes(cohort.classes))
    write_probes(state, table, cohort, splits, probes, status)


def write_probes(
    state: Status,
    table: pd.DataFrame,
    cohort: Roster,
    splits: Sequence[Split],
    probes: Path,
    status: Path,
) -> None:
    """Write what a method says of altered samples, and how asking it ended.

    Parameters
    ----------
    state
        How it ended.
    table
        What it says.
    cohort, splits, probes, status
        As in `attempt_probes`.
    """
    if state.status == "ok":
        state = replace(state, reason=skipped(cohort, splits))
    write_table(table, probes, "probes")
    write_json([{"kind": "probes", "level": None} | asdict(state)], status)
