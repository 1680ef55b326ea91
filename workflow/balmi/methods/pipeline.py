"""Methods from a cohort and its splits to predictions: the stages that jobs run, in one process.

Jobs run the stages one by one and keep what each of them gives as files. Where a whole evaluation
is one job of many, as a training share or a control is, `run_pipeline` runs them all.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from balmi.config.methods import METHODS, NETWORKS
from balmi.config.settings import Method, Settings
from balmi.data.files import write_json, write_table
from balmi.data.splits import as_splits
from balmi.graph.fusion import fuse_splits
from balmi.information.splits import measure_splits
from balmi.methods.outcome import empty_predictions
from balmi.methods.peers.bases import fit_bases
from balmi.methods.peers.run import baseline_stage
from balmi.methods.pooled.method import RESTRICTED
from balmi.methods.stages import pretrain_stage, silent, stack_replicas, train_stage
from balmi.networks.device import choose_device
from balmi.preprocess.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import torch
    from scipy.sparse import csr_array

    from balmi.config.methods import NetworkMethod
    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split
    from balmi.information.files import SplitInformation
    from balmi.methods.outcome import Result, Status
    from balmi.methods.peers.bases import Bases
    from balmi.methods.stages import Epochs
    from balmi.networks.data import ReplicaData


@dataclass(frozen=True)
class Outcomes:
    """What several methods gave on one cohort.

    Parameters
    ----------
    predictions
        Columns as in ``predictions.parquet``; no rows of methods that did not end well.
    statuses
        How each method ended, in the order asked for.
    """

    predictions: pd.DataFrame
    statuses: tuple[Status, ...]

    def write(self, kind: str, level: float | None, predictions: Path, status: Path) -> None:
        """Write predictions, and how the methods ended in one robustness run.

        Parameters
        ----------
        kind, level
            Which run it is, as in ``tables/robustness_status.csv``.
        predictions, status
            Files to write.
        """
        write_table(self.predictions, predictions)
        head = {"kind": kind, "level": level}
        write_json([head | asdict(each) for each in self.statuses], status)


@dataclass(frozen=True)
class TrainedNetworks:
    """A network method that has learned, and what it learned from.

    Parameters
    ----------
    status, result, parameters
        How it ended, what it found, and its trained parameters, none unless it ended well.
    data
        The data of its replicas.
    information
        What the training parts say; None where the method asks for none of it.
    bases
        The modalities' regressions likewise.
    """

    status: Status
    result: Result
    parameters: dict[str, torch.Tensor]
    data: ReplicaData
    information: SplitInformation | None
    bases: Bases | None


class _Networks:
    """The network methods of one evaluation, which share data, measurements and pretraining."""

    def __init__(
        self,
        cohort: Cohort,
        features: Features,
        splits: Sequence[Split],
        settings: Settings,
        progress: Callable[[str], Epochs],
    ) -> None:
        self._cohort, self._splits = cohort, splits
        self._settings, self._progress = settings, progress
        self._device = choose_device(settings.resources.gpu)
        self._features = features
        self._fused: list[csr_array] | None = None

    def train(self, method: Method, bases: Bases | None) -> TrainedNetworks:
        """Train one method and predict."""
        recipe = NETWORKS[method]
        data = self._stacked(recipe)
        information, pretrained = self._guidance(data) if recipe.pretrained else (None, None)
        guidance = information, bases, pretrained
        found = train_stage(method, self._cohort, data, *guidance, self._settings, self._progress)
        return TrainedNetworks(*found, data, information, bases)

    def run(self, method: Method, bases: Bases | None) -> tuple[Status, Result]:
        """Train one method and predict, and keep no network."""
        trained = self.train(method, bases)
        return trained.status, trained.result

    def _guidance(
        self, data: ReplicaData
    ) -> tuple[SplitInformation, tuple[Status, dict[str, torch.Tensor]] | None]:
        settings = self._settings
        information = measure_splits(
            self._cohort, self._features, self._splits, settings.information
        )
        if not settings.distillation.pretraining:
            return information, None
        done = pretrain_stage(self._cohort, data, information, settings, self._progress)
        return information, (done.status, done.parameters)

    def _stacked(self, recipe: NetworkMethod) -> ReplicaData:
        settings = self._settings
        samples = len(self._cohort.samples)
        members, fused = recipe.members(settings.training, samples), None
        if recipe.passes_messages(settings.model):
            self._fused = self._fused or fuse_splits(self._features, self._splits, settings.graph)
            fused = self._fused
        cohort = self._cohort, self._features, self._splits
        return stack_replicas(*cohort, fused, settings.model, self._device, members)


def train_networks(
    method: Method,
    cohort: Cohort,
    features: Features,
    splits: Sequence[Split],
    settings: Settings,
    progress: Callable[[str], Epochs] = silent,
) -> TrainedNetworks:
    """Train one network method in some folds, with all that it starts from.

    Parameters
    ----------
    method
        One of `balmi.config.methods.NETWORKS`.
    cohort, features, splits
        The cohort, its features and the folds.
    settings
        Settings.
    progress
        As in `run_pipeline`.
    """
    rests = METHODS[method].reads_bases(settings.model)
    bases = fit_bases(cohort, features, splits) if rests else None
    return _Networks(cohort, features, splits, settings, progress).train(method, bases)


def run_pipeline(
    methods: Sequence[Method | str],
    cohort: Cohort,
    splits: Sequence[Split] | pd.DataFrame,
    settings: Settings | None = None,
    progress: Callable[[str], Epochs] = silent,
) -> Outcomes:
    """Run methods on a cohort, from its splits to predictions of the test samples.

    Predictions are those of the workflow's jobs: the same functions with the same seeds.

    Parameters
    ----------
    methods
        The methods, or their names.
    cohort
        The cohort.
    splits
        Its folds, as `balmi.data.splits.read_splits` gives them, or the table that
        `balmi.data.splits.make_splits` makes.
    settings
        Settings; the defaults where None.
    progress
        Given the name of a training, returns what to call after its epochs.

    Raises
    ------
    UserError
        Where a GPU was asked for and there is none.
    """
    settings = settings or Settings()
    folds = as_splits(splits, cohort) if isinstance(splits, pd.DataFrame) else splits
    features = Features(cohort, settings.preprocessing.max_features)
    features.learn(split.fit for split in folds)
    networks = _Networks(cohort, features, folds, settings, progress)

    wanted = [Method(method) for method in methods]
    resting = {method for method in wanted if METHODS[method].reads_bases(settings.model)}
    shared = fit_bases(cohort, features, folds) if resting else None

    def run(method: Method) -> tuple[Status, Result]:
        bases = shared if method in resting else None
        if method in NETWORKS:
            return networks.run(method, bases)
        return baseline_stage(method, cohort, features, folds, bases)

    results = [run(method) for method in wanted]
    filled = [result.predictions for _, result in results if len(result.predictions)]
    none = empty_predictions(cohort.classes)
    predictions = pd.concat(filled, ignore_index=True) if filled else none
    # What a pool of fewer experts says is asked of the cohort itself alone.
    kept = predictions[~predictions["method"].isin(RESTRICTED)].reset_index(drop=True)
    return Outcomes(kept, tuple(status for status, _ in results))
