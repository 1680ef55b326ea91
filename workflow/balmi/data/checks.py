"""Checks of datasets before any job: what is read then, what is left to jobs, what is remembered.

What is wrong with tables is told by `balmi.data.table_checks` and `balmi.data.cohort_checks`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from balmi.config.catalogue import resolve
from balmi.config.fingerprint import code_hash
from balmi.data.cohort_checks import check_classes, check_rarest, check_scheme
from balmi.data.contents import content
from balmi.data.files import read_json, write_json
from balmi.data.located import size_of
from balmi.data.readers import MOST_READ, check_file
from balmi.data.reading import Reading, read_samples_of, read_tables, texts_of
from balmi.data.usable import UNLABELLED, Tables, understood
from balmi.errors import Caution, Problem, UserError, listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.config.settings import Dataset, Evaluation


class Checked(NamedTuple):
    """What checks say of datasets that are in order.

    Parameters
    ----------
    understood
        Dataset -> what was read of it, in a line; none of those whose cells a job reads.
    warnings
        What was accepted, but may mean something else than the user thinks, a line each.
    """

    understood: dict[str, str]
    warnings: tuple[str, ...]


def check_outline(name: str, dataset: Dataset, folds: int | None) -> None:
    """Check what can be told of a dataset without its cells.

    Its files are looked at from outside, and the table of samples is read where it is one of its
    own. What is refused here is refused whatever the cells hold: those that cannot be used only
    leave fewer samples.

    Parameters
    ----------
    name, dataset, folds
        As in `read_tables`.

    Raises
    ------
    UserError
        With every problem found.
    """
    key = f"datasets.{name}"
    reading = Reading(key, check_scheme(dataset, folds, key))
    for modality, file in dataset.used.items():
        reading.attempt(f"{key}.modalities.{modality}", check_file, file.path, file.layer)
    path = dataset.labelled[0]
    own = path not in {file.path for file in dataset.used.values()} and size_of(path) <= MOST_READ
    table = read_samples_of(reading, dataset) if own else None
    if not own:
        reading.attempt(f"{key}.samples", check_file, path)
    if reading.problems:
        raise UserError(reading.problems)
    if table is not None:
        labels = texts_of(table, dataset, key)[0]["label"]
        unlabelled = int(labels.isna().sum())
        left = Tables(pd.DataFrame({"label": labels.dropna()}), {}, {UNLABELLED: unlabelled})
        problems = check_classes(left, key)
        if not problems and folds is not None and not dataset.folds:
            problems = check_rarest(left.samples["label"], folds, key)
        if problems:
            raise UserError(problems)


def check_datasets(
    datasets: Mapping[str, Dataset],
    evaluation: Evaluation,
    cache: Path | None = None,
    most: int = MOST_READ,
) -> Checked:
    """Check the files of all datasets that have files of their own.

    Parameters
    ----------
    datasets
        The datasets as configured; files of entries of the catalogue are checked when they are
        assembled.
    evaluation
        The evaluation, whose folds every class must fill.
    cache
        A folder for marks of cohorts that were found in order: an unchanged cohort is not read
        again. None reads always.
    most
        Bytes of files that are read here at most, in all: this runs where Snakemake is started,
        which may be a login node. Of a dataset beyond that the outline is checked
        (`check_outline`), and the cells by the job that assembles it.

    Returns
    -------
    Checked
        What was understood, and what was accepted with a warning; of an unchanged cohort too.

    Raises
    ------
    UserError
        With every problem of every dataset.
    """
    problems: list[Problem] = []
    warnings: list[str] = []
    read: dict[str, str] = {}
    outlined: list[str] = []
    folds = evaluation.fixed_folds
    for name, dataset in datasets.items():
        if dataset.catalogue is not None:
            problems += check_scheme(resolve(name, dataset), folds, f"datasets.{name}")
            continue
        mark = cache / f"{_state(name, dataset, folds, cache)}.json" if cache else None
        if mark is not None and mark.is_file():
            told = read_json(mark)
            read[name] = told["understood"]
            warnings += told["warnings"]
            continue
        size = sum(map(size_of, dataset.files))
        try:
            if size > most:
                check_outline(name, dataset, folds)
                outlined.append(name)
                continue
            tables = read_tables(name, dataset, folds)
        except UserError as error:
            problems += error.problems
            continue
        most -= size
        read[name] = understood(tables, dataset)
        found = [str(caution) for caution in tables.warnings]
        warnings += found
        if mark is not None:
            write_json({"understood": read[name], "warnings": found}, mark)
    if problems:
        raise UserError(problems)
    return Checked(read, (*warnings, *_left_to_jobs(outlined)))


def _left_to_jobs(outlined: Sequence[str]) -> list[str]:
    """Return what to say of datasets of which the cells have not been looked at."""
    if not outlined:
        return []
    found = f"{listing(outlined)}: of these large files names and sizes were looked at so far"
    meaning = "cells are checked by the job assemble_cohort, before any other of the dataset"
    return [str(Caution("datasets", found, meaning))]


def _state(name: str, dataset: Dataset, folds: int | None, cache: Path) -> str:
    """Return a hash of a dataset's settings, of what its files hold, and of these checks."""
    files = [(path, content(path, cache / "contents")) for path in dataset.files]
    checks = code_hash(Path(__file__))
    text = json.dumps([name, dataset.model_dump(mode="json"), folds, files, checks])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
