"""What steers training: estimates inside every training part, which see nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.information.complementarity import complementarity_margin
from balmi.information.estimates import NotApplicable
from balmi.information.known import Knowledge, every_coalition
from balmi.information.members import CHEAP_MEMBERS
from balmi.information.pairs import gaussian_value
from balmi.information.study import canonical, study_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Information
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.information.study import Study
    from balmi.preprocess.features import Features

logger = logging.getLogger("balmi")


@dataclass(frozen=True)
class SplitInformation:
    """What the training part of every replica says; nats.

    Parameters
    ----------
    label
        I(Z_m; Y); (replicas, modalities), NaN where it could not be estimated.
    p_value
        Its permutation p-value; (replicas, modalities), 1 where it could not be estimated.
    shared
        I(Z_i; Z_j); (replicas, modalities, modalities), symmetric, 0 on the diagonal and where it
        could not be estimated.
    margin
        I(Z_T; Z_S) - max(0, I(Z_S; Y)) over the samples that have both, at [replica, teacher,
        student]; NaN where it could not be estimated.
    """

    label: np.ndarray
    p_value: np.ndarray
    shared: np.ndarray
    margin: np.ndarray


def measure_splits(
    cohort: Cohort, features: Features, splits: Sequence[Split], settings: Information
) -> SplitInformation:
    """Estimate, inside every training part, what steers balancing and distillation.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    splits
        The replicas; test rows are not touched.
    settings
        Folds, components, permutations, seed.
    """
    count, names = len(splits), cohort.modalities
    found = SplitInformation(
        label=np.full((count, len(names)), np.nan),
        p_value=np.ones((count, len(names))),
        shared=np.zeros((count, len(names), len(names))),
        margin=np.full((count, len(names), len(names)), np.nan),
    )
    ordered, its_features = canonical(cohort, features)
    row_of = ordered.positions(cohort.samples)
    for replica, split in enumerate(splits):
        rows, permutations = row_of[split.fit], settings.fold_permutations
        study = study_of(ordered, its_features, rows, settings, permutations)
        _measure_part(study, names, replica, found)
        logger.info("information inside training part %d of %d", replica + 1, count)
    return found


def _measure_part(
    study: Study, names: Sequence[str], replica: int, found: SplitInformation
) -> None:
    """Fill in what one training part says."""
    knowledge = Knowledge(study, every_coalition(names, 1), CHEAP_MEMBERS, limit=False)
    for index, name in enumerate(names):
        try:
            estimate = knowledge[(name,)].estimate
        except NotApplicable as refusal:
            logger.warning("information of %s: %s", name, refusal)
            continue
        found.label[replica, index] = estimate.value
        found.p_value[replica, index] = estimate.null.p_value
    for pair in combinations(sorted(names), 2):
        try:
            both, *views = knowledge.representations(*pair)
        except NotApplicable as refusal:
            logger.warning("information of %s and %s: %s", *pair, refusal)
            continue
        i, j = (names.index(name) for name in pair)
        found.shared[replica, [i, j], [j, i]] = value = gaussian_value(*views)
        for teacher, student in ((i, j), (j, i)):
            pointwise = knowledge.pointwise((names[student],), both)
            found.margin[replica, teacher, student] = complementarity_margin(
                value, pointwise, study.labels[both]
            )
