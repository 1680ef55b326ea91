"""The view of the test folds: how they were made, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.config.automatic import USUAL, repeats_for
from balmi.config.settings import Scheme
from balmi.evaluation.decision import FEWEST_FOLDS
from balmi.evaluation.distinct import distinct_folds, first_alike
from balmi.numerals import counted, inflected
from balmi.report.kit.words import brief, joined, test_folds, too_few

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from balmi.data.cohort import Roster


@dataclass(frozen=True)
class Design:
    """How samples were held out.

    Parameters
    ----------
    repeats
        Repeats that were evaluated.
    total
        Test folds over all repeats.
    distinct
        Of these, how many test sets differ: the others repeat one, and add nothing.
    columns
        Columns of samples that name the test folds, where the dataset brings its own.
    group
        Column of the groups where each is a test fold once, or None.
    spared
        Samples of a test fold, on average, where these are so many that there are fewer repeats
        than usual; else None.
    """

    repeats: int
    total: int
    distinct: int
    columns: tuple[str, ...] = ()
    group: str | None = None
    spared: float | None = None

    @property
    def few(self) -> bool:
        """Whether there are folds, but too few that differ for a verdict."""
        return 0 < self.distinct < FEWEST_FOLDS

    @property
    def unjudged(self) -> str | None:
        """Why no effect on a score is put into words, or None where effects are.

        Over as few folds as compare no two methods, no effect of a change is concluded either.
        """
        if not self.few:
            return None
        return f"Not judged: {too_few(self.total, self.distinct, FEWEST_FOLDS)}."

    @property
    def count_places(self) -> int:
        """Decimals of samples per repeat, which are whole of a single one."""
        return 0 if self.repeats == 1 else 1

    @property
    def per_repeat(self) -> float | None:
        """Test folds of a repeat, on average; None where nothing was evaluated."""
        return self.total / self.repeats if self.repeats else None

    @property
    def sentence(self) -> str:
        """How samples were held out, in plain words."""
        folds = test_folds(self.total, self.distinct)
        if self.columns:
            held = _named(self.columns)
            suffix = ", a repeat each" if len(self.columns) > 1 else ""
            return f"The test folds are those that the dataset names in {held}{suffix}: {folds}."
        if self.group is not None:
            groups = counted(self.total, "group")
            return f"Each of {groups} (column {brief(self.group)}) was held out once: {folds}."
        repeats = counted(self.repeats, "repeat")
        held = f"{repeats} of {self.per_repeat:.0f}-fold cross-validation: {folds}."
        if self.spared is None:
            return held
        return (
            f"{held} More would add little: scores on {self.spared:,.0f} samples vary little"
            " (evaluation.repeats is auto)."
        )


def _named(columns: Sequence[str]) -> str:
    noun = inflected(len(columns), "column", "columns")
    return f"the {noun} {joined([brief(name) for name in columns])}"


def design_view(
    predictions: pd.DataFrame, cohort: Roster, scheme: str, automatic: bool = False
) -> Design:
    """Make the view of the test folds.

    Parameters
    ----------
    predictions
        The table of the contract.
    cohort
        The cohort; folds that it brings come before the scheme.
    scheme
        ``evaluation.scheme`` of the configuration.
    automatic
        Whether ``evaluation.repeats`` is left to the number of samples.
    """
    folds = first_alike(predictions)
    columns = tuple(map(str, cohort.provenance.get("folds") or ()))  # type: ignore[call-overload]
    by_group = scheme == Scheme.LEAVE_ONE_GROUP_OUT and not columns
    repeats, total = int(folds["repeat"].nunique()), len(folds)
    dealt = automatic and repeats > 0 and not columns and not by_group
    samples = len(cohort.samples)
    fewer = dealt and repeats == repeats_for(samples, total // repeats) < USUAL
    return Design(
        repeats=repeats,
        total=total,
        distinct=distinct_folds(folds),
        columns=columns,
        group=str(cohort.provenance.get("group")) if by_group else None,
        spared=samples * repeats / total if fewer else None,
    )
