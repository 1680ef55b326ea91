"""What the report reads: the files of one dataset below ``results/<dataset>/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

# Text columns are named, or a modality called 1 would be read as a number and one called NA as
# an empty cell.
TEXT = ("method", "reference", "metric", "quantity", "modality", "other", "status", "reason")
ROLES = ("student", "teacher")
TEXT_COLUMNS = dict.fromkeys((*TEXT, *ROLES, "device"), str)


@dataclass(frozen=True)
class ReportInputs:
    """The files and facts that one dataset's report is made of.

    Parameters
    ----------
    dataset
        The dataset's name.
    cohort
        The cohort as h5mu.
    predictions, performance, comparisons, information, training, methods
        Tables as in ``tests/contract/tables.yaml``; `training` may have no rows.
    settings
        The resolved configuration, as ``Settings.model_dump(mode="json")`` gives it.
    dataset_settings
        The dataset's own section of the configuration.
    versions
        Package -> version.
    commit
        The workflow's git commit, or None outside a git checkout.
    title
        The dataset's title for people.
    licence
        The licence of the data.
    plan
        Who taught whom in the pretraining, or None where nothing was pretrained.
    """

    dataset: str
    cohort: Path
    predictions: Path
    performance: Path
    comparisons: Path
    information: Path
    training: Path
    methods: Path
    settings: dict
    dataset_settings: dict
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    title: str | None = None
    licence: str | None = None
    plan: Path | None = None

    @property
    def table_paths(self) -> dict[str, Path]:
        """The tables by name, in the order in which the report offers them."""
        names = ("performance", "comparisons", "information", "methods", "training", "predictions")
        found = {name: getattr(self, name) for name in (*names, "plan")}
        return {name: path for name, path in found.items() if path is not None}


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of the contract; only an empty cell counts as empty, not the text ``NA``."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    header = pd.read_csv(path, nrows=0).columns
    types = {name: kind for name, kind in TEXT_COLUMNS.items() if name in header}
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])
