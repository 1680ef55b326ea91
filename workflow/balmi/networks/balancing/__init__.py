"""Balancing rules, which keep one modality from dictating how the others train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.config.settings import Balancing
from balmi.networks.balancing.auxiliary import ModalityDropoutRule, PmrRule, UmtRule
from balmi.networks.balancing.base import BalancingRule, PriorKnowledge, Step
from balmi.networks.balancing.modulation import AgmRule, MmParetoRule, OgmGeRule, OgmRule
from balmi.networks.balancing.weighting import (
    GradientBlendingRule,
    GradNormRule,
    InformationRule,
    InverseRule,
    KendallRule,
    UniformRule,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Training

__all__ = ["RULES", "BalancingRule", "PriorKnowledge", "Step"]

RULES: dict[Balancing, Callable[[PriorKnowledge, Training], BalancingRule]] = {
    Balancing.UNIFORM: UniformRule,
    Balancing.INFORMATION: InformationRule,
    Balancing.INVERSE: InverseRule,
    Balancing.OGM: OgmRule,
    Balancing.OGM_GE: OgmGeRule,
    Balancing.AGM: AgmRule,
    Balancing.PMR: PmrRule,
    Balancing.G_BLENDING: GradientBlendingRule,
    Balancing.MMPARETO: MmParetoRule,
    Balancing.GRADNORM: GradNormRule,
    Balancing.KENDALL: KendallRule,
    Balancing.UMT: UmtRule,
    Balancing.MODALITY_DROPOUT: ModalityDropoutRule,
}
