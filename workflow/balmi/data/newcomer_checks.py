"""Checks of predictions before any job.

Small files are read as a whole where the model is there. Of large ones, and where the model is yet
to be made by the same run, names are looked at: modalities, the columns and classes of the table of
samples, and the first line of measurements.
"""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from balmi.config.settings import COPY
from balmi.data.delimited import OF_ENDING, opened_text
from balmi.data.located import size_of, suffix
from balmi.data.model_files import opened, read_manifest
from balmi.data.names import MissingTexts, tidy
from balmi.data.newcomers import Matched, read_labels, read_newcomers, unknown_modalities
from balmi.data.readers import MOST_READ, check_file, load_samples
from balmi.data.reading import Reading
from balmi.data.tidying import names_in, tidied
from balmi.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from balmi.config.settings import Dataset, Prediction


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
    columns = {name: heading(file.path) for name, file in dataset.used.items()}
    copied = dataset.control.duplicated
    columns |= {COPY.format(name): columns[name] for name in copied if name in columns}
    modalities = [
        {"name": name, "features": [] if names is None else names[1:], "kept": []}
        for name, names in columns.items()
    ]
    return {"label": dataset.labelled[1], "classes": _classes(dataset), "modalities": modalities}


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


def heading(path: str) -> list[str] | None:
    """Return the names in the first line of a table as text, that of the ids first.

    Where rows have one field more than the header, as R writes them, the first is a column too.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of str or None
        None of another format, and where no line names columns: whoever reads the whole file says
        what is wrong with it.
    """
    separator = OF_ENDING.get(suffix(path))
    if separator is None or not Path(path).is_file():
        return None
    with opened_text(Path(path)) as file:
        try:
            rows = csv.reader(file, delimiter=separator)
            names = next((row for row in islice(rows, 3) if any(row)), [])
        except (csv.Error, OSError, EOFError, UnicodeDecodeError):
            return None
    return [*map(tidy, names)] if len(names) > 1 else None


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
        columns = heading(file.path) if len(reading.problems) == before else None
        if columns and known.get(modality, {}).get("features"):
            matched = Matched.of(columns, known[modality])
            if known[modality]["kept"] or matched.missing.all():
                most = prediction.missing_share
                reading.problems += matched.problems(f"{where}: {file.path}", columns[1:], [], most)
    if prediction.samples is not None:
        before = len(reading.problems)
        reading.attempt(f"{key}.samples", check_file, prediction.samples)
        if before == len(reading.problems) and about and size_of(prediction.samples) <= MOST_READ:
            read_labels(reading, prediction, about)
    return reading.problems
