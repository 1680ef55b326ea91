"""The view of distillation: what the margins predict, what was observed, and what was taught."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from balmi.evaluation.verdicts import Prediction, Verdict, prediction, verdict
from balmi.report.conclusions.distillation import agreed, outlook_of
from balmi.report.kit.amounts import Amount, amount_of, by_pair, foremost
from balmi.report.kit.words import known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from balmi.report.kit.amounts import Row
    from balmi.report.sections.information.label import LabelInformation

NO_INFORMATION = "one of the two shows no information"
OBSERVED = ("observed_gain", "observed_lower", "observed_upper")
MAX_DRAWN_MARGINS = 12


@dataclass(frozen=True)
class Margin:
    """The complementarity margin of a teacher and a student: its prediction, and what was observed.

    Parameters
    ----------
    teacher, student
        Names of modalities.
    shared
        Information between the representations of both, nats, or None.
    student_label
        What the student knows about the label on the same samples, nats, or None.
    estimate, lower, upper
        The margin with its 95 % interval, nats.
    predicted
        What its interval predicts.
    expected
        What is told: the prediction, or undecided where observations have refuted its kind.
    obstacle
        Why the pair is never distilled whatever its margin, or None.
    advised
        Whether a gain is to be expected of a pair that would be distilled.
    observed
        Macro-F1 with the teacher minus alone, or None where it was not observed.
    outcome
        The verdict on it, None where it has no interval.
    """

    teacher: str
    student: str
    shared: float | None
    student_label: float | None
    estimate: float
    lower: float | None
    upper: float | None
    predicted: str
    expected: str
    obstacle: str | None
    advised: bool
    observed: Amount | None
    outcome: str | None

    @property
    def told(self) -> str:
        """What is to be expected of distilling this pair."""
        return outlook_of(self.predicted, self.expected, self.obstacle)

    @property
    def agrees(self) -> bool | None:
        """Whether prediction and outcome agree; None where either is undecided or unknown."""
        decided = (Prediction.GAIN, Prediction.NO_GAIN)
        if self.predicted not in decided or self.outcome not in (Verdict.GAIN, Verdict.LOSS):
            return None
        return (self.predicted == Prediction.GAIN) == (self.outcome == Verdict.GAIN)


@dataclass(frozen=True)
class Agreement:
    """On how many pairs prediction and observation agree.

    Judged are the pairs where the intervals of both exclude zero; `undecided` are the others that
    were observed, `unobserved` the rest. `withheld` says why nothing may be judged.
    """

    judged: int
    agreeing: int
    undecided: int
    unobserved: int
    withheld: str | None = None

    @property
    def sentence(self) -> str:
        """The agreement in plain words."""
        return self.withheld or agreed(self.judged, self.agreeing, self.undecided, self.unobserved)


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


def _measured(rows: Mapping[str, Sequence[Row]]) -> dict[tuple[str, str], Row]:
    """Return the margins of the information table in the form of ``complementarity.csv``."""
    margins = by_pair(rows, "complementarity_margin")
    held = by_pair(rows, "student_information")
    shared = by_pair(rows, "representation_information")
    nothing = {"estimate": None}
    return {
        (teacher, student): {
            "teacher_student": (
                shared.get((teacher, student)) or shared.get((student, teacher)) or nothing
            )["estimate"],
            "student_label": held.get((teacher, student), nothing)["estimate"],
            "margin": row["estimate"],
            "lower": row["lower"],
            "upper": row["upper"],
            "predicted": str(prediction(row["lower"], row["upper"])),
            **dict.fromkeys(OBSERVED),
        }
        for (teacher, student), row in margins.items()
    }


def _compared(complementarity: pd.DataFrame | None) -> dict[tuple[str, str], Row]:
    if complementarity is None:
        return {}
    return {(row["teacher"], row["student"]): row for row in complementarity.to_dict("records")}


def _obstacle(teacher: LabelInformation | None, student: LabelInformation | None) -> str | None:
    """Say why a pair is never distilled, or None where it may be."""
    known_both = teacher is not None and student is not None
    if known_both and (teacher.exceeds is False or student.exceeds is False):
        return NO_INFORMATION
    return None


def _margin(
    teacher: str, student: str, row: Mapping[str, Any], label: Mapping[str, LabelInformation]
) -> Margin:
    obstacle = _obstacle(label.get(teacher), label.get(student))
    observed = amount_of(row, OBSERVED)
    outcome = None
    if observed is not None and observed.lower is not None and observed.upper is not None:
        outcome = str(verdict(observed.lower, observed.upper))
    return Margin(
        teacher=teacher,
        student=student,
        shared=known(row["teacher_student"]),
        student_label=known(row["student_label"]),
        estimate=float(row["margin"]),
        lower=known(row["lower"]),
        upper=known(row["upper"]),
        predicted=row["predicted"],
        expected=row["predicted"],
        obstacle=obstacle,
        advised=obstacle is None and row["predicted"] == Prediction.GAIN,
        observed=observed,
        outcome=outcome,
    )


def margins_view(
    rows: Mapping[str, Sequence[Row]],
    complementarity: pd.DataFrame | None,
    label: Sequence[LabelInformation],
) -> tuple[Margin, ...]:
    """Return the margins by falling value.

    Parameters
    ----------
    rows
        Rows of the information table by quantity.
    complementarity
        Margins beside observed gains, which replace those of `rows`; None where nothing was
        pretrained.
    label
        What each modality knows about the label.
    """
    knows = {row.modality: row for row in label}
    pairs = _measured(rows) | _compared(complementarity)
    made = [_margin(*pair, row, knows) for pair, row in pairs.items()]
    return tuple(sorted(_settled(made), key=lambda margin: -margin.estimate))


def _settled(margins: Sequence[Margin]) -> list[Margin]:
    """Return margins whose prediction is undecided where observations refute its kind.

    A predicted gain is confirmed by a gain, and one of no gain by anything else. A kind that was
    observed, and confirmed in less than half of its pairs, predicts nothing on this cohort.
    """
    refuted = set()
    for kind in (Prediction.GAIN, Prediction.NO_GAIN):
        seen = [row.outcome for row in margins if row.predicted == kind and row.outcome is not None]
        right = sum((outcome == Verdict.GAIN) == (kind == Prediction.GAIN) for outcome in seen)
        if 2 * right < len(seen):
            refuted.add(kind)
    undecided = str(Prediction.UNDECIDED)
    return [
        replace(row, expected=undecided, advised=False) if row.predicted in refuted else row
        for row in margins
    ]


def withhold_margins(margins: Sequence[Margin], word: str) -> tuple[Margin, ...]:
    """Return margins without their verdicts, in place of which stands a word."""
    return tuple(
        replace(row, predicted=word, expected=word, advised=False, outcome=row.outcome and word)
        for row in margins
    )


def drawn_margins(margins: Sequence[Margin]) -> tuple[Margin, ...]:
    """Return the margins that the figure has room for: those farthest from zero."""
    return foremost(margins, MAX_DRAWN_MARGINS, lambda margin: abs(margin.estimate))


def agreement_of(margins: Sequence[Margin]) -> Agreement | None:
    """Count where prediction and observation agree, or None where nothing was observed."""
    seen = [margin for margin in margins if margin.observed is not None]
    judged = [margin.agrees for margin in seen if margin.agrees is not None]
    counts = len(seen) - len(judged), len(margins) - len(seen)
    return Agreement(len(judged), sum(judged), *counts) if seen else None


def lessons_view(plan: pd.DataFrame) -> tuple[Lesson, ...]:
    """Return who taught whom, from the plan of the pretraining."""
    replicas = len(plan[["repeat", "fold"]].drop_duplicates())
    taught = plan.dropna(subset=["teacher"]).groupby(["student", "teacher"])["strength"]
    return tuple(
        Lesson(teacher, student, len(strength), replicas, float(strength.mean()))
        for (student, teacher), strength in taught
    )
