"""The methods trained again on a share of the training samples, and tested as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.data.splits import as_splits, make_splits
from balmi.methods.pipeline import run_pipeline
from balmi.methods.stages import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.config.settings import Method, Settings
    from balmi.data.cohort import Cohort
    from balmi.methods.pipeline import Outcomes
    from balmi.methods.stages import Epochs


def run_share(
    share: float,
    methods: Sequence[Method],
    cohort: Cohort,
    settings: Settings,
    progress: Callable[[str], Epochs] = silent,
) -> Outcomes:
    """Run methods on a share of the training samples of the evaluation.

    Parameters
    ----------
    share
        Of the samples that the evaluation trains on; a smaller share lies within a larger one.
    methods
        The methods.
    cohort
        The cohort. Test samples are those of its evaluation.
    settings
        The settings; the first ``robustness.repeats`` repeats of the evaluation are run.
    progress
        As in `balmi.methods.pipeline.run_pipeline`.
    """
    evaluation = settings.evaluation
    used = evaluation.model_copy(update={"training_share": share * evaluation.training_share})
    table = make_splits(cohort, used)
    splits = as_splits(table[table["repeat"] < settings.robustness.repeats], cohort)
    return run_pipeline(methods, cohort, splits, settings, progress)
