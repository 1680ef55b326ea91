"""What is asked beside the comparison: robustness, and attribution of features."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from balmi.config.sections.base import Section
from balmi.config.sections.methods import Method


class Robustness(Section):
    """What worse test data and fewer training samples do to predictions, and negative controls."""

    advanced: ClassVar[frozenset[str]] = frozenset({"in_full_up_to", "seed"})

    methods: list[Method] = Field(
        default=[Method.POOLED, Method.BALANCED, Method.STACKED_LR],
        description="methods that are probed, as far as they are among `methods`; [] probes none",
    )
    noise: list[Annotated[float, Field(gt=0)]] = Field(
        default=[0.5, 1, 2, 4],
        description="noise added to one modality of test samples before scaling, in standard"
        " deviations of each feature",
    )
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        default=[0.1, 0.25, 0.5],
        description="shares of the training samples on which the methods are trained again",
    )
    controls: bool = Field(
        default=True,
        description="whether the methods are also run where nothing can be learned: on permuted"
        " labels, and on noise that holds the labels of test samples alone",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        description="repeats of the cross-validation in which shares, controls and the observed"
        " gains of distillation are run",
    )
    in_full_up_to: int = Field(
        default=10_000,
        ge=0,
        description="samples of a cohort up to which shares, permuted labels and observed gains"
        " are run in all folds of these repeats; of larger ones they are run in the first three"
        " folds of a repeat, on the smallest and the largest share alone, and networks are not"
        " trained on shares",
    )
    seed: int = Field(default=0, ge=0, description="seed of noise and permutations")

    def is_outer(self, share: float) -> bool:
        """Return whether a share is the smallest or the largest, which large cohorts run alone."""
        return share in (min(self.shares), max(self.shares))


class Attribution(Section):
    """What each feature adds to a class, by integrated gradients of `balanced`'s networks."""

    advanced: ClassVar[frozenset[str]] = frozenset({"steps"})

    enabled: bool = Field(default=True, description="whether features are attributed")
    steps: int = Field(default=32, ge=8, description="steps of the integral")
    features: int = Field(
        default=20, ge=1, description="features listed per class and modality, the largest first"
    )
