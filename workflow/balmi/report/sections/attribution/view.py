"""The view of attribution: which features and modalities the networks go by, and how steadily."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from balmi.evaluation.primary import NETWORK
from balmi.numerals import signed
from balmi.report.conclusions.attribution import leading, steady
from balmi.report.kit.amounts import Amount, amount_of
from balmi.report.kit.words import known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster

NOT_ATTRIBUTED = "No result: attribution/status.json among the results says why."
MAX_FEATURES = 180  # rows of the table of features
MAX_PANELS, MAX_DOTS = 8, 60  # classes of the figure of features, and its rows in all
MOST_DOTS, FEWEST_DOTS = 10, 5  # of a class
FEWEST_FEATURES = 1  # of a class and modality, however many there are of these


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
    """What features the networks go by, and how far that can be trusted.

    Parameters
    ----------
    shares
        Of every class and modality.
    features
        The foremost of every class and modality.
    listed
        The most of a class and modality.
    total
        Features that the table has.
    foremost
        By class, the features of largest importance over all modalities; of many classes the first.
    """

    shares: tuple[ModalityShare, ...]
    features: tuple[Feature, ...]
    listed: int
    total: int
    foremost: tuple[tuple[str, tuple[Feature, ...]], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Which modality leads, and how steady single features are."""
        return tuple(filter(None, (leading(self.shares), steady(self.shares))))


@dataclass(frozen=True)
class Held:
    """What the samples of a class hold of a feature, in standard deviations from the mean of all.

    Parameters
    ----------
    label
        The class.
    start, stop
        Its first column, and the one after its last.
    median, low, high
        Median, and the ends of the middle half; None where it was measured in no sample.
    """

    label: str
    start: int
    stop: int
    median: float | None
    low: float | None
    high: float | None

    @property
    def told(self) -> str:
        """The median with the middle half."""
        if self.median is None:
            return "not measured"
        half = f"{signed(self.low, 1)} to {signed(self.high, 1)}"
        return f"median {signed(self.median, 1)}, middle half {half} deviations"


@dataclass(frozen=True)
class Values:
    """What samples hold of the foremost features.

    Parameters
    ----------
    features
        Modality and name of each.
    classes
        Class and number of its samples, in the order of the columns.
    cells
        Standardised values, None where not measured: a row per feature, a column per sample.
    """

    features: tuple[tuple[str, str], ...]
    classes: tuple[tuple[str, int], ...]
    cells: tuple[tuple[float | None, ...], ...]

    @property
    def by_feature(self) -> tuple[tuple[tuple[str, str], tuple[Held, ...]], ...]:
        """Modality and name of each feature, and what each class holds of it."""
        held = (tuple(self._held(row)) for row in self.cells)
        return tuple(zip(self.features, held, strict=True))

    def _held(self, row: Sequence[float | None]) -> Iterator[Held]:
        start = 0
        for name, count in self.classes:
            stop = start + count
            values = [each for each in row[start:stop] if each is not None]
            low, middle, high = np.percentile(values, (25, 50, 75)) if values else (None,) * 3
            yield Held(name, start, stop, known(middle), known(low), known(high))
            start = stop

    @property
    def samples(self) -> int:
        """Samples that have a column."""
        return sum(count for _, count in self.classes)


@dataclass(frozen=True)
class AttributionView:
    """What the report tells about attribution.

    Parameters
    ----------
    attributions
        The attributions of the own method, or None.
    reason
        Why there are none.
    values
        What samples hold of the foremost features, or None.
    """

    attributions: Attributions | None
    reason: str
    values: Values | None = None


def _features(
    attribution: pd.DataFrame, classes: Sequence[str], modalities: Sequence[str]
) -> tuple[Feature, ...]:
    """Return the foremost features of every class and modality, as many of each as fit."""
    count = max(FEWEST_FEATURES, MAX_FEATURES // max(1, len(classes) * len(modalities)))
    return _of(attribution[attribution["rank"] <= count], classes, modalities)


def _of(
    attribution: pd.DataFrame, classes: Sequence[str], modalities: Sequence[str]
) -> tuple[Feature, ...]:
    """Return the features of some rows that have any importance, by class, modality and rank."""
    shown = attribution[attribution["importance"] > 0]
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


def _foremost(
    features: Sequence[Feature], classes: Sequence[str]
) -> tuple[tuple[str, tuple[Feature, ...]], ...]:
    """Return the features of largest importance of the first classes."""
    shown = [name for name in classes if any(row.label == name for row in features)][:MAX_PANELS]
    count = min(MOST_DOTS, max(FEWEST_DOTS, MAX_DOTS // max(1, len(shown))))
    found = []
    for name in shown:
        rows = [row for row in features if row.label == name]
        rows.sort(key=lambda row: (-row.importance, row.modality, row.name))
        found.append((name, tuple(rows[:count])))
    return tuple(found)


def _attributions(
    attribution: pd.DataFrame, shares: pd.DataFrame, cohort: Roster
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
    foremost = _foremost(_of(attribution, cohort.classes, cohort.modalities), cohort.classes)
    return Attributions(tuple(rows), features, listed, len(attribution), foremost)


def _reason(settings: Mapping[str, Any]) -> str:
    """Return why there is no attribution, from the configuration."""
    if NETWORK not in settings["methods"]:
        return f"Not run: {NETWORK}, whose networks are looked at, is not in methods."
    if not settings["attribution"]["enabled"]:
        return "Not run: attribution.enabled is false."
    return NOT_ATTRIBUTED


def _values(tables: Mapping[str, pd.DataFrame], cohort: Roster) -> Values | None:
    """Return the columns by class, and in it by the probability of the class, the least first."""
    values = tables.get("attribution_values")
    if values is None or values.empty:
        return None
    samples = tables["per_sample"]
    labels = dict(zip(cohort.samples, cohort.labels, strict=True))
    p = dict(zip(samples["sample"], samples["class_p"], strict=True))
    table = values.set_index("sample")
    order = sorted(table.index, key=lambda name: (labels[name], p.get(name, -1.0), name))
    codes = [labels[name] for name in order]
    counts = [(name, codes.count(code)) for code, name in enumerate(cohort.classes)]
    features = [name.split(":", 2)[1:] for name in table]
    cells = (tuple(map(known, table[name].loc[order])) for name in table)
    return Values(
        tuple((modality, feature) for modality, feature in features),
        tuple((name, count) for name, count in counts if count),
        tuple(cells),
    )


def attribution_view(
    tables: Mapping[str, pd.DataFrame], cohort: Roster, settings: Mapping[str, Any]
) -> AttributionView:
    """Make the view of attribution.

    Parameters
    ----------
    tables
        ``attribution`` and ``attribution_modalities``, as in the contract; ``attribution_values``
        where there is one, and with it ``per_sample``.
    cohort
        The cohort.
    settings
        The resolved configuration.
    """
    held = _attributions(tables["attribution"], tables["attribution_modalities"], cohort)
    values = _values(tables, cohort)
    return AttributionView(held, _reason(settings), values)
