"""No page tells where files lie on the machine that made it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.data.cohort import INPUTS, read_cohort, write_cohort
from balmi.data.files import read_table, write_table
from balmi.data.inputs import InputFile, Inputs
from balmi.report.paths import Shown
from balmi.report.render import build_report

RUN = Path("/home/anna/projects/run")
SHOWN = Shown(RUN, {"path": "/data/the lab's files/rna.csv"})


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/home/anna/projects/run/data/rna.csv", "data/rna.csv"),
        ("/home/anna/secret/rna.csv", "rna.csv"),
        ("data/rna.csv", "data/rna.csv"),
        ("~/secret/rna.csv", "rna.csv"),
        ("$HOME/secret/rna.csv", "rna.csv"),
        ("C:\\Users\\anna\\rna.csv", "rna.csv"),
    ],
)
def test_a_path_is_shown_from_the_folder_of_the_run_or_by_its_name(path, told):
    assert SHOWN.path(path) == told
    assert SHOWN.text(path) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("'/home/anna/x/rna.csv' has no rows", "'rna.csv' has no rows"),
        ("/home/anna/projects/run/d/rna.csv, line 3: short", "d/rna.csv, line 3: short"),
        ("/data/the lab's files/rna.csv: short", "rna.csv: short"),
        ("see ~/x/log.txt or ${HOME}/x/log.txt", "see log.txt or log.txt"),
        ("file:///home/anna/x.csv and rna:/home/anna/x.csv", "x.csv and rna:x.csv"),
        ("/data/the lab's files/other.csv", "other.csv"),
        ("12 and/or 3/4 of 5 / 6", "12 and/or 3/4 of 5 / 6"),
        ("https://example.org/a/b.csv", "https://example.org/a/b.csv"),
        ("https://anna:secret@example.org/a.csv", "https://example.org/a.csv"),
        ("0.612 (0.5 to 0.7)", "0.612 (0.5 to 0.7)"),
    ],
)
def test_texts_keep_everything_else(text, told):
    assert SHOWN.text(text) == told


folder = st.text("abcXYZ019_-.", min_size=1, max_size=8).filter(lambda name: name.strip("."))


@given(st.lists(folder, min_size=1, max_size=4), folder, st.sampled_from(["", "bad: ", "'"]))
def test_no_folder_outside_the_run_is_told(folders, name, before):
    path = f"/home/anna-{'/'.join(folders)}/{name}"
    told = SHOWN.text(f"{before}{path}")
    assert "anna-" not in told
    assert told == f"{before}{name}"


def test_settings_and_tables():
    settings = {"a": ["/x/y/z.csv", 3], "b": {"c": "~/z.csv", "d": None, "e": "k-fold"}}
    assert SHOWN.settings(settings) == {
        "a": ["z.csv", 3],
        "b": {"c": "z.csv", "d": None, "e": "k-fold"},
    }
    table = pd.DataFrame({"reason": ["no /x/y/z.csv", None], "sample": ["/x/y/z", "b"]})
    found = SHOWN.table(table)
    assert found["reason"][0] == "no z.csv"
    assert pd.isna(found["reason"][1])
    assert list(found["sample"]) == ["/x/y/z", "b"]
    numbers = pd.DataFrame({"value": [0.5, 1.0]})
    pd.testing.assert_frame_equal(SHOWN.table(numbers), numbers)


def test_neither_page_nor_summary_names_a_folder(inputs, tmp_path):
    """Absolute paths in the configuration, in reasons, in warnings and of the tables themselves."""
    secret = "/home/anna/study of secrets"
    methods = read_table(inputs.tables["methods"])
    methods = methods.astype({"reason": object})  # empty so far
    methods.loc[0, ["status", "reason"]] = "failed", f"OSError: {secret}/model.bin is damaged"
    write_table(methods, tmp_path / "methods.csv")
    cohort = read_cohort(inputs.samples.with_name("cohort.h5mu"))
    warnings = [f"{secret}/rna.csv, line 3: <b>short</b>"]
    files = Inputs("2026-11-30", (InputFile(f"{secret}/rna.csv", 9, "ab12"),))
    told = {"warnings": warnings, INPUTS: files.as_json()}
    write_cohort(
        replace(cohort, provenance={**cohort.provenance, **told}),
        tmp_path / "cohort.h5mu",
        tmp_path / "samples.json",
    )
    dataset = {
        "samples": f"{secret}/labels.csv",
        "modalities": {"rna": {"path": f"{secret}/rna.csv"}, "mirna": {"path": "~anna/mirna.csv"}},
    }
    changed = replace(
        inputs,
        tables={**inputs.tables, "methods": tmp_path / "methods.csv"},
        samples=tmp_path / "samples.json",
        dataset_settings=dataset,
    )
    build_report(changed, tmp_path / "report.html", tmp_path / "view.json")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    view = (tmp_path / "view.json").read_text(encoding="utf-8")
    embedded = [b64decode(each).decode() for each in re.findall(r"csv;base64,([\w+/=]+)", page)]
    assert len(embedded) > 10
    for text in (page, view, *embedded):
        assert "anna" not in text
        assert "study of secrets" not in text
        assert str(inputs.samples.parent) not in text
    assert "samples: labels.csv" in page
    assert "path: mirna.csv" in page
    assert "OSError: model.bin is damaged" in page
    assert "data read on 2026-11-30" in page
    assert "<code>ab12</code>" in page
    assert "rna.csv, line 3: &lt;b&gt;short&lt;/b&gt;" in page
    assert json.loads(view)["not_ok"][0]["reason"] == "OSError: model.bin is damaged"
