"""Where a job computes: on the GPU that it asked for, or on the CPU that it asked for."""

from __future__ import annotations

import os

import torch

from balmi.errors import Problem, UserError


def choose_device(gpus: int) -> torch.device:
    """Return the device for a job that asked for so many GPUs.

    Parameters
    ----------
    gpus
        0 for the CPU.

    Raises
    ------
    UserError
        Where a GPU was asked for and torch sees none: the job never runs on the CPU in silence.
    """
    if gpus == 0:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        build = torch.version.cuda or "no CUDA"
        raise UserError(
            Problem(
                "resources.gpu",
                f"{gpus} GPU asked for, but torch sees none (torch {torch.__version__} built for"
                f" {build}, CUDA_VISIBLE_DEVICES {'not set' if visible is None else visible!r})",
                "a job on a machine with a GPU and a CUDA build of torch, or 0 for the CPU",
            )
        )
    return torch.device("cuda", 0)


def device_name(device: torch.device) -> str:
    """Return ``cpu`` or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
