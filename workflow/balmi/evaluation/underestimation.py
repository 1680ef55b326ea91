"""Where information about the label is estimated below what was shown to be there.

What a method gains over the class frequencies on held-out samples, H(Y) less its log-loss, is a
lower bound of the mutual information between the label and what the method saw, as the estimate
itself is (Barber and Agakov 2003, NeurIPS 16): an estimate below it is too low. So is one of
several modalities below that of some of them, since information cannot shrink by more measurements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.together import together
from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import SMALLEST_PROBABILITY
from balmi.evaluation.primary import modality_of
from balmi.evaluation.statistics import corrected_interval, held_out_ratio
from balmi.evaluation.trust import Finding, State
from balmi.information.label import entropy
from balmi.information.members import class_prior
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.numerals import decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster

MOST_NAMED = 3
FLOORED = "Amounts below zero count as zero."
# Nats by which an estimate may lie below what a method reads, or below a part of what it is of.
TOLERATED, TOLERATED_OF_PART = 0.02, 0.005


@dataclass(frozen=True)
class Amount:
    """Information about the label, nats, with its 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Shortfall:
    """An estimate, and what says that there is more, or nearly as much.

    Parameters
    ----------
    modalities
        The modality, or several together, as people read them.
    estimate
        The estimate, nats.
    more
        What was shown to be there, nats.
    source
        What shows it, in words.
    tolerated
        Nats by which the estimate may be lower.
    noise
        Nats that the intervals of both explain.
    """

    modalities: str
    estimate: float
    more: float
    source: str
    tolerated: float
    noise: float

    @property
    def gap(self) -> float:
        """Nats by which the estimate is lower; negative where it is higher.

        An amount below zero is one of nothing: no information is less.
        """
        return max(0.0, self.more) - max(0.0, self.estimate)

    @property
    def is_too_low(self) -> bool:
        """Whether the estimate is lower than is tolerated."""
        return self.gap > self.tolerated

    @property
    def explained(self) -> bool:
        """Whether the intervals explain the gap."""
        return self.gap <= self.noise

    @property
    def sentence(self) -> str:
        """The shortfall in words."""
        return (
            f"of {self.modalities} {decimal(self.estimate)} nats are estimated, and {self.source}"
            f" {decimal(self.more)}"
        )


def held_out_gain(predictions: pd.DataFrame, cohort: Roster, has: np.ndarray) -> Amount | None:
    """Return what a method reads of the class beyond its frequencies, mean over test folds.

    The reference is the log-loss of class frequencies that were learned from the same training
    samples. That of estimates is tempered as their pools are: of 58 samples of eight classes it is
    .01 nats better, to the disadvantage of estimates. Test sets that repeat count once.

    Parameters
    ----------
    predictions
        Those of one method, as in ``predictions.parquet``.
    cohort
        The cohort.
    has
        The samples that have what is looked at; (n,), bool. Others neither train nor test here.

    Returns
    -------
    Amount | None
        Nats; None where fewer than two test folds are left.
    """
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    rows = cohort.positions(predictions["sample"])
    probabilities = predictions[columns].to_numpy(dtype=float)
    gains: dict[frozenset[int], list[float]] = {}
    for places in predictions.groupby(FOLD, sort=False).indices.values():
        training = has.copy()
        training[rows[places]] = False
        kept = places[has[rows[places]]]
        if not kept.size or not training.any():
            continue
        labels = cohort.labels[rows[kept]]
        prior = class_prior(cohort.labels[training], len(cohort.classes))
        read = np.maximum(probabilities[kept, labels], SMALLEST_PROBABILITY)
        gain = float((np.log(read) - np.log(prior[labels])).mean())
        gains.setdefault(frozenset(rows[kept].tolist()), []).append(gain)
    if len(gains) < 2:
        return None
    values = np.array([np.mean(each) for each in gains.values()])
    tested = predictions[has[rows]]
    interval = corrected_interval(values, held_out_ratio(tested, int(has.sum())))
    return Amount(interval.mean, interval.lower, interval.upper)


def _coalitions(cohort: Roster) -> dict[str, tuple[str, ...]]:
    """Return the modalities behind the names of tables: all of one, two, all but one, and all."""
    names = sorted(cohort.modalities)
    sizes = {1, 2, len(names) - 1, len(names)} & set(range(1, len(names) + 1))
    found = (members for size in sorted(sizes) for members in combinations(names, size))
    return {together(members): members for members in found}


def _estimates(information: pd.DataFrame, cohort: Roster) -> dict[tuple[str, ...], Amount]:
    """Return the estimates that have an interval, by modalities."""
    named = _coalitions(cohort)
    wanted = information["quantity"].isin(("label_information", "subset_information"))
    known = information[wanted & (information["status"] == "ok")]
    found = {}
    for row in known.dropna(subset=["estimate", "lower", "upper"]).itertuples():
        if row.modality in named:
            found[named[row.modality]] = Amount(row.estimate, row.lower, row.upper)
    return found


def _has(cohort: Roster, members: Sequence[str]) -> np.ndarray:
    """Return which samples have all of some modalities; (n,), bool."""
    places = [cohort.modalities.index(name) for name in members]
    return np.all(cohort.available[:, places], axis=1)


def _told(members: Sequence[str], cohort: Roster) -> str:
    if len(members) == len(cohort.modalities) > 1:
        return "all modalities together"
    return " and ".join(members)


def _by_methods(
    estimates: dict[tuple[str, ...], Amount], predictions: pd.DataFrame, cohort: Roster
) -> Iterator[Shortfall]:
    """Yield every estimate and the most that a method reads that saw the same modalities."""
    for members, estimate in estimates.items():
        has, seen = _has(cohort, members), {}
        for method, part in predictions.groupby("method", sort=False):
            if _saw(str(method), members, cohort):
                gain = held_out_gain(part, cohort, has)
                if gain is not None:
                    seen[str(method)] = gain
        if seen:
            method = max(seen, key=lambda name: seen[name].value)
            told, most = _told(members, cohort), seen[method]
            noise = math.hypot(most.value - most.lower, estimate.upper - estimate.value)
            amounts = estimate.value, most.value
            yield Shortfall(told, *amounts, f"{method} reads", TOLERATED, noise)


def _saw(method: str, members: Sequence[str], cohort: Roster) -> bool:
    """Return whether a method predicts from these modalities and no others."""
    alone = modality_of(method)
    if alone is not None:
        return (alone,) == tuple(members)
    return len(members) == len(cohort.modalities)


def _at_least(known: float, labels: np.ndarray, many: np.ndarray, few: np.ndarray) -> float:
    """Return what information among many samples leaves at least among some of them, nats."""
    share = few.sum() / many.sum()
    return (known - entropy(labels[many])) / share + entropy(labels[few])


def _by_parts(estimates: dict[tuple[str, ...], Amount], cohort: Roster) -> Iterator[Shortfall]:
    """Yield every estimate of several modalities and the most that some of them tell.

    Estimates on the same samples go up and down together, so that the interval of one of them is
    what explains a gap. A part that more samples have is held to what is sure of it among the
    fewer: by the chain rule over whether a sample is one of the share s of them, I(X; Y) is at most
    H(Y) - s H(Y | few) + s I(X; Y | few).
    """
    for members, estimate in estimates.items():
        few = _has(cohort, members)
        found = {
            part: _at_least(known.value, cohort.labels, _has(cohort, part), few)
            for part, known in estimates.items()
            if set(part) < set(members)
        }
        if found:
            part = max(found, key=lambda each: found[each])
            amounts, source = (estimate.value, found[part]), f"of {_told(part, cohort)} alone"
            noise = estimate.upper - estimate.value
            yield Shortfall(_told(members, cohort), *amounts, source, TOLERATED_OF_PART, noise)


def held_to(
    information: pd.DataFrame, predictions: pd.DataFrame, cohort: Roster
) -> list[Shortfall] | None:
    """Return estimates and what they are held to, the farthest beyond what is tolerated first.

    None where there are no estimates.

    Parameters
    ----------
    information
        As in ``tables/information.csv``.
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort.
    """
    estimates = _estimates(information, cohort)
    if not estimates:
        return None
    found = [*_by_methods(estimates, predictions, cohort), *_by_parts(estimates, cohort)]
    return sorted(found, key=lambda each: each.tolerated - each.gap)


def _drawn(information: pd.DataFrame, cohort: Roster) -> str:
    """Return that estimates rest on a draw of the samples, where they do: a cause of low ones."""
    label = information[information["quantity"] == "label_information"].dropna(subset=["estimate"])
    drawn = {
        int(row.n): total
        for row in label.itertuples()
        if row.modality in cohort.modalities
        and row.n < (total := int(_has(cohort, (row.modality,)).sum()))
    }
    if not drawn:
        return ""
    most = max(drawn)
    return (
        f" Estimates rest on {most:,} samples drawn of {drawn[most]:,} (information.largest), and"
        " methods learn from all."
    )


def underestimation(
    information: pd.DataFrame, predictions: pd.DataFrame, cohort: Roster
) -> Finding:
    """Judge whether information is underestimated.

    Parameters
    ----------
    information, predictions, cohort
        As in `held_to`.
    """
    found = held_to(information, predictions, cohort)
    if found is None:
        return Finding(State.NOT_RUN, None, "No information about the label was estimated.")
    if not found:
        return Finding(State.NOT_RUN, None, "No method was run to compare estimates with.")
    low = [each for each in found if each.is_too_low]
    if not low:
        most = max(0.0, *(each.gap for each in found))
        return Finding(
            State.PASS,
            f"at most {most:.3f} nats too low",
            f"No method reads over {TOLERATED} nats more of the class than is estimated to be"
            f" there. No combination is over {TOLERATED_OF_PART} nats below one of its parts."
            f" {FLOORED}",
        )
    worst = low[0]
    named = "; ".join(each.sentence for each in low[:MOST_NAMED])
    more = f"; and {len(low) - MOST_NAMED} more" if len(low) > MOST_NAMED else ""
    chance = (
        " The intervals of both hold such a gap: the draw of folds may explain it."
        if worst.explained
        else ""
    )
    return Finding(
        State.CAUTION,
        f"{worst.gap:.3f} nats too low for {worst.modalities}",
        f"Information is underestimated here: {named}{more}.{chance}{_drawn(information, cohort)}"
        f" {FLOORED} Estimates are lower bounds. Do not read a small one, or parts and shares that"
        " are made from them, as little information.",
    )
