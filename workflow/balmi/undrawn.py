"""Figures that jobs could not draw: what the end of a run says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.again import UNDRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable


def what_is_undrawn(logs: Iterable[str]) -> str:
    """Return lines that name the jobs that could not draw, and why; nothing where all could.

    Parameters
    ----------
    logs
        The jobs' logs.
    """
    told = {log: reason for log in logs if (reason := UNDRAWN.reason(log))}
    lines = ["", "Figures that could not be drawn:", *(f"  {log}" for log in told)]
    return "\n".join([*lines, *dict.fromkeys(told.values())]) if told else ""
