"""The final models of a run, the predictions by them, and the files that these read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmi.config.catalogue import resolve
from balmi.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Configuration, Dataset

PAGES = ("predictions.csv", "report.html", "logs/accepted")
OF_DATASET, OF_PREDICTION = "samples.json", "prediction.json"
MODEL = ("model.json", "arrays.safetensors", "evaluation.json", "SHA256SUMS")


@dataclass(frozen=True)
class Predictions:
    """What a configuration keeps and predicts.

    Parameters
    ----------
    settings
        The configuration.
    placed
        Returns where a file of a rule lies: below a module's prefix.
    """

    settings: Configuration
    placed: Callable[[str], str]

    def check_folders(self) -> None:
        """Refuse names whose folder holds results of another kind, which would be replaced in part.

        Raises
        ------
        UserError
            With every such name.
        """
        taken = (
            ("predict", self.settings.predict, OF_DATASET, "a dataset"),
            ("datasets", self.settings.datasets, OF_PREDICTION, "a prediction"),
        )
        problems = [
            Problem(
                f"{section}.{name}",
                f"the name of {what} whose results lie in {folder}",
                "another name, or none of these results: move the folder, or delete it",
            )
            for section, names, mark, what in taken
            for name in names
            if Path(folder := self.placed(f"results/{name}"), mark).is_file()
        ]
        if problems:
            raise UserError(problems)

    def models(self) -> list[str]:
        """Return the models that are made."""
        kept = self.settings.datasets if self.settings.final.method else ()
        return [f"results/{name}/model.zip" for name in kept]

    def pages(self) -> list[str]:
        """Return the files that users ask predictions for."""
        return [f"results/{name}/{file}" for name in self.settings.predict for file in PAGES]

    def dataset_of_model(self, path: str) -> str | None:
        """Return the dataset of this configuration whose model lies at a path, or None.

        As of every file that a user names, the path is where it lies: below a module's prefix.
        """
        places = {
            os.path.normpath(self.placed(f"results/{name}/{kind}")): name
            for name in self.settings.datasets
            for kind in ("model", "model.zip")
        }
        return places.get(os.path.normpath(path)) if self.settings.final.method else None

    def behind(self, path: str) -> Dataset | None:
        """Return the dataset itself whose model lies there, with its files named, or None."""
        name = self.dataset_of_model(path)
        return None if name is None else resolve(name, self.settings.datasets[name])

    def made(self, wildcards: Any) -> list[str]:
        """Return the files of a prediction's model where this run makes it."""
        dataset = self.dataset_of_model(self.settings.predict[wildcards.prediction].model)
        if dataset is None:
            return []
        folder = f"results/{dataset}"
        return [f"{folder}/model.zip", *(f"{folder}/model/{name}" for name in MODEL)]

    def given(self, wildcards: Any) -> list[str]:
        """Return the user's files that a prediction reads, the checksums of a model too."""
        prediction = self.settings.predict[wildcards.prediction]
        if self.dataset_of_model(prediction.model):
            return prediction.files
        model = Path(prediction.model)
        return [*prediction.files, str(model / "SHA256SUMS" if model.is_dir() else model)]

    def concluded(self, wildcards: Any) -> list[str]:
        """Return what the pages of predictions with a dataset's model conclude, for its report."""
        found = self.settings.predict.items()
        return [
            f"results/{name}/view.json"
            for name, each in found
            if self.dataset_of_model(each.model) == wildcards.dataset
        ]
