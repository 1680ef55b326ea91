"""What the training parts say, and its file: read by jobs that estimate nothing themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from balmi.data.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


@dataclass(frozen=True)
class SplitInformation:
    """What the training part of every replica says; nats.

    Parameters
    ----------
    label
        I(Z_m; Y); (replicas, modalities), NaN where it could not be estimated.
    p_value
        Its permutation p-value; (replicas, modalities), 1 where it could not be estimated.
    shared
        I(Z_i; Z_j); (replicas, modalities, modalities), symmetric, 0 on the diagonal and where it
        could not be estimated.
    margin
        I(Z_T; Z_S) - max(0, I(Z_S; Y)) over the samples that have both, at [replica, teacher,
        student]; NaN where it could not be estimated.
    """

    label: np.ndarray
    p_value: np.ndarray
    shared: np.ndarray
    margin: np.ndarray


def write_split_information(information: SplitInformation, path: Path) -> None:
    """Write the arrays as safetensors, whole or not at all."""
    write_tensors(asdict(information), path)


def read_split_information(path: Path) -> SplitInformation:
    """Read what `write_split_information` wrote."""
    arrays, _ = read_tensors(path)
    return SplitInformation(
        **{field.name: arrays[field.name] for field in fields(SplitInformation)}
    )
