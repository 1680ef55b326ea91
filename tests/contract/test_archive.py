"""Files of released versions, read by today's code."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import balmi
from balmi.config.load import load_settings
from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import read_cohort
from balmi.data.files import read_table, write_table
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.evaluate import evaluation_tables
from balmi.evaluation.statistics import split_ratio
from balmi.tables.contract import TABLES

ARCHIVE = Path(__file__).parents[1] / "archive"
VERSIONS = sorted(path.stem for path in ARCHIVE.glob("*.zip"))
RESULTS = Path("results", "mine")
pytestmark = pytest.mark.parametrize("version", VERSIONS, scope="module")


@pytest.fixture(scope="module")
def kept(tmp_path_factory, version):
    """Return the folder of what a version made, and of what it was made from."""
    folder = tmp_path_factory.mktemp(version)
    with zipfile.ZipFile(ARCHIVE / f"{version}.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def settings(kept):
    path = kept / "config.yaml"
    return load_settings(yaml.safe_load(path.read_text(encoding="utf-8")), [path])


@pytest.fixture(scope="module")
def cohort(kept):
    return read_cohort(kept / RESULTS / "cohort.h5mu")


@pytest.fixture(scope="module")
def table(kept):
    """Return a function that reads a table by its name."""
    return lambda name: read_table(kept / RESULTS / TABLES[name].file, name)


def test_every_release_is_kept(version):
    assert balmi.__version__ in VERSIONS
    assert version <= balmi.__version__


def test_the_cohort_is_what_today_is_made_of_the_same_files(kept, settings, cohort, monkeypatch):
    monkeypatch.chdir(kept)
    made = assemble_cohort("mine", settings.datasets["mine"], settings.evaluation.folds)
    assert (cohort.samples == made.samples).all()
    assert (cohort.labels == made.labels).all()
    for name in ("classes", "features", "kinds"):
        assert getattr(cohort, name) == getattr(made, name)
    for name, values in made.tables.items():
        # The file holds single precision.
        np.testing.assert_array_equal(cohort.tables[name], values.astype(np.float32))


def test_the_splits_are_those_that_are_dealt_today(settings, cohort, table):
    splits = table("splits")
    pd.testing.assert_frame_equal(splits, make_splits(cohort, settings.evaluation))
    folds = settings.evaluation.repeats * settings.evaluation.folds
    assert len(as_splits(splits, cohort)) == folds


def test_what_predictions_decide_is_decided_alike(settings, cohort, table, tmp_path):
    ratio = split_ratio(table("splits"))
    metric = settings.primary_metric
    made = evaluation_tables(table("predictions"), cohort, ratio, metric)
    for name in ("performance", "summary", "reliability"):
        write_table(made[name], tmp_path / f"{name}.csv", name)
        pd.testing.assert_frame_equal(table(name), read_table(tmp_path / f"{name}.csv", name))


def test_every_table_obeys_its_contract(kept):
    folder = kept / RESULTS
    names = {table.file: name for name, table in TABLES.items()}
    files = [path.relative_to(folder).as_posix() for path in folder.glob("tables/*")]
    assert len(files) > 10
    for file in files:
        assert TABLES[names[file]].problems(read_table(folder / file, names[file])) == []


def test_a_column_that_a_release_did_not_know_is_read_as_empty(kept):
    """Processor seconds came after 0.2.0; what the methods took by the clock is there."""
    file = kept / RESULTS / TABLES["methods"].file
    lacking = "processor_seconds" not in file.read_text(encoding="utf-8").partition("\n")[0]
    assert lacking == (kept.name.startswith("0.2.0"))
    table = read_table(file, "methods")
    assert table["processor_seconds"].isna().all() == lacking
    assert table["seconds"].notna().all()
