"""Negative controls: the methods where there is nothing to learn.

A method that scores above chance there has seen what it is tested on. *labels*: the labels are
permuted, so that no feature says anything of them; whoever chooses features, epochs or anything
else by labels of test samples scores above chance. *leak*: every feature is noise in the training
samples, and half of them tell the class in the test samples; whoever fits or tunes on test samples
scores above chance. Each misses what the other finds: a leaky choice of features finds nothing to
choose for in *leak*, since nothing can then be fitted to them.

Where there is nothing to learn more samples teach no more: methods train on a draw of `TRAINED` of
each fold at most, and are tested on all of its test samples.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.kinds import Kind
from balmi.data.measurements import Measurements
from balmi.data.splits import as_splits, make_splits
from balmi.data.subsample import thinned
from balmi.experiments.controls.table import INDEPENDENT
from balmi.experiments.folds import folds_to_run
from balmi.methods.outcome import merged
from balmi.methods.pipeline import Outcomes, run_pipeline
from balmi.methods.stages import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from balmi.config.settings import Evaluation, Method, Settings
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.methods.stages import Epochs

logger = logging.getLogger("balmi")

FEATURES = 50  # per modality at most: enough to hold the classes, and quick to learn from
TELLING = 0.5  # share of the features that tell the class in test samples
TRAINED = 1000  # samples of a fold that are trained on, besides the few of a rare class
# Per class: with one, an honest AUROC would be near 0 or 1 by the luck of a draw, and with two five
# folds leave too wide an interval (deviations between folds of TCGA-BRCA: .12 with two, .07 with
# four, .04 with eight).
CODES = 6
STRENGTH = 3.0  # standard deviation of a code's values; that of the noise is 1


@dataclass(frozen=True)
class Trial:
    """Folds that a control runs together.

    Parameters
    ----------
    cohort
        The cohort as the control changes it.
    splits
        Its folds, numbered as in the evaluation.
    """

    cohort: Cohort
    splits: list[Split]


def on_permuted_labels(
    cohort: Cohort, splits: Sequence[Split], evaluation: Evaluation, seed: int
) -> Iterator[Trial]:
    """Yield every repeat with labels permuted among the samples of each test fold.

    So every fold keeps its classes, and no class is lost to training. Groups keep their samples but
    not their labels. Inner folds are dealt anew, by the permuted labels.

    Parameters
    ----------
    cohort
        The cohort.
    splits
        The folds of the evaluation.
    evaluation
        Settings of the evaluation, for the training sides.
    seed
        Seed of the permutations.
    """
    for repeat in sorted({split.repeat for split in splits}):
        labels, folds = cohort.labels.copy(), np.full(len(cohort.labels), "", dtype=object)
        for split in splits:
            if split.repeat == repeat:
                rng = _rng(seed, "labels", split)
                labels[split.test] = rng.permutation(labels[split.test])
                folds[split.test] = str(split.fold)
        changed = replace(cohort, labels=labels, folds=folds[None].astype(str))
        dealt = evaluation.model_copy(update={"seed": evaluation.seed + repeat})
        drawn = as_splits(make_splits(changed, dealt), changed)
        yield Trial(changed, [replace(split, repeat=repeat) for split in drawn])


def leaking_noise(
    cohort: Cohort, splits: Sequence[Split], evaluation: Evaluation, seed: int
) -> Iterator[Trial]:
    """Yield every fold with noise that tells the class in its test samples alone.

    A test sample's telling features hold one of its class's random codes. What lacks a modality is
    permuted among the samples of either side, or a method might rightly learn from absence.

    Parameters
    ----------
    cohort, splits, evaluation, seed
        As in `on_permuted_labels`.
    """
    for split in splits:
        rng = _rng(seed, "leak", split)
        available = cohort.available.copy()
        for side in (split.fit, split.test):
            available[side] = available[rng.permutation(side)]
        code = _codes(cohort.labels[split.test], rng)
        values = {}
        for column, (name, size) in enumerate(cohort.sizes.items()):
            width = min(size, FEATURES)
            noise = rng.standard_normal((len(cohort.samples), width))
            telling = rng.permutation(width)[: int(np.ceil(TELLING * width))]
            book = STRENGTH * rng.standard_normal((code.max() + 1, len(telling)))
            noise[np.ix_(split.test, telling)] += book[code]
            has = np.flatnonzero(available[:, column])
            values[name] = Measurements(has, noise[has])
        features = {name: cohort.features[name][: each.features] for name, each in values.items()}
        kinds = dict.fromkeys(values, str(Kind.GENERIC))
        yield Trial(replace(cohort, values=values, features=features, kinds=kinds), [split])


def _rng(seed: int, purpose: str, split: Split) -> np.random.Generator:
    return np.random.default_rng([seed, split.repeat, split.fold, *purpose.encode()])


def _codes(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the code of every sample: one of its class's, each about equally often; (n,)."""
    code = np.empty(len(labels), dtype=int)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        code[rows] = label * CODES + np.arange(len(rows)) % CODES
    return code


TRIALS: dict[str, Callable[[Cohort, Sequence[Split], Evaluation, int], Iterator[Trial]]] = {
    "labels": on_permuted_labels,
    "leak": leaking_noise,
}


def run_control(
    control: str,
    methods: Sequence[Method],
    cohort: Cohort,
    splits: Sequence[Split],
    settings: Settings,
    progress: Callable[[str], Epochs] = silent,
) -> Outcomes:
    """Run methods where there is nothing to learn.

    Parameters
    ----------
    control
        One of `TRIALS`.
    methods
        The methods.
    cohort, splits
        The cohort and its folds.
    settings
        The settings; `balmi.experiments.folds.folds_to_run` says in which folds labels are
        permuted. Noise is drawn in all folds of these repeats.
    progress
        As in `balmi.methods.pipeline.run_pipeline`.

    Returns
    -------
    Outcomes
        Predictions have two more columns: control, and truth, the class that the control pretends.
        A method that did not end well in every fold has no rows.
    """
    run, parts = settings.robustness, []
    # A repeat is permuted in whole, whichever of its folds are run.
    first = [split for split in splits if split.repeat < run.repeats]
    # How luck spreads draws of noise does not shrink with more samples: all of them are needed.
    few = first if control in INDEPENDENT else folds_to_run(splits, len(cohort.samples), run)
    wanted = {(split.repeat, split.fold) for split in few}
    for trial in TRIALS[control](cohort, first, settings.evaluation, run.seed):
        folds = [
            thinned(split, trial.cohort, TRAINED, _rng(run.seed, "thinned", split))
            for split in trial.splits
            if (split.repeat, split.fold) in wanted
        ]
        outcomes = run_pipeline(methods, trial.cohort, folds, settings, progress)
        rows = trial.cohort.positions(outcomes.predictions["sample"])
        truth = np.array(cohort.classes, dtype=object)[trial.cohort.labels[rows]]
        predictions = outcomes.predictions.assign(control=control, truth=truth)
        parts.append(Outcomes(predictions, outcomes.statuses))
        logger.info("control %s: %d folds more are done", control, len(folds))
    return _merged(parts)


def _merged(parts: Sequence[Outcomes]) -> Outcomes:
    """Return the outcomes of several trials as one; how a method ended is its first bad end."""
    statuses = [merged(ends) for ends in zip(*(part.statuses for part in parts), strict=True)]
    bad = [status.method for status in statuses if status.status != "ok"]
    filled = [part.predictions for part in parts if len(part.predictions)] or [parts[0].predictions]
    predictions = pd.concat(filled, ignore_index=True)
    method = predictions["method"].str.partition("/")[0]
    return Outcomes(predictions[~method.isin(bad)].reset_index(drop=True), tuple(statuses))
