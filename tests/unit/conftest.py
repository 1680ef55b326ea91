"""What the unit tests of several folders share."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import settings

from balmi.config.settings import Evaluation, Graph, Simulation
from balmi.data.cohort import Cohort
from balmi.data.files import write_table
from balmi.data.simulate import simulate_cohort
from balmi.data.splits import make_splits, read_splits
from balmi.graph.fusion import fuse_splits
from balmi.networks.data import replica_data, residual_network
from balmi.preprocess.features import Features

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


def cohort_of(simulated):
    index = simulated.samples.index
    classes = tuple(sorted(simulated.samples["subtype"].unique()))
    modalities = simulated.modalities
    return Cohort(
        samples=index.to_numpy(dtype=str),
        labels=np.searchsorted(classes, simulated.samples["subtype"]),
        classes=classes,
        groups=simulated.samples["patient"].to_numpy(dtype=str),
        values={key: table.reindex(index).to_numpy() for key, table in modalities.items()},
        features={key: tuple(table.columns) for key, table in modalities.items()},
        kinds=dict.fromkeys(modalities, "generic"),
        provenance={},
    )


@pytest.fixture(scope="session")
def plain_cohort():
    return cohort_of(simulate_cohort(Simulation(samples=120, features=6, seed=3)))


@pytest.fixture(scope="session")
def cohort(plain_cohort, splits):
    """Return the cohort with a feature that is constant in one training part only."""
    values = dict(plain_cohort.tables)
    first = plain_cohort.modalities[0]
    values[first] = values[first].copy()
    values[first][splits[1].fit, 0] = 0.0
    return replace(plain_cohort, values=values)


@pytest.fixture(scope="session")
def features(cohort):
    return Features(cohort, max_features=6)


@pytest.fixture(scope="session")
def splits(plain_cohort, tmp_path_factory):
    path = tmp_path_factory.mktemp("splits") / "splits.parquet"
    write_table(make_splits(plain_cohort, Evaluation(repeats=1, folds=3, seed=7)), path, "splits")
    first, *others = read_splits(path, plain_cohort)
    # Replicas of different lengths: neither padding nor company must matter.
    kept = np.isin(first.fit, first.train[-4:], invert=True)
    return [replace(first, train=first.train[:-4], inner=first.inner[kept]), *others]


@pytest.fixture(scope="session")
def data(cohort, features, splits):
    return replica_data(cohort, features, splits, None, torch.device("cpu"), torch.float64)


@pytest.fixture(scope="session")
def ensemble(cohort, features, splits):
    """Return the data with three members per fold."""
    device = torch.device("cpu")
    return replica_data(cohort, features, splits, None, device, torch.float64, members=3)


@pytest.fixture(scope="session")
def graph_data(cohort, features, splits):
    fused = fuse_splits(features, splits, Graph(neighbours=5, kept=4))
    networks = [residual_network(network, 0.3) for network in fused]
    return replica_data(cohort, features, splits, networks, torch.device("cpu"), torch.float64)
