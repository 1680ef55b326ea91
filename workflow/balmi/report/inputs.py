"""What the report reads: the files of one dataset below ``results/<dataset>/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ReportInputs:
    """The files and facts that one dataset's report is made of.

    Parameters
    ----------
    dataset
        The dataset's name.
    cohort
        The cohort as h5mu.
    predictions, performance, comparisons, information, training, experts, methods
        Tables as in ``tests/contract/tables.yaml``; `training` and `experts` may have no rows.
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
    complementarity
        What distillation did beside what was predicted, or None where nothing was pretrained.
    """

    dataset: str
    cohort: Path
    predictions: Path
    performance: Path
    comparisons: Path
    information: Path
    training: Path
    experts: Path
    methods: Path
    settings: dict
    dataset_settings: dict
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    title: str | None = None
    licence: str | None = None
    plan: Path | None = None
    complementarity: Path | None = None

    @property
    def table_paths(self) -> dict[str, Path]:
        """The tables by name, in the order in which the report offers them."""
        names = ("performance", "comparisons", "information", "methods", "experts", "training")
        others = ("predictions", "plan", "complementarity")
        found = {name: getattr(self, name) for name in (*names, *others)}
        return {name: path for name, path in found.items() if path is not None}
