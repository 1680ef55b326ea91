"""The shipped catalogue: cohorts that are fetched or simulated instead of read from user files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field

from balmi.config.kinds import Kind
from balmi.config.settings import Dataset, Design, ModalityFile, Name, Section, Simulation

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")


class WheelLabels(Section):
    """Where the labels of a cohort lie inside a wheel."""

    member: str
    column: str
    classes: dict[int, str]


class Wheel(Section):
    """A cohort inside a Python wheel on the package index, pinned by checksum."""

    requirement: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    labels: WheelLabels
    modalities: dict[Name, str]


class Download(Section):
    """One modality in an R data file on the web, pinned by checksum; samples lie in rows.

    Where the file holds several objects, `member` names the table. A sample's id is the first
    `id_parts` parts of its row's name, which dots separate, joined by ``-``.
    """

    url: str = Field(pattern=r"^https?://")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    member: str
    id_parts: int = Field(ge=1)


class Entry(Section):
    """One cohort of the catalogue; `simulation` holds what it draws where nothing is set."""

    title: str
    licence: str
    label: str
    label_from: list[Name] = Field(default_factory=list)
    group: str | None = None
    kinds: dict[Name, Kind]
    wheel: Wheel | None = None
    downloads: dict[Name, Download] = Field(default_factory=dict)
    simulate: Design | None = None
    simulation: Simulation = Simulation()


@cache
def catalogue() -> dict[str, Entry]:
    """Return the catalogue's entries by name."""
    content = yaml.safe_load(CATALOGUE_FILE.read_text(encoding="utf-8"))
    return {name: Entry.model_validate(entry) for name, entry in content.items()}


def entry_of(dataset: Dataset) -> Entry | None:
    """Return the entry that a dataset is, or None where it has files of its own."""
    return None if dataset.catalogue is None else catalogue()[dataset.catalogue]


def resolve(name: str, dataset: Dataset, folder: str = "resources") -> Dataset:
    """Return a dataset whose files are named, wherever they come from.

    Parameters
    ----------
    name
        The dataset's name in the configuration.
    dataset
        The dataset as configured.
    folder
        The folder below which fetched and simulated cohorts lie.

    Returns
    -------
    Dataset
        The dataset itself where it has files of its own; otherwise the file that the fetch or
        simulation rule writes for it, ``<folder>/<name>.h5mu``.
    """
    entry = entry_of(dataset)
    if entry is None:
        return dataset
    path = f"{folder}/{name}.h5mu"
    return Dataset(
        samples=path,
        label=entry.label,
        label_from=entry.label_from,
        group=entry.group,
        modalities={key: ModalityFile(path=path, kind=kind) for key, kind in entry.kinds.items()},
        control=dataset.control,
    )


def as_configured(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved dataset as a configuration names it.

    Parameters
    ----------
    dataset
        Its keys as `resolve` gives them, and with them ``catalogue`` and ``simulate``, where it is
        an entry.
    """
    written = {key: value for key, value in dataset.items() if value is not None}
    if "catalogue" not in written:
        return written
    written = {key: value for key, value in written.items() if key not in Dataset.brought}
    if "simulate" in written:
        design = catalogue()[written["catalogue"]].simulate
        foreign = () if design is None else design.foreign
        simulate = written["simulate"].items()
        written["simulate"] = {key: value for key, value in simulate if key not in foreign}
    return written


def simulation_of(dataset: Dataset) -> Simulation:
    """Return the settings of a simulated dataset: what is set, else what its entry holds.

    Raises
    ------
    ValueError
        Where the dataset has files of its own.
    """
    entry = entry_of(dataset)
    if entry is None:
        raise ValueError("a dataset with files of its own is not simulated")
    changed = dataset.simulate.model_dump(exclude_unset=True) if dataset.simulate else {}
    return entry.simulation.model_copy(update=changed)


def source(dataset: Dataset) -> str:
    """Return where a dataset comes from: ``files``, ``wheel`` or ``simulation``."""
    entry = entry_of(dataset)
    if entry is None:
        return "files"
    return "simulation" if entry.simulate else "wheel"
