"""What the report reads: the files of one dataset below ``results/<dataset>/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from balmi.tables.contract import SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class ReportInputs:
    """The files and facts that one dataset's report is made of.

    Parameters
    ----------
    dataset
        The dataset's name.
    samples
        Who there is and who has what, as JSON.
    tables
        The tables that there are, by their name in the contract; those of networks and of
        robustness may have no rows.
    settings
        The resolved configuration, as ``Configuration.model_dump(mode="json")`` gives it.
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
    model
        The final model as a zip file; None where none is made.
    """

    dataset: str
    samples: Path
    tables: Mapping[str, Path]
    settings: dict
    dataset_settings: dict
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    title: str | None = None
    licence: str | None = None
    model: Path | None = None

    @property
    def table_paths(self) -> dict[str, Path]:
        """The tables by name, in the order in which the report offers them."""
        return {name: self.tables[name] for name in SHOWN if name in self.tables}
