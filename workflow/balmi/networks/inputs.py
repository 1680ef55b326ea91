"""What networks take of a modality: one matrix of all samples, standardised as it is gathered.

The folds differ in which features they keep and in how these are centred and scaled. Of that only
vectors are kept; a minibatch is standardised when its rows are gathered, so that memory is one
matrix, however many folds and members train together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from balmi.data.measurements import dense
from balmi.preprocess.fitted import LARGEST_SCORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from balmi.data.measurements import Matrix, Measurements
    from balmi.preprocess.fitted import FittedModality


class Inputs(Protocol):
    """What networks take of a modality, or of several side by side."""

    @property
    def width(self) -> int:
        """Features of the widest fold."""

    @property
    def dtype(self) -> torch.dtype:
        """Type of the numbers that are gathered."""

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All that decides what is gathered; the first has the device and the type of numbers."""

    def gather(self, folds: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return samples as folds see them.

        Parameters
        ----------
        folds
            Fold of every replica; (replicas,).
        rows
            Rows of the cohort, for every replica; (replicas, samples).

        Returns
        -------
        torch.Tensor
            (replicas, samples, width): 0, the mean of the training side, where a sample lacks the
            modality, and behind the features of a narrower fold.
        """


def _columns(values: Matrix, columns: np.ndarray) -> np.ndarray:
    """Return some columns, ascending, as an array; not a copy where an array has no others."""
    return dense(values if len(columns) == values.shape[1] else values[:, columns])


@dataclass(frozen=True)
class Measured:
    """A modality's measurements, and how every fold standardises them.

    Parameters
    ----------
    values
        Of the samples that have the modality, NaN where not measured, the features that any fold
        keeps; (m, features).
    places
        Row of `values` of every sample of the cohort, -1 where it has none; (n,).
    columns
        The features that every fold keeps, any of them behind the last one, (folds, width); None
        where all folds keep all features.
    means, deviations
        Of every kept feature; behind the last one deviations are infinite; (folds, width).
    fill
        What an empty cell becomes, standardised, (folds, width); None where no cell is empty.
    dtype
        Type of the numbers that are gathered.
    """

    values: torch.Tensor
    places: torch.Tensor
    columns: torch.Tensor | None
    means: torch.Tensor
    deviations: torch.Tensor
    fill: torch.Tensor | None
    dtype: torch.dtype

    @classmethod
    def of(
        cls,
        measured: Measurements,
        samples: int,
        fitted: Sequence[FittedModality],
        device: torch.device,
        dtype: torch.dtype,
    ) -> Measured:
        """Return a modality as networks take it.

        Parameters
        ----------
        measured
            Its transformed measurements.
        samples
            Samples of the cohort.
        fitted
            What the training side of every fold says of it.
        device, dtype
            Where and how numbers are kept.
        """
        width = max(1, *(len(each.kept) for each in fitted))
        columns = np.zeros((len(fitted), width), dtype=np.int64)
        means, fill = np.zeros((2, len(fitted), width))
        deviations = np.full((len(fitted), width), np.inf)
        for fold, each in enumerate(fitted):
            count = len(each.kept)
            columns[fold, :count], means[fold, :count] = each.kept, each.means
            deviations[fold, :count] = each.deviations
            fill[fold, :count] = each.scaled(each.medians)
        # A cohort may have many more features than its folds keep; those of none stay behind.
        union, columns = np.unique(columns, return_inverse=True)
        columns = columns.reshape(means.shape)
        nothing = np.zeros((max(1, len(measured.rows)), 1))
        matrix = _columns(measured.values, union) if measured.values.size else nothing
        every = width == len(union) and (columns == np.arange(width)).all()
        holed = bool(np.isnan(matrix.sum()))
        # Measurements that single precision would blur are standardised in double.
        kept = torch.float64 if matrix.dtype == np.float64 else dtype
        return cls(
            values=torch.from_numpy(np.ascontiguousarray(matrix)).to(device, kept),
            places=torch.from_numpy(measured.places(np.arange(samples))).to(device),
            columns=None if every else torch.from_numpy(columns).to(device),
            means=torch.from_numpy(means).to(device, kept),
            deviations=torch.from_numpy(deviations).to(device, kept),
            fill=torch.from_numpy(fill).to(device, dtype) if holed else None,
            dtype=dtype,
        )

    @property
    def width(self) -> int:
        """Features of the widest fold."""
        return self.means.shape[1]

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All that decides what is gathered."""
        known = (self.columns, self.fill)
        told = tuple(tensor for tensor in known if tensor is not None)
        return (self.values, self.places, self.means, self.deviations, *told)

    def gather(self, folds: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return samples as folds see them; (replicas, samples, width)."""
        places = self.places[rows]
        # Rows of one table: several times faster than indexing folds and samples at once.
        held = places if self._complete else places.clamp(min=0)
        flat = self.values.index_select(0, held.flatten())
        found = flat.unflatten(0, rows.shape)
        if self.columns is not None:
            found = found.gather(2, self.columns[folds, None].expand(*rows.shape, -1))
        found.sub_(self.means[folds, None]).div_(self.deviations[folds, None])
        found = found.clamp_(-LARGEST_SCORE, LARGEST_SCORE).to(self.dtype)
        if self.fill is not None:
            found = torch.where(found.isnan(), self.fill[folds, None], found)
        return found if self._complete else found.masked_fill_((places < 0).unsqueeze(-1), 0)

    @cached_property
    def _complete(self) -> bool:
        """Whether every sample has the modality."""
        return not bool((self.places < 0).any())


@dataclass(frozen=True)
class Prepared:
    """Samples of one fold that are standardised already.

    Parameters
    ----------
    values
        (samples, width).
    """

    values: torch.Tensor

    @classmethod
    def of(
        cls, features: np.ndarray, width: int, device: torch.device, dtype: torch.dtype
    ) -> Prepared:
        """Return preprocessed features, padded with zeros; (samples, features)."""
        values = torch.zeros(len(features), width, dtype=dtype)
        values[:, : features.shape[1]] = torch.from_numpy(features)
        return cls(values.to(device))

    @property
    def width(self) -> int:
        """Features with the padding."""
        return self.values.shape[1]

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All that decides what is gathered."""
        return (self.values,)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the numbers that are gathered."""
        return self.values.dtype

    def gather(self, folds: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return samples, whatever the fold; (replicas, samples, width)."""
        return self.values.index_select(0, rows.flatten()).unflatten(0, rows.shape)


@dataclass(frozen=True)
class SideBySide:
    """Several modalities as one.

    Parameters
    ----------
    parts
        The modalities.
    order
        For every fold, the columns of all parts that hold features, then as many of the others,
        which are 0, as the widest fold has more; (folds, width).
    """

    parts: tuple[Inputs, ...]
    order: torch.Tensor

    @classmethod
    def of(
        cls, parts: Sequence[Inputs], widths: Sequence[Sequence[int]], width: int | None = None
    ) -> SideBySide:
        """Return modalities side by side.

        Parameters
        ----------
        parts
            The modalities.
        widths
            Features of every modality in every fold.
        width
            Columns in all; those of the widest fold where None.
        """
        starts = np.cumsum([0, *(part.width for part in parts)])
        everything, order = np.arange(starts[-1]), []
        for sizes in zip(*widths, strict=True):
            held = [
                np.arange(start, start + size)
                for start, size in zip(starts[:-1], sizes, strict=True)
            ]
            order.append(np.concatenate(held))
        cut = width or max(1, *map(len, order))
        columns = [np.append(held, np.setdiff1d(everything, held))[:cut] for held in order]
        device = parts[0].tensors[0].device
        return cls(tuple(parts), torch.from_numpy(np.stack(columns)).to(device))

    @property
    def width(self) -> int:
        """Features of the widest fold."""
        return self.order.shape[1]

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All that decides what is gathered."""
        return (*(tensor for part in self.parts for tensor in part.tensors), self.order)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the numbers that are gathered."""
        return self.parts[0].dtype

    def gather(self, folds: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return samples as folds see them; (replicas, samples, width)."""
        found = torch.cat([part.gather(folds, rows) for part in self.parts], dim=2)
        if self.order.shape[1] == found.shape[2] and self._straight:
            return found
        return found.gather(2, self.order[folds, None].expand(*rows.shape, -1))

    @cached_property
    def _straight(self) -> bool:
        return bool((self.order == torch.arange(self.width, device=self.order.device)).all())
