"""Which files rules read, where settings or the method decide it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.config.methods import METHODS, NETWORKS, PRETRAINING
from balmi.config.settings import Method
from balmi.tables.contract import RESULTS, SHOWN, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from balmi.config.rules.selection import Selection
    from balmi.config.settings import Model, Settings

OF_PRETRAINING = frozenset({"plan", "complementarity"})  # tables that only pretraining makes
INFORMATION = f"{RESULTS}/information.safetensors"


def outcomes(name: str, methods: Iterable[str]) -> list[str]:
    """Return the same file of several methods."""
    return [f"{RESULTS}/methods/{method}/{name}" for method in methods]


def bases(method: str, model: Model) -> dict[str, str]:
    """Return the regressions of single modalities, for a method that rests on them."""
    rests = METHODS[Method(method)].reads_bases(model)
    return {"bases": f"{RESULTS}/bases.safetensors"} if rests else {}


@dataclass(frozen=True)
class Inputs:
    """The files that rules read.

    Parameters
    ----------
    settings
        The settings.
    selection
        The methods that they select.
    """

    settings: Settings
    selection: Selection

    def bases_of(self, wildcards: Any) -> dict[str, str]:
        """Return the regressions of single modalities, for a method that rests on them."""
        return bases(wildcards.method, self.settings.model)

    def networks_of(self, wildcards: Any) -> str | list[str]:
        """Return the fused networks where the encoders pass messages on them."""
        network = NETWORKS.get(wildcards.get("method"), PRETRAINING)
        used = network.passes_messages(self.settings.model)
        return f"{RESULTS}/networks.parquet" if used else []

    def guidance_of(self, wildcards: Any) -> dict[str, str]:
        """Return what a network method takes besides the cohort, where it is guided."""
        if not NETWORKS[wildcards.method].pretrained:
            return {}
        files = {"information": INFORMATION}
        if self.selection.pretrained:
            files["pretrained"] = f"{RESULTS}/pretraining/parameters.safetensors"
            files["pretraining"] = f"{RESULTS}/pretraining/status.json"
        return files

    def trained(self, wildcards: Any) -> dict[str, str]:
        """Return what a probed network method left behind."""
        folder = f"{RESULTS}/methods/{{method}}"
        files = {
            "status": f"{folder}/status.json",
            "parameters": f"{folder}/model.safetensors",
            "experts": f"{folder}/experts.csv",
            "regressions": f"{folder}/regressions.safetensors",
        }
        if wildcards.method == Method.BALANCED:
            files["information"] = INFORMATION
        return files

    def attributed(self) -> dict[str, str]:
        """Return what `balanced` left behind, where it runs and features are attributed."""
        if not self.settings.attribution.enabled or Method.BALANCED not in self.selection.networks:
            return {}
        folder = f"{RESULTS}/methods/{Method.BALANCED}"
        return {
            "model": f"{folder}/model.safetensors",
            "ended": f"{folder}/status.json",
            "information": INFORMATION,
        }

    def histories(self) -> list[str]:
        """Return the training histories of the network methods, and of pretraining."""
        pretraining = [f"{RESULTS}/pretraining/training.parquet"]
        files = outcomes("training.parquet", self.selection.networks)
        return files + (pretraining if self.selection.pretrained else [])

    def robustness(self, kind: str, names: Iterable[str], ending: str = "parquet") -> list[str]:
        """Return a file of every probe, training share or control, where anything is probed."""
        folder = f"{RESULTS}/robustness"
        return [f"{folder}/{kind}-{name}.{ending}" for name in names if self.selection.probed]

    def shown(self) -> list[str]:
        """Return the tables that the report of a dataset is made of."""
        return [name for name in SHOWN if self.selection.pretrained or name not in OF_PRETRAINING]

    def report(self) -> dict[str, str]:
        """Return the files that the report of a dataset is made of."""
        model = {"model": f"{RESULTS}/model.zip"} if self.settings.final.method else {}
        tables = {name: TABLES[name].path for name in self.shown()}
        return {"roster": f"{RESULTS}/samples.json", **tables, **model}
