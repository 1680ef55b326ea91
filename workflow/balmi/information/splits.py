"""What steers training: estimates inside every training part, which see nothing else."""

from __future__ import annotations

import logging
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.information.complementarity import complementarity_margin
from balmi.information.estimates import NotApplicable
from balmi.information.files import SplitInformation
from balmi.information.known import Knowledge, every_coalition
from balmi.information.members import CHEAP_MEMBERS
from balmi.information.pairs import gaussian_value
from balmi.information.study import canonical, study_of
from balmi.logs import followed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.config.settings import Information
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.information.study import Study
    from balmi.preprocess.features import Features

logger = logging.getLogger("balmi")

# Gates and margins need no third digit: a draw of so many tells a null from a signal of .015 nats.
STEERING_SAMPLES = 1500


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
        Folds, components, permutations, seed. A part of more than `STEERING_SAMPLES`, or
        ``information.largest`` where that is less, is estimated on a draw of so many.
    """
    drawn = min(settings.largest, STEERING_SAMPLES)
    settings = settings.model_copy(update={"largest": drawn})
    count, names = len(splits), cohort.modalities
    found = SplitInformation(
        label=np.full((count, len(names)), np.nan),
        p_value=np.ones((count, len(names))),
        shared=np.zeros((count, len(names), len(names))),
        margin=np.full((count, len(names), len(names)), np.nan),
    )
    ordered, its_features = canonical(cohort, features)
    row_of = ordered.positions(cohort.samples)
    for replica, split in enumerate(followed(splits, "information inside", "training part")):
        rows, permutations = row_of[split.fit], settings.fold_permutations
        study = study_of(ordered, its_features, rows, settings, permutations)
        _measure_part(study, names, replica, found)
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
