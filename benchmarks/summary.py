"""Write the tables of the benchmark as Markdown."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np

from acceptance import LEVEL, OWN, SIZES, cell_means, names, requirements, select
from runner import KEYS, P_VALUE
from task import ATOMS
from tasks import tasks_of
from texts import ABSENT, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from runner import Cell

# Heading of a column -> estimator and quantity.
COLUMNS = {
    "label": {
        "stack, raw": ("stack", "raw"),
        "stack, extrapolated": ("stack", "extrapolated"),
        "Ross, 10 components": ("ross", "ross"),
        "univariate, summed": ("univariate", "sum"),
        "univariate, best": ("univariate", "best"),
    },
    "pair": {
        "G": ("composite", "G"),
        "K": ("composite", "K"),
        "N": ("composite", "N"),
        "R": ("composite", "R"),
        "max(G, K, N, R)": ("composite", "max"),
        "KSG": ("ksg", "raw"),
        "KSG, 10 components": ("ksg", "components"),
        "InfoNCE": ("infonce", "infonce"),
        "MINE": ("mine", "mine"),
    },
}
TITLES = {"label": "Modality and label", "pair": "Two modalities", "gate": "Gates"}


def number(value: float) -> str:
    """Return three decimals without the sign of a zero, or a dash for NaN."""
    text = ABSENT if np.isnan(value) else f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def _acceptance(frame: pd.DataFrame) -> tuple[str, str]:
    """Return the table of what must be reached, and how much of it was."""
    rows, met = [], []
    for wanted in requirements():
        measured = wanted.measure(frame)
        met.append(wanted.met(measured))
        rows.append(
            (
                f"{wanted.section}: {wanted.quantity}",
                wanted.required,
                number(measured.value),
                str(measured.sets),
                met[-1],
            )
        )
    count = f"{met.count('yes')} of {len(met)} met, {met.count('not measured')} not measured"
    headings = ("quantity", "required", "measured", "data sets", "met")
    return table(headings, rows), count


def _mark(name: str, kind: str) -> str:
    task = tasks_of(kind)[name]
    return name + " *" * task.copula_gaussian + " †" * task.blind_spot


def _per_task(rows: pd.DataFrame, kind: str) -> str:
    """Return the mean over replicates of every estimator on every task of a kind."""
    columns = COLUMNS[kind]

    def line(name: str, truth: str, values: pd.Series) -> list[str]:
        return [name, truth, *(number(values.get(column, np.nan)) for column in columns.values())]

    by = ["estimator", "quantity"]
    lines = [
        line(
            _mark(name, kind), number(tasks_of(kind)[name].truth), group.groupby(by)["value"].mean()
        )
        for name, group in rows.groupby("task", sort=False)
    ]
    rows = rows.assign(error=(rows["value"] - rows["truth"]).abs())
    for independent, group in rows.groupby(rows["task"].isin(names(kind, independent=True))):
        text = f"mean absolute error, {'independent' if independent else 'dependent'} tasks"
        lines.append(line(text, "", group.groupby(by)["error"].mean()))
    return table(("task", "truth", *columns), lines)


def _gates(rows: pd.DataFrame) -> str:
    """Return truth and mean over replicates of every atom of every gate."""
    means = rows.groupby(["quantity", "task"])["value"].mean()
    lines = []
    for name in rows["task"].unique():
        truth = tasks_of("gate")[name].truth
        pairs = [f"{number(truth[atom])} → {number(means[atom, name])}" for atom in ATOMS]
        lines.append([name, *pairs])
    errors = (rows["value"] - rows["truth"]).abs().groupby(rows["quantity"]).mean()
    lines.append(["mean absolute error", *(number(errors[atom]) for atom in ATOMS)])
    return table(("gate", *ATOMS), lines)


def _nulls(frame: pd.DataFrame) -> str:
    """Return means and false positives on independent data."""
    rows = select(frame, part="null")
    lines = []
    for (task, quantity), group in rows.groupby(["task", "quantity"], sort=False):
        values = group["value"]
        tested = quantity.endswith(P_VALUE)
        read = [ABSENT] * 2 if tested else [number(values.mean()), number(values.max())]
        share = number((values <= LEVEL).mean()) if tested else ABSENT
        lines.append([task, quantity, str(len(values)), *read, share])
    return table(("task", "value", "data sets", "mean", "largest", "share at or below .05"), lines)


def _blind_spots(frame: pd.DataFrame) -> str:
    rows = select(frame, part="accuracy", kind="pair", estimator="composite", quantity="max")
    lines = []
    for name, task in tasks_of("pair").items():
        if task.blind_spot:
            means = rows[rows["task"] == name].groupby("n")["value"].mean()
            lines.append([name, number(task.truth), *(number(means.get(n, np.nan)) for n in SIZES)])
    return table(("task", "truth", *(f"max(G, K, N), n = {n}" for n in SIZES)), lines)


def _spectra(frame: pd.DataFrame) -> str:
    """Return truth, own estimate and best peer of every spectrum, width and number of samples."""
    lines = [
        [row.task, str(row.n), *map(number, (row.truth, row.own, row.peer)), str(row.sets)]
        for kind in OWN
        for row in cell_means(frame, kind).itertuples()
    ]
    return table(("task", "n", "truth", "balmi", "best peer", "data sets"), lines)


def _times(frame: pd.DataFrame) -> str:
    rows = select(frame, part="time").drop_duplicates(list(KEYS))
    lines = [
        [f"{estimator} on {task}", str(n), number(group.median()), str(len(group))]
        for (estimator, task, n), group in rows.groupby(["estimator", "task", "n"])["seconds"]
    ]
    return table(("estimator and task", "n", "median seconds", "runs"), lines)


def present(frame: pd.DataFrame, cells: Sequence[Cell]) -> pd.DataFrame:
    """Return the rows of the given cells."""
    wanted = set(map(astuple, cells))
    keys = frame[list(KEYS)].itertuples(index=False, name=None)
    return frame[np.array([key in wanted for key in keys], dtype=bool)]


def summarise(frame: pd.DataFrame, cells: Sequence[Cell], command: str) -> str:
    """Return the tables of all cells as Markdown.

    Parameters
    ----------
    frame
        Finished rows.
    cells
        The cells that belong to this benchmark; others in the frame are left aside.
    command
        The command that makes them.
    """
    frame = present(frame, cells)
    done = len(frame.drop_duplicates(list(KEYS)))
    accepted, count = _acceptance(frame)
    seeds = {part: group["seed"] for part, group in frame.groupby("part")}
    ranges = "; ".join(f"{part} {s.min()} to {s.max()}" for part, s in seeds.items())
    parts = [
        "# Benchmark of the information estimates\n",
        f"Made by `{command}`; do not edit. All information in nats. Finished: {done} of "
        f"{len(cells)} cells. Seeds: {ranges}. Every cell is in `information.csv`.\n",
        f"## What must be reached\n\n{count}.\n",
        accepted,
    ]
    if "softmax-brca-rna" not in tasks_of("label"):
        parts.append("The task on real RNA features was left out: its cohort had not been made.\n")
    for kind, title in TITLES.items():
        for n in SIZES:
            rows = select(frame, part="accuracy", kind=kind, n=n)
            if len(rows):
                heading = f"## {title}, n = {n}: " + ("truth → mean" if kind == "gate" else "mean")
                written = _gates(rows) if kind == "gate" else _per_task(rows, kind)
                parts += [f"{heading} of replicates\n", written]
    parts.append(
        "`*`: Gaussian but for monotone maps of columns. `†`: a known blind spot. Means of K "
        "and N are over the data sets in which a component is significant.\n"
    )
    parts += ["## Independent data\n", _nulls(frame)]
    parts += ["## Signal in directions of much and of little variance: means\n", _spectra(frame)]
    parts += ["## Known blind spots\n", _blind_spots(frame)]
    parts += ["## Processor time on one thread, in this run\n", _times(frame)]
    return "\n".join(parts)


def write_summary(frame: pd.DataFrame, cells: Sequence[Cell], command: str, path: Path) -> None:
    """Write the tables to a file."""
    path.write_text(summarise(frame, cells, command), encoding="utf-8")
