"""The view of mutual information: about the label, between modalities, and for distillation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from balmi.evaluation.verdicts import Verdict, verdict
from balmi.information.estimates import NULL_LEVEL
from balmi.report.words import known

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN_WORDS = {
    Verdict.GAIN: "predicted to help",
    Verdict.NONE: "undecided",
    Verdict.LOSS: "predicted not to help",
}
NOT_STRONGER = "the teacher is not the stronger"
NO_INFORMATION = "one of the two shows no information"


@dataclass(frozen=True)
class LabelInformation:
    """Information of a modality about the label, in nats.

    `share` is the share of the label's entropy, 0 for a negative estimate; `exceeds` says whether
    permuted labels give as much in at most 5 % of cases, None where there is no null.
    """

    modality: str
    estimate: float
    lower: float | None
    upper: float | None
    null95: float | None
    p: float | None
    n: int
    share: float | None
    exceeds: bool | None


@dataclass(frozen=True)
class Pair:
    """Information between two modalities, in nats, at `components` principal components each."""

    first: str
    second: str
    estimate: float
    p: float | None
    n: int
    components: int | None


@dataclass(frozen=True)
class Margin:
    """The complementarity margin of a teacher and a student, in nats, and what it predicts.

    `eligible` says whether the pair would be distilled at a positive margin: the teacher is the
    stronger, and both exceed their null. Other pairs have no verdict.
    """

    teacher: str
    student: str
    estimate: float
    lower: float | None
    upper: float | None
    verdict: str | None
    prediction: str
    eligible: bool


@dataclass(frozen=True)
class Lesson:
    """What a student learned from a teacher in the pretraining.

    In `replicas` of all replicas, with the mean share `strength` of the soft loss there.
    """

    teacher: str
    student: str
    replicas: int
    of: int
    strength: float


@dataclass(frozen=True)
class InformationView:
    """What the report tells about information.

    Parameters
    ----------
    entropy
        Entropy of the label in nats, None where the table lacks it.
    label
        In the order of the modalities.
    strongest, weakest
        The modality whose paired difference from every other has an interval above (below) 0; None
        where they are not separable. The strongest also exceeds its null.
    pairs, margins
        As in the table.
    lessons
        What was distilled; None where nothing was pretrained.
    """

    entropy: float | None
    label: tuple[LabelInformation, ...]
    strongest: str | None
    weakest: str | None
    pairs: tuple[Pair, ...]
    margins: tuple[Margin, ...]
    lessons: tuple[Lesson, ...] | None

    @property
    def inside_null(self) -> tuple[str, ...]:
        """The modalities whose information does not exceed that of permuted labels."""
        return tuple(row.modality for row in self.label if row.exceeds is False)

    @property
    def pair_cells(self) -> dict[tuple[str, str], Pair]:
        """Every pair in both orders."""
        both = {(pair.first, pair.second): pair for pair in self.pairs}
        return both | {(pair.second, pair.first): pair for pair in self.pairs}


def _separate(
    rows: Sequence[LabelInformation], differences: pd.DataFrame
) -> tuple[str | None, str | None]:
    """Return the strongest and weakest modality, each only where it differs from every other.

    Modalities are measured on the same samples, so that their paired difference tells more than
    two intervals side by side.
    """
    if len(rows) < 2:
        return None, None
    wins = set()
    for _, row in differences.iterrows():
        if row["lower"] > 0:
            wins.add((row["modality"], row["other"]))
        elif row["upper"] < 0:
            wins.add((row["other"], row["modality"]))
    falling = sorted(rows, key=lambda row: -row.estimate)
    top, bottom = falling[0], falling[-1]
    above = all((top.modality, row.modality) in wins for row in falling[1:])
    below = all((row.modality, bottom.modality) in wins for row in falling[:-1])
    strongest = top.modality if above and top.exceeds is not False else None
    # Two modalities without information may differ by the bias of their estimates alone.
    informative = all(row.exceeds is not False for row in falling[:-1])
    return strongest, bottom.modality if below and informative else None


def _label_row(row: pd.Series, entropy: float | None) -> LabelInformation:
    p = known(row["p_value"])
    estimate = float(row["estimate"])
    return LabelInformation(
        modality=row["modality"],
        estimate=estimate,
        lower=known(row["lower"]),
        upper=known(row["upper"]),
        null95=known(row["null95"]),
        p=p,
        n=int(row["n"]),
        share=max(0.0, estimate) / entropy if entropy else None,
        exceeds=None if p is None else p <= NULL_LEVEL,
    )


def _obstacle(teacher: LabelInformation | None, student: LabelInformation | None) -> str | None:
    """Say why a pair is never distilled, or None where it may be."""
    if teacher is None or student is None:
        return None
    if teacher.exceeds is False or student.exceeds is False:
        return NO_INFORMATION
    return None if teacher.estimate > student.estimate else NOT_STRONGER


def _margin(row: pd.Series, label: dict[str, LabelInformation]) -> Margin:
    lower, upper = known(row["lower"]), known(row["upper"])
    obstacle = _obstacle(label.get(row["modality"]), label.get(row["other"]))
    word = None if obstacle or lower is None or upper is None else verdict(lower, upper)
    return Margin(
        teacher=row["modality"],
        student=row["other"],
        estimate=float(row["estimate"]),
        lower=lower,
        upper=upper,
        verdict=None if word is None else str(word),
        prediction=obstacle or ("no interval" if word is None else MARGIN_WORDS[word]),
        eligible=obstacle is None,
    )


def _lessons(plan: pd.DataFrame) -> tuple[Lesson, ...]:
    replicas = len(plan[["repeat", "fold"]].drop_duplicates())
    taught = plan.dropna(subset=["teacher"]).groupby(["student", "teacher"])["strength"]
    return tuple(
        Lesson(teacher, student, len(strength), replicas, float(strength.mean()))
        for (student, teacher), strength in taught
    )


def information_view(
    information: pd.DataFrame, modalities: Sequence[str], plan: pd.DataFrame | None = None
) -> InformationView:
    """Make the view of information.

    Parameters
    ----------
    information
        The table of the contract.
    modalities
        Names in the cohort's order.
    plan
        Who taught whom, or None where nothing was pretrained.
    """
    kinds = dict(tuple(information.groupby("quantity", sort=True)))
    nothing = information.iloc[:0]
    entropies = kinds.get("label_entropy", nothing)
    # The cohort's own entropy is the row that names no modality.
    whole = entropies[entropies["modality"].isna()]
    entropies = entropies if whole.empty else whole
    entropy = None if entropies.empty else known(entropies["estimate"].iloc[0])
    order = {name: place for place, name in enumerate(modalities)}
    label = kinds.get("label_information", nothing)
    rows = [_label_row(row, entropy) for _, row in label.iterrows()]
    rows.sort(key=lambda row: order.get(row.modality, len(order)))
    strongest, weakest = _separate(rows, kinds.get("label_difference", nothing))
    return InformationView(
        entropy=entropy,
        label=tuple(rows),
        strongest=strongest,
        weakest=weakest,
        pairs=tuple(
            Pair(
                first=row["modality"],
                second=row["other"],
                estimate=float(row["estimate"]),
                p=known(row["p_value"]),
                n=int(row["n"]),
                components=None if pd.isna(row["components"]) else int(row["components"]),
            )
            for _, row in kinds.get("pairwise_information", nothing).iterrows()
        ),
        margins=tuple(
            _margin(row, {each.modality: each for each in rows})
            for _, row in kinds.get("complementarity_margin", nothing).iterrows()
        ),
        lessons=None if plan is None else _lessons(plan),
    )
