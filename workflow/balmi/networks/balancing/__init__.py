"""Balancing rules, which keep one modality from dictating how the others train.

Each module lists its own rules by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.networks.balancing import auxiliary, modulation, weighting
from balmi.networks.balancing.base import BalancingRule, PriorKnowledge, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.balancing import Balancing
    from balmi.config.settings import Training

__all__ = ["RULES", "BalancingRule", "PriorKnowledge", "Step"]

RULES: dict[Balancing, Callable[[PriorKnowledge, Training], BalancingRule]] = (
    weighting.RULES | modulation.RULES | auxiliary.RULES
)
