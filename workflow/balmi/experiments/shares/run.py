"""The methods trained again on a share of the training samples, and tested as ever."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from balmi.config.methods import NETWORKS
from balmi.data.splits import as_splits, make_splits
from balmi.experiments.folds import folds_to_run
from balmi.methods.outcome import Status
from balmi.methods.pipeline import Outcomes, run_pipeline
from balmi.methods.stages import silent
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.config.settings import Method, Robustness, Settings
    from balmi.data.cohort import Cohort
    from balmi.methods.stages import Epochs

logger = logging.getLogger("balmi")


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
        The settings; `balmi.experiments.folds.folds_to_run` says which folds are run.
    progress
        As in `balmi.methods.pipeline.run_pipeline`.

    Returns
    -------
    Outcomes
        Of all methods. Of a cohort of more than ``advanced.robustness.in_full_up_to`` samples
        networks are not trained on a share, and no method on one between the smallest and the
        largest: how they ended says so.
    """
    evaluation, samples = settings.evaluation, len(cohort.samples)
    reasons = {method: _left_out(method, share, samples, settings.robustness) for method in methods}
    trained = [method for method in methods if reasons[method] is None]
    used = evaluation.model_copy(update={"training_share": share * evaluation.training_share})
    table = make_splits(cohort, used)
    first = as_splits(table[table["repeat"] < settings.robustness.repeats], cohort)
    splits = folds_to_run(first, samples, settings.robustness)
    outcomes = run_pipeline(trained, cohort, splits if trained else [], settings, progress)
    none = [
        Status(method, "not_applicable", reason, "cpu", 0.0, 0.0)
        for method, reason in reasons.items()
        if reason is not None
    ]
    for reason in dict.fromkeys(status.reason for status in none):
        logger.warning("%s", reason)
    ends = {status.method: status for status in (*outcomes.statuses, *none)}
    return Outcomes(outcomes.predictions, tuple(ends[method] for method in methods))


def _left_out(method: Method, share: float, samples: int, run: Robustness) -> str | None:
    """Return why a method is not trained again on a share; None where it is."""
    if samples <= run.in_full_up_to:
        return None
    many = (
        f"{counted(samples, 'sample')}, which are more than advanced.robustness.in_full_up_to"
        f" ({run.in_full_up_to:,})"
    )
    if method in NETWORKS:
        return (
            f"networks are not trained again on shares of {many}: each share would take about as"
            " long as the whole"
        )
    if not run.is_outer(share):
        return f"of {many}, only the smallest and the largest share are trained again"
    return None
