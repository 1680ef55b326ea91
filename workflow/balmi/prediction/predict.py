"""Predict new samples by a final model, and say how far each of them can be trusted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from balmi.config.settings import OtherScale
from balmi.data.files import read_json, sha256, write_json, write_table
from balmi.data.model_files import EVALUATION, FORMAT, MODEL, opened, read_manifest
from balmi.data.newcomers import read_newcomers
from balmi.data.together import together
from balmi.errors import Caution, Problem, UserError, listing
from balmi.methods.deciding import Said
from balmi.methods.outcome import PROBABILITY_PREFIX
from balmi.prediction.distribution import MOST_FLAGGED, strange
from balmi.prediction.fingerprints import TRAINED, fingerprints, known
from balmi.prediction.masking import widened
from balmi.prediction.model import read_model
from balmi.prediction.units import look
from balmi.prediction.untried import flagged, untested, untried
from balmi.preprocess.fitted import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from balmi.config.settings import Prediction
    from balmi.data.newcomers import Newcomer, Newcomers
    from balmi.prediction.model import FinalModel, ModalityModel
    from balmi.prediction.units import Seen

AT_ONCE = 2000  # samples that are asked about together


@dataclass(frozen=True)
class OfModality:
    """What was found of a modality, and what is made of it.

    Parameters
    ----------
    name
        Its name.
    samples
        New samples that have it; 0 where no file was given.
    used, missing, extra
        Features that the model predicts by, how many of them the file lacks, and how many it has
        that the model does not know.
    factor
        By which evidence is multiplied for the missing ones.
    measured
        Whether that was measured on held-out samples of this modality.
    seen
        What was seen of its unit; None where that is not looked at.
    absent
        Names of the missing features; none where no file was given.
    """

    name: str
    samples: int
    used: int
    missing: int
    extra: int
    factor: float
    measured: bool
    seen: Seen | None
    absent: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the features that are missing."""
        return self.missing / self.used if self.used else 0.0


@dataclass(frozen=True)
class Predicted:
    """What a model says of new samples.

    Parameters
    ----------
    said
        Probabilities and decisions.
    available
        Which sample has which of the model's modalities; (n, modalities), bool.
    factors
        By which the evidence of every sample was multiplied; (n,).
    outside
        p-value of lying within the training distribution, NaN where that is unknown; (n,).
    outlying
        Number of the modality that looks least like training; (n,).
    trained
        Which samples are training samples of the model; (n,), bool.
    modalities
        What was found of each of the model's modalities.
    warnings
        What was accepted and should be known, a line each.
    """

    said: Said
    available: np.ndarray
    factors: np.ndarray
    outside: np.ndarray
    outlying: np.ndarray
    trained: np.ndarray
    modalities: tuple[OfModality, ...]
    warnings: tuple[str, ...]

    @property
    def flagged(self) -> np.ndarray:
        """Which samples lie outside the training distribution; (n,), bool."""
        return self.outside <= MOST_FLAGGED


def _unit(own: ModalityModel, newcomer: Newcomer) -> Seen | None:
    if own.usual is None:
        return None
    values, missing = newcomer.measured.values, newcomer.missing
    transformed = own.transformed(values, missing)
    return look(own.usual, values[:, own.kept], transformed, ~missing[own.kept])


def _factor(model: FinalModel, name: str, newcomer: Newcomer) -> tuple[float, bool]:
    """Return the factor of a modality's missing features, and whether it was measured.

    Where it was not, since too few training samples have the modality or what is preprocessed are
    components of its features, evidence counts by the share of features that are there.
    """
    whole = model.modalities[name].components is None or not newcomer.share
    known = model.widening.factor(name, newcomer.share) if whole else None
    return (1 - newcomer.share, False) if known is None else (known, True)


def prepared(model: FinalModel, newcomers: Newcomers) -> Samples:
    """Return new samples as the model's predictor takes them."""
    count, features, available = len(newcomers.samples), {}, []
    for name, own in model.modalities.items():
        scores = np.zeros((count, len(own.fitted.kept)))
        newcomer = newcomers.modalities.get(name)
        if newcomer is not None:
            found = own.scores(newcomer.measured.values, newcomer.missing)
            scores[newcomer.measured.rows] = found
        features[name] = scores
        available.append(
            np.zeros(count, bool) if newcomer is None else newcomer.measured.has(count)
        )
    return Samples(features, np.column_stack(available))


def _looked_at(
    model: FinalModel, newcomers: Newcomers
) -> Iterator[tuple[str, ModalityModel, Newcomer | None, OfModality]]:
    for name, own in model.modalities.items():
        newcomer = newcomers.modalities.get(name)
        if newcomer is None:
            used = len(own.kept)
            yield name, own, None, OfModality(name, 0, used, used, 0, 1.0, True, None)
            continue
        factor, measured = _factor(model, name, newcomer)
        yield (
            name,
            own,
            newcomer,
            OfModality(
                name=name,
                samples=len(newcomer.measured.rows),
                used=newcomer.used,
                missing=round(newcomer.share * newcomer.used),
                extra=newcomer.extra,
                factor=factor,
                measured=measured,
                seen=_unit(own, newcomer),
                absent=newcomer.absent,
            ),
        )


def predict(
    model: FinalModel, newcomers: Newcomers, key: str = "predict", refuse: bool = True
) -> Predicted:
    """Predict new samples.

    Parameters
    ----------
    model
        The model.
    newcomers
        The samples.
    key
        The configuration's key of the prediction, for messages.
    refuse
        Whether measurements that look like another unit are refused, and not only told of.

    Raises
    ------
    UserError
        With every modality that is refused.
    """
    problems, warnings, modalities, unchecked = [], [], [], []
    factors = np.ones(len(newcomers.samples))
    for name, _, newcomer, found in _looked_at(model, newcomers):
        modalities.append(found)
        if newcomer is not None:
            factors[newcomer.measured.rows] *= found.factor
        seen, where = found.seen, f"{key}.modalities.{name}"
        if seen is not None and seen.found is not None:
            if seen.severe and refuse:
                allowed = f"{seen.advice}; {key}.other_scale: warn predicts all the same"
                problems.append(Problem(where, seen.found, allowed))
            else:
                warnings.append(str(Caution(where, seen.found, seen.advice)))
        if newcomer is not None and newcomer.missing[model.modalities[name].kept].any():
            unchecked.append(name)
    if unchecked:
        found_ = f"features are missing in {listing(unchecked)}"
        caution = (
            "whether a sample is one of those trained on cannot be told without them: leave such"
            " samples out yourself"
        )
        warnings.append(str(Caution(f"{key}.modalities", found_, caution)))
    if problems:
        raise UserError(problems)
    samples = prepared(model, newcomers)
    said = _said(model, samples)
    probabilities = widened(said.probabilities, model.prior, factors)
    envelopes = {name: each.envelope for name, each in model.modalities.items()}
    missing = {
        name: newcomer.missing[model.modalities[name].kept]
        for name, newcomer in newcomers.modalities.items()
        if model.modalities[name].components is None
    }
    outside, outlying = strange(envelopes, samples.features, samples.available, missing)
    return Predicted(
        said=Said(probabilities, said.rule),
        available=samples.available,
        factors=factors,
        outside=outside,
        outlying=outlying,
        trained=_trained(model, newcomers),
        modalities=tuple(modalities),
        warnings=tuple(warnings),
    )


def _trained(model: FinalModel, newcomers: Newcomers) -> np.ndarray:
    """Return which samples are among those that the model has learned from; (n,), bool."""
    result = np.zeros(len(newcomers.samples), dtype=bool)
    for name, newcomer in newcomers.modalities.items():
        own = model.modalities[name]
        marks = fingerprints(newcomer.measured.values[:, own.kept])
        result[newcomer.measured.rows] |= known(own.marks, marks)
    return result


def _said(model: FinalModel, samples: Samples) -> Said:
    parts = [
        model.say(samples.take(np.arange(start, min(start + AT_ONCE, len(samples)))))
        for start in range(0, len(samples), AT_ONCE)
    ]
    return Said(np.concatenate([part.probabilities for part in parts]), parts[0].rule)


def _flags(found: Predicted, row: int) -> str:
    """Return what is to be said of one sample."""
    flags = []
    has = found.available[row]
    if found.trained[row]:
        flags.append(TRAINED)
    if found.flagged[row]:
        name = found.modalities[found.outlying[row]].name
        flags.append(f"unlike the training samples, most in {name}")
    lacking = [each.name for each, there in zip(found.modalities, has, strict=True) if not there]
    if lacking:
        flags.append(f"lacks {', '.join(lacking)}")
    for each, there in zip(found.modalities, has, strict=True):
        if there and each.missing:
            flags.append(f"{each.share:.0%} of {each.name} missing{_widening(each)}")
        if there and each.seen is not None and each.seen.found is not None:
            flags.append(f"{each.name} may be in another unit")
    return "; ".join(flags)


def _widening(found: OfModality) -> str:
    """Return how much less a modality's missing features let evidence count, where they do."""
    if not found.measured:
        return f" (evidence x {found.factor:.2f}: not measured)"
    return f" (evidence x {found.factor:.2f})" if found.factor < 1 else ""


def table_of(model: FinalModel, newcomers: Newcomers, found: Predicted) -> pd.DataFrame:
    """Return a row per sample: its class, probabilities, what they rest on, and flags."""
    classes, names = np.array(model.classes), [each.name for each in found.modalities]
    used = np.array([each.used for each in found.modalities])
    there = np.array([each.used - each.missing for each in found.modalities])
    columns: dict[str, Any] = {
        "sample": newcomers.samples,
        "class": classes[found.said.classes],
    }
    columns |= {
        f"{PROBABILITY_PREFIX}{name}": each
        for name, each in zip(model.classes, found.said.probabilities.T, strict=True)
    }
    columns |= {
        "modalities": [
            together(name for name, here in zip(names, has, strict=True) if here)
            for has in found.available
        ],
        "features_found": (found.available @ there) / max(1, used.sum()),
        "outside_p": found.outside,
        "evidence_factor": found.factors,
        "flags": [_flags(found, row) for row in range(len(newcomers.samples))],
    }
    none = np.full(len(newcomers.samples), None)
    columns["label"] = none if newcomers.labels is None else newcomers.labels
    columns["group"] = none if newcomers.groups is None else newcomers.groups
    return pd.DataFrame(columns)


def predict_files(name: str, prediction: Prediction, table: Path, about: Path) -> None:
    """Predict the samples of some files, and write what is said and what was understood.

    Parameters
    ----------
    name
        The prediction's name.
    prediction
        Its settings.
    table
        The CSV file to write, one row per sample.
    about
        The JSON file to write, which the page is made of.

    Raises
    ------
    UserError
        With everything that is wrong with the model or the files.
    """
    key = f"predict.{name}"
    with opened(prediction.model, f"{key}.model") as folder:
        manifest = read_manifest(folder, f"{key}.model")
        newcomers = read_newcomers(name, prediction, manifest)
        model = read_model(folder, f"{key}.model")
        evaluation = read_json(folder / EVALUATION, FORMAT)
        sums = {"sha256": sha256(folder / MODEL)}
        sums["evaluation_sha256"] = sha256(folder / EVALUATION)
    refuse = prediction.other_scale is OtherScale.REFUSE
    found = predict(model, newcomers, key, refuse)
    rows = table_of(model, newcomers, found)
    rest = untried(list(model.modalities), rows["modalities"], evaluation)
    write_table(flagged(rows, rest), table, "new_samples")
    told = {
        "name": name,
        "model": {
            key: manifest[key]
            for key in ("method", "dataset", "balmi", "classes", "class_counts", "samples", "label")
        }
        | sums,
        "kinds": {each["name"]: each["kind"] for each in manifest["modalities"]},
        "trained": {each["name"]: each["samples"] for each in manifest["modalities"]},
        "modalities": [asdict(each) for each in found.modalities],
        "samples": len(newcomers.samples),
        "flagged": int(found.flagged.sum()),
        "trained_on": int(found.trained.sum()),
        "judged": int((~np.isnan(found.outside)).sum()),
        "labelled": newcomers.labels is not None,
        "grouped": newcomers.groups is not None,
        "remarks": [*untested(key, rest, evaluation), *newcomers.remarks, *found.warnings],
        "evaluation": evaluation,
    }
    write_json(told, about, FORMAT)
