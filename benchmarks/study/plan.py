"""What the study runs: cohorts, those derived from them, and the variants of the method."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, ValidationError

from balmi.config.advanced import ADVANCED, gathered, scattered
from balmi.config.catalogue import catalogue, resolve
from balmi.config.load import load_settings, problems_of
from balmi.config.methods import NETWORKS
from balmi.config.settings import (
    Configuration,
    Dataset,
    Evaluation,
    Method,
    Name,
    Section,
    Simulation,
    Text,
)
from balmi.errors import Problem, UserError, listing, nearest, shown

DEFAULT = "balanced"
WITHOUT, SHUFFLED_LABELS, SHARE = "without", "shuffled-labels", "share"
# What pretraining does not see; variants that differ in nothing else share one.
LATER = {
    "model": ("experts",),
    "training": (
        *("balancing", "balancing_temperature", "balancing_smoothing", "balancing_strength"),
        "joint_weight",
    ),
    "distillation": (),
}


class Phase(Section):
    """Folds of its own, and what is run on them."""

    seed: int = Field(ge=0, description="seed of the first repeat")
    summary: Text = Field(description="path of both result files, without its ending")
    variants: list[str] | None = Field(default=None, description="variants (null: all)")
    derived: bool = Field(default=True, description="whether derived cohorts are run")


class StudyCohort(Section):
    """An entry of the catalogue, and what is derived from it."""

    weakest: str | None = Field(default=None, description="modality that the controls change")
    shuffled_labels: bool = Field(default=False, description="whether labels are also shuffled")
    simulate: Simulation | None = Field(default=None, description="settings of its simulation")
    variants: list[str] | None = Field(
        default=None, description="variants on the unchanged cohort (null: all of the phase)"
    )


class Derived(Section):
    """What is derived from every cohort with a weakest modality, and what runs on it."""

    controls: list[Literal["noise", "shuffled", "without", "duplicated"]] = Field(
        default=[], description="changes of the weakest modality"
    )
    shares: list[float] = Field(default=[], description="shares of the training samples")
    variants: list[str] = Field(default=[], description="variants on derived cohorts")
    also: dict[str, list[str]] = Field(
        default={}, description="control -> further variants on its cohorts"
    )


class StudyVariant(Section):
    """A method, and what differs from the settings of all."""

    method: Method | None = Field(
        default=None, description="method (default: that of the variant's name, else balanced)"
    )
    reference: str = Field(default=DEFAULT, description="variant that it is compared with")
    model: dict[str, Any] = Field(default={}, description="settings of the network")
    training: dict[str, Any] = Field(default={}, description="settings of the optimisation")
    distillation: dict[str, Any] = Field(default={}, description="settings of the pretraining")
    graph: dict[str, Any] = Field(default={}, description="settings of the networks of samples")

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """The sections that differ."""
        sections = ("model", "training", "distillation", "graph")
        return {name: getattr(self, name) for name in sections if getattr(self, name)}


class StudyConfig(Section):
    """The configuration of the study."""

    phase: str = Field(description="phase that is run")
    phases: dict[Name, Phase] = Field(min_length=1, description="name of a phase -> phase")
    settings: dict[str, Any] = Field(default={}, description="settings of all variants")
    cohorts: dict[Name, StudyCohort] = Field(min_length=1, description="catalogue entry -> cohort")
    derived: Derived = Field(default=Derived(), description="controls and training shares")
    variants: dict[Name, StudyVariant] = Field(min_length=1, description="name -> variant")


@dataclass(frozen=True)
class Variant:
    """A variant with its settings.

    Parameters
    ----------
    method
        The method.
    reference
        Name of the variant that it is compared with.
    settings
        Of the workflow.
    told
        What differs from the settings of all, in words; empty for a method as it is.
    """

    method: Method
    reference: str
    settings: Configuration
    told: str

    @property
    def pretrained(self) -> bool:
        """Whether it starts from pretrained modalities."""
        return self.method is Method.BALANCED and self.settings.distillation.pretraining

    @property
    def graph(self) -> bool:
        """Whether it passes messages on fused networks."""
        return self.settings.model.graph_weight > 0 and self.method is not Method.CONCAT_MLP

    @property
    def graph_key(self) -> str:
        """A hash of the settings that shape the fused networks."""
        return _key(self.settings.graph.model_dump(mode="json"))

    @cached_property
    def pretraining(self) -> dict[str, dict[str, Any]]:
        """The settings that its pretraining sees, by section; the others have their defaults."""
        sections = {name: getattr(self.settings, name) for name in LATER}
        for name, keys in LATER.items():
            usual = {key: type(sections[name]).model_fields[key].default for key in keys}
            sections[name] = sections[name].model_copy(update=usual)
        if self.graph:
            sections["graph"] = self.settings.graph
        return {name: section.model_dump(mode="json") for name, section in sections.items()}

    @property
    def pretraining_key(self) -> str:
        """A hash that variants with equal pretraining share."""
        return _key(self.pretraining)


@dataclass(frozen=True)
class Cohort:
    """A cohort of the study.

    Parameters
    ----------
    base
        The catalogue's entry.
    change
        What is done to it: a control, a share as ``share-0.1``, or None.
    dataset
        The dataset with its files named.
    evaluation
        Its cross-validation.
    variants
        Names of the variants that are run on it.
    """

    base: str
    change: str | None
    dataset: Dataset
    evaluation: Evaluation
    variants: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in tables and paths."""
        return self.base if self.change is None else f"{self.base}-{self.change}"

    @property
    def real(self) -> bool:
        """Whether it was measured and nothing of it is changed."""
        return self.change is None and catalogue()[self.base].simulate is None


@dataclass(frozen=True)
class Study:
    """One phase of the study.

    Parameters
    ----------
    phase, summary
        Its name, and the path of its result files without their ending.
    settings
        Of all variants; the datasets are the catalogue's entries.
    cohorts
        Name -> cohort.
    variants
        Name -> variant, those of this phase.
    """

    phase: str
    summary: str
    settings: Configuration
    cohorts: dict[str, Cohort]
    variants: dict[str, Variant]

    @property
    def real(self) -> list[str]:
        """Names of the measured cohorts of which nothing is changed."""
        return [name for name, cohort in self.cohorts.items() if cohort.real]

    def pretrainings(self) -> dict[str, dict[str, Any]]:
        """Return the settings of every pretraining by its key."""
        pretrained = (each for each in self.variants.values() if each.pretrained)
        return {each.pretraining_key: each.pretraining for each in pretrained}

    def graphs(self) -> dict[str, dict[str, Any]]:
        """Return the settings of the fused networks by their key."""
        used = (each for each in self.variants.values() if each.graph)
        return {each.graph_key: each.settings.graph.model_dump(mode="json") for each in used}

    def outcomes(self, folder: str, cohort: str) -> dict[str, str]:
        """Return the folder of every variant's files on a cohort, below the cohort's folder."""
        return {
            name: f"{folder}/variants/{name}/{self.variants[name].method}"
            if self.variants[name].method in NETWORKS
            else f"{folder}/methods/{self.variants[name].method}"
            for name in self.cohorts[cohort].variants
        }


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')


def _key(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def load_study(config: Mapping[str, Any]) -> Study:
    """Return the phase of the study that is configured.

    Parameters
    ----------
    config
        The configuration as read from YAML.

    Raises
    ------
    UserError
        With every problem of it.
    """
    content = dict(config)
    for key in ("cohorts", "variants"):
        if isinstance(content.get(key), Mapping):
            content[key] = {name: value or {} for name, value in content[key].items()}
    try:
        study = StudyConfig.model_validate(content)
    except ValidationError as error:
        raise UserError(problems_of(error, StudyConfig)) from None
    problems = [*_names(study), *_cohort_problems(study)]
    if problems:
        raise UserError(problems)
    datasets = {
        name: {"catalogue": name} | cohort.model_dump(include={"simulate"}, exclude_unset=True)
        for name, cohort in study.cohorts.items()
    }
    common = {**study.settings, "datasets": datasets}
    settings = _checked(common, "settings", problems)
    if problems:
        raise UserError(problems)
    phase = study.phases[study.phase]
    wanted = list(study.variants) if phase.variants is None else phase.variants
    variants = {name: _variant(name, study, common, problems) for name in wanted}
    if problems:
        raise UserError(problems)
    cohorts = {each.name: each for each in _cohorts(study, settings, wanted)}
    return Study(study.phase, phase.summary, settings, cohorts, variants)


def _checked(
    content: dict[str, Any], where: str, problems: list[Problem], below: str = f"{ADVANCED}."
) -> Configuration | None:
    """Return settings of the workflow, or None after noting what is wrong with them.

    Problems name advanced keys by what the study has in the place of `below`.
    """
    try:
        return load_settings(content)
    except UserError as error:
        problems += [
            Problem(
                f"{where}.{each.where.replace(f'{ADVANCED}.', below)}",
                each.found,
                each.allowed,
                each.nearest and each.nearest.replace(f"{ADVANCED}.", below),
            )
            for each in error.problems
        ]
        return None


def _unknown(where: str, name: str, known: Mapping[str, Any], what: str) -> Iterator[Problem]:
    if name not in known:
        found = f"{shown(name)}, which is no {what}"
        yield Problem(where, found, f"one of {listing(known)}", nearest(name, known))


def _names(study: StudyConfig) -> Iterator[Problem]:
    """Yield the names that nothing bears."""
    yield from _unknown("phase", study.phase, study.phases, "phase")
    named = {f"phases.{key}.variants": phase.variants or () for key, phase in study.phases.items()}
    named["derived.variants"] = study.derived.variants
    named |= {f"cohorts.{key}.variants": each.variants or () for key, each in study.cohorts.items()}
    named |= {f"derived.also.{key}": names for key, names in study.derived.also.items()}
    named |= {f"variants.{key}.reference": [each.reference] for key, each in study.variants.items()}
    for where, names in named.items():
        for name in names:
            yield from _unknown(where, name, study.variants, "variant")
    for key in study.derived.also:
        controls = dict.fromkeys(study.derived.controls)
        yield from _unknown(f"derived.also.{key}", key, controls, "control of derived.controls")


def _cohort_problems(study: StudyConfig) -> Iterator[Problem]:
    """Yield what the catalogue does not know of the cohorts, and shares that are none."""
    for name, cohort in study.cohorts.items():
        yield from _unknown(f"cohorts.{name}", name, catalogue(), "entry of the catalogue")
        if cohort.weakest is not None and name in catalogue():
            kinds = catalogue()[name].kinds
            where = f"cohorts.{name}.weakest"
            yield from _unknown(where, cohort.weakest, kinds, "modality of the cohort")
    for share in study.derived.shares:
        if not 0 < share < 1:
            yield Problem("derived.shares", str(share), "shares between 0 and 1")


def _variant(
    name: str, study: StudyConfig, common: dict[str, Any], problems: list[Problem]
) -> Variant:
    """Return a variant, noting what is wrong with it."""
    variant = study.variants[name]
    usual, _ = gathered(common)
    merged = {
        section: {**usual.get(section, {}), **changed}
        for section, changed in variant.changes.items()
    }
    settings = _checked(scattered({**usual, **merged}), f"variants.{name}", problems, "")
    known = {method.value for method in Method}
    method = variant.method or Method(name if name in known else DEFAULT)
    told = ", ".join(
        f"{section}.{key} {_told(value)}"
        for section, changed in variant.changes.items()
        for key, value in changed.items()
    )
    return Variant(method, variant.reference, settings, told)


def _cohorts(study: StudyConfig, settings: Configuration, wanted: list[str]) -> Iterator[Cohort]:
    """Yield the cohorts, and behind each what is derived from it."""
    phase, derived = study.phases[study.phase], study.derived
    evaluation = settings.evaluation.model_copy(update={"seed": phase.seed})
    few = [name for name in derived.variants if name in wanted]
    for name, cohort in study.cohorts.items():

        def changed(
            change: str | None,
            variants: list[str],
            share: float = 1.0,
            name: str = name,
            **what: Any,
        ) -> Cohort:
            dataset = Dataset(catalogue=name, control=what)
            own = evaluation.model_copy(update={"training_share": share})
            return Cohort(name, change, resolve(name, dataset), own, tuple(variants))

        own = wanted if cohort.variants is None else cohort.variants
        yield changed(None, [each for each in own if each in wanted])
        if not phase.derived:
            continue
        if cohort.weakest is not None:
            for control in derived.controls:
                also = [each for each in derived.also.get(control, []) if each in wanted]
                yield changed(control, [*few, *also], **{control: [cohort.weakest]})
            for share in derived.shares:
                yield changed(f"{SHARE}-{share:g}", few, share)
        if cohort.shuffled_labels:
            yield changed(SHUFFLED_LABELS, few, shuffled_labels=True)
