"""The training history as a tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import JOINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.data.splits import Split
    from balmi.training.trainer import Epoch


def history_table(
    method: str,
    stage: str,
    history: Sequence[Epoch],
    modalities: Sequence[str],
    splits: Sequence[Split],
    joint_weight: float,
) -> pd.DataFrame:
    """Return ``tables/training.parquet``: a row per epoch, replica and modality.

    Parameters
    ----------
    method, stage
        What was trained.
    history
        The epochs; epochs after a replica's end leave no row.
    modalities
        Names; the joint head comes last as ``joint``, and is left out where it had no weight.
    splits
        The replicas.
    joint_weight
        Weight of the joint loss.
    """
    heads = [*modalities, JOINT] if joint_weight else list(modalities)
    width = len(heads)
    shape = (len(history), len(splits), width)
    place = np.indices(shape).reshape(3, -1)
    replicas = len(splits)

    def column(name: str, last: float) -> np.ndarray:
        values = np.stack([getattr(epoch, name).double().numpy() for epoch in history])
        if values.shape[2] < width:
            joint = np.full((len(history), replicas, 1), last)
            values = np.concatenate([values, joint], axis=2)
        return values[:, :, :width].ravel()

    table = pd.DataFrame(
        {
            "method": method,
            "stage": stage,
            "repeat": np.array([split.repeat for split in splits])[place[1]],
            "fold": np.array([split.fold for split in splits])[place[1]],
            "epoch": place[0],
            "modality": np.array(heads, dtype=object)[place[2]],
            "weight": column("weights", joint_weight),
            "loss": column("losses", np.nan),
            "validation_loss": column("validation_losses", np.nan),
            "macro_f1": column("macro_f1", np.nan),
            "gradient_share": column("gradient_share", np.nan),
        }
    )
    active = np.stack([epoch.active.numpy() for epoch in history])
    return table[np.repeat(active.ravel(), width)].reset_index(drop=True)
