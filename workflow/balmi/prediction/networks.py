"""Networks as arrays: what a trained network method says of new samples, without its cohort.

They are read from a file, and trained by `balmi.prediction.network_training`. Numbers are computed
in double precision, so that a sample is told the same in any company. Torch is loaded where
something is said, since most models hold no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.methods import NETWORKS
from balmi.config.settings import Method
from balmi.methods.experts import Pool
from balmi.preprocess.fitted import Samples

if TYPE_CHECKING:
    import torch

    from balmi.methods.experts import FittedExpert
    from balmi.networks.network import Batch, ReplicaNetwork


@dataclass(frozen=True)
class Networks:
    """The networks of a method that have learned from one set of samples, and their pool.

    Parameters
    ----------
    method
        The method.
    widths
        Features of each modality.
    classes
        Number of classes.
    hidden
        Width of the hidden layers.
    linear_path
        Whether a modality's logits are W x + f(x).
    heads
        Names of the joint heads, in order.
    importance
        Weight of each modality in the head `information`; (networks, modalities).
    parameters
        ``<judged head>/<name>`` -> value of every network, which stand along the first axis.
    experts, temperatures, weights
        What is pooled, and how.
    """

    method: str
    widths: tuple[int, ...]
    classes: int
    hidden: int
    linear_path: bool
    heads: tuple[str, ...]
    importance: np.ndarray
    parameters: dict[str, np.ndarray]
    experts: tuple[FittedExpert, ...]
    temperatures: np.ndarray
    weights: np.ndarray

    def predict(self, samples: Samples) -> np.ndarray:
        """Return probabilities; (n, classes).

        Parameters
        ----------
        samples
            Preprocessed by what the training samples say. A modality of which nothing was learned
            is absent, whoever has it.
        """
        known = Samples(samples.features, samples.available & (np.array(self.widths) > 0))
        pool = Pool(self.experts, self.temperatures, self.weights)
        return pool.predict(self._said(known).mean(axis=0), known)

    def _said(self, samples: Samples) -> np.ndarray:
        """Return what the heads of all networks say; (networks, n, heads, classes)."""
        import torch

        from balmi.networks.trained import judged_logits

        with torch.no_grad():
            logits = judged_logits(self._network, self._batch(samples))
            return logits.softmax(dim=-1).numpy()

    @property
    def _count(self) -> int:
        return len(self.importance)

    @property
    def _side_by_side(self) -> bool:
        return NETWORKS[Method(self.method)].concatenated

    def _batch(self, samples: Samples) -> Batch:
        """Return samples as all networks take them."""
        import torch

        from balmi.networks.network import Batch

        values, available = list(samples.features.values()), samples.available
        if self._side_by_side:
            values, available = [np.concatenate(values, axis=1)], available.any(1, keepdims=True)

        def repeated(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(array).expand(self._count, *array.shape)

        # What has no feature has one of zeros.
        wide = [each if each.shape[1] else np.zeros((len(each), 1)) for each in values]
        return Batch([repeated(each.astype(np.float64)) for each in wide], repeated(available))

    def _network(self, judged: int) -> ReplicaNetwork:
        """Return the networks at the best epoch of a judged head."""
        import torch

        from balmi.networks.network import ReplicaNetwork, Shape

        widths = (sum(self.widths),) if self._side_by_side else self.widths
        shape = Shape(
            modalities=tuple(map(str, range(len(widths)))),
            widths=tuple((width,) * self._count for width in widths),
            padded=tuple(max(1, width) for width in widths),
            classes=self.classes,
            hidden=self.hidden,
            dropout=0.0,
            fusions=self.heads,
            linear_path=self.linear_path,
        )
        importance = torch.from_numpy(self.importance)
        # Whatever the seeds: every initial weight is replaced.
        network = ReplicaNetwork(shape, [0] * self._count, torch.float64, importance)
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(self.parameters[f"{judged}/{name}"]))
        return network.eval()
