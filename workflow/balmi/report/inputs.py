"""What the report reads: the files of one dataset below ``results/<dataset>/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# In the order in which the report offers them.
TABLES = (
    *("summary", "performance", "class_performance", "comparisons", "reliability", "curves"),
    *("information", "complementarity", "plan", "experts", "training"),
    *("robustness", "controls", "robustness_status", "contributions", "embedding"),
    *("attribution", "attribution_modalities", "absence", "trust", "methods", "predictions"),
)


@dataclass(frozen=True)
class ReportInputs:
    """The files and facts that one dataset's report is made of.

    Parameters
    ----------
    dataset
        The dataset's name.
    cohort
        The cohort as h5mu.
    predictions, performance, comparisons, information, training, experts, methods, summary, \
    class_performance, reliability, curves, trust, robustness, controls, \
    robustness_status, contributions, embedding, attribution, attribution_modalities
        Tables as in ``tests/contract/tables.yaml``; those of networks and of robustness may have no
        rows.
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
    absence
        How far absence follows the class, or None where it was not measured.
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
    summary: Path
    class_performance: Path
    reliability: Path
    curves: Path
    trust: Path
    robustness: Path
    controls: Path
    robustness_status: Path
    contributions: Path
    embedding: Path
    attribution: Path
    attribution_modalities: Path
    settings: dict
    dataset_settings: dict
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    title: str | None = None
    licence: str | None = None
    plan: Path | None = None
    complementarity: Path | None = None
    absence: Path | None = None

    @property
    def table_paths(self) -> dict[str, Path]:
        """The tables that there are, by name."""
        found = {name: getattr(self, name) for name in TABLES}
        return {name: path for name, path in found.items() if path is not None}
