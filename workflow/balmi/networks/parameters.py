"""Parameters of networks, and other tensors of torch, as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from balmi.data.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_parameters(
    parameters: Mapping[str, torch.Tensor],
    path: str | Path,
    header: Mapping[str, object] | None = None,
) -> None:
    """Write tensors of any device as `balmi.data.tensors.write_tensors` does."""
    arrays = {name: value.detach().cpu().numpy() for name, value in parameters.items()}
    write_tensors(arrays, path, header)


def read_parameters(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    """Read what `write_parameters` wrote; return the tensors, on the CPU, and the header.

    Raises
    ------
    UserError
        Where the file is damaged.
    """
    arrays, header = read_tensors(path)
    return {name: torch.from_numpy(value) for name, value in arrays.items()}, header
