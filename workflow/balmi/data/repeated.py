"""Whether several samples may be of one individual while nothing keeps them in one fold.

Of one individual, samples resemble each other, so that what has learned from some knows the others.
Scores are then too good, and nothing else shows it. A column of the table of samples that is called
after individuals, or ids that begin alike and end in what recurs, are as much as files tell of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from balmi.data.folds import FOLD
from balmi.data.names import MissingTexts
from balmi.errors import shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from balmi.config.settings import Dataset
    from balmi.data.usable import Tables

# A name that ends so holds individuals: some words alone, others, which may be a property as well,
# with what says that it is an identifier.
_IDENTIFIER = r"(?:id|ids|identifier|barcode|code|number|num|no|nr|key|uuid|submitter[ _.-]?id)"
_ALONE = "patient|subject|donor|participant|individual|proband|volunteer"
_NAMED = "case|person|host|mouse|animal|family|pedigree|litter|twin|infant|child|mother|pt"
_WORD = rf"(?:{_ALONE})s?(?:[ _.-]?{_IDENTIFIER})?|(?:{_NAMED})s?[ _.-]?{_IDENTIFIER}"
# Whether somebody is an in-patient, or how many there are, is no name.
_OTHER = r"(?!(?:in|out|n|no|num|number)[ _.\-:])(?!.*(?:\bof|_of)[ _.\-:])"
INDIVIDUALS = re.compile(rf"{_OTHER}(?:.*[ _.\-:])?(?:{_WORD})$", re.IGNORECASE)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Where an id may be parted: at a separator, or between a number and the letters behind it.
PARTED = re.compile(r"[ _.\-:/|]+|(?<=\d)(?=[A-Za-z]+$)")
# What tells cells of a well apart, and recurs in every well.
NUCLEOTIDES = re.compile(r"[ACGTN]{6,}(-\d+)?")
UNKNOWN = ("unknown", "not available", "not collected", "not provided")
MOST_ALIKE = 10  # ids of one individual; more that begin alike are rather of a plate or a site
FEWEST_ALIKE = 5  # individuals with several ids
COVERED = 0.2  # share of the samples that share their individual with another
RECURRING = 2.0  # samples per ending, as of visits; names of individuals hardly recur
ADVICE = "samples of one individual on both sides of a split make all scores too good"


def repeated_remarks(
    tables: Tables, table: pd.DataFrame, dataset: Dataset
) -> list[tuple[str, str]]:
    """Say where several samples may be of one individual, which no group or fold keeps together.

    Parameters
    ----------
    tables
        What is used of the cohort's tables.
    table
        The table of samples as read; columns by their names.
    dataset
        The dataset, for the columns that are in use.
    """
    used = {dataset.labelled[1], dataset.group, *dataset.folds}
    together = tables.samples[[name for name in tables.samples if name == "group" or _dealt(name)]]
    missing = MissingTexts([*dataset.missing, *UNKNOWN])
    rows = table.index.get_indexer(tables.samples.index)
    for place, name in enumerate(table.columns):
        if name not in used and INDIVIDUALS.match(CAMEL.sub("_", str(name))):
            texts = ["" if pd.isna(each) else str(each) for each in table.iloc[rows, place]]
            own = pd.Series(texts, tables.samples.index, dtype=object)
            own = own[[text not in missing for text in texts]]
            found = _of_column(own, together.loc[own.index])
            if found:
                told = f"{found} of column {shown(name)}"
                return [(told, f"set group: {name} if each is one individual: {ADVICE}")]
    if not together.shape[1]:
        alike = _of_ids(tables.samples.index)
        if alike:
            return [(alike, f"name a column of individuals as group if they are of one: {ADVICE}")]
    return []


def _dealt(name: object) -> bool:
    return str(name).startswith(FOLD.format(""))


def _of_column(own: pd.Series, together: pd.DataFrame) -> str | None:
    """Return how many individuals have several samples in several groups or folds, in words."""
    counts = own.map(own.value_counts())
    several = own[counts > 1]
    if own.nunique() < 2 or len(several) < COVERED * len(together):
        return None
    parts = together.loc[several.index].groupby(several.to_numpy()).nunique()
    if together.shape[1] and (parts <= 1).all(axis=None):
        return None
    return f"{counted(len(own), 'sample')} of {counted(own.nunique(), 'value')}"


def _of_ids(ids: pd.Index) -> str | None:
    """Say which ids begin alike and end in what recurs; None of none. Longest beginnings first."""
    parted = [[found.span() for found in PARTED.finditer(name)] for name in ids]
    for depth in range(1, 1 + max(map(len, parted), default=0)):
        rows = [
            (name, name[: spans[-depth][0]], name[spans[-depth][1] :])
            for name, spans in zip(ids, parted, strict=True)
            if len(spans) >= depth and not NUCLEOTIDES.fullmatch(name[spans[-depth][1] :])
        ]
        found = pd.DataFrame(rows, columns=["id", "start", "end"])
        size = found.groupby("start")["id"].transform("size")
        found = found[(size > 1) & (size <= MOST_ALIKE)]
        starts, ends = found["start"].nunique(), found["end"].nunique()
        if (
            starts >= FEWEST_ALIKE
            and len(found) >= COVERED * len(ids)
            and len(found) >= RECURRING * ends
        ):
            pair = found.loc[found["start"] == found["start"].iloc[0], "id"].iloc[:2]
            example = " and ".join(map(shown, pair))
            what = counted(len(found), "sample")
            return f"{what} whose ids begin alike by twos or more, as {example}"
    return None
