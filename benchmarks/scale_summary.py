"""What the scale benchmark found, as Markdown: a table per axis, and what must be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scale_cohorts import AXES
from texts import ABSENT, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

WHOLE = "whole run"
DATA = ("simulate_dataset",)  # make the data, and are no part of an analysis
READING = ("driver", "check_dataset", "assemble_cohort")
MEGABYTES = 1024
TITLES = {
    "n": "cells: 20,000 sparse genes and 200 ADT",
    "features": "probes of methylation as CSV, 500 samples",
    "modalities": "modalities of 200 features, 500 samples",
}


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return b of seconds = a size^b, by least squares of the logarithms; NaN for one size alone.

    Parameters
    ----------
    sizes, seconds
        What grows and what it took, both above 0.
    """
    if len(sizes) < 2:
        return np.nan
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def latest(frame: pd.DataFrame) -> pd.DataFrame:
    """Return of every axis and size the rows that were made last, with the stage of each job."""
    last = frame.groupby(["axis", "size"], sort=False)["code"].transform("last")
    found = frame[frame["code"] == last]
    return found.assign(stage=found["job"].str.split().str[0])


def stages(rows: pd.DataFrame) -> pd.DataFrame:
    """Return seconds and peak of every stage and size, and of the whole run.

    Parameters
    ----------
    rows
        Jobs of one axis, as `latest` gives them.

    Returns
    -------
    pandas.DataFrame
        Indexed by stage and size: ``seconds``, the sum over the stage's jobs, and ``peak_mb``, that
        of the largest; the whole run leaves out what makes the data.
    """
    spent = {"seconds": "sum", "peak_mb": "max"}
    apart = rows.groupby(["stage", "size"], sort=False).agg(spent)
    analysis = rows[~rows["stage"].isin(DATA)]
    whole = analysis.assign(stage=WHOLE).groupby(["stage", "size"], sort=False).agg(spent)
    return apart.combine_first(whole).loc[[*dict.fromkeys(rows["stage"]), WHOLE]]


def growth(found: pd.DataFrame, stage: str, axis: str) -> float:
    """Return the exponent of a stage over the sizes at which it is more than its start.

    Parameters
    ----------
    found
        As `stages` gives it.
    stage, axis
        The stage, and what grows.
    """
    seconds = found.loc[stage, "seconds"]
    counted = seconds[(seconds.index >= AXES[axis].growth) & (seconds.index <= AXES[axis].whole)]
    return exponent(counted.index.to_numpy(float), counted.to_numpy())


def _axis_table(rows: pd.DataFrame, axis: str) -> str:
    found = stages(rows)
    sizes = sorted(rows["size"].unique())

    def cell(stage: str, size: int, column: str, decimals: int) -> str:
        there = (stage, size) in found.index
        return f"{found.loc[(stage, size), column]:,.{decimals}f}" if there else ABSENT

    lines = []
    for stage in dict.fromkeys(found.index.get_level_values(0)):
        b = growth(found, stage, axis)
        seconds = (cell(stage, size, "seconds", 1) for size in sizes)
        largest = max(found.loc[stage].index)
        shown = ABSENT if np.isnan(b) else f"{b:.2f}"
        lines.append([f"`{stage}`", *seconds, shown, cell(stage, largest, "peak_mb", 0)])
    return table(["stage", *(f"{size:,}" for size in sizes), "exponent", "peak MB"], lines)


@dataclass(frozen=True)
class Requirement:
    """What must be reached: a number that may be at most another; None where it was not run."""

    text: str
    limit: float
    found: float | None

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Return it as a row of a table."""
        if self.found is None:
            return self.text, f"{self.limit:,g}", ABSENT, "not run"
        kept = "reached" if self.found <= self.limit else "missed"
        return self.text, f"{self.limit:,g}", f"{self.found:,.4g}", kept


def _of(rows: pd.DataFrame, axis: str, size: int, only: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of one size, but for what makes the data; of some stages alone if asked."""
    found = rows[(rows["axis"] == axis) & (rows["size"] == size) & ~rows["stage"].isin(DATA)]
    return found[found["stage"].isin(only)] if only else found


def requirements(rows: pd.DataFrame) -> Iterator[Requirement]:
    """Yield what must be reached, and what was.

    Parameters
    ----------
    rows
        As `latest` gives them.
    """

    def total(*asked: object) -> float | None:
        found = _of(rows, *asked)
        return float(found["seconds"].sum()) if len(found) else None

    def peak(*asked: object) -> float | None:
        found = _of(rows, *asked)
        return float(found["peak_mb"].max()) / MEGABYTES if len(found) else None

    for size, minutes, gigabytes in ((20_000, 20, 4), (100_000, 120, 10)):
        yield Requirement(f"{size:,} cells: processor seconds", 60 * minutes, total("n", size))
        yield Requirement(f"{size:,} cells: GB of the largest job", gigabytes, peak("n", size))
    cells = rows[rows["axis"] == "n"]
    found = stages(cells) if len(cells) else None
    grown = {} if found is None else {s: growth(found, s, "n") for s in set(cells["stage"])}
    known = {stage: b for stage, b in grown.items() if not np.isnan(b) and stage not in DATA}
    steepest = max(known, key=known.__getitem__) if known else None
    told = f": `{steepest}`" if steepest else ""
    yield Requirement(f"cells: largest exponent of a stage{told}", 1.1, known.get(steepest))
    probes = "features", 450_000, READING
    yield Requirement("450,000 probes read: processor seconds", 180, total(*probes))
    yield Requirement("450,000 probes read: GB of the largest job", 3, peak(*probes))
    more, fewer = (total("features", size) for size in (100_000, 2000))
    apart = None if more is None or fewer is None else more - fewer
    yield Requirement("100,000 probes instead of 2,000: processor seconds more", 240, apart)


def summarise(frame: pd.DataFrame, command: str) -> str:
    """Return all tables as Markdown.

    Parameters
    ----------
    frame
        The rows of ``scale.csv``.
    command
        The command that makes them.
    """
    rows = latest(frame)
    parts = [
        "# How the workflow scales\n",
        f"Made by `{command}`; do not edit. Processor seconds (user and system) of whole processes,"
        " imports among them, on one thread; the peak is that of the stage's largest job at the"
        " largest size. Every job is in `scale.csv`. Exponents are those of sizes at which a stage"
        " is more than its start.\n",
        "## What must be reached\n",
        table(["", "at most", "found", ""], (each.row for each in requirements(rows))),
    ]
    for axis, title in TITLES.items():
        its = rows[rows["axis"] == axis]
        if len(its):
            parts += [f"## By {title}\n", _axis_table(its, axis)]
    return "\n".join(parts)
