"""The file of what the training parts say."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from safetensors.numpy import load_file, save_file

from balmi.data.files import replace_when_written
from balmi.information.splits import SplitInformation

if TYPE_CHECKING:
    from pathlib import Path


def write_split_information(information: SplitInformation, path: Path) -> None:
    """Write the arrays as safetensors, whole or not at all."""
    with replace_when_written(path) as part:
        save_file(asdict(information), part)


def read_split_information(path: Path) -> SplitInformation:
    """Read what `write_split_information` wrote."""
    arrays = load_file(path)
    return SplitInformation(
        **{field.name: arrays[field.name] for field in fields(SplitInformation)}
    )
