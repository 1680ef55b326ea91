import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import balmi
from balmi.data.files import replace_when_written, sha256, write_json, write_table


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "file.txt"
    with replace_when_written(path) as part:
        part.write_text("whole")
        assert not path.exists()
        assert part.suffix == path.suffix
        assert part.parent == path.parent
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["file.txt"]


def stopped_halfway(path, error):
    with replace_when_written(path) as part:
        part.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing_half_written(tmp_path, error):
    path = tmp_path / "file.txt"
    with pytest.raises(error):
        stopped_halfway(path, error)
    assert os.listdir(tmp_path) == []


def test_an_exception_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="stop"):
        stopped_halfway(path, ValueError("stop"))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    (tmp_path / "file.txt").write_text("old")
    with pytest.raises(FileNotFoundError), replace_when_written(tmp_path / "file.txt"):
        pass
    assert (tmp_path / "file.txt").read_text() == "old"


def test_json_is_sorted_and_plain(tmp_path):
    path = tmp_path / "file.json"
    write_json({"b": [1, None], "a": "ß"}, path)
    assert path.read_text(encoding="utf-8") == (
        '{\n  "a": "ß",\n  "b": [\n    1,\n    null\n  ]\n}\n'
    )
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "ß", "b": [1, None]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.nan])
def test_json_refuses_what_is_no_number(tmp_path, value):
    path = tmp_path / "file.json"
    write_json({"a": 1}, path)
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": [value]}, path)
    assert json.loads(path.read_text()) == {"a": 1}
    assert os.listdir(tmp_path) == ["file.json"]


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_tables_are_written_by_their_ending(tmp_path, name):
    path = tmp_path / name
    table = pd.DataFrame({"text": ["a,b", 'c "d"', "e\nf"], "number": [1.5, np.nan, 3]})
    write_table(table, path)
    read = pd.read_csv if name.endswith("csv") else pd.read_parquet
    pd.testing.assert_frame_equal(read(path), table)
    assert os.listdir(tmp_path) == [name]


def test_csv_is_the_same_everywhere(tmp_path):
    write_table(pd.DataFrame({"a": [1, 2]}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == b"a\n1\n2\n"


def test_checksum(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_reading_annotated_files_leaves_other_loggers_alone(capsys):
    """mudata's switch would give the root logger a handler that prints every line again."""
    code = (
        "import logging\n"
        "from balmi.data.files import annotated_files\n"
        "with annotated_files():\n    pass\n"
        "assert all(type(h) is logging.NullHandler for h in logging.root.handlers)\n"
    )
    library = str(Path(balmi.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "PYTHONPATH": library},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
