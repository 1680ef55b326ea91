"""What the default method must reach in the study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.config.settings import Method
from study.compare import Cell
from study.plan import DEFAULT, SHARE, WITHOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from balmi.evaluation.statistics import Interval
    from study.compare import Scores
    from study.plan import Study

STACKED = Method.STACKED_LR.value
TRIO, INTERACTION = "tcga-brca-trio", "simulated-interaction"
LINEAR = (
    *(Method.UNIMODAL_LR, Method.CONCAT_LR, Method.CONCAT_LR_BALANCED),
    *(Method.STACKED_LR, Method.STACKED_LR_BALANCED, Method.LATE_FUSION),
)
CHANCE = 0.5  # of the two classes of the interaction
BELOW, SHORTAGE, TOUCHED = 0.005, 0.01, 0.01
REACHED, NEAR_CHANCE = 0.9, 0.05
F1, LOSS = "macro_f1", "log_loss"
# Who knows nothing and calls all samples by one class has a macro-F1 of a third.
AUROC = "macro_auroc"
SMALLEST_SHARE = f"{SHARE}-0.1"


@dataclass(frozen=True)
class Requirement:
    """A number to reach.

    Parameters
    ----------
    what
        What is measured, in words.
    bound
        The number.
    value
        What was measured; None where it was not.
    lowest
        Whether the value must be at least the bound (else: at most).
    strict
        Whether the bound itself is not enough.
    interval
        Of the value, where there is one.
    """

    what: str
    bound: float
    value: float | None
    lowest: bool = True
    strict: bool = False
    interval: Interval | None = None

    @property
    def required(self) -> str:
        """The bound with its direction."""
        sign = (">" if self.lowest else "<") + ("" if self.strict else "=")
        return f"{sign} {self.bound:g}"

    @property
    def margin(self) -> float | None:
        """By how much the bound is passed; below 0 it is missed."""
        if self.value is None:
            return None
        return (self.value - self.bound) * (1 if self.lowest else -1)

    @property
    def met(self) -> bool | None:
        """Whether it is reached; None where nothing was measured."""
        if self.margin is None:
            return None
        return self.margin > 0 if self.strict else self.margin >= 0


def _mean(interval: Interval | None) -> float | None:
    return None if interval is None else interval.mean


def _of(what: str, bound: float, interval: Interval | None, **how: bool) -> Requirement:
    """Return a requirement of an interval's mean."""
    return Requirement(what, bound, _mean(interval), interval=interval, **how)


def _peers(study: Study, scores: Scores) -> Iterator[Requirement]:
    for cohort in study.real:
        interval = scores.gap(cohort, DEFAULT, STACKED, F1)
        yield _of(f"{cohort}: macro-F1 less that of `{STACKED}`", -BELOW, interval)
    what = f"mean over {len(study.real)} cohorts"
    interval = scores.gap(study.real, DEFAULT, STACKED, F1)
    yield _of(f"{what}: macro-F1 less that of `{STACKED}`", 0, interval, strict=True)
    interval = scores.gap(study.real, DEFAULT, STACKED, LOSS)
    yield _of(f"{what}: log-loss less that of `{STACKED}`", 0, interval, lowest=False)
    for peer in (Method.CONCAT_LR, Method.CONCAT_MLP):
        interval = scores.gap(TRIO, DEFAULT, peer.value, F1)
        lower = None if interval is None else interval.lower
        what = f"{TRIO}: lower limit of macro-F1 less that of `{peer}`"
        yield Requirement(what, 0, lower, strict=True, interval=interval)


def _interaction(scores: Scores) -> Iterator[Requirement]:
    interval = scores.interval(Cell(INTERACTION, DEFAULT), F1)
    yield _of(f"{INTERACTION}: macro-F1", REACHED, interval)
    for variant in scores.variants(INTERACTION):
        if variant.partition("/")[0] in LINEAR:
            mean = scores.mean(Cell(INTERACTION, variant), AUROC)
            away = None if mean is None else abs(mean - CHANCE)
            what = f"{INTERACTION}: distance of `{variant}` from chance, macro-AUROC"
            yield Requirement(what, NEAR_CHANCE, away, lowest=False)


def _robustness(study: Study, scores: Scores) -> Iterator[Requirement]:
    for control in ("noise", "shuffled"):
        for cohort in study.real:
            pair = Cell(f"{cohort}-{control}", DEFAULT), Cell(f"{cohort}-{WITHOUT}", DEFAULT)
            interval = scores.difference([pair], F1)
            moved = None if interval is None else abs(interval.mean)
            what = f"{cohort}: distance of macro-F1 with {control} from that without the modality"
            yield Requirement(what, TOUCHED, moved, lowest=False, interval=interval)
    for cohort in study.real:
        interval = scores.gap(f"{cohort}-{SMALLEST_SHARE}", DEFAULT, STACKED, F1)
        what = f"{cohort}, a tenth of the training samples: macro-F1 less that of `{STACKED}`"
        yield _of(what, -SHORTAGE, interval)


def requirements(study: Study, scores: Scores) -> list[Requirement]:
    """Return what must be reached, each with what was measured.

    Parameters
    ----------
    study
        The phase.
    scores
        Its scores.
    """
    return [
        *_peers(study, scores),
        *_interaction(scores),
        *_robustness(study, scores),
    ]
