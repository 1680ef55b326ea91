"""The trust checklist as a table: how a check ends, and what a failed control withholds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class State(StrEnum):
    """How a check ended."""

    PASS = "pass"
    CAUTION = "caution"
    FAIL = "fail"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    state
        How it ended.
    value
        What was measured, or None where nothing was.
    detail
        What that means and what to do, in plain words.
    """

    state: State
    value: str | None
    detail: str


CONTROL_CHECKS = {"leak control": "leak", "label shuffle": "labels"}  # check -> control
STRUCTURE = "group structure"
LABEL_SOURCE = "label source"  # only where the label is known to be derived from a modality
# Without these no difference can be believed: a leak, or copies that are learned from and tested.
DECISIVE = (*CONTROL_CHECKS, STRUCTURE)


def withheld(trust: pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the failed checks that withhold every verdict.

    Parameters
    ----------
    trust
        As in ``tables/trust.csv``.
    """
    failed = trust[trust["check"].isin(DECISIVE) & (trust["state"] == State.FAIL)]
    return tuple(failed["check"])
