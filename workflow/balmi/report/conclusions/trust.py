"""Whether it can be trusted: what follows from how the checks ended."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.evaluation.decision import MASK
from balmi.evaluation.trust import STRUCTURE, State
from balmi.numerals import counted, inflected, with_limits
from balmi.report.kit.words import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.evaluation.decision import Decision
    from balmi.report.sections.performance.scores import Score
    from balmi.report.sections.verdict.trust import TrustView


class Checked(StrEnum):
    """How the checklist ended as a whole."""

    NOTHING = auto()
    WITHHELD = auto()
    FAILED = auto()
    CAUTION = auto()
    NOT_RUN = auto()
    PASSED = auto()


# The first state that any check has decides.
BY_STATE = {
    State.FAIL: Checked.FAILED,
    State.CAUTION: Checked.CAUTION,
    State.NOT_RUN: Checked.NOT_RUN,
    State.PASS: Checked.PASSED,
}
TRUST: dict[Checked, tuple[str, State]] = {
    Checked.NOTHING: ("Unknown: nothing was checked{methods}.", State.NOT_RUN),
    Checked.WITHHELD: ("No: {failed} failed, so verdicts are withheld{methods}.", State.FAIL),
    Checked.FAILED: ("In part only: {fail} of {checks} failed{methods}.", State.FAIL),
    Checked.CAUTION: (
        "With care: {caution} of {checks} {ask} for caution{methods}.",
        State.CAUTION,
    ),
    Checked.NOT_RUN: (
        "In part: {passed} of {checks} passed, {not_run} did not run{methods}.",
        State.NOT_RUN,
    ),
    Checked.PASSED: ("All {checks} passed{methods}.", State.PASS),
}


def _named(check: str) -> str:
    return f"the check of the {check}" if check == STRUCTURE else f"the {check}"


def decisive(failed: Sequence[str]) -> str:
    """Name the failed check that withholds every verdict, or count them where there are more."""
    return _named(failed[0]) if len(failed) == 1 else counted(len(failed), "decisive check")


def reason_of(failed: Sequence[str]) -> str:
    """Say why verdicts are withheld, from the names of the failed checks."""
    return f"Verdict withheld: {joined([_named(name) for name in failed])} failed."


def _case(trust: TrustView) -> Checked:
    if trust.failed:
        return Checked.WITHHELD
    states = {check.state for check in trust.checks}
    return next((BY_STATE[each] for each in BY_STATE if each in states), Checked.NOTHING)


def trusted(trust: TrustView, failed: int) -> tuple[str, State]:
    """Say in a short sentence whether the checks allow trust, and in which state they are.

    Parameters
    ----------
    trust
        The checklist.
    failed
        Methods that failed.
    """
    sentence, state = TRUST[_case(trust)]
    counts = trust.counts
    text = sentence.format(
        failed=decisive(trust.failed),
        fail=counts.get(State.FAIL, 0),
        caution=counts.get(State.CAUTION, 0),
        ask=inflected(counts.get(State.CAUTION, 0), "asks", "ask"),
        not_run=counts.get(State.NOT_RUN, 0),
        passed=counts.get(State.PASS, 0),
        checks=counted(len(trust.checks), "check"),
        methods=f"; {counted(failed, 'method')} failed" if failed else "",
    )
    return text, state


def checked(trust: TrustView, failed: Sequence[str]) -> str:
    """Say how many checks ended in which state, and which methods failed.

    Parameters
    ----------
    trust
        The checklist.
    failed
        Names of methods that failed.
    """
    fate = f"{joined(list(failed))} failed" if failed else "no method failed"
    return f"{trust.sentence.removesuffix('.')}; {fate}."


PREDICTS = (
    "Who has which modality predicts the class by itself. A method that sees only that"
    f" ({MASK}) has a macro AUROC of {{score}}, where chance is .5."
)


def absence_predicts(decision: Decision, score: Score) -> str | None:
    """Say that who has what predicts the class; None where that is not shown.

    Parameters
    ----------
    decision
        What the cohort's tables decide.
    score
        The macro AUROC of the method that sees only that.
    """
    if not decision.predicts:
        return None
    return PREDICTS.format(score=with_limits(score.mean, score.lower, score.upper))
