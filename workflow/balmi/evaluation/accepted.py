"""What the reading of a cohort's files accepted, though it may mean something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.trust import Finding, State
from balmi.numerals import counted

if TYPE_CHECKING:
    from balmi.data.cohort import Roster

MOST_NAMED = 3


def inputs(cohort: Roster) -> Finding:
    """Return a caution where anything in the files was accepted with a warning.

    Parameters
    ----------
    cohort
        The cohort; ``provenance["warnings"]`` holds the warnings, each with its file and place. A
        cohort that was assembled before there were any has none.
    """
    told: list[str] = cohort.provenance.get("warnings", [])  # type: ignore[assignment]
    if not told:
        return Finding(State.PASS, "no warning", "Nothing in the files looked out of place.")
    more = len(told) - MOST_NAMED
    listed = ". ".join([*told[:MOST_NAMED], *[f"And {more} more"] * (more > 0)])
    detail = f"Accepted, but see that it is meant so: {listed}."
    return Finding(State.CAUTION, counted(len(told), "warning"), detail)
