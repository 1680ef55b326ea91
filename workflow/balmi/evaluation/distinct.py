"""Folds that test the same samples again: they are no further evidence, and count once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.evaluation.held_out import FOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

ALIKE = ["repeat_alike", "fold_alike"]


def first_alike(tested: pd.DataFrame) -> pd.DataFrame:
    """Return the first fold that tests the same samples as each fold does.

    Parameters
    ----------
    tested
        Columns repeat, fold and sample of test samples; every method was tested on the same ones.

    Returns
    -------
    pandas.DataFrame
        Columns repeat, fold, repeat_alike and fold_alike; a row per fold, by repeat and fold.
    """
    once = tested[[*FOLD, "sample"]].drop_duplicates()
    sets = once.groupby(FOLD)["sample"].agg(frozenset).rename("tested").reset_index()
    firsts = sets.drop_duplicates("tested")
    found = sets.merge(firsts, on="tested", how="left", suffixes=("", "_alike"))
    return found[[*FOLD, *ALIKE]]


def counted_once(
    scores: pd.DataFrame, alike: pd.DataFrame, by: Sequence[str], values: Sequence[str]
) -> pd.DataFrame:
    """Average scores over folds that test the same samples.

    Parameters
    ----------
    scores
        Columns repeat, fold, those of `by` and `values`.
    alike
        As `first_alike` gives it.
    by
        Columns that set scores of one fold apart.
    values
        Columns to average; folds without a value do not count.

    Returns
    -------
    pandas.DataFrame
        Columns as `scores`, which is returned as it is where no two folds test the same samples.
    """
    columns = [*by, *FOLD, *values]
    if len(alike) == len(alike.drop_duplicates(ALIKE)):
        return scores
    named = scores.merge(alike, on=FOLD, how="left", validate="many_to_one")
    named = named.drop(columns=FOLD).rename(columns=dict(zip(ALIKE, FOLD, strict=True)))
    found = named.groupby([*by, *FOLD], sort=False, dropna=False)[list(values)].mean()
    return found.reset_index()[columns]


def distinct_folds(alike: pd.DataFrame) -> int:
    """Return how many folds test samples that no fold before them tests together."""
    return len(alike.drop_duplicates(ALIKE))
