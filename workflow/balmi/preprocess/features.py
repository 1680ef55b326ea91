"""The measurements of a cohort, ready to be preprocessed by what some of its samples say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.kinds import Kind
from balmi.preprocess.fitted import Fitted, fit_modality
from balmi.preprocess.kinds import transform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from balmi.data.cohort import Cohort
    from balmi.preprocess.fitted import Samples

    Learned = tuple[np.ndarray, Fitted]


class Features:
    """All modalities of a cohort on scales on which differences add up.

    The kinds' transforms look at one sample at a time, so they are done once; all that is learned
    is learned in `fit`, from the given rows only.

    Parameters
    ----------
    cohort
        The cohort.
    max_features
        Features to keep per modality.
    learned
        What is known already: rows of the cohort, and the preprocessing that `fit` learns from
        them. Other rows are learned from when they are asked for.
    chosen
        Whether the cohort holds no more than the features that `learned` keeps, so that nothing
        else can be learned from it.

    Attributes
    ----------
    values
        Modality -> its transformed measurements.
    names
        Modality -> names of its features.
    available
        Availability mask; (n, modalities), bool.
    """

    def __init__(
        self,
        cohort: Cohort,
        max_features: int,
        learned: Iterable[Learned] = (),
        *,
        chosen: bool = False,
    ) -> None:
        self.available = cohort.available
        self.modalities = cohort.modalities
        self.names = cohort.features
        self.max_features = max_features
        self.values = {
            name: replace(measured, values=transform(Kind(cohort.kinds[name]), measured.values))
            for name, measured in cohort.values.items()
        }
        self._learned = {_key(rows): fitted for rows, fitted in learned}
        self._chosen = chosen

    def fit(self, rows: np.ndarray, modalities: Sequence[str] | None = None) -> Fitted:
        """Learn from some samples how to preprocess every modality.

        Parameters
        ----------
        rows
            Rows that may be learned from, sorted.
        modalities
            The modalities wanted; all where None.

        Raises
        ------
        KeyError
            Where the features are those that other rows chose.
        """
        wanted = modalities or self.modalities
        known = self._learned.get(_key(rows))
        if known is not None:
            return Fitted({name: known.modalities[name] for name in wanted})
        if self._chosen:
            raise KeyError(f"these features were chosen for other samples than these {len(rows)}")
        ordered = np.sort(rows)
        return Fitted(
            {
                name: fit_modality(self.values[name].of(ordered), self.max_features)
                for name in wanted
            }
        )

    def learn(self, several: Iterable[np.ndarray]) -> None:
        """Learn from several sets of rows now, for all who will ask for them.

        Parameters
        ----------
        several
            Sets of rows, as `fit` takes them.
        """
        self._learned |= {_key(rows): self.fit(rows) for rows in several}

    def split(
        self, rows: np.ndarray, modalities: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Return the features of all samples, preprocessed by what some rows say.

        Parameters
        ----------
        rows, modalities
            As in `fit`.

        Returns
        -------
        dict of str to numpy.ndarray
            As `balmi.preprocess.fitted.Samples.features`. A modality that fewer than two of the
            rows have, or that is constant there, keeps no feature: shape (samples, 0).
        """
        return self.apply(self.fit(rows, modalities)).features

    def apply(self, fitted: Fitted, rows: np.ndarray | None = None) -> Samples:
        """Return samples of the cohort, preprocessed by what was learned.

        Parameters
        ----------
        fitted
            What was learned.
        rows
            Rows of the cohort; all where None.
        """
        return fitted.apply(self.values, np.arange(len(self.available)) if rows is None else rows)


def _key(rows: np.ndarray) -> bytes:
    return np.asarray(rows, dtype=np.int64).tobytes()
