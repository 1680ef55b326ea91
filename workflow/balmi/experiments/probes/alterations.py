"""Probes of trained methods: predictions of test samples that are altered, without training again.

A probe makes some modalities available alone, adds noise to one modality, or permutes it among the
test samples of a fold. The altered samples are the same for every method. Only the samples that a
probe changes are predicted anew; one that has nothing left gets the class frequencies of the
training side. Noise and permutation of a modality do not apply to a fold whose test samples all
lack it, and have no rows there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.information.shapley import coalitions, orderings
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.methods.peers.run import fold_task
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from balmi.config.settings import Robustness
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.methods.peers.task import FoldTask
    from balmi.preprocess.pipeline import Features, FittedModality

    Predict = Callable[[int, FoldTask], np.ndarray]

logger = logging.getLogger("balmi")

JOIN = "+"  # between the names of modalities, which never hold it
LARGEST = 2**25  # cells of altered samples that are held at once


class ProbeKind(StrEnum):
    """What a probe does to test samples."""

    SUBSET = "subset"
    NOISE = "noise"
    SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Probe:
    """One change of test samples.

    Parameters
    ----------
    kind
        What is done.
    modalities
        The modalities that stay (subset; none of them: class frequencies), or the one that is
        changed.
    level
        Standard deviations of noise; NaN for the other kinds.
    """

    kind: ProbeKind
    modalities: tuple[str, ...]
    level: float = np.nan


def joining_orders(modalities: int, settings: Robustness) -> list[tuple[int, ...]]:
    """Return the orders in which modalities join, over which Shapley values are averaged."""
    return orderings(modalities, np.random.default_rng(settings.seed))


def probes_of(modalities: Sequence[str], settings: Robustness) -> list[Probe]:
    """Return all probes of a cohort, in a fixed order.

    Subsets are all but the whole, or, above `balmi.information.shapley.EXACT_PLAYERS` modalities,
    those that the sampled orders need; and always those of one modality, and of all but one.

    Parameters
    ----------
    modalities
        Names, in the cohort's order.
    settings
        Levels of noise, and the seed of sampled orders.
    """
    everyone = frozenset(range(len(modalities)))
    subsets = coalitions(joining_orders(len(modalities), settings))
    subsets |= {frozenset({one}) for one in everyone} | {everyone - {one} for one in everyone}
    ordered = sorted((tuple(sorted(part)) for part in subsets - {everyone}), key=_by_size)
    named = [tuple(modalities[place] for place in part) for part in ordered]
    return [
        *(Probe(ProbeKind.SUBSET, names) for names in named),
        *(Probe(ProbeKind.NOISE, (name,), s) for name in modalities for s in settings.noise),
        *(Probe(ProbeKind.SHUFFLED, (name,)) for name in modalities),
    ]


def _by_size(part: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return len(part), part


@dataclass(frozen=True)
class FoldSide:
    """The test samples of one fold, as the training side sees them.

    Parameters
    ----------
    split
        The fold.
    fitted
        Modality -> its preprocessing.
    available
        Availability mask of the test samples; (test, modalities), bool.
    seed
        Seed of noise and permutations.
    """

    split: Split
    fitted: dict[str, FittedModality]
    available: np.ndarray
    seed: int

    def has(self, name: str) -> np.ndarray:
        """Return which test samples have a modality; (test,), bool."""
        return self.available[:, list(self.fitted).index(name)]

    def rng(self, kind: ProbeKind, name: str) -> np.random.Generator:
        """Return the randomness of a kind of probe of one modality; all levels share it."""
        place = list(ProbeKind).index(kind), list(self.fitted).index(name)
        return np.random.default_rng((self.seed, self.split.repeat, self.split.fold, *place))


@dataclass(frozen=True)
class Altered:
    """What a probe makes of the test samples of a fold.

    Parameters
    ----------
    features
        Modality -> features of all test samples; (test, kept). Only what the probe changes.
    available
        Availability mask; (test, modalities), bool.
    changed
        Which test samples the probe changes; (test,), bool.
    """

    features: dict[str, np.ndarray]
    available: np.ndarray
    changed: np.ndarray


def _subset(side: FoldSide, probe: Probe) -> Altered:
    stays = np.isin(list(side.fitted), probe.modalities)
    lost = {
        name: np.zeros((len(side.available), len(own.kept)))
        for name, own in side.fitted.items()
        if name not in probe.modalities
    }
    return Altered(lost, side.available & stays, side.available[:, ~stays].any(axis=1))


def _noisy(side: FoldSide, probe: Probe) -> Altered:
    (name,) = probe.modalities
    own, has = side.fitted[name], side.has(name)
    draws = side.rng(probe.kind, name).standard_normal((int(has.sum()), len(own.kept)))
    values = own.unscaled(side.split.test[has]) + probe.level * own.deviations * draws
    return Altered({name: _among(has, own.scaled(values))}, side.available, has)


def _permuted(side: FoldSide, probe: Probe) -> Altered:
    (name,) = probe.modalities
    own, has = side.fitted[name], side.has(name)
    rows = side.rng(probe.kind, name).permutation(side.split.test[has])
    return Altered({name: _among(has, own.scaled(own.unscaled(rows)))}, side.available, has)


def _among(has: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values of the samples that have a modality among all, the others 0."""
    result = np.zeros((len(has), values.shape[1]))
    result[has] = values
    return result


ALTER: dict[ProbeKind, Callable[[FoldSide, Probe], Altered]] = {
    ProbeKind.SUBSET: _subset,
    ProbeKind.NOISE: _noisy,
    ProbeKind.SHUFFLED: _permuted,
}


def alter(side: FoldSide, probe: Probe) -> Altered:
    """Return what a probe makes of the test samples of a fold.

    Noise is s times the training side's standard deviation of every feature, times standard normal
    numbers, on the transformed and imputed values; only then are they scaled and clipped.

    Parameters
    ----------
    side
        The test samples.
    probe
        The probe.
    """
    return ALTER[probe.kind](side, probe)


def applies(side: FoldSide, probe: Probe) -> bool:
    """Return whether a fold has a test sample that a probe could change.

    A subset is asked of every fold: what a modality adds where nobody has it is nothing, and that
    is known.
    """
    return probe.kind is ProbeKind.SUBSET or side.has(*probe.modalities).any()


def skipped(cohort: Cohort, splits: Sequence[Split]) -> str | None:
    """Return in how many folds which modality cannot be made worse, in words; None where in none.

    Parameters
    ----------
    cohort
        The cohort.
    splits
        Its folds.
    """
    found = {
        name: sum(not has[split.test].any() for split in splits)
        for name, has in zip(cohort.modalities, cohort.available.T, strict=True)
    }
    told = [f"{name} in {count} of {len(splits)} folds" for name, count in found.items() if count]
    if not told:
        return None
    return f"not made worse where no test sample has it: {', '.join(told)}"


def extended(task: FoldTask, altered: Sequence[Altered]) -> FoldTask:
    """Return the fold with the altered samples as further test samples.

    Parameters
    ----------
    task
        The fold.
    altered
        What the probes make of its test samples; those that are changed and have a modality left
        are appended, probe by probe.
    """
    kept = [each.changed & each.available.any(axis=1) for each in altered]
    rows = np.concatenate([task.test, *(task.test[keep] for keep in kept)])
    new = rows[len(task.test) :]
    features = {
        name: np.concatenate(
            [
                values,
                *(
                    each.features.get(name, values[task.test])[keep]
                    for each, keep in zip(altered, kept, strict=True)
                ),
            ]
        )
        for name, values in task.features.items()
    }
    masks = [each.available[keep] for each, keep in zip(altered, kept, strict=True)]
    return replace(
        task,
        features=features,
        available=np.concatenate([task.available, *masks]),
        labels=np.concatenate([task.labels, task.labels[new]]),
        groups=None if task.groups is None else np.concatenate([task.groups, task.groups[new]]),
        test=np.concatenate([task.test, len(task.labels) + np.arange(len(new))]),
    )


def assembled(task: FoldTask, altered: Sequence[Altered], said: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the probabilities of the test samples under every probe; (test, classes) each.

    Parameters
    ----------
    task
        The fold.
    altered
        As in `extended`.
    said
        Probabilities of the test samples of the extended fold.
    """
    start = len(task.test)
    for each in altered:
        left = each.available.any(axis=1)
        keep = each.changed & left
        result = said[: len(task.test)].copy()
        result[~left] = task.prior
        result[keep] = said[start : start + keep.sum()]
        start += keep.sum()
        yield result


def probe_table(
    method: str,
    cohort: Cohort,
    features: Features,
    splits: Sequence[Split],
    settings: Robustness,
    predict: Predict,
) -> pd.DataFrame:
    """Return what a method says of the test samples of every fold under every probe.

    Parameters
    ----------
    method
        Its name.
    cohort, features
        The cohort and its features.
    splits
        The folds.
    settings
        Levels of noise, seed.
    predict
        Given the number of a fold and its task with further test samples, returns the
        probabilities of its test samples; (test, classes).

    Returns
    -------
    pandas.DataFrame
        Columns method, kind, modalities (joined by +), level, repeat, fold, sample, and one
        ``p:<class>`` per class. Probes that do not apply to a fold have no rows there.
    """
    probes = probes_of(cohort.modalities, settings)
    tables = []
    for number, split in enumerate(splits):
        fitted = {name: features.fitted(name, split.fit) for name in cohort.modalities}
        task = fold_task(cohort, features, split)
        side = FoldSide(split, fitted, features.available[split.test], settings.seed)
        for part in _parts([each for each in probes if applies(side, each)], side):
            altered = [alter(side, probe) for probe in part]
            said = predict(number, extended(task, altered))
            for probe, found in zip(part, assembled(task, altered, said), strict=True):
                tables.append(_rows(method, probe, split, found, cohort))
        logger.info("%s: probed fold %d of %d", method, number + 1, len(splits))
    return pd.concat(tables, ignore_index=True)


def _parts(probes: Sequence[Probe], side: FoldSide) -> Iterator[list[Probe]]:
    """Yield the probes in parts whose altered samples are not too large together."""
    width = sum(len(own.kept) for own in side.fitted.values())
    size = max(1, LARGEST // max(1, width * len(side.available)))
    for start in range(0, len(probes), size):
        yield list(probes[start : start + size])


def _rows(
    method: str, probe: Probe, split: Split, probabilities: np.ndarray, cohort: Cohort
) -> pd.DataFrame:
    head = {
        "method": str(method),
        "kind": str(probe.kind),
        "modalities": JOIN.join(probe.modalities),
        "level": np.full(len(split.test), probe.level),
        "repeat": split.repeat,
        "fold": split.fold,
        "sample": cohort.samples[split.test],
    }
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    values = pd.DataFrame(probabilities, columns=columns)
    return pd.concat([pd.DataFrame(head), values], axis=1)


def empty_probes(classes: Sequence[str]) -> pd.DataFrame:
    """Return a table of probes without rows."""
    return TABLES["probes"].empty(classes)
