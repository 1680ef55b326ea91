"""New samples for a model: their files, read and checked, in the order of the model's features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from balmi.config.kinds import Kind
from balmi.config.settings import ModalityFile
from balmi.data.feature_names import match
from balmi.data.located import size_of
from balmi.data.matching import kin, pairs
from balmi.data.measurements import Measurements, dense
from balmi.data.model_files import opened, read_manifest
from balmi.data.names import MissingTexts
from balmi.data.readers import MOST_READ, check_file, load_samples
from balmi.data.reading import Reading, read_modality
from balmi.data.tidying import names_in, tidied
from balmi.errors import Problem, UserError, listing, nearest, shown
from balmi.numerals import counted, counted_samples, inflected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from balmi.config.settings import Prediction
    from balmi.data.numeric import NumericTable

EXAMPLES = 3


@dataclass(frozen=True)
class Newcomer:
    """What was found of one modality.

    Parameters
    ----------
    measured
        Rows of the new samples that have it, and their values in the order of the model's features,
        NaN where a feature or a cell is missing; dense.
    missing
        Which of the model's features the file lacks; (features,), bool.
    share
        Share of the features that the model looks at which are missing: those that it predicts by,
        or all that it knows where more of these are, and a transform looks at them.
    used
        How many those features are.
    extra
        How many features of the file the model does not know.
    absent
        Names of the missing ones among those that the model looks at.
    """

    measured: Measurements
    missing: np.ndarray
    share: float
    used: int
    extra: int
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Newcomers:
    """New samples.

    Parameters
    ----------
    samples
        Their ids, in the order of the table of samples, then of the files; (n,).
    labels
        Names of their classes, None where unknown, (n,); None where no table was given.
    groups
        Names of their groups likewise.
    modalities
        Name -> what was found of it, of those that were given.
    remarks
        What was accepted and should be known, a line each.
    """

    samples: np.ndarray
    labels: np.ndarray | None
    groups: np.ndarray | None
    modalities: dict[str, Newcomer]
    remarks: tuple[str, ...]


def _found(
    reading: Reading, where: str, table: NumericTable, about: Mapping[str, Any], most: float
) -> Newcomer | None:
    """Match the features of a table, or keep what is wrong with them."""
    features, kept = about["features"], np.array(about["kept"], dtype=np.int64)
    matched = match(list(table.columns), features)
    problems = [
        Problem(
            where,
            f"{listing(map(shown, names))}, which all mean one feature of the model",
            "one of them",
        )
        for names in matched.rivals
    ]
    missing = matched.places < 0
    # Where a transform looks at all features of a sample, those count too that nothing is learned
    # from, such as for the size of a library.
    looked = max(
        (rows for rows in (kept, np.arange(len(features))) if len(rows)),
        key=lambda rows: missing[rows].mean(),
        default=kept,
    )
    share = float(missing[looked].mean()) if len(looked) else 0.0
    absent = tuple(features[number] for number in looked[missing[looked]])
    if missing.all():
        allowed = f"features of the model, such as {listing(map(shown, features[:EXAMPLES]))}"
        if len(match([*map(str, table.index)], features).alike) or set(table.index) & set(features):
            allowed += " (the rows look like features: transpose the table)"
        found = f"no feature of the model; here are {listing(map(shown, table.columns[:EXAMPLES]))}"
        near = nearest(table.columns[0], features)
        problems.append(Problem(where, found, allowed, near))
    elif share > most:
        found = (
            f"{len(absent):,} of the {counted(len(looked), 'feature')} that the model looks at"
            f" {inflected(len(absent), 'is', 'are')} missing ({share:.0%}), such as"
            f" {listing(map(shown, absent[:EXAMPLES]))}"
        )
        allowed = (
            f"at most {most:.0%} (missing_share): a file that has them, a larger missing_share up"
            " to .5, or the modality left out"
        )
        problems.append(Problem(where, found, allowed))
    if problems:
        reading.problems += problems
        return None
    reading.remark(where.partition(": ")[0], where.partition(": ")[2], matched.remarks)
    values = np.full((len(table.index), len(features)), np.nan)
    columns = matched.places[~missing]
    values[:, ~missing] = dense(table.values[:, columns])
    extra = len(table.columns) - int((~missing).sum())
    rows = np.arange(len(table.index))
    return Newcomer(Measurements(rows, values), missing, share, len(looked), extra, absent)


def _labels(
    reading: Reading, prediction: Prediction, about: Mapping[str, Any]
) -> pd.DataFrame | None:
    """Return the columns label and group by sample id, or keep what is wrong with the table."""
    where, path = f"{reading.key}.samples", prediction.samples
    if path is None:
        return None
    loaded = reading.attempt(where, load_samples, path)
    if loaded is None:
        return None
    loaded = tidied(loaded, "columns")
    reading.remark(where, path, loaded.remarks)
    reading.numbered(where, path, loaded)
    table, missing = pd.DataFrame(loaded.table), MissingTexts(prediction.missing)
    if table.index.duplicated().any():
        twice = listing(map(shown, table.index[table.index.duplicated()].unique()))
        found = f"sample ids that occur more than once: {twice}"
        reading.problems.append(Problem(f"{where}: {path}", found, "every sample id once"))
        return None
    wanted = {"label": prediction.label or about["label"], "group": prediction.group}
    texts = {}
    for role, column in wanted.items():
        if column is None:
            continue
        if list(table.columns).count(column) != 1:
            columns = listing(map(repr, table.columns))
            near = nearest(column, table.columns)
            found = f"{column!r}, which is no single column of {path}"
            allowed = f"one of {columns}" if len(table.columns) else "a table with columns"
            reading.problems.append(Problem(f"{reading.key}.{role}", found, allowed, near))
            continue
        texts[role], told = names_in(table[column], missing, role, f"{reading.key}.missing")
        reading.remark(where, path, told)
    classes = about["classes"]
    if "label" in texts:
        known = texts["label"].dropna()
        strange = sorted(set(known) - set(classes))
        if strange:
            rows = counted(int(known.isin(strange).sum()), "row")
            found = f"{listing(map(shown, strange))} in {rows}"
            allowed = (
                f"classes of the model, {listing(map(shown, classes))}, or an empty cell where a"
                " sample is of none of them"
            )
            near = nearest(strange[0], classes)
            reading.problems.append(Problem(f"{where}: {path}", found, allowed, near))
    if prediction.group is not None and texts.keys() == wanted.keys():
        reading.remark(where, path, _ungrouped(prediction.group, texts["group"], texts["label"]))
    return pd.DataFrame(texts, index=table.index)


def _ungrouped(column: str, groups: pd.Series, labels: pd.Series) -> list[tuple[str, str]]:
    """Say what is made of samples that have a class, and no group where others may have one."""
    lost = groups[labels.notna()].isna()
    if not lost.any():
        return []
    of = f"{counted(len(lost), 'row')} with a class"
    among = f"all of {of}" if lost.all() else f"{int(lost.sum()):,} of {of}"
    found = f"group {shown(column)}: empty in {among}"
    return [(found, "intervals take each of these samples as a group of its own")]


def read_newcomers(name: str, prediction: Prediction, about: Mapping[str, Any]) -> Newcomers:
    """Read and check the files of new samples.

    Parameters
    ----------
    name
        The prediction's name.
    prediction
        Its settings.
    about
        What the model says of itself (`balmi.data.model_files.read_manifest`).

    Raises
    ------
    UserError
        With every problem of every file.
    """
    key = f"predict.{name}"
    reading = Reading(key)
    known = {modality["name"]: modality for modality in about["modalities"]}
    reading.problems += [
        Problem(
            f"{key}.modalities.{modality}",
            "a modality that the model does not know",
            f"one of {listing(known)}",
            nearest(modality, known),
        )
        for modality in prediction.modalities
        if modality not in known
    ]
    texts = _labels(reading, prediction, about)
    found: dict[str, tuple[pd.Index, Newcomer]] = {}
    for modality, own in known.items():
        file = prediction.modalities.get(modality)
        if file is None:
            continue
        of_kind = ModalityFile(kind=Kind(own["kind"]), **file.model_dump())
        table = read_modality(reading, modality, of_kind, None)
        if table is None or not all(table.shape):
            continue
        where = f"{key}.modalities.{modality}: {file.path}"
        newcomer = _found(reading, where, table, own, prediction.missing_share)
        if newcomer is not None:
            found[modality] = table.index, newcomer
    if reading.problems:
        raise UserError(reading.problems)
    return _joined(reading, prediction, found, texts)


def _joined(
    reading: Reading,
    prediction: Prediction,
    found: dict[str, tuple[pd.Index, Newcomer]],
    texts: pd.DataFrame | None,
) -> Newcomers:
    """Join what was found by sample id; a sample may lack modalities, but not all."""
    parts, ids = {}, [] if texts is None else [*texts.index]
    for modality, (index, newcomer) in found.items():
        has = ~np.isnan(newcomer.measured.values).all(axis=1)
        parts[modality] = index[has], newcomer, newcomer.measured.values[has]
        ids += [*index[has]]
    measured: set[str] = set().union(*(index for index, _, _ in parts.values()))
    samples = pd.Index([each for each in dict.fromkeys(ids) if each in measured], dtype=str)
    if samples.empty:
        found_ = "no sample with any measurement"
        raise UserError(Problem(f"{reading.key}.modalities", found_, "one, or more"))
    if texts is not None:
        _remark_unmatched(reading, prediction, samples, texts.index)
    _check_ids(reading, prediction, {modality: index for modality, (index, _, _) in parts.items()})
    modalities = {}
    for modality, (index, newcomer, values) in parts.items():
        rows = samples.get_indexer(index)
        order = np.argsort(rows)
        modalities[modality] = replace(newcomer, measured=Measurements(rows[order], values[order]))

    def column(role: str) -> np.ndarray | None:
        if texts is None or role not in texts:
            return None
        cells = texts[role].reindex(samples).astype(object)
        return cells.where(cells.notna(), None).to_numpy()

    remarks = tuple(dict.fromkeys(map(str, reading.cautions)))
    names = samples.to_numpy(dtype=str)
    return Newcomers(names, column("label"), column("group"), modalities, remarks)


def _check_ids(reading: Reading, prediction: Prediction, ids: Mapping[str, pd.Index]) -> None:
    """Say where ids of one modality look like others of another, so that a sample is taken for two.

    Raises
    ------
    UserError
        Where two modalities with such ids share no sample.
    """
    problems = []
    met = pd.Index(np.concatenate([index.to_numpy() for index in ids.values()]))
    if len(ids) > 1 and not met.duplicated().any():
        first, *others = ids
        shown_ = "; ".join(
            f"{name}: {listing(map(shown, index[:EXAMPLES]))}" for name, index in ids.items()
        )
        found = f"no sample that {first} and {listing(others)} share ({shown_})"
        advice = "every sample is predicted from one modality: see that ids are the same in all"
        reading.remark(
            f"{reading.key}.modalities", prediction.modalities[first].path, [(found, advice)]
        )
    for first, second in combinations(ids, 2):
        shared = ids[first].intersection(ids[second])
        alike = kin(ids[first].difference(shared), ids[second].difference(shared))
        if not alike:
            continue
        where = f"{reading.key}.modalities.{second}"
        found = f"{counted(len(alike), 'id')} much like those of {first}: {pairs(alike)}"
        if shared.empty:
            problems.append(Problem(where, found, "the same id of a sample in all files"))
        else:
            path = prediction.modalities[second].path
            reading.remark(where, path, [(found, "they are taken for different samples")])
    if problems:
        raise UserError(problems)


def _remark_unmatched(
    reading: Reading, prediction: Prediction, samples: pd.Index, known: pd.Index
) -> None:
    """Say which samples the table of samples lacks, and which of it were not measured."""
    lost = {
        "measured samples that the table of samples lacks": samples.difference(known, sort=False),
        "samples of the table without any measurement": known.difference(samples, sort=False),
    }
    ends = ("predicted, and compared with no class", "left out")
    told = [
        (f"{counted_samples(len(ids), what)}: {listing(map(shown, ids[:EXAMPLES]))}", end)
        for (what, ids), end in zip(lost.items(), ends, strict=True)
        if len(ids)
    ]
    reading.remark(f"{reading.key}.samples", str(prediction.samples), told)


def check_predictions(
    predictions: Mapping[str, Prediction],
    made: Callable[[str], bool],
    most: int = MOST_READ,
) -> tuple[str, ...]:
    """Check all that can be checked of predictions before any job.

    Parameters
    ----------
    predictions
        Name -> its settings.
    made
        Whether a job of this run makes a file: a model that is yet to be made is looked at then.
    most
        Bytes of files that are read here at most, in all; of larger ones the outside is looked at.

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
        size = sum(map(size_of, prediction.files))
        found: list[Problem] = []
        about = None if made(prediction.model) else _manifest(name, prediction, found)
        if about is None or size > most:
            problems += found + _outside(name, prediction)
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


def _outside(name: str, prediction: Prediction) -> list[Problem]:
    """Return what is wrong with files, as far as that is seen without reading them."""
    reading = Reading(f"predict.{name}")
    for modality, file in prediction.modalities.items():
        reading.attempt(f"{reading.key}.modalities.{modality}", check_file, file.path, file.layer)
    if prediction.samples is not None:
        reading.attempt(f"{reading.key}.samples", check_file, prediction.samples)
    return reading.problems
