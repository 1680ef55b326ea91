"""The complementarity margin: whether a teacher and a student share what distillation needs.

The cross-modal complementarity hypothesis (arXiv:2510.13182): distilling from a teacher T into a
student S helps where I(Z_T; Z_S) > I(Z_S; Y), with Z the learned representations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.information.estimates import Estimate
from balmi.information.label import bounded_mean
from balmi.information.pairs import gaussian_value, jackknife_interval

if TYPE_CHECKING:
    import numpy as np

    from balmi.information.known import Knowledge

# One deal of samples for all intervals: equal modalities get equal ones.
JACKKNIFE = "jackknife"


def complementarity_margin(shared: float, pointwise: np.ndarray, labels: np.ndarray) -> float:
    """Return I(Z_T; Z_S) - I(Z_S; Y) with the latter between 0 and H(Y), nats.

    Information is never negative, and a negative bound would make a margin out of nothing.

    Parameters
    ----------
    shared
        Information between both representations.
    pointwise
        Pointwise information of the student about the label, of the same samples; (n,).
    labels
        Class codes of those samples; (n,).
    """
    return shared - max(0.0, bounded_mean(pointwise, labels))


def margin_estimate(knowledge: Knowledge, teacher: str, student: str) -> Estimate:
    """Return the margin over the samples that have both, with a jackknife interval.

    The interval holds the posteriors as they are.

    Raises
    ------
    NotApplicable
        Where a modality could not be studied, or too few samples have both.
    """
    both, z_teacher, z_student = knowledge.representations(teacher, student)
    pointwise = knowledge.pointwise((student,), both)
    study = knowledge.study
    labels = study.labels[both]
    interval = jackknife_interval(
        lambda rows: complementarity_margin(
            gaussian_value(z_teacher[rows], z_student[rows]), pointwise[rows], labels[rows]
        ),
        len(both),
        study.random(JACKKNIFE),
        study.groups(both),
    )
    return Estimate(*interval, None, len(both))
