"""A prediction that is refused, or whose job fails: its files without rows, with the reason.

As with a method that is not applicable, the files are whole, so that what comes later goes on
without them: the report of the model's dataset does not wait for new samples. The run fails at its
end all the same, by `accept`, and the note beside the job's log makes the next run try again.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any

from balmi.again import REFUSED
from balmi.data.files import read_json, write_json, write_table
from balmi.data.model_files import FORMAT
from balmi.errors import Problem, UserError
from balmi.logs import log_failure
from balmi.numerals import counted
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

logger = logging.getLogger("balmi")

REASON, FAILED = "refused", "failed"
AGAIN = "the same command again; where the job fails again, its log has what was raised"


@dataclass(frozen=True)
class Refusal:
    """Why nothing was predicted, or why what was predicted has no page.

    Parameters
    ----------
    problems
        What has to be mended; of a job that failed, how it did.
    failed
        Whether a job failed, so that nothing is known to be wrong with what the user gave.
    """

    problems: tuple[Problem, ...]
    failed: bool = False

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Refusal | None:
        """Return what a file tells; None where nothing was refused and nothing failed."""
        problems = tuple(Problem(**problem) for problem in told.get(REASON, ()))
        return cls(problems, told.get(FAILED, False)) if problems else None

    def of_page(self) -> Refusal:
        """Return the same where what was predicted is there, and its page cannot be made."""
        return replace(self, failed=True)

    def as_json(self) -> dict[str, Any]:
        """Return what `of` reads."""
        return {REASON: [asdict(problem) for problem in self.problems], FAILED: self.failed}

    @property
    def headline(self) -> str:
        """Return in a sentence that there is nothing to show."""
        if self.failed:
            return "A job failed, so that this page shows no predictions."
        count = counted(len(self.problems), "problem")
        return f"Refused, so that nothing was predicted: {count}."


def or_refuse(
    log: Path, rule: str, work: Callable[[], object], refuse: Callable[[Refusal], None]
) -> None:
    """Do a job's work, or leave in its place why it could not be done.

    Parameters
    ----------
    log
        The job's log; the note beside it makes a job run again that did not do its work.
    rule
        The job's rule, for the command that gives it more memory.
    work
        Does it.
    refuse
        Writes the files that say why not.
    """
    try:
        work()
    except UserError as error:
        logger.info("refused: %s", error)
        refusal = Refusal(tuple(error.problems))
    except Exception as error:  # noqa: BLE001 (it is logged, and fails the run at its end)
        reason = log_failure(error) or format_exception_only(error)[0].splitlines()[0]
        found = f"a job that failed: {reason.replace('RULE:', f'{rule}:')}"
        refusal = Refusal((Problem(str(log), found, AGAIN),), failed=True)
    else:
        REFUSED.write(log, None)
        return
    refuse(refusal)
    REFUSED.write(log, str(UserError(refusal.problems)))


def write_refusal(name: str, refusal: Refusal, table: Path, about: Path) -> None:
    """Write why nothing was predicted, in the place of predictions.

    Parameters
    ----------
    name
        The prediction's name.
    refusal
        What has to be mended, or what failed.
    table, about
        The files, as `balmi.prediction.predict.predict_files` takes them.
    """
    write_table(TABLES["new_samples"].empty(), table, "new_samples")
    write_json({"name": name, **refusal.as_json()}, about, FORMAT)


def accept(concluded: Path) -> None:
    """Fail where a prediction was refused, or one of its jobs failed.

    Parameters
    ----------
    concluded
        What its page concludes: its ``view.json``.

    Raises
    ------
    UserError
        With all that has to be mended.
    """
    refusal = Refusal.of(read_json(concluded, FORMAT))
    if refusal is not None:
        raise UserError(refusal.problems)
