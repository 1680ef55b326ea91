"""Checks of a cohort's files, made before any job starts.

Every check returns problems instead of raising, so that a user sees all of them at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from balmi.config.catalogue import resolve
from balmi.config.fingerprint import code_hash
from balmi.config.kinds import KINDS
from balmi.config.settings import MISSING_TEXTS, Scheme
from balmi.data.contents import content
from balmi.data.files import read_json, write_json
from balmi.data.folds import FOLD, check_dealt, check_groups_out, check_own_folds
from balmi.data.matching import kin, pairs, unmatched
from balmi.data.names import MissingTexts, name_of, twins
from balmi.data.numeric import NumericTable
from balmi.data.plausible import implausible
from balmi.data.readers import (
    check_file,
    load_measurements,
    load_samples,
    missing_remark,
    size_of,
)
from balmi.data.tidying import names_in, numbers_for_texts, row_numbers, tidied
from balmi.errors import Caution, Problem, UserError, listing, nearest, shown
from balmi.numerals import counted, counted_samples, inflected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from balmi.config.kinds import Kind
    from balmi.config.settings import Dataset, Evaluation, ModalityFile
    from balmi.data.numeric import Names, Places
    from balmi.data.readers import Loaded

T = TypeVar("T")

UNLABELLED = "samples without a label"
SHOWN_CELLS = 3
MOST_READ = 25 * 10**6  # bytes, some two seconds
WHOLE_TOLERANCE = 1e-6
COMMA = re.compile(
    r"\s*[+-]?[\d.\s']*,\d[\d.,]*(e[+-]?\d+)?\s*|[+-]?\d{1,3}([.'\s]\d{3})+", re.IGNORECASE
)
LARGEST = float(np.finfo(np.float32).max)  # cohorts are kept in single precision


@dataclass(frozen=True)
class Tables:
    """The tables of one cohort as they were read, with only what can be used.

    Parameters
    ----------
    samples
        Labelled samples that at least one modality measures, sorted by id; columns ``label``,
        ``group`` where the cohort has groups, and ``fold_0`` and so on where it brings folds of its
        own; all text.
    modalities
        Name -> samples by features, in single precision where that blurs no feature; only samples
        of `samples`, sorted by id.
    dropped
        What was left out -> how many samples.
    warnings
        What was accepted, but may mean something else than the user thinks.
    """

    samples: pd.DataFrame
    modalities: dict[str, NumericTable]
    dropped: dict[str, int]
    warnings: tuple[Caution, ...] = ()


def _duplicates(index: pd.Index, where: str, what: str) -> list[Problem]:
    repeated = index[index.duplicated()].unique()
    if repeated.empty:
        return []
    found = f"{what}s that occur more than once: {listing(map(shown, repeated))}"
    return [Problem(where, found, f"every {what} once")]


def _blank(index: pd.Index, where: str, noun: str, lack: str) -> list[Problem]:
    count = int((index.str.strip() == "").sum())
    return [Problem(where, f"{counted(count, noun)} {lack}", "one each")] if count else []


def _empty(table: pd.DataFrame | Names, where: str, noun: str) -> list[Problem]:
    rows, columns = table.shape
    if rows and columns:
        return []
    found = f"an empty table ({counted(rows, 'row')}, {counted(columns, noun)})"
    allowed = (
        f"rows of samples, with {noun}s beside the sample id; .csv is split at commas, .tsv and"
        " .txt at tabs"
    )
    return [Problem(where, found, allowed)]


def _column(table: pd.DataFrame, column: str, where: str) -> list[Problem]:
    count = list(table.columns).count(column)
    if count > 1:
        return [Problem(where, f"{column!r}, which names {count} columns", "one column")]
    if count:
        return []
    return [
        Problem(
            where,
            f"{column!r}, which is no column of the table",
            f"one of {listing(map(repr, table.columns))}",
            nearest(column, table.columns),
        )
    ]


def check_samples(table: pd.DataFrame, dataset: Dataset, key: str) -> list[Problem]:
    """Return what is wrong with the table of samples: empty, ids, and columns that are named."""
    path, label = dataset.labelled
    where = f"{key}.samples: {path}"
    problems = _empty(table, where, "column")
    if problems:
        return problems
    problems += _duplicates(table.index, where, "sample id")
    problems += _blank(table.index, where, "row", "without an id")
    problems += _column(table, label, f"{key}.label")
    if dataset.group is not None:
        problems += _column(table, dataset.group, f"{key}.group")
    for column in dataset.folds:
        problems += _column(table, column, f"{key}.folds")
    return problems


def _cells(rows: np.ndarray, columns: np.ndarray, table: pd.DataFrame) -> str:
    texts = [
        f"row {table.index[i]!r}, column {table.columns[j]!r}: {shown(table.iat[i, j])}"
        for i, j in zip(rows[:SHOWN_CELLS], columns[:SHOWN_CELLS], strict=True)
    ]
    return "; ".join(texts) + ("; …" if rows.size > SHOWN_CELLS else "")


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as float64; NaN where a cell is no number, such as a date."""
    if column.dtype.kind in "mMc":
        return pd.Series(np.nan, index=column.index)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    return pd.to_numeric(column, errors="coerce").astype(np.float64)


def _number_hint(table: pd.DataFrame, text: np.ndarray) -> str:
    """Return what to do about cells that are no number, where that is plain to see."""
    first = str(table.iat[text[0, 0], text[0, 1]])
    columns, counts = np.unique(text[:, 1], return_counts=True)
    hints = ["a decimal point, and no sign between thousands"] * bool(COMMA.fullmatch(first))
    whole = [shown(table.columns[j]) for j in columns[counts == len(table)]]
    if whole and len(whole) < table.shape[1]:
        hints.append(f"no columns of text, as {listing(whole[:SHOWN_CELLS])}")
    return "".join(f"; {hint}" for hint in hints)


def _texts_for_numbers(table: pd.DataFrame, numeric: pd.DataFrame, where: str) -> list[Problem]:
    """Return what cells of a table are no number."""
    text = np.argwhere((numeric.isna() & table.notna()).to_numpy())
    if not text.size:
        return []
    cells = f"{counted(len(text), 'cell')} that {inflected(len(text), 'is', 'are')} no number"
    found = f"{cells}: {_cells(text[:, 0], text[:, 1], table)}"
    allowed = "numbers, or an empty cell where nothing was measured"
    return [Problem(where, found, allowed + _number_hint(table, text))]


def to_numeric(
    table: pd.DataFrame | NumericTable, where: str
) -> tuple[NumericTable, list[Problem]]:
    """Return the table as numbers and what cells of it are no finite number (NaN is allowed).

    Parameters
    ----------
    table
        Samples by features, cells of any type.
    where
        How the table is named in messages.
    """
    problems = []
    if isinstance(table, pd.DataFrame):
        plain = all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in table.dtypes)
        numbers = table if plain else table.apply(_numbers)
        problems += [] if plain else _texts_for_numbers(table, numbers, where)
        table = NumericTable.of(numbers.to_numpy(), table.index, table.columns)
    numeric = table.floating()
    count, places = numeric.search(lambda cells: np.abs(cells) > LARGEST, SHOWN_CELLS)
    if count:
        found = f"{counted(count, 'infinite cell')}: {_shown_cells(numeric, count, places)}"
        problems.append(Problem(where, found, f"finite numbers, none beyond {LARGEST:.1e}"))
    return numeric, problems


def _shown_cells(table: NumericTable, count: int, places: Places) -> str:
    texts = [
        f"row {table.index[i]!r}, column {table.columns[j]!r}: {shown(table.cell(i, j))}"
        for i, j in places
    ]
    return "; ".join(texts) + ("; …" if count > len(places) else "")


def _range_problem(table: NumericTable, kind: Kind, where: str) -> list[Problem]:
    allowed = KINDS[kind].range

    def outside(cells: np.ndarray) -> np.ndarray:
        wrong = (cells < allowed.low) | (cells > allowed.high)
        if allowed.whole:
            wrong |= np.abs(cells - np.round(cells)) > WHOLE_TOLERANCE
        return wrong

    count, places = table.search(outside, SHOWN_CELLS)
    if not count:
        return []
    cells = _shown_cells(table, count, places)
    return [
        Problem(
            where,
            f"{counted(count, 'cell')} outside what {kind} holds: {cells}",
            allowed.description,
        )
    ]


def check_names(table: pd.DataFrame | Names, samples: pd.Index | None, where: str) -> list[Problem]:
    """Return what is wrong with the names of a modality's samples and features.

    Parameters
    ----------
    table
        Samples by features.
    samples
        The ids of the table of samples; None where they are unknown, and not compared.
    where
        How the table is named in messages.
    """
    problems = _empty(table, where, "feature")
    if problems:
        return problems
    problems += _duplicates(table.index, where, "sample id")
    problems += _duplicates(table.columns, where, "feature name")
    problems += _blank(table.index, where, "row", "without an id")
    problems += _blank(table.columns, where, "feature", "without a name")
    if samples is not None and not table.index.isin(samples).any():
        allowed = f"ids of the table of samples, such as {listing(map(repr, samples[:3]))}"
        if table.columns.isin(samples).any():
            allowed += " (the columns look like samples: transpose the table)"
        alike = kin(table.index, samples)
        if alike:
            allowed += f"; {counted(len(alike), 'id')} much like one of them: {pairs(alike)}"
        found = f"no shared sample; ids here are {listing(map(repr, table.index[:3]))}"
        problems.append(Problem(where, found, allowed, nearest(table.index[0], samples)))
    return problems


def check_modality(
    table: pd.DataFrame | NumericTable, samples: pd.Index | None, kind: Kind, where: str
) -> tuple[NumericTable | None, list[Problem]]:
    """Return a modality's table as numbers, and everything that is wrong with it.

    Parameters
    ----------
    table
        Samples by features, cells of any type.
    samples
        The ids of the table of samples; None where they are unknown, and not compared.
    kind
        The kind of omics.
    where
        How the table is named in messages.
    """
    problems = check_names(table, samples, where)
    if not all(table.shape):
        return None, problems
    numeric, cells = to_numeric(table, where)
    return numeric, problems + (cells or _range_problem(numeric, kind, where))


def _usable(samples: pd.DataFrame, modalities: dict[str, NumericTable]) -> Tables:
    """Drop and count what has no label or no measurement.

    Modalities are taken out one by one, so that no two copies are kept of more than one of them.
    """
    labelled = samples[samples["label"].notna()]
    measured = {name: table.index[table.measured()] for name, table in modalities.items()}
    ids = set().union(*measured.values())
    kept = labelled[labelled.index.isin(ids)].sort_index()
    return Tables(
        samples=kept,
        modalities={
            name: _sorted_rows(modalities.pop(name), measured[name].intersection(kept.index))
            for name in measured
        },
        dropped={
            UNLABELLED: int(samples["label"].isna().sum()),
            "labelled samples without any measurement": len(labelled) - len(kept),
            "measured samples that the table of samples lacks": len(ids - set(samples.index)),
        },
    )


def _sorted_rows(table: NumericTable, ids: pd.Index) -> NumericTable:
    return table.kept(table.index.get_indexer(ids.sort_values()))


def _check_measured(tables: Tables, key: str) -> list[Problem]:
    return [
        Problem(
            f"{key}.modalities.{name}",
            "no measurement of any labelled sample",
            "measurements of samples that have a label",
        )
        for name, table in tables.modalities.items()
        if not len(table.index) and len(tables.samples)
    ]


def _check_classes(tables: Tables, key: str) -> list[Problem]:
    names = tables.samples["label"].unique()
    if len(names) > 1:
        return []
    lost = listing(counted_samples(n, what) for what, n in tables.dropped.items() if n)
    left = len(tables.samples)
    kept = f"{counted(left, 'sample')} {inflected(left, 'is', 'are')} left"
    kept += f"{lost and ' after dropping '}{lost}"
    found = f"classes: {listing(map(shown, names)) or 'none'}; {kept}"
    return [Problem(f"{key}.label", found, "at least 2 classes")]


def _check_folds(tables: Tables, dataset: Dataset, folds: int | None, key: str) -> list[Problem]:
    """Return why the samples cannot be dealt to test folds as asked for."""
    samples = tables.samples
    problems = _check_groups(samples, key) if "group" in samples else []
    if dataset.folds:
        return problems + check_own_folds(samples, dataset.folds, f"{key}.folds")
    if folds is None:
        return problems or check_groups_out(samples, f"{key}.group")
    known = "group" in samples and not problems
    problems += _check_rarest(samples["label"], folds, key)
    return problems + (_check_spread(samples, folds, key) if known else [])


def _check_rarest(labels: pd.Series, folds: int, key: str) -> list[Problem]:
    counts = labels.value_counts()
    rare = counts[counts < folds]
    if rare.empty:
        return []
    members = listing(f"{name!r} has {count}" for name, count in rare.items())
    allowed = f"at least {folds} members per class"
    if len(counts) > len(labels) / 2:
        allowed += f" (a column of {len(counts):,} values holds measurements rather than classes)"
    elif counts.min() > 1:
        allowed += f", or evaluation.folds of {counts.min()} or less"
    return [Problem(f"{key}.label", f"classes rarer than the folds: {members}", allowed)]


def _check_groups(samples: pd.DataFrame, key: str) -> list[Problem]:
    unknown = samples.index[samples["group"].isna()]
    if unknown.empty:
        return []
    found = f"{counted(len(unknown), 'sample')} without a group: {listing(map(repr, unknown))}"
    return [Problem(f"{key}.group", found, "a group for every labelled sample")]


def _check_spread(samples: pd.DataFrame, folds: int, key: str) -> list[Problem]:
    groups = samples.groupby("label")["group"].nunique()
    few = groups[groups < folds]
    if few.empty:
        allowed = "classes in more groups, or another number of evaluation.folds"
        return check_dealt(samples["label"], samples["group"], folds, f"{key}.group", allowed)
    members = listing(
        f"{name!r} lies in {count} group{'s' * (count > 1)}" for name, count in few.items()
    )
    allowed = (
        f"every class in at least {folds} groups, or fewer evaluation.folds: with these groups"
    )
    return [Problem(f"{key}.group", members, f"{allowed} no stratified split exists")]


def _check_scheme(dataset: Dataset, folds: int | None, key: str) -> list[Problem]:
    """Return that a dataset without groups cannot leave one out."""
    if folds is not None or dataset.folds or dataset.group is not None:
        return []
    found = f"nothing, while evaluation.scheme is {Scheme.LEAVE_ONE_GROUP_OUT}"
    allowed = "a dataset with groups, or with folds of its own, or evaluation.scheme k-fold"
    return [Problem(f"{key}.group", found, allowed)]


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


def _read_samples(reading: Reading, dataset: Dataset) -> pd.DataFrame | None:
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
        found = f"{len(alike)} sets of sample ids that look alike: {_alike(alike)}"
        meaning = "they are taken for different samples"
        reading.remark(where, path, [(found, meaning)])
    return loaded.table


def read_modality(
    reading: Reading, name: str, file: ModalityFile, ids: pd.Index | None
) -> NumericTable | None:
    """Return the measurements of a modality as numbers, or None where they cannot be read."""
    where = f"{reading.key}.modalities.{name}"
    loaded = reading.attempt(where, load_measurements, file.path, file.modality or name, file.layer)
    if loaded is None:
        return None
    loaded = tidied(loaded, "features")
    reading.numbered(where, file.path, loaded)
    table, counts = numbers_for_texts(loaded.table, MissingTexts(MISSING_TEXTS))
    numeric, problems = check_modality(table, ids, file.kind, f"{where}: {file.path}")
    if ids is not None and name_of(loaded.id_name) in ids:
        found = f"the sample id {shown(loaded.id_name)} in the place of a header"
        problems.append(Problem(f"{where}: {file.path}", found, "a first line that names columns"))
    reading.problems += problems
    remarks = [*loaded.remarks, *missing_remark(counts), *_truths(table)]
    if numeric is not None and not problems:
        remarks += implausible(numeric, file.kind)
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


def _alike(sets: Iterable[Sequence[str]]) -> str:
    return listing(" and ".join(map(shown, some)) for some in sets)


def _check_twins(tables: Tables, dataset: Dataset, key: str) -> list[Problem]:
    """Return names that may be one: a class in two parts, or a patient on both sides of a split.

    They are refused rather than merged, since either guess may be wrong and neither shows.
    """
    keys = {"label": ("label", "classes"), "group": ("group", "groups")}
    keys |= {
        FOLD.format(repeat): (f"folds: {column}", "folds")
        for repeat, column in enumerate(dataset.folds)
    }
    problems = []
    for column in tables.samples:
        name, what = keys[column]
        alike = twins(tables.samples[column].dropna())
        if alike:
            found = f"{what} that look alike: {_alike(alike)}"
            allowed = (
                "one spelling where they are the same; else names that differ by more than case,"
                " accents, blanks, dashes, quotes or leading zeros"
            )
            problems.append(Problem(f"{key}.{name}", found, allowed))
    return problems


def _left_out(tables: Tables, table: pd.DataFrame, texts: pd.DataFrame) -> list[tuple[str, str]]:
    """Say which rows of the table of samples are not used."""
    unlabelled = table.index[texts["label"].isna()]
    kept = tables.samples.index
    unmeasured = table.index[texts["label"].notna()].difference(kept, sort=False)
    lost = {"without a label": unlabelled, "with a label but without any measurement": unmeasured}
    return [
        (
            f"{counted(len(ids), 'sample')} {what}: {listing(map(shown, ids[:SHOWN_CELLS]))}",
            "left out",
        )
        for what, ids in lost.items()
        if len(ids)
    ]


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
    reading = Reading(key, _check_scheme(dataset, folds, key))
    table = _read_samples(reading, dataset)
    ids = None if table is None or table.empty else table.index
    measured = {
        modality: read_modality(reading, modality, file, ids)
        for modality, file in dataset.used.items()
    }
    if reading.problems:
        raise UserError(reading.problems)
    texts, remarks = _columns(table, dataset, key)
    tables = _usable(texts, {name: each for name, each in measured.items() if each is not None})
    problems = _check_measured(tables, key)
    problems += _check_twins(tables, dataset, key)
    problems += _check_classes(tables, key) or _check_folds(tables, dataset, folds, key)
    if problems:
        raise UserError(problems)
    remarks += _left_out(tables, table, texts)
    reading.remark(f"{key}.samples", dataset.labelled[0], remarks)
    return replace(tables, warnings=tuple(dict.fromkeys(reading.cautions)))


def _columns(
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
    return pd.DataFrame(texts), remarks


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
    reading = Reading(key, _check_scheme(dataset, folds, key))
    for modality, file in dataset.used.items():
        reading.attempt(f"{key}.modalities.{modality}", check_file, file.path, file.layer)
    path = dataset.labelled[0]
    own = path not in {file.path for file in dataset.used.values()} and size_of(path) <= MOST_READ
    table = _read_samples(reading, dataset) if own else None
    if not own:
        reading.attempt(f"{key}.samples", check_file, path)
    if reading.problems:
        raise UserError(reading.problems)
    if table is not None:
        labels = _columns(table, dataset, key)[0]["label"]
        unlabelled = int(labels.isna().sum())
        left = Tables(pd.DataFrame({"label": labels.dropna()}), {}, {UNLABELLED: unlabelled})
        problems = _check_classes(left, key)
        if not problems and folds is not None and not dataset.folds:
            problems = _check_rarest(left.samples["label"], folds, key)
        if problems:
            raise UserError(problems)


def check_datasets(
    datasets: Mapping[str, Dataset],
    evaluation: Evaluation,
    cache: Path | None = None,
    most: int = MOST_READ,
) -> tuple[str, ...]:
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
    tuple of str
        What was accepted, but may mean something else than the user thinks, a line each; of an
        unchanged cohort too.

    Raises
    ------
    UserError
        With every problem of every dataset.
    """
    problems: list[Problem] = []
    warnings: list[str] = []
    outlined: list[str] = []
    folds = evaluation.fixed_folds
    for name, dataset in datasets.items():
        if dataset.catalogue is not None:
            problems += _check_scheme(resolve(name, dataset), folds, f"datasets.{name}")
            continue
        mark = cache / f"{_state(name, dataset, folds, cache)}.json" if cache else None
        if mark is not None and mark.is_file():
            warnings += read_json(mark)
            continue
        size = sum(map(size_of, dataset.files))
        try:
            if size > most:
                check_outline(name, dataset, folds)
                outlined.append(name)
                continue
            found = [str(caution) for caution in read_tables(name, dataset, folds).warnings]
        except UserError as error:
            problems += error.problems
            continue
        most -= size
        warnings += found
        if mark is not None:
            write_json(found, mark)
    if problems:
        raise UserError(problems)
    return (*warnings, *_left_to_jobs(outlined))


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
