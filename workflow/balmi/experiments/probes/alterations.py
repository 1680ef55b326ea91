"""Probes of trained methods: predictions of test samples that are altered, without training again.

A probe makes some modalities available alone, adds noise to one modality, or permutes it among the
test samples of a fold. The altered samples are the same for every method. Only the samples that a
probe changes are predicted anew; one that has nothing left gets the class frequencies of the
training side. Noise and permutation of a modality do not apply to a fold whose test samples all
lack it, and have no rows there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.data.subsample import FEWEST, subsample
from balmi.data.together import together
from balmi.information.shapley import coalitions, orderings
from balmi.logs import followed
from balmi.methods.deciding import Said
from balmi.methods.outcome import said_columns
from balmi.methods.peers.registry import predicted
from balmi.methods.peers.run import training_side
from balmi.numerals import counted
from balmi.preprocess.fitted import Samples
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from balmi.config.settings import Method, Robustness
    from balmi.data.cohort import Roster
    from balmi.data.measurements import Matrix
    from balmi.data.splits import Split
    from balmi.methods.peers.registry import FittedPeer
    from balmi.methods.peers.side import TrainingSide
    from balmi.preprocess.features import Features
    from balmi.preprocess.fitted import Fitted, FittedModality

    Fit = Callable[[int, TrainingSide], FittedPeer]


LARGEST = 2**23  # cells of altered samples that are held at once
# Test samples of a fold that noise and permutation are tried on at most: each of their many levels
# asks about all of them. What a missing modality costs is known of every sample.
MADE_WORSE = 2000


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
class HeldOutSide:
    """The test samples of one fold, as the training side sees them.

    Parameters
    ----------
    split
        The fold.
    fitted
        Modality -> its preprocessing.
    values
        Modality -> all features of the test samples that have it, in their order, NaN where not
        measured; (having, features).
    samples
        The test samples, preprocessed.
    seed
        Seed of noise and permutations.
    """

    split: Split
    fitted: dict[str, FittedModality]
    values: dict[str, Matrix]
    samples: Samples
    seed: int

    def rng(self, kind: ProbeKind, name: str) -> np.random.Generator:
        """Return the randomness of a kind of probe of one modality; all levels share it."""
        place = list(ProbeKind).index(kind), list(self.fitted).index(name)
        return np.random.default_rng((self.seed, self.split.repeat, self.split.fold, *place))


def held_out_side(features: Features, fitted: Fitted, split: Split, seed: int) -> HeldOutSide:
    """Return the test samples of a fold.

    Parameters
    ----------
    features
        The features of the cohort.
    fitted
        The preprocessing that the fold's training side set.
    split
        The fold.
    seed
        Seed of noise and permutations.
    """
    values = {name: measured.of(split.test) for name, measured in features.values.items()}
    return HeldOutSide(split, fitted.modalities, values, features.apply(fitted, split.test), seed)


@dataclass(frozen=True)
class Altered:
    """What a probe makes of the test samples of a fold.

    Parameters
    ----------
    samples
        All test samples under the probe.
    changed
        Which of them the probe changes; (test,), bool.
    """

    samples: Samples
    changed: np.ndarray

    @property
    def asked(self) -> np.ndarray:
        """Which samples are predicted anew: those that are changed, and have a modality left."""
        return self.changed & self.samples.available.any(axis=1)


def _subset(side: HeldOutSide, probe: Probe) -> Altered:
    """Return samples that have some modalities alone."""
    before = side.samples
    stays = np.isin(list(side.fitted), probe.modalities)
    features = {
        name: values if name in probe.modalities else np.zeros_like(values)
        for name, values in before.features.items()
    }
    changed = before.available[:, ~stays].any(axis=1)
    return Altered(Samples(features, before.available & stays), changed)


def _noisy(side: HeldOutSide, probe: Probe) -> Altered:
    (name,) = probe.modalities
    fitted, has = side.fitted[name], side.samples.has(name)
    draws = side.rng(probe.kind, name).standard_normal((int(has.sum()), len(fitted.kept)))
    imputed = fitted.imputed(side.values[name]) + probe.level * fitted.deviations * draws
    return _with(side, name, fitted.scaled(imputed))


def _permuted(side: HeldOutSide, probe: Probe) -> Altered:
    (name,) = probe.modalities
    rows = side.rng(probe.kind, name).permutation(side.values[name].shape[0])
    return _with(side, name, side.fitted[name].apply(side.values[name][rows]))


def _with(side: HeldOutSide, name: str, values: np.ndarray) -> Altered:
    """Return the samples with other features of one modality, for those that have it."""
    has = side.samples.has(name)
    features = side.samples.features[name].copy()
    features[has] = values
    return Altered(replace(side.samples, features=side.samples.features | {name: features}), has)


ALTER: dict[ProbeKind, Callable[[HeldOutSide, Probe], Altered]] = {
    ProbeKind.SUBSET: _subset,
    ProbeKind.NOISE: _noisy,
    ProbeKind.SHUFFLED: _permuted,
}


def alter(side: HeldOutSide, probe: Probe) -> Altered:
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


def applies(side: HeldOutSide, probe: Probe) -> bool:
    """Return whether a fold has a test sample that a probe could change.

    A subset is asked of every fold: what a modality adds where nobody has it is nothing, and that
    is known.
    """
    return probe.kind is ProbeKind.SUBSET or side.samples.has(*probe.modalities).any()


def skipped(cohort: Roster, splits: Sequence[Split]) -> str | None:
    """Return in how many folds which modality cannot be made worse, in words; None where in none.

    Parameters
    ----------
    cohort
        The cohort.
    splits
        Its folds.
    """
    counts = {
        name: sum(not has[split.test].any() for split in splits)
        for name, has in zip(cohort.modalities, cohort.available.T, strict=True)
    }
    words = [
        f"{name} in {count} of {counted(len(splits), 'fold')}"
        for name, count in counts.items()
        if count
    ]
    if not words:
        return None
    return f"not made worse where no test sample has it: {', '.join(words)}"


def answers(
    predict: Callable[[Samples], np.ndarray],
    original: np.ndarray,
    altered: Sequence[Altered],
    prior: np.ndarray,
) -> Iterator[np.ndarray]:
    """Yield what a method says of the test samples under every probe; (test, classes) each.

    Parameters
    ----------
    predict
        Returns the method's probabilities of samples; (n, classes).
    original
        Those of the test samples as they are; (test, classes).
    altered
        What the probes make of them.
    prior
        What a sample gets that has nothing left; (classes,).
    """
    batches = [alteration.samples.take(alteration.asked) for alteration in altered]
    probabilities = np.empty((0, original.shape[1]))
    if sum(map(len, batches)):
        probabilities = predict(Samples.joined(batches))
    ends = np.cumsum([len(samples) for samples in batches])[:-1]
    for alteration, new in zip(altered, np.split(probabilities, ends), strict=True):
        result = original.copy()
        result[~alteration.samples.available.any(axis=1)] = prior
        result[alteration.asked] = new
        yield result


def probe_table(
    method: Method,
    cohort: Roster,
    features: Features,
    splits: Sequence[Split],
    settings: Robustness,
    fit: Fit,
) -> pd.DataFrame:
    """Return what a method says of the test samples of every fold under every probe.

    Parameters
    ----------
    method
        The method.
    cohort, features
        The cohort and its features.
    splits
        The folds.
    settings
        Levels of noise, seed.
    fit
        Given the number of a fold and its training side, returns the method as it has learned.

    Returns
    -------
    pandas.DataFrame
        Columns method, kind, modalities (joined by +), level, repeat, fold, sample, and one
        ``p:<class>`` per class. Probes that do not apply to a fold have no rows there; noise and
        permutation have those of `MADE_WORSE` test samples at most.
    """
    probes = probes_of(cohort.modalities, settings)
    tables = []
    for number, split in enumerate(followed(splits, f"{method}, probed", "fold")):
        fitted = features.fit(split.fit)
        training = training_side(cohort, features, fitted, split)
        learned = fit(number, training)

        def predict(samples: Samples, learned: FittedPeer = learned) -> np.ndarray:
            return predicted(method, learned, samples)[str(method)].probabilities

        whole = held_out_side(features, fitted, split, settings.seed)
        told = predicted(method, learned, whole.samples)[str(method)]
        for rows, some in _asked(probes, split, cohort, settings.seed):
            asked, side = split, whole
            if len(rows) < len(split.test):
                asked = replace(split, test=split.test[rows])
                side = held_out_side(features, fitted, asked, settings.seed)
            original = told.probabilities[rows]
            for part in _parts([probe for probe in some if applies(side, probe)], side):
                altered = [alter(side, probe) for probe in part]
                results = answers(predict, original, altered, training.prior)
                for probe, probabilities in zip(part, results, strict=True):
                    said = Said(probabilities, told.rule)
                    tables.append(_rows(method, probe, asked, said, cohort))
    return pd.concat(tables, ignore_index=True) if tables else empty_probes(cohort.classes)


def _asked(
    probes: Sequence[Probe], split: Split, cohort: Roster, seed: int
) -> Iterator[tuple[np.ndarray, list[Probe]]]:
    """Yield which test samples of a fold are asked about by which probes: some by an even draw."""
    everyone = np.arange(len(split.test))
    if len(everyone) <= MADE_WORSE:
        yield everyone, list(probes)
        return
    rng = np.random.default_rng([seed, split.repeat, split.fold])
    labels, available = cohort.labels[split.test], cohort.available[split.test]
    drawn = subsample(labels, available, None, MADE_WORSE, rng, fewest=FEWEST)
    yield everyone, [probe for probe in probes if probe.kind is ProbeKind.SUBSET]
    yield drawn, [probe for probe in probes if probe.kind is not ProbeKind.SUBSET]


def _parts(probes: Sequence[Probe], side: HeldOutSide) -> Iterator[list[Probe]]:
    """Yield the probes in parts whose altered samples are not too large together."""
    width = sum(len(modality.kept) for modality in side.fitted.values())
    size = max(1, LARGEST // max(1, width * len(side.samples)))
    for start in range(0, len(probes), size):
        yield list(probes[start : start + size])


def _rows(method: str, probe: Probe, split: Split, said: Said, cohort: Roster) -> pd.DataFrame:
    head = {
        "method": str(method),
        "kind": str(probe.kind),
        "modalities": together(probe.modalities),
        "level": np.full(len(split.test), probe.level),
        "repeat": split.repeat,
        "fold": split.fold,
        "sample": cohort.samples[split.test],
    }
    return pd.concat([pd.DataFrame(head), said_columns(said, cohort.classes)], axis=1)


def empty_probes(classes: Sequence[str]) -> pd.DataFrame:
    """Return a table of probes without rows."""
    return TABLES["probes"].empty(classes)
