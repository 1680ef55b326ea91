"""How methods are compared: the cross-validation, and the metric that verdicts follow."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from balmi.config.automatic import AUTO, repeats_for
from balmi.config.sections.base import Section, automatic

MOST_REPEATS = 100


class PrimaryMetric(StrEnum):
    """The metrics that verdicts can follow.

    Calibration error is none of them: it does not tell how well classes are told apart, and a
    constant forecast of the class frequencies has next to none.
    """

    MACRO_F1 = "macro_f1"
    BALANCED_ACCURACY = "balanced_accuracy"
    ACCURACY = "accuracy"
    MACRO_AUROC = "macro_auroc"
    MACRO_AUPRC = "macro_auprc"
    MCC = "mcc"
    LOG_LOSS = "log_loss"
    BRIER = "brier"


class Scheme(StrEnum):
    """How test folds are made where a dataset brings none of its own."""

    K_FOLD = "k-fold"
    LEAVE_ONE_GROUP_OUT = "leave-one-group-out"


class Evaluation(Section):
    """Cross-validation: repeated stratified (group) k-fold, or one fold per group."""

    advanced: ClassVar[frozenset[str]] = frozenset({"seed", "validation", "training_share"})

    scheme: Scheme = Field(
        default=Scheme.K_FOLD,
        description="repeated stratified k-fold, which keeps groups together, or every group (a"
        " site, a batch) as the test fold once",
    )
    repeats: Annotated[int, Field(ge=1, le=MOST_REPEATS)] | Literal["auto"] = Field(
        default=AUTO,
        description="repeats of k-fold; auto: 5 for up to 2,000 samples, above 10,000 over the"
        " samples, rounded up, and at least as many as make 10 test folds. With fewer than 10 test"
        " folds in all nothing is judged",
    )
    folds: int = Field(default=5, ge=2, le=50, description="folds per repeat of k-fold")
    seed: int = Field(default=0, ge=0, description="seed of the first repeat; then counted up")
    validation: float = Field(
        default=0.2,
        gt=0,
        lt=0.5,
        description="share of the training samples that decides when a network stops",
    )
    training_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of each fold's training samples that is used; the test samples stay",
    )

    @property
    def fixed_folds(self) -> int | None:
        """Folds per repeat; None where every group of a dataset is one."""
        return None if self.scheme is Scheme.LEAVE_ONE_GROUP_OUT else self.folds

    _repeats = field_validator("repeats", mode="wrap")(automatic(MOST_REPEATS))

    def repeats_for(self, samples: int) -> int:
        """Return the repeats of k-fold, given the samples of the cohort."""
        if isinstance(self.repeats, int):
            return self.repeats
        return repeats_for(samples, self.folds)

    def repeats_drawn(self, samples: int) -> int | None:
        """Return the repeats that are asked for, given the samples of the cohort.

        None where every group of a dataset is a fold once.
        """
        out = self.scheme is Scheme.LEAVE_ONE_GROUP_OUT
        return None if out else self.repeats_for(samples)
