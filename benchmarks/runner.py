"""Run the cells of the benchmark over processes, so that an interrupted run continues.

A cell is one estimator on one data set. Its values are appended to a CSV as soon as it is done. A
cell that the file holds already is skipped, unless the code behind it has changed since.
"""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import astuple, dataclass, fields
from functools import cache, partial
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import pandas as pd
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from balmi.config.fingerprint import code_hash
from estimators import ESTIMATORS
from peers import PEERS
from rows import read_rows
from tasks import KINDS, tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HERE = Path(__file__).parent
ALL_ESTIMATORS = {**ESTIMATORS, **PEERS}
P_VALUE = "p_value"


@dataclass(frozen=True)
class Cell:
    """One estimator on one data set.

    Parameters
    ----------
    part
        What it is run for: ``accuracy``, ``null`` or ``time``.
    kind, task
        Kind and name of the task.
    estimator
        Name of the estimator.
    n
        Number of samples.
    seed
        Seed of the data and of the estimator.
    """

    part: str
    kind: str
    task: str
    estimator: str
    n: int
    seed: int


KEYS = tuple(field.name for field in fields(Cell))
COLUMNS = (*KEYS, "quantity", "truth", "value", "seconds", "code")


@cache
def code_of(kind: str, estimator: str) -> str:
    """Return a hash of the code behind a cell: its tasks, its estimator and what that imports."""
    function = ALL_ESTIMATORS[estimator]
    while isinstance(function, partial):
        function = function.func
    file = Path(inspect.getfile(function))
    sources = {HERE / "task.py", Path(inspect.getfile(KINDS[kind])), file}
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(sources))
    return hashlib.sha256((text + code_hash(file)).encode()).hexdigest()[:12]


def run_cell(cell: Cell, code: str) -> pd.DataFrame:
    """Run one cell on one thread and return its values as rows of the CSV."""
    task = tasks_of(cell.kind)[cell.task]
    data = task.draw(cell.n, cell.seed)
    try:
        with threadpool_limits(1):
            start = process_time()
            values = ALL_ESTIMATORS[cell.estimator](*data, seed=cell.seed)
            seconds = process_time() - start
    except Exception as error:  # raised again: whatever it is, it is told which cell it was
        error.add_note(f"in {cell}")
        raise
    rows = [
        (
            *astuple(cell),
            quantity,
            None if quantity.endswith(P_VALUE) else round(task.truth_of(quantity), 6),
            round(value, 6),
            round(seconds, 3),
            code,
        )
        for quantity, value in values.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_results(path: Path) -> pd.DataFrame:
    """Read what is finished, without cells that were cut short or whose code has changed."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if "\n" not in text:
        return pd.DataFrame(columns=COLUMNS)
    found = read_rows(text)
    if not text.endswith("\n") and len(found):
        # The cut may have left some values of its cell, which is the last one.
        last = (found[list(KEYS)] == found[list(KEYS)].iloc[-1]).all(axis=1)
        found = found[~last]
    known = found["estimator"].isin(list(ALL_ESTIMATORS)) & found["kind"].isin(list(KINDS))
    found = found[known]
    codes = [code_of(*pair) for pair in zip(found["kind"], found["estimator"], strict=True)]
    return found[found["code"] == codes].reset_index(drop=True)


def run(cells: Sequence[Cell], path: Path, jobs: int) -> None:
    """Run the cells that a file lacks, and append each to it when it is done.

    Parameters
    ----------
    cells
        The cells; order is kept where there is one job.
    path
        The CSV, made where it is absent.
    jobs
        Number of processes, one thread each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found = read_results(path)
    found.to_csv(path, index=False)
    done = set(found[list(KEYS)].itertuples(index=False, name=None))
    waiting = [cell for cell in cells if astuple(cell) not in done]
    with parallel_config("loky", inner_max_num_threads=1):
        finished = Parallel(jobs, return_as="generator_unordered", batch_size=1)(
            delayed(run_cell)(cell, code_of(cell.kind, cell.estimator)) for cell in waiting
        )
        _append(finished, path, len(cells), len(cells) - len(waiting))


def _append(finished: Iterable[pd.DataFrame], path: Path, total: int, before: int) -> None:
    """Append rows as they come, and show how many cells are done and how long the rest takes."""
    line = "{n_fmt} of {total_fmt} cells, {remaining} left, last: {desc}"
    with (
        path.open("a", encoding="utf-8", newline="") as file,
        tqdm(total=total, initial=before, bar_format=line) as progress,
    ):
        for rows in finished:
            file.write(rows.to_csv(index=False, header=False, lineterminator="\n"))
            file.flush()
            progress.set_description_str(f"{rows['task'][0]} {rows['estimator'][0]}", refresh=False)
            progress.update()
