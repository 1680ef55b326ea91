"""A small cohort of three modalities, of which some samples lack one, and its final model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from balmi.config.settings import Final, Preprocessing, Settings
from balmi.data.cohort import Cohort
from balmi.data.files import write_json
from balmi.data.measurements import Measurements
from balmi.data.model_files import CARD, EVALUATION, FORMAT, read_manifest, write_sums
from balmi.data.newcomers import Newcomer, Newcomers
from balmi.methods.peers import early
from balmi.methods.pooled import learners
from balmi.prediction.final import train_final
from balmi.prediction.model import read_model, write_model
from balmi.preprocess.features import Features

if TYPE_CHECKING:
    from pathlib import Path

    from balmi.prediction.final import Trained
    from balmi.prediction.model import FinalModel
    from balmi.preprocess.fitted import Samples

SAMPLES, CLASSES, KEPT = 90, 3, 8
WIDTHS = {"rna": 12, "counts": 20, "protein": 6}
NO_EVALUATION = {"primary": "macro_f1", "summary": [], "reliability": [], "patterns": []}


def cohort_of(seed: int = 0) -> Cohort:
    """Return a cohort in which a fifth of the samples lack proteins."""
    rng = np.random.default_rng(seed)
    labels = np.arange(SAMPLES) % CLASSES
    values = {
        name: rng.normal(size=(SAMPLES, width)) + np.eye(width)[labels] * 2
        for name, width in WIDTHS.items()
    }
    values["counts"] = rng.poisson(np.exp(values["counts"] / 2 + 3)).astype(float)
    values["protein"][rng.permutation(SAMPLES)[: SAMPLES // 5]] = np.nan
    values["rna"] = values["rna"] + np.arange(WIDTHS["rna"])
    return Cohort(
        samples=np.array([f"s{i:03}" for i in range(SAMPLES)]),
        labels=labels,
        classes=("a", "b", "c"),
        groups=None,
        values={name: each.astype(np.float32) for name, each in values.items()},
        features={n: tuple(f"{n.upper()}{i}" for i in range(w)) for n, w in WIDTHS.items()},
        kinds={"rna": "rna-log", "counts": "rna-counts", "protein": "protein"},
        provenance={"dataset": "made", "label": "subtype"},
    )


def settings_of(method: str = "pooled", rows: bool = True) -> Settings:
    """Return settings that keep eight features at most."""
    final = Final(method=method, rows=rows)
    return Settings(
        methods=[method],
        final=final,
        preprocessing=Preprocessing(max_features=KEPT),
        training={"epochs": 6, "members": 2},
        information={"fold_permutations": 19},
    )


@dataclass(frozen=True)
class Kept:
    """A model in memory, the same as written and read, and its training samples."""

    cohort: Cohort
    trained: Trained
    folder: Path
    read: FinalModel

    @property
    def samples(self) -> Samples:
        features = Features(self.cohort, KEPT)
        return features.apply(features.fit(np.arange(SAMPLES)))

    @property
    def about(self) -> dict[str, Any]:
        return read_manifest(self.folder, "model")

    def newcomers(self, rows: np.ndarray, **changes: Any) -> Newcomers:
        """Return some of its samples as new ones, as `read_newcomers` would."""
        modalities = {}
        for name, own in self.read.modalities.items():
            columns = [self.cohort.features[name].index(feature) for feature in own.features]
            measured = self.cohort.values[name].reordered(rows).columns(np.array(columns))
            none = np.zeros(len(columns), dtype=bool)
            values = np.asarray(measured.values, dtype=np.float64)
            modalities[name] = Newcomer(
                Measurements(measured.rows, values), none, 0.0, len(own.kept), 0
            )
        held = Newcomers(self.cohort.samples[rows], None, None, modalities, ())
        return replace(held, **changes)


@pytest.fixture(scope="session")
def final_settings():
    """Return a function that gives the settings of a final model's method."""
    return settings_of


@pytest.fixture(scope="session")
def keep_model(tmp_path_factory):
    """Return a function that trains, writes and reads a final model."""

    def keep(method: str = "pooled", rows: bool = True, cohort: Cohort | None = None) -> Kept:
        cohort = cohort_of() if cohort is None else cohort
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(learners, "TREES", 20)
            patch.setattr(early, "TREES", 20)
            trained = train_final(cohort, settings_of(method, rows), {"dataset": "made"})
        folder = tmp_path_factory.mktemp("model")
        write_model(trained.model, trained.rows, folder)
        write_json(NO_EVALUATION, folder / EVALUATION, FORMAT)
        (folder / CARD).write_text("card", encoding="utf-8")
        write_sums(folder)
        return Kept(cohort, trained, folder, read_model(folder, "model"))

    return keep


@pytest.fixture(scope="session")
def kept(keep_model):
    return keep_model()
