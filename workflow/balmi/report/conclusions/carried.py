"""Whether performance carried over to new samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.numerals import counted, decimal, signed, with_limits
from balmi.prediction.external import Carried
from balmi.report.kit.words import brief, joined

if TYPE_CHECKING:
    from balmi.prediction.external import Estimate, External
    from balmi.report.kit.metrics import Metric

NUMBERS = (
    "{metric} is {outside} on {samples} with a known class, and {inside} in the cross-validation of"
    " {dataset}; "
)
CARRIED = {
    Carried.YES: "the difference is {gap}, so that a loss above .1 is unlikely.",
    Carried.BETTER: "the difference is {gap}: the new samples are easier, differ in kind, or"
    " come from individuals that the model has learned from.",
    Carried.OPEN: (
        "the difference is {gap}: no loss is shown, and one of up to {worst} is not ruled out."
    ),
    Carried.NO: "the difference is {gap}: performance did not carry over in full.",
    Carried.FEW: "these are too few to compare.",
    Carried.APART: "the two cannot be compared: {apart}.",
}
ABSENT = (
    "no new sample is of {}, so that a mean over classes is another mean here; accuracy and the"
    " scores of the other classes can be compared"
)


def _worst(gap: Estimate, more_is_better: bool) -> float | None:
    """Return the largest loss that an interval holds, None without one."""
    if gap.lower is None or gap.upper is None:
        return None
    return max(0.0, -gap.lower if more_is_better else gap.upper)


def carried_over(found: External, metric: Metric, dataset: str) -> str:
    """Say whether performance carried over.

    Parameters
    ----------
    found
        The external validation.
    metric
        The metric that it follows.
    dataset
        The dataset of the model.
    """
    primary, gap = found.primary, found.primary.difference
    inside, outside = (
        with_limits(each.value, each.lower, each.upper)
        for each in (primary.internal, primary.external)
    )
    apart = found.other or ABSENT.format(joined([brief(name) for name in found.absent]))
    return (NUMBERS + CARRIED[found.carried]).format(
        metric=metric.first,
        outside=outside,
        samples=counted(found.samples, "new sample"),
        inside=inside,
        dataset=brief(dataset),
        gap=with_limits(gap.value, gap.lower, gap.upper, signed),
        worst=decimal(_worst(gap, metric.more_is_better)),
        apart=apart,
    )
