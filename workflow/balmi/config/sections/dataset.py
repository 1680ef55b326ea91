"""A cohort: its files or its entry of the catalogue, and what is changed in it on purpose."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from balmi.config.kinds import Kind
from balmi.config.sections.base import Name, Section, Text, refusal
from balmi.config.sections.simulation import Simulation

JOINT = "joint"
COPY = "{}-copy"  # the name of a duplicated modality's copy
# Keys of a control that name modalities.
CONTROL_KEYS = ("without", "noise", "shuffled", "duplicated")

# What stands for a missing value in tables, whatever its case; an empty cell always does.
MISSING_TEXTS = (
    *("NA", "N/A", "#N/A", "<NA>", "NaN", "NaT", "null", "None", "--", "'--"),
    *("[Not Available]", "[Not Applicable]", "[Not Evaluated]", "[Unknown]", "[Discrepancy]"),
)


class ModalityFile(Section):
    """One table of measurements: samples in rows, features in columns."""

    path: Text = Field(description="file of measurements; its ending says the format")
    kind: Kind = Field(description="kind of omics; it decides the preprocessing")
    modality: Text | None = Field(
        default=None,
        description="modality inside an h5mu file, or feature type of counts as Cell Ranger writes"
        " them (default: the modality's own name)",
    )
    layer: Text | None = Field(
        default=None,
        description="layer of an h5ad or h5mu file that is read in place of its `X`;"
        " raw: what AnnData keeps as `raw`",
    )


class Control(Section):
    """Changes whose effect is known beforehand, made when the cohort is assembled."""

    without: list[str] = Field(default=[], description="modalities to leave out")
    noise: list[str] = Field(
        default=[], description="modalities whose values become independent standard normal noise"
    )
    shuffled: list[str] = Field(
        default=[],
        description="modalities whose rows are permuted among the samples that have them",
    )
    duplicated: list[str] = Field(
        default=[], description="modalities that get a second copy, named `(name)-copy`"
    )
    shuffled_labels: bool = Field(
        default=False, description="whether labels are permuted among all samples"
    )
    seed: int = Field(default=0, ge=0, description="seed of noise and permutations")


class Dataset(Section):
    """One cohort: either files of your own, or an entry of the shipped catalogue.

    Attributes
    ----------
    brought
        Keys that an entry of the catalogue brings, which no configuration sets beside it.
    """

    brought: ClassVar[tuple[str, ...]] = (
        *("samples", "label", "label_from", "group", "folds", "modalities"),
    )

    catalogue: str | None = Field(
        default=None,
        description="entry of the shipped catalogue; a dataset with nothing below it is the entry"
        " of its own name",
    )
    samples: Text | None = Field(
        default=None, description="table with one row per sample; first column the sample id"
    )
    label: Text | None = Field(default=None, description="column of samples that holds the class")
    label_from: list[Name] = Field(
        default=[],
        description="modalities that the classes were derived from, such as the expression that"
        " subtypes were called from; the trust checklist then warns that what these tell of the"
        " label is circular",
    )
    group: Text | None = Field(
        default=None,
        description="column of samples; one group never lies on both sides of a split",
    )
    folds: list[Text] = Field(
        default=[],
        description="columns of samples that name the test fold of every sample, one column per"
        " repeat; in place of evaluation.scheme, repeats and folds",
    )
    missing: list[str] = Field(
        default=list(MISSING_TEXTS),
        description="texts that stand for nothing in label, group and folds, whatever their case,"
        " besides an empty cell; leave out the one that is the name of a class",
    )
    modalities: dict[Name, ModalityFile] = Field(
        default_factory=dict, description="name of a modality -> its file; any number of them"
    )
    control: Control = Field(
        default_factory=Control,
        description="changes whose effect is known beforehand, to see whether the results show it",
    )
    simulate: Simulation | None = Field(
        default=None,
        validate_default=True,
        description="settings of the catalogue's simulated cohort",
    )

    @field_validator("modalities")
    @classmethod
    def _no_joint(cls, modalities: dict[str, ModalityFile]) -> dict[str, ModalityFile]:
        taken = [name for name in modalities if re.fullmatch(rf"{JOINT}(-\d+)?", name)]
        if taken:
            found = "the name that a joint head has in tables"
            raise refusal(f"modalities.{taken[0]}", found, "any other name")
        return modalities

    @property
    def used(self) -> dict[str, ModalityFile]:
        """The modalities that the control does not leave out."""
        left_out = self.control.without
        return {name: file for name, file in self.modalities.items() if name not in left_out}

    @property
    def labelled(self) -> tuple[str, str]:
        """The table of samples and its column of classes.

        Raises
        ------
        ValueError
            Where the dataset is an entry of the catalogue that is not resolved yet.
        """
        if self.samples is None or self.label is None:
            raise ValueError("an entry of the catalogue names no files before it is resolved")
        return self.samples, self.label

    @property
    def files(self) -> list[str]:
        """The files that are read, each once."""
        return list(dict.fromkeys([self.labelled[0], *(file.path for file in self.used.values())]))

    def within(self, path: str) -> Dataset:
        """Return the dataset with one file for its samples and all its modalities."""
        files = {
            name: file.model_copy(update={"path": path}) for name, file in self.modalities.items()
        }
        return self.model_copy(update={"samples": path, "modalities": files})

    # Checks of several keys belong to the last of them: a model's own validator would be silent
    # where any key is wrong, and users are to see all problems at once.
    @field_validator("simulate")
    @classmethod
    def _one_source(cls, simulate: Simulation | None, info: ValidationInfo) -> Simulation | None:
        keys = [key for key in cls.brought if info.data.get(key)]
        allowed = (
            "either samples, label and modalities, or catalogue; simulate only beside a simulated"
            " entry of the catalogue"
        )
        if "catalogue" not in info.data:
            return simulate
        if info.data["catalogue"] is not None:
            if keys:
                raise refusal("", f"both catalogue and {', '.join(keys)}", allowed)
            return simulate
        needed = ("samples", "label", "modalities")
        lacking = [key for key in needed if key in info.data and not info.data[key]]
        if lacking:
            raise refusal("", f"no {', '.join(lacking)}", allowed)
        if simulate is not None:
            raise refusal("simulate", "settings of a simulation without a catalogue", allowed)
        return simulate
