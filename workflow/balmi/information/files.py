"""The file of what the training parts say."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from balmi.data.tensors import read_tensors, write_tensors
from balmi.information.splits import SplitInformation

if TYPE_CHECKING:
    from pathlib import Path


def write_split_information(information: SplitInformation, path: Path) -> None:
    """Write the arrays as safetensors, whole or not at all."""
    write_tensors(asdict(information), path)


def read_split_information(path: Path) -> SplitInformation:
    """Read what `write_split_information` wrote."""
    arrays, _ = read_tensors(path)
    return SplitInformation(
        **{field.name: arrays[field.name] for field in fields(SplitInformation)}
    )
