"""Inputs of networks as tables, one per fold, that a test may change."""

from dataclasses import dataclass, replace

import numpy as np
import torch


@dataclass(frozen=True)
class Given:
    """What every fold sees of a modality; (folds, n, width)."""

    values: torch.Tensor

    @property
    def width(self):
        return self.values.shape[2]

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def tensors(self):
        return (self.values,)

    def gather(self, folds, rows):
        return self.values[folds[:, None], rows]


def tables_of(data):
    """Return what every fold sees of all samples, one tensor per modality; (folds, n, width)."""
    rows = np.arange(len(data.labels))
    folds = [data.standardised(fold, rows) for fold in range(int(data.folds.max()) + 1)]
    return [torch.stack(tables) for tables in zip(*folds, strict=True)]


def with_tables(data, tables):
    """Return the data with other inputs."""
    return replace(data, inputs=tuple(map(Given, tables)))
