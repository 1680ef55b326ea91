"""Layers with a leading replica axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence


class ReplicaLinear(nn.Module):
    """A linear layer per replica.

    Weights are drawn for the inputs that a replica has, and are 0 for its padding, where they stay
    0: a replica starts the same whatever the width of its company.

    Parameters
    ----------
    generators
        One source of randomness per replica, for the initial weights.
    fan_in
        Inputs of each replica.
    fan_out
        Outputs.
    dtype
        Floating-point type.
    padded
        Inputs with the padding.
    zero
        Whether all weights start at 0.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        fan_in: Sequence[int],
        fan_out: int,
        dtype: torch.dtype,
        padded: int,
        zero: bool = False,
    ) -> None:
        super().__init__()
        weight = torch.zeros(len(fan_in), padded, fan_out, dtype=dtype)
        bias = torch.zeros(len(fan_in), 1, fan_out, dtype=dtype)
        for replica, (generator, width) in enumerate(zip(generators, fan_in, strict=True)):
            if zero:
                break
            draw = torch.rand(width + 1, fan_out, generator=generator, dtype=torch.float64)
            values = (draw * 2 - 1) * max(width, 1) ** -0.5
            weight[replica, :width] = values[:-1]
            bias[replica, 0] = values[-1]
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (replicas, samples, fan_in) to (replicas, samples, fan_out)."""
        return torch.baddbmm(self.bias, values, self.weight)


@torch.no_grad()
def select_replicas(module: nn.Module, replicas: torch.Tensor) -> None:
    """Leave only some replicas in a module whose parameters and buffers have a replica axis first.

    Parameters
    ----------
    module
        The module; changed in place. Parameters stay the same objects.
    replicas
        Places of the replicas that stay; (kept,).
    """
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data[replicas.to(tensor.device)]
        tensor.grad = None
