"""The first transform of each kind of omics: one sample at a time, so that nothing is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.config.kinds import Kind
from balmi.preprocess import methylation, rna

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

_TRANSFORMS: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
    Kind.RNA_COUNTS: rna.log_normalise,
    Kind.METHYLATION_BETA: methylation.beta_to_m,
}


def transform(kind: Kind, values: np.ndarray) -> np.ndarray:
    """Bring values to a scale on which differences add up.

    Parameters
    ----------
    kind
        The kind of omics; kinds without a transform are on such a scale already.
    values
        Samples by features; NaN where not measured.
    """
    return _TRANSFORMS[kind](values) if kind in _TRANSFORMS else values
