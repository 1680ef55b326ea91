"""balmi: balanced multimodal learning via mutual information, for multi-omics cohorts.

Sub-packages import downwards only, which a test holds: ``config <- data <- preprocess <-
{information, graph} <- networks <- methods <- evaluation <- {experiments, report}``; the modules
beside them are the ground, under all.

What a notebook needs is here by name, and imported when it is first asked for: the workflow's
driver imports this package too, and needs neither torch nor scanpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from balmi.config.settings import Settings
    from balmi.data.cohort import read_cohort
    from balmi.data.splits import make_splits
    from balmi.evaluation.evaluate import evaluation_tables
    from balmi.evaluation.statistics import split_ratio
    from balmi.methods.pipeline import run_pipeline

__version__ = "0.2.0"
__all__ = [
    "Settings",
    "evaluation_tables",
    "make_splits",
    "read_cohort",
    "run_pipeline",
    "split_ratio",
]
_HOME = {
    "Settings": "balmi.config.settings",
    "evaluation_tables": "balmi.evaluation.evaluate",
    "make_splits": "balmi.data.splits",
    "read_cohort": "balmi.data.cohort",
    "run_pipeline": "balmi.methods.pipeline",
    "split_ratio": "balmi.evaluation.statistics",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
