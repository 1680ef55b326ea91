"""The view of the overview: a row per dataset, from what the reports of the datasets wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd

from balmi.errors import Problem, UserError
from balmi.evaluation.primary import ROLES, Roles
from balmi.evaluation.trust import State
from balmi.evaluation.verdicts import Verdict
from balmi.report.kit.drawing import modality_keys
from balmi.report.kit.metrics import Metric
from balmi.report.overview.figures import (
    DOT_MARGIN,
    DOT_WIDTH,
    Bars,
    Dot,
    Field,
    Scale,
    bars_of,
    deciding_of,
    differences_scale,
    dot_of,
    field_of,
    legend_of,
)
from balmi.report.sections.verdict.answers import meanings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from balmi.report.kit.figures import Entry
    from balmi.report.overview.figures import Cells

Pair = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """A dataset.

    Parameters
    ----------
    summary
        What its ``view.json`` holds.
    link, within
        Where its report lies, from the overview and inside Snakemake's zipped report.
    pairs
        Its comparisons in the order of the columns, None where one was not made.
    bars, dot
        Its pictures, None where there is nothing to draw.
    verdict, checked
        What stands for whether combining helps, and for how the checks ended.
    worries
        Fails, cautions and checks that did not run as one number that sorts.
    """

    summary: Cells
    link: str
    within: str
    pairs: tuple[Cells | None, ...]
    bars: Bars | None
    dot: Dot | None
    verdict: str
    checked: str
    worries: int

    @property
    def carried(self) -> float | None:
        """The highest share of the label's entropy that a modality carries."""
        shares = [row["share"] for row in self.summary["information"] if row["share"] is not None]
        return max(shares, default=None)

    @property
    def difference(self) -> float | None:
        """The deciding difference."""
        found = deciding_of(self.summary)
        return found and found["difference"]


@dataclass(frozen=True)
class Overview:
    """All datasets.

    Parameters
    ----------
    rows
        In the order in which they were given.
    pairs, tallies
        The comparisons that are shown, and how often each verdict was given on each.
    metric
        What verdicts follow.
    own
        The predictor that the reports are about.
    scale
        The axis of the differences.
    field, legend
        The figure across datasets, None of fewer than two, and how its marks look.
    verdicts, checked
        Which words there are, to choose rows by.
    """

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    tallies: tuple[dict[str, int], ...]
    metric: Metric
    own: str
    scale: Scale
    field: Field | None
    legend: tuple[Entry, ...]
    verdicts: tuple[str, ...]
    checked: tuple[str, ...]


WORRIES = {State.FAIL: 10_000, State.CAUTION: 100, State.NOT_RUN: 1}


def _worries(summary: Cells) -> int:
    return sum(WORRIES.get(State(check["state"]), 0) for check in summary["trust"]["checks"])


def _tallies(rows: Sequence[Row], pairs: Sequence[Pair]) -> tuple[dict[str, int], ...]:
    """Count the verdicts of every pair over the datasets that have something to combine."""
    combined = [row.pairs for row in rows if len(row.summary["modalities"]) > 1]
    columns = ([pair[place] for pair in combined] for place in range(len(pairs)))
    return tuple(
        {
            str(word): sum(pair is not None and pair["verdict"] == word for pair in column)
            for word in Verdict
        }
        for column in columns
    )


def _followed(summaries: Sequence[Cells]) -> Metric:
    """Return the metric that the verdicts of all datasets follow."""
    found = {each["dataset"]: Metric(**each["metric"]) for each in summaries}
    metrics = set(found.values())
    if len(metrics) > 1:
        listed = ", ".join(f"{metric.key} for {name}" for name, metric in found.items())
        allowed = "one primary_metric for all datasets of an overview"
        raise UserError(Problem("primary_metric", listed, allowed))
    return metrics.pop()


def overview_view(summaries: Mapping[Path, Cells], within: Mapping[Path, str]) -> Overview:
    """Make the view of the overview.

    Parameters
    ----------
    summaries
        What the reports wrote, in the order of the rows.
    within
        Where each report lies inside Snakemake's zipped report.

    Raises
    ------
    UserError
        Where datasets follow different metrics.
    """
    held = list(summaries.values())
    metric = _followed(held)
    reported = {Roles(**each["decision"]["roles"]) for each in held}
    roles = [each for each in ROLES if each in reported]
    pairs = tuple(dict.fromkeys(pair for each in roles for pair in meanings(each)))
    keys = modality_keys(tuple(dict.fromkeys(name for each in held for name in each["modalities"])))
    differing = [(each, row) for each in held if (row := deciding_of(each)) is not None]
    scale = differences_scale([row for _, row in differing], DOT_MARGIN, DOT_WIDTH - DOT_MARGIN)
    words = {row["verdict"] for _, row in differing}
    rows = tuple(
        _row(each, within[path], pairs, bars_of(each, keys), dot_of(deciding_of(each), scale))
        for path, each in summaries.items()
    )
    return Overview(
        rows,
        pairs,
        _tallies(rows, pairs),
        metric,
        roles[0].own,
        scale,
        field_of(differing),
        legend_of([str(word) for word in Verdict if word in words]),
        tuple(str(word) for word in Verdict if word in {row.verdict for row in rows}),
        tuple(str(word) for word in State if word in {row.checked for row in rows}),
    )


def _row(
    summary: Cells, within: str, pairs: Sequence[Pair], bars: Bars | None, dot: Dot | None
) -> Row:
    made = {(row["method"], row["reference"]): row for row in summary["differences"]}
    _, helps, trust = summary["conclusions"]
    return Row(
        summary,
        f"{quote(summary['dataset'], safe='')}/report.html",
        within,
        tuple(made.get(pair) for pair in pairs),
        bars,
        dot,
        helps["state"],
        trust["state"],
        _worries(summary),
    )


DECIDING = ("method", "reference", "difference", "lower", "upper")


def rows_table(overview: Overview) -> pd.DataFrame:
    """Return the rows as a table for people: sizes, the deciding difference, the three answers."""
    rows = []
    for row in overview.rows:
        held, found = row.summary, deciding_of(row.summary) or {}
        which, helps, trust = held["conclusions"]
        sizes = {"samples": held["samples"], "complete": held["complete"]}
        sizes |= {name: len(held[name]) for name in ("classes", "modalities")}
        answers = {"information": which, "combining": helps, "trust": trust}
        said = {
            f"{name}{suffix}": each[key]
            for name, each in answers.items()
            for suffix, key in (("", "sentence"), ("_state", "state"))
        }
        deciding = {name: found.get(name) for name in DECIDING}
        cost = {"processor_seconds": held["processor_seconds"], "version": held["version"]}
        rows.append({"dataset": held["dataset"], **sizes, **deciding, **said, **cost})
    return pd.DataFrame(rows)
