"""The view of contributions: Shapley values of performance, and an embedding of samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.report.conclusions.contributions import added
from balmi.report.kit.amounts import Amount, amount_of
from balmi.report.kit.metrics import metric_of
from balmi.report.kit.words import known
from balmi.report.sections.robustness.view import (
    NO_RESULT,
    lacking,
    missing_reasons,
    ordered_methods,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.report.kit.metrics import Metric


@dataclass(frozen=True)
class Contribution:
    """A modality's Shapley value of a metric, and the metric with this modality alone."""

    modality: str
    shapley: Amount
    alone: float | None


@dataclass(frozen=True)
class Shares:
    """How a method's score is shared out among modalities.

    Parameters
    ----------
    method
        The method.
    metric
        The metric that verdicts follow.
    rows
        One per modality; their Shapley values sum to `whole` minus `nothing`.
    nothing
        The score of class frequencies alone.
    whole
        The score with all modalities.
    quiet
        Why nothing is concluded, or None.
    """

    method: str
    metric: Metric
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
        return self.quiet or added(self)


MAX_MARKS = 2000  # samples above which the embedding is a picture


@dataclass(frozen=True)
class Embedding:
    """Where held-out samples lie by what was predicted of them.

    Parameters
    ----------
    classes
        Their names, in the cohort's order.
    points
        First and second component, and the class by its place, of every sample.
    names
        Their ids.
    flat
        Whether there is no second component; the points then lie in one lane per class.
    """

    classes: tuple[str, ...]
    points: tuple[tuple[float, float, int], ...]
    names: tuple[str, ...]
    flat: bool

    @property
    def counts(self) -> tuple[int, ...]:
        """The samples of every class."""
        found = Counter(code for _, _, code in self.points)
        return tuple(found[code] for code in range(len(self.classes)))

    @property
    def crowded(self) -> bool:
        """Whether there are too many samples for the page to hold a shape for each."""
        return len(self.points) > MAX_MARKS


@dataclass(frozen=True)
class ContributionsView:
    """What the report tells about contributions.

    Parameters
    ----------
    metric
        The metric that verdicts follow.
    shares
        One per method, the own one first.
    embedding
        The embedding by what was predicted, or None.
    features
        The embedding by features, before any fusion, or None.
    reasons
        By part (contributions, embedding): why there is none.
    """

    metric: Metric
    shares: tuple[Shares, ...]
    embedding: Embedding | None
    features: Embedding | None
    reasons: dict[str, str]


def _shares(
    contributions: pd.DataFrame, modalities: Sequence[str], metric: Metric, quiet: str | None
) -> tuple[Shares, ...]:
    main = contributions[contributions["metric"] == metric.key]
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
            shares.append(Shares(method, metric, tuple(rows), nothing, whole, quiet))
    return tuple(shares)


def _embedding(
    embedding: pd.DataFrame, classes: Sequence[str], columns: tuple[str, str] = ("x", "y")
) -> Embedding | None:
    renamed = embedding[["sample", "class", *columns]].set_axis(
        ["sample", "class", "x", "y"], axis=1
    )
    table = renamed.dropna(subset=["x", "y"])
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
    return Embedding(tuple(classes), points, tuple(map(str, table["sample"])), flat)


def _reasons(settings: Mapping[str, Any], without: Mapping[str, str]) -> dict[str, str]:
    """Return why a part is missing, by part, from the configuration, else from the tables."""
    reasons = missing_reasons(settings)
    return {part: reasons.get("contributions", text) for part, text in without.items()}


def contributions_view(
    tables: Mapping[str, pd.DataFrame],
    cohort: Roster,
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
    metric = metric_of(settings["primary_metric"])
    without = {"contributions": lacking(tables["contributions"], metric), "embedding": NO_RESULT}
    return ContributionsView(
        metric=metric,
        shares=_shares(tables["contributions"], cohort.modalities, metric, quiet),
        embedding=_embedding(tables["embedding"], cohort.classes),
        features=_embedding(tables["embedding"], cohort.classes, ("features_x", "features_y")),
        reasons=_reasons(settings, without),
    )
