"""The view of the trust checklist: what was checked, how it ended, and what that withholds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.trust import State, withheld
from balmi.numerals import counted
from balmi.report.conclusions.trust import reason_of
from balmi.report.kit.words import joined

if TYPE_CHECKING:
    import pandas as pd

STATES = tuple(map(str, State))


@dataclass(frozen=True)
class Check:
    """A check: how it ended, what was measured, and what that means."""

    name: str
    state: str
    value: str | None
    detail: str


@dataclass(frozen=True)
class TrustView:
    """The checklist, and the failed checks that withhold every verdict."""

    checks: tuple[Check, ...]
    failed: tuple[str, ...]

    @property
    def reason(self) -> str | None:
        """Why verdicts are withheld, or None where they are not."""
        return reason_of(self.failed) if self.failed else None

    def check(self, name: str) -> Check | None:
        """Return a check, or None where the checklist does not have it."""
        return next((check for check in self.checks if check.name == name), None)

    def caution(self, name: str) -> str | None:
        """Return what a check warns of, or None where it does not."""
        check = self.check(name)
        return check.detail if check is not None and check.state == State.CAUTION else None

    @property
    def counts(self) -> dict[str, int]:
        """How many checks ended in which state; states without any are left out."""
        tally = Counter(check.state for check in self.checks)
        return {state: tally[state] for state in STATES if tally[state]}

    @property
    def sentence(self) -> str:
        """The checklist in short."""
        if not self.checks:
            return "Nothing was checked."
        states = joined([f"{count} {state}" for state, count in self.counts.items()])
        return f"{counted(len(self.checks), 'trust check')}: {states}."


def trust_view(trust: pd.DataFrame) -> TrustView:
    """Make the view of the checklist from the table of the contract."""
    checks = (
        Check(row.check, row.state, row.value if isinstance(row.value, str) else None, row.detail)
        for row in trust.itertuples(index=False)
    )
    return TrustView(tuple(checks), withheld(trust))
