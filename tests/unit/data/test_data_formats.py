"""What files between jobs say of their format, and how another one is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from safetensors.numpy import load_file, save_file

from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.files import annotated_files, read_json, read_table, write_json, write_table
from balmi.data.formats import FORMAT, check_format
from balmi.data.readers import read_samples
from balmi.data.tensors import read_tensors, write_tensors
from balmi.errors import UserError
from balmi.tables.contract import TABLES

TENSORS = {"a": np.arange(3.0)}
TABLE = pd.DataFrame({"sample": ["a", "b"], "class": ["1", "NA"], "x": [1.5, -2.0], "y": 0.0})
TABLE = TABLE.assign(features_x=[0.5, np.nan], features_y=[-1.0, np.nan])


def say_in_json(path, version):
    found = json.loads(path.read_text(encoding="utf-8")) | {"format": version}
    kept = {key: value for key, value in found.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def say_in_parquet(path, version):
    table = parquet.read_table(path)
    about = {key: value for key, value in table.schema.metadata.items() if key != b"balmi_format"}
    about |= {} if version is None else {b"balmi_format": str(version).encode()}
    parquet.write_table(table.replace_schema_metadata(about), path)


def say_in_tensors(path, version):
    content = path.read_bytes()
    about = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    del about["balmi_format"]
    about |= {} if version is None else {"balmi_format": str(version)}
    save_file(load_file(path), path, metadata=about)


def say_in_h5mu(path, version):
    from mudata import read_h5mu

    with annotated_files():
        data = read_h5mu(path)
        del data.uns["balmi"]["format"]
        data.uns["balmi"] |= {} if version is None else {"format": version}
        data.write_h5mu(path)


@dataclass(frozen=True)
class FileKind:
    """A kind of file: how it is written, read, and made to say another version."""

    name: str
    known: int
    write: Callable[[Path], None]
    read: Callable[[Path], object]
    say: Callable[[Path, int | None], None]


@pytest.fixture
def kinds(make_cohort):
    cohort = make_cohort(np.arange(30) % 3)
    return {
        kind.name: kind
        for kind in (
            FileKind(
                "a.h5mu", 2, lambda path: write_cohort(cohort, path), read_cohort, say_in_h5mu
            ),
            FileKind(
                "a.parquet", 1, lambda path: write_table(TABLE, path), read_table, say_in_parquet
            ),
            FileKind(
                "a.safetensors",
                1,
                lambda path: write_tensors(TENSORS, path, {"epochs": 3}),
                read_tensors,
                say_in_tensors,
            ),
            FileKind(
                "object.json", 1, lambda path: write_json({"a": 1}, path), read_json, say_in_json
            ),
            FileKind(
                "list.json", 1, lambda path: write_json([{"a": 1}], path), read_json, say_in_json
            ),
            FileKind(
                "view.json",
                7,
                lambda path: write_json({"a": 1}, path, 7),
                lambda path: read_json(path, 7),
                say_in_json,
            ),
        )
    }


KINDS = ("a.h5mu", "a.parquet", "a.safetensors", "object.json", "list.json", "view.json")


@pytest.mark.parametrize("version", [None, 0, 99])
@pytest.mark.parametrize("name", KINDS)
def test_another_version_is_refused_with_a_sentence(kinds, name, version, tmp_path):
    kind, path = kinds[name], tmp_path / name
    kind.write(path)
    kind.say(path, kind.known)
    kind.read(path)
    kind.say(path, version)
    with pytest.raises(UserError) as caught:
        kind.read(path)
    (problem,) = caught.value.problems
    assert problem.where == str(path)
    assert problem.found == (
        "no version of its format" if version is None else f"version {version} of its format"
    )
    assert problem.allowed == (
        f"version {kind.known}, which this version of balmi reads: delete it, or the results of the"
        " whole dataset, and run again; or use the version of balmi that wrote it"
    )


@pytest.mark.parametrize("version", ["", "one", 1.0, True, [1], {"a": 1}, "2", -1])
def test_only_the_version_itself_will_do(version, tmp_path):
    check_format(tmp_path, FORMAT)
    check_format(tmp_path, str(FORMAT))
    with pytest.raises(UserError, match="of its format"):
        check_format(tmp_path, version)


@pytest.mark.parametrize("text", ["[]", "[1]", "3", "null", '"format"', "{}"])
def test_json_without_room_for_a_version_is_refused(text, tmp_path):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="no version of its format"):
        read_json(tmp_path / "a.json")


def test_tables_arrays_and_cohorts_of_others_are_refused(tmp_path):
    TABLE.to_parquet(tmp_path / "a.parquet", index=False)
    save_file(TENSORS, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match="no version of its format"):
        read_table(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="no version of its format"):
        read_tensors(tmp_path / "a.safetensors")


def test_a_file_of_the_users_own_need_not_say_one(tmp_path, make_cohort):
    write_cohort(make_cohort(np.arange(30) % 3), tmp_path / "a.h5mu")
    say_in_h5mu(tmp_path / "a.h5mu", None)
    with annotated_files():
        assert len(read_samples(tmp_path / "a.h5mu")) == 30


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
CONTENT = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@given(content=CONTENT)
def test_json_comes_back_as_it_was(content):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        write_json(content, path)
        assert read_json(path) == content
        assert json.loads(path.read_text(encoding="utf-8"))["format"] == FORMAT


@pytest.mark.parametrize("key", ["format", "content"])
def test_no_key_of_an_object_is_lost_to_the_version(key, tmp_path):
    with pytest.raises(ValueError, match="taken"):
        write_json({key: 1}, tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_pandas_reads_parquet_as_ever(tmp_path):
    table = TABLE.assign(part=pd.Categorical(["b", "a"], ["a", "b", "c"]), n=[1, 2], none=None)
    write_table(table, tmp_path / "ours.parquet")
    table.to_parquet(tmp_path / "theirs.parquet", index=False)
    ours, theirs = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("ours", "theirs"))
    pd.testing.assert_frame_equal(ours, theirs)
    pd.testing.assert_frame_equal(read_table(tmp_path / "ours.parquet"), theirs)
    assert not ours.attrs


# Tables of the contract


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_comes_back_by_its_name(ending, tmp_path):
    write_table(TABLE, tmp_path / f"a.{ending}", "embedding")
    found = read_table(tmp_path / f"a.{ending}", "embedding")
    pd.testing.assert_frame_equal(found, TABLE, check_dtype=False)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda table: table.drop(columns="y"), "no column y"),
        (lambda table: table.assign(z=1), "column z: unknown"),
        (lambda table: table.assign(x="far"), "column x: cells of type string, not float"),
        (lambda table: table.rename(columns={"x": "X"}), "no column x, column X: unknown"),
    ],
)
def test_a_table_that_breaks_its_contract_is_refused(change, problem, ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    write_table(change(TABLE), path)
    with pytest.raises(UserError) as caught:
        read_table(path, "embedding")
    (refused,) = caught.value.problems
    assert (refused.where, refused.found) == (str(path), problem)
    assert "delete it, or the results of the whole dataset" in refused.allowed


def test_text_of_one_table_is_text_though_another_holds_numbers_there(tmp_path):
    assert TABLES["performance"].columns["value"].type == "float"
    table = TABLES["trust"].of([("folds", "pass", "15", "enough"), ("inputs", "pass", None, "all")])
    write_table(table, tmp_path / "trust.csv", "trust")
    assert read_table(tmp_path / "trust.csv", "trust")["value"][0] == "15"
