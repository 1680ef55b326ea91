"""The tables of a cohort, read and checked: problems and cautions are gathered by their keys.

Every check returns problems instead of raising, so that a user sees all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from balmi.config.settings import MISSING_TEXTS
from balmi.data.cohort_checks import (
    check_classes,
    check_folds,
    check_measured,
    check_scheme,
    check_twins,
    sets_of,
)
from balmi.data.folds import FOLD
from balmi.data.label_copies import label_remarks
from balmi.data.located import suffix
from balmi.data.matching import unmatched
from balmi.data.misplaced import misplaced
from balmi.data.names import MissingTexts, name_of, twins
from balmi.data.plausible import implausible
from balmi.data.readers import SEVERAL, load_measurements, load_samples, missing_remark
from balmi.data.repeated import repeated_remarks
from balmi.data.table_checks import SHOWN_CELLS, check_modality, check_samples, column_of
from balmi.data.tidying import names_in, numbers_for_texts, row_numbers, tidied
from balmi.data.usable import apart, copied, left_out, scarce, usable
from balmi.errors import Caution, Problem, UserError, listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from balmi.config.settings import Dataset, ModalityFile
    from balmi.data.loaded import Loaded
    from balmi.data.numeric import NumericTable
    from balmi.data.usable import Tables

T = TypeVar("T")
# What parts of a single split are called, which are no test folds.
PARTS = {
    "train",
    "training",
    "test",
    "testing",
    "val",
    "valid",
    "validation",
    "holdout",
    "hold-out",
}


@dataclass
class Reading:
    """What the reading of one dataset gathers: problems, and cautions with their places.

    Parameters
    ----------
    key
        The dataset's key.
    """

    key: str
    problems: list[Problem] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)

    def attempt(self, where: str, load: Callable[..., T], *arguments: str | None) -> T | None:
        """Read a table, or keep what is wrong with its file under the key that names it."""
        try:
            return load(*arguments)
        except UserError as error:
            self.problems += [
                replace(problem, where=f"{where}: {problem.where}") for problem in error.problems
            ]
            return None

    def remark(self, where: str, path: str, remarks: Iterable[tuple[str, str]]) -> None:
        """Keep remarks on a file, which is named as in the configuration or without its folder."""
        called = Path(path).name if Path(path).is_absolute() else path
        self.cautions += [Caution(f"{where}: {called}", *remark) for remark in remarks]

    def numbered(self, where: str, path: str, loaded: Loaded) -> None:
        """Look for numbers of rows in the place of ids."""
        column, remarks = row_numbers(loaded)
        self.remark(where, path, remarks)
        if column is not None:
            found = "numbers of rows in a first column without a name, in the place of sample ids"
            allowed = (
                f"the sample id in the first column, here perhaps {column!r}: save the table"
                " without numbers of rows (index=False, row.names=FALSE)"
            )
            self.problems.append(Problem(f"{where}: {path}", found, allowed))


def read_samples_of(reading: Reading, dataset: Dataset) -> pd.DataFrame | None:
    """Return the table of samples with tidy names, or None where it cannot be read."""
    where, (path, _) = f"{reading.key}.samples", dataset.labelled
    loaded = reading.attempt(where, load_samples, path)
    if loaded is None:
        return None
    loaded = tidied(loaded, "columns")
    reading.problems += check_samples(loaded.table, dataset, reading.key)
    reading.remark(where, path, loaded.remarks)
    reading.numbered(where, path, loaded)
    alike = twins(loaded.table.index)
    if alike:
        found = f"{len(alike)} sets of sample ids that look alike: {sets_of(alike)}"
        meaning = "they are taken for different samples"
        reading.remark(where, path, [(found, meaning)])
    return loaded.table


def read_modality(
    reading: Reading,
    name: str,
    file: ModalityFile,
    ids: pd.Index | None,
    named: Iterable[str | None] = (),
) -> NumericTable | None:
    """Return the measurements of a modality as numbers, or None where they cannot be read.

    Parameters
    ----------
    reading
        Takes problems and cautions.
    name, file
        The modality.
    ids
        The ids of the table of samples; None where they are unknown, and not compared.
    named
        The columns of the table of samples that are in use.
    """
    where = f"{reading.key}.modalities.{name}"
    loaded = reading.attempt(where, load_measurements, file.path, file.modality or name, file.layer)
    if loaded is None:
        return None
    loaded = tidied(loaded, "features")
    reading.numbered(where, file.path, loaded)
    table, counts = numbers_for_texts(loaded.table, MissingTexts(MISSING_TEXTS))
    numeric, problems = check_modality(
        table, ids, file.kind, f"{where}: {file.path}", loaded.layers
    )
    if ids is not None and name_of(loaded.id_name) in ids:
        found = f"the sample id {shown(loaded.id_name)} in the place of a header"
        problems.append(Problem(f"{where}: {file.path}", found, "a first line that names columns"))
    reading.problems += problems
    remarks = [*loaded.remarks, *missing_remark(counts), *_truths(table)]
    if file.modality is not None and suffix(file.path) not in SEVERAL:
        found = f"the key 'modality', {file.modality!r}, of a file that has one table alone"
        remarks.append((found, "it is not looked at"))
    if numeric is not None and not problems:
        remarks += implausible(numeric, file.kind) + misplaced(numeric, file.kind, named)
        remarks += [] if ids is None else unmatched(numeric.index, ids)
        remarks += [] if ids is None else _cut_off(loaded, ids)
    reading.remark(where, file.path, remarks)
    return numeric


def _cut_off(loaded: Loaded, ids: pd.Index) -> list[tuple[str, str]]:
    """Say where a file ends within a line, and lacks samples: its last number may lack digits."""
    lacking = len(ids.difference(loaded.table.index))
    if not loaded.unended or not lacking:
        return []
    last = shown(loaded.table.index[-1])
    found = (
        f"no end of the last line, of sample {last}, with {counted(lacking, 'sample')} not in it"
    )
    return [(found, "see that the file is not cut off")]


def _truths(table: pd.DataFrame | NumericTable) -> list[tuple[str, str]]:
    """Say which columns hold true and false."""
    if isinstance(table, pd.DataFrame):
        kinds = table.dtypes.items()
        truths = [shown(name) for name, kind in kinds if pd.api.types.is_bool_dtype(kind)]
    else:
        truths = [shown(name) for name in table.columns if table.values.dtype == bool]
    if not truths:
        return []
    found = f"{counted(len(truths), 'feature')} of true and false: {listing(truths[:SHOWN_CELLS])}"
    return [(found, "read as 1 and 0")]


def read_tables(name: str, dataset: Dataset, folds: int | None) -> Tables:
    """Read and check all tables of a cohort.

    Parameters
    ----------
    name
        The dataset's name, for messages.
    dataset
        The dataset with its files named (`balmi.config.catalogue.resolve`).
    folds
        The number of folds, which every class must fill; None where every group is a fold. Folds
        that the dataset brings go before either.

    Raises
    ------
    UserError
        With every problem of every table.
    """
    key = f"datasets.{name}"
    reading = Reading(key, check_scheme(dataset, folds, key))
    table = read_samples_of(reading, dataset)
    ids = None if table is None or table.empty else table.index
    in_use = [dataset.label, dataset.group, *dataset.folds]
    measured = {
        modality: read_modality(reading, modality, file, ids, in_use)
        for modality, file in dataset.used.items()
    }
    if reading.problems:
        raise UserError([*_misplaced_ids(table, measured, dataset, key), *reading.problems])
    texts, remarks = texts_of(table, dataset, key)
    whole = {name: each for name, each in measured.items() if each is not None}
    named = {name: each.index for name, each in whole.items()}
    tables = usable(texts, whole)
    problems = check_measured(tables, dataset, texts["label"], named, key)
    problems += check_twins(tables, dataset, key)
    problems += check_classes(tables, key) or check_folds(tables, dataset, folds, key)
    if problems:
        raise UserError(problems)
    for modality, measurements in tables.modalities.items():
        labels = tables.samples["label"].reindex(measurements.index).to_numpy(dtype=str)
        reading.remark(
            f"{key}.modalities.{modality}",
            dataset.used[modality].path,
            [*scarce(tables, modality), *label_remarks(measurements, labels)],
        )
    reading.cautions += [Caution(f"{key}.modalities", *remark) for remark in apart(tables)]
    for modality, remark in copied(tables):
        reading.remark(f"{key}.modalities.{modality}", dataset.used[modality].path, [remark])
    remarks += left_out(tables, table, texts) + repeated_remarks(tables, table, dataset)
    reading.remark(f"{key}.samples", dataset.labelled[0], remarks)
    return replace(tables, warnings=tuple(dict.fromkeys(reading.cautions)))


def _misplaced_ids(
    table: pd.DataFrame | None,
    measured: Mapping[str, NumericTable | None],
    dataset: Dataset,
    key: str,
) -> list[Problem]:
    """Return that the ids of measurements stand in a later column of the table of samples."""
    for name, each in measured.items():
        if table is None or each is None or each.index.isin(table.index).any():
            continue
        home = column_of(table, each.index)
        if home is not None:
            found = (
                f"the sample ids of {name} in column {home!r}, and other ids in the first column"
            )
            allowed = "in the first column the ids that the tables of measurements have"
            return [Problem(f"{key}.samples: {dataset.labelled[0]}", found, allowed)]
    return []


def texts_of(
    table: pd.DataFrame, dataset: Dataset, key: str
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Return what is used of the table of samples, as text, and remarks."""
    columns = {"label": dataset.labelled[1]} | ({"group": dataset.group} if dataset.group else {})
    columns |= {FOLD.format(repeat): column for repeat, column in enumerate(dataset.folds)}
    missing, texts, remarks = MissingTexts(dataset.missing), {}, []
    for role, column in columns.items():
        what = role if role in ("label", "group") else "fold"
        texts[role], found = names_in(table[column], missing, what, f"{key}.missing")
        remarks += found
        names = set(texts[role].dropna().map(str.casefold))
        if what == "fold" and names <= PARTS:
            found_ = f"fold {shown(column)}: {listing(map(shown, sorted(names)))}"
            meaning = "every fold is tested with what is learned from the others, these too"
            remarks.append((found_, meaning))
    return pd.DataFrame(texts), remarks
