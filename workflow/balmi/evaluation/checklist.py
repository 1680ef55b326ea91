"""The checks behind the trust checklist, each with its thresholds and the reason for them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.automatic import FEWEST_FOLDS
from balmi.data.splits import distinct_tests
from balmi.evaluation.absence import absence_finding
from balmi.evaluation.accepted import inputs
from balmi.evaluation.at_chance import WIDEST, Reading, read_control
from balmi.evaluation.duplicates import divided, near_copies
from balmi.evaluation.gap import calibration_gap
from balmi.evaluation.primary import roles
from balmi.evaluation.trust import CONTROL_CHECKS, LABEL_SOURCE, Finding, State
from balmi.evaluation.underestimation import underestimation
from balmi.evaluation.verdicts import (
    NOT_SEPARABLE,
    PairedDifference,
    extremes,
    informative,
)
from balmi.numerals import counted, inflected, with_limits
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.evaluation.duplicates import Copies
    from balmi.preprocess.features import Features

# With ten members of a class in a test fold one of them moves its recall by a tenth; with fewer
# than two its F1 in a fold is little more than one coin toss.
MANY_MEMBERS, FEW_MEMBERS = 10, 2

# The interval's quantile of Student's t is 2.26 for ten folds and 2.78 for five; below five the
# variance between folds is known to a factor of three at best.
FEW_FOLDS = 5
LARGEST_FOLD_RATIO = 2  # the corrected interval takes test folds for equally large

# Penalised models work with more features than samples, so that no ratio fails. Beyond ten features
# per sample, which of them count depends more on the penalty than on the data.
SAMPLES_PER_FEATURE = 0.1

# A gap beyond chance of two percentage points changes no decision; one of ten makes a probability
# useless as a number.
NEGLIGIBLE_GAP, LARGE_GAP = 0.02, 0.1
# Error above chance that samples must be enough to show, for its absence to say something.
SEEN_GAP = 0.03

MOST_NAMED = 3  # pairs of samples that are named


@dataclass(frozen=True)
class Evidence:
    """What the checks look at.

    Parameters
    ----------
    cohort, splits
        The cohort and its folds.
    predictions
        As in ``predictions.parquet``.
    information, controls, absence
        As in ``tables/information.csv``, ``tables/controls.csv`` and ``tables/absence.csv``.
    features
        Features of the cohort, with what preprocessing learned from the folds.
    asked
        Repeats that were asked for, where folds are drawn; None where they are given.
    label_from
        Modalities that the label was derived from, as the configuration says.
    """

    cohort: Cohort
    splits: Sequence[Split]
    predictions: pd.DataFrame
    information: pd.DataFrame
    controls: pd.DataFrame
    absence: pd.DataFrame
    features: Features
    asked: int | None = None
    label_from: Sequence[str] = ()


_PROBLEMS = {
    "leak": "noise that holds the labels of test samples alone",
    "labels": "permuted labels",
}
_REMEDIES = {
    "leak": "Something is fitted or tuned on test samples. Trust scores only once that is mended.",
    "labels": "Something is chosen by the labels of test samples, or scores do not measure the"
    " class. Trust them only once that is mended.",
}


_READINGS = {
    Reading.LEAKS: (State.FAIL, "Above chance on {what}, by the 99 % limit. {remedy}"),
    Reading.DOUBTFUL: (
        State.CAUTION,
        "Above chance on {what} by the 95 % limit, and within the 99 % one. One control in forty"
        " ends so by chance. Run one more with another advanced.robustness.seed, and go by it.",
    ),
    Reading.WIDE: (
        State.CAUTION,
        "Inconclusive: the interval on {what} holds chance, and scores that a leak gives as well"
        f" (it is wider than {WIDEST:g}). Raise robustness.repeats, up to evaluation.repeats, for"
        " more draws.",
    ),
    Reading.CHANCE: (State.PASS, "Not above chance on {what}, as it must be."),
}


def _control(evidence: Evidence, control: str) -> Finding:
    """Judge a control by the method of the worst reading."""
    table = evidence.controls
    rows = table[table["control"] == control].dropna(subset=["lower", "upper", "lower99"])
    if rows.empty:
        return Finding(
            State.NOT_RUN,
            None,
            "This control was not run, or has no interval: a leak stays possible. Set"
            " robustness.controls to true and name methods in robustness.methods.",
        )
    what = _PROBLEMS[control]
    limits = zip(rows["lower"], rows["upper"], rows["lower99"], strict=True)
    readings = np.array([read_control(*each) for each in limits], dtype=object)
    reading = next(each for each in Reading if each in readings)
    alike = rows[readings == reading]
    # The row that says so most: the widest interval, or else the one farthest above chance.
    size = alike["upper"] - alike["lower"] if reading is Reading.WIDE else alike["lower99"]
    state, text = _READINGS[reading]
    detail = text.format(what=what, remedy=_REMEDIES[control])
    return Finding(state, _scored(alike.loc[size.idxmax()]), detail)


def _scored(row: pd.Series) -> str:
    """Tell the score of a method in a control."""
    return f"macro AUROC {with_limits(*row[['value', 'lower', 'upper']])}, {row['method']}"


def _leak(evidence: Evidence) -> Finding:
    return _control(evidence, CONTROL_CHECKS["leak control"])


def _labels(evidence: Evidence) -> Finding:
    return _control(evidence, CONTROL_CHECKS["label shuffle"])


def _rarest_class(evidence: Evidence) -> Finding:
    labels, names = evidence.cohort.labels, evidence.cohort.classes
    counts = np.bincount(labels, minlength=len(names))
    rarest = int(counts.argmin())
    members = np.array([(labels[split.test] == rarest).sum() for split in evidence.splits])
    mean, lacking = float(members.mean()), int((members == 0).sum())
    present = [np.unique(labels[split.test]).size for split in evidence.splits]
    partial = int((np.array(present) < len(names)).sum())
    value = f"{counts[rarest]} of {names[rarest]}, {mean:.1f} per test fold"
    folds = counted(len(members), "test fold")
    none = f" {lacking} of {folds} {inflected(lacking, 'has', 'have')} none of them."
    without = none if lacking else ""
    if partial:
        without += (
            f" {partial} of {folds} {inflected(partial, 'lacks', 'lack')} a class: scores that need"
            " it take the other folds, and the tables' column folds counts those."
        )
    if mean < FEW_MEMBERS:
        return Finding(
            State.FAIL,
            value,
            "Too few to say anything of this class: its F1, and with it macro-F1, hangs on single"
            f" samples.{without} Collect more, merge it with another class, or leave it out.",
        )
    if mean < MANY_MEMBERS or partial:
        return Finding(
            State.CAUTION,
            value,
            f"One sample moves its recall in a fold by {1 / max(mean, 1):.2f}.{without} Read its"
            " scores by their intervals.",
        )
    return Finding(State.PASS, value, "Every test fold has enough samples of every class.")


def _folds(evidence: Evidence) -> Finding:
    sizes = np.array([len(split.test) for split in evidence.splits])
    repeats = len({split.repeat for split in evidence.splits})
    distinct = len(distinct_tests(evidence.splits))
    value = f"{counted(len(sizes), 'test fold')} in {counted(repeats, 'repeat')}"
    smallest, largest = sizes.min(), sizes.max()
    span = f"{smallest:,} to " if largest > smallest else ""
    value += f", {span}{counted(largest, 'sample')} each"
    if distinct < len(sizes):
        value += f"; {distinct} of them are distinct, and count"
    asked = evidence.asked if evidence.cohort.folds is None else None
    short = asked is not None and repeats < asked
    if short:
        value += f": {_allowed(evidence.cohort, repeats)}; {asked} repeats were asked for"
    if distinct < FEW_FOLDS:
        return Finding(
            State.FAIL,
            value,
            "Too few to know how much scores vary; intervals are no more than a guess. Use more"
            f" {'groups' if short else 'repeats or folds'}.",
        )
    uneven = largest > LARGEST_FOLD_RATIO * smallest
    more = "more groups would allow more repeats" if short else "raise evaluation.repeats"
    few = f"No comparison is judged with fewer than {FEWEST_FOLDS} distinct test folds; {more}."
    told = [few] if distinct < FEWEST_FOLDS else []
    if uneven:
        told.append(
            "Test folds differ in size by more than a factor of two, and count alike: scores of the"
            " small ones vary more, and intervals are rough."
        )
    if told:
        return Finding(State.CAUTION, value, " ".join(told))
    return Finding(State.PASS, value, "Enough folds of like size for the corrected interval.")


def _allowed(cohort: Cohort, repeats: int) -> str:
    """Tell how many ways to deal the cohort out were found."""
    what = "samples" if cohort.groups is None else "groups"
    ways = "one partition" if repeats == 1 else f"{repeats} distinct partitions"
    return f"{ways} of these {what} {'is' if repeats == 1 else 'are'} even enough"


def _samples_per_feature(evidence: Evidence) -> Finding:
    fitted = evidence.features.fit(evidence.splits[0].fit).modalities
    kept = sum(len(modality.kept) for modality in fitted.values())
    samples = float(np.mean([len(split.fit) for split in evidence.splits]))
    value = f"{counted(round(samples), 'training sample')}, {counted(kept, 'feature')} kept"
    if not kept:
        return Finding(State.CAUTION, value, "No feature varies: there is nothing to learn from.")
    value += f": {samples / kept:.2g} per feature"
    if samples / kept < SAMPLES_PER_FEATURE:
        return Finding(
            State.CAUTION,
            value,
            "More than ten features per training sample: held-out scores stand, but which features"
            " carry them depends on the penalty. Lower preprocessing.max_features to see whether"
            " scores hold.",
        )
    return Finding(State.PASS, value, "Usual for penalised models; held-out scores stand.")


def _separability(evidence: Evidence) -> Finding:
    known = evidence.information[evidence.information["status"] == "ok"]
    label = known[known["quantity"] == "label_information"]
    pairs = known[known["quantity"] == "label_difference"]
    if len(label) < 2 or pairs.empty:
        return Finding(State.NOT_RUN, None, "There are no two modalities to compare.")
    differences = [
        PairedDifference(*row)
        for row in pairs[["modality", "other", "lower", "upper"]].itertuples(index=False)
    ]
    nulls = zip(label["modality"], label["estimate"], label["p_value"], strict=True)
    nothing = {name for name, estimate, p in nulls if _knows(estimate, p) is False}
    known = label.set_index("modality")[["estimate", "lower", "upper"]]
    strongest = extremes(known["estimate"].to_dict(), differences, nothing).strongest
    if strongest is not None:
        value = f"{strongest}, {with_limits(*known.loc[strongest])} nats"
        return Finding(State.PASS, value, "Its estimate is above that of every other modality.")
    if len(nothing) == len(known):
        return Finding(
            State.CAUTION,
            NOT_SEPARABLE,
            "No single modality is shown to carry more information on the class than permuted"
            " labels give. Each by itself may be uninformative.",
        )
    return Finding(
        State.CAUTION,
        NOT_SEPARABLE,
        "No modality is shown to carry the most information on the class. The order of the"
        " estimates may be due to chance.",
    )


def _knows(estimate: float, p_value: float) -> bool | None:
    """Return whether label information exceeds its null; None where there is no null, p NaN."""
    return None if pd.isna(p_value) else informative(estimate, p_value)


def _calibration(evidence: Evidence) -> Finding:
    ran = list(dict.fromkeys(evidence.predictions["method"]))
    if not ran:
        return Finding(State.NOT_RUN, None, "No method gave predictions.")
    own = roles(ran).own
    method = own if own in ran else ran[0]
    held_out = evidence.predictions[evidence.predictions["method"] == method]
    gap = calibration_gap(held_out, evidence.cohort)
    value = (
        f"ECE of {method} over all held-out predictions {gap.error:.3f}; by chance alone"
        f" {gap.expected:.3f}, 95 % below {gap.null95:.3f}"
    )
    excess = gap.error - gap.expected
    if gap.error <= gap.null95 or excess <= NEGLIGIBLE_GAP:
        if gap.null95 - gap.expected <= SEEN_GAP:
            return Finding(State.PASS, value, "Its probabilities can be read as frequencies.")
        unseen = (
            "No miscalibration is shown. Of so few samples, an error below {:.2f} would not be."
        )
        return Finding(State.PASS, value, unseen.format(gap.null95))
    state = State.FAIL if excess > LARGE_GAP else State.CAUTION
    use = "not be read as probabilities" if state is State.FAIL else "be read with care"
    return Finding(
        state,
        value,
        f"Probabilities miss the frequencies by more than chance explains and should {use}; the"
        " reliability curve shows where. Which class is most probable does not depend on it.",
    )


def _group_structure(evidence: Evidence) -> Finding:
    cohort = evidence.cohort
    if cohort.groups is not None:
        return _groups(cohort.groups, evidence.splits)
    copies = near_copies(cohort)
    torn = divided(copies, evidence.splits)
    if torn:
        return Finding(
            State.FAIL,
            f"{counted(len(torn), 'pair')} of near-copies on both sides of a split",
            f"{_named(torn, cohort)} hold nearly the same values, and one is tested by what was"
            " learned from the other: scores are too good. Name the column that says which samples"
            " belong together as group, or remove copies.",
        )
    if copies:
        return Finding(
            State.CAUTION,
            f"{counted(len(copies), 'pair')} of near-copies, none on both sides of a split",
            f"{_named(copies, cohort)} hold nearly the same values. Name the column that says which"
            " samples belong together as group.",
        )
    return Finding(
        State.PASS,
        "no group column; no near-copies",
        "No two samples hold nearly the same values. That does not show that they are independent:"
        " if patients, sites or batches repeat, name their column as group.",
    )


def _groups(groups: np.ndarray, splits: Sequence[Split]) -> Finding:
    torn = sum(bool(np.intersect1d(groups[split.fit], groups[split.test]).size) for split in splits)
    value = f"{counted(len(np.unique(groups)), 'group')} of {counted(len(groups), 'sample')}"
    if torn:
        detail = f"In {torn} of {counted(len(splits), 'fold')} a group is learned from and tested:"
        return Finding(State.FAIL, value, f"{detail} scores are too good. Mend the folds.")
    return Finding(State.PASS, value, "No group is on both sides of a split.")


def _named(copies: Sequence[Copies], cohort: Cohort) -> str:
    """Name the first pairs of samples."""
    pairs = list(dict.fromkeys((pair.first, pair.second) for pair in copies))
    told = [f"{cohort.samples[i]} and {cohort.samples[j]}" for i, j in pairs[:MOST_NAMED]]
    more = len(pairs) - len(told)
    return "; ".join(told) + (f"; and {counted(more, 'more pair')}" if more else "")


def _label_source(evidence: Evidence) -> Finding | None:
    """Warn of modalities that the label was derived from; None where none is known to be one."""
    names = [name for name in evidence.cohort.modalities if name in evidence.label_from]
    if not names:
        return None
    listed = ", ".join(names)
    return Finding(
        State.CAUTION,
        f"derived from {listed}",
        f"The classes were derived from {listed}, by label_from of the configuration or the"
        f" catalogue. What {listed} carries of them is circular. Scores of other modalities say how"
        " well these stand in for it, and combining has little to add.",
    )


def _absence(evidence: Evidence) -> Finding:
    return absence_finding(evidence.absence, evidence.predictions, evidence.cohort)


def _information(evidence: Evidence) -> Finding:
    return underestimation(evidence.information, evidence.predictions, evidence.cohort)


CHECKS: dict[str, Callable[[Evidence], Finding | None]] = {
    "leak control": _leak,
    "label shuffle": _labels,
    "rarest class": _rarest_class,
    "folds": _folds,
    "samples per feature": _samples_per_feature,
    "separability": _separability,
    "calibration": _calibration,
    "group structure": _group_structure,
    LABEL_SOURCE: _label_source,
    "absence": _absence,
    "information": _information,
    "inputs": lambda evidence: inputs(evidence.cohort),
}


def trust_table(evidence: Evidence) -> pd.DataFrame:
    """Return the checklist.

    Parameters
    ----------
    evidence
        What the checks look at.

    Returns
    -------
    pandas.DataFrame
        ``tables/trust.csv``: columns check, state, value, detail; a row per check that applies.
    """
    found = {name: check(evidence) for name, check in CHECKS.items()}
    rows = [{"check": name} | asdict(each) for name, each in found.items() if each is not None]
    return TABLES["trust"].of(rows).astype({"state": "str"})
