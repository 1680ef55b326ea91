import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from balmi.data.files import reading
from balmi.faults import fault, memory_limit

GPU = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB"
RUST = 'Error while serializing: IoError(Os { code: 28, message: "No space left on device" })'


def raised(action, *arguments):
    """Return what an action raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        action(*arguments)
    return caught.value


@pytest.fixture
def full(tmp_path):
    """Return the path of a link to the device that is always full.

    A link, since writers of Parquet remove what they fail to write.
    """
    if not Path("/dev/full").is_char_device():
        pytest.skip("no device that is always full")
    path = tmp_path / "full"
    path.symlink_to("/dev/full")
    return path


def test_an_array_beyond_all_memory_names_the_limit_and_what_helps():
    said = fault(raised(np.ones, (10**7, 10**7)))
    assert said.startswith("out of memory: this process may use ")
    assert f"{memory_limit() // 10**6:,} MB" in said
    assert "728. TiB" in said
    assert "--set-resources RULE:mem_mb" in said


def test_torch_without_memory_is_told_apart_from_a_gpu_without():
    import torch

    said = fault(raised(torch.empty, (10**8, 10**8)))
    assert said.startswith("out of memory: this process may use ")
    said = fault(torch.OutOfMemoryError(GPU))
    assert said.startswith("out of memory on the GPU: CUDA out of memory")
    assert "79.11 GiB" in said
    assert "training.replicas" in said


@pytest.mark.parametrize(
    "write",
    [
        lambda path: pd.DataFrame({"a": range(10**5)}).to_csv(path),
        lambda path: pd.DataFrame({"a": range(10**5)}).to_parquet(path),
        lambda path: path.write_text("x" * 10**5, encoding="utf-8"),
    ],
)
def test_a_full_disk_names_the_place_what_is_left_and_what_helps(full, write):
    said = fault(raised(write, full))
    assert re.match(r"the disk is full: [\d,]+ MB are left where /", said)
    assert "make room there" in said


def test_a_full_disk_names_the_folder_of_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "new" / "file.csv"
    said = fault(OSError(errno.ENOSPC, "No space left on device", str(path)))
    assert f" where {tmp_path} lies " in said
    assert " where " in fault(OSError(errno.EDQUOT, "Disk quota exceeded", os.fsencode(path)))


@pytest.mark.parametrize("error", [RuntimeError(RUST), OSError("No space left on device")])
def test_libraries_that_put_the_reason_into_the_text_are_understood(error):
    assert fault(error).startswith("the disk is full")


@pytest.mark.parametrize(
    "error",
    [
        np._core._exceptions._ArrayMemoryError((7, 5), np.dtype("float64")),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        OSError("Can't synchronously read data (memory allocation failed for chunk)"),
    ],
)
def test_memory_that_ends_while_a_file_is_read_names_the_file_and_calls_it_not_damaged(error):
    with pytest.raises(type(error)) as caught, reading("results/mine/cohort.h5mu"):
        raise error
    said = fault(caught.value)
    assert said.startswith("out of memory: this process may use ")
    assert "while results/mine/cohort.h5mu was read" in said
    if isinstance(error, MemoryError):
        assert "280 bytes for an array with shape (7, 5) and data type float64" in said


def test_what_caused_an_error_is_looked_at():
    error = RuntimeError("could not write")
    error.__cause__ = MemoryError()
    assert "(MemoryError)" in fault(error)


@pytest.mark.parametrize(
    "error", [KeyError("x"), OSError(errno.ENOENT, "no"), RuntimeError("singular"), ValueError()]
)
def test_other_errors_are_none_of_the_machines(error):
    assert fault(error) is None


@pytest.mark.parametrize(
    ("membership", "limits", "least"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n"}, None),
        ("0::/a/b\n", {"a/memory.max": "5000\n", "a/b/memory.max": "7000\n"}, 5000),
        ("0::/\n", {"memory.max": "9000"}, 9000),
        ("4:cpu:/x\n3:memory:/x\n", {"memory/x/memory.limit_in_bytes": "3000\n"}, 3000),
        ("4:cpu:/x\n", {"cpu/x/memory.max": "1\n"}, None),
    ],
)
def test_the_least_limit_of_the_groups_around_a_process_counts(tmp_path, membership, limits, least):
    (tmp_path / "membership").write_text(membership, encoding="utf-8")
    for name, text in limits.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    without = memory_limit(tmp_path / "nowhere", tmp_path)
    found = memory_limit(tmp_path / "membership", tmp_path / "root")
    assert found == (without if least is None else least)
    assert 10**8 < without <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_ulimit_counts_too():
    code = "from balmi.faults import memory_limit; print(memory_limit())"
    limited = f"ulimit -v 2000000; exec {sys.executable} -c '{code}'"
    done = subprocess.run(
        ["bash", "-c", limited],
        env={**os.environ, "PYTHONPATH": "workflow"},
        capture_output=True,
        check=True,
    )
    assert int(done.stdout) <= 2_048_000_000
