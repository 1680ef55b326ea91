"""AdamW by torch's own fused step, without what its class loads beside it.

`torch.optim.Optimizer` imports torch's compiler as soon as it is made: two processor seconds in
every job that trains, for networks that are never compiled. The function behind it needs none of
that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.optim.adamw import adamw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BETAS = (0.9, 0.999)
EPSILON = 1e-8
MOMENTS = ("exp_avg", "exp_avg_sq")


class AdamW:
    """Decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101), as torch has it.

    Parameters
    ----------
    parameters
        What is learned. A parameter without a gradient stays as it is.
    learning_rate
        Step size.
    weight_decay
        Share of a parameter that a step of size 1 takes off.

    Attributes
    ----------
    state
        Place of a parameter that has had a step -> its ``step``, a scalar, and its `MOMENTS`, of
        its own shape.
    """

    def __init__(
        self, parameters: Iterable[torch.Tensor], learning_rate: float, weight_decay: float
    ) -> None:
        self._parameters = list(parameters)
        self._learning_rate, self._weight_decay = learning_rate, weight_decay
        self.state: dict[int, dict[str, torch.Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        learned = {
            place: (parameter, parameter.grad)
            for place, parameter in enumerate(self._parameters)
            if parameter.grad is not None
        }
        states = [self._state_of(place) for place in learned]
        if not states:
            return
        parameters, gradients = map(list, zip(*learned.values(), strict=True))
        means, squares = ([state[key] for state in states] for key in MOMENTS)
        adamw(
            parameters,
            gradients,
            means,
            squares,
            [],
            [state["step"] for state in states],
            fused=True,  # one pass over all parameters
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self._learning_rate,
            weight_decay=self._weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def load(self, state: Mapping[int, Mapping[str, torch.Tensor]]) -> None:
        """Go on from another one's `state`."""
        self.state = {
            place: {
                key: value.to(self._parameters[place].device, copy=True)
                for key, value in values.items()
            }
            for place, values in state.items()
        }

    def _state_of(self, place: int) -> dict[str, torch.Tensor]:
        if place not in self.state:
            parameter = self._parameters[place]
            step = torch.zeros((), dtype=torch.float32, device=parameter.device)
            moments = {key: torch.zeros_like(parameter) for key in MOMENTS}
            self.state[place] = {"step": step, **moments}
        return self.state[place]
