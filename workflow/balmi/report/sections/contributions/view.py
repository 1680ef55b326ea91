"""The view of contributions: Shapley values of performance, and an embedding of samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.report.kit.amounts import Amount, amount_of
from balmi.report.kit.words import brief, decimal, joined, known, with_limits
from balmi.report.sections.performance.view import MAIN_METRIC
from balmi.report.sections.robustness.view import NO_RESULT, missing_reasons, ordered_methods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Cohort


@dataclass(frozen=True)
class Contribution:
    """A modality's Shapley value of macro-F1, and macro-F1 with this modality alone."""

    modality: str
    shapley: Amount
    alone: float | None


@dataclass(frozen=True)
class Shares:
    """How a method's macro-F1 is shared out among modalities.

    Parameters
    ----------
    method
        The method.
    rows
        One per modality; their Shapley values sum to `whole` minus `nothing`.
    nothing
        Macro-F1 of class frequencies alone.
    whole
        Macro-F1 with all modalities.
    quiet
        Why nothing is concluded, or None.
    """

    method: str
    rows: tuple[Contribution, ...]
    nothing: float
    whole: float
    quiet: str | None = None

    @property
    def sum(self) -> float:
        """What the modalities add together."""
        return self.whole - self.nothing

    @property
    def sentence(self) -> str:
        """What the modalities add, from their intervals."""
        if self.quiet is not None:
            return self.quiet
        text = f"{self.method} has macro-F1 {decimal(self.whole)} with all modalities and"
        text += f" {decimal(self.nothing)} from class frequencies alone; the Shapley values share"
        text += f" out the difference and sum to {decimal(self.sum)}."
        adding = [row for row in self.rows if row.shapley.lower is not None]
        shown = sorted(
            (row for row in adding if (row.shapley.lower or 0) > 0),
            key=lambda row: -row.shapley.estimate,
        )
        harm = [row for row in adding if (row.shapley.upper or 0) < 0]
        unclear = [row for row in adding if row not in shown and row not in harm]
        parts = [
            f"{brief(row.modality)}"
            f" adds {with_limits(row.shapley.estimate, row.shapley.lower, row.shapley.upper)}"
            for row in shown
        ]
        if unclear:
            names = joined([brief(row.modality) for row in unclear])
            parts.append(
                f"{names} {'is' if len(unclear) == 1 else 'are'} not shown to add anything"
            )
        if harm:
            names = joined([brief(row.modality) for row in harm])
            parts.append(f"{names} {'is' if len(harm) == 1 else 'are'} shown to take away")
        return f"{text} Of it, {'; '.join(parts)}." if parts else text


@dataclass(frozen=True)
class Embedding:
    """Where held-out samples lie by what was predicted of them.

    Parameters
    ----------
    classes
        Their names, in the cohort's order.
    points
        First and second component, and the class by its place, of every sample.
    flat
        Whether there is no second component; the points then lie in one lane per class.
    """

    classes: tuple[str, ...]
    points: tuple[tuple[float, float, int], ...]
    flat: bool

    @property
    def counts(self) -> tuple[int, ...]:
        """The samples of every class."""
        codes = [code for _, _, code in self.points]
        return tuple(codes.count(code) for code in range(len(self.classes)))


@dataclass(frozen=True)
class ContributionsView:
    """What the report tells about contributions.

    Parameters
    ----------
    shares
        One per method, the own one first.
    embedding
        The embedding, or None.
    reasons
        By part (contributions, embedding): why there is none.
    """

    shares: tuple[Shares, ...]
    embedding: Embedding | None
    reasons: dict[str, str]


def _shares(
    contributions: pd.DataFrame, modalities: Sequence[str], quiet: str | None
) -> tuple[Shares, ...]:
    main = contributions[contributions["metric"] == MAIN_METRIC]
    shares = []
    for method in ordered_methods(list(main["method"])):
        table = main[main["method"] == method]
        held = {row["modality"]: row for row in table.to_dict("records")}
        rows = [
            Contribution(name, amount, known(held[name]["alone"]))
            for name in modalities
            if name in held
            and (amount := amount_of(held[name], ("shapley", "lower", "upper"))) is not None
        ]
        if rows:
            first = table.iloc[0]
            whole, nothing = float(first["whole"]), float(first["nothing"])
            shares.append(Shares(method, tuple(rows), nothing, whole, quiet))
    return tuple(shares)


def _embedding(embedding: pd.DataFrame, classes: Sequence[str]) -> Embedding | None:
    table = embedding.dropna(subset=["x", "y"])
    if table.empty:
        return None
    places = {name: place for place, name in enumerate(classes)}
    codes = [places[name] for name in table["class"]]
    flat = bool((table["y"] == 0).all())
    # One lane per class, and within it a fixed spread: two builds draw the same.
    heights = (
        [code + 0.6 * ((place * 0.618034) % 1 - 0.5) for place, code in enumerate(codes)]
        if flat
        else list(map(float, table["y"]))
    )
    points = tuple(zip(map(float, table["x"]), heights, codes, strict=True))
    return Embedding(tuple(classes), points, flat)


def _reasons(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return why a part is missing, by part, from the configuration."""
    probes = missing_reasons(settings).get("contributions", NO_RESULT)
    return {"contributions": probes, "embedding": probes}


def contributions_view(
    tables: Mapping[str, pd.DataFrame],
    cohort: Cohort,
    settings: Mapping[str, Any],
    quiet: str | None = None,
) -> ContributionsView:
    """Make the view of contributions.

    Parameters
    ----------
    tables
        ``contributions`` and ``embedding``, as in the contract.
    cohort
        The cohort.
    settings
        The resolved configuration.
    quiet
        Why nothing is concluded, or None where it is.
    """
    return ContributionsView(
        shares=_shares(tables["contributions"], cohort.modalities, quiet),
        embedding=_embedding(tables["embedding"], cohort.classes),
        reasons=_reasons(settings),
    )
