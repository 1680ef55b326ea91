"""Controls: changes of a cohort whose effect on the results is known beforehand.

Noise and permuted rows must end without information of the label and, with permuted labels, every
modality must; a copy adds nothing to what it copies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from balmi.config.kinds import Kind
from balmi.config.settings import COPY
from balmi.data.measurements import Measurements

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.config.settings import Control
    from balmi.data.cohort import Cohort


def _rng(seed: int, purpose: str) -> np.random.Generator:
    """Return the randomness of one purpose, whatever else is drawn."""
    return np.random.default_rng([seed, *purpose.encode()])


def _noise(cohort: Cohort, name: str, rng: np.random.Generator) -> Cohort:
    """Replace the values of the samples that have the modality by standard normal noise."""
    measured = cohort.values[name]
    noise = Measurements(measured.rows, rng.standard_normal(measured.values.shape))
    return replace(
        cohort,
        values={**cohort.values, name: noise},
        kinds={**cohort.kinds, name: str(Kind.GENERIC)},
    )


def _shuffled(cohort: Cohort, name: str, rng: np.random.Generator) -> Cohort:
    """Permute the modality's rows among the samples that have it."""
    measured = cohort.values[name]
    permuted = measured.values[rng.permutation(len(measured.rows))]
    return replace(cohort, values={**cohort.values, name: Measurements(measured.rows, permuted)})


def _duplicated(cohort: Cohort, name: str, _: np.random.Generator) -> Cohort:
    """Add a copy of the modality, after all others."""
    copy = COPY.format(name)
    return replace(
        cohort,
        values={**cohort.values, copy: cohort.values[name]},
        features={**cohort.features, copy: cohort.features[name]},
        kinds={**cohort.kinds, copy: cohort.kinds[name]},
    )


CHANGES: dict[str, Callable[[Cohort, str, np.random.Generator], Cohort]] = {
    "noise": _noise,
    "shuffled": _shuffled,
    "duplicated": _duplicated,
}


def apply_control(cohort: Cohort, control: Control) -> Cohort:
    """Return the cohort as its control changes it.

    Parameters
    ----------
    cohort
        The cohort; `balmi.data.reading.read_tables` has left out the modalities of `without`.
    control
        What to change. Every change draws from the seed and the modality's name alone.
    """
    for key, change in CHANGES.items():
        for name in sorted(getattr(control, key)):
            cohort = change(cohort, name, _rng(control.seed, f"{key}/{name}"))
    if control.shuffled_labels:
        cohort = replace(cohort, labels=_rng(control.seed, "labels").permutation(cohort.labels))
    told = control.model_dump(mode="json", exclude_defaults=True)
    return replace(cohort, provenance={**cohort.provenance, "control": told})
