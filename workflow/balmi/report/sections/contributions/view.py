"""The view of contributions: Shapley values of performance, embedding, and attributed features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.report.kit.amounts import Amount, amount_of
from balmi.report.kit.words import decimal, joined, known, percent, shortened, with_limits
from balmi.report.sections.performance.view import MAIN_METRIC, OWN
from balmi.report.sections.robustness.view import NO_RESULT, missing_reasons, ordered_methods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Cohort

LONGEST_NAME = 40
NOT_ATTRIBUTED = "No result: attribution/status.json among the results says why."
MAX_FEATURES = 450  # rows of the table of features
FEWEST_FEATURES = 3  # of a class and modality, however many there are of these


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
            f"{_brief(row.modality)}"
            f" adds {with_limits(row.shapley.estimate, row.shapley.lower, row.shapley.upper)}"
            for row in shown
        ]
        if unclear:
            names = joined([_brief(row.modality) for row in unclear])
            parts.append(
                f"{names} {'is' if len(unclear) == 1 else 'are'} not shown to add anything"
            )
        if harm:
            names = joined([_brief(row.modality) for row in harm])
            parts.append(f"{names} {'is' if len(harm) == 1 else 'are'} shown to take away")
        return f"{text} Of it, {'; '.join(parts)}." if parts else text


@dataclass(frozen=True)
class ModalityShare:
    """A modality's share in the attributions of a class, and how steady its features are.

    `stability` is the mean Spearman correlation of importances between folds, `overlap` the mean
    Jaccard index of their listed features.
    """

    label: str
    modality: str
    share: Amount
    stability: float | None
    overlap: float | None


@dataclass(frozen=True)
class Feature:
    """A feature that the networks go by for a class.

    Parameters
    ----------
    label, modality, name
        The class, the modality and the feature.
    rank
        Within class and modality, from 1.
    importance, direction
        Mean absolute and mean signed integrated gradient.
    top
        Share of folds in which it is among the listed features.
    kept
        Share of folds whose preprocessing kept it.
    """

    label: str
    modality: str
    name: str
    rank: int
    importance: float
    direction: float
    top: float
    kept: float


@dataclass(frozen=True)
class Attributions:
    """What features the networks go by, and how far that can be trusted."""

    shares: tuple[ModalityShare, ...]
    features: tuple[Feature, ...]
    listed: int
    total: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """Which modality leads, and how steady single features are."""
        return tuple(filter(None, (self._leading, self._steady)))

    @property
    def _leading(self) -> str:
        by_class: dict[str, list[ModalityShare]] = {}
        for row in self.shares:
            by_class.setdefault(row.label, []).append(row)
        leads: dict[str, list[str]] = {}
        for label, rows in by_class.items():
            first, *others = sorted(rows, key=lambda row: -row.share.estimate)
            lower = first.share.lower
            uppers = [row.share.upper for row in others]
            if others and lower is not None and all(u is not None and u < lower for u in uppers):
                leads.setdefault(first.modality, []).append(label)
        if not any(len(rows) > 1 for rows in by_class.values()):
            return ""
        if not leads:
            return "In no class does one modality's share stand apart from the others'."
        parts = []
        for modality, labels in leads.items():
            everywhere = len(labels) == len(by_class)
            which = "every class" if everywhere else joined([_brief(name) for name in labels])
            parts.append(f"{_brief(modality)} in {which}")
        return f"The largest share, apart from all others': {'; '.join(parts)}."

    @property
    def _steady(self) -> str:
        found = [row.overlap for row in self.shares if row.overlap is not None]
        ranks = [row.stability for row in self.shares if row.stability is not None]
        parts = []
        if ranks:
            size = _range(ranks, lambda rho: decimal(rho, 2))
            parts.append(f"importances correlate with {size} (Spearman)")
        if found:
            parts.append(f"the listed features overlap by {_range(found, percent)}")
        if not parts:
            return ""
        told = " and ".join(parts)
        return f"Between folds {told}: the less, the less a single feature means."


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
    attributions
        The attributions of the own method, or None.
    reasons
        By part (contributions, embedding, attribution): why there is none.
    """

    shares: tuple[Shares, ...]
    embedding: Embedding | None
    attributions: Attributions | None
    reasons: dict[str, str]


def _brief(name: str) -> str:
    return shortened(name, LONGEST_NAME)


def _range(values: Sequence[float], form: Any) -> str:
    least, most = form(min(values)), form(max(values))
    return least if least == most else f"{least} to {most}"


def _shares(
    contributions: pd.DataFrame, modalities: Sequence[str], quiet: str | None
) -> tuple[Shares, ...]:
    main = contributions[contributions["metric"] == MAIN_METRIC]
    found = []
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
            found.append(Shares(method, tuple(rows), nothing, whole, quiet))
    return tuple(found)


def _features(
    attribution: pd.DataFrame, classes: Sequence[str], modalities: Sequence[str]
) -> tuple[Feature, ...]:
    """Return the foremost features of every class and modality, as many of each as fit."""
    count = max(FEWEST_FEATURES, MAX_FEATURES // max(1, len(classes) * len(modalities)))
    shown = attribution[(attribution["rank"] <= count) & (attribution["importance"] > 0)]
    rows = [
        Feature(
            row["class"],
            row["modality"],
            row["feature"],
            int(row["rank"]),
            *(float(row[column]) for column in ("importance", "direction", "top", "kept")),
        )
        for row in shown.to_dict("records")
    ]
    first = {name: place for place, name in enumerate(classes)}
    second = {name: place for place, name in enumerate(modalities)}
    rows.sort(key=lambda row: (first[row.label], second[row.modality], row.rank))
    return tuple(rows)


def _attributions(
    attribution: pd.DataFrame, shares: pd.DataFrame, cohort: Cohort
) -> Attributions | None:
    held = {(row["class"], row["modality"]): row for row in shares.to_dict("records")}
    rows = [
        ModalityShare(label, name, amount, known(row["stability"]), known(row["overlap"]))
        for label in cohort.classes
        for name in cohort.modalities
        if (row := held.get((label, name))) is not None
        and (amount := amount_of(row, ("share", "lower", "upper"))) is not None
    ]
    features = _features(attribution, cohort.classes, cohort.modalities)
    if not rows and not features:
        return None
    listed = max((row.rank for row in features), default=0)
    return Attributions(tuple(rows), features, listed, len(attribution))


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
    found = {"contributions": probes, "embedding": probes, "attribution": NOT_ATTRIBUTED}
    if OWN not in settings["methods"]:
        found["attribution"] = f"Not run: {OWN}, whose networks are looked at, is not in methods."
    elif not settings["attribution"]["enabled"]:
        found["attribution"] = "Not run: attribution.enabled is false."
    return found


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
        ``contributions``, ``embedding``, ``attribution`` and ``attribution_modalities``, as in the
        contract.
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
        attributions=_attributions(tables["attribution"], tables["attribution_modalities"], cohort),
        reasons=_reasons(settings),
    )
