"""ROC and precision-recall curves of every class against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.evaluation.held_out import held_out
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from balmi.data.cohort import Roster

# Quotients of integers, so that a recall of 3/50 is not missed by a rounding error.
GRID = np.arange(51) / 50


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


def curves_table(predictions: pd.DataFrame, cohort: Roster) -> pd.DataFrame:
    """Return the curves of every method and class, means over repeats.

    All held-out predictions of a repeat make one curve, as if one model had made them: networks
    and peers of different folds give probabilities, which can be compared.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort, for the true classes.

    Returns
    -------
    pandas.DataFrame
        Columns method, class, curve, x, y. Repeats in which a class is absent or alone do not
        count; without any other the class has no rows.
    """
    found: dict[tuple[str, int, str], list[np.ndarray]] = {}
    for head, part in held_out(predictions, cohort, ["method", "repeat"]):
        count = np.bincount(part.labels)
        for code in np.flatnonzero((count > 0) & (count < count.sum())):
            true, score = part.labels == code, part.probabilities[:, code]
            for name, curve in CURVES.items():
                key = (str(head["method"]), int(code), name)
                found.setdefault(key, []).append(curve(true, score))
    rows = [
        (method, cohort.classes[code], name, x, y)
        for (method, code, name), curves in found.items()
        for x, y in zip(GRID, np.mean(curves, axis=0), strict=True)
    ]
    return TABLES["curves"].of(rows)
