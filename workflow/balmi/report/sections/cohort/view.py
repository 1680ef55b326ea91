"""The view of the cohort: who is in it, and which samples lack what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.inputs import Inputs
from balmi.numerals import counted
from balmi.report.kit.words import known

if TYPE_CHECKING:
    import pandas as pd

    from balmi.data.cohort import Roster

MAX_PATTERNS = 12
CHANGED = {
    "without": "{} is left out",
    "noise": "{} holds noise in place of its values",
    "shuffled": "the rows of {} are permuted",
    "duplicated": "{} has a copy",
}


@dataclass(frozen=True)
class ClassRow:
    """A class: its samples, their share, and how many of them each modality measures."""

    name: str
    count: int
    share: float
    measured: tuple[int, ...]


@dataclass(frozen=True)
class ModalityRow:
    """A modality: its kind of omics, features, and the samples that have it."""

    name: str
    kind: str
    features: int
    samples: int
    share: float


@dataclass(frozen=True)
class Pattern:
    """Samples that lack the same modalities."""

    lacks: tuple[str, ...]
    count: int
    share: float


@dataclass(frozen=True)
class Absence:
    """How far the absence of a modality, or the whole pattern of absence, follows the class.

    Parameters
    ----------
    what
        The modality, or None for the whole pattern.
    lacking
        Samples that lack it, or anything.
    cramers_v
        Bias-corrected Cramer's V of absence and class, from 0 to 1; None where it is not defined.
    p, p_holm
        Permutation p-value, and the same adjusted for the number of rows.
    """

    what: str | None
    lacking: int
    cramers_v: float | None
    p: float | None
    p_holm: float | None


@dataclass(frozen=True)
class CohortView:
    """What the report tells about a cohort.

    Parameters
    ----------
    samples
        Number of samples.
    complete
        Number of samples that have every modality.
    label, group
        Columns that hold the class and, if any, the group.
    groups
        Number of groups, or None.
    classes, modalities
        In the order of the cohort.
    patterns
        The commonest patterns of availability, by falling count.
    other_patterns
        Number of patterns that are not listed, and of their samples.
    dropped
        What was left out, and how many.
    controls
        What the dataset's control changed, in words.
    absence
        How far absence follows the class; empty where no sample lacks anything.
    warnings
        What was accepted of the inputs with a warning.
    inputs
        The files that the cohort was read from.
    """

    samples: int
    complete: int
    label: str
    group: str | None
    groups: int | None
    classes: tuple[ClassRow, ...]
    modalities: tuple[ModalityRow, ...]
    patterns: tuple[Pattern, ...]
    other_patterns: tuple[int, int]
    dropped: tuple[tuple[str, int], ...]
    controls: tuple[str, ...] = ()
    absence: tuple[Absence, ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: Inputs = field(default_factory=Inputs)

    @property
    def counted(self) -> str:
        """How many samples, and of how many groups where several come from one."""
        samples = counted(self.samples, "sample")
        repeated = self.groups is not None and self.groups < self.samples
        return f"{samples} of {counted(self.groups or 0, 'group')}" if repeated else samples

    @property
    def rarest(self) -> ClassRow:
        """The class with the fewest samples."""
        return min(self.classes, key=lambda row: row.count)


def _patterns(available: np.ndarray, modalities: tuple[str, ...]) -> list[Pattern]:
    rows, counts = np.unique(available, axis=0, return_counts=True)
    patterns = [
        Pattern(
            lacks=tuple(name for name, has in zip(modalities, row, strict=True) if not has),
            count=int(count),
            share=float(count / len(available)),
        )
        for row, count in zip(rows, counts, strict=True)
    ]
    return sorted(patterns, key=lambda pattern: (-pattern.count, pattern.lacks))


def _controls(control: dict[str, list[str] | bool]) -> tuple[str, ...]:
    """Put into words what a control changed."""
    changes = [text.format(name) for key, text in CHANGED.items() for name in control.get(key, ())]
    return (*changes, *["the labels are permuted"] * bool(control.get("shuffled_labels")))


def _absence(table: pd.DataFrame | None, modalities: tuple[str, ...]) -> tuple[Absence, ...]:
    if table is None:
        return ()
    return tuple(
        Absence(
            row.modality if row.modality in modalities else None,
            int(row.lacking),
            *(known(value) for value in (row.cramers_v, row.p, row.p_holm)),
        )
        for row in table.itertuples(index=False)
    )


def cohort_view(cohort: Roster, absence: pd.DataFrame | None = None) -> CohortView:
    """Count a cohort.

    Parameters
    ----------
    cohort
        The cohort.
    absence
        The table of the contract, or None where it was not made.
    """
    available = cohort.available
    n = len(cohort.samples)
    members = [cohort.labels == code for code in range(len(cohort.classes))]
    patterns = _patterns(available, cohort.modalities)
    dropped: dict[str, int] = cohort.provenance.get("dropped", {})  # type: ignore[assignment]
    group = cohort.provenance.get("group")
    return CohortView(
        samples=n,
        complete=int(available.all(axis=1).sum()),
        label=str(cohort.provenance.get("label", "label")),
        group=None if group is None else str(group),
        groups=None if cohort.groups is None else len(np.unique(cohort.groups)),
        classes=tuple(
            ClassRow(
                name=name,
                count=int(member.sum()),
                share=float(member.mean()),
                measured=tuple(map(int, available[member].sum(axis=0))),
            )
            for name, member in zip(cohort.classes, members, strict=True)
        ),
        modalities=tuple(
            ModalityRow(
                name=name,
                kind=str(cohort.kinds[name]),
                features=cohort.sizes[name],
                samples=int(has.sum()),
                share=float(has.mean()),
            )
            for name, has in zip(cohort.modalities, available.T, strict=True)
        ),
        patterns=tuple(patterns[:MAX_PATTERNS]),
        other_patterns=(
            len(patterns[MAX_PATTERNS:]),
            sum(pattern.count for pattern in patterns[MAX_PATTERNS:]),
        ),
        dropped=tuple((what, int(count)) for what, count in sorted(dropped.items()) if count),
        absence=_absence(absence, cohort.modalities),
        warnings=tuple(map(str, cohort.provenance.get("warnings", ()))),  # type: ignore[call-overload]
        inputs=Inputs.told(cohort.provenance),
        controls=_controls(cohort.provenance.get("control", {})),  # type: ignore[arg-type]
    )
