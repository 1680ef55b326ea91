"""What preprocessing learns from training samples: one modality's, and that of all modalities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SMALLEST_DEVIATION = 1e-10  # far above what rounding leaves of a constant, 1e-16
LARGEST_SCORE = 10.0  # standard deviations, beyond which a value is an artefact


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

    def imputed(self, values: np.ndarray) -> np.ndarray:
        """Return the kept features, empty cells filled; (n, kept).

        Parameters
        ----------
        values
            All features of samples that have the modality, NaN where not measured; (n, features).
        """
        chosen = values[:, self.kept]
        return np.where(np.isnan(chosen), self.medians, chosen)

    def scaled(self, imputed: np.ndarray) -> np.ndarray:
        """Return what `imputed` gave in standard deviations from the mean, clipped; (n, kept)."""
        scores = (imputed - self.means) / self.deviations
        return np.clip(scores, -LARGEST_SCORE, LARGEST_SCORE)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return features, imputed and scaled, of samples that have the modality; (n, kept)."""
        return self.scaled(self.imputed(values))


def most_variable(values: np.ndarray, count: int) -> np.ndarray:
    """Return the numbers of the features of largest variance, ascending; no constant is among them.

    Parameters
    ----------
    values
        (samples, features), without empty cells.
    count
        Features at most.
    """
    variance = np.var(values, axis=0)
    # Relative to the feature's own size: what rounding leaves of a constant is no variance.
    varies = variance > SMALLEST_DEVIATION**2 * np.mean(values**2, axis=0)
    order = np.argsort(-variance, kind="stable")[:count]
    return np.sort(order[varies[order]])


def fit_modality(values: np.ndarray, max_features: int) -> FittedModality:
    """Learn to impute, to select and to scale one modality.

    Parameters
    ----------
    values
        Training samples that have the modality; (n, features), NaN where not measured.
    max_features
        Features to keep at most.
    """
    kept = np.zeros(0, dtype=int)
    if len(values) > 1:
        imputer = SimpleImputer(strategy="median", keep_empty_features=True).fit(values)
        imputed = imputer.transform(values)
        kept = most_variable(imputed, max_features)
    if not kept.size:
        return FittedModality(kept, *np.zeros((3, 0)))
    scaler = StandardScaler().fit(imputed[:, kept])
    return FittedModality(kept, imputer.statistics_[kept], scaler.mean_, scaler.scale_)


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

    def apply(self, values: Mapping[str, np.ndarray], available: np.ndarray) -> Samples:
        """Return samples preprocessed.

        Parameters
        ----------
        values
            Modality -> all its features on a scale on which differences add up, as
            `balmi.preprocess.features.Features` has them; (n, features).
        available
            Availability mask of the fitted modalities; (n, modalities), bool.
        """
        prepared = {}
        for (name, fitted), has in zip(self.modalities.items(), available.T, strict=True):
            result = np.zeros((len(available), len(fitted.kept)))
            result[has] = fitted.apply(values[name][has])
            prepared[name] = result
        return Samples(prepared, available)
