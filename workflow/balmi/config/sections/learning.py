"""How networks learn: the network, its training, and distillation before it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from balmi.config.automatic import AUTO, members_for
from balmi.config.balancing import Balancing
from balmi.config.sections.base import Section, automatic

MOST_MEMBERS = 20


class Teacher(StrEnum):
    """The sources of soft targets in the distillation."""

    STRONGEST = "strongest"
    ENSEMBLE = "ensemble"
    CLASS_BALANCED = "class-balanced"
    NONE = "none"


class Expert(StrEnum):
    """What a network method's prediction is made of; several are pooled by learned weights.

    linear: stacked logistic regression; learned: logistic regression on what the modalities' heads
    say; the others are joint heads of the network.
    """

    LINEAR = "linear"
    LEARNED = "learned"
    MEAN = "mean"
    INFORMATION = "information"
    CONCATENATION = "concatenation"
    GATE = "gate"

    @property
    def is_head(self) -> bool:
        """Whether the expert is a joint head of the network."""
        return self not in {Expert.LINEAR, Expert.LEARNED}


class Model(Section):
    """The network: one encoder per modality, a head each, and a joint head."""

    advanced: ClassVar[frozenset[str]] = frozenset({"hidden", "dropout", "linear_path", "experts"})

    hidden: int = Field(default=32, ge=1, description="width of both hidden layers")
    dropout: float = Field(default=0.4, ge=0, lt=1, description="share of hidden units dropped")
    graph_weight: float = Field(
        default=0,
        ge=0,
        le=1,
        description="b in A' = (1-b)I + bA: 0 is a multilayer perceptron, above it an r-GCN",
    )
    linear_path: bool = Field(
        default=False, description="whether a modality's logits are W x + f(x) instead of f(x)"
    )
    experts: list[Expert] = Field(
        default=[Expert.LINEAR, Expert.MEAN, Expert.CONCATENATION],
        min_length=1,
        description="what the prediction of `balanced` is pooled from: stacked logistic regression"
        " (linear), a regression on the modalities' heads (learned), joint heads (the others)",
    )


class Training(Section):
    """How networks are trained."""

    idle: ClassVar[frozenset[str]] = frozenset({"replicas", "checkpoint_every"})

    advanced: ClassVar[frozenset[str]] = frozenset(
        {
            "patience",
            "learning_rate",
            "weight_decay",
            "class_weight_power",
            "logit_adjustment",
            "joint_weight",
            "balancing_temperature",
            "balancing_smoothing",
            "balancing_strength",
            "replicas",
            "checkpoint_every",
            "seed",
        }
    )

    members: Annotated[int, Field(ge=1, le=MOST_MEMBERS)] | Literal["auto"] = Field(
        default=AUTO,
        description="networks per fold of `balanced` and `ensemble`, each with another validation"
        " part; their mean predicts, at the epoch that is best for all of them; auto: 5 for up to"
        " 2,000 samples, above 10,000 over the samples, rounded up, and at least 2",
    )
    epochs: int = Field(default=100, ge=1, description="largest number of epochs")
    patience: int = Field(
        default=8, ge=1, description="epochs without a better validation loss before a stop"
    )
    learning_rate: float = Field(default=5e-3, gt=0, description="step size of AdamW")
    weight_decay: float = Field(default=1e-2, ge=0, description="weight decay of AdamW")
    batch_size: int | None = Field(
        default=64,
        ge=2,
        description="samples per step (null: all at once, which model.graph_weight above 0 needs)",
    )
    class_weight_power: float = Field(
        default=-0.5, ge=-1, le=0, description="classes weigh frequency to this power"
    )
    logit_adjustment: float = Field(
        default=0,
        ge=0,
        description="tau of the logit-adjusted loss, logits + tau log frequency (0: none)",
    )
    joint_weight: float = Field(default=1, gt=0, description="weight of every joint head's loss")
    balancing: Balancing = Field(
        default=Balancing.INFORMATION, description="rule that balances the modalities of `balanced`"
    )
    balancing_temperature: float = Field(
        default=0.5,
        gt=0,
        description="temperature T of softmax(-F1/T) in information, of softmax(F1/T) in inverse",
    )
    balancing_smoothing: float = Field(
        default=0.8,
        ge=0,
        lt=1,
        description="share kept each epoch of the old weights (information, inverse) or prototypes"
        " (pmr)",
    )
    balancing_strength: float = Field(
        default=1,
        ge=0,
        description="alpha of ogm, ogm-ge, agm and gradnorm; weight of the pmr and umt losses; the"
        " share of dropped modalities is 0.3 times it",
    )
    replicas: int | None = Field(
        default=None,
        ge=1,
        description="networks trained at once at most, though never fewer than those of one fold"
        " (null: as many as fit)",
    )
    checkpoint_every: int = Field(
        default=50, ge=1, description="epochs between checkpoints, from which a killed job goes on"
    )
    seed: int = Field(default=0, ge=0, description="seed of initial weights, dropout and batches")

    _members = field_validator("members", mode="wrap")(automatic(MOST_MEMBERS))

    def members_for(self, samples: int) -> int:
        """Return the networks per fold, given the samples of the cohort."""
        return self.members if isinstance(self.members, int) else members_for(samples)


class Distillation(Section):
    """Pretraining of weak modalities by stronger ones."""

    advanced: ClassVar[frozenset[str]] = frozenset({"temperature", "strength"})

    pretraining: bool = Field(
        default=True, description="whether `balanced` starts from pretrained modalities"
    )
    teacher: Teacher = Field(
        default=Teacher.CLASS_BALANCED,
        description="who teaches a student with a positive margin: the strongest modality, the mean"
        " of all that may teach it (ensemble), the same with class-balanced soft targets, or none",
    )
    temperature: float = Field(default=2.0, gt=0, description="temperature of soft targets")
    strength: float = Field(
        default=0.7, ge=0, le=1, description="largest share of the soft loss, at a full margin"
    )
