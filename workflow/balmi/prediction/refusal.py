"""A prediction that is refused: its files without rows, with what has to be mended.

As with a method that is not applicable, the files are whole, so that what comes later goes on
without them: the report of the model's dataset does not wait for new samples. The run fails at its
end all the same, by `accept`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from balmi.data.files import read_json, write_json, write_table
from balmi.data.model_files import FORMAT
from balmi.errors import Problem, UserError
from balmi.numerals import counted
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

logger = logging.getLogger("balmi")

KEY = "refused"


def write_refusal(name: str, refusal: UserError, table: Path, about: Path) -> None:
    """Write why nothing was predicted, in the place of predictions.

    Parameters
    ----------
    name
        The prediction's name.
    refusal
        What has to be mended.
    table, about
        The files, as `balmi.prediction.predict.predict_files` takes them.
    """
    logger.info("refused: %s", refusal)
    write_table(TABLES["new_samples"].empty(), table, "new_samples")
    told = {"name": name, KEY: [asdict(problem) for problem in refusal.problems]}
    write_json(told, about, FORMAT)


def problems_of(told: Mapping[str, Any]) -> list[Problem]:
    """Return what has to be mended of a prediction that tells this; none where it was not refused.

    Parameters
    ----------
    told
        What lies in ``prediction.json``.
    """
    return [Problem(**problem) for problem in told.get(KEY, ())]


def what_was_refused(problems: Sequence[Problem]) -> str:
    """Return in a sentence that nothing was predicted."""
    return f"Refused, so that nothing was predicted: {counted(len(problems), 'problem')}."


def accept(about: Path) -> None:
    """Fail where a prediction was refused.

    Parameters
    ----------
    about
        Its ``prediction.json``.

    Raises
    ------
    UserError
        With all that has to be mended.
    """
    problems = problems_of(read_json(about, FORMAT))
    if problems:
        raise UserError(problems)
