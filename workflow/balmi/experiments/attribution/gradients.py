"""Integrated gradients of a fold's networks on its held-out samples.

Integrated gradients (Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks,
ICML) share out what a network says of a sample, less what it says of a baseline, over the inputs:
x_i times the mean derivative by input i along the straight path from the baseline to x. They are
computed by Captum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from captum.attr import IntegratedGradients
from torch import nn

from balmi.experiments.attribution.tables import FoldAttribution
from balmi.networks.network import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from balmi.networks.data import ReplicaData
    from balmi.networks.network import ReplicaNetwork

RULE = "gausslegendre"
LARGEST_BATCH = 64 * 2**20  # numbers in one batch of points on the paths, all networks together


class FoldLogits(nn.Module):
    """What the networks of one fold say together: the mean of their centred logits.

    Logits that all rise by the same amount change no probability, so that a sample's logits count
    less their mean over classes. The attribution of a mean is the mean of the attributions.

    Parameters
    ----------
    network
        The networks of the fold, one replica each.
    head
        The joint head.
    """

    def __init__(self, network: ReplicaNetwork, head: int) -> None:
        super().__init__()
        self.network = network
        self.head = head
        self.replicas = len(network.shape.widths[0])

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        """Return centred logits; (n, classes).

        Parameters
        ----------
        *values
            One tensor per modality, (n, features), and the availability mask, (n, modalities).
        """
        *inputs, available = (tensor.expand(self.replicas, *tensor.shape) for tensor in values)
        logits = self.network(Batch(inputs, available)).joint[:, :, self.head].mean(dim=0)
        return logits - logits.mean(dim=1, keepdim=True)


def integrated_gradients(
    logits: FoldLogits,
    inputs: Sequence[torch.Tensor],
    available: torch.Tensor,
    labels: torch.Tensor,
    steps: int,
) -> tuple[torch.Tensor, ...]:
    """Attribute the logit of each sample's class to its features.

    The baseline is the training mean, 0, of every feature; it has the sample's own modalities, so
    that what a sample lacks is attributed nothing.

    Parameters
    ----------
    logits
        The networks.
    inputs
        One tensor per modality; (n, features).
    available
        Availability mask; (n, modalities), bool.
    labels
        Class codes; (n,).
    steps
        Points of the Gauss-Legendre quadrature.

    Returns
    -------
    tuple of torch.Tensor
        Shaped as `inputs`, in logits. All of a sample's add up to the logit of the sample less that
        of the baseline, but for the error of the quadrature.
    """
    width = sum(values.shape[1] for values in inputs)
    batch = max(len(labels), LARGEST_BATCH // (width * logits.replicas))
    return IntegratedGradients(logits).attribute(
        tuple(inputs),
        target=labels,
        additional_forward_args=(available,),
        n_steps=steps,
        method=RULE,
        internal_batch_size=batch,
    )


def attribute_fold(
    network: ReplicaNetwork,
    head: int,
    data: ReplicaData,
    kept: dict[str, np.ndarray],
    steps: int,
) -> FoldAttribution:
    """Attribute to every feature what a fold's networks say of its held-out samples.

    Parameters
    ----------
    network
        The networks of one fold.
    head
        The joint head.
    data
        The data of these networks.
    kept
        Modality -> numbers of the features that the fold's preprocessing kept.
    steps
        Points of the quadrature.
    """
    test = torch.from_numpy(data.splits[0].test).to(data.labels.device)
    labels, fold = data.labels[test], int(data.folds[0])
    inputs = data.standardised(fold, data.splits[0].test)
    available = data.available[0, test]
    attributions = integrated_gradients(FoldLogits(network, head), inputs, available, labels, steps)
    members = nn.functional.one_hot(labels, data.classes).T.to(inputs[0])
    share = members / members.sum(dim=1, keepdim=True).clamp(min=1)
    by_modality = {
        name: values[:, : len(kept[name])]
        for name, values in zip(data.modalities, attributions, strict=True)
    }
    return FoldAttribution(
        samples=members.sum(dim=1).int().cpu().numpy(),
        kept=kept,
        size={name: (share @ values.abs()).cpu().numpy() for name, values in by_modality.items()},
        signed={name: (share @ values).cpu().numpy() for name, values in by_modality.items()},
    )
