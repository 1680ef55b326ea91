"""What the unit tests of several folders share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

from balmi.data.cohort import Cohort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

settings.register_profile("same", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def _logger() -> Iterator[None]:
    """Give the logger back as it was: `balmi.logs.job` sets it up for a process of its own."""
    logger = logging.getLogger("balmi")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def make_cohort() -> Callable[..., Cohort]:
    """Return a maker of cohorts of noise: names of modalities -> features, classes, groups."""

    def make(
        labels: np.ndarray,
        features: dict[str, int] | None = None,
        groups: np.ndarray | None = None,
        kind: str = "generic",
        seed: int = 0,
    ) -> Cohort:
        rng = np.random.default_rng(seed)
        features = features or {"rna": 4, "mirna": 3}
        count = len(labels)
        return Cohort(
            samples=np.array([f"s{i:04d}" for i in range(count)]),
            labels=np.asarray(labels),
            classes=tuple("abcdefgh"[: int(np.max(labels)) + 1]),
            groups=groups,
            values={name: rng.standard_normal((count, n)) for name, n in features.items()},
            features={name: tuple(f"{name}{i}" for i in range(n)) for name, n in features.items()},
            kinds=dict.fromkeys(features, kind),
            provenance={"dataset": "made"},
        )

    return make
