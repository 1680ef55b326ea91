"""One fold of a few samples: its training side, its test samples, and what peers say of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from balmi.config.settings import Method
from balmi.methods.peers.registry import PEERS, predicted
from balmi.methods.peers.side import TrainingSide
from balmi.preprocess.fitted import Samples


@dataclass(frozen=True)
class FoldTask:
    """All samples of a fold; `fit` and `test` are the rows of its two sides."""

    features: dict[str, np.ndarray]
    available: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None
    classes: int
    fit: np.ndarray
    test: np.ndarray
    seed: int

    @property
    def samples(self) -> Samples:
        return Samples(self.features, self.available)

    @property
    def tests(self) -> Samples:
        return self.samples.take(self.test)

    @cached_property
    def training(self) -> TrainingSide:
        return TrainingSide(
            samples=self.samples.take(self.fit),
            labels=self.labels[self.fit],
            groups=None if self.groups is None else self.groups[self.fit],
            classes=self.classes,
            seed=self.seed,
        )

    @property
    def prior(self) -> np.ndarray:
        return self.training.prior

    def held_out(self, modality: str) -> np.ndarray:
        return self.training.held_out(modality)

    def of_fit(self, modality: str) -> np.ndarray:
        """What the regression of a modality says of the samples that it has learned from."""
        return self.training.base(modality).predict(self.training.samples)

    def of_tests(self, modality: str) -> np.ndarray:
        return self.training.base(modality).predict(self.tests)


def said(peer: str, task: FoldTask) -> dict[str, np.ndarray]:
    """Return what a peer says of the test samples once it has learned from the training side."""
    found = predicted(Method(peer), PEERS[Method(peer)](task.training), task.tests)
    return {name: said.probabilities for name, said in found.items()}
