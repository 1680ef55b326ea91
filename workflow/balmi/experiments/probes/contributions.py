"""What each modality adds to a method's performance, by Shapley values over test-time subsets.

A subset is what the trained method says when the other modalities are made unavailable in test
samples; nothing is trained again. The value of no modality is that of the class frequencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.data.together import together
from balmi.evaluation.statistics import mean_over_folds
from balmi.experiments.probes.alterations import ProbeKind, joining_orders
from balmi.experiments.scores import of_method
from balmi.information.shapley import coalitions, shapley_values
from balmi.tables.contract import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from balmi.config.settings import Robustness
    from balmi.experiments.scores import Scores

    Coalition = frozenset[int]


def contribution_table(
    scores: Scores, modalities: Sequence[str], settings: Robustness
) -> pd.DataFrame:
    """Return every modality's Shapley value of performance, of every method that was probed.

    Shapley (1953): what a modality adds to those before it, averaged over the orders in which they
    can join; a sample of orders above `balmi.information.shapley.EXACT_PLAYERS` modalities. In
    every fold the values sum to whole minus nothing. Where less of a metric is better, a good
    modality's is below 0.

    Parameters
    ----------
    scores
        As `balmi.experiments.scores.all_scores` gives them.
    modalities
        Names, in the cohort's order.
    settings
        Seed of sampled orders, as it was when the probes were made.

    Returns
    -------
    pandas.DataFrame
        ``tables/contributions.csv``. Folds in which a subset leaves the metric undefined do not
        count.
    """
    orders, rows = joining_orders(len(modalities), settings), []
    for method in scores.probed.index.unique("method"):
        probed, whole = of_method(scores.probed, method), of_method(scores.whole, method)
        subsets = probed[probed.index.get_level_values("kind") == ProbeKind.SUBSET]
        for metric in scores.metrics:
            parts = subsets[metric].droplevel(["kind", "level"]).unstack("modalities")
            parts[together(modalities)] = whole[metric]
            modality_rows = _rows(parts, modalities, orders, scores.ratio)
            rows += [(method, metric, *row) for row in modality_rows]
    return TABLES["contributions"].of(rows)


def fold_contributions(
    parts: pd.DataFrame, modalities: Sequence[str], orders: Sequence[Sequence[int]]
) -> np.ndarray:
    """Return the Shapley values of every fold; (folds, modalities).

    Parameters
    ----------
    parts
        A row per fold, a column per subset: its modalities, in order and joined by +.
    modalities
        Names, in order.
    orders
        What `balmi.experiments.probes.alterations.joining_orders` gives.
    """
    needed = {part: named(part, modalities) for part in coalitions(orders)}
    return np.array(
        [
            shapley_values({part: row[name] for part, name in needed.items()}, orders)
            for row in parts.to_dict("records")
        ]
    )


def named(part: Coalition, modalities: Sequence[str]) -> str:
    """Return the name of a subset: its modalities, in order and joined by +."""
    return together(modalities[place] for place in sorted(part))


def _rows(
    parts: pd.DataFrame,
    modalities: Sequence[str],
    orders: Sequence[Sequence[int]],
    ratio: float,
) -> list[tuple[object, ...]]:
    """Return the rows of one method and metric, without these."""
    parts = parts[np.isfinite(parts).all(axis=1)]
    if parts.empty:
        return []
    values = fold_contributions(parts, modalities, orders)
    mean = parts.mean()
    everything = mean[""], mean[together(modalities)], len(parts)
    return [
        (name, *mean_over_folds(values[:, place], ratio)[:3], mean[name], *everything)
        for place, name in enumerate(modalities)
    ]
