"""The configuration as pydantic models: every key, its type, its default and its meaning.

The models are the only description of the configuration: ``schemas/config.schema.yaml`` and the
tables of ``config/README.md`` are generated from them. Every section is described in
`balmi.config.sections`; here they are put together, and whoever needs one imports it from here.
"""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from balmi.config.balancing import Balancing
from balmi.config.sections.base import Name, Section, Text, refusal
from balmi.config.sections.dataset import (
    CONTROL_KEYS,
    COPY,
    JOINT,
    MISSING_TEXTS,
    Control,
    Dataset,
    ModalityFile,
)
from balmi.config.sections.evaluation import Evaluation, PrimaryMetric, Scheme
from balmi.config.sections.experiments import Attribution, Robustness
from balmi.config.sections.learning import Distillation, Expert, Model, Teacher, Training
from balmi.config.sections.methods import (
    DEFAULT_METHODS,
    FINAL_METHODS,
    PASSING_MESSAGES,
    Method,
)
from balmi.config.sections.prediction import Final, NewFile, OtherScale, Prediction
from balmi.config.sections.preparation import Graph, Information, Preprocessing
from balmi.config.sections.simulation import LARGEST_SHARED_INFORMATION, Design, Simulation

__all__ = [
    "CONTROL_KEYS",
    "COPY",
    "DEFAULT_METHODS",
    "FINAL_METHODS",
    "JOINT",
    "LARGEST_SHARED_INFORMATION",
    "MISSING_TEXTS",
    "TAKEN",
    "Attribution",
    "Balancing",
    "Configuration",
    "Control",
    "Dataset",
    "Datasets",
    "Design",
    "Distillation",
    "Evaluation",
    "Expert",
    "Final",
    "Graph",
    "Information",
    "Method",
    "ModalityFile",
    "Model",
    "Name",
    "NewFile",
    "OtherScale",
    "Prediction",
    "PredictionsAlone",
    "Preprocessing",
    "PrimaryMetric",
    "Resources",
    "Robustness",
    "Scheme",
    "Section",
    "Settings",
    "Simulation",
    "Teacher",
    "Text",
    "Training",
]

TAKEN = ("overview.html", "overview.log", "report.zip", ".gitkeep")


class Resources(Section):
    """What jobs ask for."""

    gpu: int = Field(
        default=0, ge=0, le=1, description="GPUs per training job; 0 trains on the CPU"
    )


class Datasets(Section):
    """The datasets, by name."""

    datasets: dict[Name, Dataset] = Field(min_length=1, description="name of a dataset -> dataset")

    @field_validator("datasets")
    @classmethod
    def _no_file_of_results(cls, datasets: dict[str, Dataset]) -> dict[str, Dataset]:
        for name in TAKEN:
            if name in datasets:
                raise refusal(f"datasets.{name}", "the name of a file in results", "another name")
        return datasets


Seeded = TypeVar("Seeded", Evaluation, Information, Training, Robustness)


class Settings(Section):
    """All settings but those of datasets: what an analysis of any cohort goes by."""

    idle: ClassVar[frozenset[str]] = frozenset({"resources"})

    seed: int = Field(
        default=0,
        ge=0,
        description="seed of folds, information, training and robustness, which a seed of their own"
        " below `advanced` replaces",
    )
    primary_metric: PrimaryMetric = Field(
        default=PrimaryMetric.MACRO_F1,
        description="metric that verdicts, tiles and figures follow; it is chosen before any result"
        " is looked at",
    )
    evaluation: Evaluation = Field(
        default=Evaluation(), validate_default=True, description="cross-validation"
    )
    methods: list[Method] = Field(
        default=list(DEFAULT_METHODS), min_length=1, description="methods to compare"
    )
    preprocessing: Preprocessing = Field(default=Preprocessing(), description="per-fold fitting")
    information: Information = Field(
        default=Information(), validate_default=True, description="mutual information"
    )
    graph: Graph = Field(default=Graph(), description="similarity networks")
    model: Model = Field(default=Model(), description="network")
    training: Training = Field(
        default=Training(), validate_default=True, description="optimisation and balancing"
    )
    distillation: Distillation = Field(default=Distillation(), description="pretraining")
    robustness: Robustness = Field(
        default=Robustness(),
        validate_default=True,
        description="worse test data, fewer training samples, controls",
    )
    attribution: Attribution = Field(default=Attribution(), description="attribution of features")
    final: Final = Field(
        default=Final(), validate_default=True, description="the model that is kept"
    )
    resources: Resources = Field(default=Resources(), description="GPU")

    @field_validator("methods")
    @classmethod
    def _each_once(cls, methods: list[Method]) -> list[Method]:
        twice = [method for method in Method if methods.count(method) > 1]
        if twice:
            raise refusal("methods", f"more than once: {', '.join(twice)}", "every method once")
        return methods

    @field_validator("final")
    @classmethod
    def _evaluated(cls, final: Final, info: ValidationInfo) -> Final:
        methods, model = info.data.get("methods"), info.data.get("model")
        if final.method in PASSING_MESSAGES and model is not None and model.graph_weight > 0:
            found = (
                f"{final.method}, while model.graph_weight is {model.graph_weight}: messages are"
            )
            found += " passed on the training samples, which no model stores"
            raise refusal("final.method", found, "model.graph_weight 0, or a method without it")
        if methods is None or final.method is None or final.method in methods:
            return final
        if "method" in final.model_fields_set:
            found = f"{final.method}, which is none of `methods`, so that nothing tells its worth"
            allowed = [method for method in FINAL_METHODS if method in methods]
            raise refusal("final.method", found, f"one of {', '.join([*allowed, 'null'])}")
        return final.model_copy(update={"method": None})

    @field_validator("evaluation", "information", "training", "robustness")
    @classmethod
    def _one_seed(cls, section: Seeded, info: ValidationInfo) -> Seeded:
        if "seed" in section.model_fields_set or "seed" not in info.data:
            return section
        return section.model_copy(update={"seed": info.data["seed"]})

    @field_validator("distillation")
    @classmethod
    def _teachers_for_umt(cls, value: Distillation, info: ValidationInfo) -> Distillation:
        training = info.data.get("training")
        umt = training is not None and training.balancing is Balancing.UMT
        if umt and not value.pretraining:
            found = "false, while training.balancing umt holds encoders to pretrained ones"
            raise refusal("distillation.pretraining", found, "true, or another rule")
        return value

    @field_validator("training")
    @classmethod
    def _batches_without_graph(cls, training: Training, info: ValidationInfo) -> Training:
        model = info.data.get("model")
        if training.batch_size is not None and model is not None and model.graph_weight > 0:
            found = f"{training.batch_size}, while model.graph_weight is {model.graph_weight}"
            raise refusal("training.batch_size", found, "null, or model.graph_weight 0")
        return training

    def with_gpus(self, gpus: int) -> Self:
        """Return the settings for a job that was given so many GPUs, of which it uses one."""
        return self.model_copy(update={"resources": Resources(gpu=min(gpus, 1))})


# Pydantic lists the keys of the last base first: what everybody sets stands before the rest.
class Configuration(Settings, Datasets):
    """The whole configuration."""

    predict: dict[Name, Prediction] = Field(
        default={}, description="name of a prediction -> new samples and the model"
    )

    @field_validator("predict")
    @classmethod
    def _apart(cls, predict: dict[str, Prediction], info: ValidationInfo) -> dict[str, Prediction]:
        for name in predict:
            if name in TAKEN:
                raise refusal(f"predict.{name}", "the name of a file in results", "another name")
            if name in info.data.get("datasets", ()):
                found = "the name of a dataset too, whose results lie in the same folder"
                raise refusal(f"predict.{name}", found, "another name")
        return predict


class PredictionsAlone(Configuration):
    """A configuration that predicts new samples by models that are there, and runs no dataset."""

    datasets: dict[Name, Dataset] = Field(default={}, max_length=0)
