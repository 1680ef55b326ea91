"""What a page offers to download."""

import base64
import json

import pytest

from balmi.data.files import sha256
from balmi.data.model_files import MODEL, SUMMED, write_sums, write_zip
from balmi.report.sections.provenance.downloads import packed


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
