"""Training samples that a model needs: written once, as they were measured, and made again.

Support vectors of machines, landmarks and the donors of absent modalities are rows of the same
table of training samples: of one modality or of all side by side, divided by the root of the number
of features where blocks weigh alike. What is written is each row that is needed, before imputing
and scaling and in the precision of the cohort, and where it stands: half the size of one copy, and
the same numbers to the last digit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from balmi.preprocess.fitted import FittedModality

NOBODY = -1  # a row of zeros, where no training sample has the modality


def _key(row: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()


def scaled(values: np.ndarray) -> np.ndarray:
    """Return a modality's features as `balmi.methods.pooled.experts.equal_blocks` has them."""
    return values / np.sqrt(max(1, values.shape[1]))


class KnownRows:
    """What knows rows of training samples again (`balmi.prediction.codec.RowsWriter`).

    Parameters
    ----------
    scores
        Modality -> preprocessed features of the training samples that have it; (m, kept).
    measured
        Modality -> the same before imputing and scaling; (m, kept).
    """

    def __init__(
        self, scores: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray]
    ) -> None:
        self._measured = measured
        self._scores = scores
        self._known: dict[bool, dict[str, dict[bytes, int]]] = {False: {}, True: {}}
        self._numbers: dict[str, dict[int, int]] = {name: {} for name in scores}
        for name, values in scores.items():
            for alike, table in ((False, values), (True, scaled(values))):
                self._known[alike][name] = {_key(row): place for place, row in enumerate(table)}

    @property
    def needed(self) -> dict[str, np.ndarray]:
        """Modality -> the rows that were found, as they were measured."""
        return {
            name: self._measured[name][np.array(list(numbers), dtype=np.int64)]
            for name, numbers in self._numbers.items()
            if numbers
        }

    def find(self, array: np.ndarray) -> dict[str, Any] | None:
        """Return modalities, scaling and numbers of rows that an array is made of, or None."""
        if array.ndim != 2 or not array.size or array.dtype.kind != "f":
            return None
        for names in self._layouts(array.shape[1]):
            for alike in (False, True):
                found = self._places(array, names, alike)
                if found is not None:
                    return {
                        "modalities": list(names),
                        "alike": alike,
                        "dtypes": [self._scores[name].dtype.name for name in names],
                        "numbers": np.column_stack(
                            [self._numbered(name, found[name]) for name in names]
                        ).astype(np.int32),
                    }
        return None

    def _layouts(self, width: int) -> list[tuple[str, ...]]:
        widths = {name: values.shape[1] for name, values in self._scores.items()}
        alone = [(name,) for name, own in widths.items() if own == width]
        return alone + ([tuple(widths)] if sum(widths.values()) == width else [])

    def _places(
        self, array: np.ndarray, names: tuple[str, ...], alike: bool
    ) -> dict[str, np.ndarray] | None:
        found, start = {}, 0
        for name in names:
            block = array[:, start : start + self._scores[name].shape[1]]
            start += block.shape[1]
            known = self._known[alike][name]
            places = [known.get(_key(row), NOBODY if not row.any() else None) for row in block]
            if None in places:
                return None
            found[name] = np.array(places)
        return found

    def _numbered(self, name: str, places: np.ndarray) -> list[int]:
        """Return the numbers under which rows are written, a new one at first need."""
        numbers = self._numbers[name]
        return [
            NOBODY if place == NOBODY else numbers.setdefault(int(place), len(numbers))
            for place in places
        ]


@dataclass(frozen=True)
class WrittenRows:
    """What makes arrays of written rows again.

    Parameters
    ----------
    measured
        Modality -> rows as they were measured; (rows, kept).
    fitted
        Modality -> its preprocessing.
    """

    measured: Mapping[str, np.ndarray]
    fitted: Mapping[str, FittedModality]

    def __call__(self, told: dict[str, Any]) -> np.ndarray:
        """Return the array that `KnownRows.find` told of."""
        blocks = []
        parts = zip(told["modalities"], told["dtypes"], told["numbers"].T, strict=True)
        for name, dtype, numbers in parts:
            fitted = self.fitted[name].of_kept()
            values = np.zeros((len(numbers), len(fitted.kept)), dtype=dtype)
            has = numbers != NOBODY
            if has.any():
                values[has] = fitted.apply(self.measured[name][numbers[has]])
            blocks.append(scaled(values) if told["alike"] else values)
        return np.hstack(blocks)
