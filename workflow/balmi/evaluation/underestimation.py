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

from balmi.evaluation.held_out import FOLD
from balmi.evaluation.metrics import SMALLEST_PROBABILITY
from balmi.evaluation.primary import modality_of
from balmi.evaluation.statistics import corrected_interval, held_out_ratio
from balmi.evaluation.trust import Finding, State
from balmi.information.label import entropy
from balmi.methods.outcome import PROBABILITY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster

TOGETHER = "+"  # joins the names of several modalities in tables
# Counts that the class frequencies start from, so that no class is impossible (Jeffreys).
PRIOR = 0.5
MOST_NAMED = 3


@dataclass(frozen=True)
class Amount:
    """Information about the label, nats, with its 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Shortfall:
    """An estimate that is too low.

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
    """

    modalities: str
    estimate: float
    more: float
    source: str

    @property
    def sentence(self) -> str:
        """The shortfall in words."""
        return (
            f"of {self.modalities} {self.estimate:.3f} nats are estimated, and {self.source}"
            f" {self.more:.3f}"
        )


def held_out_gain(predictions: pd.DataFrame, cohort: Roster, has: np.ndarray) -> Amount | None:
    """Return what a method reads of the class beyond its frequencies, mean over test folds.

    The reference is the log-loss of class frequencies that were learned from the same training
    samples, as in the estimates of information. Test sets that repeat are averaged and count once.

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
        counts = np.bincount(cohort.labels[training], minlength=len(cohort.classes)) + PRIOR
        read = np.maximum(probabilities[kept, labels], SMALLEST_PROBABILITY)
        gain = float((np.log(read) - np.log((counts / counts.sum())[labels])).mean())
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
    return {TOGETHER.join(members): members for members in found}


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


def _beyond(more: Amount, estimate: Amount) -> bool:
    """Return whether an amount exceeds an estimate by more than both intervals explain."""
    noise = math.hypot(more.value - more.lower, estimate.upper - estimate.value)
    return more.value - estimate.value > noise


def _by_methods(
    estimates: dict[tuple[str, ...], Amount], predictions: pd.DataFrame, cohort: Roster
) -> Iterator[Shortfall]:
    """Yield the estimates below what a method reads that saw the same modalities."""
    for members, estimate in estimates.items():
        has, seen = _has(cohort, members), {}
        for method, part in predictions.groupby("method", sort=False):
            if _saw(str(method), members, cohort):
                gain = held_out_gain(part, cohort, has)
                if gain is not None and _beyond(gain, estimate):
                    seen[str(method)] = gain
        if seen:
            method = max(seen, key=lambda name: seen[name].value)
            told = _told(members, cohort)
            yield Shortfall(told, estimate.value, seen[method].value, f"{method} reads")


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
    """Yield the estimates of several modalities below that of some of them.

    Estimates on the same samples go up and down together, so that the interval of one of them is
    allowed for. A part that more samples have is held to what is sure of it among the fewer: by the
    chain rule over whether a sample is one of the share s of them, I(X; Y) is at most
    H(Y) - s H(Y | few) + s I(X; Y | few).
    """
    for members, estimate in estimates.items():
        few = _has(cohort, members)
        found = {}
        for part, known in estimates.items():
            if set(part) < set(members):
                sure = _at_least(known.value, cohort.labels, _has(cohort, part), few)
                if sure > estimate.upper:
                    found[part] = sure
        if found:
            part = max(found, key=lambda each: found[each])
            source = f"of {_told(part, cohort)} alone"
            yield Shortfall(_told(members, cohort), estimate.value, found[part], source)


def shortfalls(
    information: pd.DataFrame, predictions: pd.DataFrame, cohort: Roster
) -> list[Shortfall] | None:
    """Return the estimates that are too low, or None where there are none to judge.

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
    return sorted(found, key=lambda each: each.estimate - each.more)


def underestimation(
    information: pd.DataFrame, predictions: pd.DataFrame, cohort: Roster
) -> Finding:
    """Judge whether information is underestimated.

    Parameters
    ----------
    information, predictions, cohort
        As in `shortfalls`.
    """
    found = shortfalls(information, predictions, cohort)
    if found is None:
        return Finding(State.NOT_RUN, None, "No information about the label was estimated.")
    if not found:
        return Finding(
            State.PASS,
            None,
            "No method is shown to read more of the class than is estimated to be there, and no"
            " combination less than its parts.",
        )
    worst = found[0]
    named = "; ".join(each.sentence for each in found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return Finding(
        State.CAUTION,
        f"{worst.more - worst.estimate:.3f} nats too low for {worst.modalities}",
        f"Information is underestimated here: {named}{more}. Estimates are lower bounds: do not"
        " read a small one, or parts and shares that are made from them, as little information.",
    )
