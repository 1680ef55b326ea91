"""What of a cohort's tables can be used, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from balmi.data.measurements import dense
from balmi.errors import first_of, listing, shown
from balmi.numerals import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from balmi.config.settings import Dataset
    from balmi.data.numeric import NumericTable
    from balmi.errors import Caution

SHOWN_SAMPLES = 3
FEWEST_SHARED = 5  # samples, of which fewer may be alike in two modalities by chance
UNLABELLED = "samples without a label"
SCARCE = 0.1  # share of the samples, below which a modality tells of few


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


def usable(samples: pd.DataFrame, modalities: dict[str, NumericTable]) -> Tables:
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


def understood(tables: Tables, dataset: Dataset) -> str:
    """Return what was read of a cohort, in a line, so that a user sees whether it was meant."""
    counts = tables.samples["label"].value_counts().sort_index()
    classes = listing(f"{shown(name)} {count:,}" for name, count in counts.items())
    parts = [f"{counted(len(tables.samples), 'sample')} by {dataset.label} ({classes})"]
    if "group" in tables.samples:
        parts.append(f"{counted(tables.samples['group'].nunique(), 'group')} by {dataset.group}")
    parts += [
        f"{name} {table.shape[0]:,} x {table.shape[1]:,}"
        for name, table in tables.modalities.items()
    ]
    return ", ".join(parts)


def left_out(tables: Tables, table: pd.DataFrame, texts: pd.DataFrame) -> list[tuple[str, str]]:
    """Say which rows of the table of samples are not used."""
    unlabelled = table.index[texts["label"].isna()]
    kept = tables.samples.index
    unmeasured = table.index[texts["label"].notna()].difference(kept, sort=False)
    lost = {"without a label": unlabelled, "with a label but without any measurement": unmeasured}
    return [
        (
            f"{counted(len(ids), 'sample')} {what}: {first_of(ids, SHOWN_SAMPLES)}",
            "left out",
        )
        for what, ids in lost.items()
        if len(ids)
    ]


def apart(tables: Tables) -> Iterator[tuple[str, str]]:
    """Say which modalities have no sample in common."""
    pairs = combinations(tables.modalities.items(), 2)
    alone = [
        f"{one} and {other}"
        for (one, first), (other, second) in pairs
        if not first.index.isin(second.index).any()
    ]
    if alone:
        yield (
            f"no sample has both of {listing(alone)}",
            "kept; what one adds to the other cannot be judged, and ids that are written"
            " differently look so too",
        )


def copied(tables: Tables) -> list[tuple[str, tuple[str, str]]]:
    """Say which modalities hold nothing but what one before them holds: a file may be named twice.

    Returns
    -------
    list of tuple
        Name of the modality, and the remark.
    """
    found = []
    for first, second in combinations(tables.modalities, 2):
        if _same(tables.modalities[first], tables.modalities[second]):
            meaning = "if one file was named in the place of another, mend its path"
            found.append((second, (f"exactly the values of modality {first}", meaning)))
    return found


def _same(table: NumericTable, other: NumericTable) -> bool:
    """Return whether two modalities have the same values of the samples that both have."""
    shared = table.index.intersection(other.index)
    if len(shared) < FEWEST_SHARED or table.shape[1] != other.shape[1]:
        return False
    rows, others = table.index.get_indexer(shared), other.index.get_indexer(shared)
    columns = np.arange(table.shape[1])
    named = other.columns.get_indexer(table.columns)
    columns = columns if (named < 0).any() else named
    for start in range(0, len(shared), FEWEST_SHARED):
        part = slice(start, start + FEWEST_SHARED)
        some = dense(table.values[rows[part]]), dense(other.values[others[part]])[:, columns]
        if not np.array_equal(*some, equal_nan=True):
            return False
    return True


def scarce(tables: Tables, modality: str) -> list[tuple[str, str]]:
    """Say where a modality is measured of few samples: perhaps ids of others are written apart."""
    having, count = len(tables.modalities[modality].index), len(tables.samples)
    if having >= SCARCE * count:
        return []
    found = f"measurements of {having:,} of {counted(count, 'labelled sample')}"
    return [(found, "see that its ids are those of the table of samples; else leave it out")]
