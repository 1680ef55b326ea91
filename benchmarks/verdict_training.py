"""Predictions for the benchmark of the verdict, kept so that verdicts can be counted again.

Training takes nearly all of the time, and what is made of its predictions changes more often than
they do. Predictions are therefore kept under a hash of all that they are made from: the cohort's
values, labels and groups, its folds, the method, its settings and its code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING

from sklearn import config_context

from balmi.config.fingerprint import LIBRARY, code_hash
from balmi.config.methods import NETWORKS
from balmi.config.settings import Information, Settings, Training
from balmi.data.files import read_table, write_table
from balmi.methods.pipeline import run_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from balmi.config.settings import Method
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split

MEMBERS, PERMUTATIONS = 2, 19
# Thousands of small regressions spend a sixth of their time on checks of their arguments.
UNCHECKED = {"skip_parameter_validation": True, "assume_finite": True}
# Predictions rest on the code of the jobs that make them in the workflow.
SCRIPTS = LIBRARY.parent / "scripts"
NETWORK_SCRIPTS = ("measure_splits.py", "pretrain_distillation.py", "train_network.py")
PEER_SCRIPTS = ("fit_baseline.py",)


@dataclass(frozen=True)
class Run:
    """A method that is trained on a cohort.

    Parameters
    ----------
    method
        The method.
    cohort, splits
        The cohort and its folds.
    seed
        Seed of networks and permutations.
    name
        What it is called among the predictions; its own name where None.
    """

    method: Method
    cohort: Cohort
    splits: Sequence[Split]
    seed: int
    name: str | None = None

    def _parts(self) -> Iterator[bytes]:
        """Yield all that the predictions are made from."""
        scripts = NETWORK_SCRIPTS if self.method in NETWORKS else PEER_SCRIPTS
        code = [code_hash(SCRIPTS / name) for name in scripts]
        about = (str(self.method), self.seed, MEMBERS, PERMUTATIONS, self.cohort.classes)
        yield repr((about, code)).encode()
        for array in (self.cohort.samples, self.cohort.labels, self.cohort.groups):
            yield b"" if array is None else array.tobytes()
        for name, values in self.cohort.tables.items():
            yield name.encode() + values.tobytes()
        for split in self.splits:
            yield repr((split.repeat, split.fold, split.usable)).encode()
            for rows in (split.train, split.validation, split.test, split.inner):
                yield rows.tobytes()

    @property
    def key(self) -> str:
        """Hash of all that the predictions are made from; sixteen hexadecimal digits."""
        digest = hashlib.sha256()
        for part in self._parts():
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()[:16]


def predicted(run: Run) -> pd.DataFrame:
    """Train the method, which has to end well, and return its predictions."""
    settings = Settings(
        information=Information(fold_permutations=PERMUTATIONS, seed=run.seed),
        training=Training(members=MEMBERS, seed=run.seed),
    )
    with config_context(**UNCHECKED):
        found = run_pipeline([run.method], run.cohort, run.splits, settings)
    (ended,) = found.statuses
    if ended.status != "ok":
        raise RuntimeError(f"{run.method} did not end well: {ended}")
    return found.predictions


def kept(run: Run, folder: Path) -> tuple[pd.DataFrame, float]:
    """Return the predictions of a run, trained unless the folder has them, and what they took.

    Parameters
    ----------
    run
        What is trained.
    folder
        Where predictions are kept; made where it is absent.

    Returns
    -------
    tuple
        Predictions, and the processor seconds of their training.
    """
    path = folder / f"{run.key}.parquet"
    if not path.is_file():
        start = process_time()
        table = predicted(run)
        write_table(table.assign(seconds=process_time() - start), path)
    table = read_table(path)
    seconds = float(table.pop("seconds").iloc[0])
    if run.name is None:
        return table, seconds
    return table[table["method"] == str(run.method)].assign(method=run.name), seconds
