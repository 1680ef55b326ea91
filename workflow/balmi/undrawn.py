"""Figures that a job could not draw: noted beside its log, so that the next run tries again.

A page without its figures is a whole file to Snakemake, which would never make it anew. So the time
of the note is among the parameters of the rule: a job that cannot draw writes a new one, which
differs from what Snakemake remembers; one that can leaves the time as it was.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDING = ".undrawn"


def _read(log: str | Path) -> dict[str, Any]:
    path = Path(log).with_suffix(ENDING)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"since": None, "reason": None}


def note_undrawn(log: str | Path, reason: str | None) -> None:
    """Note whether a job could draw.

    Parameters
    ----------
    log
        The job's log.
    reason
        Why it could not; None where it could.
    """
    before = _read(log)
    if reason == before["reason"] is None:
        return
    since = before["since"] if reason is None else time.time_ns()
    text = json.dumps({"since": since, "reason": reason}) + "\n"
    Path(log).with_suffix(ENDING).write_text(text, encoding="utf-8")


def undrawn_since(log: str | Path) -> int | None:
    """Return when a job could not draw for the last time, in nanoseconds; None where it always did.

    Parameters
    ----------
    log
        The job's log.
    """
    return _read(log)["since"]


def what_is_undrawn(logs: Iterable[str]) -> str:
    """Return lines that name the jobs that could not draw, and why; nothing where all could.

    Parameters
    ----------
    logs
        The jobs' logs.
    """
    told = {log: reason for log in logs if (reason := _read(log)["reason"])}
    lines = ["", "Figures that could not be drawn:", *(f"  {log}" for log in told)]
    return "\n".join([*lines, *dict.fromkeys(told.values())]) if told else ""
