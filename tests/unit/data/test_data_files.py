import csv
import errno
import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

import balmi
from balmi.data.files import (
    DiskFull,
    read_json,
    read_table,
    replace_when_written,
    sha256,
    write_json,
    write_table,
)
from balmi.data.inert import NUMBER
from balmi.data.readers import read_samples
from balmi.data.tensors import read_tensors, write_tensors


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
        '{\n  "a": "ß",\n  "b": [\n    1,\n    null\n  ],\n  "format": 1\n}\n'
    )
    assert read_json(path) == {"a": "ß", "b": [1, None]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.nan])
def test_json_refuses_what_is_no_number(tmp_path, value):
    path = tmp_path / "file.json"
    write_json({"a": 1}, path)
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": [value]}, path)
    assert read_json(path) == {"a": 1}
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


def test_parquet_is_read_through_no_file_of_python(tmp_path, monkeypatch):
    """A thread of pyarrow would let go of it, at worst while the process ends: SIGABRT."""
    table = pd.DataFrame({"sample": ["a", "b"], "value": [1.0, 2.0]})
    write_table(table, tmp_path / "own.parquet")
    monkeypatch.setattr("pandas.io.parquet.get_handle", None)
    pd.testing.assert_frame_equal(read_table(tmp_path / "own.parquet"), table)
    assert read_samples(tmp_path / "own.parquet").index.tolist() == ["a", "b"]


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


NAME = st.text(st.sampled_from("=+-@\t\r'\n\",;ab1 .|"), min_size=1, max_size=6)
NAMES = st.one_of(
    NAME,
    st.sampled_from(
        ["NA", "None", "nan", "1", "1.0", "-1", "01", "True", "=cmd|'/C calc'!A0", "''="]
    ),
)


@given(names=st.lists(NAMES, min_size=1, max_size=5))
def test_names_survive_csv_and_none_is_a_formula_there(names):
    numbers = np.linspace(-2.5, 3, len(names))
    table = pd.DataFrame({"class": names, "value": numbers, "modality": names[::-1]})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(table, path)
        back = read_table(path)
        cells = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))[1:]
    pd.testing.assert_frame_equal(back, table, check_dtype=False)
    assert back["value"].dtype == float
    for row in cells:
        for cell in (row[0], row[2]):
            assert cell[0] not in "=+-@\t\r" or NUMBER.fullmatch(cell)
        assert not row[1].startswith("'")


def test_parquet_holds_names_as_they_are(tmp_path):
    write_table(pd.DataFrame({"class": ["=1+1", "'="]}), tmp_path / "table.parquet")
    assert pd.read_parquet(tmp_path / "table.parquet")["class"].tolist() == ["=1+1", "'="]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("Can't decrement id ref count (errno = 28, No space left on device)"),
    ],
)
def test_a_full_disk_is_a_sentence(tmp_path, error):
    with pytest.raises(DiskFull, match="no room on the disk") as caught:
        stopped_halfway(tmp_path / "file.txt", error)
    assert caught.value.problems[0].where == str(tmp_path / "file.txt")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path):
    old, new = tmp_path / ".part1-a.json", tmp_path / ".part2-a.json"
    other = tmp_path / ".part1-b.json"
    for path in (old, new, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, 0))
    write_json({}, tmp_path / "a.json")
    assert sorted(os.listdir(tmp_path)) == [other.name, new.name, "a.json"]


def test_files_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_json({}, tmp_path / "a.json")
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "a.csv")
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "a.parquet")
        write_tensors({"a": np.ones(2)}, tmp_path / "a.safetensors")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}


def test_tensors_come_back_as_they_were_and_may_be_changed(tmp_path):
    tensors = {
        "a/b": np.arange(6.0).reshape(2, 3).T,
        "none": np.zeros((0, 4), dtype=np.float32),
        "single": np.array(3),
        "bits": np.array([True, False]),
        "bytes": np.arange(5, dtype=np.uint8),
    }
    write_tensors(tensors, tmp_path / "a.safetensors", {"epochs": 3})
    found, header = read_tensors(tmp_path / "a.safetensors")
    assert header == {"epochs": 3}
    assert set(found) == set(tensors)
    for name, value in tensors.items():
        np.testing.assert_array_equal(found[name], value)
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
        found[name][...] = 0
    write_tensors({}, tmp_path / "a.safetensors")
    assert read_tensors(tmp_path / "a.safetensors") == ({}, {})


def test_equal_tensors_are_equal_bytes_in_whatever_order_they_are_given(tmp_path):
    """The library writes what is no array in any order, which differs from call to call."""
    tensors = {"b": np.ones(3), "a": np.ones((2, 2), dtype=np.float32), "é": np.arange(3)}
    header = {"epochs": 3, "origin": "é"}
    written = set()
    for _ in range(8):
        tensors, header = (dict(reversed(each.items())) for each in (tensors, header))
        write_tensors(tensors, tmp_path / "a.safetensors", header)
        written.add((tmp_path / "a.safetensors").read_bytes())
    assert len(written) == 1
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        assert sorted(file.keys()) == ["a", "b", "é"]
        np.testing.assert_array_equal(file.get_tensor("b"), np.ones(3))
