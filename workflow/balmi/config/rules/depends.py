"""What results depend on in the settings, for the parameters of rules.

A changed key runs those jobs again that have it among their parameters, and no others. What methods
depend on is told by `balmi.config.methods`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from balmi.config.methods import CALLED_FOR, NETWORKS, depends

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from balmi.config.settings import Configuration, Settings

OF_DATASETS = frozenset({"datasets", "predict"})  # keys that tell of single datasets


def untracked(value: Any) -> Callable[..., Any]:
    """Return a value for a rule's params that reruns nothing when it changes.

    Snakemake hands over what is computed from `threads`, and does not compare it.
    """
    return lambda wildcards, threads: value


def all_settings(settings: Configuration) -> Callable[..., Any]:
    """Return all settings but those of single datasets, untracked."""
    return untracked(settings.model_dump(mode="json", exclude=set(OF_DATASETS)))


def of_report(settings: Configuration) -> dict[str, Any]:
    """Return what results depend on in the settings of all datasets."""
    found = settings.deciding().items()
    return {key: value for key, value in found if key not in OF_DATASETS}


def of_probes(methods: Collection[str], settings: Settings) -> dict[str, Any]:
    """Return what probes of some methods depend on; of none, nothing."""
    chosen = settings.robustness.deciding()
    return {key: chosen[key] for key in ("noise", "seed")} if methods else {}


def of_final_model(settings: Settings) -> dict[str, Any]:
    """Return what the final model depends on, by section; where there is none, nothing."""
    method = settings.final.method
    if method is None:
        return {}
    # Networks hold validation samples out, as they do in a fold.
    held_out = {"validation": settings.evaluation.validation} if method in NETWORKS else {}
    metric = settings.primary_metric
    return {
        **depends([method], settings),
        **held_out,
        "final": settings.final.deciding(),
        "seed": settings.evaluation.seed,
        "called_for": metric.value if metric in CALLED_FOR else None,
    }
