import hashlib
import json
import os
import shutil
import time

import pytest

import balmi.data.contents
from balmi.data.contents import SETTLED, content


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,g1\na,1\n", encoding="utf-8")
    return path


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "memory"


@pytest.fixture
def readings(monkeypatch):
    """Return the files that were read, as if they had lain there for long."""
    read, checksum, now = [], balmi.data.contents.sha256, time.time_ns
    monkeypatch.setattr(balmi.data.contents.time, "time_ns", lambda: now() + 2 * SETTLED)

    def counted(path):
        read.append(path)
        return checksum(path)

    monkeypatch.setattr(balmi.data.contents, "sha256", counted)
    return read


def test_it_is_the_checksum_of_the_content(table, memory):
    expected = hashlib.sha256(b"id,g1\na,1\n").hexdigest()
    assert content(table) == content(table, memory) == content(str(table), memory) == expected


def test_an_unchanged_file_is_read_once(table, memory, readings):
    assert len({content(table, memory) for _ in range(3)}) == 1
    assert readings == [table]


def test_times_change_nothing(table, memory, readings):
    before = content(table, memory)
    for when in (1, 10**9, 4 * 10**9):
        os.utime(table, (when, when))
        assert content(table, memory) == before


def test_a_copy_and_a_moved_file_have_the_same(table, memory, readings, tmp_path):
    before = content(table, memory)
    copied = shutil.copy(table, tmp_path / "copy.csv")
    assert content(copied, memory) == before
    assert content(table.rename(tmp_path / "moved.csv"), memory) == before


@pytest.mark.parametrize("older", [True, False])
def test_a_file_put_in_its_place_with_its_own_date_is_seen(
    table, memory, readings, tmp_path, older
):
    before, state = content(table, memory), table.stat()
    other = tmp_path / "other.csv"
    other.write_text("id,g1\na,2\n", encoding="utf-8")
    when = state.st_mtime_ns - older * 10**15
    os.utime(other, ns=(when, when))
    shutil.copy2(other, table)
    assert (table.stat().st_size, table.stat().st_mtime_ns) == (state.st_size, when)
    assert content(table, memory) != before


def test_a_file_that_was_just_written_is_not_remembered(table, memory):
    content(table, memory)
    assert not memory.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"seen": 1}'])
def test_a_damaged_memory_is_replaced(table, memory, readings, text):
    before = content(table, memory)
    (kept,) = memory.iterdir()
    whole = kept.read_text(encoding="utf-8")
    kept.write_text(text, encoding="utf-8")
    assert content(table, memory) == before
    assert json.loads(kept.read_text(encoding="utf-8")) == json.loads(whole)


def test_size_and_time_stand_for_a_large_file(table, memory, readings):
    os.utime(table, ns=(7, 7))
    assert content(table, memory, largest=5) == "10 bytes of 7"
    assert content(table, memory, largest=10) == hashlib.sha256(b"id,g1\na,1\n").hexdigest()
    assert len(readings) == 1


@pytest.mark.parametrize("name", ["nowhere.csv", "x" * 300, "a\0b"])
def test_there_is_none_where_there_is_no_file(tmp_path, memory, name):
    assert content(f"{tmp_path}/{name}", memory) is None


def test_a_pipe_is_not_waited_for(tmp_path, memory, readings):
    os.mkfifo(tmp_path / "pipe")
    assert content(tmp_path / "pipe", memory).startswith("0 bytes of ")
    assert content(tmp_path, memory).endswith(str(tmp_path.stat().st_mtime_ns))
    assert readings == []
