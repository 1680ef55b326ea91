"""The view of where the signal lies: what pools gain by seeing more."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from balmi.evaluation.access import LOSS, ORDER, Access, where_the_signal_lies
from balmi.evaluation.verdicts import judged
from balmi.report.kit.metrics import metric_of

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from balmi.evaluation.verdicts import Verdict
    from balmi.report.kit.metrics import Metric

# What a pool sees, as readers see it.
SEES = {
    "nothing": "class frequencies",
    "one": "one modality",
    "linear": "sums of linear functions of each modality",
    "additive": "sums of any functions of each modality",
    "joint": "all modalities together",
}


@dataclass(frozen=True)
class Gain:
    """What a pool gains by seeing more than another, positive where it is better.

    `step` says whether the two are next to each other, from the least that is seen to the most.
    """

    metric: Metric
    less: str
    more: str
    gain: float
    lower: float
    upper: float
    p_holm: float
    verdict: Verdict
    step: bool


@dataclass(frozen=True)
class AccessView:
    """Where the signal lies, and what that rests on.

    Parameters
    ----------
    found
        What is shown.
    gains
        Of log-loss first, then of the other metrics.
    quiet
        Why nothing is concluded, or None where it is.
    """

    found: Access
    gains: tuple[Gain, ...]
    quiet: str | None

    @property
    def told(self) -> tuple[Gain, ...]:
        """The gains in log-loss of each level over the one before it, and of all over one."""
        rows = [row for row in self.gains if row.metric.key == LOSS]
        whole = [row for row in rows if (row.less, row.more) == (SEES["one"], SEES["joint"])]
        return (*(row for row in rows if row.step), *whole)


def access_view(access: pd.DataFrame, quiet: str | None) -> AccessView | None:
    """Make the view of where the signal lies, None where no pools were compared.

    Parameters
    ----------
    access
        The table of the contract.
    quiet
        Why nothing is concluded, or None where it is.
    """
    if access.empty:
        return None
    steps = set(pairwise(ORDER))
    gains = [_gain(row, steps, quiet) for row in access.to_dict("records")]
    gains.sort(key=lambda row: row.metric.key != LOSS)
    found = Access.NONE if quiet else where_the_signal_lies(access)
    return AccessView(found, tuple(gains), quiet)


def _gain(row: dict[str, Any], steps: set[tuple[str, str]], quiet: str | None) -> Gain:
    less, more = row["less"], row["more"]
    numbers = _, lower, upper, p_holm = [
        float(row[name]) for name in ("gain", "lower", "upper", "p_holm")
    ]
    word = judged(lower, upper, folds=0 if quiet else row["folds"], p_holm=p_holm)
    step = (less, more) in steps
    return Gain(metric_of(row["metric"]), SEES[less], SEES[more], *numbers, word, step)
