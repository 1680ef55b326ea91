"""Files of released versions, read by today's code."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import balmi
from balmi.config.load import load_settings
from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import read_cohort
from balmi.data.files import read_table
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.evaluate import evaluation_tables
from balmi.evaluation.statistics import split_ratio
from balmi.tables.contract import TABLES

ARCHIVE = Path(__file__).parents[1] / "archive"
VERSIONS = sorted(path.parent.name for path in ARCHIVE.glob("*/config.yaml"))
pytestmark = pytest.mark.parametrize("version", VERSIONS)


def settings_of(version):
    path = ARCHIVE / version / "config.yaml"
    return load_settings(yaml.safe_load(path.read_text(encoding="utf-8")), [path])


def cohort_of(version):
    return read_cohort(ARCHIVE / version / "results" / "cohort.h5mu")


def table_of(version, name):
    return read_table(ARCHIVE / version / "results" / TABLES[name].file, name)


def test_every_release_is_kept(version):
    assert balmi.__version__ in VERSIONS
    assert version <= balmi.__version__


def test_the_cohort_is_what_today_is_made_of_the_same_files(version, monkeypatch):
    monkeypatch.chdir(ARCHIVE / version)
    settings, kept = settings_of(version), cohort_of(version)
    made = assemble_cohort("mine", settings.datasets["mine"], settings.evaluation.folds)
    assert (kept.samples == made.samples).all()
    assert (kept.labels == made.labels).all()
    assert (kept.classes, kept.features, kept.kinds) == (made.classes, made.features, made.kinds)
    for name, values in made.values.items():
        np.testing.assert_array_equal(kept.values[name], values)


def test_the_splits_are_those_that_are_dealt_today(version):
    evaluation = settings_of(version).evaluation
    kept = table_of(version, "splits")
    pd.testing.assert_frame_equal(kept, make_splits(cohort_of(version), evaluation))
    assert len(as_splits(kept, cohort_of(version))) == evaluation.repeats * evaluation.folds


def test_what_predictions_decide_is_decided_alike(version):
    ratio = split_ratio(table_of(version, "splits"))
    made = evaluation_tables(table_of(version, "predictions"), cohort_of(version), ratio)
    for name in ("performance", "comparisons", "class_performance", "summary"):
        pd.testing.assert_frame_equal(table_of(version, name), made[name], check_dtype=False)


def test_every_table_obeys_its_contract(version):
    folder = ARCHIVE / version / "results"
    files = {table.file: name for name, table in TABLES.items()}
    kept = [path.relative_to(folder).as_posix() for path in folder.glob("tables/*")]
    assert len(kept) > 10
    for file in kept:
        table = read_table(folder / file, files[file])
        assert TABLES[files[file]].problems(table) == []
