"""Preprocessing of one modality, fitted on the training samples of a split only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from balmi.config.kinds import Kind
from balmi.preprocess.kinds import transform

if TYPE_CHECKING:
    from balmi.data.cohort import Cohort

SMALLEST_DEVIATION = 1e-10  # far above what rounding leaves of a constant, 1e-16
LARGEST_SCORE = 10.0


class VarianceSelector(TransformerMixin, BaseEstimator):
    """Keep the features of largest variance, and none that is constant.

    Parameters
    ----------
    count
        Features to keep at most.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def fit(self, values: np.ndarray, y: None = None) -> VarianceSelector:
        """Choose features by their variance in `values` (samples by features)."""
        variance = np.var(values, axis=0)
        # Relative to the feature's own size: what rounding leaves of a constant is no variance.
        varies = variance > SMALLEST_DEVIATION**2 * np.mean(values**2, axis=0)
        order = np.argsort(-variance, kind="stable")[: self.count]
        self.kept_ = np.sort(order[varies[order]])
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return the chosen columns, in their old order."""
        check_is_fitted(self)
        return values[:, self.kept_]


class Clipper(TransformerMixin, BaseEstimator):
    """Clip standard scores to ten standard deviations, beyond which a value is an artefact."""

    def fit(self, values: np.ndarray, y: None = None) -> Clipper:
        """Learn nothing; only the number of features is noted."""
        self.n_features_in_ = values.shape[1]
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return the clipped values."""
        return np.clip(values, -LARGEST_SCORE, LARGEST_SCORE)


def selector(max_features: int) -> Pipeline:
    """Return the unfitted first half: impute medians, keep the features of largest variance."""
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, VarianceSelector(max_features))


def scaler() -> Pipeline:
    """Return the unfitted second half: standardise and clip."""
    return make_pipeline(StandardScaler(), Clipper())


@dataclass(frozen=True)
class FittedModality:
    """The preprocessing of one modality, as the training samples of a split set it.

    Parameters
    ----------
    values
        All samples on a scale on which differences add up, NaN where not measured; (n, features).
    has
        Which samples have the modality; (n,), bool.
    selection, scaling
        The fitted halves; None where nothing could be learned, or no feature varies.
    """

    values: np.ndarray
    has: np.ndarray
    selection: Pipeline | None = None
    scaling: Pipeline | None = None

    @property
    def kept(self) -> np.ndarray:
        """Numbers of the features that are kept, ascending; (kept,)."""
        return np.zeros(0, dtype=int) if self.scaling is None else self.selection[-1].kept_

    @property
    def deviations(self) -> np.ndarray:
        """Standard deviation of every kept feature over the training samples; (kept,)."""
        return np.zeros(0) if self.scaling is None else self.scaling[0].scale_

    def unscaled(self, rows: np.ndarray) -> np.ndarray:
        """Return the kept features of samples that have the modality, imputed; (rows, kept)."""
        # Samples may all lack the modality, and transformers refuse a table without rows.
        if self.scaling is None or not len(rows):
            return np.zeros((len(rows), len(self.kept)))
        return self.selection.transform(self.values[rows])

    def scaled(self, unscaled: np.ndarray) -> np.ndarray:
        """Return values on the scale of `unscaled` in standard deviations, clipped."""
        return self.scaling.transform(unscaled) if unscaled.size else unscaled

    def prepared(self) -> np.ndarray:
        """Return all samples, those without the modality at 0, the training mean; (n, kept)."""
        result = np.zeros((len(self.values), len(self.kept)))
        rows = np.flatnonzero(self.has)
        result[rows] = self.scaled(self.unscaled(rows))
        return result


class Features:
    """All modalities of a cohort on scales that add up, ready to be standardised per split.

    The kinds' transforms look at one sample at a time, so they are done once; all that is learned
    is learned in `split`, from the given rows only.

    Parameters
    ----------
    cohort
        The cohort.
    max_features
        Features to keep per modality.
    """

    def __init__(self, cohort: Cohort, max_features: int) -> None:
        self.available = cohort.available
        self.modalities = cohort.modalities
        self.max_features = max_features
        self._values = {}
        for column, (name, values) in enumerate(cohort.values.items()):
            has = self.available[:, column]
            scaled = np.full_like(values, np.nan)
            scaled[has] = transform(Kind(cohort.kinds[name]), values[has])
            self._values[name] = scaled

    def split(
        self, fit: np.ndarray, modalities: tuple[str, ...] | None = None
    ) -> dict[str, np.ndarray]:
        """Return every modality, preprocessed by what the rows `fit` say.

        Parameters
        ----------
        fit
            Rows that may be learned from.
        modalities
            The modalities wanted; all where None.

        Returns
        -------
        dict of str to numpy.ndarray
            Modality -> (samples, kept features), in standard deviations; rows of samples that lack
            the modality are 0, the training mean. A modality that no row of `fit` has, or that is
            constant there, keeps no feature: shape (samples, 0).
        """
        return {name: self.fitted(name, fit).prepared() for name in modalities or self.modalities}

    def fitted(self, name: str, fit: np.ndarray) -> FittedModality:
        """Return one modality's preprocessing, learned from the rows `fit`.

        Parameters
        ----------
        name
            The modality.
        fit
            Rows that may be learned from.
        """
        values, has = self._values[name], self.available[:, self.modalities.index(name)]
        learn = np.intersect1d(fit, np.flatnonzero(has))
        if learn.size < 2:
            return FittedModality(values, has)
        chosen = selector(self.max_features).fit(values[learn])
        told = chosen.transform(values[learn])
        if not told.shape[1]:
            return FittedModality(values, has)
        return FittedModality(values, has, chosen, scaler().fit(told))
