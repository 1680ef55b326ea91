"""What attribution shows: which modality leads in each class, and how steady features are."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import TYPE_CHECKING

from balmi.numerals import decimal
from balmi.report.kit.words import brief, joined, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from balmi.report.sections.attribution.view import ModalityShare


class Lead(StrEnum):
    """Whether a modality's share stands apart."""

    SINGLE = auto()
    NONE = auto()
    SOME = auto()


LEAD = {
    Lead.SINGLE: "",
    Lead.NONE: "In no class does one modality's share stand apart from the others'.",
    Lead.SOME: "The largest share, apart from all others': {leaders}.",
}


def _leader(rows: Sequence[ModalityShare]) -> str | None:
    """Return the modality whose interval lies above those of all others, or None."""
    first, *others = sorted(rows, key=lambda row: -row.share.estimate)
    lower, uppers = first.share.lower, [row.share.upper for row in others]
    apart = lower is not None and all(upper is not None and upper < lower for upper in uppers)
    return first.modality if others and apart else None


def _named(leads: Mapping[str, Sequence[str]], classes: int) -> str:
    parts = []
    for modality, labels in leads.items():
        every = len(labels) == classes
        which = "every class" if every else joined([brief(name) for name in labels])
        parts.append(f"{brief(modality)} in {which}")
    return "; ".join(parts)


def leading(shares: Sequence[ModalityShare]) -> str:
    """Say which modality has the largest share in which classes; nothing of a single modality.

    Parameters
    ----------
    shares
        Of every class and modality.
    """
    by_class: dict[str, list[ModalityShare]] = {}
    for row in shares:
        by_class.setdefault(row.label, []).append(row)
    leads: dict[str, list[str]] = {}
    for label, rows in by_class.items():
        modality = _leader(rows)
        if modality is not None:
            leads.setdefault(modality, []).append(label)
    several = any(len(rows) > 1 for rows in by_class.values())
    case = Lead.SINGLE if not several else Lead.SOME if leads else Lead.NONE
    return LEAD[case].format(leaders=_named(leads, len(by_class)))


RANKS = "importances correlate with {} (Spearman)"
OVERLAPS = "the listed features overlap by {}"
STEADY = "Between folds {}: the less, the less a single feature means."


def _range(values: Sequence[float], form: Callable[[float], str]) -> str:
    least, most = form(min(values)), form(max(values))
    return least if least == most else f"{least} to {most}"


def steady(shares: Sequence[ModalityShare]) -> str:
    """Say how alike attributions are between folds; nothing where that is not known.

    Parameters
    ----------
    shares
        Of every class and modality.
    """
    ranks = [row.stability for row in shares if row.stability is not None]
    overlaps = [row.overlap for row in shares if row.overlap is not None]
    parts = []
    if ranks:
        parts.append(RANKS.format(_range(ranks, lambda rho: decimal(rho, 2))))
    if overlaps:
        parts.append(OVERLAPS.format(_range(overlaps, percent)))
    return STEADY.format(" and ".join(parts)) if parts else ""
