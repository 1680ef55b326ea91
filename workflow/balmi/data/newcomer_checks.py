"""Checks of predictions before any job.

Small files are read as a whole where the model is there. Of large ones, and where the model is yet
to be made by the same run, names are looked at: modalities, the columns and classes of the table of
samples, and the names of features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from balmi.config.settings import COPY
from balmi.data.delimited import OF_ENDING
from balmi.data.headings import heading
from balmi.data.located import size_of, suffix
from balmi.data.model_files import opened, read_manifest
from balmi.data.names import MissingTexts
from balmi.data.newcomers import Matched, read_labels, read_newcomers, unknown_modalities
from balmi.data.readers import MOST_READ, check_file, load_samples
from balmi.data.reading import Reading
from balmi.data.tidying import names_in, tidied
from balmi.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from balmi.config.settings import Dataset, ModalityFile, Prediction


def check_predictions(
    predictions: Mapping[str, Prediction],
    made: Callable[[str], Dataset | None],
    most: int = MOST_READ,
) -> tuple[str, ...]:
    """Check all that can be checked of predictions before any job.

    Parameters
    ----------
    predictions
        Name -> its settings.
    made
        Returns the dataset whose model a job of this run makes at a path, with its files named;
        None where none does.
    most
        Bytes of files that are read here at most, in all; of larger ones names are looked at.

    Returns
    -------
    tuple of str
        What was accepted and should be known, a line each.

    Raises
    ------
    UserError
        With every problem of every prediction.
    """
    problems: list[Problem] = []
    warnings: list[str] = []
    for name, prediction in predictions.items():
        size, dataset = sum(map(size_of, prediction.files)), made(prediction.model)
        if dataset is not None:
            problems += _by_names(name, prediction, _outline(dataset))
            continue
        about = _manifest(name, prediction, problems)
        if about is None or size > most:
            problems += _by_names(name, prediction, about)
            continue
        most -= size
        try:
            warnings += read_newcomers(name, prediction, about).remarks
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    return tuple(warnings)


def _manifest(name: str, prediction: Prediction, problems: list[Problem]) -> dict[str, Any] | None:
    """Return what a model says of itself, or keep what is wrong with it."""
    where = f"predict.{name}.model"
    try:
        with opened(prediction.model, where) as folder:
            return read_manifest(folder, where)
    except UserError as error:
        problems += error.problems
        return None


def _outline(dataset: Dataset) -> dict[str, Any]:
    """Return what a model that is yet to be made will say of itself, as far as names tell."""
    features = {name: _features(name, file) for name, file in dataset.used.items()}
    copied = dataset.control.duplicated
    features |= {COPY.format(name): features[name] for name in copied if name in features}
    modalities = [{"name": name, "features": names, "kept": []} for name, names in features.items()]
    return {"label": dataset.labelled[1], "classes": _classes(dataset), "modalities": modalities}


def _features(name: str, file: ModalityFile) -> list[str]:
    """Return the features of a dataset's modality, none where names alone do not tell them."""
    try:
        found = heading(file.path, file.modality or name, file.layer)
    except UserError:  # which is said of the dataset
        return []
    return [] if found is None else found.features


def _classes(dataset: Dataset) -> list[str] | None:
    """Return the classes that a table of samples names, None where it is not looked at."""
    path, column = dataset.labelled
    if suffix(path) not in OF_ENDING or not 0 < size_of(path) <= MOST_READ:
        return None
    table = pd.DataFrame(tidied(load_samples(path), "columns").table)
    if list(table.columns).count(column) != 1:
        return None  # which is said of the dataset
    texts, _ = names_in(table[column], MissingTexts(dataset.missing), "label", "")
    return sorted(set(texts.dropna()))


def _by_names(name: str, prediction: Prediction, about: Mapping[str, Any] | None) -> list[Problem]:
    """Return what is wrong with files, as far as that is seen without reading measurements.

    Parameters
    ----------
    name, prediction
        The prediction.
    about
        What its model says of itself; None where it cannot be told. Of one that is yet to be made
        no feature is ``kept``: which it will look at is not known.
    """
    reading = Reading(f"predict.{name}")
    key = reading.key
    known = {each["name"]: each for each in (about or {}).get("modalities", ())}
    reading.problems += unknown_modalities(key, prediction, known) if known else []
    for modality, file in prediction.modalities.items():
        where, before = f"{key}.modalities.{modality}", len(reading.problems)
        reading.attempt(where, check_file, file.path, file.layer)
        if len(reading.problems) > before or not known.get(modality, {}).get("features"):
            continue
        found = reading.attempt(where, heading, file.path, file.modality or modality, file.layer)
        if found is None or not found.features:
            continue
        # One that occurs twice is told of by whoever reads the whole file.
        matched = Matched.of([*dict.fromkeys(found.features)], known[modality])
        if known[modality]["kept"] or matched.missing.all():
            place, most = f"{where}: {file.path}", prediction.missing_share
            reading.problems += matched.problems(place, found.features, found.rows, most)
    if prediction.samples is not None:
        before = len(reading.problems)
        reading.attempt(f"{key}.samples", check_file, prediction.samples)
        if before == len(reading.problems) and about and size_of(prediction.samples) <= MOST_READ:
            read_labels(reading, prediction, about)
    return reading.problems
