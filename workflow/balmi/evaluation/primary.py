"""The primary comparison: the one that answers whether combining helps, fixed before any score.

Its methods follow from which there are, its metric from the configuration. A predictor is compared
with the same kind of predictor on the best modality that each sample has, found inside, so that a
gain is due to combining and not to a stronger learner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.config.settings import Method

if TYPE_CHECKING:
    from collections.abc import Collection

NETWORK = str(Method.BALANCED)
STACKED = str(Method.STACKED_LR)
SINGLE = str(Method.UNIMODAL_LR)


@dataclass(frozen=True)
class Roles:
    """The predictor that a report is about, and what it is compared with.

    Parameters
    ----------
    own
        The predictor.
    single
        What predicts by one modality alone.
    noun
        What the predictor is called in a sentence.
    """

    own: str
    single: str
    noun: str


POOL = Roles(str(Method.POOLED), str(Method.UNIMODAL_POOLED), "the pool")
BALANCED = Roles(NETWORK, SINGLE, "the network")
# The first whose methods are there.
ROLES = (POOL, BALANCED)


def roles(methods: Collection[str]) -> Roles:
    """Return what the report is about: the pool, or without it the network.

    It follows from which methods there are and never from how they scored.

    Parameters
    ----------
    methods
        The methods that have predictions.
    """
    whole = (each for each in ROLES if {each.own, each.single} <= set(methods))
    return next(whole, next((each for each in ROLES if each.own in methods), BALANCED))


def modality_of(method: str) -> str | None:
    """Return the modality that a method sees alone, None where it sees all that there are.

    Parameters
    ----------
    method
        Its name in ``predictions.parquet``.
    """
    whole, _, modality = method.partition("/")
    return modality if modality and whole in {each.single for each in ROLES} else None


def primary(methods: Collection[str]) -> tuple[str, str] | None:
    """Return method and reference of the primary comparison, or None where it cannot be made.

    Without a predictor of the roles it is that of the linear stack.

    Parameters
    ----------
    methods
        The methods that have predictions.
    """
    pairs = [(each.own, each.single) for each in ROLES] + [(STACKED, SINGLE)]
    return next((pair for pair in pairs if set(pair) <= set(methods)), None)
