"""What preprocessing learns from training samples: one modality's, and that of all modalities."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import issparse

from balmi.data.measurements import SMALLEST_DEVIATION, dense, row_blocks
from balmi.preprocess.moments import column_medians, column_moments, column_scales

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.data.measurements import Matrix, Measurements

LARGEST_SCORE = 10.0  # standard deviations, beyond which a value is an artefact
# Cells of one modality, half a gigabyte in double precision, above which scores are kept in single.
MANY_CELLS = 2**26


def precision(cells: int) -> type[np.floating]:
    """Return the type of numbers in which scores of so many cells are kept."""
    return np.float64 if cells <= MANY_CELLS else np.float32


@dataclass(frozen=True)
class Samples:
    """Samples as a classifier of one fold sees them.

    Parameters
    ----------
    features
        Modality -> preprocessed features, 0 (the training mean) where a sample lacks the modality;
        (n, kept).
    available
        Availability mask; (n, modalities), bool.
    """

    features: dict[str, np.ndarray]
    available: np.ndarray

    def __len__(self) -> int:
        return len(self.available)

    def take(self, rows: np.ndarray) -> Samples:
        """Return some of the samples, by their numbers or by a mask."""
        features = {name: values[rows] for name, values in self.features.items()}
        return Samples(features, self.available[rows])

    def followed_by(self, others: Samples) -> Samples:
        """Return these samples and others that were preprocessed alike."""
        return Samples.joined([self, others])

    @classmethod
    def joined(cls, parts: Sequence[Samples]) -> Samples:
        """Return samples that were preprocessed alike one after the other; at least one part."""
        features = {
            name: np.concatenate([part.features[name] for part in parts])
            for name in parts[0].features
        }
        return cls(features, np.concatenate([part.available for part in parts]))

    def has(self, modality: str) -> np.ndarray:
        """Return which samples have a modality; (n,), bool."""
        return self.available[:, list(self.features).index(modality)]


@dataclass(frozen=True)
class FittedModality:
    """The preprocessing of one modality, as training samples set it; every array is (kept,).

    Where nothing could be learned, or no feature varies, none is kept.

    Parameters
    ----------
    kept
        Numbers of the features that are kept, ascending.
    medians
        What stands for an empty cell.
    means, deviations
        Mean and standard deviation of the imputed features.
    """

    kept: np.ndarray
    medians: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    def imputed(self, values: Matrix) -> np.ndarray:
        """Return the kept features, empty cells filled; (n, kept), double precision.

        Parameters
        ----------
        values
            All features of samples that have the modality, NaN where not measured; (n, features).
        """
        chosen = dense(values[:, self.kept]).astype(np.float64)
        return np.where(np.isnan(chosen), self.medians, chosen)

    def scaled(self, imputed: np.ndarray) -> np.ndarray:
        """Return what `imputed` gave in standard deviations from the mean, clipped; (n, kept)."""
        scores = (imputed - self.means) / self.deviations
        return np.clip(scores, -LARGEST_SCORE, LARGEST_SCORE)

    def apply(self, values: Matrix) -> np.ndarray:
        """Return features, imputed and scaled, of samples that have the modality; (n, kept)."""
        return self.scaled(self.imputed(values))

    def of_kept(self) -> FittedModality:
        """Return the same preprocessing for samples that have the kept features alone."""
        return replace(self, kept=np.arange(len(self.kept)))


def most_variable(variances: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    """Return the numbers of the features of largest variance, ascending; no constant is among them.

    Parameters
    ----------
    variances, squares
        Variance and mean square of every feature; (features,).
    count
        Features at most.
    """
    # Relative to the feature's own size: what rounding leaves of a constant is no variance.
    varies = variances > SMALLEST_DEVIATION**2 * squares
    order = np.argsort(-variances, kind="stable")[:count]
    return np.sort(order[varies[order]])


def fit_modality(values: Matrix, max_features: int) -> FittedModality:
    """Learn to impute, to select and to scale one modality.

    Parameters
    ----------
    values
        Training samples that have the modality; (n, features), NaN where not measured.
    max_features
        Features to keep at most.
    """
    kept = np.zeros(0, dtype=int)
    if values.shape[0] > 1:
        _, variances, squares = column_moments(values)
        kept = most_variable(variances, squares, max_features)
    if not kept.size:
        return FittedModality(kept, *np.zeros((3, 0)))
    chosen = values[:, kept]
    return FittedModality(kept, column_medians(chosen), *column_scales(chosen))


@dataclass(frozen=True)
class Fitted:
    """The preprocessing of all modalities, as the training samples of a fold set it.

    It holds what was learned and none of the data.

    Parameters
    ----------
    modalities
        Modality -> its preprocessing.
    """

    modalities: dict[str, FittedModality]

    def apply(self, values: Mapping[str, Measurements], rows: np.ndarray) -> Samples:
        """Return samples preprocessed.

        Parameters
        ----------
        values
            Modality -> its measurements on a scale on which differences add up, as
            `balmi.preprocess.features.Features` has them.
        rows
            Rows of the samples; (n,).
        """
        prepared, available = {}, []
        for name, fitted in self.modalities.items():
            places = values[name].places(rows)
            available.append(places >= 0)
            prepared[name] = _scores(fitted, values[name].values, places)
        return Samples(prepared, np.column_stack(available))


def _scores(fitted: FittedModality, values: Matrix, places: np.ndarray) -> np.ndarray:
    """Return features of samples at places of a matrix, 0 at place -1; (samples, kept)."""
    shape = len(places), len(fitted.kept)
    scores = np.zeros(shape, precision(math.prod(shape)))
    chosen = fitted.of_kept()
    for rows in row_blocks(scores):
        has = places[rows] >= 0
        scores[rows][has] = chosen.apply(_taken(values, places[rows][has], fitted.kept))
    return scores


def _taken(values: Matrix, rows: np.ndarray, columns: np.ndarray) -> Matrix:
    """Return some rows and columns, without a copy of all columns of a dense matrix."""
    return values[rows][:, columns] if issparse(values) else values[np.ix_(rows, columns)]
