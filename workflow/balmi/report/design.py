"""The view of the test folds: how they were made, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.config.settings import Scheme
from balmi.report.words import brief, counted, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from balmi.data.cohort import Cohort

# Fewer test folds do not tell how much scores vary, so that no verdict is told as a fact.
FEWEST_FOLDS = 10


@dataclass(frozen=True)
class Design:
    """How samples were held out.

    Parameters
    ----------
    repeats
        Repeats that were evaluated.
    total
        Test folds over all repeats.
    columns
        Columns of samples that name the test folds, where the dataset brings its own.
    group
        Column of the groups where each is a test fold once, or None.
    """

    repeats: int
    total: int
    columns: tuple[str, ...] = ()
    group: str | None = None

    @property
    def few(self) -> bool:
        """Whether there are folds, but too few for a verdict."""
        return 0 < self.total < FEWEST_FOLDS

    @property
    def per_repeat(self) -> float | None:
        """Test folds of a repeat, on average; None where nothing was evaluated."""
        return self.total / self.repeats if self.repeats else None

    @property
    def sentence(self) -> str:
        """How samples were held out, in plain words."""
        folds = counted(self.total, "test fold")
        if self.columns:
            held = _named(self.columns)
            each = ", a repeat each" if len(self.columns) > 1 else ""
            return f"The test folds are those that the dataset names in {held}{each}: {folds}."
        if self.group is not None:
            groups = counted(self.total, "group")
            return f"Each of {groups} (column {brief(self.group)}) was held out once: {folds}."
        repeats = counted(self.repeats, "repeat")
        return f"{repeats} of {self.per_repeat:.0f}-fold cross-validation: {folds}."


def _named(columns: Sequence[str]) -> str:
    noun = "column" if len(columns) == 1 else "columns"
    return f"the {noun} {joined([brief(name) for name in columns])}"


def design_view(performance: pd.DataFrame, cohort: Cohort, scheme: str) -> Design:
    """Make the view of the test folds.

    Parameters
    ----------
    performance
        The table of the contract.
    cohort
        The cohort; folds that it brings come before the scheme.
    scheme
        ``evaluation.scheme`` of the configuration.
    """
    folds = performance[["repeat", "fold"]].drop_duplicates()
    columns = tuple(map(str, cohort.provenance.get("folds") or ()))  # type: ignore[call-overload]
    by_group = scheme == Scheme.LEAVE_ONE_GROUP_OUT and not columns
    return Design(
        repeats=int(folds["repeat"].nunique()),
        total=len(folds),
        columns=columns,
        group=str(cohort.provenance.get("group")) if by_group else None,
    )
