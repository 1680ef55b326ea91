"""The final model in memory, and its files: JSON, and arrays by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import balmi
from balmi.config.kinds import Kind
from balmi.config.settings import Method
from balmi.data.files import sha256, write_json
from balmi.data.measurements import single
from balmi.data.model_files import ARRAYS, FORMAT, MODEL, read_manifest
from balmi.data.tensors import read_tensors, write_tensors
from balmi.errors import Problem, UserError
from balmi.methods.peers.registry import predicted
from balmi.prediction.codec import Reader, UnknownType, Writer
from balmi.prediction.completing import completed
from balmi.prediction.converted import converted
from balmi.prediction.rows import KnownRows, WrittenRows
from balmi.preprocess.kinds import transform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from balmi.methods.deciding import Said
    from balmi.methods.peers.registry import FittedPeer
    from balmi.prediction.distribution import Envelope
    from balmi.prediction.masking import Widening
    from balmi.prediction.units import Usual
    from balmi.preprocess.fitted import FittedModality, Samples
    from balmi.preprocess.lsi import FittedLsi

ROWS = "rows/"  # of names of arrays that hold training samples


@dataclass(frozen=True)
class ModalityModel:
    """What is known of a modality.

    Parameters
    ----------
    kind
        Its kind of omics.
    features
        Names of the features that are looked for in a file; (features,).
    kept
        Numbers of those that are preprocessed, all where components are made of them; (kept,).
    fitted
        The preprocessing of these, or of the components.
    levels
        What fills in for missing features where a transform looks at all of them; else None.
    components
        What makes components of all features; None where none are made.
    usual
        How training samples are measured; None where components are made.
    envelope
        How training samples vary; None where they are too few to tell.
    marks
        Checksums of the training samples that have it (`balmi.prediction.fingerprints`).
    samples
        Training samples that have it.
    """

    kind: Kind
    features: tuple[str, ...]
    kept: np.ndarray
    fitted: FittedModality
    levels: np.ndarray | None
    components: FittedLsi | None
    usual: Usual | None
    envelope: Envelope | None
    marks: np.ndarray
    samples: int

    def transformed(self, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return kept features on a scale on which differences add up, NaN where empty; (n, kept).

        Parameters
        ----------
        values
            Samples by `features`, NaN where one is missing or a cell is empty.
        missing
            The features that are missing; (features,), bool.
        """
        if self.components is not None:
            return single(self.components.apply(values))[:, self.fitted.kept]
        whole = completed(self.kind, values, missing, self.levels)
        return transform(self.kind, whole)[:, self.kept]

    def scores(self, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return preprocessed features, 0 (the training mean) where one is missing; (n, kept)."""
        scores = self.fitted.of_kept().apply(self.transformed(values, missing))
        if self.components is None:
            scores[:, missing[self.kept]] = 0
        return scores


@dataclass(frozen=True)
class FinalModel:
    """A model that has learned from all labelled samples.

    Parameters
    ----------
    method
        Which.
    classes
        Names of the classes.
    modalities
        Name -> what is known of it.
    predictor
        What predicts.
    prior
        Smoothed class frequencies; (classes,).
    widening
        What missing features do to probabilities.
    about
        What is told about its making: see `write_model`.
    """

    method: Method
    classes: tuple[str, ...]
    modalities: dict[str, ModalityModel]
    predictor: FittedPeer
    prior: np.ndarray
    widening: Widening
    about: Mapping[str, Any]

    def say(self, samples: Samples) -> Said:
        """Return what is said of preprocessed samples."""
        return predicted(self.method, self.predictor, samples)[str(self.method)]


@dataclass(frozen=True)
class TrainingRows:
    """Training samples as `balmi.prediction.rows` knows them again.

    Parameters
    ----------
    scores, measured
        As there.
    """

    scores: Mapping[str, np.ndarray]
    measured: Mapping[str, np.ndarray]


def write_model(model: FinalModel, rows: TrainingRows, folder: Path) -> None:
    """Write a model.

    Parameters
    ----------
    model
        The model.
    rows
        The training samples, of which those are written that its experts need.
    folder
        Where `MODEL` and `ARRAYS` are written. ``MODEL`` holds the format, the version of balmi,
        the method, classes and modalities with their features, the settings and what else `about`
        tells, the checksum of ``ARRAYS``, and the learned parts as `balmi.prediction.codec` has
        them, below ``tree``.
    """
    known = KnownRows(rows.scores, rows.measured)
    writer = Writer(converted, known)
    parts = ("fitted", "levels", "components", "usual", "envelope", "marks")
    tree = {
        "predictor": writer.tree(model.predictor),
        "prior": writer.tree(model.prior),
        "widening": writer.tree(model.widening),
        "modalities": {
            name: {part: writer.tree(getattr(each, part)) for part in parts}
            for name, each in model.modalities.items()
        },
    }
    stored = {f"{ROWS}{name}": values for name, values in known.needed.items()}
    write_tensors({**writer.arrays, **stored}, folder / ARRAYS)
    held = {name: len(values) for name, values in known.needed.items()}
    _write_manifest(model, folder, {"rows": held, "tree": tree, "reason": None})


def _write_manifest(model: FinalModel, folder: Path, more: Mapping[str, Any]) -> None:
    modalities = [
        {
            "name": name,
            "kind": str(each.kind),
            "features": list(each.features),
            "kept": each.kept.tolist(),
            "samples": each.samples,
        }
        for name, each in model.modalities.items()
    ]
    about = {
        "balmi": balmi.__version__,
        "method": str(model.method),
        "classes": list(model.classes),
        "modalities": modalities,
        "sha256": {ARRAYS: sha256(folder / ARRAYS)},
        **model.about,
        **more,
    }
    write_json(about, folder / MODEL, FORMAT)


def write_reason(method: Method, reason: str, about: Mapping[str, Any], folder: Path) -> None:
    """Write why there is no model, in the place of one.

    Parameters
    ----------
    method
        The method that gave none.
    reason
        Why.
    about
        What is told of the cohort.
    folder
        Where it is written.
    """
    write_tensors({}, folder / ARRAYS)
    told = {"balmi": balmi.__version__, "method": str(method), "reason": reason, **about}
    write_json(told, folder / MODEL, FORMAT)


def read_model(folder: Path, where: str) -> FinalModel:
    """Read what `write_model` wrote.

    Parameters
    ----------
    folder
        A folder that `balmi.data.model_files.opened` gave.
    where
        The key that names it, for messages.

    Raises
    ------
    UserError
        Where it is damaged, of a newer format, or holds what no model holds.
    """
    about = read_manifest(folder, where)
    arrays, _ = read_tensors(folder / ARRAYS)
    try:
        return _read(about, arrays)
    except UnknownType as error:
        found = f"{error}, which is no part of a model"
        raise UserError(Problem(where, found, "a model as balmi wrote it")) from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        found = f"a damaged model ({type(error).__name__}: {error})"
        raise UserError(Problem(where, found, "a model as balmi wrote it")) from error


def _read(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FinalModel:
    plain, tree = Reader(arrays), about["tree"]
    modalities = {}
    for each in about["modalities"]:
        parts = {part: plain.thing(held) for part, held in tree["modalities"][each["name"]].items()}
        modalities[each["name"]] = ModalityModel(
            kind=Kind(each["kind"]),
            features=tuple(each["features"]),
            kept=np.array(each["kept"], dtype=np.int64),
            samples=each["samples"],
            **parts,
        )
    stored = {
        name.removeprefix(ROWS): values for name, values in arrays.items() if name.startswith(ROWS)
    }
    fitted = {name: each.fitted for name, each in modalities.items()}
    return FinalModel(
        method=Method(about["method"]),
        classes=tuple(about["classes"]),
        modalities=modalities,
        predictor=Reader(arrays, WrittenRows(stored, fitted)).thing(tree["predictor"]),
        prior=plain.thing(tree["prior"]),
        widening=plain.thing(tree["widening"]),
        about={key: value for key, value in about.items() if key != "tree"},
    )
