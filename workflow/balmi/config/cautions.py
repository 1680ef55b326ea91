"""What a configuration asks for that cannot be answered, and is run all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.config.automatic import AUTO, FEWEST_FOLDS
from balmi.config.catalogue import resolve
from balmi.errors import Caution
from balmi.numerals import counted

if TYPE_CHECKING:
    from balmi.config.settings import Configuration


def cautions(settings: Configuration) -> list[Caution]:
    """Return what a report will not answer, as far as the configuration alone says so.

    Parameters
    ----------
    settings
        The configuration.
    """
    return [*_few_folds(settings), *_more_repeats(settings), *_single_modalities(settings)]


def _repeats(settings: Configuration) -> int | None:
    """Return the repeats of k-fold, None where the configuration alone does not say them.

    Groups that are left out one by one, folds that datasets bring, and repeats that depend on the
    number of samples are not known before the data are read.
    """
    evaluation = settings.evaluation
    dealt = any(not dataset.folds for dataset in settings.datasets.values())
    if not dealt or evaluation.scheme != "k-fold" or evaluation.repeats == AUTO:
        return None
    return evaluation.repeats


def _few_folds(settings: Configuration) -> list[Caution]:
    """Return that nothing will be judged, where that follows from the configuration alone."""
    repeats, folds = _repeats(settings), settings.evaluation.folds
    if repeats is None or repeats * folds >= FEWEST_FOLDS:
        return []
    found = f"{counted(repeats, 'repeat')} of {counted(folds, 'fold')}"
    needed = f"no comparison is judged with fewer than {counted(FEWEST_FOLDS, 'test fold')} in all"
    return [Caution("evaluation.repeats", found, needed)]


def _more_repeats(settings: Configuration) -> list[Caution]:
    """Return that robustness asks for more repeats than there are, where that is known already."""
    asked, there = settings.robustness.repeats, _repeats(settings)
    if there is None or asked <= there:
        return []
    found = f"{asked}, where evaluation.repeats is {there}"
    return [Caution("robustness.repeats", found, f"{counted(there, 'repeat')} will be run")]


def _single_modalities(settings: Configuration) -> list[Caution]:
    """Return which datasets have one modality, with which nothing can be combined."""
    used = {name: list(resolve(name, each).used) for name, each in settings.datasets.items()}
    meaning = "whether combining modalities helps can only be asked of two or more"
    return [
        Caution(f"datasets.{name}.modalities", f"{modalities[0]} alone", meaning)
        for name, modalities in used.items()
        if len(modalities) == 1
    ]
