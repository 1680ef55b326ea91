"""Whether who lacks which modality tells of the class.

Whether a sample has a modality may be a fact about its class, its site or its assay. Where it is,
a method that uses the modality gains by knowing who has it, without any of its measurements.

Labels are permuted among all samples, whatever their groups. Where absence and class both follow
groups that is more cautious than needed: the comparisons on complete samples then decide.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Method
from balmi.evaluation.at_chance import CHANCE, RANKING
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.statistics import held_out_ratio, holm, mean_over_folds
from balmi.evaluation.trust import Finding, State
from balmi.numerals import counted, inflected, with_limits
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from balmi.data.cohort import Roster
    from balmi.evaluation.statistics import MeanOverFolds

PERMUTATIONS = 9999
LEVEL = 0.05
ROUNDING = 1e-9
NOBODY = "every sample has every modality"


def chi_square(tables: np.ndarray) -> np.ndarray:
    """Return Pearson's statistic of contingency tables; shape (...).

    Parameters
    ----------
    tables
        Counts, without empty rows or columns; (..., rows, columns).
    """
    rows, columns = tables.sum(axis=-1, keepdims=True), tables.sum(axis=-2, keepdims=True)
    expected = rows * columns / tables.sum(axis=(-2, -1), keepdims=True)
    return ((tables - expected) ** 2 / expected).sum(axis=(-2, -1))


def cramers_v(table: np.ndarray) -> float:
    """Return Cramer's V corrected for its bias, from 0 to 1.

    Bergsma (2013), Journal of the Korean Statistical Society 42:323-328.

    Parameters
    ----------
    table
        Counts of at least two rows and columns, none of them empty.
    """
    n = table.sum()
    rows, columns = table.shape
    excess = max(0.0, chi_square(table) / n - (rows - 1) * (columns - 1) / (n - 1))
    corrected = [size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)]
    smallest = min(corrected) - 1
    return float(np.sqrt(excess / smallest)) if smallest > 0 else np.nan


def permutation_p(table: np.ndarray, seed: int, permutations: int = PERMUTATIONS) -> float:
    """Return how often permuted labels are associated as much; at least 1 / (permutations + 1).

    To permute labels is to draw tables of the same margins (Patefield 1981, Applied Statistics
    30:91-97).

    Parameters
    ----------
    table
        Counts; none of the rows or columns empty.
    seed
        Seed of the draws.
    permutations
        Number of tables drawn.
    """
    from scipy.stats import random_table

    margins = random_table(table.sum(axis=1), table.sum(axis=0))
    drawn = chi_square(margins.rvs(permutations, random_state=np.random.default_rng(seed)))
    as_much = int((drawn >= chi_square(table) * (1 - ROUNDING)).sum())
    return (1 + as_much) / (1 + permutations)


def _asked(cohort: Roster) -> Iterator[tuple[str | None, np.ndarray, int]]:
    """Yield name, code per sample, and samples lacking; of modalities, then of the pattern."""
    available = cohort.available
    lacked = [column for column in range(available.shape[1]) if not available[:, column].all()]
    for column in lacked:
        has = available[:, column]
        if has.any():
            yield cohort.modalities[column], has.astype(int), int((~has).sum())
    if len(lacked) > 1:
        codes = np.unique(available, axis=0, return_inverse=True)[1].ravel()
        yield None, codes, int((~available.all(axis=1)).sum())


def absence_table(cohort: Roster, seed: int = 0) -> pd.DataFrame:
    """Return how the class is associated with the absence of every modality and with the pattern.

    Parameters
    ----------
    cohort
        The cohort.
    seed
        Seed of the permutations.

    Returns
    -------
    pandas.DataFrame
        ``tables/absence.csv``: a row per modality that some samples lack
        and others have, and one, without a name, of the whole pattern where several do. Empty where
        every sample has everything.
    """
    rows = []
    for name, codes, lacking in _asked(cohort):
        labels = np.unique(cohort.labels, return_inverse=True)[1]
        table = np.zeros((codes.max() + 1, labels.max() + 1), dtype=int)
        np.add.at(table, (codes, labels), 1)
        rows.append((name, lacking, cramers_v(table), permutation_p(table, seed)))
    found = pd.DataFrame(rows, columns=list(TABLES["absence"].names[:-1]))
    return found.assign(p_holm=holm(found["p"]))


def absence_finding(absence: pd.DataFrame, predictions: pd.DataFrame, cohort: Roster) -> Finding:
    """Say whether who has which modality tells of the class.

    Parameters
    ----------
    absence
        As `absence_table` gives it.
    predictions
        As in ``predictions.parquet``, for what `absence-lr` scores.
    cohort
        The cohort.
    """
    if absence.empty:
        return Finding(State.PASS, NOBODY, "Absence cannot predict the class.")
    shown = absence[absence["p_holm"] <= LEVEL]
    strongest = absence.sort_values(["p_holm", "cramers_v"], ascending=[True, False]).iloc[0]
    pattern = pd.isna(strongest["modality"])
    what, lacked = ("the whole pattern", "something") if pattern else (strongest["modality"], "it")
    lacking = int(strongest["lacking"])
    value = (
        f"{what}: Cramer's V {strongest['cramers_v']:.2f}, p {strongest['p_holm']:.2g} (Holm), "
        f"{counted(lacking, 'sample')} {inflected(lacking, 'lacks', 'lack')} {lacked}"
    )
    score = _score(predictions, cohort)
    predicts = score is not None and score.lower > CHANCE
    if shown.empty and not predicts:
        return Finding(
            State.PASS,
            value,
            "No association of missing modalities with the class is shown. Where few samples lack"
            " one, a weak association may be missed.",
        )
    told = _told(score)
    if shown.empty:
        found = "Who has which modality predicts the class. By permuted labels no association is"
        found, value = f"{found} shown ({value}).", told
    else:
        found = "Missing modalities are associated with the class." + (f" {told}." if told else "")
    return Finding(
        State.CAUTION,
        value,
        f"{found} The site or the assay may be the cause. Scores over all samples contain that. The"
        " headline follows the samples that have all modalities.",
    )


def _score(predictions: pd.DataFrame, cohort: Roster) -> MeanOverFolds | None:
    """Return the macro AUROC of who sees nothing but who has what; None where nobody was asked."""
    own = predictions[predictions["method"] == Method.ABSENCE_LR]
    if own.empty:
        return None
    scores = performance_table(own, cohort, [RANKING])
    # Test sets that repeat count once, as in the summary of all methods.
    once = counted_once(scores, first_alike(own), ["method", "metric"], ["value"])
    ratio = held_out_ratio(own, len(cohort.samples))
    return mean_over_folds(once["value"].to_numpy(), ratio, *METRICS[RANKING].bounds)


def _told(score: MeanOverFolds | None) -> str:
    if score is None or math.isnan(score.lower):
        return ""
    told = with_limits(score.mean, score.lower, score.upper)
    return f"What sees only that ({Method.ABSENCE_LR}) has a macro AUROC of {told}"
