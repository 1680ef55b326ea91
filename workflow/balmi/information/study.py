"""What is studied: rows of a cohort in an order of their own, and how they are dealt to folds."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from balmi.data.subsample import subsample
from balmi.information.crossfit import Views, cross_fit_blocks, fold_numbers
from balmi.information.deals import JUDGED_ONCE, Deal, is_shared_out
from balmi.information.estimates import NotApplicable
from balmi.numerals import counted, inflected
from balmi.preprocess.features import Features

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from balmi.config.settings import Information
    from balmi.data.cohort import Cohort
    from balmi.information.crossfit import Block

logger = logging.getLogger("balmi")

FEWEST_SAMPLES = 30
SAMPLES_PER_CLASS = 3  # two representations of classes - 1 columns must leave degrees of freedom
HALVES = 2
# Samples that are held out in all, over deals, and deals at most: as many as an evaluation of few
# samples has repeats. Learning curves, which no method is held to, make do with fewer.
ENOUGH_SAMPLES = 500
MOST_DEALS = 5
MOST_HALVED = 3
# Folds of an evaluation that serve: of two there is no learning curve, and of many each holds too
# few samples for labels to be permuted within it.
FEWEST_TAKEN = 3
MOST_TAKEN = 10


def canonical(cohort: Cohort, features: Features) -> tuple[Cohort, Features]:
    """Sort samples, modalities and features by name, so that their order changes no estimate.

    Folds are dealt by position and sums are rounded in order: without this, a cohort with its
    columns shuffled would read differently in the last digits, or in the second.
    """
    rows = np.argsort(cohort.samples, kind="stable")
    names = sorted(cohort.modalities)
    columns = {name: np.argsort(np.array(cohort.features[name], dtype=str)) for name in names}
    ordered = replace(
        cohort,
        samples=cohort.samples[rows],
        labels=cohort.labels[rows],
        groups=None if cohort.groups is None else cohort.groups[rows],
        folds=None if cohort.folds is None else cohort.folds[:, rows],
        values={
            name: features.sources[name].reordered(rows).columns(columns[name]) for name in names
        },
        features={name: tuple(np.array(cohort.features[name])[columns[name]]) for name in names},
        kinds={name: features.kinds[name] for name in names},  # most values are transformed
    )
    return ordered, Features(ordered, features.max_features)


def class_codes(labels: np.ndarray) -> np.ndarray:
    """Return class codes from the commonest class on, ties by first sample, names disregarded."""
    _, first, member, counts = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(counts), dtype=int)
    rank[np.lexsort([first, -counts])] = np.arange(len(counts))
    return rank[member]


@dataclass(frozen=True)
class Study:
    """The rows of a cohort under study with the deal of the cross-fitting.

    Parameters
    ----------
    cohort, features
        The cohort in canonical order, and its features.
    rows
        Rows under study, sorted; (n,).
    labels
        Class codes of those rows, from the commonest class; (n,).
    deals, halves
        Deals to the configured number of folds, and to two: one of each, or several of few samples,
        whose estimates are averaged.
    blind
        Fold in which each is held out where the label has no part; (n,).
    settings
        Settings of the estimates.
    permutations
        Permutations behind each null.
    """

    cohort: Cohort
    features: Features
    rows: np.ndarray
    labels: np.ndarray
    deals: tuple[Deal, ...]
    halves: tuple[Deal, ...]
    blind: np.ndarray
    settings: Information
    permutations: int

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities, sorted."""
        return self.cohort.modalities

    @property
    def fold(self) -> np.ndarray:
        """Fold in which each is held out by the first deal; (n,)."""
        return self.deals[0].fold

    @property
    def classes(self) -> int:
        """Number of classes among the rows under study."""
        return int(self.labels.max()) + 1

    def having(self, modalities: Sequence[str], fewest: int = FEWEST_SAMPLES) -> np.ndarray:
        """Return positions within `rows` of the samples that have all the modalities.

        Raises
        ------
        NotApplicable
            Where they are fewer than `fewest`, cannot be dealt to folds, or are of one class.
        """
        columns = [self.modalities.index(name) for name in modalities]
        found = np.flatnonzero(self.features.available[self.rows][:, columns].all(axis=1))
        what = counted(len(found), "sample")
        if len(modalities) > 1:
            what += f" {inflected(len(found), 'has', 'have')} them all"
        if len(found) < fewest:
            raise NotApplicable(f"{what}; at least {fewest} are needed", len(found))
        deals = (*self.deals, *self.halves)
        if min(len(np.unique(deal.fold[found])) for deal in deals) < HALVES:
            raise NotApplicable(f"{what}, all of one group: none can be held out", len(found))
        if len(np.unique(self.labels[found])) < 2:
            raise NotApplicable(f"{what}, all of one class: there is no label to know", len(found))
        return found

    @cached_property
    def _views(self) -> Views:
        return Views(self.features)

    def random(self, *names: str) -> np.random.Generator:
        """Return the source of randomness of a quantity: by name, not by order of computation."""
        return _random(self.settings, *names)

    def groups(self, positions: np.ndarray) -> np.ndarray | None:
        """Return groups at positions within `rows`, or None where the cohort has none."""
        groups = self.cohort.groups
        return None if groups is None else groups[self.rows[positions]]

    def blocks(
        self, modalities: Sequence[str], positions: np.ndarray, deal: Deal
    ) -> Iterator[Block]:
        """Yield the folds of a cross-fitting of modalities by one of the deals."""
        return cross_fit_blocks(
            self._views,
            modalities,
            self.rows[positions],
            deal.fold[positions],
            self.settings.label_components,
        )


def _random(settings: Information, *names: str) -> np.random.Generator:
    return np.random.default_rng([settings.seed, crc32("/".join(names).encode())])


def repeats_of(samples: int) -> int:
    """Return how many deals an estimate averages: of few samples one is a matter of luck."""
    return int(np.clip(-(-ENOUGH_SAMPLES // samples), 1, MOST_DEALS))


def study_of(
    cohort: Cohort,
    features: Features,
    rows: np.ndarray,
    settings: Information,
    permutations: int,
    *,
    repeated: bool = False,
    folds: Sequence[np.ndarray] = (),
) -> Study:
    """Return a study of rows of a cohort that is in canonical order.

    Of more than ``information.largest`` rows it is a study of an even draw of so many
    (`balmi.data.subsample`), and the log says so.

    Parameters
    ----------
    cohort, features
        The cohort in canonical order, and its features.
    rows
        Rows to study.
    settings
        Settings of the estimates.
    permutations
        Permutations behind each null.
    repeated
        Whether samples are dealt as often as `repeats_of` says, and not once.
    folds
        Folds of every row of the cohort that are taken before samples are dealt anew: those in
        which methods are tested. What a method reads beyond an estimate is then no matter of how
        samples were dealt.
    """
    rows = np.sort(rows)
    drawn = rows[
        subsample(
            cohort.labels[rows],
            features.available[rows],
            None if cohort.groups is None else cohort.groups[rows],
            settings.largest,
            _random(settings, "subsample"),
        )
    ]
    if len(drawn) < len(rows):
        logger.info(
            "information is estimated on %d of %d samples, drawn evenly from every class"
            " (information.largest)",
            *(len(drawn), len(rows)),
        )
    groups = None if cohort.groups is None else cohort.groups[drawn]
    labels = class_codes(cohort.labels[drawn])
    count = repeats_of(len(drawn)) if repeated else 1
    # Parts of a set are judged on the same samples, however few have the whole set.
    whole = features.available[drawn].all(axis=1)
    complete = whole if whole.sum() > JUDGED_ONCE else None
    taken = [
        Deal.around(fold[drawn], labels, groups, complete, shared=True)
        for fold in folds[:count]
        if FEWEST_TAKEN <= len(np.unique(fold)) <= MOST_TAKEN
        and is_shared_out(groups, len(np.unique(fold)))
    ]
    number = len(np.unique(taken[0].fold)) if taken else settings.folds
    seeds = range(settings.seed, settings.seed + count)
    dealt, halves = (
        tuple(Deal.of(labels, groups, each, seed, complete) for seed in some)
        for each, some in (
            (number, seeds[len(taken) :]),
            (HALVES, seeds[:MOST_HALVED]),
        )
    )
    blind = fold_numbers(len(drawn), groups, settings.folds, settings.seed)
    deals = (*taken, *dealt)
    return Study(cohort, features, drawn, labels, deals, halves, blind, settings, permutations)
