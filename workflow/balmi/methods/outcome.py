"""How methods end: what they found, or why they found nothing.

A method that cannot run leaves ``not_applicable`` with a reason, and one whose numbers broke (a
loss that is not finite, a singular matrix) leaves ``failed`` with its message. Both leave whole
files without rows, so that later stages still run. Any other error is a bug, and stops the job.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from balmi.data.files import read_json, reading, write_json, write_table
from balmi.errors import MethodFailed, MethodNotApplicable
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.methods.deciding import Said

logger = logging.getLogger("balmi")

T = TypeVar("T")

COSTS = ("seconds", "processor_seconds")
PROBABILITY_PREFIX = "p:"
PREDICTED, POWER = "predicted", "prior_power"


@dataclass(frozen=True)
class Status:
    """How a method ended, and what it took.

    Parameters
    ----------
    method
        Its name.
    status, reason
        ``ok``, ``not_applicable`` or ``failed``, and why it is not ok.
    device
        Where it ran.
    seconds, processor_seconds
        Time by the clock, and of the processor in all threads and child processes; the latter is
        None in what 0.2.0 wrote.
    """

    method: str
    status: str
    reason: str | None
    device: str | None
    seconds: float
    processor_seconds: float | None = None

    def with_cost_of(self, others: Iterable[Status]) -> Status:
        """Return how the method ended, with what other work for it took.

        Parameters
        ----------
        others
            How that work ended: jobs before this one that the method rests on, or other parts.
        """
        parts = [self, *others]
        return replace(
            self, **{cost: _sum([getattr(part, cost) for part in parts]) for cost in COSTS}
        )


def merged(ends: Sequence[Status]) -> Status:
    """Return how several parts of one task ended: the first bad end, with the cost of all.

    Parameters
    ----------
    ends
        How the parts ended, at least one; where all are well, the first stands for them.
    """
    first = next((end for end in ends if end.status != "ok"), ends[0])
    return first.with_cost_of(end for end in ends if end is not first)


def _sum(costs: Sequence[float | None]) -> float | None:
    """Return a sum, or None where a part is unknown."""
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 3) if len(known) == len(costs) else None


def processor_time() -> float:
    """Return what this process and its ended children have taken of the processor, seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def read_status(path: str | Path) -> Status:
    """Read how a method ended.

    Raises
    ------
    UserError
        Where the file is damaged.
    """
    with reading(path):
        return Status(**read_json(path))


def empty_predictions(classes: Sequence[str]) -> pd.DataFrame:
    """Return predictions without rows."""
    return TABLES["predictions"].empty(classes)


@dataclass(frozen=True)
class Result:
    """What a method found.

    Parameters
    ----------
    predictions
        Columns as in ``predictions.parquet``.
    training
        Tidy training history; empty for methods without one.
    experts
        Weight and temperature of every expert in every fold; empty for methods without any.
    regressions
        What the experts that are regressions have learned, arrays by name; empty for methods
        without any.
    """

    predictions: pd.DataFrame
    training: pd.DataFrame = field(default_factory=TABLES["training"].empty)
    experts: pd.DataFrame = field(default_factory=TABLES["experts"].empty)
    regressions: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def none(cls, classes: Sequence[str]) -> Result:
        """Return what stands for the result of a method that has none."""
        return cls(empty_predictions(classes))


def prediction_table(method: str, split: Split, said: Said, cohort: Roster) -> pd.DataFrame:
    """Return the predictions of one fold's test samples as a table.

    Parameters
    ----------
    method
        Name in the table.
    split
        The fold.
    said
        What is said of the test samples, in the order of ``split.test``.
    cohort
        The cohort, for names of samples and classes.
    """
    head = {
        "sample": cohort.samples[split.test],
        "repeat": split.repeat,
        "fold": split.fold,
        "method": str(method),
    }
    return pd.concat([pd.DataFrame(head), said_columns(said, cohort.classes)], axis=1)


def said_columns(said: Said, classes: Sequence[str]) -> pd.DataFrame:
    """Return what is said of samples as columns: the class, the rule, and a probability per class.

    Parameters
    ----------
    said
        What is said of them.
    classes
        Class names.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    decision = {PREDICTED: np.array(classes, dtype=object)[said.classes], POWER: said.rule.power}
    values = pd.DataFrame(said.probabilities, columns=columns)
    return pd.concat([pd.DataFrame(decision, index=values.index), values], axis=1)


def attempt(name: str, work: Callable[[], T], empty: T, device: str = "cpu") -> tuple[Status, T]:
    """Do some work, and turn its refusal or failure into a status.

    Parameters
    ----------
    name
        What is attempted: a method, or a step of one.
    work
        Does it.
    empty
        What stands for its result where there is none.
    device
        Where it runs.
    """
    start, before = time.perf_counter(), processor_time()
    state, reason, result = "ok", None, empty
    try:
        result = work()
    except MethodNotApplicable as error:
        state, reason = "not_applicable", str(error)
        logger.warning("%s is not applicable: %s", name, reason)
    except (MethodFailed, np.linalg.LinAlgError) as error:
        state, reason = "failed", str(error)
        logger.error("%s failed: %s", name, reason)
    costs = (time.perf_counter() - start, processor_time() - before)
    return Status(str(name), state, reason, device, *(round(cost, 3) for cost in costs)), result


def write_outcome(
    status: Status,
    result: Result,
    predictions: Path,
    status_file: Path,
    training: Path | None = None,
    experts: Path | None = None,
) -> None:
    """Write a method's files, each whole or not at all; history and experts only where wanted."""
    write_table(result.predictions, predictions, "predictions")
    if training is not None:
        write_table(result.training, training, "training")
    if experts is not None:
        write_table(result.experts, experts, "experts")
    write_json(asdict(status), status_file)
