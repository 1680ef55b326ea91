"""Damaged files that the workflow reads back: each is named, and none passes."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import read_json, read_table, write_json, write_table
from balmi.data.tensors import read_tensors, write_tensors
from balmi.errors import UserError
from balmi.methods.outcome import read_status

TABLE = pd.DataFrame(
    {"method": [f"m{i}" for i in range(40)], "value": np.linspace(-1, 1, 40), "folds": 7}
)


@dataclass(frozen=True)
class FileKind:
    """A kind of file: its name, how it is written and read."""

    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], object]


@pytest.fixture
def kinds(make_cohort):
    cohort = make_cohort(np.arange(30) % 3, groups=np.array([f"g{i % 5}" for i in range(30)]))
    status = {"method": "m", "status": "ok", "reason": None, "device": "cpu", "seconds": 1.0}
    tensors = {
        "a/b": np.linspace(0, 1, 200),
        "whole": np.arange(50),
        "bits": np.ones(9, dtype=bool),
    }
    return {
        "cohort": FileKind("cohort.h5mu", lambda path: write_cohort(cohort, path), read_cohort),
        "parquet": FileKind("t.parquet", lambda path: write_table(TABLE, path), read_table),
        "csv": FileKind("t.csv", lambda path: write_table(TABLE, path), read_table),
        "tensors": FileKind(
            "m.safetensors", lambda path: write_tensors(tensors, path), read_tensors
        ),
        "json": FileKind("s.json", lambda path: write_json([status] * 9, path), read_json),
        "status": FileKind("status.json", lambda path: write_json(status, path), read_status),
    }


def flipped(blob):
    """Flip the highest bit of 64 bytes in a row: text is no longer UTF-8."""
    start = len(blob) // 2
    changed = bytes(byte ^ 0x80 for byte in blob[start : start + 64])
    return blob[:start] + changed + blob[start + 64 :]


def scattered(blob):
    """Flip bits of 64 bytes all over the file."""
    values = np.frombuffer(blob, dtype=np.uint8).copy()
    places = np.random.default_rng(0).choice(len(values), min(64, len(values) // 3), replace=False)
    values[places] ^= 0x80
    return values.tobytes()


DAMAGES = {
    "empty": lambda blob: b"",
    "one byte": lambda blob: blob[:1],
    "halved": lambda blob: blob[: len(blob) // 2],
    "without its end": lambda blob: blob[:-2],
    "zeros": lambda blob: bytes(len(blob)),
    "half zeros": lambda blob: blob[: len(blob) // 2] + bytes(len(blob) - len(blob) // 2),
    "another file": lambda blob: b"<html>\n<p>not found</p>\n" * 40,
    "flipped": flipped,
    "scattered": scattered,
}
KINDS = ("cohort", "parquet", "csv", "tensors", "json", "status")


# One column of any text is a table as CSV too.
@pytest.mark.parametrize(
    ("kind", "damage"), sorted(set(product(KINDS, DAMAGES)) - {("csv", "another file")})
)
def test_a_damaged_file_is_named(kinds, kind, damage, tmp_path):
    chosen = kinds[kind]
    path = tmp_path / chosen.name
    chosen.write(path)
    before = told(chosen.read(path))
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    # HDF5 and Parquet have bytes that nothing is read from.
    if damage == "flipped" and kind in ("cohort", "parquet"):
        assert still(before, chosen, path)
        return
    with pytest.raises(UserError) as caught:
        chosen.read(path)
    (problem,) = caught.value.problems
    assert problem.where == str(path)
    assert problem.found.startswith("damaged")
    assert "delete it and run again" in problem.allowed


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_cut_it_is_seen(kinds, kind, tmp_path):
    """But for CSV that is cut between two lines."""
    chosen = kinds[kind]
    path = tmp_path / chosen.name
    chosen.write(path)
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 2, 60).astype(int):
        if kind == "csv" and whole[:length].endswith(b"\n"):
            continue
        path.write_bytes(whole[:length])
        with pytest.raises(UserError):
            chosen.read(path)


def told(content):
    """Return all that was read, as text."""
    return content.to_csv() if isinstance(content, pd.DataFrame) else repr(content)


def still(before, kind, path):
    """Return whether a damaged file is refused, or read as it was."""
    try:
        return told(kind.read(path)) == before
    except UserError:
        return True


def test_no_flipped_byte_of_a_table_as_parquet_changes_a_number(tmp_path):
    write_table(TABLE, tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    refused = 0
    for place in range(0, len(whole), 7):
        changed = whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :]
        (tmp_path / "t.parquet").write_bytes(changed)
        try:
            found = read_table(tmp_path / "t.parquet")
        except UserError:
            refused += 1
        else:
            np.testing.assert_array_equal(found.to_numpy(), TABLE.to_numpy())
    assert refused > len(whole) / 7 / 4


@pytest.mark.parametrize("kind", ["cohort", "tensors"])
def test_one_flipped_bit_of_a_number_is_seen(kinds, kind, tmp_path):
    chosen = kinds[kind]
    path = tmp_path / chosen.name
    chosen.write(path)
    whole = path.read_bytes()
    number = {
        "tensors": lambda: np.linspace(0, 1, 200)[77].tobytes(),
        "cohort": lambda: np.float32(read_cohort(path).tables["rna"][3, 2]).tobytes(),
    }[kind]()
    place = whole.index(number)
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(UserError):
        chosen.read(path)


def test_json_of_another_form_is_named(tmp_path):
    write_json({"method": "m", "state": "ok"}, tmp_path / "status.json")
    with pytest.raises(UserError, match=r"status\.json\n +found: +damaged"):
        read_status(tmp_path / "status.json")


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    write_json({}, tmp_path / "a.json")

    def denied(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(UserError, match="may not be read"):
        read_json(tmp_path / "a.json")
