"""The final model, and the new samples that one predicts."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, ValidationInfo, field_validator

from balmi.config.sections.base import Name, Section, Text, refusal
from balmi.config.sections.dataset import MISSING_TEXTS
from balmi.config.sections.methods import FINAL_METHODS, Method


class Final(Section):
    """The final model, trained on all labelled samples, which `snakemake predict` applies."""

    method: Method | None = Field(
        default=Method.POOLED,
        description="method that it is trained by, one of `methods` (null: no model; none is made"
        " either where this is not set and `methods` does not name `pooled`)",
        json_schema_extra={"enum": [*map(str, FINAL_METHODS), None]},
    )
    rows: bool = Field(
        default=True,
        description="whether it may hold measurements of training samples, as kernel machines and"
        " what fills in for absent modalities do; false leaves these experts of a pool out",
    )

    @field_validator("method")
    @classmethod
    def _storable(cls, method: Method | None) -> Method | None:
        if method is not None and method not in FINAL_METHODS:
            found = f"{method}, of which no final model can be written"
            raise refusal("method", found, f"one of {', '.join(FINAL_METHODS)}, or null")
        return method

    @field_validator("rows")
    @classmethod
    def _without_rows(cls, rows: bool, info: ValidationInfo) -> bool:
        method = info.data.get("method")
        if not rows and method is Method.CONCAT_SVM:
            found = f"false, while final.method is {method}, which is made of training samples"
            raise refusal("rows", found, "true, or another final.method")
        return rows


class OtherScale(StrEnum):
    """What is done about measurements on another scale than those that were trained on."""

    REFUSE = "refuse"
    WARN = "warn"


class NewFile(Section):
    """Measurements of new samples; their kind is that of the model's modality."""

    path: Text = Field(description="file of measurements; its ending says the format")
    modality: Text | None = Field(
        default=None, description="as in `datasets.(name).modalities.(name)`"
    )
    layer: Text | None = Field(
        default=None, description="as in `datasets.(name).modalities.(name)`"
    )


class Prediction(Section):
    """New samples, and the model that predicts them."""

    model: Text = Field(
        description="the folder of a final model, `results/(dataset)/model`, or a zip file of it"
    )
    modalities: dict[Name, NewFile] = Field(
        min_length=1,
        description="name of a modality of the model -> the new samples' file; modalities that the"
        " new samples lack are left out",
    )
    samples: Text | None = Field(
        default=None,
        description="table with one row per sample and its class, where that is known: the"
        " prediction is then an external validation",
    )
    label: Text | None = Field(
        default=None, description="column of `samples` with the class (default: the model's own)"
    )
    group: Text | None = Field(
        default=None,
        description="column of `samples`; intervals take samples of one group as one draw",
    )
    missing: list[str] = Field(
        default=list(MISSING_TEXTS),
        description="texts that stand for nothing in label and group, besides an empty cell",
    )
    missing_share: float = Field(
        default=0.2,
        ge=0,
        le=0.5,
        description="largest share of a modality's features that may be missing from its file;"
        " their training mean takes their place, and probabilities are widened as measured",
    )
    other_scale: OtherScale = Field(
        default=OtherScale.REFUSE,
        description="what is done where measurements look like another unit or normalisation than"
        " those that were trained on",
    )

    @property
    def files(self) -> list[str]:
        """The files of the new samples, each once."""
        own = [] if self.samples is None else [self.samples]
        return list(dict.fromkeys([*own, *(file.path for file in self.modalities.values())]))

    @field_validator("group")
    @classmethod
    def _of_samples(cls, group: str | None, info: ValidationInfo) -> str | None:
        if group is not None and info.data.get("samples") is None:
            raise refusal("group", f"{group!r}, while there is no table of samples", "samples too")
        return group
