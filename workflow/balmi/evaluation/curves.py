"""ROC and precision-recall curves of every class against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.evaluation.distinct import first_alike
from balmi.evaluation.held_out import FOLD, held_out
from balmi.evaluation.statistics import corrected_interval
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from balmi.data.cohort import Roster
    from balmi.evaluation.held_out import Predicted

    Curve = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Quotients of integers, so that a recall of 3/50 is not missed by a rounding error.
GRID = np.arange(51) / 50
DECIMALS = 4


def roc(true: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return recall at false positive rates of `GRID`, linear in between; shape (51,).

    Where the curve is vertical, its upper end counts, at 0 as well.
    """
    from sklearn.metrics import roc_curve

    rate, recall, _ = roc_curve(true, score, drop_intermediate=False)
    last = np.append(np.diff(rate) > 0, True)
    first = np.insert(np.diff(rate) > 0, 0, True)
    # From the upper end at one rate the curve runs to the lower end at the next.
    left = np.searchsorted(rate[last], GRID, side="right") - 1
    right = np.minimum(left + 1, last.sum() - 1)
    start, end = rate[last][left], rate[first][right]
    way = np.divide(GRID - start, end - start, out=np.zeros_like(GRID), where=end > start)
    return recall[last][left] + way * (recall[first][right] - recall[last][left])


def precision_recall(true: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the largest precision at a recall of at least `GRID`; shape (51,).

    This interpolated precision (Manning, Raghavan and Schuetze 2008, Introduction to Information
    Retrieval, section 8.4) only falls; average precision is the area under the curve without it.
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(true, score)
    # The last point, precision 1 at recall 0, belongs to no threshold.
    precision, recall = precision[:-1], recall[:-1]
    best = np.maximum.accumulate(precision)[::-1]
    return best[np.searchsorted(recall[::-1], GRID)]


CURVES = {"roc": roc, "pr": precision_recall}


Place = tuple[object, object]  # repeat and fold


def _joined(parts: Sequence[Predicted], code: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return class against rest and its probability, None where there is but one of the two."""
    if not parts:
        return None
    true = np.concatenate([part.labels for part in parts]) == code
    if not true.any() or true.all():
        return None
    return true, np.concatenate([part.probabilities[:, code] for part in parts])


def _without_each(
    folds: Mapping[object, Predicted], code: int
) -> dict[object, tuple[np.ndarray, np.ndarray]]:
    """Return what `_joined` gives without each fold, where it gives anything."""
    rest = {
        fold: _joined([part for other, part in folds.items() if other != fold], code)
        for fold in folds
    }
    return {fold: held for fold, held in rest.items() if held is not None}


def _owed(
    curve: Curve,
    whole: np.ndarray,
    without: Mapping[object, tuple[np.ndarray, np.ndarray]],
    folds: int,
) -> dict[object, np.ndarray]:
    """Return the pseudo-value of every fold: what the curve owes to it; shape (51,) each.

    Tukey's pseudo-value (Miller 1974, Biometrika 61:1-15) of fold i among K is K times the curve
    less K - 1 times the curve without the fold. Those of all folds average to about the curve, and
    vary as it would over other samples. A fold without which the class is absent or alone has none.
    """
    return {fold: folds * whole - (folds - 1) * curve(*held) for fold, held in without.items()}


def _half_widths(
    pseudo: Mapping[Place, np.ndarray], alike: Mapping[Place, Place], ratio: float
) -> np.ndarray:
    """Return half the pointwise interval, from pseudo-values by repeat and fold; shape (51,).

    Folds that test the same samples count once. NaN where fewer than two folds have a value.
    """
    once: dict[Place, list[np.ndarray]] = {}
    for place, values in pseudo.items():
        once.setdefault(alike[place], []).append(values)
    if len(once) < 2:
        return np.full(len(GRID), np.nan)
    values = np.array([np.mean(each, axis=0) for each in once.values()])
    intervals = (corrected_interval(column, ratio) for column in values.T)
    return np.array([(each.upper - each.lower) / 2 for each in intervals])


def curves_table(predictions: pd.DataFrame, cohort: Roster, split_ratio: float) -> pd.DataFrame:
    """Return the curves of every method and class, means over repeats.

    All held-out predictions of a repeat make one curve, as if one model had made them: networks
    and peers of different folds give probabilities, which can be compared. Its interval is that of
    the mean of the folds' pseudo-values, widened as every interval of scores is.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.

    Returns
    -------
    pandas.DataFrame
        Columns method, class, curve, x, y, lower, upper. Repeats in which a class is absent or
        alone do not count; without any other the class has no rows. Limits lie within 0 and 1, and
        are NaN of methods restricted to a modality or to some experts.
    """
    parts: dict[tuple[str, object], dict[object, Predicted]] = {}
    for head, part in held_out(predictions, cohort, ["method", *FOLD]):
        parts.setdefault((str(head["method"]), head["repeat"]), {})[head["fold"]] = part
    columns = first_alike(predictions).itertuples(index=False)
    alike = {(row[0], row[1]): (row[2], row[3]) for row in columns}
    curves: dict[tuple[str, int, str], list[np.ndarray]] = {}
    pseudo: dict[tuple[str, int, str], dict[Place, np.ndarray]] = {}
    for (method, repeat), folds in parts.items():
        for code in range(len(cohort.classes)):
            held = _joined(list(folds.values()), code)
            if held is None:
                continue
            without = {} if "/" in method else _without_each(folds, code)
            for name, curve in CURVES.items():
                key = (method, code, name)
                whole = curve(*held)
                curves.setdefault(key, []).append(whole)
                owed = _owed(curve, whole, without, len(folds))
                places = {(repeat, fold): values for fold, values in owed.items()}
                pseudo.setdefault(key, {}).update(places)
    rows = []
    for (method, code, name), found in curves.items():
        y = np.mean(found, axis=0)
        half = _half_widths(pseudo.get((method, code, name), {}), alike, split_ratio)
        limits = np.clip([y, y - half, y + half], 0, 1).round(DECIMALS)
        rows += [
            (method, cohort.classes[code], name, x, *each)
            for x, each in zip(GRID, limits.T, strict=True)
        ]
    return TABLES["curves"].of(rows)
