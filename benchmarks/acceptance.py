"""What the estimators must reach, each with how it is measured from the finished cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from runner import P_VALUE
from tasks import tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

LEVEL = 0.05
SIZES = (200, 1000)
UNIQUE = ("U1", "U2")
# Kind of a spectrum -> own estimator and quantity.
OWN = {"spectrum-label": ("stack", "raw"), "spectrum-pair": ("composite-as-set", "max")}


class Measured(NamedTuple):
    """A value, and the number of data sets behind it."""

    value: float
    sets: int


@dataclass(frozen=True)
class Requirement:
    """A number to reach.

    Parameters
    ----------
    section
        Heading of the table under which it stands.
    quantity
        What is measured, in words.
    limit
        The number.
    measure
        Function of all rows that gives the measured value; NaN where nothing was measured.
    at_least
        Whether the value must be at least the limit instead of at most.
    """

    section: str
    quantity: str
    limit: float
    measure: Callable[[pd.DataFrame], Measured]
    at_least: bool = False

    @property
    def required(self) -> str:
        """The limit with its direction."""
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"

    def met(self, measured: Measured) -> str:
        """Return yes, no, or that there is nothing to judge."""
        if np.isnan(measured.value):
            return "not measured"
        reached = measured.value >= self.limit if self.at_least else measured.value <= self.limit
        return "yes" if reached else "no"


def select(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Return the rows whose columns equal a value, or are in a tuple of values."""
    chosen = np.ones(len(frame), dtype=bool)
    for column, value in wanted.items():
        values = value if isinstance(value, tuple) else (value,)
        chosen &= frame[column].isin(values).to_numpy()
    return frame[chosen]


def names(kind: str, **flags: bool) -> tuple[str, ...]:
    """Return the names of the tasks of a kind whose flags are as given."""
    return tuple(
        name
        for name, task in tasks_of(kind).items()
        if all(getattr(task, flag) == value for flag, value in flags.items())
    )


def _sets(rows: pd.DataFrame) -> int:
    return len(rows[["task", "seed", "n"]].drop_duplicates())


def mean_error(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the mean absolute error over tasks and replicates."""
    rows = select(frame, part="accuracy", **wanted)
    return Measured(float((rows["value"] - rows["truth"]).abs().mean()), _sets(rows))


def worst_atom(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the largest mean absolute error of one quantity on one task."""
    rows = select(frame, part="accuracy", **wanted)
    errors = (rows["value"] - rows["truth"]).abs().groupby([rows["task"], rows["quantity"]])
    return Measured(float(errors.mean().max()), _sets(rows))


def mean_value(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the mean of what was read."""
    rows = select(frame, part="accuracy", **wanted)
    return Measured(float(rows["value"].mean()), _sets(rows))


def absolute_mean(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return how far from 0 the mean of what was read is."""
    rows = select(frame, **wanted)
    return Measured(abs(float(rows["value"].mean())), _sets(rows))


def worst_mean(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the mean that is furthest from 0 among the tasks and numbers of samples."""
    rows = select(frame, **wanted)
    means = rows.groupby(["task", "n"])["value"].mean().abs()
    return Measured(float(means.max()), _sets(rows))


def largest(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the largest value that was read."""
    rows = select(frame, **wanted)
    return Measured(float(rows["value"].max()), _sets(rows))


def rejections(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the share of data sets whose p-value is at most .05."""
    values = select(frame, part="null", **wanted)["value"]
    return Measured(float((values <= LEVEL).mean()) if len(values) else np.nan, len(values))


def median_seconds(frame: pd.DataFrame, **wanted: object) -> Measured:
    """Return the median processor time of an estimate on one thread, seconds."""
    rows = select(frame, part="time", **wanted).drop_duplicates(["task", "estimator", "n", "seed"])
    return Measured(float(rows["seconds"].median()), len(rows))


def _label() -> Iterable[Requirement]:
    section, dependent = "Modality and label", names("label", independent=False)
    stack = {"kind": "label", "estimator": "stack"}
    for n, raw, extrapolated in ((200, 0.16, 0.12), (1000, 0.06, 0.04)):
        for quantity, limit in (("raw", raw), ("extrapolated", extrapolated)):
            text = f"{quantity}, mean absolute error, dependent tasks, n = {n}"
            measure = partial(mean_error, **stack, quantity=quantity, n=n, task=dependent)
            yield Requirement(section, text, limit, measure)
    alone = names("label", independent=True)
    for quantity in ("raw", "extrapolated"):
        text = f"{quantity}, independent tasks, mean furthest from 0 of a task and n"
        measure = partial(worst_mean, **stack, quantity=quantity, task=alone)
        yield Requirement(section, text, 0.02, measure)
    measure = partial(rejections, kind="label", quantity=P_VALUE)
    yield Requirement(section, "false positives at level .05, n = 200", 0.1, measure)


def _pair() -> Iterable[Requirement]:
    section, found = "Two modalities", {"kind": "pair", "estimator": "composite"}
    for n, limit in ((200, 0.13), (1000, 0.04)):
        tasks = names("pair", independent=False, copula_gaussian=True)
        text = f"G, mean absolute error, {len(tasks)} copula-Gaussian tasks, n = {n}"
        measure = partial(mean_error, **found, quantity="G", n=n, task=tasks)
        yield Requirement(section, text, limit, measure)
    for n, limit in ((200, 0.2), (1000, 0.1)):
        tasks = names("pair", independent=False)
        text = f"max(G, K, N), mean absolute error, {len(tasks)} dependent tasks, n = {n}"
        measure = partial(mean_error, **found, quantity="max", n=n, task=tasks)
        yield Requirement(section, text, limit, measure)
    alone = {**found, "task": names("pair", independent=True)}
    for quantity, name in (("G", "G"), ("max", "max(G, K, N)")):
        for n in SIZES:
            text = f"{name}, mean of independent data sets, n = {n}"
            measure = partial(absolute_mean, **alone, quantity=quantity, n=n)
            yield Requirement(section, text, 0.03, measure)
    text = "max(G, K, N), independent tasks, mean furthest from 0 of a task and n"
    yield Requirement(section, text, 0.12, partial(worst_mean, **alone, quantity="max"))
    for quantity, name in ((f"G_{P_VALUE}", "G"), (f"max_{P_VALUE}", "max(G, K, N)")):
        measure = partial(rejections, kind="pair", quantity=quantity)
        yield Requirement(section, f"{name}, false positives at level .05, n = 200", 0.1, measure)
    measure = partial(mean_value, **found, quantity="max", n=1000, task="x-shape-10x10")
    text = "max(G, K, N), mean on the X shape (truth .41), n = 1000"
    yield Requirement(section, text, 0.25, measure, at_least=True)


def _gate() -> Iterable[Requirement]:
    section, found = "Redundant, unique, synergistic", {"estimator": "decomposition"}
    atoms = (("R", "R", 0.03), ("U1 and U2", UNIQUE, 0.05), ("S", "S", 0.04))
    for name, quantity, limit in atoms:
        measure = partial(mean_error, **found, n=1000, quantity=quantity)
        text = f"{name}, mean absolute error over gates, n = 1000"
        yield Requirement(section, text, limit, measure)
    text = "largest mean absolute error of one atom at one gate, n = 1000"
    yield Requirement(section, text, 0.1, partial(worst_atom, **found, n=1000))
    measure = partial(mean_error, **found, n=1000, quantity="R", task="2UNQ")
    yield Requirement(section, "R on 2UNQ, mean absolute error, n = 1000", 0.05, measure)
    measure = partial(mean_error, **found, n=200, quantity="S")
    yield Requirement(section, "S, mean absolute error over gates, n = 200", 0.1, measure)
    text = "union information, largest difference to a convex solver, random tables"
    yield Requirement(section, text, 0.001, partial(largest, kind="table"))


def cell_means(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the means of a spectrum's cells: (task, n) by truth, own estimate and best peer."""
    rows, own = select(frame, part="accuracy", kind=kind), OWN[kind]
    found = []
    for (task, n), cell in rows.groupby(["task", "n"], sort=False):
        is_own = cell["estimator"] == own[0]
        value = cell[is_own & (cell["quantity"] == own[1])]["value"]
        peers = cell[~is_own].groupby("estimator")["value"].mean()
        found.append((task, n, cell["truth"].iloc[0], value.mean(), peers.max(), len(value)))
    columns = ["task", "n", "truth", "own", "peer", "sets"]
    return type(rows)(found, columns=columns).dropna()


def most_below(frame: pd.DataFrame, kind: str, limit: str, sign: int) -> Measured:
    """Return how far a cell's mean lies below its best peer (sign 1) or above the truth (-1)."""
    means = cell_means(frame, kind)
    beyond = sign * (means[limit] - means["own"])
    return Measured(float(beyond.max()) if len(means) else np.nan, int(means["sets"].sum()))


def _spectrum() -> Iterable[Requirement]:
    for kind, title in (("spectrum-label", "label"), ("spectrum-pair", "two modalities")):
        for text, limit, sign in (
            ("below its best peer", "peer", 1),
            ("above the truth", "truth", -1),
        ):
            measure = partial(most_below, kind=kind, limit=limit, sign=sign)
            what = f"{title}: mean of a spectrum, width and n that is furthest {text}"
            yield Requirement("Signal in any direction", what, 0.03, measure)


def _time() -> Iterable[Requirement]:
    section = "Processor seconds of one estimate (median, one thread, this run)"
    limits = (
        ("label information of one modality, n = 1000, 1000 features", "stack", 5),
        ("information of two modalities, n = 1000, 500 features each", "composite", 2),
        ("label p-value of 199 refits, n = 1000, 1000 features", "label-test-199", 60),
    )
    for text, estimator, limit in limits:
        yield Requirement(section, text, limit, partial(median_seconds, estimator=estimator))


def requirements() -> list[Requirement]:
    """Return all numbers to reach."""
    return [*_label(), *_pair(), *_gate(), *_spectrum(), *_time()]
