"""New samples for a model: their files, read and checked, in the order of the model's features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from balmi.config.kinds import Kind
from balmi.config.settings import ModalityFile
from balmi.data.feature_names import Match, match
from balmi.data.matching import kin, pairs
from balmi.data.measurements import Measurements, dense
from balmi.data.names import MissingTexts
from balmi.data.readers import load_samples
from balmi.data.reading import Reading, read_modality
from balmi.data.tidying import names_in, tidied
from balmi.errors import Problem, UserError, listing, nearest, shown
from balmi.numerals import counted, counted_samples, inflected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from balmi.config.settings import Prediction
    from balmi.data.numeric import NumericTable

EXAMPLES = 3
FEWEST_TO_TELL = 10  # samples without a value of a feature, for it to count as not measured


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


@dataclass(frozen=True)
class Matched:
    """Which features of a model a file has.

    Parameters
    ----------
    match
        The names that are the same, or mean the same.
    looked
        Numbers of the features that the model looks at: those that it predicts by, or all that it
        knows where more of these are missing. Where a transform looks at all features of a sample,
        those count too that nothing is learned from, such as for the size of a library.
    features
        Names of all.
    empty
        Which of them the file has as columns without any value, and so lacks; (features,), bool.
    """

    match: Match
    looked: np.ndarray
    features: Sequence[str]
    empty: np.ndarray

    @classmethod
    def of(cls, columns: Sequence[str], about: Mapping[str, Any]) -> Matched:
        """Match the columns of a file with a modality of a model."""
        matched = match(columns, about["features"])
        return cls._of(matched, about, np.zeros(len(matched.places), dtype=bool))

    def without(self, empty: np.ndarray, about: Mapping[str, Any]) -> Matched:
        """Return the same where some columns, by the model's features, hold nothing."""
        places = np.where(empty, -1, self.match.places)
        return self._of(replace(self.match, places=places), about, empty)

    @classmethod
    def _of(cls, matched: Match, about: Mapping[str, Any], empty: np.ndarray) -> Matched:
        features, kept = about["features"], np.array(about["kept"], dtype=np.int64)
        looked = max(
            (rows for rows in (kept, np.arange(len(features))) if len(rows)),
            key=lambda rows: (matched.places[rows] < 0).mean(),
            default=kept,
        )
        return cls(matched, looked, features, empty)

    @property
    def missing(self) -> np.ndarray:
        """Which of the model's features the file lacks; (features,), bool."""
        return self.match.places < 0

    @property
    def share(self) -> float:
        """Share of the features that the model looks at which are missing."""
        return float(self.missing[self.looked].mean()) if len(self.looked) else 0.0

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the missing ones among those."""
        return tuple(self.features[number] for number in self.looked[self.missing[self.looked]])

    @property
    def _of_these_empty(self) -> str:
        count = int(self.empty[self.looked].sum())
        return f", {count:,} of them as columns without any value" if count else ""

    def remarks(self) -> list[tuple[str, str]]:
        """Return what is to be said of the features that were found."""
        if not self.empty.any():
            return self.match.remarks
        names = [name for name, none in zip(self.features, self.empty, strict=True) if none]
        some = listing(map(shown, names[:EXAMPLES]))
        found = f"{counted(len(names), 'feature')} of the model without any value: {some}"
        return [*self.match.remarks, (found, "they count as missing")]

    def problems(
        self, where: str, columns: Sequence[str], rows: Sequence[str], most: float
    ) -> list[Problem]:
        """Return what is wrong with the names of a file.

        Parameters
        ----------
        where
            The key that names it, and the file.
        columns, rows
            Its names; no rows where these are not read.
        most
            Largest share of features that may be missing.
        """
        features = self.features
        problems = [
            Problem(
                where,
                f"{listing(map(shown, names))}, which all mean one feature of the model",
                "one of them",
            )
            for names in self.match.rivals
        ]
        if self.missing.all() and not self.empty.any():
            examples = listing(map(shown, features[:EXAMPLES]))
            allowed, near = f"features of the model, such as {examples}", None
            if len(match([*map(str, rows)], features).alike) or set(rows) & set(features):
                allowed += " (the rows look like features: transpose the table)"
            else:
                near = nearest(columns[0], features)
            found = f"no feature of the model; here are {listing(map(shown, columns[:EXAMPLES]))}"
            problems.append(Problem(where, found, allowed, near))
        elif self.share > most:
            absent, looked = self.absent, len(self.looked)
            found = (
                f"{len(absent):,} of the {counted(looked, 'feature')} that the model looks at"
                f" {inflected(len(absent), 'is', 'are')} missing{self._of_these_empty}"
                f" ({self.share:.0%}), such as {listing(map(shown, absent[:EXAMPLES]))}"
            )
            allowed = (
                f"at most {most:.0%} (missing_share): a file that has them, a larger missing_share"
                " up to .5, or the modality left out"
            )
            problems.append(Problem(where, found, allowed))
        return problems


def _found(
    reading: Reading, where: str, table: NumericTable, about: Mapping[str, Any], most: float
) -> Newcomer | None:
    """Match the features of a table, or keep what is wrong with them."""
    columns = list(table.columns)
    matched = Matched.of(columns, about)
    values = _values(table, matched)
    if len(values) >= FEWEST_TO_TELL:
        matched = matched.without(~matched.missing & np.isnan(values).all(axis=0), about)
    problems = matched.problems(where, columns, list(table.index), most)
    if problems:
        reading.problems += problems
        return None
    missing, share, looked = matched.missing, matched.share, matched.looked
    remarks = [*matched.remarks(), *_scarce(table, values[:, matched.looked], share, most)]
    reading.remark(where.partition(": ")[0], where.partition(": ")[2], remarks)
    extra = len(columns) - int((~missing | matched.empty).sum())
    rows = np.arange(len(table.index))
    measured = Measurements(rows, values)
    return Newcomer(measured, missing, share, len(looked), extra, matched.absent)


def _values(table: NumericTable, matched: Matched) -> np.ndarray:
    """Return measurements in the order of a model's features, NaN where one is missing."""
    there = ~matched.missing
    values = np.full((len(table.index), len(there)), np.nan)
    values[:, there] = dense(table.values[:, matched.match.places[there]])
    return values


def _scarce(
    table: NumericTable, values: np.ndarray, share: float, most: float
) -> list[tuple[str, str]]:
    """Say which samples have few values, where that is not told of their features."""
    lacking = np.isnan(values).mean(axis=1)
    few = table.index[(lacking > max(share, most)) & table.measured()]
    if few.empty:
        return []
    some = listing(map(shown, few[:EXAMPLES]))
    found = (
        f"{counted_samples(len(few), 'samples')} with few values of the model's features: {some}"
    )
    return [(found, "training medians take their place, and evidence counts as if they were there")]


def read_labels(
    reading: Reading, prediction: Prediction, about: Mapping[str, Any]
) -> pd.DataFrame | None:
    """Return the columns label and group by sample id, or keep what is wrong with the table.

    Parameters
    ----------
    reading
        What is wrong and what is to be known is kept there.
    prediction
        The prediction, whose table of samples is read where it names one.
    about
        What the model says of itself; no ``classes`` where these are not known yet.
    """
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
    classes = about.get("classes")
    if "label" in texts and classes is not None:
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


def unknown_modalities(
    key: str, prediction: Prediction, known: Mapping[str, object]
) -> list[Problem]:
    """Return which modalities of new samples the model does not have.

    Parameters
    ----------
    key
        The prediction's key.
    prediction
        The prediction.
    known
        The model's modalities by name.
    """
    return [
        Problem(
            f"{key}.modalities.{modality}",
            "a modality that the model does not know",
            f"one of {listing(known)}",
            nearest(modality, known),
        )
        for modality in prediction.modalities
        if modality not in known
    ]


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
    reading.problems += unknown_modalities(key, prediction, known)
    texts = read_labels(reading, prediction, about)
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
        _check_matched(reading, prediction, samples, texts)
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


def _check_matched(
    reading: Reading, prediction: Prediction, samples: pd.Index, texts: pd.DataFrame
) -> None:
    """Say which samples the table of samples lacks, and which of it were not measured.

    Raises
    ------
    UserError
        Where all are.
    """
    where, path, known = f"{reading.key}.samples", str(prediction.samples), texts.index
    ends = [listing(map(shown, ids[:EXAMPLES])) for ids in (known, samples)]
    if not samples.isin(known).any():
        found = f"no sample that was measured: here {ends[0] or 'none'}, there {ends[1]}"
        allowed = "ids as in the measurements, in the first column; or no table of samples"
        raise UserError(Problem(f"{where}: {path}", found, allowed))
    lost = {
        "measured samples that the table of samples lacks": samples.difference(known, sort=False),
        "samples of the table without any measurement": known.difference(samples, sort=False),
    }
    ends = ["predicted, and compared with no class", "left out"]
    told = [
        (f"{counted_samples(len(ids), what)}: {listing(map(shown, ids[:EXAMPLES]))}", end)
        for (what, ids), end in zip(lost.items(), ends, strict=True)
        if len(ids)
    ]
    if "label" in texts and texts["label"].reindex(samples).isna().all():
        found = "no class of any sample that was measured"
        told.append((found, "predictions are compared with nothing"))
    reading.remark(where, path, told)
