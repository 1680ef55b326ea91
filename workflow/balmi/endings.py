"""What a run says when it ends: what was found and where the pages are, or why jobs failed."""

from __future__ import annotations

import json
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.faults import MEMORY_HELP, TIME_HELP

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ", re.MULTILINE)
MEMORY = re.compile(r"may use (\d+) MB of memory")
MOST_TOLD = 5  # pages whose conclusions have a line each, and their numbers
LOST = "the cluster took the job's machine away: run the same command again, the run goes on"
# What SLURM says of a job that could not say it itself.
STATES = {
    "OUT_OF_MEMORY": f"killed for want of memory: {MEMORY_HELP}",
    "TIMEOUT": f"killed at its limit of time: {TIME_HELP}",
    "DEADLINE": f"killed at its limit of time: {TIME_HELP}",
    "CANCELLED": "cancelled from outside: run the same command again, the run goes on",
    "NODE_FAIL": LOST,
    "BOOT_FAIL": LOST,
    "PREEMPTED": LOST,
}


def what_was_found(results: str | Path, datasets: Iterable[str], seconds: float) -> str:
    """Return what is found of every dataset and where its page is; nothing where no page is there.

    Parameters
    ----------
    results
        The folder of the results.
    datasets
        Names of datasets, and of predictions.
    seconds
        How long the run took.

    Returns
    -------
    str
        Of few pages each conclusion with its number, of more than `MOST_TOLD` all in a line.
    """
    folder = Path(results)
    pages = {name: folder / name / "report.html" for name in datasets}
    pages = {name: page for name, page in pages.items() if page.is_file()}
    if not pages:
        return ""
    lines = ["", f"Results ({_duration(seconds)}):"]
    for name, page in pages.items():
        said = _concluded(page.parent, briefly=len(pages) > MOST_TOLD)
        lines += [f"  {name}: {page}", *(f"    {each}" for each in said)]
    overview = folder / "overview.html"
    return "\n".join([*lines, f"  all datasets: {overview}"] if overview.is_file() else lines)


def _concluded(folder: Path, briefly: bool) -> list[str]:
    """Return what the page in a folder concludes, briefly in one line; nothing of none."""
    view = folder / "view.json"
    if not view.is_file():
        return []
    page = json.loads(view.read_text(encoding="utf-8"))
    conclusions = page.get("conclusions", ())
    if briefly and conclusions:
        return [" ".join(each["sentence"] for each in conclusions)]
    return [_with_value(each) for each in conclusions]


def _with_value(conclusion: dict[str, str | None]) -> str:
    sentence, value = conclusion["sentence"], conclusion["value"]
    return f"{sentence} [{value}]" if value else f"{sentence}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    Parameters
    ----------
    rule
        The job's rule.
    logs
        Its own log, and those that the scheduler keeps of it.
    said
        What the scheduler says of it.
    """

    rule: str
    logs: tuple[str, ...]
    said: str

    def reason(self, since: float = 0.0) -> str:
        """Return why the job failed: what it says itself, or else what its silence means.

        Parameters
        ----------
        since
            When the run began, in seconds; an older log is of another run.
        """
        text = _written(self.logs[0], since) if self.logs else None
        reason = _last_error(text or "") or self._told() or self._silence(text)
        return reason.replace("RULE:", f"{self.rule}:")  # in a command that helps

    def _told(self) -> str | None:
        """Return what the scheduler's word for the job's end means."""
        state = next((each for each in STATES if f"'{each}" in self.said), None)
        return state and STATES[state]

    def _silence(self, text: str | None) -> str:
        """Return what it means that a job's log tells of no error."""
        if text is None:
            more = " and ".join(self.logs[1:]) or "the lines above"
            reason = f"it failed before it could write a log; {more} may say more"
        else:
            memory = MEMORY.search(text)
            known = f" (this one might use {int(memory[1]):,} MB)" if memory else ""
            reason = (
                "it ended without a word, as what is killed does, most often for want of"
                f" memory{known}: {MEMORY_HELP}"
            )
        said, _, _ = self.said.partition(". ")  # what follows refers to the logs
        return f"{reason}; {said}" if said else reason


def _written(log: str, since: float) -> str | None:
    """Return what a log says, or None where nothing was written to it in this run."""
    path = Path(log)
    try:
        return path.read_text("utf-8", "replace") if path.stat().st_mtime >= since else None
    except OSError:
        return None


def _last_error(text: str) -> str | None:
    """Return the last error that a job's log tells of; of a traceback, its last line."""
    _, *parts = ENTRY.split(text)
    entries = zip(parts[::2], parts[1::2], strict=True)
    errors = [entry.strip() for level, entry in entries if level == "ERROR"]
    if not errors:
        return None
    head, traceback, rest = errors[-1].partition("\nTraceback (most recent call last):")
    return f"{head}: {rest.splitlines()[-1]}" if traceback else errors[-1]


class Failures(logging.Handler):
    """Hears from Snakemake's log which jobs failed, and did not succeed when tried again."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.time()
        self._since = self._started - 1  # clocks of file systems are coarse
        self._failed: dict[int, Failure] = {}

    @property
    def seconds(self) -> float:
        """How long the run takes until now."""
        return time.time() - self._started

    def emit(self, record: logging.LogRecord) -> None:
        """Note a job that failed, and forget one that finished after all."""
        event = getattr(getattr(record, "event", None), "name", None)
        if event == "JOB_ERROR":
            logs = tuple(map(str, record.log or ()))
            self._failed[record.jobid] = Failure(record.rule_name, logs, record.rule_msg or "")
        elif event == "JOB_FINISHED":
            self._failed.pop(record.job_id, None)

    def __str__(self) -> str:
        """Return every failed job with its log and the reason."""
        if not self._failed:
            return ""
        lines = ["", "Failed jobs:"]
        for number, failure in enumerate(self._failed.values(), start=1):
            reason = failure.reason(self._since).replace("\n", "\n      ")
            log = failure.logs[0] if failure.logs else "no log"
            lines += [f"  {number}. {failure.rule} ({log})", f"      {reason}"]
        return "\n".join(lines)
