"""The estimators of balmi as the benchmark calls them; all values in nats.

Every function takes the arrays of a task and a seed and returns its values by name. This is the
one file that knows the library's functions. Features go the way of the workflow: a cohort of the
kind ``generic``, with all features kept.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType

import numpy as np

from balmi.config.settings import Information
from balmi.data.cohort import Cohort
from balmi.information.canonical import Directions
from balmi.information.companions import Wide, composite_estimate
from balmi.information.crossfit import fold_numbers
from balmi.information.decomposition import decompose, union_information
from balmi.information.known import Knowledge, know
from balmi.information.label import label_null
from balmi.information.members import MEMBERS
from balmi.information.pairs import (
    gaussian_estimate,
    principal_scores,
    rank_normalise,
)
from balmi.information.study import Study, study_of
from balmi.preprocess.features import Features
from gate_tasks import broja_union

SETTINGS = Information()
PERMUTATIONS = 99
FIRST, SECOND = "first", "second"


def _names(count: int) -> tuple[str, ...]:
    """Return names whose order is that of their numbers."""
    return tuple(f"{number:06d}" for number in range(count))


def _study(labels: np.ndarray, views: dict[str, np.ndarray], seed: int, permutations: int) -> Study:
    """Return arrays as a cohort under study."""
    cohort = Cohort(
        samples=np.array(_names(len(labels))),
        labels=labels,
        classes=_names(labels.max() + 1),
        groups=None,
        values=views,
        features={name: _names(view.shape[1]) for name, view in views.items()},
        kinds=dict.fromkeys(views, "generic"),
        provenance={},
    )
    features = Features(cohort, max(view.shape[1] for view in views.values()))
    settings = SETTINGS.model_copy(update={"seed": seed})
    return study_of(cohort, features, np.arange(len(labels)), settings, permutations)


def stack(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Return the held-out label information, its extrapolation and its permutation p-value."""
    study = _study(y, {FIRST: x}, seed, PERMUTATIONS)
    known = know(study, (FIRST,), tuple(MEMBERS.values()))
    value, null = known.estimate.value, known.estimate.null
    return {"raw": value, "extrapolated": known.limit, "p_value": null.p_value}


def label_test(x: np.ndarray, y: np.ndarray, seed: int, permutations: int) -> dict[str, float]:
    """Return the permutation p-value of the label information alone."""
    study = _study(y, {FIRST: x}, seed, permutations)
    deal = study.deals[0]
    blocks = study.blocks((FIRST,), np.arange(len(y)), deal)
    rng = study.random(FIRST)
    null = label_null(
        *(blocks, study.labels, None, study.classes, permutations, rng), within=deal.within
    )
    return {"p_value": null.p_value}


def _views(left: np.ndarray, right: np.ndarray, most: int | None = None) -> list[np.ndarray]:
    """Return the components of the normal scores of both views, as many as n/10 at most."""
    count = min(left.shape[1], right.shape[1], most or left.shape[1])
    return [principal_scores(rank_normalise(view), count) for view in (left, right)]


def _wide(left: np.ndarray, right: np.ndarray) -> Wide:
    """Return all directions of the normal scores of both views."""
    views = (Directions.of(rank_normalise(view)) for view in (left, right))
    return Wide(*views, SETTINGS.components)


def composite(
    left: np.ndarray, right: np.ndarray, seed: int, most: int | None = None
) -> dict[str, float]:
    """Return the Gaussian information G, its companions K, N and R, and the largest of them.

    K, N and R are NaN where no component is significant. G, K and N see `most` principal
    components, or all of them where None.
    """
    fold = fold_numbers(len(left), None, SETTINGS.folds, seed)
    rng = np.random.default_rng(seed)
    found = composite_estimate(*_views(left, right, most), fold, 0, rng, wide=_wide(left, right))
    values = {"G": found.gaussian, "K": found.linear, "N": found.nonlinear, "R": found.wide}
    return {**values, "max": found.value}


def pair_test(left: np.ndarray, right: np.ndarray, seed: int) -> dict[str, float]:
    """Return the permutation p-values of the Gaussian information and of the composite."""
    views = _views(left, right)
    fold = fold_numbers(len(left), None, SETTINGS.folds, seed)
    gaussian = gaussian_estimate(*views, PERMUTATIONS, np.random.default_rng(seed))
    rng, wide = np.random.default_rng(seed), _wide(left, right)
    largest = composite_estimate(*views, fold, PERMUTATIONS, rng, wide=wide)
    return {"G_p_value": gaussian.null.p_value, "max_p_value": largest.null.p_value}


def decomposition(
    left: np.ndarray, right: np.ndarray, y: np.ndarray, seed: int
) -> dict[str, float]:
    """Return redundant, unique and synergistic information of held-out posteriors."""
    study = _study(y, {FIRST: left, SECOND: right}, seed, permutations=1)
    sides = (FIRST,), (SECOND,), (FIRST, SECOND)
    knowledge, rows = Knowledge(study, sides, limit=False), np.arange(len(y))
    amounts = knowledge.amounts(sides[-1], rows)
    found = decompose(*(knowledge.posteriors(side, rows) for side in sides), study.labels)
    found = found.of_amounts(*(amounts[side] for side in sides))
    return {
        "R": found.redundant,
        "U1": found.unique_first,
        "U2": found.unique_second,
        "S": found.synergistic,
    }


def union(tables: np.ndarray, seed: int) -> dict[str, float]:
    """Return the largest difference of the union information to a convex solver's."""
    found = [union_information(table.sum(axis=1), table.sum(axis=0)) for table in tables]
    exact = [broja_union(table)[0] for table in tables]
    return {"difference": float(np.abs(np.subtract(found, exact)).max())}


ESTIMATORS = MappingProxyType(
    {
        "stack": stack,
        "label-test-199": partial(label_test, permutations=199),
        "composite": composite,
        "composite-as-set": partial(composite, most=SETTINGS.components),
        "pair-test": pair_test,
        "decomposition": decomposition,
        "union": union,
    }
)
