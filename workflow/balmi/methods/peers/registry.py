"""The peers by name. Each predicts every test sample of a fold, whatever it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from balmi.config.settings import Method
from balmi.methods.peers.absence import absence_lr
from balmi.methods.peers.early import EARLY
from balmi.methods.peers.late import late_fusion, stacked_lr, stacked_lr_balanced, unimodal_lr, vcdn
from balmi.methods.peers.similarity import snf
from balmi.methods.peers.task import FoldTask

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PEERS", "FoldTask", "majority", "stacked_lr"]


def majority(task: FoldTask) -> dict[str, np.ndarray]:
    """Class frequencies of the training part, the same for every sample."""
    return {Method.MAJORITY: np.tile(task.prior, (len(task.test), 1))}


PEERS: dict[Method, Callable[[FoldTask], dict[str, np.ndarray]]] = {
    Method.MAJORITY: majority,
    Method.ABSENCE_LR: absence_lr,
    **EARLY,
    Method.STACKED_LR: stacked_lr,
    Method.STACKED_LR_BALANCED: stacked_lr_balanced,
    Method.UNIMODAL_LR: unimodal_lr,
    Method.LATE_FUSION: late_fusion,
    Method.VCDN: vcdn,
    Method.SNF: snf,
}
