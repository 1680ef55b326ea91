"""The view of samples: what is predicted of each while it is held out, and which are missed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from balmi.evaluation.samples import PREDICTED, PROBABILITY, shown_method
from balmi.report.conclusions.samples import first_to_look_at, missed
from balmi.report.kit.words import known

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from balmi.data.cohort import Roster

MAX_SAMPLES = 2000  # of which the figure has a mark each
MAX_HARD = 200  # samples that every method misses, in figure and table
MAX_CELLS = 1000  # of what modalities say of these, in the table
MAX_OTHERS = 500  # of the other samples, where there are more than `MAX_SAMPLES`
RIGHT, MISSED, HARD = range(3)
EVERY = {1: "the only method", 2: "both methods"}


@dataclass(frozen=True)
class Alone:
    """What a modality says of a sample alone: a class and its probability."""

    label: str
    probability: float


@dataclass(frozen=True)
class Sample:
    """A sample while it is held out.

    Parameters
    ----------
    name, label, group
        Its id, its class, and its group or None.
    predicted
        The class that the method decides on in most repeats.
    class_p
        Mean probability of its class by the method.
    right
        Share of repeats in which the method decides on its class.
    methods, wrong
        Methods that tested it, and those that miss it in more than half of the repeats.
    other, agree
        The other class on which most methods decide, or None, and how many do.
    alone
        What each modality says, in the cohort's order; None where it says nothing.
    """

    name: str
    label: str
    group: str | None
    predicted: str
    class_p: float
    right: float
    methods: int
    wrong: int
    other: str | None
    agree: int
    alone: tuple[Alone | None, ...]

    @property
    def state(self) -> int:
        """Whether it is right, missed by the method, or missed by every method."""
        if 0 < self.methods == self.wrong:
            return HARD
        return MISSED if self.right < 0.5 else RIGHT

    @property
    def unanimous(self) -> bool:
        """Whether all methods agree on one other class, and so does every modality that it has."""
        said = [each.label for each in self.alone if each is not None]
        return self.agree == self.methods and bool(said) and set(said) == {self.other}


@dataclass(frozen=True)
class Lane:
    """A class: how many of its samples were tested and how many are missed, and the marks.

    A mark is a sample, and the share of the class's samples that are less likely of it.
    """

    name: str
    samples: int
    missed: int
    hard: int
    marks: tuple[tuple[float, Sample], ...]


@dataclass(frozen=True)
class SamplesView:
    """What the report tells about single samples.

    Parameters
    ----------
    method
        Whose probabilities are shown.
    modalities
        Their names.
    methods
        The most methods that tested a sample.
    lanes
        One per class that has samples, in the cohort's order.
    hard
        Samples that every method misses, those first that are least likely of their class.
    grouped
        Whether samples have groups.
    shown
        Samples that have a mark.
    """

    method: str
    modalities: tuple[str, ...]
    methods: int
    lanes: tuple[Lane, ...]
    hard: tuple[Sample, ...]
    grouped: bool
    shown: int

    @property
    def everyone(self) -> str:
        """All methods, in words."""
        return EVERY.get(self.methods, f"all {self.methods} methods")

    @property
    def most(self) -> tuple[int, int]:
        """Of many samples, how many have a mark at most: missed by every method, and others."""
        return MAX_HARD, MAX_OTHERS

    @property
    def names(self) -> frozenset[str]:
        """Samples that have a mark or a row."""
        marked = {row.name for lane in self.lanes for _, row in lane.marks}
        return frozenset(marked | {row.name for row in self.hard})

    @property
    def samples(self) -> int:
        """Samples that were tested."""
        return sum(lane.samples for lane in self.lanes)

    @property
    def missed(self) -> int:
        """Samples that the method misses in more than half of the repeats, or every method does."""
        return sum(lane.missed for lane in self.lanes)

    @property
    def hard_samples(self) -> int:
        """Samples that every method misses."""
        return sum(lane.hard for lane in self.lanes)

    @property
    def sentence(self) -> str:
        """How many are missed, by whom, and in which class most."""
        return missed(self)

    @property
    def unanimous(self) -> str | None:
        """Which are called one other class by all methods and modalities; None for none."""
        return first_to_look_at(self)


def _alone(row: dict[str, Any], modality: str) -> Alone | None:
    label = row[f"{PREDICTED}{modality}"]
    probability = known(row[f"{PROBABILITY}{modality}"])
    return Alone(label, probability) if isinstance(label, str) and probability is not None else None


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _sample(row: dict[str, Any], modalities: Sequence[str]) -> Sample:
    return Sample(
        row["sample"],
        row["class"],
        _text(row["group"]),
        row["predicted"],
        float(row["class_p"]),
        float(row["right"]),
        int(row["methods"]),
        int(row["wrong"]),
        _text(row["other"]),
        int(row["agree"]),
        tuple(_alone(row, name) for name in modalities),
    )


def _chosen(rows: Sequence[Sample]) -> set[str]:
    """Return the names of samples that get a mark: of many by their checksums, always the same."""
    if len(rows) <= MAX_SAMPLES:
        return {row.name for row in rows}
    hard = [row.name for row in rows if row.state == HARD]
    others = [row.name for row in rows if row.state != HARD]

    def drawn(name: str) -> str:
        return sha256(name.encode()).hexdigest()

    found = (sorted(names, key=drawn) for names in (hard, others))
    return {
        name
        for names, most in zip(found, (MAX_HARD, MAX_OTHERS), strict=True)
        for name in names[:most]
    }


def _lane(name: str, rows: Sequence[Sample], chosen: set[str]) -> Lane:
    ordered = sorted(rows, key=lambda row: (row.class_p, row.name))
    states = [row.state for row in ordered]
    marks = tuple(
        ((place + 0.5) / len(ordered), row)
        for place, row in enumerate(ordered)
        if row.name in chosen
    )
    missed = sum(state != RIGHT for state in states)
    return Lane(name, len(ordered), missed, states.count(HARD), marks)


def samples_view(
    samples: pd.DataFrame, methods: Sequence[str], cohort: Roster
) -> SamplesView | None:
    """Make the view of samples, None where no method gave a result.

    Parameters
    ----------
    samples
        The table of the contract.
    methods
        The methods that have predictions, in the order of these.
    cohort
        The cohort.
    """
    if samples.empty:
        return None
    rows = [_sample(row, cohort.modalities) for row in samples.to_dict("records")]
    by_class: dict[str, list[Sample]] = {name: [] for name in cohort.classes}
    for row in rows:
        by_class[row.label].append(row)
    chosen = _chosen(rows)
    lanes = tuple(_lane(name, held, chosen) for name, held in by_class.items() if held)
    hard = sorted(
        (row for row in rows if row.state == HARD), key=lambda row: (row.class_p, row.name)
    )
    return SamplesView(
        method=shown_method(methods),
        modalities=cohort.modalities,
        methods=max(row.methods for row in rows),
        lanes=lanes,
        hard=tuple(hard[: min(MAX_HARD, MAX_CELLS // len(cohort.modalities))]),
        grouped=any(row.group is not None for row in rows),
        shown=len(chosen),
    )
