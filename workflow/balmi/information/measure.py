"""Measure a cohort: the table of the report, and the values inside every training part.

Training is steered only by what its own training part says (`measure_splits`); the table of the
whole cohort (`measure_cohort`) is a diagnosis and no method reads it.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd

from balmi.information.crossfit import (
    CHEAP_MEMBERS,
    MEMBERS,
    cross_fit_blocks,
    fold_numbers,
    pooled_posteriors,
)
from balmi.information.estimates import Estimate
from balmi.information.label import (
    entropy,
    label_estimate,
    label_null,
    mean_interval,
    pointwise_information,
)
from balmi.information.pairs import (
    gaussian_estimate,
    gaussian_value,
    jackknife_interval,
    principal_scores,
    rank_normalise,
    representation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from balmi.config.settings import Information
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.information.crossfit import Member
    from balmi.preprocess.pipeline import Features

logger = logging.getLogger("balmi")

FEWEST_SAMPLES = 30
SAMPLES_PER_CLASS = 3  # two representations of classes - 1 columns must leave degrees of freedom


@dataclass(frozen=True)
class Study:
    """The rows of a cohort under study with the deal of the cross-fitting.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    rows
        Rows under study; (n,).
    fold
        Fold in which each is held out; (n,).
    settings
        Settings of the estimates.
    permutations
        Permutations behind each label null.
    """

    cohort: Cohort
    features: Features
    rows: np.ndarray
    fold: np.ndarray
    settings: Information
    permutations: int

    def having(self, *modalities: str) -> np.ndarray:
        """Return positions within `rows` of the samples that have all the modalities."""
        columns = [self.cohort.modalities.index(name) for name in modalities]
        return np.flatnonzero(self.features.available[self.rows][:, columns].all(axis=1))

    def random(self, *names: str) -> np.random.Generator:
        """Return the source of randomness of a quantity: by name, not by order of computation."""
        return np.random.default_rng([self.settings.seed, crc32("/".join(names).encode())])

    def labels(self, positions: np.ndarray) -> np.ndarray:
        """Return class codes at positions within `rows`."""
        return self.cohort.labels[self.rows[positions]]

    def groups(self, positions: np.ndarray) -> np.ndarray | None:
        """Return groups at positions within `rows`, or None where the cohort has none."""
        groups = self.cohort.groups
        return None if groups is None else groups[self.rows[positions]]


def _study(
    cohort: Cohort, features: Features, rows: np.ndarray, settings: Information, permutations: int
) -> Study:
    groups = None if cohort.groups is None else cohort.groups[rows]
    fold = fold_numbers(len(rows), groups, settings.folds, settings.seed)
    return Study(cohort, features, rows, fold, settings, permutations)


def _single(
    study: Study, modality: str, members: Sequence[Member]
) -> tuple[Estimate, np.ndarray] | None:
    """Return a modality's label information, and posteriors in place of `rows` (NaN elsewhere)."""
    having = study.having(modality)
    if len(having) < FEWEST_SAMPLES or len(np.unique(study.fold[having])) < 2:
        logger.warning("information of %s: %d samples are too few", modality, len(having))
        return None
    classes = len(study.cohort.classes)
    rows, labels = study.rows[having], study.labels(having)
    blocks = cross_fit_blocks(
        study.features, modality, rows, study.fold[having], study.settings.label_components
    )
    groups = study.groups(having)
    null = label_null(blocks, labels, groups, classes, study.permutations, study.random(modality))
    posteriors = np.full((len(study.rows), classes), np.nan)
    posteriors[having] = pooled_posteriors(blocks, labels, classes, members)
    components = max(block.train_scores.shape[1] for block in blocks)
    estimate = label_estimate(posteriors[having], labels, null, components, groups)
    return estimate, posteriors


def _representations(
    study: Study, posteriors: dict[str, np.ndarray], left: str, right: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the positions that have both modalities, and both representations there."""
    both = study.having(left, right)
    fewest = max(FEWEST_SAMPLES, SAMPLES_PER_CLASS * len(study.cohort.classes))
    if len(both) < fewest:
        return None
    fold = study.fold[both]
    views = [representation(posteriors[name][both], fold) for name in (left, right)]
    return both, views[0], views[1]


def _row(quantity: str, modality: str | None, other: str | None, estimate: Estimate) -> dict:
    row = {"quantity": quantity, "modality": modality, "other": other}
    row |= {key: value for key, value in asdict(estimate).items() if key != "null"}
    row["estimate"] = row.pop("value")
    row["null95"] = estimate.null.null95 if estimate.null else None
    row["p_value"] = estimate.null.p_value if estimate.null else None
    return row


COLUMNS = (
    *("quantity", "modality", "other", "estimate", "lower", "upper", "null95", "p_value"),
    *("n", "components"),
)


def measure_cohort(cohort: Cohort, features: Features, settings: Information) -> pd.DataFrame:
    """Estimate the information of all modalities and pairs over the whole cohort.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    settings
        Folds, components, permutations, seed.

    Returns
    -------
    pandas.DataFrame
        ``tables/information.csv``. A modality or pair with fewer than 30 samples has no row.
    """
    study = _study(
        cohort, features, np.arange(len(cohort.samples)), settings, settings.permutations
    )
    h = entropy(cohort.labels)
    rows = [_row("label_entropy", None, None, Estimate(h, h, h, None, len(cohort.labels)))]
    posteriors = {}
    for name in cohort.modalities:
        single = _single(study, name, tuple(MEMBERS.values()))
        if single:
            rows.append(_row("label_information", name, None, single[0]))
            posteriors[name] = single[1]
    rows += list(_raw_pairs(study, tuple(posteriors)))
    for left, right in combinations(posteriors, 2):
        difference = _label_difference(study, posteriors, left, right)
        if difference:
            rows.append(_row("label_difference", left, right, difference))
    for left, right in combinations(posteriors, 2):
        views = _representations(study, posteriors, left, right)
        if views:
            estimate = gaussian_estimate(
                *views[1:], settings.permutations, study.random(left, right), study.groups(views[0])
            )
            rows.append(_row("representation_information", left, right, estimate))
    for teacher, student in permutations(posteriors, 2):
        estimate = _margin(study, posteriors, teacher, student)
        if estimate:
            rows.append(_row("complementarity_margin", teacher, student, estimate))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"components": "Int64"})


def _raw_pairs(study: Study, names: Sequence[str]) -> Iterator[dict]:
    """Yield the Gaussian information of every pair of modalities on equally many components."""
    prepared = study.features.split(study.rows)
    for left, right in combinations(names, 2):
        both = study.having(left, right)
        rows = study.rows[both]
        if len(rows) < FEWEST_SAMPLES:
            logger.warning("information of %s and %s: %d shared samples", left, right, len(rows))
            continue
        widths = [prepared[name].shape[1] for name in (left, right)]
        count = min(study.settings.components, *widths)
        views = [
            principal_scores(rank_normalise(prepared[name][rows]), count) for name in (left, right)
        ]
        estimate = gaussian_estimate(
            *views, study.settings.permutations, study.random(left, right), study.groups(both)
        )
        yield _row("pairwise_information", left, right, estimate)


def _label_difference(
    study: Study, posteriors: dict[str, np.ndarray], left: str, right: str
) -> Estimate | None:
    """Return I(left; Y) - I(right; Y) over the samples that have both, paired by sample."""
    both = study.having(left, right)
    if len(both) < FEWEST_SAMPLES:
        return None
    labels = study.labels(both)
    of_left, of_right = (
        pointwise_information(posteriors[name][both], labels) for name in (left, right)
    )
    interval = mean_interval(of_left - of_right, study.groups(both))
    return Estimate(*interval, None, len(both))


def complementarity_margin(shared: float, pointwise: np.ndarray) -> float:
    """Return I(Z_T; Z_S) - max(0, I(Z_S; Y)), nats (arXiv:2510.13182).

    Information is never negative, and a negative bound would make a margin out of nothing.

    Parameters
    ----------
    shared
        Information between both representations.
    pointwise
        Pointwise information of the student about the label, of the same samples; (n,).
    """
    return shared - max(0.0, float(pointwise.mean()))


def _margin(
    study: Study, posteriors: dict[str, np.ndarray], teacher: str, student: str
) -> Estimate | None:
    """Return the complementarity margin with a jackknife interval."""
    views = _representations(study, posteriors, teacher, student)
    if not views:
        return None
    both, z_teacher, z_student = views
    pointwise = pointwise_information(posteriors[student][both], study.labels(both))
    interval = jackknife_interval(
        lambda rows: complementarity_margin(
            gaussian_value(z_teacher[rows], z_student[rows]), pointwise[rows]
        ),
        len(both),
        study.random(teacher, student),
        study.groups(both),
    )
    return Estimate(*interval, None, len(both))


@dataclass(frozen=True)
class SplitInformation:
    """What the training part of every replica says; nats.

    Parameters
    ----------
    label
        I(Z_m; Y); (replicas, modalities), NaN where there were too few samples.
    p_value
        Its permutation p-value; (replicas, modalities), 1 where there were too few samples.
    shared
        I(Z_i; Z_j); (replicas, modalities, modalities), symmetric, 0 on the diagonal and where
        there were too few samples.
    margin
        I(Z_T; Z_S) - max(0, I(Z_S; Y)) over the samples that have both, at [replica, teacher,
        student]; NaN where not estimated.
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
    label = np.full((count, len(names)), np.nan)
    p_value = np.ones((count, len(names)))
    shared = np.zeros((count, len(names), len(names)))
    margin = np.full((count, len(names), len(names)), np.nan)
    for replica, split in enumerate(splits):
        study = _study(cohort, features, split.fit, settings, settings.fold_permutations)
        posteriors = {}
        for index, name in enumerate(names):
            single = _single(study, name, CHEAP_MEMBERS)
            if single:
                label[replica, index] = single[0].value
                p_value[replica, index] = single[0].null.p_value
                posteriors[name] = single[1]
        for left, right in combinations(posteriors, 2):
            views = _representations(study, posteriors, left, right)
            if not views:
                continue
            i, j = names.index(left), names.index(right)
            shared[replica, [i, j], [j, i]] = value = gaussian_value(*views[1:])
            for teacher, student, name in ((i, j, right), (j, i, left)):
                pointwise = pointwise_information(
                    posteriors[name][views[0]], study.labels(views[0])
                )
                margin[replica, teacher, student] = complementarity_margin(value, pointwise)
        logger.info("information inside training part %d of %d", replica + 1, count)
    return SplitInformation(label, p_value, shared, margin)
