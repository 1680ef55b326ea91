"""Scores of the study's variants, and their paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from balmi.data.cohort import read_cohort
from balmi.data.files import read_parquet, read_table, write_table
from balmi.evaluation.evaluate import performance_table
from balmi.evaluation.statistics import Interval, combined_interval, split_ratio
from balmi.methods.outcome import read_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from study.plan import Study

METRICS = ("macro_f1", "log_loss", "accuracy", "macro_auroc")
FOLD = ["repeat", "fold"]
DIGITS = 6


class Cell(NamedTuple):
    """A variant on a cohort."""

    cohort: str
    variant: str


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all tables; a method that did not end well has left none."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled or tables[:1], ignore_index=True)


def score_cohort(study: Study, cohort: str, folder: str, scores: str, statuses: str) -> None:
    """Score all variants of a cohort and write their scores, and how they ended.

    Parameters
    ----------
    study
        The phase.
    cohort
        Name of the cohort.
    folder
        Folder of its results.
    scores, statuses
        Files to write.
    """
    data = read_cohort(Path(folder) / "cohort.h5mu")
    splits = read_table(Path(folder) / "splits.parquet", "splits")
    tables, ends = [], []
    for variant, place in study.outcomes(folder, cohort).items():
        predictions = read_parquet(Path(f"{place}/predictions.parquet"))
        status = read_status(f"{place}/status.json")
        ratio = split_ratio(splits) if len(predictions) else None
        ends.append((cohort, variant, status.status, status.reason, status.seconds, ratio))
        table = performance_table(predictions, data)
        # A method may report parts of itself, as `unimodal-lr/rna`.
        part = table["method"].str.removeprefix(study.variants[variant].method)
        tables.append(table.assign(phase=study.phase, cohort=cohort, variant=variant + part))
    table = _joined(tables)
    table = table[table["metric"].isin(METRICS)]
    columns = ["phase", "cohort", "variant", *FOLD, "metric", "value"]
    write_table(table[columns].round(DIGITS), scores)
    names = ["cohort", "variant", "status", "reason", "seconds", "split_ratio"]
    write_table(pd.DataFrame(ends, columns=names), statuses)


@dataclass(frozen=True)
class Scores:
    """All scores of a phase.

    Parameters
    ----------
    table
        Columns cohort, variant, repeat, fold, metric, value.
    ratios
        Cohort -> test samples over the others.
    """

    table: pd.DataFrame
    ratios: dict[str, float]

    @cached_property
    def _groups(self) -> dict[tuple[str, str, str], pd.Series]:
        values = self.table.set_index(FOLD)
        groups = values.groupby(["cohort", "variant", "metric"])["value"]
        return {key: group.sort_index() for key, group in groups}

    def variants(self, cohort: str) -> list[str]:
        """Return the variants with scores on a cohort, in the order of the table."""
        return list(self.table.loc[self.table["cohort"] == cohort, "variant"].unique())

    def of(self, cell: Cell, metric: str) -> pd.Series | None:
        """Return the score of every fold; None where there is none."""
        values = self._groups.get((*cell, metric))
        return values if values is not None and values.notna().all() else None

    def mean(self, cell: Cell, metric: str) -> float | None:
        """Return the mean over folds; None where there is none."""
        values = self.of(cell, metric)
        return None if values is None else float(values.mean())

    def interval(self, cell: Cell, metric: str, chance: float = 0.0) -> Interval | None:
        """Return the mean over folds less `chance`, with its corrected interval."""
        values = self.of(cell, metric)
        if values is None:
            return None
        return combined_interval([values.to_numpy() - chance], [self.ratios[cell.cohort]])

    def difference(self, pairs: Sequence[tuple[Cell, Cell]], metric: str) -> Interval | None:
        """Return the mean over pairs of the first less the second, with its interval.

        Parameters
        ----------
        pairs
            Cells that are paired by fold; each pair is a cohort, and cohorts are taken for
            independent.
        metric
            The score.

        Returns
        -------
        Interval or None
            None where a pair lacks scores.

        Raises
        ------
        ValueError
            Where the cells of a pair have different folds.
        """
        arrays = []
        for first, second in pairs:
            values = self.of(first, metric), self.of(second, metric)
            if values[0] is None or values[1] is None:
                return None
            if not values[0].index.equals(values[1].index):
                raise ValueError(f"{first} and {second} were evaluated on different folds")
            arrays.append((values[0] - values[1]).to_numpy())
        if not arrays:
            return None
        return combined_interval(arrays, [self.ratios[first.cohort] for first, _ in pairs])

    def gap(
        self, cohorts: str | Iterable[str], variant: str, reference: str, metric: str
    ) -> Interval | None:
        """Return variant less reference on a cohort, or their mean over several."""
        names = [cohorts] if isinstance(cohorts, str) else cohorts
        pairs = [(Cell(name, variant), Cell(name, reference)) for name in names]
        return self.difference(pairs, metric)


def read_scores(folders: Iterable[str]) -> tuple[Scores, pd.DataFrame]:
    """Return the scores and the statuses that `score_cohort` wrote into several folders."""
    folders = [Path(folder) for folder in folders]
    table = _joined([read_table(each / "scores.csv") for each in folders])
    rows = [row for each in folders for row in read_table(each / "statuses.csv").to_dict("records")]
    ends = pd.DataFrame(rows)
    ratios = ends.groupby("cohort")["split_ratio"].mean().to_dict()
    return Scores(table, ratios), ends
