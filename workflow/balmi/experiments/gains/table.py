"""The complementarity hypothesis on one cohort: what it predicts beside what was observed.

arXiv:2510.13182: distilling from teacher T into student S helps where I(Z_T; Z_S) > I(Z_S; Y).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.evaluation.statistics import mean_over_folds
from balmi.evaluation.verdicts import prediction
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

PAIR = ["teacher", "student"]
OBSERVED = ("observed_gain", "observed_lower", "observed_upper")


def margins_of(information: pd.DataFrame) -> pd.DataFrame:
    """Take the margins out of a table of information.

    Parameters
    ----------
    information
        As in ``tables/information.csv``.

    Returns
    -------
    pandas.DataFrame
        Columns teacher, student, teacher_student, student_label, margin, lower and upper; a row per
        teacher and student whose margin the data allow.
    """
    estimated = information[information["status"] == "ok"]
    kinds = {
        kind: estimated[estimated["quantity"] == kind].set_index(["modality", "other"])["estimate"]
        for kind in ("representation_information", "student_information")
    }
    shared = {frozenset(pair): value for pair, value in kinds["representation_information"].items()}
    rows = [
        {
            "teacher": row.modality,
            "student": row.other,
            "teacher_student": shared[frozenset((row.modality, row.other))],
            "student_label": kinds["student_information"][row.modality, row.other],
            "margin": row.estimate,
            "lower": row.lower,
            "upper": row.upper,
        }
        for row in estimated[estimated["quantity"] == "complementarity_margin"].itertuples()
    ]
    return pd.DataFrame(rows, columns=TABLES["complementarity"].names[:7])


def _observation(differences: np.ndarray, split_ratio: float) -> Mapping[str, float]:
    """Return the mean difference of the folds that have one, with its corrected interval."""
    observed = mean_over_folds(differences, split_ratio)
    if observed.folds < 2:
        return dict.fromkeys(OBSERVED, np.nan)
    return dict(zip(OBSERVED, observed[:3], strict=True))


def complementarity_table(
    margins: pd.DataFrame, gains: pd.DataFrame, split_ratio: float
) -> pd.DataFrame:
    """Put the margins beside the gains.

    Parameters
    ----------
    margins
        Columns teacher, student, teacher_student, student_label, margin, lower and upper, nats; one
        row per teacher and student.
    gains
        As in ``pretraining/gains.parquet``, each test set counted once; may have no rows.
    split_ratio
        Test samples over training samples of a fold, as
        `balmi.evaluation.statistics.split_ratio` gives it.

    Returns
    -------
    pandas.DataFrame
        ``tables/complementarity.csv``: the rows of `margins` with the columns predicted,
        observed_gain (macro-F1 with the teacher minus macro-F1 alone, mean over folds),
        observed_lower and observed_upper. The observed columns are empty where fewer than two folds
        have a value.

    Raises
    ------
    ValueError
        Where a teacher and student have several margins, or several gains in one fold.
    """
    if margins.duplicated(PAIR).any():
        raise ValueError("a teacher and student have more than one margin")
    if gains.duplicated([*PAIR, "repeat", "fold"]).any():
        raise ValueError("a teacher and student have more than one gain in a fold")
    differences = gains["macro_f1"] - gains["macro_f1_alone"]
    of_pair = {
        pair: part.to_numpy() for pair, part in differences.groupby([gains[c] for c in PAIR])
    }
    nothing = np.array([])
    rows = [
        {
            **row,
            "predicted": str(prediction(row["lower"], row["upper"])),
            **_observation(of_pair.get((row["teacher"], row["student"]), nothing), split_ratio),
        }
        for row in margins.to_dict("records")
    ]
    return TABLES["complementarity"].of(rows)
