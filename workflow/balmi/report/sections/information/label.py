"""What one modality, or several together, tell of the label, for the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelInformation:
    """Information of a modality, or of several together, about the label; nats.

    Parameters
    ----------
    modality
        Its name, or those of several as readers see them.
    estimate, lower, upper
        What could be read out of held-out samples, a lower bound, with the interval of that bound.
    extrapolated
        Where the learning curve points to with endless samples, or None.
    null95, p
        95th percentile under permuted labels, and the p-value; None where there is no null.
    n
        Samples.
    share
        Share of the label's entropy, 0 for a negative estimate.
    exceeds
        Whether permuted labels give as much in at most 5 % of cases and the estimate is above 0,
        None where there is no null.
    """

    modality: str
    estimate: float
    lower: float | None
    upper: float | None
    extrapolated: float | None
    null95: float | None
    p: float | None
    n: int
    share: float | None
    exceeds: bool | None
