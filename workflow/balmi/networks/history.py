"""The training history as a tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import JOINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.networks.data import ReplicaData
    from balmi.networks.epoch import Epoch


def head_names(data: ReplicaData, fusions: int) -> list[str]:
    """Return the names of all heads: the modalities, ``joint``, and ``joint-2`` and so on."""
    joint = [JOINT if number == 1 else f"{JOINT}-{number}" for number in range(1, fusions + 1)]
    return [*data.modalities, *joint]


def history_table(
    method: str,
    stage: str,
    history: Sequence[Epoch],
    data: ReplicaData,
) -> pd.DataFrame:
    """Return ``tables/training.parquet``: a row per epoch, replica and head.

    Parameters
    ----------
    method, stage
        What was trained.
    history
        The epochs; epochs after a replica's end leave no row.
    data
        The replicas' data, for names.
    """
    width = history[0].losses.shape[1]
    count = len(data.modalities)
    heads = np.array(head_names(data, width - count), dtype=object)
    splits = data.splits
    shape = (len(history), len(splits), width)
    epoch, replica, head = np.indices(shape).reshape(3, -1)

    def stacked(name: str) -> np.ndarray:
        return np.stack([getattr(entry, name).double().numpy() for entry in history])

    def column(name: str, joint: str | None = None) -> np.ndarray:
        values = stacked(name)
        rest = np.full((*shape[:2], width - values.shape[2]), np.nan)
        if joint is not None:
            rest[:] = stacked(joint)[:, :, None]
        return np.concatenate([values, rest], axis=2).ravel()

    def of_split(name: str) -> np.ndarray:
        return np.array([getattr(split, name) for split in splits])[replica]

    table = pd.DataFrame(
        {
            "method": str(method),
            "stage": stage,
            "repeat": of_split("repeat"),
            "fold": of_split("fold"),
            "member": of_split("member"),
            "epoch": epoch,
            "modality": heads[head],
            "weight": column("weights", "joint_weight"),
            "loss": column("losses"),
            "validation_loss": column("validation_losses"),
            "macro_f1": column("macro_f1"),
            "gradient_share": column("gradient_share"),
        }
    )
    active = np.stack([entry.active.numpy() for entry in history])
    return table[np.repeat(active.ravel(), width)].reset_index(drop=True)
