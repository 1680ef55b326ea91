"""What precedes every method: preprocessing, mutual information, similarity networks."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from balmi.config.sections.base import Section


class Preprocessing(Section):
    """What is done to every modality, fitted on the training samples of a fold only."""

    max_features: int = Field(
        default=2000, ge=2, description="features kept per modality: those of largest variance"
    )


class Information(Section):
    """Estimates of mutual information, in nats."""

    advanced: ClassVar[frozenset[str]] = frozenset(
        {"folds", "components", "label_components", "fold_permutations", "seed"}
    )

    largest: int = Field(
        default=5000,
        ge=200,
        description="samples that estimates are made on at most: of a larger cohort so many are"
        " drawn, from every class and group its share (of a training part, for its gates, 2,000)",
    )
    folds: int = Field(
        default=5,
        ge=2,
        le=20,
        description="folds of the cross-fitting, where those of the evaluation do not serve: inside"
        " training parts, where the data bring folds, and of few groups",
    )
    components: int = Field(
        default=20, ge=1, description="principal components per modality in pairs, at most n/10"
    )
    label_components: int = Field(
        default=50,
        ge=1,
        description="principal components per modality for the label, in all at most a fifth of the"
        " samples that train",
    )
    permutations: int = Field(
        default=99, ge=19, description="refits on permuted labels behind each p-value"
    )
    fold_permutations: int = Field(
        default=39, ge=19, description="the same inside every training part, for the null gate"
    )
    seed: int = Field(default=0, ge=0, description="seed of cross-fitting and permutations")


class Graph(Section):
    """Similarity network fusion, on which the graph encoder passes messages."""

    advanced: ClassVar[frozenset[str]] = frozenset(
        {"neighbours", "kept", "iterations", "transductive", "largest"}
    )

    neighbours: int = Field(default=20, ge=1, description="neighbours of a sample in a network")
    kept: int = Field(default=10, ge=1, description="neighbours kept in the fused network")
    iterations: int = Field(default=3, ge=0, description="rounds of cross-diffusion")
    transductive: bool = Field(
        default=False,
        description="whether test samples' features, never their labels, shape the network",
    )
    largest: int = Field(
        default=5000,
        ge=1,
        description="samples up to which networks are fused exactly; above, on the union of the"
        " modalities' nearest neighbours",
    )
