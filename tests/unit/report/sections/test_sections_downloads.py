"""What a page offers to download."""

import base64
import gzip
import json

import pandas as pd
import pytest

from balmi.data.files import sha256
from balmi.data.model_files import MODEL, SUMMED, write_sums, write_zip
from balmi.report.sections.provenance.downloads import LONG, downloads, packed


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


def offered(room=10**6, **tables):
    """Return what a page offers of tables, by name."""
    paths, sums = ({name: f"{name}.{end}" for name in tables} for end in ("csv", "sum"))
    return {each.name: each for each in downloads(tables, paths, room, sums)}


def content(found):
    return base64.b64decode(found.uri.partition("base64,")[2])


def test_long_tables_are_packed_and_short_ones_are_plain():
    long = pd.DataFrame({"value": range(LONG)})
    found = offered(performance=long, summary=long.head(9), per_sample=long)
    assert {name: each.ending for name, each in found.items()} == {
        "performance": ".csv.gz",
        "summary": ".csv",
        "per_sample": ".csv",  # which the page's script reads
    }
    text = content(found["per_sample"])
    assert (
        gzip.decompress(content(found["performance"])) == text == long.to_csv(index=False).encode()
    )
    assert found["performance"].uri.startswith("data:application/gzip;")
    assert found["performance"].size == len(text)
    assert len(found["performance"].uri) < len(found["per_sample"].uri) / 2
    assert offered(performance=long) == {"performance": found["performance"]}  # whenever it is made


def test_what_does_not_fit_is_left_out_the_largest_first():
    long = pd.DataFrame({"value": range(LONG)})
    found = offered(1_000, performance=long, summary=long.head(9))
    assert found["performance"].uri is None
    assert content(found["summary"]).startswith(b"value\n0\n")
