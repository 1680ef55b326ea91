"""Whatever happens to a cohort's files: refused, accepted with a warning, or the same cohort."""

from pathlib import Path

import numpy as np
import pytest
from corruptions import (
    COUNT,
    DELIMITED,
    FORMATS,
    TABLES,
    TEXTS,
    dataset_of,
    good_cohort,
    write,
)

from balmi.data.reading import read_tables
from balmi.errors import UserError

FOLDS = 2


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Return what the uncorrupted cohort is read as."""
    return read_tables("own", write(good_cohort(), tmp_path_factory.mktemp("good"), "csv"), FOLDS)


def same(tables, clean):
    """Return whether two cohorts have the same samples, labels, groups, features and values."""
    if not tables.samples.equals(clean.samples) or set(tables.modalities) != set(clean.modalities):
        return False
    return all(
        list(table.index) == list(clean.modalities[name].index)
        and list(table.columns) == list(clean.modalities[name].columns)
        and np.array_equal(table.to_numpy(), clean.modalities[name].to_numpy(), equal_nan=True)
        for name, table in tables.modalities.items()
    )


def end_of(dataset, clean):
    """Return how the reading of a corrupted cohort ends; fail where it ends otherwise."""
    try:
        tables = read_tables("own", dataset, FOLDS)
    except UserError as error:
        places = [problem.where for problem in error.problems]
        assert all(place.startswith("datasets.own.") for place in places), places
        return "refused"
    if same(tables, clean):
        return "the same"
    files = {Path(dataset.samples).name, *(Path(file.path).name for file in dataset.used.values())}
    assert tables.warnings, "accepted as another cohort without a word"
    for caution in tables.warnings:
        assert caution.where.startswith("datasets.own.")
        assert caution.where.split(": ")[-1] in files
        assert str(Path(dataset.samples).parent) not in str(caution)
    return "warned of"


@pytest.mark.parametrize("form", FORMATS)
def test_the_good_cohort_is_the_same_in_every_format_and_has_no_warning(clean, tmp_path, form):
    tables = read_tables("own", write(good_cohort(), tmp_path, form), FOLDS)
    assert same(tables, clean)
    assert not tables.warnings
    assert len(tables.samples) == COUNT


def test_corruptions_are_many():
    assert len(TEXTS) + len(TABLES) >= 80


def every(names, step):
    """Return every n-th name: each costs a hundred times more to write as HDF5 than as text."""
    return sorted(names)[::step]


@pytest.mark.parametrize(
    ("form", "name"),
    [("csv", name) for name in TEXTS] + [("tsv", name) for name in every(TEXTS, 8)],
)
def test_corrupted_text(clean, tmp_path, form, name):
    corruption = TEXTS[name]
    write(good_cohort(), tmp_path, form)
    path = tmp_path / f"{corruption.table}.{form}"
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = corruption.change(lines, DELIMITED[form])
    if isinstance(changed, list):
        changed = ("\n".join(changed) + "\n").encode("utf-8")
    path.write_bytes(changed)
    paths = {table: str(tmp_path / f"{table}.{form}") for table in ("samples", "rna", "protein")}
    end_of(dataset_of(paths), clean)


STEPS = {"csv": 1, "tsv": 10, "parquet": 3, "h5ad": 11, "h5mu": 17}


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (form, name)
        for form, step in STEPS.items()
        for name in every([name for name in TABLES if form in TABLES[name].forms], step)
    ],
)
def test_corrupted_tables(clean, tmp_path, form, name):
    corruption, tables = TABLES[name], good_cohort()
    tables[corruption.table] = corruption.change(tables[corruption.table])
    end_of(write(tables, tmp_path, form), clean)
