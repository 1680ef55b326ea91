"""Simulated cohorts of which it is known whether it helps to combine their modalities.

A plain cohort (`simulated`) has modalities that measure the class independently of each other.
Combining them is better than the best one by a gain that `verdicts.py` measures apart.

A *structured* cohort has something that can pass for a gain where there is none. In half of the
cohorts of a kind every modality is noise; in the other half a single one measures the class, each
in turn; by turns there are two modalities and three. Classes have the shares of `SHARES` unless the
kind says otherwise. A modality that is independent of the class, given another, adds nothing to it;
why this holds in spite of the structure:

`absent_in_a_class`
    The last modality is missing in all samples of one class, the class changing with the seed. That
    it is missing tells the class, but no measurement does: among samples that have all modalities
    at most one of them knows anything.
`absent_more_often`
    The same, missing in 80 % of one class and 25 % of the others.
`batch_follows_class`
    Three batches, each with most of one class. A batch shifts every modality by so much that any
    modality tells the batch without error; a second one can tell it no better.
`repeated_measures`
    Four samples of every patient, named as groups. Patients differ in every modality, and all
    samples of a patient have one class. A test patient is never seen in training, so that his
    likeness to himself tells nothing.
`uneven_groups`
    In half of the cohorts the same with 1 to 30 samples per patient. In the others five, six or
    seven sites, named as groups, which differ in every modality, in size and in the shares of the
    classes. Test sites are not seen in training. With five folds there are few ways to deal them,
    one alone of five sites, so that repeats repeat.
`rare_class`
    The rarest of three classes holds 4 % of the samples: its F1 hangs on one or two per test fold.
`copied_samples`
    A quarter of the samples are copies of others with a thousandth of their variance as noise,
    under ids of their own, and no group says so. A copy of a test sample in training is recognised
    by any modality alone, and new samples have no copy. Half of these cohorts have 12 features per
    modality, too few to find copies by, and half have 40.
`disjoint`
    Every sample has one modality, so that there is nothing to combine. In half of the cohorts who
    has which follows the class in part. Here, by turns, no modality, one, and all measure the
    class: in the last case whoever uses all of them answers for more samples, which is no gain of
    combining, since no sample is known twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.cohort import Cohort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLASSES = ("alpha", "beta", "gamma")
SHARES = (0.5, 0.3, 0.2)
NAMES = ("first", "second", "third")
LATENT = 2
FEATURES = 12
# Of the two modalities, in standard deviations: chosen on seeds from 900000 so that combining them
# gains about .05 macro-F1 at 640 training samples.
SEPARATIONS = {"first": 1.4, "second": 0.8}
SIGNAL = SEPARATIONS["first"]  # of the only modality that measures the class
PATIENT, SITE, BATCH = 1.5, 1.5, 4.0  # standard deviation of a feature between levels
MOST_SITES = 7


@dataclass(frozen=True)
class Plan:
    """What a structured cohort is drawn from, decided by its seed.

    Parameters
    ----------
    rng
        Source of all draws.
    modalities
        Names.
    signal
        Modality -> separation of the classes, as in `simulated`; 0 for noise.
    turn
        Number that runs through the variants of a kind: 0 and 2 are noise, 1 and 3 have a signal.
    target
        The class that a structure singles out.
    """

    rng: np.random.Generator
    modalities: tuple[str, ...]
    signal: dict[str, float]
    turn: int
    target: int


def plan(seed: int) -> Plan:
    """Return the plan of a seed; of twelve seeds in a row four have three modalities."""
    turn, block = seed % 4, seed // 4
    modalities = NAMES[: 3 if block % 3 == 2 else 2]
    signal = dict.fromkeys(modalities, 0.0)
    if turn % 2:
        signal[modalities[(seed // 2) % len(modalities)]] = SIGNAL
    rng = np.random.default_rng((seed, 3))
    return Plan(rng, modalities, signal, turn, int(rng.integers(len(CLASSES))))


def labels_of(
    samples: int, rng: np.random.Generator, shares: Sequence[float] = SHARES
) -> np.ndarray:
    """Return class codes of these shares in random order; (samples,) up to rounding."""
    counts = np.rint(np.array(shares) * samples).astype(int)
    return rng.permutation(np.repeat(np.arange(len(counts)), counts))


def measured(
    labels: np.ndarray, separation: float, rng: np.random.Generator, features: int = FEATURES
) -> np.ndarray:
    """Return a modality that measures the class.

    Behind it lies the class's corner of an equilateral triangle plus standard normal noise. Every
    feature is a random combination of the two coordinates plus standard normal noise.

    Parameters
    ----------
    labels
        Class codes; (n,).
    separation
        Distance of the corners from their centre, in standard deviations of the noise.
    rng
        Source of the draws.
    features
        Number of features.

    Returns
    -------
    numpy.ndarray
        (n, features).
    """
    angles = 2 * np.pi * labels / len(CLASSES)
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    latent = separation * corners + rng.standard_normal((len(labels), LATENT))
    loadings = rng.standard_normal((LATENT, features))
    return latent @ loadings + rng.standard_normal((len(labels), features))


def cohort_of(
    labels: np.ndarray, values: Mapping[str, np.ndarray], groups: np.ndarray | None = None
) -> Cohort:
    """Return a cohort; groups are numbers, and rows of absent samples NaN."""
    return Cohort(
        samples=np.array([f"s{row:05d}" for row in range(len(labels))]),
        labels=labels,
        classes=CLASSES,
        groups=None if groups is None else np.array([f"g{number:03d}" for number in groups]),
        values=dict(values),
        features={
            name: tuple(f"{name}-{place:02d}" for place in range(table.shape[1]))
            for name, table in values.items()
        },
        kinds=dict.fromkeys(values, "generic"),
        provenance={},
    )


def simulated(samples: int, seed: int, separations: Mapping[str, float] = SEPARATIONS) -> Cohort:
    """Draw a cohort whose modalities measure the class independently of each other.

    Parameters
    ----------
    samples
        Number of samples; classes have the shares of `SHARES`.
    seed
        Seed of the draws.
    separations
        Modality -> its separation, as in `measured`.
    """
    rng = np.random.default_rng(seed)
    labels = labels_of(samples, rng)
    return cohort_of(labels, {name: measured(labels, s, rng) for name, s in separations.items()})


def _values(
    about: Plan, labels: np.ndarray, levels: np.ndarray | None = None, spread: float = 0.0
) -> dict[str, np.ndarray]:
    """Return every modality, shifted by the level (patient, site, batch) of each sample."""
    values = {name: measured(labels, s, about.rng) for name, s in about.signal.items()}
    if levels is None:
        return values
    shape = (levels.max() + 1, FEATURES)
    return {
        name: table + (spread * about.rng.standard_normal(shape))[levels]
        for name, table in values.items()
    }


def _without(table: np.ndarray, lacking: np.ndarray) -> np.ndarray:
    return np.where(lacking[:, None], np.nan, table)


def _absent(samples: int, seed: int, often: float, otherwise: float) -> Cohort:
    about = plan(seed)
    labels = labels_of(samples, about.rng)
    values = _values(about, labels)
    chance = np.where(labels == about.target, often, otherwise)
    last = about.modalities[-1]
    values[last] = _without(values[last], about.rng.random(len(labels)) < chance)
    return cohort_of(labels, values)


def absent_in_a_class(samples: int, seed: int) -> Cohort:
    """Draw a cohort that lacks its last modality in all samples of a class."""
    return _absent(samples, seed, often=1.0, otherwise=0.0)


def absent_more_often(samples: int, seed: int) -> Cohort:
    """Draw a cohort that lacks its last modality in 80 % of a class and 25 % of the others."""
    return _absent(samples, seed, often=0.8, otherwise=0.25)


def _following(labels: np.ndarray, levels: int, rng: np.random.Generator) -> np.ndarray:
    """Return a level for every sample, its class's own in six of ten and else any; (n,)."""
    own = rng.random(len(labels)) < 0.6
    return np.where(own, labels % levels, rng.integers(levels, size=len(labels)))


def batch_follows_class(samples: int, seed: int) -> Cohort:
    """Draw a cohort of three batches, each with most of a class, that shift every modality."""
    about = plan(seed)
    labels = labels_of(samples, about.rng)
    batches = _following(labels, len(CLASSES), about.rng)
    return cohort_of(labels, _values(about, labels, batches, BATCH))


def _of_patients(about: Plan, sizes: np.ndarray) -> Cohort:
    """Draw a cohort of patients with these numbers of samples, in random order."""
    patients = np.repeat(np.arange(len(sizes)), sizes)
    labels = labels_of(len(sizes), about.rng)[patients]
    return cohort_of(labels, _values(about, labels, patients, PATIENT), patients)


def repeated_measures(samples: int, seed: int) -> Cohort:
    """Draw a cohort of patients with four samples each."""
    return _of_patients(plan(seed), np.full(samples // 4, 4))


def uneven_groups(samples: int, seed: int) -> Cohort:
    """Draw a cohort of uneven patients or, in every other block of four seeds, of few sites."""
    return (few_sites if (seed // 4) % 2 else uneven_patients)(samples, seed)


def uneven_patients(samples: int, seed: int) -> Cohort:
    """Draw a cohort of patients with 1 to 30 samples, as many of 1 to 3 as of 10 to 30.

    Their number is that of 7 samples each, so that the cohort has about `samples`.
    """
    about = plan(seed)
    return _of_patients(about, np.rint(30 ** about.rng.random(samples // 7)).astype(int))


def few_sites(samples: int, seed: int) -> Cohort:
    """Draw a cohort of five to seven sites."""
    about = plan(seed)
    labels = labels_of(samples, about.rng)
    count = MOST_SITES - (seed // 8) % 3
    shares = np.stack([about.rng.dirichlet(np.full(count, 3.0)) for _ in CLASSES])
    sites = np.array([about.rng.choice(count, p=shares[label]) for label in labels])
    for label in range(len(CLASSES)):  # two of every class at every site
        own = np.flatnonzero(labels == label)[: 2 * count]
        sites[own] = np.arange(len(own)) % count
    return cohort_of(labels, _values(about, labels, sites, SITE), sites)


def rare_class(samples: int, seed: int) -> Cohort:
    """Draw a cohort whose last class holds 4 % of the samples."""
    about = plan(seed)
    labels = labels_of(samples, about.rng, (0.56, 0.40, 0.04))
    return cohort_of(labels, _values(about, labels))


def copied_samples(samples: int, seed: int) -> Cohort:
    """Draw a cohort of which a quarter are near-copies of other samples."""
    about = plan(seed)
    labels = labels_of(samples - samples // 4, about.rng)
    features = FEATURES if (seed // 8) % 2 else 40
    rows = np.concatenate([np.arange(len(labels)), about.rng.choice(len(labels), samples // 4)])
    rows = about.rng.permutation(rows)
    values = {}
    for name, separation in about.signal.items():
        table = measured(labels, separation, about.rng, features)
        noise = about.rng.standard_normal((len(rows), features))
        values[name] = table[rows] + np.sqrt(0.001) * table.std(axis=0) * noise
    return cohort_of(labels[rows], values)


def disjoint(samples: int, seed: int) -> Cohort:
    """Draw a cohort in which every sample has a single modality."""
    about = plan(seed)
    if about.turn == 3:
        about = replace(about, signal=dict.fromkeys(about.modalities, SIGNAL))
    labels = labels_of(samples, about.rng)
    count = len(about.modalities)
    follows = about.turn in (2, 3) if (seed // 8) % 2 else about.turn in (0, 1)
    anyone = about.rng.integers(count, size=len(labels))
    holds = _following(labels, count, about.rng) if follows else anyone
    values = {
        name: _without(table, holds != place)
        for place, (name, table) in enumerate(_values(about, labels).items())
    }
    return cohort_of(labels, values)
