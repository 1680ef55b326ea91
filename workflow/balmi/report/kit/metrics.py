"""Metrics as people read them: their names, and the words that follow from their direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.evaluation.metrics import CLASS_METRICS, GLOSSES, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Direction:
    """Words for a metric of which more is better, or less.

    Parameters
    ----------
    good, order
        What is good and how the best comes first, as the page's script and ARIA call it.
    best, worse
        The best value is the .. one, and a worse one is .. .
    gain, loss
        Where from zero an interval of a difference lies that supports it.
    better_side, worse_side
        The side of zero in a figure on which the first is better, and on which it is worse.
    """

    good: str
    order: str
    best: str
    worse: str
    gain: str
    loss: str
    better_side: str
    worse_side: str


DIRECTIONS = {
    True: Direction("more", "descending", "highest", "lower", "above", "below", "right", "left"),
    False: Direction("less", "ascending", "lowest", "higher", "below", "above", "left", "right"),
}


@dataclass(frozen=True)
class Metric:
    """A metric as people read it.

    Parameters
    ----------
    key
        What tables call it.
    name
        Its name inside a sentence.
    unit
        Its unit; empty where it has none.
    more_is_better
        Whether more of it is better.
    """

    key: str
    name: str
    unit: str
    more_is_better: bool

    @property
    def title(self) -> str:
        """Its name with its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def first(self) -> str:
        """Its name with its unit where a sentence begins."""
        return self.title[0].upper() + self.title[1:]

    @property
    def amount(self) -> str:
        """What stands behind a number of it."""
        return f"{self.unit} of {self.name}" if self.unit else self.name

    @property
    def aside(self) -> str:
        """What is to be said of its direction; nothing where more is better."""
        return "" if self.more_is_better else ", where less is better"

    @property
    def direction(self) -> Direction:
        """Words that follow from its direction."""
        return DIRECTIONS[self.more_is_better]

    @property
    def gloss(self) -> str:
        """What it is, in a sentence, where verdicts can follow it."""
        return GLOSSES[self.key]


def metrics_of(keys: Iterable[str]) -> tuple[Metric, ...]:
    """Return metrics as people read them."""
    registry = METRICS | CLASS_METRICS
    found = ((key, registry[key]) for key in keys)
    return tuple(
        Metric(key, metric.title, metric.unit, metric.more_is_better) for key, metric in found
    )


def metric_of(key: str) -> Metric:
    """Return a metric as people read it."""
    return metrics_of([key])[0]
