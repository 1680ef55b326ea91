"""Trained networks, rebuilt from the parameters that a method left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from balmi.methods.distillation import new_network
from balmi.methods.recipes import heads_of, importance_of, prior_knowledge

if TYPE_CHECKING:
    from balmi.config.settings import Method, Model
    from balmi.information.files import SplitInformation
    from balmi.networks.data import ReplicaData
    from balmi.networks.network import ReplicaNetwork


@torch.no_grad()
def restored_networks(
    method: Method,
    data: ReplicaData,
    parameters: dict[str, torch.Tensor],
    model: Model,
    information: SplitInformation | None,
) -> list[ReplicaNetwork]:
    """Return a method's networks as they were at the best epoch of every judged head.

    Judged are the joint heads (`balmi.methods.recipes.heads_of`, in that order), each by an epoch
    of its own: what joint head h says is ``networks[h](batch).joint[:, :, h]``. What the
    modalities' heads say is that of the first network. A method without joint heads has one
    network. Networks of some replicas only come from ``data.take(replicas)`` and
    `take_replicas`.

    Parameters
    ----------
    method
        One of `balmi.config.methods.NETWORKS`.
    data
        The data that the networks learned from, as `balmi.methods.recipes.seen_by` gives them;
        they set shapes, device and floating-point type.
    parameters
        As in ``model.safetensors``: ``<judged head>/<name of the parameter>`` -> value, replicas
        first, for the replicas of `data`.
    model
        Settings.
    information
        What the training parts say, per fold; None where the method asked for none of it. The
        weights of the heads `mean` and `information` come from it.

    Returns
    -------
    list of ReplicaNetwork
        One per judged head, with all replicas of `data`; none of their parameters asks for a
        gradient.
    """
    heads, importance = (
        heads_of(method, model),
        importance_of(prior_knowledge(information, data, model)),
    )
    networks = []
    for judged in range(max(1, len(heads))):
        # Whatever the seed: every initial weight is replaced.
        network = new_network(data, model, 0, str(method), heads, importance)
        for name, parameter in network.named_parameters():
            parameter.copy_(parameters[f"{judged}/{name}"])
        networks.append(network.eval().requires_grad_(False))
    return networks


def take_replicas(
    parameters: dict[str, torch.Tensor], replicas: list[int]
) -> dict[str, torch.Tensor]:
    """Return the parameters of some replicas."""
    return {name: value[replicas] for name, value in parameters.items()}
