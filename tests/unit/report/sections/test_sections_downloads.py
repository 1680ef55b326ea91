"""What a page offers to download."""

import base64
import gzip
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from balmi.data.files import csv_text, sha256
from balmi.data.model_files import MODEL, SUMMED, write_sums, write_zip
from balmi.report.sections.provenance.downloads import LONG, downloads, embedded, packed
from balmi.report.sections.provenance.drawn import availability


@pytest.mark.parametrize(
    ("told", "room", "held", "inside"),
    [
        ({"holds_rows": False}, 10_000, False, True),
        ({}, 10_000, False, True),
        ({"holds_rows": True}, 10_000, True, False),
        ({"holds_rows": False}, 100, False, False),
    ],
)
def test_a_model_travels_with_a_page_unless_it_holds_samples(tmp_path, told, room, held, inside):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in SUMMED:
        (folder / name).write_text("a file")
    (folder / MODEL).write_text(json.dumps(told))
    write_sums(folder)
    write_zip(folder, tmp_path / "model.zip")
    found = packed(tmp_path / "model.zip", "results/a/model.zip", room)
    assert (found.held, found.uri is not None) == (held, inside)
    assert found.sha256 == sha256(tmp_path / "model.zip")
    if found.uri is not None:
        content = base64.b64decode(found.uri.partition("base64,")[2])
        assert content == (tmp_path / "model.zip").read_bytes()


def offered(room=10**6, drawn=None, **tables):
    """Return what a page offers of tables, by name."""
    paths, sums = ({name: f"{name}.{end}" for name in tables} for end in ("csv", "sum"))
    texts = embedded(tables, drawn or {})
    return {each.name: each for each in downloads(tables, texts, paths, sums, room)}


def content(found):
    return base64.b64decode(found.uri.partition("base64,")[2])


def test_long_tables_are_packed_and_short_ones_are_plain():
    long = pd.DataFrame({"value": range(LONG)})
    found = offered(performance=long, summary=long.head(9))
    assert {name: each.file for name, each in found.items()} == {
        "performance": "performance.csv.gz",
        "summary": "summary.csv",
    }
    text = long.to_csv(index=False).encode()
    assert gzip.decompress(content(found["performance"])) == text
    assert found["performance"].uri.startswith("data:application/gzip;")
    assert found["performance"].size == len(text)
    assert len(found["performance"].uri) < len(text) / 1.5
    assert offered(performance=long) == {"performance": found["performance"]}  # whenever it is made


def test_what_does_not_fit_is_left_out_the_largest_first():
    long = pd.DataFrame({"value": range(LONG)})
    found = offered(1_000, performance=long, summary=long.head(9))
    assert found["performance"].uri is None
    assert content(found["summary"]).startswith(b"value\n0\n")


def test_a_table_is_judged_by_what_it_takes_when_packed():
    """A table of 60,000 equal cells is long as text, and short as a file of a page."""
    same = pd.DataFrame({"value": [0.5] * 60_000})
    found = offered(1_500, performance=same)["performance"]
    assert (found.rows, found.size, found.drawn) == (60_000, 240_006, False)
    assert len(found.uri) < 1_500


def test_of_a_table_that_is_too_large_the_page_offers_what_figures_show():
    long = pd.DataFrame({"value": np.random.default_rng(0).random(30_000)})
    drawn = {"training": long.head(3), "availability": long.head(2)}
    found = offered(10**6, drawn, training=long, summary=long.head(9))
    assert {name: (each.file, each.rows, each.drawn) for name, each in found.items()} == {
        "training": ("training-drawn.csv", 3, True),
        "summary": ("summary.csv", 9, False),
        "availability": ("availability.csv", 2, True),  # of no table
    }
    assert (found["training"].path, found["training"].sha256) == ("training.csv", "training.sum")
    assert (found["availability"].path, found["availability"].sha256) == ("", "")
    # Where all of it fits, it is there once.
    assert offered(10**6, {"training": long.head(3)}, training=long.head(9))["training"].rows == 9
    assert offered(10, drawn, training=long)["training"].uri is None


@pytest.mark.parametrize("others", [(0, 0), (3, 7)])
def test_availability_counts_the_patterns_that_are_not_listed(others):
    cohort = SimpleNamespace(
        modalities=[SimpleNamespace(name="rna"), SimpleNamespace(name="mirna")],
        patterns=[
            SimpleNamespace(lacks=(), count=9),
            SimpleNamespace(lacks=("mirna",), count=4),
        ],
        other_patterns=others,
    )
    lines = csv_text(availability(cohort)).splitlines()
    assert lines[:3] == [
        "pattern,has rna,has mirna,samples",
        "all modalities,1,1,9",
        "without mirna,1,0,4",
    ]
    assert lines[3:] == (["others (3 patterns),,,7"] if others[0] else [])
