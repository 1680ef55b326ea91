"""What the phases of the study that score folds of real cohorts have in common."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from balmi.data.cohort import read_cohort
from balmi.data.files import replace_when_written
from checksums import needed, record
from rows import append

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np

    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Phase:
    """What was asked for on the command line.

    Parameters
    ----------
    target
        The command, for messages.
    config
        The configuration that names the datasets.
    results
        The folder where the workflow has assembled them.
    repeats
        Repeats of the folds.
    jobs
        Processes, one thread each.
    folder
        Where tables are written.
    """

    target: str
    config: Path
    results: Path
    repeats: int
    jobs: int
    folder: Path

    @classmethod
    def asked(cls, target: str, description: str | None, repeats: int) -> Phase:
        """Return it as the arguments of the process say, or end with what is wrong with them."""
        parser = argparse.ArgumentParser(description=description, prog=target)
        parser.add_argument("config", type=Path, help="configuration that names the datasets")
        parser.add_argument("--results", type=Path, default=Path("results"), help="of the workflow")
        parser.add_argument("--repeats", type=int, default=repeats)
        parser.add_argument("--jobs", type=int, default=2)
        parser.add_argument("--folder", type=Path, default=RESULTS)
        return cls(target, **vars(parser.parse_args()))

    def cohorts(self) -> Iterator[tuple[str, Cohort]]:
        """Yield the datasets by name.

        Raises
        ------
        SystemExit
            Where one was not assembled.
        """
        for name in yaml.safe_load(self.config.read_text(encoding="utf-8"))["datasets"]:
            path = self.results / name / "cohort.h5mu"
            yield name, read_cohort(needed(path, self.target))

    def score(
        self,
        scored: Callable[..., pd.DataFrame],
        head: Sequence[Any],
        waiting: Iterable[Split],
        path: Path,
        label: str,
    ) -> None:
        """Score folds over processes, and append the rows of each when it is done.

        Parameters
        ----------
        scored
            Given `head` and a fold, returns its rows.
        head
            What is the same for all folds.
        waiting
            The folds.
        path
            The table.
        label
            What the folds are of, for the bar.
        """
        waiting = list(waiting)
        with parallel_config("loky", inner_max_num_threads=1):
            results = Parallel(self.jobs, return_as="generator_unordered", batch_size=1)(
                delayed(scored)(*head, split) for split in waiting
            )
            for rows in tqdm(results, total=len(waiting), desc=label):
                append(path, rows)


def taken(cohort: Cohort, modalities: Sequence[str], rows: np.ndarray) -> Cohort:
    """Return some modalities of some samples of a cohort.

    Parameters
    ----------
    cohort
        The cohort.
    modalities
        Names of those that are taken.
    rows
        Numbers of the samples; (n,).
    """
    count = len(cohort.samples)
    return replace(
        cohort,
        samples=cohort.samples[rows],
        labels=cohort.labels[rows],
        groups=None if cohort.groups is None else cohort.groups[rows],
        folds=None,
        values={name: cohort.values[name].table(count)[rows] for name in modalities},
        features={name: cohort.features[name] for name in modalities},
        kinds={name: cohort.kinds[name] for name in modalities},
    )


def conclude(
    path: Path,
    keys: Sequence[str],
    summary: Callable[[pd.DataFrame], str],
    figure: Callable[[pd.DataFrame], str],
) -> None:
    """Write summary and figure of a table beside it, and record its checksum.

    Parameters
    ----------
    path
        The table.
    keys
        Columns by which its rows are sorted.
    summary, figure
        Given the table, return Markdown and SVG.
    """
    table = pd.read_csv(path).sort_values(list(keys), kind="stable")
    for ending, text in ((".md", summary(table)), (".svg", figure(table))):
        with replace_when_written(path.with_suffix(ending)) as part:
            part.write_text(text, encoding="utf-8")
    record(path)
