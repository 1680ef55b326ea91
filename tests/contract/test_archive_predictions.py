"""Predictions and tables that are kept, of releases and of states between them, read today."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from balmi.data.files import read_json, read_table
from balmi.data.model_files import FORMAT
from balmi.prediction.external import Carried
from balmi.report.predictions.page import build_prediction_page
from balmi.tables.contract import TABLES

ARCHIVE = Path(__file__).parents[1] / "archive"
NUMBER = re.compile(r"\d\.\d+")
PREDICTED = Path("results", "new")
KEPT = [
    path
    for path in sorted([*ARCHIVE.glob("*.zip"), *ARCHIVE.glob("between/*.zip")])
    if f"{PREDICTED.as_posix()}/predictions.csv" in zipfile.ZipFile(path).namelist()
]
pytestmark = pytest.mark.parametrize("path", KEPT, ids=[path.stem for path in KEPT], scope="module")


@pytest.fixture(scope="module")
def kept(tmp_path_factory, path):
    """Return the folder of what was made."""
    folder = tmp_path_factory.mktemp(path.stem)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def test_what_a_prediction_says_is_read(kept):
    table = read_table(kept / PREDICTED / "predictions.csv", "new_samples")
    about = read_json(kept / PREDICTED / "prediction.json", FORMAT)
    assert len(table) == about["samples"] == 12
    assert table.filter(like="p:").sum(axis=1).to_numpy() == pytest.approx(np.ones(12))
    assert (table["modalities"] == "rna").sum() == 3


def test_its_page_concludes_what_it_concluded(kept, tmp_path):
    files = [kept / PREDICTED / name for name in ("predictions.csv", "prediction.json")]
    assert (
        build_prediction_page(*files, {}, tmp_path / "report.html", tmp_path / "view.json") is None
    )
    told = read_json(kept / PREDICTED / "view.json", FORMAT)
    made = read_json(tmp_path / "view.json", FORMAT)
    assert {key: made[key] for key in ("name", "dataset", "model", "validation")} == {
        "name": "new",
        "dataset": "mine",
        "model": told["model"],
        "validation": True,
    }
    verdict, kept_verdict = (page["conclusions"][0] for page in (made, told))
    # A quarter of the samples have one modality alone, as no tested sample had: since then they are
    # not compared.
    assert kept_verdict["state"] == Carried.OPEN
    assert verdict["state"] == Carried.APART
    # Words may become better ones; scores stay, and the limits of the one inside. The limit of
    # calls that are all right is another one since then.
    made_numbers, kept_numbers = (NUMBER.findall(each["value"]) for each in (verdict, kept_verdict))
    assert made_numbers[:1] + made_numbers[2:] == kept_numbers[:1] + kept_numbers[2:]


def test_every_table_obeys_its_contract(kept):
    names = {table.file: name for name, table in TABLES.items()}
    folder = kept / "results" / "mine"
    files = [path.relative_to(folder).as_posix() for path in folder.glob("tables/*")]
    assert len(files) > 5
    for file in files:
        assert TABLES[names[file]].problems(read_table(folder / file, names[file])) == []
