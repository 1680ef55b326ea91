"""The measurements of a cohort, ready to be preprocessed by what some of its samples say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.kinds import Kind
from balmi.data.measurements import Measurements, single
from balmi.preprocess.fitted import Fitted, fit_modality
from balmi.preprocess.kinds import transform
from balmi.preprocess.lsi import fit_lsi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from balmi.data.cohort import Cohort
    from balmi.data.measurements import Matrix
    from balmi.preprocess.fitted import FittedModality, Samples
    from balmi.preprocess.lsi import FittedLsi

    Learned = tuple[np.ndarray, Fitted]


class Features:
    """All modalities of a cohort on scales on which differences add up.

    The kinds' transforms look at one sample at a time, so they are done once; all that is learned
    is learned in `fit`, from the given rows only. Features of a kind that are themselves learned
    (`COMPONENTS`) come to `values` and `names` when they are: every set of rows has its own.

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
    sources
        Modality -> what is learned from: its transformed measurements, or those that components are
        made of.
    kinds
        Modality -> kind of its sources, generic where they are transformed.
    values
        Modality -> its features: the transformed measurements, or all components so far.
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
        self.max_features = max_features
        self.sources = {
            name: replace(measured, values=transform(Kind(cohort.kinds[name]), measured.values))
            for name, measured in cohort.values.items()
        }
        made = {name for name, kind in cohort.kinds.items() if kind in COMPONENTS}
        self.kinds = {
            name: kind if name in made else str(Kind.GENERIC) for name, kind in cohort.kinds.items()
        }
        self.values = {
            name: replace(source, values=np.zeros((len(source.rows), 0), np.float32))
            if name in made
            else source
            for name, source in self.sources.items()
        }
        self.names = {
            name: () if name in made else names for name, names in cohort.features.items()
        }
        self._made: dict[tuple[str, bytes], FittedModality] = {}
        self._components: dict[tuple[str, bytes], FittedLsi] = {}
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
                name: self._fit_components(name, ordered)
                if self.kinds[name] in COMPONENTS
                else fit_modality(self.values[name].of(ordered), self.max_features)
                for name in wanted
            }
        )

    def _fit_components(self, name: str, rows: np.ndarray) -> FittedModality:
        """Learn components of a modality from rows, and add all samples' to its features."""
        key = name, _key(rows)
        if key not in self._made:
            source, before = self.sources[name], self.values[name]
            learned = COMPONENTS[Kind(self.kinds[name])](source.of(rows))
            self._components[key] = learned
            scores = Measurements(source.rows, single(learned.apply(source.values)))
            self.values[name] = replace(before, values=np.hstack([before.values, scores.values]))
            fits = sum(other == name for other, _ in self._made)
            self.names[name] += tuple(f"lsi-{fits}-{number}" for number in learned.components)
            fitted = fit_modality(scores.of(rows), self.max_features)
            self._made[key] = replace(fitted, kept=fitted.kept + before.features)
        return self._made[key]

    def components(self, name: str, rows: np.ndarray) -> FittedLsi | None:
        """Return the components of a modality that `fit` learned from rows, None where it has none.

        Parameters
        ----------
        name
            The modality.
        rows
            As `fit` was given them.
        """
        return self._components.get((name, _key(np.sort(rows))))

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


# Kinds of which components are learned, and what learns them.
COMPONENTS: dict[Kind, Callable[[Matrix], FittedLsi]] = {Kind.ATAC: fit_lsi}


def _key(rows: np.ndarray) -> bytes:
    return np.asarray(rows, dtype=np.int64).tobytes()
