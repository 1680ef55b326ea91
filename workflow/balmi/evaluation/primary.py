"""The primary comparison: the one that answers whether combining helps, fixed before any score.

Its methods follow from which there are, its metric from the configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.config.settings import Method

if TYPE_CHECKING:
    from collections.abc import Collection

OWN = str(Method.BALANCED)
STACKED = str(Method.STACKED_LR)
SINGLE = str(Method.UNIMODAL_LR)


def primary(methods: Collection[str]) -> tuple[str, str] | None:
    """Return method and reference of the primary comparison, or None where it cannot be made.

    It follows from which methods there are and never from how they scored.

    Parameters
    ----------
    methods
        The methods that have predictions.
    """
    method = next((name for name in (OWN, STACKED) if name in methods), None)
    return None if method is None or SINGLE not in methods else (method, SINGLE)
