"""Where datasets come from, as rules ask by the name of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.config.catalogue import entry_of, resolve, simulation_of, source
from balmi.config.rules.patterns import any_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.config.catalogue import Entry
    from balmi.config.settings import Dataset


@dataclass(frozen=True)
class Sources:
    """Where datasets come from.

    Parameters
    ----------
    datasets
        Name -> the dataset as configured.
    """

    datasets: Mapping[str, Dataset]

    def coming_from(self, kind: str) -> str:
        """Return a pattern of the datasets that come from files, a wheel or a simulation."""
        return any_of(name for name, dataset in self.datasets.items() if source(dataset) == kind)

    def entry(self, wildcards: Any) -> Entry | None:
        """Return the entry of the catalogue behind a dataset; None for files of one's own."""
        return entry_of(self.datasets[wildcards.dataset])

    def about(self, wildcards: Any, key: str) -> str | None:
        """Return what the catalogue says about a dataset; None for files of one's own."""
        entry = self.entry(wildcards)
        return None if entry is None else getattr(entry, key)

    def simulation(self, wildcards: Any) -> dict[str, Any]:
        """Return the settings of a simulated dataset."""
        return simulation_of(self.datasets[wildcards.dataset]).model_dump(mode="json")

    def configured(self, wildcards: Any) -> dict[str, Any]:
        """Return the settings of a dataset: its files, and what it was fetched or simulated by."""
        dataset = self.datasets[wildcards.dataset]
        found = resolve(wildcards.dataset, dataset).model_dump(mode="json")
        if source(dataset) == "simulation":
            found["simulate"] = self.simulation(wildcards)
        return found | {"catalogue": dataset.catalogue}
